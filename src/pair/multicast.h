/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * From which port of a pair broadcast and multicast frames are received. Some hosts send each frame
 * to both ports, others to one of them, and a VF's filters pass only some groups. The values are in
 * the BPF maps (datapath/shared.h) and must not change.
 */
enum nv_multicast {
	NV_MULTICAST_ACTIVE = 0, /* from the active port */
	NV_MULTICAST_BOTH = 1, /* from both ports, copies included */
	/* from the port that brings a frame first; the other port's copy is dropped */
	NV_MULTICAST_ONCE = 2,
};
