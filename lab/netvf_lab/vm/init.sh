#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The guest's first process.

export PATH=/usr/sbin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
while read -r module options; do
	# shellcheck disable=SC2086 # words
	insmod "/lib/modules/$module.ko" $options
done </etc/modules
hostname guest
ip link set lo up

# The ports are announced one by one, of each card.
set -- /sys/bus/virtio/drivers/virtio_console/virtio*
until [ "$(cat /sys/class/virtio-ports/*/name 2>/dev/null | grep -c ^last)" = $# ]; do
	usleep 10000
done
mkdir /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do
	ln -s "../${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
done

# hn0 is the virtio interface; of net_failover's, the one that has no master.
for link in /sys/class/net/*; do
	case $(readlink "$link/device/driver") in
	*/virtio_net) [ -e "$link/master" ] || ip link set "${link##*/}" name hn0 ;;
	esac
done

obey
poweroff -f
