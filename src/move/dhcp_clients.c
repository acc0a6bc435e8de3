/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/dhcp_clients.h"

#include "base/log.h"
#include "move/backup_routes.h"
#include "services/dhcp_lease_file.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define LEASE_WAIT 60 /* seconds; dhclient tries for as long before it goes to the background */
#define LOOK_EVERY 25 /* milliseconds; udhcpc flushes the interface when it starts */

/* A client that was started and has no result yet. */
struct waiting {
	pid_t pid; /* 0: there is none, or it has ended */
	bool ipv6;
};

struct leading {
	struct nv_kernel *kernel;
	const struct nv_plan *plan;
	struct nv_move *move;
	struct nv_dhcp_clients old;
	struct waiting started[NV_DHCP_CLIENTS_MAX];
	size_t n_started;
};

static void leading_auto(struct leading *leading)
{
	nv_dhcp_clients_auto(&leading->old);
}

static const struct nv_dhcp_client *dhcp_clients_find(
	const struct nv_dhcp_clients *clients, bool ipv6)
{
	for (size_t i = 0; i < clients->count; i++)
		if (clients->client[i].ipv6 == ipv6)
			return &clients->client[i];
	return NULL;
}

static bool dhcp_clients_run_on(const char *ifname, bool ipv6)
{
	NV_AUTO(nv_dhcp_clients) struct nv_dhcp_clients clients = {};

	return nv_dhcp_find(ifname, &clients) == 0 && dhcp_clients_find(&clients, ipv6);
}

static bool wants_ipv4_client(const struct nv_move *move, const struct nv_dhcp_clients *old)
{
	switch (move->client) {
	case NV_CLIENT_START:
		return true;
	case NV_CLIENT_MOVE:
		return dhcp_clients_find(old, false);
	case NV_CLIENT_STOP:
		return false;
	}
	return false;
}

static int dhcp_clients_choose_one(struct nv_move *move)
{
	NV_AUTO(nv_dhcp_clients) struct nv_dhcp_clients old = {};
	const struct nv_dhcp_client *running;
	enum nv_dhcp_kind kind;

	if (move->from_name[0])
		nv_dhcp_find(move->from_name, &old);
	running = dhcp_clients_find(&old, false);
	move->dhcp.program = nv_dhcp_installed(running ? &running->kind : NULL);
	if (!move->dhcp.program || nv_dhcp_kind_of(move->dhcp.program, &kind) < 0) {
		nv_err("rc.conf wants DHCP for %s, but there is no DHCP client on this system, so nothing is changed; install dhcpcd, dhclient or udhcpc, or name one in dhclient_program",
			move->from_name[0] ? move->from_name : move->to_name);
		return -ENOENT;
	}
	if (kind != NV_DHCP_DHCLIENT && *move->dhcp.flags) {
		nv_notice(
			"%s does not get dhclient_flags, which are for dhclient; if they are for this client, name it in dhclient_program",
			move->dhcp.program);
		move->dhcp.flags = "";
	}
	return 0;
}

int nv_dhcp_clients_choose(struct nv_plan *plan)
{
	int r = 0;

	for (size_t i = 0; i < plan->count && r == 0; i++)
		if (plan->move[i].client == NV_CLIENT_START && !plan->move[i].dhcp.program)
			r = dhcp_clients_choose_one(&plan->move[i]);
	return r;
}

void nv_dhcp_clients_ended(const struct nv_move *move, char *ret_kind, size_t size)
{
	NV_AUTO(nv_dhcp_clients) struct nv_dhcp_clients old = {};
	const struct nv_dhcp_client *client;

	ret_kind[0] = '\0';
	if (move->client != NV_CLIENT_STOP || nv_dhcp_find(move->from_name, &old) < 0)
		return;
	client = dhcp_clients_find(&old, false);
	if (client)
		nv_strcopy(ret_kind, size, nv_dhcp_kind_name(client->kind));
}

void nv_dhcp_clients_restore(struct nv_move *move, const char *kind)
{
	enum nv_dhcp_kind known;
	const char *program;

	if (nv_dhcp_kind_of(kind, &known) < 0 || dhcp_clients_run_on(move->from_name, false))
		return;
	program = nv_dhcp_installed(&known);
	if (!program) {
		nv_warn("%s was served by %s, and there is no DHCP client on this system now",
			move->to_name, kind);
		return;
	}
	move->client = NV_CLIENT_START;
	move->dhcp =
		(struct nv_dhcp_wanted){.mode = NV_DHCP_ASYNC, .program = program, .flags = ""};
}

bool nv_dhcp_clients_are_slow(const struct nv_plan *plan)
{
	bool slow = false;

	for (size_t i = 0; i < plan->count; i++) {
		NV_AUTO(nv_dhcp_clients) struct nv_dhcp_clients old = {};
		const struct nv_move *move = &plan->move[i];

		if (move->client == NV_CLIENT_START && move->dhcp.mode == NV_DHCP_SYNC &&
			!move->dhcp.background)
			return false;
		if (move->from)
			nv_dhcp_find(move->from_name, &old);
		slow |= wants_ipv4_client(move, &old) || dhcp_clients_find(&old, true);
	}
	return slow;
}

static void dhcp_clients_start(struct leading *leading, const struct nv_dhcp_wanted *wanted,
	const struct nv_dhcp_client *like)
{
	const struct nv_move *move = leading->move;
	const char *program = wanted ? wanted->program : like->program;
	struct waiting *waiting = &leading->started[leading->n_started];
	bool ipv6 = !wanted && like->ipv6;
	int r;

	if (leading->n_started == NV_DHCP_CLIENTS_MAX || dhcp_clients_run_on(move->to_name, ipv6))
		return;
	r = nv_dhcp_start(wanted, move->to_name, like, move->from_name, &waiting->pid);
	if (r == 0) {
		nv_info("started %s on %s", program, move->to_name);
		waiting->ipv6 = ipv6;
		leading->n_started++;
		return;
	}
	if (r == -EINVAL)
		nv_err("cannot start %s on %s: dhclient_program must be a dhclient, dhcpcd or udhcpc",
			program, move->to_name);
	else
		nv_err("cannot start %s on %s: %s; install it, or name another in dhclient_program",
			program, move->to_name, nv_strerror(r));
	if (wanted && like) {
		nv_notice("%s, which served %s, serves %s instead", like->program, move->from_name,
			move->to_name);
		dhcp_clients_start(leading, NULL, like);
	} else if (move->addrs.count) {
		nv_notice("%s keeps the address that was moved", move->to_name);
	}
}

static void dhcp_clients_start_all(struct leading *leading)
{
	const struct nv_move *move = leading->move;

	if (wants_ipv4_client(move, &leading->old))
		dhcp_clients_start(leading, move->client == NV_CLIENT_START ? &move->dhcp : NULL,
			dhcp_clients_find(&leading->old, false));
	for (size_t i = 0; i < leading->old.count; i++)
		if (leading->old.client[i].ipv6)
			dhcp_clients_start(leading, NULL, &leading->old.client[i]);
}

static void dhcp_clients_report(
	const struct leading *leading, const struct waiting *waiting, int r, int status)
{
	const char *to = leading->move->to_name;

	if (r == 0 && !waiting->ipv6 &&
		!nv_apply_leased(leading->kernel, leading->plan, leading->move))
		nv_warn("the DHCP client on %s has heard no server and taken a link-local address; the address that was moved stays for as long as its own lease",
			to);
	else if (r == 0)
		nv_info("DHCP on %s: done", to);
	else if (WIFEXITED(status))
		nv_warn("the DHCP client on %s ended with status %d and without a lease; the address that was moved stays for as long as its own lease",
			to, WEXITSTATUS(status));
	else
		nv_warn("the DHCP client on %s was ended by signal %d", to, WTERMSIG(status));
}

static bool dhcp_clients_all_reported(struct leading *leading)
{
	bool told = true;

	for (size_t i = 0; i < leading->n_started; i++) {
		struct waiting *waiting = &leading->started[i];
		int status = 0;
		int r = waiting->pid ? nv_dhcp_wait(waiting->pid, LOOK_EVERY, &status) : 0;

		if (r == 1) {
			told = false;
			nv_apply_keep(leading->kernel, leading->plan, leading->move);
		} else if (waiting->pid) {
			waiting->pid = 0;
			dhcp_clients_report(leading, waiting, r, status);
		}
	}
	return told;
}

static time_t dhcp_clients_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static void dhcp_clients_stop_old(struct leading *leading)
{
	for (size_t i = 0; i < leading->old.count; i++) {
		struct nv_dhcp_client *client = &leading->old.client[i];
		int r = nv_dhcp_stop(client, leading->move->from_name);

		if (r == 0)
			nv_info("stopped %s on %s", nv_dhcp_kind_name(client->kind),
				leading->move->from_name);
		else
			nv_warn("cannot stop %s (process %d) on %s: %s",
				nv_dhcp_kind_name(client->kind), (int)client->process.pid,
				leading->move->from_name, nv_strerror(r));
	}
}

/*
 * The lease goes first: a run that is killed in between leaves a client, and so something that the
 * next run completes. It goes again at the end, because the client may have written it once more.
 */
static void dhcp_clients_hand_over(struct leading *leading)
{
	const struct nv_move *move = leading->move;

	if (move->from_name[0])
		nv_dhcp_leases_move(&leading->old, move->from_name, move->to_name);
	dhcp_clients_stop_old(leading);
	if (move->from_name[0] && leading->old.count)
		nv_dhcp_leases_move(&leading->old, move->from_name, move->to_name);
}

static void dhcp_clients_move_one(
	struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move, time_t deadline)
{
	NV_AUTO(leading)
	struct leading leading = {
		.kernel = kernel,
		.plan = plan,
		.move = move,
	};
	/* A VLAN that has replaced one of the same name: the old VLAN's client is left over. */
	bool replaced = nv_streq(move->from_name, move->to_name);
	bool told;

	if (move->from_name[0])
		nv_dhcp_find(move->from_name, &leading.old);
	if (leading.old.refused)
		nv_warn("process %d is left alone, although its command line is that of a DHCP client of %s: users other than root can change its program (%s), or it is not a DHCP client; end it, because its lease has moved to %s",
			(int)leading.old.refused, move->from_name,
			nv_strerror(leading.old.refused_why), move->to_name);
	if (replaced)
		dhcp_clients_stop_old(&leading);
	nv_backup_routes_remove(kernel, move->from); /* of a run that was killed */
	nv_apply_before_lease(kernel, move);
	if (wants_ipv4_client(move, &leading.old))
		nv_backup_routes_add(kernel, move->to);
	dhcp_clients_start_all(&leading);
	while (!(told = dhcp_clients_all_reported(&leading)) && dhcp_clients_now() < deadline)
		continue;
	if (!told)
		nv_warn("no lease on %s after %d seconds; its client keeps trying, and what was moved stays",
			move->to_name, LEASE_WAIT);
	if (!replaced)
		dhcp_clients_hand_over(&leading);
	nv_apply_keep(kernel, plan, move);
	nv_backup_routes_remove(kernel, move->to);
}

void nv_dhcp_clients_move(struct nv_kernel *kernel, struct nv_plan *plan)
{
	time_t deadline = dhcp_clients_now() + LEASE_WAIT;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].to)
			dhcp_clients_move_one(kernel, plan, &plan->move[i], deadline);
}
