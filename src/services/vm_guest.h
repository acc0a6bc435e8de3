/* SPDX-License-Identifier: BSD-2-Clause */
/* Which hypervisor this guest runs on, in the words of FreeBSD's sysctl kern.vm_guest. */
#pragma once

/*
 * Asks systemd-detect-virt(1), which reads CPUID, DMI, device tree and Xen's files. Runs a program:
 * some milliseconds, NV_RUN_PATIENCE at most.
 * Returns a word as nv_vm_guest_word() does, static; "generic" where the program is missing or
 * fails, which is logged.
 */
const char *nv_vm_guest(void);

/*
 * FreeBSD's word for one of systemd-detect-virt's, static (kern.vm_guest as FreeBSD 15 has it:
 * none, generic, xen, hv, vmware, kvm, bhyve, vbox, parallels, nvmm). Pure.
 * @virt: what the program prints for a VM, without the newline. An unknown word is "generic".
 */
const char *nv_vm_guest_word(const char *virt);
