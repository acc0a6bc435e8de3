#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What a distribution's network service does for a bond: whenever another Ethernet interface with
# hn0's MAC appears, it becomes the bond's primary port.

mac=$(cat /sys/class/net/hn0/address)

ip -o monitor link | while read -r _ name rest; do
	name=${name%:}
	case $name:$rest in
	hn0:* | bond0:* | *" master "* | *Deleted*) continue ;;
	*"link/ether $mac"*) ;;
	*) continue ;;
	esac
	# The line may be old news.
	if [ ! -e "/sys/class/net/$name" ] || [ -e "/sys/class/net/$name/master" ]; then
		continue
	fi
	ip link set "$name" down
	ip link set "$name" master bond0 && ip link set bond0 type bond primary "$name"
done
