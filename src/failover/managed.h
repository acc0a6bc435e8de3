/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of each managed pair, and of all of them together. */
#pragma once

#include "datapath/datapath.h"
#include "failover/deadlines.h"
#include "failover/hns.h"
#include "kernel/monitor.h"
#include "loop/loop.h"
#include "pair/attach_delay.h"
#include "pair/guard.h"
#include "pair/holddown.h"
#include "pair/match.h"
#include "pair/notify.h"
#include "pair/reclaim.h"
#include "pair/retry.h"
#include "pair/trial.h"
#include "pair/vf_watch.h"
#include "rcconf/settings.h"

/* What failover needs from its owner, and reports to it. All callbacks are set. */
struct nv_failover_ops {
	/*
	 * Raises "VF_UP" or "VF_DOWN" (@type) for this hn. The owner acts on it after the settle.
	 */
	void (*raise_vf)(const char *hn, const char *type, void *data);
	/*
	 * Raises ETHERNET/IFATTACH again for a VF. Either a VF that is down now belongs to a pair,
	 * and the attach rule may have run before that; or a VF that is up may have a DHCP client
	 * that this process cannot see. The owner acts on it once, after the settle.
	 */
	void (*raise_attach)(const char *vf, void *data);
	/* Whether a rule has an action for VF_UP of this hn. */
	bool (*answers_vf_up)(const char *hn, void *data);
	/*
	 * Whether the first that IFATTACH of this VF runs is hyperv_vfattach, and that sets the VF
	 * up without delay.
	 */
	bool (*sets_up)(const char *vf, void *data);
	/* The pair transmits on @to now, which is its @port, "hn" or "vf". */
	void (*switched)(const char *hn, const char *to, const char *port, void *data);
	/* A settle that failover itself began has ended: the owner acts on the events raised. */
	void (*settled)(void *data);
};

#define NV_OWNED_MAX 5 /* links whose changes concern a pair, without those stacked on them */

/* The interfaces of a pair. */
struct nv_managed_id {
	int hn; /* ifindex */
	int lagg; /* ifindex of the lagg whose carrier was set; 0: none */
	char hn_name[IFNAMSIZ];
	char vf_name[IFNAMSIZ]; /* the last one known; "" if there was none */
	int owned[NV_OWNED_MAX]; /* as nv_owners_set() noted them; 0: none */
};

/* A lagg that another process has made, or an earlier netvfd, has the carrier that it left. */
enum nv_managed_carrier {
	NV_CARRIER_UNKNOWN,
	NV_CARRIER_ON,
	NV_CARRIER_OFF,
};

/* State of a pair in addition to its state machine, kept between settles. */
struct nv_managed_memory {
	struct nv_holddown holddown;
	struct nv_attach_delay attach_delay;
	struct nv_notify notify;
	struct nv_retry setup_retry; /* transparent: attempts to set the VF up */
	enum nv_override override;
	int unnamed_vf; /* ifindex of a VF that is not set up before udev has named it; 0: none */
	/* it is not known yet whether a manager configures hn: counts as transparent */
	bool undecided;
	enum nv_managed_carrier carrier; /* of the lagg, as it was set last */
	int refused; /* ifindex of a port that the bond refused; 0: none */
	bool no_bond; /* the bond could not be made */
	int port_vf; /* ifindex of the VF that carries only another interface's frames; 0: none */
	int dhcp_vf; /* ifindex of a VF to be searched for DHCP clients; 0: none */
	struct nv_retry dhcp_retry; /* when it may be searched again */
	struct nv_guard guard; /* addresses that were removed from the VF */
	int vlan; /* ifindex of one that somebody has made on hn since; 0: none */
	uint64_t vlan_since; /* when it was first seen up, by nv_loop_now() */
	struct nv_reclaim reclaim; /* of what somebody gives hn after its configuration has moved */
	/* reports that hn has sent frames by itself, though a lagg is the upper */
	unsigned int bypass_reports;
	bool promiscuous; /* hn was set promiscuous */
	bool adopted; /* an earlier netvfd may have set it so */
	bool adopted_exclusive; /* an earlier netvfd has left the VF as the upper */
	uint32_t refused_mtu; /* an MTU of the upper that a port refused; 0: none */
	bool found; /* the pair was found in this settle */
	int moved_vf; /* ifindex of a VF whose programs have moved to their place; 0: none */
	bool incomplete; /* its first VF has joined, and hn does not have its programs yet */
	bool vf_lost; /* its VF has gone; one with the same ifindex is another one */
	bool vfs_own; /* the VF is used by itself: nv_mode_is_vfs_own() */
	bool hn_unused; /* nobody has configured hn since its VF was used in its place */
	bool unused_kept; /* that is kept for the next boot: services/unused_hn.h */
	bool recalled; /* it was kept by the last one, and the VF has had no address since */
	/* nv_loop_now() until which a VF without an address is used by itself; 0: it is not */
	uint64_t own_until;
	/* ifindex of the VF that nv_mode_is_vfs_own() saw last; 0: none; -1: it has not looked */
	int judged_vf;
	bool hn_lost; /* its hn has gone; if it comes back, it is as a new one */
	bool programs_due; /* its programs may be missing and are to be attached again */
	bool failed; /* its last step: the next change of a link tries again */
	bool dropped; /* it is no pair any more, and is removed at the end of this settle */
};

/* What `netvf status` shows of a pair. */
struct nv_managed_status {
	enum nv_match_result match;
	char why[160];
	const char *manager; /* the manager that configures hn: nv_manager_of() */
	uint64_t since; /* nv_loop_now() of the last switch */
	unsigned long switches;
};

/* Which messages were logged: each once for a pair. */
struct nv_managed_warned {
	bool dormant; /* hn was set up again, or cannot be set dormant */
	bool reclaimed; /* somebody gave hn a configuration, although a lagg has its own */
	int guarded_vf; /* ifindex of a VF from which an address was removed; 0: none */
};

/* What somebody has removed, and was attached again. */
struct nv_managed_stripped {
	unsigned long count; /* how often */
	uint64_t when; /* nv_loop_now() of the last time */
	uint64_t told; /* nv_loop_now() of the last message about it; 0: none */
	uint64_t told_failure; /* the same for programs that could not be attached again */
	bool failed; /* such a message was the last one */
};

#define NV_UNICASTS_MAX 32

/* What was registered. The kernel keeps the list of groups. */
struct nv_vf_filters {
	int vf; /* ifindex; 0: nothing is registered */
	struct nv_dp_limits limits; /* as they are in the data path */
	bool limits_known; /* else an earlier netvfd may have left some there */
	uint64_t refused[4096 / 64]; /* bitmap of VLANs that the VF refused */
	uint8_t unicast[NV_UNICASTS_MAX][NV_MAC_LEN]; /* MAC addresses of others */
	size_t n_unicasts;
};

enum nv_proof_state {
	NV_PROOF_NONE, /* nothing is known: it is tried before it is used */
	NV_PROOF_GOOD, /* the VF passes frames, as far as is known */
	NV_PROOF_FAILED, /* it does not, and hn does */
};

/* Whether the VF passes frames (vf_proof.h). */
struct nv_vf_proof {
	int vf; /* ifindex of the usable VF that this is about; 0: none */
	enum nv_proof_state state;
	bool watching; /* it is active, and its counters are looked at */
	bool lent; /* hn takes the active VF's traffic, because it is being tried */
	bool told_silence; /* that nobody answers; once until somebody does */
	uint64_t failed; /* nv_loop_now() when it was found to fail */
	uint64_t look; /* when its counters are looked at again */
	struct nv_retry retry; /* when a VF that failed is tried again */
	struct nv_retry silence; /* the same if nobody has answered by any port */
	struct nv_trial trial;
	struct nv_vf_watch watch;
};

struct nv_managed {
	struct nv_managed_id id;
	struct nv_pair_state state;
	struct nv_managed_memory memory;
	struct nv_managed_status status;
	struct nv_managed_warned warned;
	struct nv_managed_stripped stripped;
	struct nv_vf_filters vf_filters;
	struct nv_vf_proof proof;
};

/* That a link belongs to a pair. */
struct nv_owner {
	int ifindex;
	int hn;
};

struct nv_failover {
	const struct nv_failover_ops *ops;
	void *data; /* of ops */
	struct nv_loop *loop;
	struct nv_kernel *kernel;
	struct nv_datapath *datapath;
	const struct nv_monitor *monitor; /* NULL before the first settle, which sets it */
	const char *run_dir;
	const struct nv_rcconf *rcconf;
	const struct nv_settings *settings;
	uint64_t started; /* nv_loop_now() */
	struct nv_managed *managed; /* ascending by hn */
	size_t n_managed;
	struct nv_pairs pairs; /* as they were found last */
	bool rematch; /* they are to be found again */
	struct nv_owner *owner; /* sorted by link and hn */
	size_t n_owners;
	size_t owners_room;
	struct nv_hns due; /* pairs that the next settle is about */
	struct nv_hns restless; /* pairs that any change of a link may concern */
	bool stirred; /* there was such a change */
	struct nv_deadlines clock; /* when a pair is settled again; 0: those that wait for others */
	struct nv_deadlines notices; /* when the next notification of a pair is due */
	struct nv_deadlines proofs; /* when the VF of a pair is to be looked at or tried */
	bool in_use; /* a pair has, or has had, a VF or a lagg */
	unsigned int to_enter; /* pairs that this settle may still add to the data path */
	/* count of the monitor's resyncs after which all programs were checked */
	unsigned long resyncs;
	bool hooks_due; /* the hooks are to be attached or removed as the settings say */
	uint64_t wait; /* of this step: microseconds until the next one of the pair; UINT64_MAX:
			  none */
	struct nv_watch *again; /* timer: a hold-down ends, or the data path may be unlocked */
	struct nv_watch *groups; /* timer: the groups of VFs are to be compared */
	struct nv_hns groups_due; /* of these pairs; that timer runs then */
	struct nv_watch *reports; /* group reports that the programs at the uppers have seen */
	struct nv_watch *reattach; /* timer: programs may have been removed */
	bool reattach_due; /* that timer runs */
	struct nv_watch *soon; /* timer: settle again because actions have ended */
	uint64_t looked; /* nv_loop_now() of the last settle for that reason */
	struct nv_watch *names; /* timer: udev may have named a VF that waits for that */
	struct nv_watch *notify; /* timer: the next notification is due */
	struct nv_watch *proof; /* timer: a VF is to be looked at or tried */
	bool traffic; /* for that timer: a guest sends by its VF again */
};

/* The pair is settled again after @wait microseconds at the latest; of use during its step. */
static inline void nv_failover_look_in(struct nv_failover *failover, uint64_t wait)
{
	failover->wait = wait < failover->wait ? wait : failover->wait;
}
