/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of systemd-detect-virt, in FreeBSD's. */
#include "cm.h"
#include "services/vm_guest.h"

static void every_word_has_one_of_freebsds(void **state)
{
	(void)state;
	assert_string_equal(nv_vm_guest_word("none"), "none");
	assert_string_equal(nv_vm_guest_word("kvm"), "kvm");
	assert_string_equal(nv_vm_guest_word("amazon"), "kvm");
	assert_string_equal(nv_vm_guest_word("google"), "kvm");
	assert_string_equal(nv_vm_guest_word("microsoft"), "hv");
	assert_string_equal(nv_vm_guest_word("vmware"), "vmware");
	assert_string_equal(nv_vm_guest_word("oracle"), "vbox");
	assert_string_equal(nv_vm_guest_word("xen"), "xen");
	assert_string_equal(nv_vm_guest_word("bhyve"), "bhyve");
	assert_string_equal(nv_vm_guest_word("parallels"), "parallels");
}

static void what_freebsd_has_no_word_for_is_generic(void **state)
{
	(void)state;
	assert_string_equal(nv_vm_guest_word("qemu"), "generic");
	assert_string_equal(nv_vm_guest_word("powervm"), "generic");
	assert_string_equal(nv_vm_guest_word(""), "generic");
	assert_string_equal(nv_vm_guest_word("hv"), "generic");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_has_one_of_freebsds),
		cmocka_unit_test(what_freebsd_has_no_word_for_is_generic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
