#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Linux: setting an IPv6 address to what it already is removes the administrator's static route.
#
# Assumed: `ip -6 addr change` of an address to the values that it has changes nothing; at most it
# touches the route to its network that the kernel itself made (proto kernel).
# Seen with Linux 6.18.44 and Debian's 6.1.0-56 and 7.3.4: where a static route to that network is
# on the interface, of a lower metric (here with an MTU of its own), the static one is removed and
# the kernel's stays. A static route of a higher metric stays. IPv4 leaves both alone.
set -eu
cd "$(dirname "$0")"
[ "${1-}" = inside ] || exec ./with bookworm iproute2=6.1.0-3 -- "$PWD/${0##*/}" inside

statics() { ip "$1" route show proto static dev va | sed 's/ pref medium//' | sort; }
changed() {
	echo "CHANGED: $*"
	exit 1
}

echo "kernel: $(uname -r); $(ip -V)"
ip link add va type veth peer name pa
ip link set pa up
ip link set va up

# FAMILY ADDRESS NETWORK: tells which static routes are there before and after.
try() {
	ip "$1" addr add "$2" dev va
	ip "$1" route add "$3" dev va metric 100 mtu 1400 proto static
	ip "$1" route add "$3" dev va metric 2000 proto static
	printf 'IPv%s, before:\n%s\n' "${1#-}" "$(statics "$1")"
	ip "$1" addr change "$2" dev va
	printf 'IPv%s, after ip addr change:\n%s\n' "${1#-}" "$(statics "$1")"
}

try -4 192.0.2.1/24 192.0.2.0/24
[ "$(statics -4 | grep -c metric)" = 2 ] || changed "IPv4 removes static routes too"

try -6 2001:db8::1/64 2001:db8::/64
statics -6 | grep -q 'metric 2000' || changed "the static route of metric 2000 is gone too"
! statics -6 | grep -q 'metric 100 ' || changed "the static route of metric 100 is still there"
[ -n "$(ip -6 route show 2001:db8::/64 proto kernel dev va)" ] || changed "the kernel's is gone too"
echo "still so"
