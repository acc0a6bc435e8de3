#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What udhcpc runs when it has a lease, and before; the lease is in the environment.

# shellcheck disable=SC2154 # interface, ip, mask and router are udhcpc's
case $1 in
deconfig)
	ip link set "$interface" up
	;;
bound | renew)
	ip address replace "$ip/$mask" dev "$interface"
	ip route replace default via "$router" dev "$interface"
	;;
esac
