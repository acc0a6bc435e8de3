/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DHCP clients on a VF that carries only another interface's frames: their addresses do not work.
 */
#pragma once

#include <stdbool.h>

/*
 * Ends the DHCP clients on @vf_name, the VF of @hn_name, that this process can see, without
 * releasing the lease, and logs each. Reads all of /proc. Returns true if there was at least one
 * and all are ended; false says nothing about processes that are hidden from this one
 * (services/process.h).
 */
bool nv_vf_dhcp_end(const char *hn_name, const char *vf_name);
