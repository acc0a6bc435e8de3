/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs of this room have in common. These are short-lived programs for one
 * purpose: functions here say on stderr what went wrong and return false.
 */
#pragma once

#include "kernel/kernel.h"
#include "pair/match.h"
#include "rcconf/settings.h"

struct nv_context {
	char *run_dir;
	struct nv_rcconf *rcconf;
	struct nv_settings *settings;
	struct nv_kernel *kernel;
	struct nv_links links; /* as last looked at */
	struct nv_pairs pairs;
};

/* Reads rc.conf ($NETVF_RC_CONF, else /etc/netvf/rc.conf) and opens the kernel. Needs root. */
bool nv_context_open(struct nv_context *context);
void nv_context_auto(struct nv_context *context);

/* Takes links and pairs anew. */
bool nv_context_look(struct nv_context *context);

/*
 * Goes to the background: in the child, true is returned, messages go to syslog, and nothing of the
 * caller's terminal, session or standard descriptors is kept; the parent ends with status 0.
 * False: it could not, and this is still the caller's process.
 */
bool nv_context_background(const char *ident);
