/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DHCP clients: ISC dhclient, dhcpcd, udhcpc. Finds those that serve an interface, starts one that
 * asks for the same lease on another interface with the same MAC address, and stops one without
 * releasing its lease.
 */
#pragma once

#include "base/str.h"
#include "rcconf/interface.h"
#include "services/dhcp_kind.h"
#include "services/process.h"

#include <sys/types.h>

#define NV_DHCP_CLIENTS_MAX 16 /* for one interface */

/* A running client. */
struct nv_dhcp_client {
	enum nv_dhcp_kind kind;
	bool ipv6; /* dhclient -6: serves IPv6 only */
	struct nv_process process; /* the process to end */
	struct nv_process proxy; /* of dhcpcd: the one of root's that ends a moment after it */
	char *program; /* path of its executable */
	/* its command line; args.word[0] is the name by which it was called */
	struct nv_words args;
};

struct nv_dhcp_clients {
	struct nv_dhcp_client client[NV_DHCP_CLIENTS_MAX];
	size_t count;
	/*
	 * The last process that root runs as such a client, but whose program may belong to
	 * somebody else.
	 */
	pid_t refused; /* 0: none */
	/* -errno of nv_process_program(); -EPERM: the program is not a DHCP client */
	int refused_why;
};

void nv_dhcp_clients_auto(struct nv_dhcp_clients *clients);

/*
 * Finds every client that root has started for @ifname in this network namespace, by the processes'
 * command lines (a pid file may be stale, absent or elsewhere). The program must be a DHCP client
 * that only root can have written (services/process.h). A client that serves other interfaces too,
 * or all, is not found, because stopping it would affect these. Returns 0 or -errno of /proc.
 */
int nv_dhcp_find(const char *ifname, struct nv_dhcp_clients *ret_clients);

/*
 * Ends it without releasing the lease, and does not wait: sends SIGTERM, or SIGKILL to those that
 * release on SIGTERM: udhcpc -R, and dhcpcd with "release" in its configuration. Returns 0, -ESRCH,
 * -EPERM.
 */
int nv_dhcp_end(const struct nv_dhcp_client *client);

/*
 * The same, and waits for its end; sends SIGKILL after three seconds. Removes its pid files for
 * @ifname. Returns 0, -ETIME, -EPERM.
 */
int nv_dhcp_stop(struct nv_dhcp_client *client, const char *ifname);

/*
 * The command line for a client on @ifname. Pure. @wanted: from rc.conf, with a program that is not
 * NULL; may itself be NULL if @like is not. @like: the client of another interface that it
 * replaces, or NULL. Without flags in rc.conf, the known options of @like are used
 * (services/dhcp_options.h). A client never gives up, unless rc.conf's flags say so.
 * Returns 0; -EINVAL: the program is not a known client; -ENOMEM.
 */
int nv_dhcp_command(const struct nv_dhcp_wanted *wanted, const char *ifname,
	const struct nv_dhcp_client *like, struct nv_words *ret_args);

/*
 * Starts a client in a session of its own, and returns at once. It gets a copy of the lease of
 * @like, so that it asks for the same address. Arguments as for nv_dhcp_command(); @like_ifname:
 * the interface of @like. A file among the options of @like is left out if other users can change
 * it, and this is logged.
 * The process *ret_pid ends when the client has a lease and has gone to the background, or has
 * given up. Returns 0; -ENOENT: the program does not exist; -EACCES: it cannot be run; -EINVAL,
 * -ENOMEM.
 */
int nv_dhcp_start(const struct nv_dhcp_wanted *wanted, const char *ifname,
	const struct nv_dhcp_client *like, const char *like_ifname, pid_t *ret_pid);

/*
 * Waits up to @milliseconds for the end of that process. Returns 0: it has a lease; 1: it has not
 * ended yet; -ECHILD: it ended without a lease (*ret_status: from wait(2)).
 */
int nv_dhcp_wait(pid_t pid, int milliseconds, int *ret_status);
