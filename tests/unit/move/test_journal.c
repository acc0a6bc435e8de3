/* SPDX-License-Identifier: BSD-2-Clause */
/* What hn had is on disk before anything changes, and gives it back what is still a port's. */
#include "cm.h"

#include "fake_kernel.h"

#include "move/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[32];
static char path[64];
static char new_path[80];
static struct fake_kernel *fake;
static struct nv_link hn;
static struct nv_journal journal; /* of hn: an address, a route that does not move, settings */

static int set_up(void **state)
{
	struct nv_route route = {
		.family = AF_INET,
		.type = RTN_UNICAST,
		.table = RT_TABLE_MAIN,
		.protocol = RTPROT_STATIC,
		.has_gateway = true,
	};
	struct nv_addr addr;

	(void)state;
	nv_strcopy(dir, sizeof(dir), "/tmp/test-journal.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/vfup.hn0.json", dir);
	snprintf(new_path, sizeof(new_path), "%s.new", path);
	fake = fake_kernel_new();
	fake_make_link(fake, "hn0", "virtio_net", 1);
	hn = fake_link(fake, "hn0");
	addr = fake_addr(hn.ifindex, "192.0.2.5/24");
	route.oif = hn.ifindex;
	route.gateway = fake_ip("192.0.2.1");
	journal = (struct nv_journal){
		.hn = hn.ifindex,
		.taken = 1234,
		.lagg_mtu = 1400,
		.settings = {.mtu = 9000, .up = true, .accept_ra = "2", .rp_filter = "1"},
	};
	memcpy(journal.mac, hn.mac, NV_MAC_LEN);
	assert_int_equal(nv_rtobjs_add_addr(&journal.addrs, &addr), 0);
	return nv_rtobjs_add_route(&journal.displaced, &route);
}

static int tear_down(void **state)
{
	(void)state;
	nv_journal_auto(&journal);
	nv_kernel_free(fake->kernel);
	unlink(path);
	rmdir(new_path);
	unlink(new_path);
	return rmdir(dir);
}

static void write_text(const char *text)
{
	NV_AUTO(nv_file) FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

static void what_was_written_is_read(void **state)
{
	NV_AUTO(nv_journal) struct nv_journal read = {};
	struct nv_addr addr;
	struct stat status;

	(void)state;
	journal.settings.promiscuous = true;
	assert_int_equal(nv_journal_write(dir, "hn0", &journal), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0600);
	assert_int_equal(access(new_path, F_OK), -1);
	assert_int_equal(nv_journal_read(dir, &hn, &read), 0);
	assert_int_equal(read.hn, hn.ifindex);
	assert_memory_equal(read.mac, hn.mac, NV_MAC_LEN);
	assert_int_equal(read.taken, 1234);
	assert_int_equal(read.lagg_mtu, 1400);
	assert_int_equal(read.settings.mtu, 9000);
	assert_true(read.settings.up && !read.settings.all_multicast);
	assert_true(read.settings.promiscuous);
	assert_string_equal(read.settings.accept_ra, "2");
	assert_string_equal(read.settings.rp_filter, "1");
	assert_int_equal(read.addrs.count, 1);
	assert_int_equal(read.displaced.count, 1);
	assert_int_equal(read.ports.count + read.configured.count, 0);
	assert_int_equal(nv_rtobj_addr(nv_rtobjs_next(&read.addrs, NULL), &addr), 0);
	assert_int_equal(addr.local.v4.s_addr, fake_ip("192.0.2.5").v4.s_addr);
}

static void the_journal_of_another_is_none(void **state)
{
	NV_AUTO(nv_journal) struct nv_journal read = {};

	(void)state;
	assert_int_equal(nv_journal_read(dir, &hn, &read), 0); /* there is no file */
	assert_int_equal(read.hn, 0);
	assert_int_equal(nv_journal_write(dir, "hn0", &journal), 0);
	hn.mac[5]++;
	assert_int_equal(nv_journal_read(dir, &hn, &read), 0);
	assert_int_equal(read.hn, 0);
	hn.mac[5]--;
	hn.ifindex++;
	assert_int_equal(nv_journal_read(dir, &hn, &read), 0);
	assert_int_equal(read.hn, 0);
}

static void a_damaged_one_is_an_error_and_changes_nothing(void **state)
{
	static const char *const damages[] = {"", "[]", "{\"version\": 1", "{\"version\": 2}"};
	struct nv_journal found = {.hn = 4711};
	char whole[8192] = "";
	NV_AUTO(nv_fd) int fd = -1;
	char *request;

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(damages); i++) {
		write_text(damages[i]);
		assert_int_equal(nv_journal_read(dir, &hn, &found), -EBADMSG);
		assert_int_equal(found.hn, 4711);
	}
	assert_int_equal(nv_journal_write(dir, "hn0", &journal), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(read(fd, whole, sizeof(whole) - 1) > 0);
	request = strstr(whole, "\"request\": \"");
	assert_non_null(request);
	request[12] = 'z'; /* is no hexadecimal digit */
	write_text(whole);
	assert_int_equal(nv_journal_read(dir, &hn, &found), -EBADMSG);
	assert_int_equal(found.hn, 4711);
}

/* The old one stays until the new one is whole. */
static void one_that_cannot_be_written_leaves_the_one_before(void **state)
{
	NV_AUTO(nv_journal) struct nv_journal read = {};

	(void)state;
	assert_int_equal(nv_journal_write("/nonexistent", "hn0", &journal), -ENOENT);
	assert_int_equal(nv_journal_write(dir, "hn0", &journal), 0);
	assert_int_equal(mkdir(new_path, 0700), 0);
	journal.lagg_mtu = 1500;
	assert_int_equal(nv_journal_write(dir, "hn0", &journal), -EISDIR);
	assert_int_equal(nv_journal_read(dir, &hn, &read), 0);
	assert_int_equal(read.lagg_mtu, 1400);
}

static void no_link_is_followed_to_write_it(void **state)
{
	(void)state;
	assert_int_equal(symlink(path, new_path), 0);
	assert_int_equal(nv_journal_write(dir, "hn0", &journal), -ELOOP);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_forgotten_one_is_gone(void **state)
{
	(void)state;
	assert_int_equal(nv_journal_write(dir, "hn0", &journal), 0);
	nv_journal_forget(dir, "hn0");
	assert_int_equal(access(path, F_OK), -1);
	nv_journal_forget(dir, "hn0");
}

static void set_sysctl(const char *name, const char *value)
{
	assert_int_equal(nv_kernel_sysctl_write(fake->kernel, name, value), 0);
}

static void hn_gets_back_what_is_still_a_ports(void **state)
{
	(void)state;
	hn.mtu = 1400; /* the lagg's */
	hn.flags |= IFF_ALLMULTI | IFF_PROMISC;
	hn.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	fake_put_link(fake, &hn);
	set_sysctl("net/ipv6/conf/hn0/accept_ra", "0");
	set_sysctl("net/ipv4/conf/hn0/rp_filter", "2");
	nv_str_clear(&fake->log);
	assert_int_equal(nv_journal_restore(fake->kernel, &journal, &hn), 0);
	assert_string_equal(nv_str_text(&fake->log),
		"link_set hn0 mtu=9000 -allmulti -promisc up addrgen=0\n"
		"sysctl net/ipv6/conf/hn0/accept_ra=2\n"
		"sysctl net/ipv4/conf/hn0/rp_filter=1\n");
}

static void what_somebody_has_set_since_stays(void **state)
{
	(void)state;
	hn.mtu = 1200; /* neither hn's nor the lagg's */
	hn.flags &= ~(uint32_t)IFF_UP;
	hn.addr_gen_mode = IN6_ADDR_GEN_MODE_RANDOM;
	fake_put_link(fake, &hn);
	set_sysctl("net/ipv6/conf/hn0/accept_ra", "1");
	set_sysctl("net/ipv4/conf/hn0/rp_filter", "0");
	nv_str_clear(&fake->log);
	assert_int_equal(nv_journal_restore(fake->kernel, &journal, &hn), 0);
	assert_string_equal(nv_str_text(&fake->log),
		"link_set hn0 -allmulti -promisc down addrgen=3\n"
		"sysctl net/ipv6/conf/hn0/accept_ra=1\n"
		"sysctl net/ipv4/conf/hn0/rp_filter=0\n");
}

static void a_refused_setting_is_an_error_and_the_others_come_back(void **state)
{
	(void)state;
	set_sysctl("net/ipv6/conf/hn0/accept_ra", "0");
	nv_str_clear(&fake->log);
	fake_fail(fake, FAKE_LINK_SET, 1, -EPERM);
	assert_int_equal(nv_journal_restore(fake->kernel, &journal, &hn), -EPERM);
	assert_non_null(strstr(nv_str_text(&fake->log), "sysctl net/ipv6/conf/hn0/accept_ra=2\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_written_is_read),
		TEST(the_journal_of_another_is_none),
		TEST(a_damaged_one_is_an_error_and_changes_nothing),
		TEST(one_that_cannot_be_written_leaves_the_one_before),
		TEST(no_link_is_followed_to_write_it),
		TEST(a_forgotten_one_is_gone),
		TEST(hn_gets_back_what_is_still_a_ports),
		TEST(what_somebody_has_set_since_stays),
		TEST(a_refused_setting_is_an_error_and_the_others_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
