#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# on-vf COMMAND: runs `COMMAND NAME` whenever another Ethernet interface with hn0's MAC appears and
# has no master.

mac=$(cat /sys/class/net/hn0/address)

ip -o monitor link | while read -r _ name rest; do
	name=${name%:}
	case $name:$rest in
	hn0:* | bond0:* | *" master "* | *Deleted*) continue ;;
	*"link/ether $mac"*) ;;
	*) continue ;;
	esac
	# The line may be old news.
	if [ -e "/sys/class/net/$name" ] && [ ! -e "/sys/class/net/$name/master" ]; then
		"$1" "$name"
	fi
done
