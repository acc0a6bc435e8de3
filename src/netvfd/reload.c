/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the rules and rc.conf at start and on SIGHUP. */
#include "base/log.h"
#include "netvfd/daemon.h"
#include "services/vm_guest.h"

#include <errno.h>

/* A nv_rules_guest_fn with the settings. */
static const char *reload_guest(void *data)
{
	const struct nv_settings *settings = data;

	return settings->vm_guest ? settings->vm_guest : nv_vm_guest();
}

int nv_daemon_reload(struct nv_daemon *daemon, struct nv_faults *faults)
{
	NV_AUTO(nv_rules) struct nv_rules *rules = NULL;
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = NULL;
	NV_AUTO(nv_free) struct nv_settings *settings = calloc(1, sizeof(*settings));
	int r;
	int r_rcconf;

	if (!settings)
		return -ENOMEM;
	/* Both are parsed in any case, so that all faults are shown at once. */
	r_rcconf = nv_rcconf_load(daemon->options->rcconf_path, faults, &rcconf);
	if (r_rcconf == 0) {
		nv_rcconf_check(rcconf, faults);
		nv_settings_read(rcconf, faults, settings);
	}
	r = nv_rules_load(daemon->options->rules_path, reload_guest, settings, faults, &rules);
	if (r < 0 || r_rcconf < 0)
		return r < 0 ? r : r_rcconf;
	if (faults->errors)
		return -EINVAL;

	nv_rules_free(daemon->rules);
	nv_rcconf_free(daemon->rcconf);
	free(daemon->settings);
	daemon->rules = TAKE_PTR(rules);
	daemon->rcconf = TAKE_PTR(rcconf);
	daemon->settings = TAKE_PTR(settings);
	if (daemon->failover)
		nv_failover_configure(daemon->failover, daemon->settings, daemon->rcconf);
	return 0;
}
