/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data path's interface for tests in another language: a command a line on standard input, a
 * JSON object a line on standard output: "r" (0 or -errno) and what the command brings. Interfaces
 * are names or numbers.
 *
 *   dptool RUN_DIR
 *   dptool programs|strip INTERFACE     one of the two commands that need not open it
 */
#include "base/log.h"
#include "base/str.h"
#include "datapath/hooks.h"
#include "datapath/lagg.h"
#include "datapath/tc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define MAC_FORMAT    "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx"
#define MAC_BYTES(at) &(at)[0], &(at)[1], &(at)[2], &(at)[3], &(at)[4], &(at)[5]

static const char *run_dir;

static const char *const forms[] = {"transparent", "lagg", "exclusive"};

static const char *const multicasts[] = {"active", "both", "once"};

static int index_of(const char *name)
{
	unsigned int number;

	if (!nv_parse_u32(name, INT_MAX, &number))
		return (int)number;
	return (int)if_nametoindex(name);
}

static enum nv_port port_of(const char *name)
{
	return strcmp(name, "vf") ? NV_PORT_HN : NV_PORT_VF;
}

static json_t *mac_text(const uint8_t mac[NV_MAC_LEN])
{
	return json_sprintf(
		"%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static json_t *describe(const struct nv_dp_pair *pair)
{
	const uint8_t none[NV_MAC_LEN] = {};
	bool has_own_mac = memcmp(pair->vf_mac, none, sizeof(none)) != 0;

	return json_pack("{si si si ss ss so so*}", "hn", pair->hn, "vf", pair->vf, "lagg",
		pair->lagg, "form", forms[pair->mode], "active",
		pair->active == NV_PORT_VF ? "vf" : "hn", "mac", mac_text(pair->mac), "vf_mac",
		has_own_mac ? mac_text(pair->vf_mac) : NULL);
}

static int adopted(struct nv_datapath *datapath, char **word, json_t **ret)
{
	(void)word;
	*ret = json_boolean(nv_datapath_adopted(datapath));
	return 0;
}

static int get(struct nv_datapath *datapath, char **word, json_t **ret)
{
	struct nv_dp_pair pair;
	int r = nv_datapath_get(datapath, index_of(word[1]), &pair);

	if (!r)
		*ret = describe(&pair);
	return r;
}

static int add_pair(const struct nv_dp_pair *pair, void *data)
{
	return json_array_append_new(data, describe(pair));
}

static int each(struct nv_datapath *datapath, char **word, json_t **ret)
{
	(void)word;
	*ret = json_array();
	return nv_datapath_each(datapath, add_pair, *ret);
}

static int change(struct nv_dp_pair *pair, const char *key, const char *value)
{
	if (!strcmp(key, "hn"))
		pair->hn = index_of(value);
	else if (!strcmp(key, "vf"))
		pair->vf = index_of(value);
	else if (!strcmp(key, "lagg"))
		pair->lagg = index_of(value);
	else if (!strcmp(key, "active"))
		pair->active = port_of(value);
	else if (!strcmp(key, "inside"))
		pair->inside = strcmp(value, "vf") ? 0 : 1U << NV_PORT_VF;
	else if (!strcmp(key, "multicast"))
		for (size_t i = 0; i < NV_ARRAY_SIZE(multicasts); i++)
			pair->multicast = strcmp(value, multicasts[i]) ? pair->multicast
								       : (enum nv_multicast)i;
	else if (!strcmp(key, "return"))
		return -(int)strtol(value, NULL, 10);
	else if (!strcmp(key, "mac"))
		return sscanf(value, MAC_FORMAT, MAC_BYTES(pair->mac)) == 6 ? 0 : -EINVAL;
	else if (!strcmp(key, "vf_mac"))
		return sscanf(value, MAC_FORMAT, MAC_BYTES(pair->vf_mac)) == 6 ? 0 : -EINVAL;
	else if (!strcmp(key, "form"))
		for (size_t i = 0; i < NV_ARRAY_SIZE(forms); i++)
			pair->mode = strcmp(value, forms[i]) ? pair->mode : (enum nv_mode)i;
	else
		return -EINVAL;
	return 0;
}

static int change_all(struct nv_dp_pair *pair, void *data)
{
	int r = 0;

	for (char **word = data; !r && *word; word++) {
		char key[16] = "";
		const char *equals = strchr(*word, '=');

		if (!equals || (size_t)(equals - *word) >= sizeof(key))
			return -EINVAL;
		memcpy(key, *word, (size_t)(equals - *word));
		r = change(pair, key, equals + 1);
	}
	return r;
}

static int edit(struct nv_datapath *datapath, char **word, json_t **ret)
{
	(void)ret;
	return nv_datapath_edit(datapath, index_of(word[1]), change_all, word + 2);
}

/*
 * An edit, and then 2 ms in which another process can have the lock. It goes to whoever takes it
 * first, and who waits for it looks once a millisecond.
 */
static int edit_and_let_go(struct nv_datapath *datapath, int hn, char **change)
{
	int r = nv_datapath_edit(datapath, hn, change_all, change);

	poll(NULL, 0, 2);
	return r;
}

/* churn HN TIMES KEY=VALUE… -- KEY=VALUE…: makes both edits in turn. */
static int churn(struct nv_datapath *datapath, char **word, json_t **ret)
{
	char **other = word + 3;
	int r = 0;

	(void)ret;
	while (strcmp(*other, "--"))
		other++;
	*other++ = NULL;
	for (long i = strtol(word[2], NULL, 10); !r && i > 0; i--) {
		r = edit_and_let_go(datapath, index_of(word[1]), word + 3);
		if (!r)
			r = edit_and_let_go(datapath, index_of(word[1]), other);
	}
	return r;
}

static int activate(struct nv_datapath *datapath, char **word, json_t **ret)
{
	(void)ret;
	return nv_datapath_activate(datapath, index_of(word[1]), port_of(word[2]));
}

/* limit HN VF MAC|any [VLAN…] */
static int limit(struct nv_datapath *datapath, char **word, json_t **ret)
{
	struct nv_dp_limits limits = {.vf = index_of(word[2]), .any_mac = !strcmp(word[3], "any")};

	(void)ret;
	if (!limits.any_mac && sscanf(word[3], MAC_FORMAT, MAC_BYTES(limits.mac)) != 6)
		return -EINVAL;
	for (char **vlan = word + 4; *vlan; vlan++) {
		unsigned int id = (unsigned int)strtoul(*vlan, NULL, 10) % 4096;

		limits.vlan[id / 64] |= UINT64_C(1) << id % 64;
	}
	return nv_datapath_limit(datapath, index_of(word[1]), &limits);
}

static int remove_pair(struct nv_datapath *datapath, char **word, json_t **ret)
{
	(void)ret;
	return nv_datapath_remove(datapath, index_of(word[1]));
}

static json_t *count(const struct nv_dp_count *count)
{
	return json_pack("[II]", (json_int_t)count->packets, (json_int_t)count->bytes);
}

static int counters(struct nv_datapath *datapath, char **word, json_t **ret)
{
	struct nv_dp_counters now;
	int r = nv_datapath_counters(datapath, index_of(word[1]), &now);

	if (!r)
		*ret = json_pack("{so so so so so}", "tx", count(&now.tx), "rx", count(&now.rx),
			"stray", count(&now.stray), "own", count(&now.dropped_own), "copy",
			count(&now.dropped_copy));
	return r;
}

static int lagg_create(struct nv_datapath *datapath, char **word, json_t **ret)
{
	struct nv_link hn;
	int ifindex = 0;
	int r = nv_kernel_link(nv_datapath_kernel(datapath), index_of(word[1]), &hn);

	if (!r)
		r = nv_lagg_create(datapath, &hn, word[2], NV_LAGG_BPF, &ifindex);
	*ret = json_integer(ifindex);
	return r;
}

static int lagg_destroy(struct nv_datapath *datapath, char **word, json_t **ret)
{
	(void)ret;
	return nv_lagg_destroy(datapath, index_of(word[1]));
}

static int lagg_carrier(struct nv_datapath *datapath, char **word, json_t **ret)
{
	(void)ret;
	return nv_lagg_set_carrier(datapath, index_of(word[1]), !strcmp(word[2], "on"));
}

/* hook on|off: with the hooks, or without. */
static int hook(struct nv_datapath *datapath, char **word, json_t **ret)
{
	(void)ret;
	return nv_datapath_hook(datapath, !strcmp(word[1], "on"));
}

static int open_table(struct nv_table *ret_table)
{
	NV_AUTO(nv_objects) struct nv_objects objects = NV_OBJECTS_NONE;
	int r = nv_pins_open(run_dir, &objects);

	return r < 0 ? r : nv_table_map(objects.fd[NV_OBJECT_PAIRS], ret_table);
}

/* trust on|off: as if hooks were in force, also where the kernel has none. */
static int trust(struct nv_datapath *datapath, char **word, json_t **ret)
{
	NV_AUTO(nv_table) struct nv_table table = {};
	int r = open_table(&table);

	(void)datapath;
	(void)ret;
	if (!r)
		nv_hooks_trust(&table, !strcmp(word[1], "on"));
	return r;
}

/* sign [doomed]: gives all pairs the sign that a hook gives; also says that their VFs go. */
static int sign(struct nv_datapath *datapath, char **word, json_t **ret)
{
	NV_AUTO(nv_table) struct nv_table table = {};
	int r = open_table(&table);

	(void)datapath;
	(void)ret;
	for (size_t i = 0; !r && i < table.count; i++) {
		struct nv_entry *entry = nv_table_entry(&table, i);

		if (word[1])
			__atomic_store_n(&entry->removing_vf, entry->vf, __ATOMIC_SEQ_CST);
		nv_hooks_count_event(entry);
	}
	return r;
}

/* The signs that hn's pair has had, and for which of them its VF was seen able. */
static int signs(struct nv_datapath *datapath, char **word, json_t **ret)
{
	NV_AUTO(nv_table) struct nv_table table = {};
	int r = open_table(&table);

	(void)datapath;
	for (size_t i = 0; !r && i < table.count; i++) {
		const struct nv_entry *entry = nv_table_entry(&table, i);

		if (NV_READ(entry->hn) == (uint32_t)index_of(word[1]))
			*ret = json_pack("[II]", (json_int_t)NV_READ(entry->event_seq),
				(json_int_t)NV_READ(entry->ok_seq));
	}
	return r;
}

/* A map that a program uses, by its name; -errno. */
static int open_map(int program, const char *name, struct bpf_map_info *info)
{
	uint32_t ids[16];
	struct bpf_prog_info used = {.nr_map_ids = 16, .map_ids = (uintptr_t)ids};
	uint32_t size = sizeof(used);
	int r = bpf_obj_get_info_by_fd(program, &used, &size);

	for (uint32_t i = 0; !r && i < used.nr_map_ids && i < 16; i++) {
		NV_AUTO(nv_fd) int fd = bpf_map_get_fd_by_id(ids[i]);

		size = sizeof(*info);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, info, &size) &&
			!strcmp(info->name, name))
			return TAKE_FD(fd);
	}
	return r < 0 ? r : -ENOENT;
}

/* age UNITS: all credits of group frames are so much older (below 0: younger); see copies.h. */
static int age(struct nv_datapath *datapath, char **word, json_t **ret)
{
	struct {
		struct bpf_spin_lock lock;
		struct {
			uint64_t digest;
			uint32_t when;
			int32_t balance;
		} copy[8];
	} bucket;
	NV_AUTO(nv_objects) struct nv_objects objects = NV_OBJECTS_NONE;
	int r = nv_pins_open(run_dir, &objects);
	struct bpf_map_info info = {};
	NV_AUTO(nv_fd)
	int map = r < 0 ? r : open_map(objects.fd[NV_OBJECT_INGRESS], "nv_copies", &info);

	(void)datapath;
	(void)ret;
	if (map < 0 || info.value_size != sizeof(bucket))
		return map < 0 ? map : -EPROTO;
	for (uint32_t key = 0; !r && key < info.max_entries; key++) {
		r = bpf_map_lookup_elem(map, &key, &bucket);
		for (size_t i = 0; i < 8; i++)
			bucket.copy[i].when -= (uint32_t)atoi(word[1]);
		if (!r)
			r = bpf_map_update_elem(map, &key, &bucket, BPF_F_LOCK);
	}
	return r;
}

/* The bits of enum nv_dp_report since the last time. */
static int reports(struct nv_datapath *datapath, char **word, json_t **ret)
{
	int fd = nv_datapath_reports_fd(datapath);

	(void)word;
	if (fd >= 0)
		*ret = json_integer(nv_datapath_reports(datapath));
	return fd < 0 ? fd : 0;
}

/* [word, sentence] */
static int handover(struct nv_datapath *datapath, char **word, json_t **ret)
{
	char why[256];

	(void)word;
	nv_datapath_handover_why(datapath, why, sizeof(why));
	*ret = json_pack("[ss]", nv_datapath_handover(datapath), why);
	return 0;
}

/* As root every program's name may be read, so that ours are found by it. */
static const struct nv_tcx_known none = {.program = -1, .replaced = -1};

/* The ids of our programs at ingress and egress of an interface; 0: none. */
static int programs(struct nv_datapath *datapath, char **word, json_t **ret)
{
	uint32_t in = 0;
	uint32_t out = 0;

	(void)datapath;
	nv_tc_program(index_of(word[1]), BPF_TC_INGRESS, &none, &in);
	nv_tc_program(index_of(word[1]), BPF_TC_EGRESS, &none, &out);
	*ret = json_pack("[II]", (json_int_t)in, (json_int_t)out);
	return 0;
}

/* Takes our programs off an interface, as somebody else might. */
static int strip(struct nv_datapath *datapath, char **word, json_t **ret)
{
	NV_AUTO(nv_kernel) struct nv_kernel *kernel = NULL;
	int r = nv_kernel_open(&kernel);

	(void)datapath;
	(void)ret;
	if (!r)
		nv_tc_detach(kernel, index_of(word[1]), &none, &none, false);
	return r;
}

static const struct {
	const char *name;
	size_t words; /* at least, itself included */
	int (*run)(struct nv_datapath *datapath, char **word, json_t **ret);
} commands[] = {
	{"adopted", 1, adopted},
	{"get", 2, get},
	{"each", 1, each},
	{"edit", 2, edit},
	{"churn", 4, churn},
	{"activate", 3, activate},
	{"limit", 4, limit},
	{"remove", 2, remove_pair},
	{"counters", 2, counters},
	{"hook", 2, hook},
	{"handover", 1, handover},
	{"age", 2, age},
	{"reports", 1, reports},
	{"trust", 2, trust},
	{"sign", 1, sign},
	{"signs", 2, signs},
	{"programs", 2, programs},
	{"strip", 2, strip},
	{"lagg-create", 3, lagg_create},
	{"lagg-destroy", 2, lagg_destroy},
	{"lagg-carrier", 3, lagg_carrier},
};

static void answer(int r, json_t *value)
{
	json_t *line = json_pack("{si so*}", "r", r, "value", value);

	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

static int run(struct nv_datapath *datapath, char *line, json_t **ret)
{
	char *word[32] = {};
	char *rest = line;
	size_t count = 0;

	while (count < NV_ARRAY_SIZE(word) - 1 && (word[count] = strtok_r(rest, " \n", &rest)))
		count++;
	for (size_t i = 0; i < NV_ARRAY_SIZE(commands); i++)
		if (count >= commands[i].words && !strcmp(word[0], commands[i].name))
			return commands[i].run(datapath, word, ret);
	return -EINVAL;
}

int main(int argc, char **argv)
{
	NV_AUTO(nv_kernel) struct nv_kernel *kernel = NULL;
	NV_AUTO(nv_datapath) struct nv_datapath *datapath = NULL;
	char line[1024];
	int r;

	if (argc == 3) {
		json_t *value = NULL;

		r = !strcmp(argv[1], "strip") ? strip(NULL, argv + 1, &value)
					      : programs(NULL, argv + 1, &value);
		answer(r, value);
		return r < 0;
	}
	if (argc != 2)
		return 2;
	run_dir = argv[1];
	nv_log_open("dptool", NV_LOG_STDERR, LOG_DEBUG);
	r = nv_kernel_open(&kernel);
	if (!r)
		r = nv_datapath_open(kernel, run_dir, &datapath);
	answer(r, NULL);
	if (r < 0)
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		json_t *value = NULL;

		r = run(datapath, line, &value);
		answer(r, value);
	}
	return 0;
}
