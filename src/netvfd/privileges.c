/* SPDX-License-Identifier: BSD-2-Clause */
/* Logs the privileges that netvfd lacks, and what does not work without them. */
#include "base/log.h"
#include "netvfd/daemon.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>

/* The table of doc/privileges.md. */
static const struct {
	unsigned int capability;
	const char *name;
	const char *without;
} needed[] = {
	{CAP_NET_ADMIN, "CAP_NET_ADMIN", "no VF can be used, and netvfd changes nothing"},
	{CAP_BPF, "CAP_BPF", "no VF can be used, and netvfd changes nothing"},
	{CAP_PERFMON, "CAP_PERFMON", "no VF can be used, and netvfd changes nothing"},
	{CAP_NET_RAW, "CAP_NET_RAW",
		"the network is not told of a switch, and may send to the old port"},
};

void nv_privileges_check(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &header, data) < 0) {
		nv_warn("cannot tell which capabilities netvfd has: %s", nv_strerror(-errno));
		return;
	}
	for (size_t i = 0; i < NV_ARRAY_SIZE(needed); i++) {
		unsigned int capability = needed[i].capability;

		if (!(data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)))
			nv_warn("netvfd lacks %s: %s; give it back to the unit, or run it as root",
				needed[i].name, needed[i].without);
	}
}
