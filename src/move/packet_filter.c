/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/packet_filter.h"

#include "kernel/netfilter.h"
#include "services/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const commands[NV_PACKET_FILTERS][5] = {
	{"nft", "-j", "list", "ruleset", NULL},
	{"iptables-save", NULL},
	{"ip6tables-save", NULL},
};

/* "hn0" names hn0, and so does a word that ends in the wildcard and begins it. */
static bool packet_filter_name(const char *word, size_t length, char wildcard, const char *ifname)
{
	if (length && word[length - 1] == wildcard)
		return strncmp(word, ifname, length - 1) == 0;
	return strlen(ifname) == length && memcmp(word, ifname, length) == 0;
}

/* Whether a text somewhere in a value names the interface; names of the filter's own do not. */
static bool packet_filter_value_names(const json_t *value, const char *ifname)
{
	static const char *const own[] = {"family", "table", "chain", "name", "comment", "type"};
	const char *key;
	const json_t *part;
	size_t i;

	if (json_is_string(value))
		return packet_filter_name(
			json_string_value(value), json_string_length(value), '*', ifname);
	json_array_foreach (value, i, part)
		if (packet_filter_value_names(part, ifname))
			return true;
	json_object_foreach ((json_t *)value, key, part) {
		bool is_own = false;

		for (i = 0; i < NV_ARRAY_SIZE(own); i++)
			is_own |= nv_streq(key, own[i]);
		if (!is_own && packet_filter_value_names(part, ifname))
			return true;
	}
	return false;
}

static bool packet_filter_has_text(const json_t *value, const char *text)
{
	const char *key;
	const json_t *part;
	size_t i;

	if (json_is_string(value))
		return nv_streq(json_string_value(value), text);
	json_array_foreach (value, i, part)
		if (packet_filter_has_text(part, text))
			return true;
	json_object_foreach ((json_t *)value, key, part)
		if (packet_filter_has_text(part, text))
			return true;
	return false;
}

/*
 * Whether the kernel keeps an interface's index or the interface itself, and not a name, for what
 * nft(8) shows: in matches of iif and oif, sets of iface_index, chains at a device, flowtables.
 */
static bool packet_filter_is_by_index(const char *kind, const json_t *obj)
{
	return nv_streq(kind, "chain") || nv_streq(kind, "flowtable") ||
	       packet_filter_has_text(obj, "iif") || packet_filter_has_text(obj, "oif") ||
	       packet_filter_has_text(obj, "sdif") || packet_filter_has_text(obj, "iface_index");
}

static const char *packet_filter_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static unsigned int packet_filter_count_nft(
	const json_t *ruleset, const char *ifname, bool by_index, char *ret_where, size_t size)
{
	const json_t *list = json_object_get(ruleset, "nftables");
	unsigned int count = 0;
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		const char *kind = json_object_iter_key(json_object_iter((json_t *)entry));
		const json_t *obj = kind ? json_object_get(entry, kind) : NULL;

		if (!packet_filter_value_names(obj, ifname) ||
			(by_index && !packet_filter_is_by_index(kind, obj)))
			continue;
		if (!count++)
			snprintf(ret_where, size, "%s of %s %s", kind,
				packet_filter_text(obj, "family"),
				packet_filter_text(obj, "table"));
	}
	return count;
}

unsigned int nv_packet_filter_count_nft(
	const json_t *ruleset, const char *ifname, char *ret_where, size_t size)
{
	return packet_filter_count_nft(ruleset, ifname, false, ret_where, size);
}

/* Whether one of the options that name an interface does. */
static bool packet_filter_rule_names(const char *line, size_t length, const char *ifname)
{
	static const char *const options[] = {" -i ", " -o ", " --physdev-in ", " --physdev-out "};

	for (size_t i = 0; i < NV_ARRAY_SIZE(options); i++) {
		const char *option = memmem(line, length, options[i], strlen(options[i]));
		const char *word = option ? option + strlen(options[i]) : NULL;

		if (word && packet_filter_name(word, strcspn(word, " \n"), '+', ifname))
			return true;
	}
	return false;
}

unsigned int nv_packet_filter_count_iptables(
	const char *saved, const char *ifname, char *ret_where, size_t size)
{
	unsigned int count = 0;
	char table[32] = "";

	for (const char *line = saved; *line;) {
		size_t length = strcspn(line, "\n");

		if (line[0] == '*')
			snprintf(table, sizeof(table), "%.*s", (int)length - 1, line + 1);
		else if (strncmp(line, "-A ", 3) == 0 &&
			 packet_filter_rule_names(line, length, ifname) && !count++)
			snprintf(ret_where, size, "chain %.*s of table %s",
				(int)strcspn(line + 3, " \n"), line + 3, table);
		line += length + (line[length] == '\n');
	}
	return count;
}

/* A set of addresses may be longer than can be read; rules are not. */
static int packet_filter_read_nft(struct nv_packet_filters *filters)
{
	static const char *const terse[] = {"nft", "-j", "-t", "list", "ruleset", NULL};
	int r = nv_run(commands[0], &filters->text[0]);

	if (r == -E2BIG) {
		nv_str_auto(&filters->text[0]);
		r = nv_run(terse, &filters->text[0]);
	}
	if (r < 0)
		return r;
	filters->nft = json_loads(nv_str_text(&filters->text[0]), 0, NULL);
	return filters->nft ? 0 : -EBADMSG;
}

void nv_packet_filters_read(struct nv_packet_filters *ret_filters)
{
	struct nv_packet_filters filters = {};
	bool has_nft = nv_nftables_has_tables();
	bool has_any;

	filters.legacy = nv_iptables_has_tables();
	has_any = has_nft || filters.legacy;

	/* iptables-save(8) may be the one that lists tables of nftables. */
	if (has_nft)
		filters.error[0] = packet_filter_read_nft(&filters);
	for (size_t i = 1; i < NV_PACKET_FILTERS && has_any; i++)
		filters.error[i] = nv_run(commands[i], &filters.text[i]);
	*ret_filters = filters;
}

void nv_packet_filters_auto(struct nv_packet_filters *filters)
{
	json_decref(filters->nft);
	for (size_t i = 0; i < NV_PACKET_FILTERS; i++)
		nv_str_auto(&filters->text[i]);
	*filters = (struct nv_packet_filters){};
}

int nv_packet_filters_failed(const struct nv_packet_filters *filters, char *ret_what, size_t size)
{
	const int *error = filters->error;
	bool nft = error[0] < 0 && !(error[0] == -ENOENT && error[1] == 0);
	int r = nft ? error[0] : 0;

	for (size_t i = 1; i < NV_PACKET_FILTERS && filters->legacy && r == 0; i++)
		r = error[i];
	if (r < 0)
		snprintf(ret_what, size, "the rules of %s", nft ? "nftables" : "iptables");
	return r;
}

const char *nv_packet_filter_command(size_t filter)
{
	return commands[filter][0];
}

bool nv_packet_filter_names(const struct nv_packet_filters *filters, size_t filter,
	const char *ifname, char *ret_text, size_t size)
{
	static const char *const called[] = {"nftables", "iptables", "ip6tables"};
	char where[96] = "";
	unsigned int count =
		filter ? nv_packet_filter_count_iptables(
				 nv_str_text(&filters->text[filter]), ifname, where, sizeof(where))
		       : nv_packet_filter_count_nft(filters->nft, ifname, where, sizeof(where));

	if (!count)
		return false;
	snprintf(ret_text, size, "%s, %u %s%s, the first %s%s", called[filter], count,
		filter ? "rule" : "place", count == 1 ? "" : "s", filter ? "in " : "a ", where);
	return true;
}

/* An interface that takes the place of one of its name. */
static bool packet_filters_hold_index(
	const struct nv_packet_filters *filters, const char *ifname, char *ret_text, size_t size)
{
	char where[96] = "";
	unsigned int count =
		packet_filter_count_nft(filters->nft, ifname, true, where, sizeof(where));

	if (count)
		snprintf(ret_text, size, "nftables, by its index, %u place%s, the first a %s",
			count, count == 1 ? "" : "s", where);
	return count;
}

bool nv_packet_filters_hold(const struct nv_packet_filters *filters, const char *ifname,
	const char *too, char *ret_text, size_t size)
{
	char other[16];

	if (nv_streq(ifname, too))
		return packet_filters_hold_index(filters, ifname, ret_text, size);
	for (size_t i = 0; i < NV_PACKET_FILTERS; i++)
		if (nv_packet_filter_names(filters, i, ifname, ret_text, size) &&
			!nv_packet_filter_names(filters, i, too, other, sizeof(other)))
			return true;
	return false;
}
