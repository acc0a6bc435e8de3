/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "fake_datapath.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

static struct nv_dp_pair *find(struct nv_datapath *datapath, int hn)
{
	for (size_t i = 0; i < FAKE_PAIRS_MAX; i++)
		if (datapath->pair[i].hn == hn)
			return &datapath->pair[i];
	return NULL;
}

struct nv_dp_pair *fake_path(struct nv_datapath *datapath, int hn)
{
	struct nv_dp_pair *pair = find(datapath, hn);

	assert_non_null(pair);
	return pair;
}

static int lock(const struct nv_datapath *datapath)
{
	return datapath->locked && !datapath->patient ? -EAGAIN : 0;
}

void nv_datapath_be_patient(struct nv_datapath *datapath, bool patient)
{
	datapath->patient = patient;
}

struct nv_kernel *nv_datapath_kernel(const struct nv_datapath *datapath)
{
	return datapath->fake->kernel;
}

int nv_datapath_hook(struct nv_datapath *datapath, bool wanted)
{
	(void)wanted;
	datapath->hooks += !lock(datapath);
	return lock(datapath) ? lock(datapath) : datapath->hook_error;
}

const char *nv_datapath_handover(const struct nv_datapath *datapath)
{
	(void)datapath;
	return "hooks";
}

int nv_datapath_handover_why(const struct nv_datapath *datapath, char *buffer, size_t size)
{
	(void)datapath;
	return snprintf(buffer, size, "the test says so");
}

/* As the real one, it looks into the table without the lock, and for what is not there with it. */
int nv_datapath_get(struct nv_datapath *datapath, int hn, struct nv_dp_pair *ret_pair)
{
	const struct nv_dp_pair *pair = find(datapath, hn);

	datapath->reads++;
	if (!pair)
		return lock(datapath) ? -EAGAIN : -ENOENT;
	*ret_pair = *pair;
	return 0;
}

int nv_datapath_each(struct nv_datapath *datapath,
	int (*each)(const struct nv_dp_pair *pair, void *data), void *data)
{
	int r = 0;

	for (size_t i = 0; i < FAKE_PAIRS_MAX && !r; i++)
		r = datapath->pair[i].hn ? each(&datapath->pair[i], data) : 0;
	return r;
}

/* A pair that lacks what it names uses hn. */
static void settle(const struct nv_dp_pair *old, struct nv_dp_pair *pair)
{
	if (pair->lagg != old->lagg)
		pair->inside = 0;
	if (pair->vf != old->vf)
		pair->inside &= ~(1U << NV_PORT_VF);
	if (!pair->vf) {
		pair->active = NV_PORT_HN;
		memset(pair->vf_mac, 0, sizeof(pair->vf_mac));
	}
	if ((pair->mode == NV_MODE_VF && !pair->vf) || (pair->mode == NV_MODE_LAGG && !pair->lagg))
		pair->mode = NV_MODE_HN;
}

static const char *name_of(const struct nv_datapath *datapath, int ifindex)
{
	const struct nv_link *link = nv_links_by_index(&datapath->fake->links, ifindex);

	return link ? link->name : ifindex ? "(gone)" : "none";
}

/* "path hn0 vf=nvt0 active=vf": what has changed of the pair. */
static void log_edit(const struct nv_datapath *datapath, const struct nv_dp_pair *old,
	const struct nv_dp_pair *new)
{
	struct nv_str *log = &datapath->fake->log;

	nv_str_printf(log, "path %s", name_of(datapath, new->hn));
	if (new->vf != old->vf)
		nv_str_printf(log, " vf=%s", name_of(datapath, new->vf));
	if (new->lagg != old->lagg)
		nv_str_printf(log, " lagg=%s", name_of(datapath, new->lagg));
	if (new->mode != old->mode)
		nv_str_printf(log, " mode=%s", nv_mode_name(new->mode));
	if (new->active != old->active)
		nv_str_printf(log, " active=%s", nv_port_name(new->active));
	if (new->inside != old->inside)
		nv_str_printf(log, " inside=%u", new->inside);
	if (memcmp(new->mac, old->mac, NV_MAC_LEN))
		nv_str_printf(log, " mac=%02x", new->mac[NV_MAC_LEN - 1]);
	if (memcmp(new->vf_mac, old->vf_mac, NV_MAC_LEN))
		nv_str_printf(log, " vf_mac=%02x", new->vf_mac[NV_MAC_LEN - 1]);
	nv_str_addc(log, '\n');
}

int nv_datapath_edit(struct nv_datapath *datapath, int hn,
	int (*edit)(struct nv_dp_pair *pair, void *data), void *data)
{
	struct nv_dp_pair *pair = find(datapath, hn);
	struct nv_dp_pair new = pair ? *pair : (struct nv_dp_pair){.hn = hn};
	int r = lock(datapath) ? lock(datapath) : datapath->error;

	if (!lock(datapath))
		datapath->error = 0;
	if (!r)
		r = edit(&new, data);
	if (r)
		return r;
	pair = pair ? pair : find(datapath, 0);
	assert_non_null(pair);
	settle(pair, &new);
	log_edit(datapath, pair, &new);
	*pair = new;
	datapath->edits++;
	return 0;
}

bool nv_datapath_attaches_gently(const struct nv_datapath *datapath)
{
	return datapath->gentle;
}

int nv_datapath_join(struct nv_datapath *datapath, int hn, const struct nv_dp_change *change)
{
	bool is_new = !find(datapath, hn);
	int r = nv_datapath_change(datapath, hn, change);

	return r < 0 ? r : is_new && datapath->gentle;
}

int nv_datapath_missing(struct nv_datapath *datapath, int hn, int ret_ifindex[NV_DP_INTERFACES])
{
	int count = 0;

	if (!find(datapath, hn))
		return -ENOENT;
	for (size_t i = 0; i < NV_DP_INTERFACES; i++)
		if (datapath->stripped[i])
			ret_ifindex[count++] = datapath->stripped[i];
	return count;
}

int nv_datapath_reattach(struct nv_datapath *datapath, int hn, int ret_ifindex[NV_DP_INTERFACES])
{
	int count = nv_datapath_missing(datapath, hn, ret_ifindex);

	datapath->looks++;
	if (count <= 0)
		return count;
	if (lock(datapath))
		return lock(datapath);
	if (datapath->reattach_error)
		return datapath->reattach_error;
	memset(datapath->stripped, 0, sizeof(datapath->stripped));
	return count;
}

int nv_datapath_remove(struct nv_datapath *datapath, int hn)
{
	struct nv_dp_pair *pair = find(datapath, hn);

	if (lock(datapath))
		return -EAGAIN;
	if (pair) {
		*pair = (struct nv_dp_pair){};
		nv_str_printf(&datapath->fake->log, "path %s gone\n", name_of(datapath, hn));
	}
	return 0;
}

int nv_datapath_activate(struct nv_datapath *datapath, int hn, enum nv_port port)
{
	struct nv_dp_pair *pair = find(datapath, hn);

	if (!pair)
		return -ENOENT;
	if (port == NV_PORT_VF && !pair->vf)
		return -ENODEV;
	pair->active = port;
	nv_str_printf(&datapath->fake->log, "path %s active=%s\n", name_of(datapath, hn),
		nv_port_name(port));
	datapath->activations++;
	return pair->inside & 1U << NV_PORT_VF && datapath->locked;
}

int nv_datapath_limit(struct nv_datapath *datapath, int hn, const struct nv_dp_limits *limits)
{
	if (!find(datapath, hn))
		return -ENOENT;
	if (!lock(datapath))
		datapath->limits = *limits;
	return lock(datapath);
}

/* Nobody sends reports here. */
int nv_datapath_reports_fd(struct nv_datapath *datapath)
{
	if (datapath->reports_fd <= 0)
		datapath->reports_fd = eventfd(0, EFD_CLOEXEC);
	return datapath->reports_fd;
}

unsigned int nv_datapath_reports(struct nv_datapath *datapath)
{
	eventfd_t value;

	eventfd_read(datapath->reports_fd, &value);
	return datapath->reported;
}

bool nv_datapath_was_bypassed(const struct nv_datapath *datapath, int hn)
{
	return datapath->reported & NV_DP_REPORT_BYPASS &&
	       (!datapath->bypassed || datapath->bypassed == hn);
}

void nv_datapath_note_vf_up(struct nv_datapath *datapath, int hn, int vf, bool up)
{
	const struct nv_dp_pair *pair = find(datapath, hn);

	if (pair && pair->vf == vf)
		datapath->was_up[pair - datapath->pair] = up ? vf : 0;
}

bool nv_datapath_await_traffic(struct nv_datapath *datapath, int hn, int vf)
{
	const struct nv_dp_pair *pair = find(datapath, hn);

	datapath->awaits_traffic = pair && pair->vf == vf;
	return datapath->awaits_traffic;
}

int nv_datapath_counters(
	struct nv_datapath *datapath, int ifindex, struct nv_dp_counters *ret_counters)
{
	bool is_port = false;

	for (size_t i = 0; i < FAKE_PAIRS_MAX; i++)
		is_port |= ifindex &&
			   (datapath->pair[i].hn == ifindex || datapath->pair[i].vf == ifindex);
	if (!is_port)
		return -ENOENT;
	datapath->counted++;
	if (datapath->count_error)
		return datapath->count_error;
	*ret_counters = (struct nv_dp_counters){};
	if (datapath->count)
		datapath->count(ifindex, ret_counters);
	return 0;
}

bool nv_datapath_vf_was_up(struct nv_datapath *datapath, int hn, int vf)
{
	const struct nv_dp_pair *pair = find(datapath, hn);

	return pair && vf && datapath->was_up[pair - datapath->pair] == vf;
}
