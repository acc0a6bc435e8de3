#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Linux: a permanent IPv6 address that gets a lifetime loses the route to its network at once.
#
# Assumed: when `ip -6 addr change` gives a permanent address 1,000 s to live, its network's route
# lives as long, as it does when the address is added with these 1,000 s from the start.
# Seen with Linux 6.18.44 and Debian's 6.1.0-56: the route has expired at once. `ip -6 route`
# shows a negative time to live ("expires -17186669sec"), neighbours are unreachable although the
# address is valid, and the next collection of expired routes removes it. A second change, to the
# same values, mends both. Debian's 7.3.4 does as assumed.
set -eu
cd "$(dirname "$0")"
[ "${1-}" = inside ] || exec ./with bookworm iproute2=6.1.0-3 -- "$PWD/${0##*/}" inside

address=2001:db8::1/64 neighbour=2001:db8::2
lifetime=(valid_lft 1000 preferred_lft 500)
route() { ip -6 route show proto kernel 2001:db8::/64 dev va; }
usable() { ip -6 route get "$neighbour" >/dev/null 2>&1; }
changed() {
	echo "CHANGED: $*"
	exit 1
}

echo "kernel: $(uname -r); $(ip -V)"
ip link add va type veth peer name pa
ip link set pa up
ip link set va up

ip -6 addr add "$address" dev va nodad "${lifetime[@]}"
echo "added with a lifetime:          $(route)"
usable || changed "unusable even when it is added with a lifetime"
ip -6 addr del "$address" dev va

ip -6 addr add "$address" dev va nodad
echo "added for ever:                 $(route)"
usable || changed "unusable even when it is added for ever"

ip -6 addr change "$address" dev va nodad "${lifetime[@]}"
echo "then changed to a lifetime:     $(route)"
ip -6 addr show dev va to "$address" | grep -q 'valid_lft \(1000\|99.\)sec' ||
	changed "the address has not got its lifetime"
! usable || changed "$neighbour can be reached: the route lives as long as the address"
echo "to $neighbour:                 $(ip -6 route get "$neighbour" 2>&1 || true)"

ip -6 addr change "$address" dev va nodad "${lifetime[@]}"
echo "changed to the same once more:  $(route)"
usable || changed "a second change does not set it right"

ip -6 addr change "$address" dev va nodad valid_lft forever preferred_lft forever
ip -6 addr change "$address" dev va nodad "${lifetime[@]}"
echo 1 >/proc/sys/net/ipv6/route/flush
[ -z "$(route)" ] || changed "the collection of expired routes leaves the route"
echo "changed, after a collection:    no route; $(ip -6 -br addr show dev va to "$address")"
ip -6 addr change "$address" dev va nodad "${lifetime[@]}"
echo "changed to the same once more:  $(route)"
usable || changed "a second change does not bring the route back"
echo "still so"
