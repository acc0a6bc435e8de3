/* SPDX-License-Identifier: BSD-2-Clause */
/* Which hypervisor this guest runs on, as a value of FreeBSD's sysctl kern.vm_guest. */
#pragma once

/*
 * Runs systemd-detect-virt(1), which reads CPUID, DMI, the device tree and Xen's files. Takes some
 * milliseconds, at most NV_RUN_PATIENCE. Returns a word of nv_vm_guest_word(), static; "generic" if
 * the program is missing or fails, which is logged.
 */
const char *nv_vm_guest(void);

/*
 * FreeBSD's word for one of systemd-detect-virt's, static. FreeBSD 15 has none, generic, xen, hv,
 * vmware, kvm, bhyve, vbox, parallels and nvmm. Pure.
 * @virt: what the program prints for a VM, without the newline. An unknown word gives "generic".
 */
const char *nv_vm_guest_word(const char *virt);
