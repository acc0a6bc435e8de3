/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's agent in this guest: the program that tells the host the addresses of the interfaces.
 * Hosts look an interface up by its MAC address, which the interfaces of a pair share.
 */
#pragma once

/*
 * The name of one that runs, as "qemu-ga": qemu-ga, hv_kvp_daemon, vmtoolsd (open-vm-tools),
 * xe-daemon (xe-guest-utilities). It must be root's, in this system's namespaces. NULL: none runs,
 * or /proc cannot be read. Static.
 */
const char *nv_host_agent(void);
