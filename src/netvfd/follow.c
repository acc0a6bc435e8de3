/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "netvfd/daemon.h"

#include <errno.h>

static int edit_both(struct nv_dp_pair *pair, void *data)
{
	pair->both = *(const bool *)data;
	return 0;
}

void nv_follow(struct nv_daemon *daemon, struct nv_managed *managed, const struct nv_link *hn)
{
	bool both = nv_hn_takes_both(&daemon->settings->hn, hn);
	struct nv_dp_pair path;
	int r = 0;

	if (nv_datapath_get(daemon->datapath, managed->hn, &path))
		return;
	if (path.both != both)
		r = nv_datapath_edit(daemon->datapath, managed->hn, edit_both, &both);
	if (r && r != -ENODEV)
		nv_err("%s: cannot change from which port multicast is taken: %s", managed->hn_name,
			nv_strerror(r));
}
