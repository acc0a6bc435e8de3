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
kernel=6.1.0-50-amd64
[ "${1-}" = inside ] || exec ./with bookworm busybox-static=1:1.35.0-4+deb12u1+b1 \
	linux-image-$kernel=6.1.176-1 qemu-system-x86=1:7.2+dfsg-7+deb12u18+b3 \
	qemu-system-common=1:7.2+dfsg-7+deb12u18+b3 qemu-system-data=1:7.2+dfsg-7+deb12u18 \
	seabios=1.16.2-1 \
	libaio1 libbpf1 libcapstone4 libdaxctl1 libelf1 libfdt1 libglib2.0-0 libgnutls30 \
	libhogweed6 libibverbs1 libidn2-0 libjpeg62-turbo libkmod2 libndctl6 libnettle8 \
	libnl-3-200 libnl-route-3-200 libnuma1 libp11-kit0 libpixman-1-0 libpmem1 libpng16-16 \
	librdmacm1 libsasl2-2 libseccomp2 libslirp0 libtasn1-6 libunistring2 liburing2 \
	libvdeplug2 \
	-- "$PWD/${0##*/}" inside

ports=20
root=$(dirname "$(dirname "$(command -v busybox)")")
[ -e "$root/boot/vmlinuz-$kernel" ] || root=$(dirname "$root")
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/files/{bin,dev,proc,sys}
cp "$(command -v busybox)" /mnt/files/bin/
modules="virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_console"
for module in $modules; do
	find "$root/lib/modules/$kernel" -name "$module.ko" -exec cp {} /mnt/files/ \;
done
cat >/mnt/files/init <<END
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs devtmpfs /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
for module in $modules; do insmod /\$module.ko; done
until grep -qsx port$ports /sys/class/virtio-ports/*/name; do usleep 10000; done
sleep 2
echo "told: \$(cat /sys/kernel/debug/virtio-ports/* | grep -c 'host_connected: 1')" >/dev/ttyS0
poweroff -f
END
chmod 755 /mnt/files/init
(cd /mnt/files && find . | busybox cpio -o -H newc) >/mnt/initrd 2>/dev/null

argv=(-L "$root/usr/share/qemu" -L "$root/usr/share/seabios" -accel tcg -m 256M -nodefaults
	-no-user-config -display none -no-reboot -serial stdio -kernel "$root/boot/vmlinuz-$kernel"
	-initrd /mnt/initrd -append "console=ttyS0 quiet panic=-1" -device virtio-serial-pci)
for port in $(seq $ports); do
	argv+=(-chardev "file,id=c$port,path=/mnt/port$port")
	argv+=(-device "virtserialport,chardev=c$port,name=port$port")
done
QEMU_MODULE_DIR=$root/usr/lib/$(uname -m)-linux-gnu/qemu
export QEMU_MODULE_DIR
qemu-system-x86_64 --version | head -n 1
told=$(timeout 120 qemu-system-x86_64 "${argv[@]}" | tr -d '\r' | sed -n 's/^told: //p')
echo "of $ports ports, open for the guest: ${told:-no answer}"
[ -n "$told" ] || exit 2
[ "$told" -lt "$ports" ] || {
	echo "CHANGED: the guest is told of all"
	exit 1
}
