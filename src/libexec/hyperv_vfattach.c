/* SPDX-License-Identifier: BSD-2-Clause */
/* hyperv_vfattach IF DELAY: sets up a VF that has just appeared. See hyperv_vfattach(8). */
#include "base/log.h"
#include "control/client.h"
#include "failover/port_setup.h"
#include "failover/vf_dhcp.h"
#include "libexec/context.h"
#include "pair/retry.h"
#include "services/manager.h"
#include "services/udev.h"
#include "services/unused_hn.h"

#include <errno.h>
#include <linux/if.h>
#include <time.h>

#define PROGRAM	  "hyperv_vfattach"
#define DELAY_MAX 86400 /* seconds */

/* microseconds; an action may run for 300 s (netvf_action_timeout) */
#define RETRY_FOR 240000000ULL

#define MANAGED_BY_US "ID_NET_MANAGED_BY=netvf" /* 80-netvf.rules */
#define LET_GO_WITHIN 10 /* seconds */

/*
 * The pair of this VF, if it is managed. Prints the reason if the interface is a VF whose pair is
 * not.
 */
static const struct nv_pair *vfattach_find_pair(
	const struct nv_context *context, const struct nv_link *vf)
{
	const struct nv_pair *pair = nv_pairs_by_vf(&context->pairs, vf->ifindex);

	if (!pair || pair->match == NV_MATCH_MANAGED)
		return pair;
	nv_notice("%s is left alone: %s", vf->name, pair->why);
	return NULL;
}

/* Returns 0 or -errno, usually that of the VF's driver. */
static int vfattach_set_up_once(
	struct nv_context *context, const struct nv_link *vf, const struct nv_link *hn)
{
	char lagg[IFNAMSIZ];
	const struct nv_link *upper = NULL;
	int r;

	if (nv_hn_lagg_name(hn->name, lagg) == 0)
		upper = nv_links_by_name(&context->links, lagg);
	if (!upper)
		upper = hn;
	r = nv_port_setup_vf(context->kernel, vf, upper->mtu, NULL);
	if (r == 0)
		r = nv_kernel_link_up(context->kernel, vf->ifindex, true);
	return r;
}

/* What netvfd tells 'netvf doctor' of the pair, which the caller owns; NULL: it does not run. */
static json_t *vfattach_ask(const struct nv_context *context, const char *hn)
{
	NV_AUTO(nv_client) struct nv_client *client = NULL;
	NV_AUTO(nv_free) char *error = NULL;
	json_t *result = NULL;
	json_t *found = NULL;
	json_t *pair;
	size_t i;

	if (nv_client_open(context->run_dir, &client) < 0 ||
		nv_client_call_pairs(client, "doctor", &result, &error) < 0)
		return NULL;
	json_array_foreach (json_object_get(result, "pairs"), i, pair) {
		const char *of = json_string_value(json_object_get(pair, "hn"));

		if (!found && of && nv_streq(of, hn))
			found = json_incref(pair);
	}
	json_decref(result);
	return found;
}

/* Whether the VF carries only another interface's frames. */
static bool vfattach_is_port(const json_t *told, const char *vf)
{
	const char *port = json_string_value(json_object_get(told, "port_vf"));

	return port && nv_streq(port, vf);
}

/* Whether somebody configures the VF in place of hn, also as far as netvfd has not looked yet. */
static bool vfattach_is_own(
	const struct nv_context *context, const struct nv_link *vf, const struct nv_link *hn)
{
	json_auto_t *told = vfattach_ask(context, hn->name);

	return json_is_true(json_object_get(told, "vfs_own")) ||
	       (!vfattach_is_port(told, vf->name) && nv_unused_hn_is_kept(context->run_dir, hn));
}

/*
 * Tries until the driver accepts it, the VF does not belong to the pair any more or is used by
 * itself, or RETRY_FOR is over.
 * @ifindex: of the VF, whose name may change meanwhile
 * @delay: seconds that were waited before this call
 */
static bool vfattach_set_up(struct nv_context *context, int ifindex, unsigned int delay)
{
	struct nv_retry retry = {};
	uint64_t now = 0; /* microseconds since the first attempt */

	for (;;) {
		const struct nv_link *vf = nv_links_by_index(&context->links, ifindex);
		const struct nv_pair *pair = vf ? vfattach_find_pair(context, vf) : NULL;
		const struct nv_link *hn =
			pair ? nv_links_by_index(&context->links, pair->hn) : NULL;
		struct timespec pause;
		int r;

		if (!hn) {
			nv_info("the VF is gone after %u seconds: there is nothing to set up",
				delay + (unsigned int)(now / 1000000));
			return true;
		}
		if (vfattach_is_own(context, vf, hn)) {
			nv_info("%s, the VF of %s, is used by itself: it is left as it is",
				vf->name, hn->name);
			return true;
		}
		r = vfattach_set_up_once(context, vf, hn);
		if (r == 0) {
			nv_info("%s, the VF of %s, is set up", vf->name, hn->name);
			return true;
		}
		if (now >= RETRY_FOR || r == -EPERM || r == -EOPNOTSUPP) {
			nv_err("cannot set up %s, the VF of %s: %s", vf->name, hn->name,
				nv_strerror(r));
			return false;
		}
		if (nv_retry_note(&retry, ifindex, now) && r != -ENODEV)
			nv_warn("cannot set up %s, the VF of %s, yet: %s; trying again for %d seconds",
				vf->name, hn->name, nv_strerror(r), (int)(RETRY_FOR / 1000000));
		pause = (struct timespec){.tv_sec = retry.wait / 1000000,
			.tv_nsec = (long)(retry.wait % 1000000 * 1000)};
		nanosleep(&pause, NULL);
		now += retry.wait;
		if (!nv_context_look(context))
			return false;
	}
}

/* Waits for what udev says of an interface. Returns whether it had to. */
static bool vfattach_await(bool (*is_said)(int ifindex), int ifindex)
{
	const struct timespec pause = {.tv_nsec = NV_UDEV_LOOK_MS * 1000000L};
	int looks = 0;

	for (; !is_said(ifindex) && looks < NV_UDEV_WAIT_MS / NV_UDEV_LOOK_MS; looks++)
		nanosleep(&pause, NULL);
	return looks;
}

static bool vfattach_is_marked(int ifindex)
{
	return nv_udev_has(ifindex, MANAGED_BY_US);
}

/* Returns whether udev says that the VF is netvf's. It may have processed it without the rules. */
static bool vfattach_mark(const struct nv_link *vf)
{
	if (!vfattach_is_marked(vf->ifindex) && nv_udev_process_again(vf->name, "change") == 0)
		vfattach_await(vfattach_is_marked, vf->ifindex);
	return vfattach_is_marked(vf->ifindex);
}

/* NetworkManager leaves addresses behind, which netvfd would take off only later. */
static void vfattach_make_bare(struct nv_kernel *kernel, const struct nv_link *vf)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};

	nv_port_setup_vf(kernel, vf, 0, NULL);
	if (nv_kernel_addrs(kernel, vf->ifindex, &addrs) < 0)
		return;
	for (size_t i = 0; i < addrs.count; i++)
		nv_kernel_addr_del(kernel, &addrs.addr[i]);
	nv_kernel_link_up(kernel, vf->ifindex, true);
}

/* NULL: nobody has the VF any more. */
static const char *vfattach_dismiss(const struct nv_link *vf)
{
	const char *manager = nv_manager_that_has(vf->ifindex);

	/* Again and again: it may not have heard from udev yet, and another one may have the VF. */
	for (int left = LET_GO_WITHIN; left && manager; left--) {
		if (nv_manager_dismiss(manager, vf->name) < 0)
			break;
		sleep(1);
		manager = nv_manager_that_has(vf->ifindex);
	}
	return manager;
}

/* A network manager that ran before netvf was installed has the VF, and would keep it. */
static bool vfattach_take_from_manager(
	struct nv_context *context, const struct nv_link *vf, const struct nv_link *hn)
{
	json_auto_t *told = NULL;
	const char *manager = nv_manager_that_has(vf->ifindex);
	int vf_index = vf->ifindex;
	int hn_index = hn->ifindex;

	nv_notice("%s has %s, the VF of %s, and is asked to let go of it", manager, vf->name,
		hn->name);
	manager = vfattach_mark(vf) ? vfattach_dismiss(vf) : manager;
	if (manager) {
		nv_warn("%s still has %s, the VF of %s, and may give it addresses, which netvfd removes: restart %s, if udev knows that the VF is netvf's (udevadm info /sys/class/net/%s)",
			manager, vf->name, hn->name, manager, vf->name);
		return true;
	}
	/* That took time. */
	if (!nv_context_look(context))
		return false;
	vf = nv_links_by_index(&context->links, vf_index);
	hn = nv_links_by_index(&context->links, hn_index);
	told = vf && hn ? vfattach_ask(context, hn->name) : NULL;
	if (told && vfattach_is_port(told, vf->name))
		vfattach_make_bare(context->kernel, vf);
	return true;
}

/*
 * Waits and checks again: only the same interface is set up, and only if it is still the VF of a
 * managed pair.
 */
static bool vfattach_wait_and_set_up(struct nv_context *context, int ifindex, unsigned int delay)
{
	for (unsigned int left = delay; left > 0;)
		left = sleep(left);
	return nv_context_look(context) && vfattach_set_up(context, ifindex, delay);
}

static bool vfattach_run(struct nv_context *context, const char *ifname, unsigned int delay)
{
	json_auto_t *told = NULL;
	const struct nv_link *vf;
	const struct nv_link *hn;
	const struct nv_pair *pair;

	if (!nv_context_look(context))
		return false;
	vf = nv_links_by_name(&context->links, ifname);
	pair = vf ? vfattach_find_pair(context, vf) : NULL;
	if (!pair)
		return true;
	hn = nv_links_by_index(&context->links, pair->hn);
	/* A DHCP client or a network manager may have set it up. */
	told = vf->flags & IFF_UP ? vfattach_ask(context, hn->name) : NULL;
	if (vfattach_is_port(told, vf->name)) {
		nv_vf_dhcp_end(hn->name, vf->name);
		if (nv_manager_that_has(vf->ifindex))
			return vfattach_take_from_manager(context, vf, hn);
	}
	if (nv_hn_is_transparent(&context->settings->hn, hn->name, nv_manager_of(hn->ifindex)))
		return true;
	if (delay)
		return vfattach_wait_and_set_up(context, vf->ifindex, delay);
	if (!context->settings->vf_delay)
		return vfattach_await(nv_udev_allows_up, vf->ifindex)
			       ? vfattach_wait_and_set_up(context, vf->ifindex, 0)
			       : vfattach_set_up(context, vf->ifindex, 0);
	nv_info("%s, the VF of %s, will be set up in %u seconds (hyperv_vf_delay)", vf->name,
		hn->name, context->settings->vf_delay);
	return nv_context_background(PROGRAM) &&
	       vfattach_wait_and_set_up(context, vf->ifindex, context->settings->vf_delay);
}

int main(int argc, char **argv)
{
	NV_AUTO(nv_context) struct nv_context context = {};
	unsigned int delay;

	nv_log_open(PROGRAM, NV_LOG_STDERR, LOG_INFO);
	if (argc != 3 || nv_parse_u32(argv[2], DELAY_MAX, &delay) < 0) {
		nv_err("usage: " PROGRAM
		       " INTERFACE DELAY (seconds, at most %d; 0: the delay that rc.conf's hyperv_vf_delay says)",
			DELAY_MAX);
		return 1;
	}
	return nv_context_open(&context) && vfattach_run(&context, argv[1], delay) ? 0 : 1;
}
