/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netvf_park: keeps the VFs of pairs in a network namespace of its own as long as it runs, so that
 * what configures the network at boot finds only the hn. cloud-init would stop at two interfaces
 * with one MAC address. See netvfd(8), FILES.
 *
 * Only this process holds that namespace. So when the process ends, for whatever reason, the kernel
 * itself moves PCI devices back to the first namespace (default_device_exit_net(), net/core/dev.c).
 * On SIGTERM the VFs are moved back before it ends.
 */
#include "base/log.h"
#include "base/rundir.h"
#include "base/service.h"
#include "kernel/monitor.h"
#include "pair/match.h"
#include "pair/vf_mac.h"
#include "rcconf/settings.h"
#include "services/udev.h"
#include "services/unused_hn.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <signal.h>

#define PROGRAM	  "netvf_park"
#define OWN_NETNS "/proc/self/ns/net"

struct park {
	struct nv_settings settings;
	struct nv_loop *loop;
	struct nv_monitor *monitor;
	struct nv_kernel *home; /* the namespace of the hns, where VFs appear */
	struct nv_kernel *away;
	int home_fd;
	int away_fd;
	int in_use; /* the VF whose use was logged last */
	char *run_dir;
};

static void park_auto(struct park *park)
{
	nv_monitor_free(park->monitor);
	nv_kernel_free(park->home);
	nv_kernel_free(park->away);
	nv_loop_free(park->loop);
	nv_fd_auto(&park->home_fd);
	nv_fd_auto(&park->away_fd);
	free(park->run_dir);
}

/* A file with errors must not cost the guest its network: it counts as empty. */
static void park_read_settings(struct nv_settings *ret_settings)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	const char *path = getenv(NV_RCCONF_ENV);
	struct nv_rcconf *rcconf = NULL;

	if (nv_rcconf_load_or_empty(path ? path : NV_RCCONF_PATH, &faults, &rcconf) >= 0)
		nv_settings_read(rcconf, &faults, ret_settings);
	nv_faults_log(&faults);
	nv_rcconf_free(rcconf);
}

static int park_open_netns(int *ret_fd, struct nv_kernel **ret_kernel)
{
	int fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : nv_kernel_open(ret_kernel);

	if (r == 0)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	return r;
}

static int park_open_namespaces(struct park *park)
{
	int r = park_open_netns(&park->home_fd, &park->home);

	if (r == 0 && unshare(CLONE_NEWNET) < 0)
		r = -errno;
	if (r == 0)
		r = park_open_netns(&park->away_fd, &park->away);
	if (r == 0 && setns(park->home_fd, CLONE_NEWNET) < 0)
		r = -errno;
	if (r < 0)
		nv_err("cannot make a network namespace for VFs (root is needed): %s",
			nv_strerror(r));
	return r;
}

/* The initramfs may have configured the VF, and the root file system may depend on it. */
static bool park_is_in_use(const struct park *park, int vf)
{
	const struct nv_addrs *addrs = nv_monitor_addrs(park->monitor);

	for (size_t i = 0; i < addrs->count; i++)
		if (addrs->addr[i].ifindex == vf && addrs->addr[i].scope < RT_SCOPE_LINK)
			return true;
	return false;
}

/*
 * udev may have refused hn its name while the VF had it. The rule that asks for hn again, in the
 * VF's own event (91-netvf.rules), finds no VF any more. A second event of an hn that has its name
 * changes nothing.
 */
static void park_name_hn(const struct nv_link *hn)
{
	int r = 0;

	if (!(hn->flags & IFF_UP) || !nv_udev_has_record(hn->ifindex))
		r = nv_udev_process_again(hn->name, "add");
	if (r < 0 && r != -ENOENT)
		nv_err("cannot have udev process %s again: %s", hn->name, nv_strerror(r));
}

static void park_vf(struct park *park, const struct nv_link *vf, const struct nv_link *hn)
{
	int r;

	if (park_is_in_use(park, vf->ifindex)) {
		if (park->in_use != vf->ifindex)
			nv_warn("%s, the VF of %s, has an address and stays; cloud-init may stop at two interfaces with one MAC address",
				vf->name, hn->name);
		park->in_use = vf->ifindex;
		return;
	}
	r = nv_kernel_link_move(park->home, vf->ifindex, park->away_fd);
	if (r == 0) {
		nv_info("%s, the VF of %s, is hidden until the network is configured", vf->name,
			hn->name);
		park_name_hn(hn);
	} else if (r != -ENODEV)
		nv_err("cannot hide %s, the VF of %s: %s", vf->name, hn->name, nv_strerror(r));
}

/* Called at the start and after each change of a link. */
static void park_on_settled(void *data)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct park *park = data;
	const struct nv_links *links = nv_monitor_links(park->monitor);
	int r = nv_pairs_find(links, &park->settings.hn, &pairs);

	if (r < 0)
		nv_err("cannot look for VFs: %s", nv_strerror(r));
	for (size_t i = 0; i < pairs.count; i++) {
		const struct nv_pair *pair = &pairs.pair[i];
		const struct nv_link *hn = nv_links_by_index(links, pair->hn);
		const struct nv_link *vf = nv_links_by_index(links, pair->vf);

		/*
		 * One with a MAC address of its own may be in what cloud-init was told. One that is
		 * used by itself is configured in hn's place, and not by cloud-init.
		 */
		if (pair->match == NV_MATCH_MANAGED && vf && !nv_vf_has_own_mac(hn, vf) &&
			!nv_unused_hn_is_kept(park->run_dir, hn))
			park_vf(park, vf, hn);
	}
}

/* Links that the kernel makes in every namespace cannot leave it (-EINVAL). */
static bool park_give_back(struct park *park)
{
	NV_AUTO(nv_links) struct nv_links links = {};
	bool all = true;
	int r = nv_kernel_links(park->away, &links);

	if (r < 0) {
		nv_err("cannot list the VFs to give back: %s; the kernel gives them back now",
			nv_strerror(r));
		return false;
	}
	for (size_t i = 0; i < links.count; i++) {
		const struct nv_link *link = &links.link[i];

		if (link->type != ARPHRD_ETHER)
			continue;
		r = nv_kernel_link_move(park->away, link->ifindex, park->home_fd);
		if (r == 0)
			nv_info("%s is given back", link->name);
		else if (r != -EINVAL && r != -ENODEV) {
			nv_err("cannot give %s back: %s; the kernel gives it back now", link->name,
				nv_strerror(r));
			all = false;
		}
	}
	return all;
}

static void park_on_signal(int signal, void *data)
{
	(void)signal;
	nv_loop_quit(data);
}

static int park_run(struct park *park)
{
	static const struct nv_monitor_ops ops = {.settled = park_on_settled};
	NV_AUTO(nv_watch) struct nv_watch *term = NULL;
	NV_AUTO(nv_watch) struct nv_watch *interrupt = NULL;
	int r = nv_loop_watch_signal(park->loop, SIGTERM, park_on_signal, park->loop, &term);

	if (r == 0)
		r = nv_loop_watch_signal(
			park->loop, SIGINT, park_on_signal, park->loop, &interrupt);
	if (r == 0)
		r = nv_monitor_new(park->loop, park->home, &ops, park, &park->monitor);
	if (r < 0) {
		nv_err("cannot watch the network interfaces: %s", nv_strerror(r));
		return r;
	}
	park_on_settled(park);
	nv_service_notify("READY=1");
	r = nv_loop_run(park->loop);
	nv_service_notify("STOPPING=1");
	return r;
}

int main(int argc, char **argv)
{
	NV_AUTO(park) struct park park = {.home_fd = -1, .away_fd = -1};
	int r;

	(void)argv;
	nv_log_open(PROGRAM, NV_LOG_STDERR, LOG_INFO);
	if (argc != 1) {
		nv_err("usage: " PROGRAM " (netvf-park.service runs it)");
		return EXIT_FAILURE;
	}
	park_read_settings(&park.settings);
	r = nv_run_dir_find(NULL, &park.run_dir);
	if (r == 0)
		r = nv_loop_new(NV_LOOP_MONOTONIC, &park.loop);
	if (r < 0) {
		nv_err("cannot find the run directory or make an event loop: %s", nv_strerror(r));
		return EXIT_FAILURE;
	}
	if (park_open_namespaces(&park) < 0)
		return EXIT_FAILURE;
	r = park_run(&park);
	return park_give_back(&park) && r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
