/* SPDX-License-Identifier: BSD-2-Clause */
/* What changes in the kernel sound like as devctl events: exact lines. */
#include "cm.h"

#include "devd/kernel_events.h"
#include "event/event.h"
#include "fake_kernel.h"
#include "kernel/netlink_ops.h"

#include <net/if_arp.h>
#include <string.h>

struct fixture {
	struct nv_kernel_events *announce;
	struct nv_str lines;
};

static void on_line(const char *line, void *data)
{
	struct nv_event *event = NULL;
	const struct timespec when = {};

	/* Whatever is said must be what devd's parser takes. */
	assert_int_equal(nv_event_parse(line, strlen(line), &when, &event), 0);
	assert_int_not_equal(nv_event_kind(event), NV_EVENT_UNKNOWN);
	nv_event_free(event);
	nv_str_printf(data, "%s\n", line);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	return fixture ? nv_kernel_events_new(on_line, &fixture->lines, &fixture->announce) : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	nv_kernel_events_free(fixture->announce);
	nv_str_auto(&fixture->lines);
	free(fixture);
	return 0;
}

static void expect(struct fixture *fixture, const char *lines)
{
	assert_string_equal(nv_str_text(&fixture->lines), lines);
	nv_str_clear(&fixture->lines);
}

static const struct nv_link eth0 = {
	.ifindex = 3, .name = "eth0", .type = ARPHRD_ETHER, .flags = IFF_UP | IFF_RUNNING};

static void an_ethernet_link_attaches_twice(void **state)
{
	struct fixture *fixture = *state;
	struct nv_link down = eth0;
	struct nv_link lo = {.ifindex = 1, .name = "lo", .type = ARPHRD_LOOPBACK};

	down.flags = IFF_UP;
	nv_kernel_events_link(fixture->announce, NULL, &lo);
	nv_kernel_events_link(fixture->announce, NULL, &down);
	expect(fixture, "!system=IFNET subsystem=lo type=ATTACH\n"
			"!system=IFNET subsystem=eth0 type=ATTACH\n"
			"!system=ETHERNET subsystem=eth0 type=IFATTACH\n");
	nv_kernel_events_link(fixture->announce, NULL, &eth0);
	expect(fixture, "!system=IFNET subsystem=eth0 type=ATTACH\n"
			"!system=ETHERNET subsystem=eth0 type=IFATTACH\n"
			"!system=IFNET subsystem=eth0 type=LINK_UP\n");
	nv_kernel_events_link(fixture->announce, &eth0, NULL);
	expect(fixture, "!system=IFNET subsystem=eth0 type=DETACH\n");
}

static void a_known_link_does_not_attach_again(void **state)
{
	struct fixture *fixture = *state;

	nv_kernel_events_known_link(fixture->announce, &eth0);
	expect(fixture, "!system=IFNET subsystem=eth0 type=ATTACH\n"
			"!system=IFNET subsystem=eth0 type=LINK_UP\n");
}

static void only_running_counts_as_link_up(void **state)
{
	struct fixture *fixture = *state;
	struct nv_link dormant = eth0;
	struct nv_link other = eth0;

	dormant.flags = IFF_UP | IFF_LOWER_UP | IFF_DORMANT;
	dormant.carrier = true;
	other.mtu = 9000;
	nv_kernel_events_link(fixture->announce, &eth0, &other);
	expect(fixture, "");
	nv_kernel_events_link(fixture->announce, &eth0, &dormant);
	expect(fixture, "!system=IFNET subsystem=eth0 type=LINK_DOWN\n");
	nv_kernel_events_link(fixture->announce, &dormant, &eth0);
	expect(fixture, "!system=IFNET subsystem=eth0 type=LINK_UP\n");
}

static void a_rename_says_the_old_name_first(void **state)
{
	struct fixture *fixture = *state;
	struct nv_link renamed = eth0;

	strcpy(renamed.name, "vf0");
	renamed.flags = IFF_UP;
	nv_kernel_events_link(fixture->announce, &eth0, &renamed);
	expect(fixture, "!system=IFNET subsystem=eth0 type=RENAME name=vf0\n"
			"!system=IFNET subsystem=vf0 type=LINK_DOWN\n");
}

static void a_new_name_before_it_is_up_is_an_interface_to_act_on(void **state)
{
	struct fixture *fixture = *state;
	struct nv_link down = eth0;
	struct nv_link renamed;

	down.flags = 0;
	renamed = down;
	strcpy(renamed.name, "enp1s0");
	nv_kernel_events_link(fixture->announce, &down, &renamed);
	expect(fixture, "!system=IFNET subsystem=eth0 type=RENAME name=enp1s0\n"
			"!system=ETHERNET subsystem=enp1s0 type=IFATTACH\n");
}

static void an_evil_name_is_only_a_value(void **state)
{
	struct fixture *fixture = *state;
	struct nv_link evil = eth0;

	strcpy(evil.name, "a\"$(x)';b");
	nv_kernel_events_link(fixture->announce, &evil, NULL);
	expect(fixture, "!system=IFNET subsystem=a\\\"$(x)';b type=DETACH\n");
}

static void an_address_counts_while_it_can_be_used(void **state)
{
	struct fixture *fixture = *state;
	struct nv_link link = eth0;
	const struct nv_links links = {&link, 1};
	struct nv_addr four = fake_addr(3, "192.0.2.1/24");
	struct nv_addr tentative = fake_addr(3, "2001:db8::1/64");
	struct nv_addr six = tentative;
	struct nv_addr elsewhere = fake_addr(4, "192.0.2.2/24");

	tentative.flags = IFA_F_TENTATIVE;
	nv_kernel_events_addr(fixture->announce, &links, NULL, &four);
	nv_kernel_events_addr(fixture->announce, &links, &four, NULL);
	expect(fixture, "!system=IFNET subsystem=eth0 type=ADDR_ADD address=192.0.2.1\n"
			"!system=IFNET subsystem=eth0 type=ADDR_DEL address=192.0.2.1\n");
	nv_kernel_events_addr(fixture->announce, &links, NULL, &tentative);
	nv_kernel_events_addr(fixture->announce, &links, NULL, &elsewhere);
	expect(fixture, "");
	nv_kernel_events_addr(fixture->announce, &links, &tentative, &six);
	expect(fixture, "!system=IFNET subsystem=eth0 type=ADDR_ADD address=2001:db8::1\n");
	tentative.flags |= IFA_F_DADFAILED;
	nv_kernel_events_addr(fixture->announce, &links, NULL, &tentative);
	nv_kernel_events_addr(fixture->announce, &links, &tentative, NULL);
	expect(fixture, "");
	tentative.flags |= IFA_F_OPTIMISTIC;
	nv_kernel_events_addr(fixture->announce, &links, NULL, &tentative);
	expect(fixture, "");
	tentative.flags = IFA_F_TENTATIVE | IFA_F_OPTIMISTIC;
	nv_kernel_events_addr(fixture->announce, &links, NULL, &tentative);
	expect(fixture, "!system=IFNET subsystem=eth0 type=ADDR_ADD address=2001:db8::1\n");
}

static void tell(struct fixture *fixture, const char *lines)
{
	NV_AUTO(nv_free) char *bytes = strdup(lines);
	size_t length = strlen(lines);
	struct nv_uevent_text text;
	struct nv_uevent uevent;

	assert_non_null(bytes);
	for (char *at = bytes; (at = strchr(at, '\n')); at++)
		*at = '\0';
	assert_int_equal(nv_uevent_decode(bytes, length, &text, &uevent), 0);
	nv_kernel_events_uevent(fixture->announce, &uevent);
}

#define NODE(action, subsystem, name)                                                \
	"ACTION=" action "\nDEVPATH=/devices/virtual/" name "\nSUBSYSTEM=" subsystem \
	"\nDEVNAME=" name

static void nodes_come_and_go_by_freebsds_names(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, NODE("add", "misc", "vmbus/hv_kvp"));
	tell(fixture, NODE("add", "misc", "vmbus/hv_vss"));
	tell(fixture, NODE("add", "misc", "vmbus/hv_fcopy"));
	tell(fixture, NODE("change", "misc", "vmbus/hv_kvp"));
	tell(fixture, NODE("add", "block", "sda"));
	tell(fixture, "ACTION=add\nDEVPATH=/devices/x\nSUBSYSTEM=net");
	tell(fixture, NODE("remove", "misc", "vmbus/hv_vss"));
	tell(fixture, NODE("remove", "tty", "ttyUSB0"));
	expect(fixture, "!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_kvp_dev\n"
			"!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_fsvss_dev\n"
			"!system=DEVFS subsystem=CDEV type=CREATE cdev=vmbus/hv_fcopy\n"
			"!system=DEVFS subsystem=CDEV type=DESTROY cdev=hv_fsvss_dev\n"
			"!system=DEVFS subsystem=CDEV type=DESTROY cdev=ttyUSB0\n");
}

#define PCI(action, slot, driver)                                                                 \
	"ACTION=" action "\nDEVPATH=/devices/pci0000:00/0000:02:" slot "\nSUBSYSTEM=pci\n" driver \
	"PCI_CLASS=20000\nPCI_ID=8086:10D3\nPCI_SUBSYS_ID=1AF4:1100\n"                            \
	"PCI_SLOT_NAME=0000:02:" slot
#define E1000E "DRIVER=e1000e\n"

static void a_pci_device_is_named_by_its_driver(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, PCI("add", "1f.3", ""));
	tell(fixture, PCI("bind", "1f.3", E1000E));
	tell(fixture, PCI("unbind", "1f.3", E1000E));
	tell(fixture, PCI("remove", "1f.3", ""));
	expect(fixture,
		"? at slot=31 function=3 dbsf=pci0:2:31:3 vendor=0x8086 device=0x10d3 "
		"subvendor=0x1af4 subdevice=0x1100 class=0x020000 on pci2\n"
		"+e1000e0 at slot=31 function=3 dbsf=pci0:2:31:3 vendor=0x8086 device=0x10d3 "
		"subvendor=0x1af4 subdevice=0x1100 class=0x020000 on pci2\n"
		"-e1000e0 at slot=31 function=3 dbsf=pci0:2:31:3 vendor=0x8086 device=0x10d3 "
		"subvendor=0x1af4 subdevice=0x1100 class=0x020000 on pci2\n");
}

/* Keeps of each line only the name: "+e1000e0 ". */
static void expect_names(struct fixture *fixture, const char *names)
{
	char have[256] = "";

	for (char *line = strtok(fixture->lines.text, "\n"); line; line = strtok(NULL, "\n"))
		strncat(have, line, strcspn(line, " ") + 1);
	assert_string_equal(have, names);
	nv_str_clear(&fixture->lines);
}

static void units_are_the_lowest_free_and_kept(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, PCI("bind", "01.0", E1000E));
	tell(fixture, PCI("bind", "02.0", E1000E));
	tell(fixture, PCI("bind", "03.0", "DRIVER=mlx5_core\n"));
	tell(fixture, PCI("bind", "04.0", E1000E));
	tell(fixture, PCI("unbind", "02.0", ""));
	tell(fixture, PCI("remove", "04.0", ""));
	tell(fixture, PCI("bind", "05.0", E1000E));
	tell(fixture, PCI("remove", "01.0", ""));
	expect_names(fixture,
		"+e1000e0 +e1000e1 +mlx5_core0 +e1000e2 -e1000e1 -e1000e2 +e1000e1 -e1000e0 ");
	/* Once each, whatever is repeated or missing. */
	tell(fixture, PCI("remove", "01.0", ""));
	tell(fixture, PCI("unbind", "05.0", ""));
	tell(fixture, PCI("remove", "05.0", ""));
	tell(fixture, PCI("bind", "03.0", "DRIVER=mlx5_core\n"));
	tell(fixture, PCI("bind", "03.0", "DRIVER=vfio pci\n"));
	tell(fixture, PCI("bind", "03.0", "DRIVER=vfio pci\n"));
	tell(fixture, PCI("bind", "06.0", ""));
	expect_names(fixture, "-e1000e1 -mlx5_core0 +vfio_pci0 ");
}

static void a_vmbus_device_has_guids(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, "ACTION=bind\nDEVPATH=/devices/LNXSYSTM:00/VMBUS:00/"
		      "000d3a5c-1d2e-000d-3a5c-1d2e000d3a5c\nSUBSYSTEM=vmbus\nDRIVER=hv_netvsc\n"
		      "MODALIAS=vmbus:635161f83edfc546913ff2d2f965ed0e");
	expect(fixture, "+hv_netvsc0 at  classid=f8615163-df3e-46c5-913f-f2d2f965ed0e "
			"deviceid=000d3a5c-1d2e-000d-3a5c-1d2e000d3a5c on vmbus0\n");
}

static void a_device_that_says_little_is_told_all_the_same(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, "ACTION=bind\nDEVPATH=/devices/a\nSUBSYSTEM=pci\nDRIVER=foo\nPCI_ID=junk");
	tell(fixture, "ACTION=bind\nDEVPATH=/devices/b\nSUBSYSTEM=vmbus\nDRIVER=foo\n"
		      "MODALIAS=vmbus:63");
	expect(fixture, "+foo0 at   on pci0\n+foo1 at   on vmbus0\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_ethernet_link_attaches_twice),
		TEST(a_known_link_does_not_attach_again),
		TEST(only_running_counts_as_link_up),
		TEST(a_rename_says_the_old_name_first),
		TEST(a_new_name_before_it_is_up_is_an_interface_to_act_on),
		TEST(an_evil_name_is_only_a_value),
		TEST(an_address_counts_while_it_can_be_used),
		TEST(nodes_come_and_go_by_freebsds_names),
		TEST(a_pci_device_is_named_by_its_driver),
		TEST(units_are_the_lowest_free_and_kept),
		TEST(a_vmbus_device_has_guids),
		TEST(a_device_that_says_little_is_told_all_the_same),
	};

	return cmocka_run_group_tests_name("announce", tests, NULL, NULL);
}
