/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel in memory behind struct nv_kernel, for tests: links, addresses, routes, neighbours and
 * sysctls in arrays, failures by script, and feeds that can lose messages.
 *
 * It does to its arrays what the kernel would do, and tells its subscribers. It knows no routes of
 * its own: an address brings no route with it, though a link that goes takes its routes along. The
 * only master it knows is a bond.
 */
#pragma once

#include "base/str.h"
#include "kernel/monitor.h"
#include "kernel/ops.h"

#define FAKE_FAILURES_MAX 32
#define FAKE_DEVICES_MAX  16
#define FAKE_SYSCTLS_MAX  256

enum fake_op {
	FAKE_LINKS,
	FAKE_ADDRS,
	FAKE_ROUTES,
	FAKE_NEIGHS,
	FAKE_LINK,
	FAKE_LINK_SET,
	FAKE_LINK_ADD,
	FAKE_LINK_DEL,
	FAKE_ADDR_ADD,
	FAKE_ADDR_DEL,
	FAKE_ROUTE_ADD,
	FAKE_ROUTE_DEL,
	FAKE_NEIGH_ADD,
	FAKE_THINGS, /* dumps of them; one that is done counts as the typed operation too */
	FAKE_MCASTS,
	FAKE_GROUPS,
	FAKE_GROUP_SET,
	FAKE_UNICASTS,
	FAKE_UNICAST_SET,
	FAKE_IPV6_FORWARDING,
	FAKE_SEND,
	FAKE_SEND_DIRECT,
	FAKE_SYSCTL_READ,
	FAKE_SYSCTL_WRITE,
	FAKE_DEVICES,
	FAKE_SUBSCRIBE,
	FAKE_OPS, /* how many there are */
};

struct fake_notice;

struct fake_kernel {
	struct nv_kernel *kernel; /* for the code under test; nv_kernel_free() frees the fake too */

	/* To look at, and to fill before the code under test runs. */
	struct nv_links links;
	struct nv_addrs addrs;
	struct nv_routes routes;
	struct nv_neighs neighs;
	struct nv_mcasts mcasts;
	struct nv_groups groups;
	struct nv_groups unicasts;
	struct nv_groups bridged; /* their ifindex: of the port */
	unsigned int mcasts_read; /* how often */
	unsigned int all_mcasts_read; /* of these, how often those of all links */
	unsigned int sent; /* frames */
	unsigned int sent_before_mcasts; /* before they were read last */
	unsigned int sysctls_read;
	unsigned int sent_before_sysctls; /* before the first one was read */
	struct nv_str log; /* each change that was asked for and done, one a line; frames in hex */

	/* Called when a dump of links is made and before it is handed over: what changes now is not
	 * in the dump, but is told. */
	void (*during_dump)(struct fake_kernel *fake);
	bool mute; /* changes are not told while this is set */

	unsigned int calls[FAKE_OPS];
	struct {
		enum fake_op op;
		unsigned int call; /* fails when calls[op] gets here */
		int error;
	} failure[FAKE_FAILURES_MAX];
	size_t n_failures;
	struct {
		char path[NV_SYSCTL_PATH_MAX];
		char value[64];
	} sysctl[FAKE_SYSCTLS_MAX];
	size_t n_sysctls;
	const char *device[FAKE_DEVICES_MAX]; /* as for fake_uevent(); NULL: a free place */

	int next_ifindex;
	int wake[2]; /* by feed: an eventfd, readable while something waits; -1: no subscriber */
	struct fake_notice *notices[2];
	bool lost[2];
};

/* Never NULL: a test without memory ends. */
struct fake_kernel *fake_kernel_new(void);

/* Lets the @nth call of @op from now on (1: the next) fail with @error. A dump that fails with
 * -EINTR is an interrupted one. */
void fake_fail(struct fake_kernel *fake, enum fake_op op, unsigned int nth, int error);

/* A driver has the kernel tell the link's peers (NETDEV_NOTIFY_PEERS). */
void fake_notify_peers(struct fake_kernel *fake, int ifindex);

/* Everything that waits in the feed is lost; its subscriber gets -ENOBUFS next. */
void fake_lose(struct fake_kernel *fake, enum nv_subscription feed);

/*
 * Makes or changes a link, and tells of it. An ifindex of 0 stands for the next free one. Running
 * and operational state follow from flags, carrier and link mode. Returns the ifindex.
 */
int fake_put_link(struct fake_kernel *fake, const struct nv_link *link);
void fake_del_link(struct fake_kernel *fake, int ifindex); /* with its addresses and routes */

/* An Ethernet link that is up and has a carrier, of @driver, with the MAC 02:00:00:00:00:@mac. */
int fake_make_link(struct fake_kernel *fake, const char *name, const char *driver, uint8_t mac);

/* A copy of the link as it is now; the test fails when there is none. */
struct nv_link fake_link(struct fake_kernel *fake, const char *name);

/* Puts an address (over the same one), and takes it away, telling of it. */
void fake_put_addr(struct fake_kernel *fake, const struct nv_addr *addr);
void fake_del_addr(struct fake_kernel *fake, const struct nv_addr *addr);

/* "192.0.2.1/24" as an address of a link. */
struct nv_addr fake_addr(int ifindex, const char *text);
struct nv_ip fake_ip(const char *text);

/* Tells a uevent: lines "KEY=VALUE", ACTION and DEVPATH among them. */
void fake_uevent(struct fake_kernel *fake, const char *lines);
