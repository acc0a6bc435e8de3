/* SPDX-License-Identifier: BSD-2-Clause */
/* test-kernel-kind KIND: a link of that kind is made and read back, where the kernel has it. */
#include "base/str.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

static int make(struct nv_kernel *kernel, const char *kind, const char *name, int lower)
{
	struct nv_link link = {.lower = lower, .vlan_id = lower ? 5 : 0};
	int ifindex;
	int r;

	nv_strcopy(link.kind, sizeof(link.kind), kind);
	nv_strcopy(link.name, sizeof(link.name), name);
	r = nv_kernel_link_add(kernel, &link, NULL, &ifindex);
	return r < 0 ? r : ifindex;
}

static int check(struct nv_kernel *kernel, const char *kind, int ifindex, int lower)
{
	struct nv_link link;
	int r = nv_kernel_link(kernel, ifindex, &link);

	if (r < 0)
		return r;
	if (!nv_streq(link.kind, kind) || !nv_streq(link.driver, kind) ||
		!nv_streq(link.name, "x0") || link.lower != lower ||
		link.vlan_id != (lower ? 5 : 0))
		return -EBADMSG;
	return nv_kernel_link_del(kernel, ifindex);
}

static int skip(const char *why, int error)
{
	printf("1..0 # SKIP %s: %s\n", why, strerror(-error));
	return 0;
}

int main(int argc, char **argv)
{
	NV_AUTO(nv_kernel) struct nv_kernel *kernel = NULL;
	const char *kind = argc > 1 ? argv[1] : "";
	int lower = 0;
	int r;

	if (unshare(CLONE_NEWNET) < 0)
		return skip("cannot make a network namespace", -errno);
	r = nv_kernel_open(&kernel);
	if (r == 0 && nv_streq(kind, "vlan"))
		r = lower = make(kernel, "ifb", "lower0", 0);
	if (r >= 0)
		r = make(kernel, kind, "x0", lower);
	if (r == -EOPNOTSUPP)
		return skip("this kernel makes no such link", r);
	if (r >= 0)
		r = check(kernel, kind, r, lower);
	printf("1..1\n%s 1 - a link of kind %s\n", r == 0 ? "ok" : "not ok", kind);
	if (r < 0)
		printf("# %s\n", strerror(-r));
	return r < 0;
}
