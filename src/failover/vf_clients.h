/* SPDX-License-Identifier: BSD-2-Clause */
/* DHCP clients on a VF that carries another's frames: they give it addresses that lead nowhere. */
#pragma once

#include <stdbool.h>

/*
 * Ends those that this process can find on @vf_name, the VF of @hn_name, without a release of the
 * lease, and logs each. Reads all of /proc. Returns whether there was any, and all are ended: false
 * says nothing of those whose processes are hidden from this one (services/process.h).
 */
bool nv_vf_clients_end(const char *hn_name, const char *vf_name);
