#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# cloud-init: two interfaces of one MAC address, as a VF and the interface beside it have.
#
# Assumed: the kernel allows them, so cloud-init takes one and says which it leaves out; its source
# does so where one of them has the driver hv_netvsc (not tried here).
# Seen with cloud-init 22.4.2 of Debian 12 and two veth: get_interfaces_by_mac() raises RuntimeError
# "duplicate mac found!", even if the second interface is down; wait_for_physdevs() fails with it,
# for a configuration that names neither. The search for a fallback interface finds one.
set -eu
cd "$(dirname "$0")"
[ "${1-}" = inside ] || exec ./with bookworm cloud-init=22.4.2-1+deb12u4 \
	iproute2=6.1.0-3 \
	python3-attr=22.2.0-1 \
	python3-certifi=2022.9.24-1 \
	python3-chardet=5.1.0+dfsg-2 \
	python3-configobj=5.0.8-1 \
	python3-idna=3.3-1+deb12u1 \
	python3-jinja2=3.1.2-1+deb12u3 \
	python3-json-pointer=2.3-2 \
	python3-jsonpatch=1.32-2 \
	python3-jsonschema=4.10.3-1 \
	python3-markupsafe=2.1.2-1+b1 \
	python3-oauthlib=3.2.2-1 \
	python3-pyrsistent=0.18.1-1+b3 \
	python3-requests=2.28.1+dfsg-1 \
	python3-six=1.16.0-4 \
	python3-urllib3=1.26.12-1+deb12u4 \
	python3-yaml=6.0-3+b2 \
	-- "$PWD/${0##*/}" inside

# Prints what cloud-init's own functions make of the interfaces that are there.
look() {
	/usr/bin/python3 - <<-'END'
		from cloudinit import net, version
		from cloudinit.distros.networking import LinuxNetworking

		LAN = {"match": {"macaddress": "02:00:00:00:00:99"}, "set-name": "lan0"}

		def attempt(name, function, *arguments, **options):
		    try:
		        print(f"{name}: {function(*arguments, **options)}")
		    except RuntimeError as error:
		        print(f"{name}: RuntimeError: {error}")

		print(f"cloud-init {version.version_string()}")
		attempt("get_interfaces_by_mac", net.get_interfaces_by_mac)
		attempt("wait_for_physdevs", LinuxNetworking().wait_for_physdevs,
		        {"version": 2, "ethernets": {"lan": LAN}})
		attempt("find_fallback_nic", net.find_fallback_nic)
	END
}
changed() {
	echo "CHANGED: $*"
	exit 1
}

ip link add hn0 address 02:00:00:00:00:01 type veth peer name host0
ip link add vf0 address 02:00:00:00:00:02 type veth peer name host1
ip link add lan0 address 02:00:00:00:00:99 type veth peer name host2
ip link set host0 up
ip link set hn0 up

echo "Two MAC addresses:"
two=$(look)
echo "$two"
! grep -q RuntimeError <<<"$two" || changed "cloud-init does not work here even with two addresses"

echo "One MAC address:"
ip link set vf0 address 02:00:00:00:00:01
one=$(look)
echo "$one"
for name in get_interfaces_by_mac wait_for_physdevs; do
	grep -q "^$name: RuntimeError: duplicate mac found!" <<<"$one" || changed "$name() takes it"
done
! grep -q '^find_fallback_nic: RuntimeError' <<<"$one" || changed "find_fallback_nic() fails too"
echo "still so"
