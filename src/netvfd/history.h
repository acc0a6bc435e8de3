/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened, for `netvf history`: a ring buffer of JSON objects, the newest last. */
#pragma once

#include "base/cleanup.h"

#include <jansson.h>

#define NV_HISTORY_MAX	 1000
#define NV_HISTORY_BYTES (256 * 1024) /* of JSON, that are given at a time */

struct nv_history;

/* Makes an empty history. Returns 0 or -ENOMEM. */
int nv_history_new(struct nv_history **ret_history);
struct nv_history *nv_history_free(struct nv_history *history);
NV_DEFINE_AUTO(nv_history, struct nv_history *, nv_history_free);

/*
 * Adds an entry: "time" (seconds since 1970) and "what", and the members of json_pack's @format for
 * an object. It replaces the oldest entry if there is no room. A failure is ignored: a switch is
 * more important.
 */
void nv_history_add(struct nv_history *history, const char *what, const char *format, ...);

/*
 * A new array of the last @count entries (0: all), oldest first, without those that are too many
 * for NV_HISTORY_BYTES. NULL: out of memory.
 */
json_t *nv_history_get(const struct nv_history *history, size_t count);
