#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Puts the scenario's own files into Debian's root, and starts systemd there.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module options; do
	# shellcheck disable=SC2086 # words
	insmod "/lib/modules/$module.ko" $options
done </etc/modules
mount -t ext4 /dev/vda /root
cp -af /scenario/. /root
umount /proc /sys
exec switch_root /root /sbin/init
