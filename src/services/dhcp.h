/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real DHCP clients: ISC dhclient, dhcpcd, udhcpc. Finds those that serve an interface, starts one
 * that gets the same lease on another interface with the same MAC, and stops one without its lease
 * being released.
 */
#pragma once

#include "base/str.h"
#include "rcconf/interface.h"
#include "services/process.h"

#include <sys/types.h>

#define NV_DHCP_CLIENTS_MAX 16 /* for one interface */

enum nv_dhcp_kind {
	NV_DHCP_DHCLIENT,
	NV_DHCP_DHCPCD,
	NV_DHCP_UDHCPC,
};

/* "dhclient", "dhcpcd", "udhcpc". */
const char *nv_dhcp_kind_name(enum nv_dhcp_kind kind);

/* By the last part of a path or name. -ENOENT: no client known here. */
int nv_dhcp_kind_of(const char *program, enum nv_dhcp_kind *ret_kind);

/*
 * The client that this system has, for rc.conf's DHCP without dhclient_program: an absolute path,
 * static. The one of kind *@running if that is installed (NULL: none runs), else the first that is
 * installed of dhcpcd, dhclient and udhcpc. Looked for where distributions install them, whatever
 * $PATH says. NULL: none is installed.
 */
const char *nv_dhcp_installed(const enum nv_dhcp_kind *running);

/* One that runs. */
struct nv_dhcp_client {
	enum nv_dhcp_kind kind;
	bool ipv6; /* dhclient -6: serves IPv6 only */
	struct nv_process process; /* the one to end */
	char *program; /* its executable */
	struct nv_words args; /* its command line, args.word[0] the name it was called by */
};

struct nv_dhcp_clients {
	struct nv_dhcp_client client[NV_DHCP_CLIENTS_MAX];
	size_t count;
	/* The last one that root runs as such a client, but whose program may be another's. */
	pid_t refused; /* 0: none */
	int refused_why; /* -errno of nv_process_program(); -EPERM: no client's program */
};

void nv_dhcp_clients_auto(struct nv_dhcp_clients *clients);

/*
 * Finds every client that root has started for @ifname in this network namespace, by the processes'
 * command lines: a pid file may be stale, absent, or somewhere else. Its program is a DHCP client
 * that only root can have written (services/process.h). One that serves all interfaces is not
 * found: stopping it would harm the others. Returns 0 or -errno of /proc.
 */
int nv_dhcp_find(const char *ifname, struct nv_dhcp_clients *ret_clients);

/*
 * Ends it without a release, and does not wait for its end: SIGTERM, which none of them takes as an
 * order to release (udhcpc -R does: that gets SIGKILL). Returns 0, -ESRCH, -EPERM.
 */
int nv_dhcp_end(const struct nv_dhcp_client *client);

/*
 * The same, and waits for its end, with SIGKILL after three seconds. Its pid files for @ifname are
 * removed. Returns 0, -ETIME, -EPERM.
 */
int nv_dhcp_stop(struct nv_dhcp_client *client, const char *ifname);

/*
 * The command line for a client on @ifname. @wanted: rc.conf's program, which is not NULL, and
 * flags; may itself be NULL when @like is not. @like: the client of another interface that it takes
 * over from, or NULL; without flags in rc.conf it lends those of its options that are known
 * (services/dhcp_options.h). Pure.
 * Returns 0; -EINVAL: the program is no client known here; -ENOMEM.
 */
int nv_dhcp_command(const struct nv_dhcp_wanted *wanted, const char *ifname,
	const struct nv_dhcp_client *like, struct nv_words *ret_args);

/*
 * Starts it in a session of its own, and returns at once. It gets a copy of the other's lease, so
 * that it asks for the same address. Arguments as nv_dhcp_command(); @like_ifname: the interface of
 * @like. A file that @like has among its options is left out where others than root can change it,
 * and this is logged.
 * *ret_pid ends when the client has a lease and has gone to the background, or has given up.
 * Returns 0; -ENOENT: the program does not exist; -EACCES: it cannot be run; -EINVAL, -ENOMEM.
 */
int nv_dhcp_start(const struct nv_dhcp_wanted *wanted, const char *ifname,
	const struct nv_dhcp_client *like, const char *like_ifname, pid_t *ret_pid);

/*
 * Waits up to @milliseconds for the end of that process. Returns 0: it has a lease; 1: not ended
 * yet; -ECHILD: it ended without one (*ret_status: of wait(2)).
 */
int nv_dhcp_wait(pid_t pid, int milliseconds, int *ret_status);
