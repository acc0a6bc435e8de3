#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# join-bond VF: what a distribution's network service does for a bond's primary port.

# A bond takes no port that is up, and somebody may have set it up meanwhile.
until ip link set "$1" down && ip link set "$1" master bond0; do
	[ -e "/sys/class/net/$1" ] || exit
	usleep 20000
done
ip link set bond0 type bond primary "$1"
