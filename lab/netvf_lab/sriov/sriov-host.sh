#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# sriov-host HN-MAC OTHER-END-MAC PF-MAC ADDRESS ADDRESS6 VLAN-ADDRESS: makes the host, a network
# namespace with a bridge, of the card's physical function (pf0) and of hn0's other end (p-hn).
# Writes the card's directory below /sys and the indices of the bridge and of p-hn.
set -e

with_address() {
	for link in /sys/class/net/*; do
		[ "$(cat "$link/address")" != "$1" ] || echo "${link##*/}"
	done
}

other=$(with_address "$2")
ip link set "$other" name p-hn
hn=$(with_address "$1")
case $hn in
hn0 | "") ;; # "": it is in a guest of this machine's
*) ip link set "$hn" name hn0 ;;
esac
pf=$(with_address "$3")
card=$(readlink -f "/sys/class/net/$pf/device")
echo 0 >"$card/sriov_drivers_autoprobe"

ip netns add host
ip link set p-hn netns host
ip link set "$pf" name pf0 netns host
ip -n host link set lo up
# What a VF sends to another address of the host's than the PF's does not reach the PF.
ip -n host link add switch0 address "$3" type bridge forward_delay 0 stp_state 0 mcast_snooping 0
ip -n host address add "$4" dev switch0
ip -n host address add "$5" dev switch0 nodad
ip -n host link set switch0 up
ip -n host link add link switch0 name switch0.5 type vlan id 5
ip -n host address add "$6" dev switch0.5
ip -n host link set switch0.5 up
for port in p-hn pf0; do
	ip -n host link set "$port" master switch0
	ip -n host link set "$port" up
	# The card gives the PF its own broadcasts back: whenever hn had sent one, the bridge would
	# look for the guest behind the PF.
	bridge -n host link set dev "$port" isolated on
done
bridge -n host link set dev pf0 flood off
until [ "$(ip netns exec host cat /sys/class/net/pf0/carrier)" = 1 ]; do
	usleep 50000
done
echo "$card"
ip netns exec host cat /sys/class/net/switch0/ifindex /sys/class/net/p-hn/ifindex
