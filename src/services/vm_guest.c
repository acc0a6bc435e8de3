/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/vm_guest.h"

#include "base/log.h"
#include "services/run.h"

#include <errno.h>
#include <string.h>

/*
 * systemd 262 knows more (qemu without KVM, bochs, uml, powervm, qnx, acrn, apple, sre and others)
 * for which FreeBSD has no word.
 */
static const struct {
	const char *virt;
	const char *guest;
} vm_guest_words[] = {
	{"none", "none"},
	{"kvm", "kvm"},
	{"amazon", "kvm"},
	{"google", "kvm"},
	{"microsoft", "hv"},
	{"vmware", "vmware"},
	{"oracle", "vbox"},
	{"xen", "xen"},
	{"bhyve", "bhyve"},
	{"parallels", "parallels"},
};

const char *nv_vm_guest_word(const char *virt)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(vm_guest_words); i++)
		if (nv_streq(virt, vm_guest_words[i].virt))
			return vm_guest_words[i].guest;
	return "generic";
}

const char *nv_vm_guest(void)
{
	static const char *const argv[] = {"systemd-detect-virt", "--vm", NULL};
	NV_AUTO(nv_str) struct nv_str output = {};
	NV_AUTO(nv_words) struct nv_words words = {};
	int r = nv_run(argv, &output);

	/* It exits with status 1 when it prints "none". */
	if (r == -EPROTO && nv_str_text(&output)[0])
		r = 0;
	if (r == 0)
		r = nv_words_split(nv_str_text(&output), &words);
	if (r < 0 || words.count != 1) {
		nv_warn("cannot tell which hypervisor this is, so vm_guest is generic: systemd-detect-virt: %s; set netvf_vm_guest in rc.conf",
			r < 0 ? nv_strerror(r) : "what it printed is not one word");
		return "generic";
	}
	return nv_vm_guest_word(words.word[0]);
}
