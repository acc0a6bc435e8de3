/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `netvf doctor`: gather.c gathers facts, traces.c parses them, findings.c judges them. The last
 * two are pure: their results depend only on their arguments.
 */
#pragma once

#include "base/str.h"
#include "kernel/types.h"

#include <jansson.h>

#define NV_TRACES_MAX 1000

/* What else uses or configures an interface. */
enum nv_trace_kind {
	NV_TRACE_MANAGER, /* a service that configures it; `what` is the service's name */
	NV_TRACE_DHCP, /* a DHCP client that runs for it: "dhclient, process 12" */
	/* sockets bound to it: "TCP port 22 of sshd, 3 sockets"; or a group that was joined there
	 */
	NV_TRACE_SOCKET,
	NV_TRACE_STAYS, /* its configuration cannot move; `what` is the reason, a sentence */
	NV_TRACE_FILTER, /* a packet filter names it: "nftables, 2 rules, first in inet filter" */
};

struct nv_trace {
	enum nv_trace_kind kind;
	char ifname[IFNAMSIZ];
	char what[384];
};

struct nv_facts {
	json_t *status; /* netvfd's answer to "status"; NULL: netvfd does not answer */
	json_t *told; /* netvfd's answer to "doctor" */
	struct nv_links links;
	struct nv_addrs addrs;
	char usual_qdisc[NV_KIND_LEN]; /* net.core.default_qdisc; "": not known */
	struct nv_trace *trace;
	size_t n_traces;
	/* array of {"file", "line", "program"}: programs in rules that do not exist */
	json_t *absent;
	json_t *unchecked; /* array of texts: what could not be checked, and why */
};

void nv_facts_auto(struct nv_facts *facts);

/* Adds a trace; ignores it if the limit is reached. */
void nv_facts_trace(struct nv_facts *facts, enum nv_trace_kind kind, const char *ifname,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void nv_facts_unchecked(struct nv_facts *facts, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* gather.c: gathers the other facts; status and told must be set. */
void nv_facts_gather(struct nv_facts *facts);

/* findings.c: a new array of {"subject", "problem", "remedy"}, the most severe first. */
json_t *nv_doctor_findings(const struct nv_facts *facts);

/* traces.c: how other software shows that it uses or configures an interface */

/* From `nmcli -t -f DEVICE,STATE device`. */
bool nv_nmcli_manages(const char *listed, const char *ifname);
/* From ifupdown's /run/network/ifstate. */
bool nv_ifupdown_manages(const char *state, const char *ifname);
/*
 * The program that a rule's action begins with. False: it is a builtin of the shell, or only the
 * shell knows.
 */
bool nv_action_program(const char *action, char *ret_program, size_t size);

/* qdisc.c: queueing disciplines that a pair's frames do not pass */

/*
 * Whether somebody has given @link a queueing discipline at its root that the frames that leave by
 * @vf do not pass: not one that the kernel chooses by itself (attach_default_qdiscs(),
 * net/sched/sch_generic.c), nor @usual, nor one of the same kind as @vf has.
 */
bool nv_qdisc_is_missed(const struct nv_link *link, const struct nv_link *vf, const char *usual);

/* net.core.default_qdisc; "": it cannot be read. */
void nv_qdisc_usual(char ret_kind[NV_KIND_LEN]);
