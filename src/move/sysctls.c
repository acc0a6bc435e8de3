/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/sysctls.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX 64 /* bytes; all values are numbers, except the secret */

static const char *const directories[] = {
	"net/ipv4/conf", "net/ipv6/conf", "net/ipv4/neigh", "net/ipv6/neigh", "net/mpls/conf"};

/* The others act on addresses, or are changed by these two. */
static const char *const first[] = {"disable_ipv6", "forwarding"};

static const char *const left[] = {
	"accept_dad", /* the lagg has its own value, see lagg.h */
	"dad_transmits", "addr_gen_mode", "stable_secret",
	"mc_forwarding", /* set by a multicast router, not by an administrator */
	"mtu", /* the IPv6 MTU; see nv_sysctls_copy_mtu() */
};

static bool sysctls_is_among(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (nv_streq(name, list[i]))
			return true;
	return false;
}

static int sysctls_get(struct nv_kernel *kernel, const char *directory, const char *ifname,
	const char *name, char value[VALUE_MAX])
{
	char path[NV_SYSCTL_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s", directory, ifname, name);
	return nv_kernel_sysctl_read(kernel, path, value, VALUE_MAX);
}

static void sysctls_write(struct nv_kernel *kernel, const char *path, const char *value)
{
	int r = nv_kernel_sysctl_write(kernel, path, value);

	if (r < 0 && r != -ENOENT)
		nv_warn("cannot write %s to /proc/sys/%s: %s", value, path, nv_strerror(r));
}

static void sysctls_set(struct nv_kernel *kernel, const char *directory, const char *ifname,
	const char *name, const char *value)
{
	char path[NV_SYSCTL_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s", directory, ifname, name);
	sysctls_write(kernel, path, value);
}

void nv_sysctls_set(struct nv_kernel *kernel, const char *family, const char *ifname,
	const char *name, const char *value)
{
	char directory[32];

	snprintf(directory, sizeof(directory), "net/%s/conf", family);
	sysctls_set(kernel, directory, ifname, name, value);
}

static void sysctls_save_one(
	struct nv_kernel *kernel, struct nv_move *move, const char *directory, const char *name)
{
	char value[VALUE_MAX];

	if (sysctls_get(kernel, directory, move->from_name, name, value) == 0 &&
		nv_words_add(&move->sysctls, "%s/%s/%s=%s", directory, move->to_name, name, value) <
			0)
		nv_warn("cannot copy %s of %s: %s", name, move->from_name, nv_strerror(-ENOMEM));
}

static void sysctls_save_directory(
	struct nv_kernel *kernel, struct nv_move *move, const char *directory)
{
	NV_AUTO(nv_words) struct nv_words names = {};
	char path[NV_SYSCTL_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, move->from_name);
	if (nv_kernel_sysctl_list(kernel, path, &names) < 0)
		return;
	for (size_t i = 0; i < NV_ARRAY_SIZE(first); i++)
		if (sysctls_is_among(first[i], (const char *const *)names.word, names.count))
			sysctls_save_one(kernel, move, directory, first[i]);
	for (size_t i = 0; i < names.count; i++)
		if (!sysctls_is_among(names.word[i], first, NV_ARRAY_SIZE(first)) &&
			!sysctls_is_among(names.word[i], left, NV_ARRAY_SIZE(left)))
			sysctls_save_one(kernel, move, directory, names.word[i]);
}

/* The IPv6 MTU may be smaller than the link's; otherwise it follows the link. */
static unsigned int sysctls_small_mtu(struct nv_kernel *kernel, const struct nv_move *move)
{
	char value[VALUE_MAX];
	struct nv_link link;
	unsigned int mtu;

	if (nv_kernel_link(kernel, move->from, &link) == 0 &&
		sysctls_get(kernel, "net/ipv6/conf", move->from_name, "mtu", value) == 0 &&
		nv_parse_u32(value, UINT32_MAX, &mtu) == 0 && mtu < link.mtu)
		return mtu;
	return 0;
}

void nv_sysctls_save(struct nv_kernel *kernel, struct nv_move *move)
{
	nv_words_auto(&move->sysctls);
	for (size_t i = 0; i < NV_ARRAY_SIZE(directories); i++)
		sysctls_save_directory(kernel, move, directories[i]);
	move->mtu6 = sysctls_small_mtu(kernel, move);
}

void nv_sysctls_copy_mtu(struct nv_kernel *kernel, const struct nv_move *move)
{
	char value[VALUE_MAX];

	snprintf(value, sizeof(value), "%u", move->mtu6);
	if (move->mtu6)
		sysctls_set(kernel, "net/ipv6/conf", move->to_name, "mtu", value);
}

/*
 * The kernel takes the larger of the interface's value and that of "all" (ip-sysctl.rst): 2 on the
 * interface is loose even where "all" is 1, strict.
 */
void nv_sysctls_loosen(struct nv_kernel *kernel, struct nv_move *move)
{
	char own[VALUE_MAX], to[VALUE_MAX], all[VALUE_MAX];
	bool keeps = move->keeps;

	if (sysctls_get(kernel, "net/ipv4/conf", move->from_name, "rp_filter", own) < 0 ||
		sysctls_get(kernel, "net/ipv4/conf", move->to_name, "rp_filter", to) < 0 ||
		sysctls_get(kernel, "net/ipv4/conf", "all", "rp_filter", all) < 0)
		return;
	/* A run that was killed has left both loose. */
	if (move->rp_filter[0] && nv_streq(own, "2") && nv_streq(to, "2"))
		keeps = false;
	if (move->rp_filter[0])
		nv_strcopy(own, sizeof(own), move->rp_filter);
	move->rp_filter[0] = '\0';
	if (nv_streq(all, "2") ||
		(!nv_streq(all, "1") && !nv_streq(own, "1") && !nv_streq(to, "1")))
		return;
	nv_strcopy(move->rp_filter, sizeof(move->rp_filter), own);
	nv_strcopy(move->to_rp_filter, sizeof(move->to_rp_filter), keeps ? to : own);
	nv_sysctls_set(kernel, "ipv4", move->from_name, "rp_filter", "2");
	nv_sysctls_set(kernel, "ipv4", move->to_name, "rp_filter", "2");
}

/* @saved: PATH=VALUE. An interface's name may have a '='; no value has one. */
static void sysctls_put(struct nv_kernel *kernel, const char *saved)
{
	const char *value = strrchr(saved, '=') + 1;
	char path[NV_SYSCTL_PATH_MAX];
	char current[VALUE_MAX];

	snprintf(path, sizeof(path), "%.*s", (int)(value - 1 - saved), saved);
	if (nv_kernel_sysctl_read(kernel, path, current, sizeof(current)) == 0 &&
		!nv_streq(value, current))
		sysctls_write(kernel, path, value);
}

void nv_sysctls_copy(struct nv_kernel *kernel, struct nv_move *move)
{
	if (!move->sysctls.count)
		nv_sysctls_save(kernel, move);
	for (size_t i = 0; i < move->sysctls.count; i++)
		sysctls_put(kernel, move->sysctls.word[i]);
	nv_words_auto(&move->sysctls);
	if (move->accept_ra[0])
		nv_sysctls_set(kernel, "ipv6", move->to_name, "accept_ra", move->accept_ra);
}

static void sysctls_restore_rp_filter(
	struct nv_kernel *kernel, const char *ifname, const char *value)
{
	if (value[0])
		nv_sysctls_set(kernel, "ipv4", ifname, "rp_filter", value);
}

void nv_sysctls_undo(struct nv_kernel *kernel, const struct nv_move *move)
{
	if (move->keeps)
		sysctls_restore_rp_filter(kernel, move->to_name, move->to_rp_filter);
	sysctls_restore_rp_filter(kernel, move->from_name, move->rp_filter);
}

void nv_sysctls_complete(struct nv_kernel *kernel, const struct nv_move *move)
{
	sysctls_restore_rp_filter(kernel, move->to_name, move->to_rp_filter);
	sysctls_restore_rp_filter(kernel, move->from_name, move->rp_filter);
}

void nv_sysctls_accept_rtadv(struct nv_kernel *kernel, const char *ifname)
{
	char forwarding[VALUE_MAX] = "0";

	sysctls_get(kernel, "net/ipv6/conf", ifname, "forwarding", forwarding);
	nv_sysctls_set(kernel, "ipv6", ifname, "accept_ra", nv_streq(forwarding, "0") ? "1" : "2");
}
