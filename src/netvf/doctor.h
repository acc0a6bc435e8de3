/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `netvf doctor`: facts are gathered (gather.c), read (traces.c) and judged (findings.c). The last
 * two are pure: what they say follows from what they are given.
 */
#pragma once

#include "base/str.h"
#include "kernel/types.h"

#include <jansson.h>

#define NV_TRACES_MAX 1000

/* What else has to do with an interface. */
enum nv_trace_kind {
	NV_TRACE_MANAGER, /* a service that configures it; `what` is its name */
	NV_TRACE_DHCP, /* a client that runs for it: "dhclient, process 12" */
	NV_TRACE_SOCKET, /* sockets bound to it: "TCP port 22, 3 sockets" */
	NV_TRACE_STAYS, /* its configuration cannot move; `what` is the reason, a sentence */
	NV_TRACE_FILTER, /* a packet filter names it: "nftables, 2 rules, first in inet filter" */
};

struct nv_trace {
	enum nv_trace_kind kind;
	char ifname[IFNAMSIZ];
	char what[384];
};

struct nv_facts {
	json_t *status; /* netvfd's answers; NULL: none answers */
	json_t *told; /* its method "doctor" */
	struct nv_links links;
	struct nv_addrs addrs;
	struct nv_trace *trace;
	size_t n_traces;
	json_t *absent; /* array of {"file", "line", "program"}: rules name what is not there */
	json_t *unchecked; /* array of texts: what could not be looked at, and why */
};

void nv_facts_auto(struct nv_facts *facts);

/* Adds one; above the limit it is passed over. */
void nv_facts_trace(struct nv_facts *facts, enum nv_trace_kind kind, const char *ifname,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void nv_facts_unchecked(struct nv_facts *facts, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* gather.c: the rest of the facts, where status and told are there. */
void nv_facts_gather(struct nv_facts *facts);

/* findings.c: a new array of {"subject", "problem", "remedy"}, the gravest first. */
json_t *nv_doctor_findings(const struct nv_facts *facts);

/* traces.c: how things outside say that they have to do with an interface */

/* Of `nmcli -t -f DEVICE,STATE device`. */
bool nv_nmcli_manages(const char *listed, const char *ifname);
/* Of ifupdown's /run/network/ifstate. */
bool nv_ifupdown_manages(const char *state, const char *ifname);
/*
 * The program that a rule's action begins with. False where that is the shell's own, or only the
 * shell knows.
 */
bool nv_action_program(const char *action, char *ret_program, size_t size);
