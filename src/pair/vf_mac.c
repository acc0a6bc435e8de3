/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/vf_mac.h"

#include <string.h>

bool nv_vf_has_own_mac(const struct nv_link *hn, const struct nv_link *vf)
{
	return hn && vf && hn->has_mac && vf->has_mac && memcmp(hn->mac, vf->mac, NV_MAC_LEN) != 0;
}

void nv_vf_mac_find(const struct nv_link *hn, const struct nv_link *vf,
	const uint8_t mac[NV_MAC_LEN], uint8_t ret_mac[NV_MAC_LEN])
{
	if (nv_vf_has_own_mac(hn, vf) && memcmp(vf->mac, mac, NV_MAC_LEN) != 0)
		memcpy(ret_mac, vf->mac, NV_MAC_LEN);
	else
		memset(ret_mac, 0, NV_MAC_LEN);
}
