/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netvf's own settings from rc.conf, as values. Pure. A new key also needs a row in check.c, and a
 * place in etc/rc.conf.sample and netvf-rc.conf(5).
 */
#pragma once

#include "pair/config.h"
#include "rcconf/rcconf.h"

struct nv_settings {
	struct nv_hn_config hn;
	unsigned int vf_delay; /* hyperv_vf_delay, seconds, at most a day, default 0 */
	unsigned int attwait; /* netvf_vf_xpnt_attwait, seconds, at most an hour, default 0 */
	unsigned int holddown; /* netvf_holddown, seconds, at most an hour, default 30; 0: none */
	unsigned int announce_count; /* netvf_announce_count, 0 to 255, default 3; 0: never */
	unsigned int announce_interval; /* netvf_announce_interval, seconds, 1 to 60, default 1 */
	bool hooks; /* netvf_hooks, default YES: use hooks if the kernel accepts them */
	bool vf_spoofchk; /* netvf_vf_spoofchk, default YES: the host checks what a VF sends */
	/* netvf_move_named, default NO: an interface that others name or use by itself moves too */
	bool move_named;
	bool inherit; /* netvf_inherit, default YES: what is live and not in rc.conf moves too */
	const char *vm_guest; /* netvf_vm_guest, static; NULL, the default: detect it */
	unsigned int action_timeout; /* netvf_action_timeout, seconds, 1 to a day, default 300 */
};

/*
 * Reads all settings. A value that cannot be used is a fault, and the default is used instead.
 *
 * The HN in netvf_vf_transparent_HN is the name as in a key: '_' stands for every character that is
 * not a letter or a digit.
 */
void nv_settings_read(
	const struct nv_rcconf *rcconf, struct nv_faults *faults, struct nv_settings *ret_settings);
