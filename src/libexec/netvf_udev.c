/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netvf_udev INTERFACE [NAME]: prints udev(7) properties of an interface. NM_UNMANAGED makes
 * NetworkManager, and ID_NET_MANAGED_BY (with dist/00-netvf.network) makes systemd-networkd, leave
 * alone the VFs and laggs of pairs and the VLANs that netvfd registers with a VF. NETVF_NAME is the
 * name that a VF gets; NAME is the one that udev is about to give it. Usually a VF has hn's MAC
 * address. Then a name that is configured for a MAC address, such as netplan's set-name, must be
 * hn's, whichever of the two appears first. And udev drops all properties of an interface whose new
 * name is taken. See netvfd(8), FILES.
 */
#include "base/log.h"
#include "libexec/context.h"
#include "pair/uppers.h"
#include "pair/vf_mac.h"
#include "services/udev.h"
#include "services/unused_hn.h"

#include <glob.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PROGRAM "netvf_udev"

#define HN_WAIT_MS 3000

/*
 * Whether one look at the interface leaves it open that it is one of ours. Most are not, and a host
 * of containers makes thousands: listing all links for each would cost their square.
 */
static bool udev_may_be_ours(
	const struct nv_context *context, const char *ifname, const char *wanted)
{
	unsigned int ifindex = if_nametoindex(ifname);
	struct nv_link link;
	char vlan[IFNAMSIZ];

	if (nv_is_lagg_name(ifname))
		return true;
	if (!ifindex || nv_kernel_link(context->kernel, (int)ifindex, &link) < 0)
		return false;
	nv_vf_vlan_name(link.lower, link.vlan_id, vlan);
	if (nv_link_may_be_vf(&link, &context->settings->hn) || nv_streq(link.name, vlan))
		return true;
	return wanted && nv_strcopy(link.name, sizeof(link.name), wanted) &&
	       nv_link_may_be_vf(&link, &context->settings->hn);
}

static bool udev_is_lagg(const struct nv_context *context, const char *ifname)
{
	for (size_t i = 0; i < context->pairs.count; i++) {
		const struct nv_pair *pair = &context->pairs.pair[i];
		const struct nv_link *hn = nv_links_by_index(&context->links, pair->hn);
		char lagg[IFNAMSIZ];

		if (pair->match != NV_MATCH_OBSERVED && hn &&
			nv_hn_lagg_name(hn->name, lagg) == 0 && nv_streq(lagg, ifname))
			return true;
	}
	return false;
}

/* One that is used by itself is as others are. */
static bool udev_is_vf(const struct nv_context *context, const struct nv_link *link)
{
	const struct nv_pair *pair = link ? nv_pairs_by_vf(&context->pairs, link->ifindex) : NULL;
	const struct nv_link *hn = pair ? nv_links_by_index(&context->links, pair->hn) : NULL;

	return hn && pair->match == NV_MATCH_MANAGED && !nv_unused_hn_is_kept(context->run_dir, hn);
}

/* Whether the .link file that names the interface matches by MAC address: systemd.link(5). */
static bool udev_is_named_by_mac(const char *link_file)
{
	NV_AUTO(nv_file) FILE *file = link_file ? fopen(link_file, "re") : NULL;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line + strspn(line, " \t"), "MACAddress", 10) == 0 ||
			strncmp(line + strspn(line, " \t"), "PermanentMACAddress", 19) == 0)
			return true;
	return false;
}

/* A device's own alternative name is not taken: udev may have given it already. */
static bool udev_is_taken(const char *ifname, const char *name)
{
	unsigned int holder = if_nametoindex(name);

	return holder && holder != if_nametoindex(ifname);
}

/* Whether the interface has another MAC address than the hn of its pair. */
static bool udev_has_own_mac(const struct nv_context *context, const struct nv_link *link)
{
	const struct nv_pair *pair = nv_pairs_by_vf(&context->pairs, link->ifindex);

	return pair && nv_vf_has_own_mac(nv_links_by_index(&context->links, pair->hn), link);
}

/*
 * udev passes its properties of a VF as our environment. NULL: the name that udev is about to give
 * is right.
 */
static const char *udev_find_name(const char *ifname, const char *wanted, bool has_own_mac)
{
	static const char *const places[] = {
		"ID_NET_NAME", "ID_NET_NAME_ONBOARD", "ID_NET_NAME_SLOT", "ID_NET_NAME_PATH"};
	bool by_mac = !has_own_mac && udev_is_named_by_mac(getenv("ID_NET_LINK_FILE"));

	/* It is known by that name. */
	if (has_own_mac && wanted && !udev_is_taken(ifname, wanted))
		return wanted;
	for (size_t i = by_mac ? 1 : 0; i < NV_ARRAY_SIZE(places); i++) {
		const char *name = getenv(places[i]);

		if (name && *name && !udev_is_taken(ifname, name))
			return name;
	}
	return wanted && udev_is_taken(ifname, wanted) ? ifname : NULL;
}

/* A device that will be a synthetic interface, and where the interface will appear below it. */
static const struct {
	const char *file; /* glob(7) */
	const char *begins; /* the beginning of its content */
	const char *net;
} synthetic[] = {
	{"/sys/bus/vmbus/devices/*/class_id", "{f8615163-df3e-46c5-913f-f2d2f965ed0e}", "net/*"},
	{"/sys/bus/virtio/devices/*/device", "0x0001", "net/*"},
	{"/sys/bus/pci/devices/*/modalias", "pci:v00001AF4d00001000", "virtio*/net/*"},
	{"/sys/bus/pci/devices/*/modalias", "pci:v00001AF4d00001041", "virtio*/net/*"},
	{"/sys/bus/pci/devices/*/modalias", "pci:v000015ADd000007B0", "net/*"},
	{"/sys/bus/xen/devices/vif-*/modalias", "xen:vif", "net/*"},
};

static bool udev_exists(const char *pattern)
{
	glob_t found = {};
	bool any = glob(pattern, 0, NULL, &found) == 0;

	globfree(&found);
	return any;
}

static bool udev_is_pending(const char *path, const char *begins, const char *net)
{
	NV_AUTO(nv_file) FILE *file = fopen(path, "re");
	char text[256] = "";
	char pattern[512];

	if (!file || !fgets(text, sizeof(text), file) || strncmp(text, begins, strlen(begins)) != 0)
		return false;
	snprintf(pattern, sizeof(pattern), "%.*s/%s", (int)(strrchr(path, '/') - path), path, net);
	return !udev_exists(pattern);
}

static bool udev_hn_is_coming(void)
{
	bool pending = false;

	for (size_t i = 0; i < NV_ARRAY_SIZE(synthetic); i++) {
		glob_t found = {};

		glob(synthetic[i].file, 0, NULL, &found);
		for (size_t j = 0; j < found.gl_pathc; j++)
			pending |= udev_is_pending(
				found.gl_pathv[j], synthetic[i].begins, synthetic[i].net);
		globfree(&found);
	}
	return pending;
}

/* A VF with a MAC address of its own is known by its name: the one that udev is about to give. */
static int udev_foresee_name(struct nv_context *context, const char *ifname, const char *name)
{
	for (size_t i = 0; i < context->links.count; i++)
		if (nv_streq(context->links.link[i].name, ifname))
			nv_strcopy(context->links.link[i].name, IFNAMSIZ, name);
	nv_pairs_auto(&context->pairs);
	return nv_pairs_find(&context->links, &context->settings->hn, &context->pairs);
}

/* Reads links and pairs. */
static bool udev_look_once(struct nv_context *context, const char *ifname, const char *wanted)
{
	int ifindex = (int)if_nametoindex(ifname);
	int r = 0;

	if (!nv_context_look(context))
		return false;
	if (wanted && !nv_pairs_by_vf(&context->pairs, ifindex) && !udev_is_taken(ifname, wanted))
		r = udev_foresee_name(context, ifname, wanted);
	if (r < 0)
		nv_err("cannot look for the pair of %s: %s", ifname, nv_strerror(r));
	return r == 0;
}

/*
 * At boot the driver of a VF may be loaded before that of its hn. No manager may look at the VF
 * before it is known to be a VF, and none does before udev has processed it.
 */
static bool udev_look(struct nv_context *context, const char *ifname, const char *wanted)
{
	const struct timespec pause = {.tv_nsec = 50000000};

	for (int i = 0; i < HN_WAIT_MS / 50; i++) {
		const struct nv_link *link;

		if (!udev_look_once(context, ifname, wanted))
			return false;
		link = nv_links_by_index(&context->links, (int)if_nametoindex(ifname));
		if (!link || strcmp(link->parent_bus, "pci") != 0 ||
			!nv_streq(getenv("ACTION"), "add") ||
			nv_pairs_by_vf(&context->pairs, link->ifindex) ||
			nv_pairs_by_hn(&context->pairs, link->ifindex) || !udev_hn_is_coming())
			return true;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* Whether netvfd has made this VLAN to register it with a VF. */
static bool udev_is_vf_vlan(const struct nv_context *context, const struct nv_link *link)
{
	const struct nv_link *vf = link ? nv_links_by_index(&context->links, link->lower) : NULL;
	char name[IFNAMSIZ];

	if (!vf || !nv_streq(link->kind, "vlan") || !udev_is_vf(context, vf))
		return false;
	nv_vf_vlan_name(vf->ifindex, link->vlan_id, name);
	return nv_streq(name, link->name);
}

/*
 * udev processes both interfaces at once. While the VF has the name that is to be hn's, as the
 * kernel's eth0, udev fails to rename hn, and keeps nothing of it: no manager would look at it. A
 * record may be the initramfs's; then the name that is hn's by its MAC address is free now. An hn
 * that is up is not renamed.
 */
static int udev_process_hn_again(
	struct nv_context *context, const char *ifname, const char *hn_name)
{
	const struct nv_pair *pair;
	const struct nv_link *hn;
	int r;

	if (!nv_context_look(context))
		return 1;
	pair = nv_pairs_by_vf(&context->pairs, (int)if_nametoindex(ifname));
	hn = pair ? nv_links_by_index(&context->links, pair->hn) : NULL;
	if (!hn || pair->match != NV_MATCH_MANAGED)
		return 0;
	if (nv_udev_has_record(hn->ifindex) &&
		(!hn_name || hn->flags & IFF_UP || if_nametoindex(hn_name)))
		return 0;
	r = nv_udev_process_again(hn->name, "add");
	if (r < 0)
		nv_err("cannot have udev process %s again: %s", hn->name, nv_strerror(r));
	return r < 0;
}

static int udev_print_properties(struct nv_context *context, const char *ifname, const char *wanted)
{
	const struct nv_link *link;
	const char *name = NULL;

	if (!udev_may_be_ours(context, ifname, wanted))
		return 0;
	if (!udev_look(context, ifname, wanted))
		return 1;
	link = nv_links_by_index(&context->links, (int)if_nametoindex(ifname));
	if (udev_is_vf(context, link) || udev_is_vf_vlan(context, link) ||
		udev_is_lagg(context, ifname))
		puts("NM_UNMANAGED=1\nID_NET_MANAGED_BY=netvf");
	if (udev_is_vf(context, link))
		name = udev_find_name(ifname, wanted, udev_has_own_mac(context, link));
	if (name)
		printf("NETVF_NAME=%s\n", name);
	return 0;
}

int main(int argc, char **argv)
{
	NV_AUTO(nv_context) struct nv_context context = {};
	bool named;

	nv_log_open(PROGRAM, NV_LOG_STDERR, LOG_WARNING);
	named = argc >= 3 && nv_streq(argv[1], "--named");
	if (argc < 2 || argc > 3 + named) {
		nv_err("usage: " PROGRAM " INTERFACE [NAME] | --named VF [NAME]");
		return 1;
	}
	if (!nv_context_open_anyway(&context))
		return 1;
	if (named)
		return udev_process_hn_again(&context, argv[2], argv[3]);
	return udev_print_properties(&context, argv[1], argv[2]);
}
