/* SPDX-License-Identifier: BSD-2-Clause */
#include "netvfd/history.h"

#include <errno.h>
#include <stdarg.h>
#include <time.h>

struct nv_history {
	json_t *ring[NV_HISTORY_MAX];
	size_t next;
	size_t count;
};

int nv_history_new(struct nv_history **ret_history)
{
	struct nv_history *history = calloc(1, sizeof(*history));

	if (!history)
		return -ENOMEM;
	*ret_history = history;
	return 0;
}

struct nv_history *nv_history_free(struct nv_history *history)
{
	if (!history)
		return NULL;
	for (size_t i = 0; i < NV_HISTORY_MAX; i++)
		json_decref(history->ring[i]);
	free(history);
	return NULL;
}

static double history_wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

void nv_history_add(struct nv_history *history, const char *what, const char *format, ...)
{
	json_t *entry;
	va_list args;

	va_start(args, format);
	entry = json_vpack_ex(NULL, 0, format, args);
	va_end(args);
	if (!entry)
		return;
	json_object_set_new(entry, "time", json_real(history_wall_clock()));
	json_object_set_new(entry, "what", json_string(what));

	json_decref(history->ring[history->next]);
	history->ring[history->next] = entry;
	history->next = (history->next + 1) % NV_HISTORY_MAX;
	if (history->count < NV_HISTORY_MAX)
		history->count++;
}

/* @back: 1 for the newest */
static json_t *history_at(const struct nv_history *history, size_t back)
{
	return history->ring[(history->next + NV_HISTORY_MAX - back) % NV_HISTORY_MAX];
}

/* How many of the newest fit into NV_HISTORY_BYTES; at least one. */
static size_t history_fit(const struct nv_history *history, size_t count)
{
	size_t bytes = 0;

	for (size_t back = 1; back <= count; back++) {
		bytes += json_dumpb(history_at(history, back), NULL, 0, JSON_COMPACT) + 1;
		if (bytes > NV_HISTORY_BYTES && back > 1)
			return back - 1;
	}
	return count;
}

json_t *nv_history_get(const struct nv_history *history, size_t count)
{
	json_t *list = json_array();

	if (!count || count > history->count)
		count = history->count;
	count = history_fit(history, count);
	for (size_t back = count; list && back > 0; back--)
		json_array_append(list, history_at(history, back));
	return list;
}
