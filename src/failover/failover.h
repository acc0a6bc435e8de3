/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the traffic of all pairs flowing: links -> pairs -> what their state machines say -> the
 * data path and the ports.
 */
#pragma once

#include "datapath/datapath.h"
#include "failover/vf_filters.h"
#include "kernel/monitor.h"
#include "loop/loop.h"
#include "pair/attach_delay.h"
#include "pair/holddown.h"
#include "pair/match.h"
#include "pair/notify.h"
#include "pair/retry.h"
#include "rcconf/settings.h"

/* What it asks of whoever runs it, and tells it. All rows are set. */
struct nv_failover_ops {
	/* @type: "VF_UP" or "VF_DOWN" of this hn; to be acted on after the settle. */
	void (*raise_vf)(const char *hn, const char *type, void *data);
	/*
	 * A VF that is down has become a pair's: whoever sets VFs up when they are attached may
	 * have looked when it was none yet. Or a DHCP client may run on a VF that is up, which
	 * this process cannot find. To be acted on after the settle, once.
	 */
	void (*raise_attach)(const char *vf, void *data);
	/* Whether somebody acts on VF_UP of this hn. */
	bool (*answers_vf_up)(const char *hn, void *data);
	/* The pair transmits on @to now, which is its @port, "hn" or "vf". */
	void (*switched)(const char *hn, const char *to, const char *port, void *data);
	/* A settle that nobody outside asked for has ended: what was raised is to be acted on. */
	void (*settled)(void *data);
};

/* Which interfaces a pair has. */
struct nv_managed_id {
	int hn; /* ifindex */
	int lagg; /* ifindex of the lagg whose carrier was set; 0: none */
	char hn_name[IFNAMSIZ];
	char vf_name[IFNAMSIZ]; /* the last known; "" when there was none */
};

/* What decides, besides its state machine, what is done to a pair. */
struct nv_managed_memory {
	struct nv_holddown holddown;
	struct nv_attach_delay attach_delay;
	struct nv_notify notify;
	struct nv_retry setup; /* transparent: of the VF's set up, which was refused */
	enum nv_override override;
	bool undecided; /* whether a manager will, is not known yet: taken for transparent */
	bool carrier; /* of the lagg, as it was set */
	int refused; /* a port that the lagg, a bond, did not take in; 0: none */
	bool no_bond; /* it could not be made */
	int port_vf; /* the VF that carries another's frames and nothing else; 0: none */
	int clients_vf; /* a VF that is to be looked at for DHCP clients; 0: none */
	struct nv_retry clients; /* when it may be */
	bool promiscuous; /* hn was set so */
	uint32_t refused_mtu; /* of the upper, that a port does not take; 0: none */
	bool seen; /* in the walk over today's pairs */
	bool mend; /* its filters may be missing: they are to be set again */
};

/* What people are told of a pair. */
struct nv_managed_status {
	enum nv_match_result match;
	char why[160];
	const char *manager; /* who configures hn: nv_manager_of() */
	uint64_t since; /* nv_loop_now() of the last switch */
	unsigned long switches;
};

/* One message a pair, and no more. */
struct nv_managed_warned {
	bool dormant; /* hn is opened underneath, or cannot be shown dormant */
	int guarded_vf; /* a VF from which an address was taken; 0: none */
};

struct nv_managed {
	struct nv_managed_id id;
	struct nv_pair_state state;
	struct nv_managed_memory memory;
	struct nv_managed_status status;
	struct nv_managed_warned warned;
	struct nv_vf_filters vf_filters;
};

struct nv_failover {
	const struct nv_failover_ops *ops;
	void *data; /* of ops */
	struct nv_loop *loop;
	struct nv_kernel *kernel;
	struct nv_datapath *datapath;
	const struct nv_monitor *monitor; /* NULL until the first settle, by whom it is set */
	const char *run_dir;
	const struct nv_rcconf *rcconf;
	const struct nv_settings *settings;
	uint64_t started; /* nv_loop_now() */
	struct nv_managed *managed; /* ascending by hn */
	size_t n_managed;
	unsigned long resyncs; /* of the monitor, after which all filters were looked at */
	bool hooks_due; /* the hooks in the kernel are to be as settings say */
	uint64_t wait; /* of this settle: microseconds until the next; UINT64_MAX: none */
	struct nv_watch *again; /* fires when a hold-down ends, or the data path may be unlocked */
	struct nv_watch *groups; /* fires when the groups of VFs are to be looked at */
	bool groups_due; /* it will */
	struct nv_watch *reports; /* of groups, that uppers have sent */
	struct nv_watch *soon; /* fires when it may be looked again for actions that have ended */
	uint64_t looked; /* nv_loop_now() of the last look for that */
	struct nv_watch *notify; /* fires when peers are to be told next */
};

/*
 * Takes over the pairs that an earlier process left in the data path. What @template points to is
 * the caller's, and lives as long; timers, pairs and the time of the start are set here. From now
 * on the data path's lock is not waited for: what needs it is done when it is free.
 * Returns 0 or -errno of the data path, -ENOMEM.
 */
int nv_failover_new(const struct nv_failover *template, struct nv_failover **ret_failover);
struct nv_failover *nv_failover_free(struct nv_failover *failover);
NV_DEFINE_AUTO(nv_failover, struct nv_failover *, nv_failover_free);

/* Other settings; what they change is done by the next settle. Both live as long. */
void nv_failover_configure(struct nv_failover *failover, const struct nv_settings *settings,
	const struct nv_rcconf *rcconf);

/* Looks at all pairs and does what their machines say; what they raise waits at ops->raise_vf. */
void nv_failover_settle(struct nv_failover *failover);

/* A link is gone, before nv_failover_settle() says what became of its pair. */
void nv_failover_lose(struct nv_failover *failover, int ifindex);

/*
 * Whether a link is the VF of a pair and down, but has been set up since it joined: an
 * administrator has set it down.
 */
bool nv_failover_left_down(struct nv_failover *failover, const struct nv_link *link);

/* Whether an address on it concerns nv_failover_settle(): it is a VF, or an hn that is undecided.
 */
bool nv_failover_cares(const struct nv_failover *failover, int ifindex);

/* Settles, and calls ops->settled; also the callback of a timer. */
void nv_failover_look_again(void *failover);
/*
 * The same for who may have many reasons in a row, such as actions that end: twenty times a second
 * at the most.
 */
void nv_failover_look_soon(struct nv_failover *failover);

/* `netvf switch`: -ENOENT: no such hn is looked after; -EOPNOTSUPP: the VF is used exclusively. */
int nv_failover_override(struct nv_failover *failover, const char *hn, enum nv_override override);
