/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The joined multicast groups, read from /proc/net. RTM_GETMULTICAST reports those of IPv4 only
 * since Linux 6.15, and never the IGMP version. But it reports those of one link, while a file is
 * about all links, and the kernel walks from the first of them for each page of it.
 */
#include "kernel/attrs.h"
#include "kernel/netlink_ops.h"

#include <errno.h>
#include <string.h>

static int mcast_open_file(const char *net, const char *name, FILE **ret_file)
{
	char path[256];

	if (snprintf(path, sizeof(path), "%s/%s", net, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	*ret_file = fopen(path, "re");
	return *ret_file ? 0 : -errno;
}

/*
 * A line for each link, "4 eth0 : 1 V3" (ifindex, name, number, version of the querier), followed
 * by one for each group, "010000E0 1 …": the address as a number in the machine's byte order.
 */
static int mcast_read_igmp(const char *net, struct nv_mcasts *mcasts)
{
	NV_AUTO(nv_file) FILE *file = NULL;
	int r = mcast_open_file(net, "igmp", &file);
	struct nv_mcast mcast = {.group.family = AF_INET};
	char line[256];

	while (r == 0 && fgets(line, sizeof(line), file)) {
		unsigned int version;
		int ifindex;

		if (line[0] != '\t') {
			mcast.ifindex = 0;
			if (sscanf(line, "%d %*[^:] : %*d V%u", &ifindex, &version) == 2) {
				mcast.ifindex = ifindex;
				mcast.igmp = (uint8_t)version;
			}
		} else if (mcast.ifindex && sscanf(line, "%8x", &mcast.group.v4.s_addr) == 1) {
			r = nv_mcasts_add(mcasts, &mcast);
		}
	}
	return r;
}

/* "4 eth0 ff020000000000000000000000000001 1 0000000C 0": ifindex, name, group, … */
static int mcast_read_igmp6(const char *net, struct nv_mcasts *mcasts)
{
	NV_AUTO(nv_file) FILE *file = NULL;
	int r = mcast_open_file(net, "igmp6", &file);
	char line[256];

	while (r == 0 && fgets(line, sizeof(line), file)) {
		struct nv_mcast mcast = {.group.family = AF_INET6};
		unsigned int word[4];

		if (sscanf(line, "%d %*s %8x%8x%8x%8x", &mcast.ifindex, &word[0], &word[1],
			    &word[2], &word[3]) != 5)
			continue;
		for (size_t i = 0; i < NV_ARRAY_SIZE(word); i++)
			mcast.group.v6.s6_addr32[i] = htonl(word[i]);
		r = nv_mcasts_add(mcasts, &mcast);
	}
	return r;
}

int nv_mcasts_read(const char *net, struct nv_mcasts *ret_mcasts)
{
	NV_AUTO(nv_mcasts) struct nv_mcasts mcasts = {};
	int r = mcast_read_igmp(net, &mcasts);

	if (r == 0 || r == -ENOENT)
		r = mcast_read_igmp6(net, &mcasts);
	if (r < 0 && r != -ENOENT) /* a kernel without that family */
		return r;
	*ret_mcasts = TAKE_STRUCT(mcasts);
	return 0;
}

static int mcast_take(const struct nlmsghdr *message, void *data)
{
	NV_ATTRS(attrs, IFA_MULTICAST);
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct nv_mcast mcast = {};
	int r = nv_attrs_read(message, sizeof(*info), &attrs);

	if (r < 0)
		return r;
	mcast.ifindex = (int)info->ifa_index;
	if (!nv_attr_ip(&attrs, IFA_MULTICAST, info->ifa_family, &mcast.group))
		return 0;
	return nv_mcasts_add(data, &mcast);
}

/* Adds the groups of the link to @mcasts, some of them also on failure. */
static int mcast_dump(struct nv_rtnl *rtnl, uint8_t family, int ifindex, struct nv_mcasts *mcasts)
{
	struct nv_request request;
	struct ifaddrmsg *info =
		nv_request_start(&request, RTM_GETMULTICAST, NLM_F_DUMP, sizeof(*info));
	int r;

	info->ifa_family = family;
	info->ifa_index = (uint32_t)ifindex;
	r = nv_rtnl_request(rtnl, &request.header, mcast_take, mcasts);
	return r == -ENODEV ? 0 : r;
}

/* Whether one of the links has more than the group of all hosts, or nobody knows. */
static bool mcast_needs_igmp(struct nv_rtnl *rtnl, const int *ifindex, size_t count)
{
	NV_AUTO(nv_mcasts) struct nv_mcasts mcasts = {};
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = mcast_dump(rtnl, AF_INET, ifindex[i], &mcasts);
	for (size_t i = 0; i < mcasts.count && r == 0; i++)
		if (mcasts.mcast[i].group.v4.s_addr != htonl(INADDR_ALLHOSTS_GROUP))
			return true;
	return r < 0;
}

int nv_mcasts_get(struct nv_rtnl *rtnl, const char *net, const int *ifindex, size_t count,
	struct nv_mcasts *ret_mcasts)
{
	NV_AUTO(nv_mcasts) struct nv_mcasts mcasts = {};
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = mcast_dump(rtnl, AF_INET6, ifindex[i], &mcasts);
	if (r < 0)
		return nv_mcasts_read(net, ret_mcasts);
	if (mcast_needs_igmp(rtnl, ifindex, count))
		r = mcast_read_igmp(net, &mcasts);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_mcasts = TAKE_STRUCT(mcasts);
	return 0;
}
