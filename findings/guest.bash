# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# To be sourced: boots Debian 12's Linux in its QEMU, under `with bookworm "${guest_packages[@]}"`.
guest_kernel=6.1.0-50-amd64
guest_packages=(busybox-static=1:1.35.0-4+deb12u1+b1 "linux-image-$guest_kernel=6.1.176-1"
	qemu-system-x86=1:7.2+dfsg-7+deb12u18+b3 qemu-system-common=1:7.2+dfsg-7+deb12u18+b3
	qemu-system-data=1:7.2+dfsg-7+deb12u18 seabios=1.16.2-1 ipxe-qemu
	libaio1 libbpf1 libcapstone4 libdaxctl1 libelf1 libfdt1 libglib2.0-0 libgnutls30
	libhogweed6 libibverbs1 libidn2-0 libjpeg62-turbo libkmod2 libndctl6 libnettle8
	libnl-3-200 libnl-route-3-200 libnuma1 libp11-kit0 libpixman-1-0 libpmem1 libpng16-16
	librdmacm1 libsasl2-2 libseccomp2 libslirp0 libtasn1-6 libunistring2 liburing2
	libvdeplug2)

# guest_make MODULES COMMANDS: makes the initramfs /mnt/initrd. It loads the modules, by their
# names, in this order, and runs the commands by busybox, whose output goes to the serial line.
guest_make() {
	local module root
	root=$(dirname "$(dirname "$(command -v busybox)")")
	[ -e "$root/boot" ] || root=$(dirname "$root")
	guest_root=$root
	mount -t tmpfs tmpfs /mnt
	mkdir -p /mnt/files/{bin,dev,proc,sys}
	cp "$(command -v busybox)" /mnt/files/bin/
	for module in $1; do
		find "$root/lib/modules/$guest_kernel" -name "$module.ko" -exec cp {} /mnt/files/ \;
	done
	cat >/mnt/files/init <<-END
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		mount -t devtmpfs devtmpfs /dev
		mount -t proc proc /proc
		mount -t sysfs sysfs /sys
		mount -t debugfs debugfs /sys/kernel/debug
		for module in $1; do insmod /\$module.ko; done
		( $2
		) >/dev/ttyS0 2>&1
		poweroff -f
	END
	chmod 755 /mnt/files/init
	(cd /mnt/files && find . | busybox cpio -o -H newc) >/mnt/initrd 2>/dev/null
}

# guest_run ARGUMENT...: of QEMU. Ends with the guest, after two minutes at the latest.
guest_run() {
	QEMU_MODULE_DIR=$guest_root/usr/lib/$(uname -m)-linux-gnu/qemu timeout 120 \
		qemu-system-x86_64 -L "$guest_root/usr/share/qemu" \
		-L "$guest_root/usr/share/seabios" -L "$guest_root/usr/lib/ipxe/qemu" -accel tcg \
		-m 256M -nodefaults -no-user-config -display none -no-reboot \
		-kernel "$guest_root/boot/vmlinuz-$guest_kernel" -initrd /mnt/initrd \
		-append "console=ttyS0 quiet panic=-1" "$@"
}
