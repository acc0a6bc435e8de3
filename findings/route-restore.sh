#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# iproute2 and Linux: `ip route restore` does not bring back what `ip route save` has saved.
#
# Assumed: routes that were saved, removed and restored are as before, or an error says why not.
# Seen with iproute2 6.1.0-3 and Linux 6.18.44 and Debian's 6.1.0-56 and 7.3.4:
# * A route by a nexthop object is refused: the kernel lists the object's id and its gateway, and
#   takes back only one of them. `ip route flush` of it fails ("Invalid argument"). With the sysctl
#   net.ipv4.nexthop_compat_mode at 0 the kernel lists the id alone, and both work.
# * An IPv6 route with a time to live comes back for ever, and there is no error.
set -eu
cd "$(dirname "$0")"
[ "${1-}" = inside ] || exec ./with bookworm iproute2=6.1.0-3 -- "$PWD/${0##*/}" inside

by_object=198.51.100.0/24 expiring=2001:db8:7::/64
mount -t tmpfs tmpfs /mnt
saved=/mnt/routes
changed() {
	echo "CHANGED: $*"
	exit 1
}

echo "kernel: $(uname -r); $(ip -V)"
ip link add va type veth peer name pa
ip link set pa up
ip link set va up
ip addr add 192.0.2.1/24 dev va
ip nexthop add id 5 via 192.0.2.7 dev va
ip route add "$by_object" nhid 5

echo "saved:     $(ip route show "$by_object")"
ip route save "$by_object" >"$saved"
! message=$(ip route flush "$by_object" 2>&1) || changed "a route by a nexthop object is flushed"
echo "flush:     $message"
ip route del "$by_object"
! message=$(ip route restore <"$saved" 2>&1) || changed "a route by a nexthop object is restored"
echo "restore:   $message"
[ -z "$(ip route show "$by_object")" ] || changed "the route is there in spite of the error"

echo 0 >/proc/sys/net/ipv4/nexthop_compat_mode
ip route add "$by_object" nhid 5
ip route save "$by_object" >"$saved"
ip route flush "$by_object" || changed "without nexthop_compat_mode flush fails too"
ip route restore <"$saved" || changed "without nexthop_compat_mode restore fails too"
echo "restored without nexthop_compat_mode: $(ip route show "$by_object")"

ip -6 route add "$expiring" dev va expires 400
echo "saved:     $(ip -6 route show "$expiring")"
ip -6 route show "$expiring" | grep -q expires || changed "a route cannot be given a time to live"
ip -6 route save "$expiring" >"$saved"
ip -6 route del "$expiring"
ip -6 route restore <"$saved" || changed "a route with a time to live is refused"
echo "restored:  $(ip -6 route show "$expiring")"
[ -n "$(ip -6 route show "$expiring")" ] || changed "the route with a time to live is not restored"
! ip -6 route show "$expiring" | grep -q expires || changed "the time to live is restored"
echo "still so"
