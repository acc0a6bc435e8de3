#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# hyperv-scripts VF: does by Linux's tools what FreeBSD's hyperv_vfup does, in its order. A bond in
# mode active-backup stands for the lagg.

if [ ! -e /sys/class/net/bond0 ]; then
	ip link add bond0 type bond mode active-backup miimon 100
	# A bond takes no port that is up.
	ip link set hn0 down
	ip link set hn0 master bond0
	join-bond "$1"
	kill "$(cat /run/udhcpc.hn0.pid)"
	ip address flush dev hn0
	ip link set bond0 up
	udhcpc -i bond0 -s /usr/sbin/on-lease >/dev/null 2>&1 &
else
	join-bond "$1"
fi
