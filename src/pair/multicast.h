/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * From which port of a pair broadcast and multicast are taken. A host that floods brings each frame
 * by both ports, another by one of them, and a VF's filters let some pass and some not. The values
 * stand in the kernel (datapath/shared.h) and stay what they are.
 */
enum nv_multicast {
	NV_MULTICAST_ACTIVE = 0, /* from the port that is in use */
	NV_MULTICAST_BOTH = 1, /* from either, whatever the other has brought */
	NV_MULTICAST_ONCE = 2, /* from whichever brings a frame first, and not the other's copy */
};
