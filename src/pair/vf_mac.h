/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VF with a MAC address of its own, as platforms give it that allow no address twice. Pure.
 *
 * The upper keeps hn's address; the programs at tc put the VF's in its place in frames that leave
 * by the VF (datapath/bpf/vf_mac.h). The VF's address is never written.
 */
#pragma once

#include "kernel/types.h"

/* Whether the VF has another MAC address than hn. False if one of them is NULL or has none. */
bool nv_vf_has_own_mac(const struct nv_link *hn, const struct nv_link *vf);

/*
 * The address that the VF's frames have in place of @mac, which is the upper's: the VF's, or zeros
 * if they keep @mac, because the VF has hn's address or is the upper itself.
 */
void nv_vf_mac_find(const struct nv_link *hn, const struct nv_link *vf,
	const uint8_t mac[NV_MAC_LEN], uint8_t ret_mac[NV_MAC_LEN]);
