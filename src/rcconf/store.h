/* SPDX-License-Identifier: BSD-2-Clause */
/* Internal to rcconf: the table of assignments, and the scanner that fills it. */
#pragma once

#include "base/fault.h"

struct nv_rcconf;

/* Makes an empty table for the file @name. Returns 0 or -ENOMEM. */
int nv_rcconf_new(const char *name, struct nv_rcconf **ret_rcconf);

/*
 * Assigns @value to @key; takes @value over also on failure. Returns 0, -ENOMEM, or -ENOBUFS
 * (NV_RCCONF_KEYS_MAX or NV_RCCONF_TOTAL_MAX is reached).
 */
int nv_rcconf_set(struct nv_rcconf *rcconf, const char *key, char *value, unsigned int line,
	unsigned int column);

/*
 * Records that the value was used: another value refers to it, or a route found its interface. Only
 * nv_rcconf_check() uses this.
 */
void nv_rcconf_mark_used(const struct nv_rcconf *rcconf, const char *key);

/* Whether the value of @key was used. */
bool nv_rcconf_is_used(const struct nv_rcconf *rcconf, const char *key);

/* Reads @text into @rcconf. Errors in the text are added to @faults. Returns 0 or -ENOMEM. */
int nv_rcconf_scan(
	struct nv_rcconf *rcconf, const char *text, size_t length, struct nv_faults *faults);
