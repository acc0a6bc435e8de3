/* SPDX-License-Identifier: BSD-2-Clause */
/* netvf's own settings out of rc.conf, as values. Pure. */
#pragma once

#include "pair/config.h"
#include "rcconf/rcconf.h"

struct nv_settings {
	struct nv_hn_config hn;
	unsigned int vf_delay; /* hyperv_vf_delay, seconds, at most a day, default 0 */
	unsigned int attwait; /* netvf_vf_xpnt_attwait, seconds, at most an hour, default 1 */
	unsigned int holddown; /* netvf_holddown, seconds, at most an hour, default 30; 0: none */
	unsigned int announce_count; /* netvf_announce_count, 0 to 255, default 3; 0: never */
	unsigned int announce_interval; /* netvf_announce_interval, seconds, 1 to 60, default 1 */
	bool hooks; /* netvf_hooks, default YES: hooks in the kernel, where it takes them */
	bool vf_spoofchk; /* netvf_vf_spoofchk, default YES: the host checks what a VF sends */
	bool inherit; /* netvf_inherit, default YES: what is live and not in rc.conf moves too */
	const char *vm_guest; /* netvf_vm_guest, static; NULL, the default: look at the machine */
	unsigned int action_timeout; /* netvf_action_timeout, seconds, 1 to a day, default 300 */
};

/*
 * Faults for values that are no use are added; the default stands in for each.
 *
 * netvf_vf_transparent_HN gives a name as it stands in the key: every character but letters and
 * digits is '_' there.
 */
void nv_settings_read(
	const struct nv_rcconf *rcconf, struct nv_faults *faults, struct nv_settings *ret_settings);
