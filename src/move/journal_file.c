/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal as a file: JSON. Beside what the kernel gets it has text for a reader. */
#include "base/log.h"
#include "move/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define VERSION 1

static void journal_path(const char *run_dir, const char *hn, char path[256])
{
	snprintf(path, 256, "%s/vfup.%s.json", run_dir, hn);
}

static void json_auto(json_t **json)
{
	json_decref(*json);
}

static int journal_file_objs_to_json(const struct nv_rtobjs *objs, json_t **ret_list)
{
	NV_AUTO(json) json_t *list = json_array();

	nv_each_rtobj (obj, objs) {
		NV_AUTO(nv_str) struct nv_str text = {};
		NV_AUTO(nv_str) struct nv_str hex = {};

		nv_rtobj_text(obj, &text);
		nv_rtobj_hex(obj, &hex);
		if (json_array_append_new(list, json_pack("{ss ss}", "what", nv_str_text(&text),
							"request", nv_str_text(&hex))) < 0)
			return -ENOMEM;
	}
	*ret_list = TAKE_PTR(list);
	return *ret_list ? 0 : -ENOMEM;
}

static int journal_file_write_json(
	const char *hn, const struct nv_journal *journal, json_t **ret_json)
{
	const struct nv_journal_settings *own = &journal->settings;
	json_t *addrs = NULL;
	json_t *displaced = NULL;
	json_t *ports = NULL;
	json_t *said = NULL;
	char mac[NV_MAC_TEXT];
	int r = journal_file_objs_to_json(&journal->addrs, &addrs);

	if (r == 0)
		r = journal_file_objs_to_json(&journal->displaced, &displaced);
	if (r == 0)
		r = journal_file_objs_to_json(&journal->ports, &ports);
	if (r == 0)
		r = journal_file_objs_to_json(&journal->configured, &said);
	nv_mac_text(journal->mac, mac);
	/* Takes the lists over, also on failure. */
	*ret_json = json_pack("{si ss si ss sI sI ss s{sI sb sb sb si ss ss} so* so* so* so*}",
		"version", VERSION, "hn", hn, "ifindex", journal->hn, "mac", mac, "taken",
		(json_int_t)journal->taken, "lagg_mtu", (json_int_t)journal->lagg_mtu, "client",
		journal->client, "settings", "mtu", (json_int_t)own->mtu, "up", own->up,
		"all_multicast", own->all_multicast, "promiscuous", own->promiscuous,
		"addr_gen_mode", own->addr_gen_mode, "accept_ra", own->accept_ra, "rp_filter",
		own->rp_filter, "addresses", addrs, "displaced", displaced, "ports", ports, "said",
		said);
	if (r == 0 && !*ret_json)
		r = -ENOMEM;
	return r;
}

static int journal_file_write_all(int fd, const char *text)
{
	for (size_t left = strlen(text); left > 0;) {
		ssize_t length = write(fd, text, left);

		if (length < 0 && errno != EINTR)
			return -errno;
		if (length < 0)
			continue;
		text += length;
		left -= (size_t)length;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The new file replaces the old one atomically, and is on the disk before that. */
static int replace_file(const char *path, const json_t *json)
{
	NV_AUTO(nv_free) char *text = json_dumps(json, JSON_INDENT(1));
	NV_AUTO(nv_fd) int fd = -1;
	char other[264];
	int r;

	if (!text)
		return -ENOMEM;
	snprintf(other, sizeof(other), "%s.new", path);
	fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = journal_file_write_all(fd, text);
	if (r == 0 && rename(other, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(other);
	return r;
}

int nv_journal_write(const char *run_dir, const char *hn, const struct nv_journal *journal)
{
	NV_AUTO(json) json_t *json = NULL;
	char path[256];
	int r = journal_file_write_json(hn, journal, &json);

	journal_path(run_dir, hn, path);
	return r < 0 ? r : replace_file(path, json);
}

void nv_journal_forget(const char *run_dir, const char *hn)
{
	char path[256];

	journal_path(run_dir, hn, path);
	unlink(path);
}

static int journal_file_objs_from_json(const json_t *list, struct nv_rtobjs *objs)
{
	const json_t *entry;
	size_t i;
	int r = json_is_array(list) ? 0 : -EBADMSG;

	json_array_foreach (list, i, entry) {
		const char *hex = json_string_value(json_object_get(entry, "request"));

		if (r == 0)
			r = hex ? nv_rtobjs_add_hex(objs, hex) : -EBADMSG;
	}
	return r == -ENOMSG ? -EBADMSG : r;
}

static int journal_file_read_json(
	json_t *json, const struct nv_link *hn, struct nv_journal *journal)
{
	struct nv_journal_settings *own = &journal->settings;
	json_t *addrs, *displaced, *said;
	json_t *ports = NULL;
	json_int_t taken, lagg_mtu, mtu;
	const char *mac, *accept_ra, *rp_filter;
	const char *client = "";
	int version, ifindex, up, all_multicast, addr_gen_mode;
	int promiscuous = 1; /* as it is, where a journal of netvf 0.1.0 does not tell */
	uint8_t *byte = journal->mac;
	int r;

	if (json_unpack(json, "{si si ss sI sI s?s s{sI sb sb s?b si ss ss} so so s?o so}",
		    "version", &version, "ifindex", &ifindex, "mac", &mac, "taken", &taken,
		    "lagg_mtu", &lagg_mtu, "client", &client, "settings", "mtu", &mtu, "up", &up,
		    "all_multicast", &all_multicast, "promiscuous", &promiscuous, "addr_gen_mode",
		    &addr_gen_mode, "accept_ra", &accept_ra, "rp_filter", &rp_filter, "addresses",
		    &addrs, "displaced", &displaced, "ports", &ports, "said", &said) < 0 ||
		version != VERSION ||
		sscanf(mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", byte, byte + 1, byte + 2,
			byte + 3, byte + 4, byte + 5) != NV_MAC_LEN ||
		!nv_strcopy(journal->client, sizeof(journal->client), client) ||
		!nv_strcopy(own->accept_ra, sizeof(own->accept_ra), accept_ra) ||
		!nv_strcopy(own->rp_filter, sizeof(own->rp_filter), rp_filter))
		return -EBADMSG;
	own->mtu = (uint32_t)mtu;
	own->up = up;
	own->all_multicast = all_multicast;
	own->promiscuous = promiscuous;
	own->addr_gen_mode = (uint8_t)addr_gen_mode;
	journal->taken = (uint64_t)taken;
	journal->lagg_mtu = (uint32_t)lagg_mtu;
	journal->hn = ifindex;
	if (ifindex != hn->ifindex || memcmp(journal->mac, hn->mac, NV_MAC_LEN) != 0)
		return -ENOENT;
	r = journal_file_objs_from_json(addrs, &journal->addrs);
	if (r == 0)
		r = journal_file_objs_from_json(displaced, &journal->displaced);
	if (r == 0 && ports)
		r = journal_file_objs_from_json(ports, &journal->ports);
	return r < 0 ? r : journal_file_objs_from_json(said, &journal->configured);
}

int nv_journal_read(const char *run_dir, const struct nv_link *hn, struct nv_journal *ret_journal)
{
	NV_AUTO(nv_journal) struct nv_journal journal = {};
	NV_AUTO(json) json_t *json = NULL;
	NV_AUTO(nv_file) FILE *file = NULL;
	char path[256];
	int r;

	journal_path(run_dir, hn->name, path);
	file = fopen(path, "re");
	if (!file && errno != ENOENT)
		return -errno;
	json = file ? json_loadf(file, 0, NULL) : NULL;
	r = !file ? -ENOENT : json ? journal_file_read_json(json, hn, &journal) : -EBADMSG;
	if (r == 0) {
		*ret_journal = TAKE_STRUCT(journal);
	}
	return r == -ENOENT ? 0 : r;
}
