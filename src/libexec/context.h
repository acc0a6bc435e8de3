/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the programs of this directory. They run for a short time and for one purpose, so
 * functions here print an error on stderr and return false.
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
	struct nv_links links; /* as read last */
	struct nv_pairs pairs;
};

/* Reads rc.conf ($NETVF_RC_CONF, else /etc/netvf/rc.conf) and opens the kernel. Needs root. */
bool nv_context_open(struct nv_context *context);

/* The same, but an rc.conf with an error counts as empty, with a warning. */
bool nv_context_open_anyway(struct nv_context *context);
void nv_context_auto(struct nv_context *context);

/* Reads links and pairs again. */
bool nv_context_look(struct nv_context *context);

/*
 * Goes to the background. Returns true in the child: messages go to syslog, and it has none of the
 * caller's terminal, session and standard descriptors. The parent exits with status 0. Returns
 * false in the caller's process if this failed.
 */
bool nv_context_background(const char *ident);
