#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# QEMU and Linux: of a virtio-serial card with many ports, the guest is told of only some of them
# that their far end is open. Reads of the others end at once, as if the far end had closed them.
#
# Assumed: a port whose character device is open from the start is open for the guest, however many
# ports the card has (max_ports is 31 by default).
# Seen with QEMU 7.2+dfsg-7+deb12u18 and Linux 6.1.176-1: of 20 ports 11 have host_connected: 1.
# With QEMU 11.1.3 and Linux 6.1.192-2 it was 3 of 28. Nothing is logged. (QEMU tells of a port by
# the card's control queue, and what finds no room there is not told later.)
set -eu
cd "$(dirname "$0")"
# shellcheck source=guest.bash
. ./guest.bash
[ "${1-}" = inside ] || exec ./with bookworm "${guest_packages[@]}" -- "$PWD/${0##*/}" inside

ports=20
modules="virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_console"
guest_make "$modules" "
	until grep -qsx port$ports /sys/class/virtio-ports/*/name; do usleep 10000; done
	sleep 2
	echo told: \$(cat /sys/kernel/debug/virtio-ports/* | grep -c 'host_connected: 1')"
argv=(-serial stdio -device virtio-serial-pci)
for port in $(seq $ports); do
	argv+=(-chardev "file,id=c$port,path=/mnt/port$port")
	argv+=(-device "virtserialport,chardev=c$port,name=port$port")
done
qemu-system-x86_64 --version | head -n 1
told=$(guest_run "${argv[@]}" | tr -d '\r' | sed -n 's/^told: //p')
echo "of $ports ports, open for the guest: ${told:-no answer}"
[ -n "$told" ] || exit 2
[ "$told" -lt "$ports" ] || {
	echo "CHANGED: the guest is told of all"
	exit 1
}
