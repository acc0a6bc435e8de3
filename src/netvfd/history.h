/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened, newest last, for `netvf history`: a ring of JSON objects. */
#pragma once

#include "base/cleanup.h"

#include <jansson.h>

#define NV_HISTORY_MAX 1000

struct nv_history;

/* An empty one. Returns 0 or -ENOMEM. */
int nv_history_new(struct nv_history **ret_history);
struct nv_history *nv_history_free(struct nv_history *history);
NV_DEFINE_AUTO(nv_history, struct nv_history *, nv_history_free);

/*
 * Adds an entry: "time" (seconds since 1970, a real) and "what" are set, the rest is as in
 * json_pack's @format for an object. The oldest entry makes room. A failure is only counted:
 * history is not worth a failed switch.
 */
void nv_history_add(struct nv_history *history, const char *what, const char *format, ...);

/* A new array of the last @count entries (0: all), oldest first; NULL without memory. */
json_t *nv_history_get(const struct nv_history *history, size_t count);
