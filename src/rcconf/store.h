/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside rcconf: the table of assignments, and the scanner that fills it. */
#pragma once

#include "rcconf/rcconf.h"

/* An empty one, of the file @name. Returns 0 or -ENOMEM. */
int nv_rcconf_new(const char *name, struct nv_rcconf **ret_rcconf);

/*
 * Assigns @value (taken over in any case) to @key. Returns 0, -ENOMEM, -ENOBUFS (one of the limits
 * NV_RCCONF_KEYS_MAX, NV_RCCONF_TOTAL_MAX).
 */
int nv_rcconf_set(struct nv_rcconf *rcconf, const char *key, char *value, unsigned int line,
	unsigned int column);

/*
 * Remembers beside the value that it came to use: another value refers to it, or a route found its
 * interface. For the check; nothing else depends on it.
 */
void nv_rcconf_mark_used(const struct nv_rcconf *rcconf, const char *key);

/* Whether it did. */
bool nv_rcconf_is_used(const struct nv_rcconf *rcconf, const char *key);

/* Reads @text into @rcconf. Returns 0 or -ENOMEM; what is wrong in the text is in @faults. */
int nv_rcconf_scan(
	struct nv_rcconf *rcconf, const char *text, size_t length, struct nv_faults *faults);
