/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/notify_peers.c over a kernel in memory and a virtual clock. */
#include "cm.h"

#include "fake_kernel.h"

#include "base/log.h"
#include "failover/managed_table.h"
#include "failover/notify_peers.h"

#include <errno.h>
#include <string.h>

static struct fake_kernel *fake;
static struct nv_failover failover;
static struct nv_monitor *monitor;
static struct nv_settings settings;
static struct nv_dp_pair path[5];

/* In place of the data path. */
int nv_datapath_get(struct nv_datapath *datapath, int hn, struct nv_dp_pair *ret_pair)
{
	(void)datapath;
	for (size_t i = 0; i < NV_ARRAY_SIZE(path); i++) {
		if (hn && path[i].hn == hn) {
			*ret_pair = path[i];
			return 0;
		}
	}
	return -ENOENT;
}

static int set_up(void **state)
{
	static const struct nv_monitor_ops nobody;

	(void)state;
	fake = fake_kernel_new();
	memset(path, 0, sizeof(path));
	settings = (struct nv_settings){.announce_count = 3, .announce_interval = 2};
	failover = (struct nv_failover){.kernel = fake->kernel, .settings = &settings};
	assert_int_equal(nv_loop_new(NV_LOOP_VIRTUAL, &failover.loop), 0);
	assert_int_equal(
		nv_loop_watch_timer(failover.loop, nv_notify_peers, &failover, &failover.notify),
		0);
	assert_int_equal(nv_monitor_new(failover.loop, fake->kernel, &nobody, NULL, &monitor), 0);
	failover.monitor = monitor;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	nv_monitor_free(monitor);
	nv_watch_free(failover.notify);
	nv_managed_free(&failover);
	nv_loop_free(failover.loop);
	nv_kernel_free(fake->kernel);
	return 0;
}

/* A pair that is its own upper, with an address. */
static int make_pair(size_t at, const char *name, const char *address)
{
	int hn = fake_make_link(fake, name, "virtio_net", (uint8_t)(at + 1));
	struct nv_addr addr = fake_addr(hn, address);

	fake_put_addr(fake, &addr);
	nv_loop_run_once(failover.loop, 0);
	path[at].hn = hn;
	assert_non_null(nv_managed_add(&failover, hn));
	assert_int_equal(failover.managed[at].id.hn, hn);
	return hn;
}

static void switch_to(size_t at, enum nv_port port)
{
	nv_notify_note(&failover.managed[at].memory.notify, port, true, settings.announce_count,
		nv_loop_now(failover.loop));
	nv_notify_peers_due(&failover, &failover.managed[at]);
	nv_notify_peers(&failover);
}

/* How many frames begin so, or (NULL) are there at all; the log is empty then. */
static unsigned int sent(const char *link, const char *hex)
{
	NV_AUTO(nv_free) char *begin = NULL;
	unsigned int count = 0;

	assert_true(asprintf(&begin, link ? "send %s %s" : "send ", link, hex) > 0);
	for (const char *line = nv_str_text(&fake->log); *line; line = strchr(line, '\n') + 1)
		count += !strncmp(line, begin, strlen(begin));
	nv_str_clear(&fake->log);
	return count;
}

static void switch_all(void)
{
	for (size_t at = 0; at < failover.n_managed; at++) {
		nv_notify_note(&failover.managed[at].memory.notify, NV_PORT_VF, true,
			settings.announce_count, nv_loop_now(failover.loop));
		nv_notify_peers_due(&failover, &failover.managed[at]);
	}
	nv_notify_peers(&failover);
}

/* With hundreds of pairs, and so thousands of groups, each reading is a walk over all. */
static void groups_are_read_once_for_many_pairs(void **state)
{
	char name[IFNAMSIZ];

	(void)state;
	for (size_t at = 0; at < NV_ARRAY_SIZE(path); at++) {
		snprintf(name, sizeof(name), "hn%zu", at);
		make_pair(at, name, "192.0.2.1/24");
	}
	nv_notify_peers(&failover);
	assert_int_equal(fake->mcasts_read, 0);
	switch_all();
	assert_int_equal(fake->mcasts_read, 1);
	assert_int_equal(fake->all_mcasts_read, 1);
	assert_int_equal(sent(NULL, NULL), NV_ARRAY_SIZE(path));
}

static void a_few_pairs_read_their_own_groups_only(void **state)
{
	(void)state;
	make_pair(0, "hn0", "192.0.2.1/24");
	make_pair(1, "hn1", "192.0.2.2/24");
	switch_all();
	assert_int_equal(fake->mcasts_read, 2);
	assert_int_equal(fake->all_mcasts_read, 0);
	assert_int_equal(sent(NULL, NULL), 2);
}

/* Peers wait for the addresses. */
static void addresses_are_told_before_anything_is_read(void **state)
{
	(void)state;
	make_pair(0, "hn0", "192.0.2.1/24");
	switch_to(0, NV_PORT_VF);
	assert_int_equal(fake->sent_before_sysctls, 1);
	assert_int_equal(fake->sent_before_mcasts, 1);
}

static void join(size_t at, const char *vf, uint8_t mac)
{
	failover.managed[at].state.vf = fake_make_link(fake, vf, "mlx5_core", mac);
	failover.managed[at].state.active = NV_PORT_VF;
	nv_loop_run_once(failover.loop, 0);
}

static void only_a_vf_with_its_own_mac_is_left_with_a_word(void **state)
{
	(void)state;
	make_pair(0, "hn0", "192.0.2.1/24");
	make_pair(1, "hn1", "192.0.2.2/24");
	join(0, "vf0", 9);
	join(1, "vf1", 2);
	sent(NULL, NULL);
	nv_notify_left(&failover);
	assert_int_equal(fake->mcasts_read, 0);
	assert_int_equal(sent("hn0", "ffffffffffff"), 1);
	nv_notify_left(&failover);
	assert_int_equal(sent(NULL, NULL), 1);
	failover.managed[0].state.active = NV_PORT_HN;
	nv_notify_left(&failover);
	assert_int_equal(sent(NULL, NULL), 0);
}

static void told_at_once_and_at_each_interval(void **state)
{
	(void)state;
	make_pair(0, "hn0", "192.0.2.1/24");
	nv_notify_peers(&failover);
	assert_int_equal(sent(NULL, NULL), 0);
	switch_to(0, NV_PORT_VF);
	assert_string_equal(nv_str_text(&fake->log),
		"send hn0 ffffffffffff0200000000010806"
		"0001080006040001020000000001c0000201000000000000c0000201\n");
	nv_str_clear(&fake->log);
	nv_loop_advance(failover.loop, 2 * NV_USEC_PER_SEC - 1);
	assert_int_equal(sent("hn0", "ffff"), 0);
	nv_loop_advance(failover.loop, 1);
	assert_int_equal(sent("hn0", "ffff"), 1);
	nv_loop_advance(failover.loop, 2 * NV_USEC_PER_SEC);
	assert_int_equal(sent("hn0", "ffff"), 1);
	nv_loop_advance(failover.loop, 60 * NV_USEC_PER_SEC);
	assert_int_equal(sent("hn0", "ffff"), 0);
}

static void each_pair_has_its_own_times(void **state)
{
	(void)state;
	make_pair(0, "hn0", "192.0.2.1/24");
	make_pair(1, "hn1", "192.0.2.2/24");
	switch_to(0, NV_PORT_VF);
	nv_loop_advance(failover.loop, NV_USEC_PER_SEC);
	assert_int_equal(sent("hn0", "ffff"), 1);
	switch_to(1, NV_PORT_VF);
	assert_int_equal(sent("hn1", "ffff"), 1);
	nv_loop_advance(failover.loop, NV_USEC_PER_SEC);
	assert_int_equal(sent("hn0", "ffff"), 1);
	nv_loop_advance(failover.loop, NV_USEC_PER_SEC);
	assert_int_equal(sent("hn1", "ffff"), 1);
	nv_loop_advance(failover.loop, 60 * NV_USEC_PER_SEC);
	assert_int_equal(sent(NULL, NULL), 2);
}

/* What is the upper, and what it has, is looked up each time. */
static void the_upper_of_the_moment_is_told(void **state)
{
	struct nv_addr addr;

	(void)state;
	make_pair(0, "hn0", "192.0.2.1/24");
	switch_to(0, NV_PORT_VF);
	assert_int_equal(sent("hn0", "ffff"), 1);
	path[0].lagg = fake_make_link(fake, "lagg0", "dummy", 1);
	path[0].mode = NV_MODE_LAGG;
	addr = fake_addr(path[0].lagg, "2001:db8::1/64");
	fake_put_addr(fake, &addr);
	assert_int_equal(
		nv_kernel_sysctl_write(fake->kernel, "net/ipv6/conf/lagg0/forwarding", "1"), 0);
	nv_loop_run_once(failover.loop, 0);
	nv_str_clear(&fake->log);
	nv_loop_advance(failover.loop, 2 * NV_USEC_PER_SEC);
	assert_non_null(strstr(nv_str_text(&fake->log), "a0000000")); /* a router */
	assert_int_equal(sent("lagg0", "333300000001"), 1);
}

static void a_pair_that_is_gone_is_told_of_no_more(void **state)
{
	int hn = make_pair(0, "hn0", "192.0.2.1/24");

	(void)state;
	switch_to(0, NV_PORT_VF);
	assert_int_equal(sent("hn0", "ffff"), 1);
	fake_del_link(fake, hn);
	nv_loop_run_once(failover.loop, 0);
	nv_loop_advance(failover.loop, 2 * NV_USEC_PER_SEC);
	path[0] = (struct nv_dp_pair){};
	nv_loop_advance(failover.loop, 2 * NV_USEC_PER_SEC);
	assert_int_equal(sent(NULL, NULL), 0);
}

static void more_than_the_limit_is_left_out(void **state)
{
	int hn = make_pair(0, "hn0", "192.0.2.1/24");

	(void)state;
	for (uint32_t i = 0; i < NV_NOTIFY_FRAMES_MAX + 10; i++) {
		struct nv_addr addr = fake_addr(hn, "10.0.0.0/8");

		addr.local.v4.s_addr = htonl(0x0a000000 + i);
		fake_put_addr(fake, &addr);
	}
	for (int i = 0; i < 4; i++)
		nv_loop_run_once(failover.loop, 0);
	switch_to(0, NV_PORT_VF);
	assert_int_equal(sent("hn0", "ffff"), NV_NOTIFY_FRAMES_MAX);
}

/*
 * As the kernel does for an hn with addresses: by hn itself, past the lagg and all programs. The
 * rest must not delay it.
 */
static void the_first_frame_of_an_arrival_is_hns_own(void **state)
{
	const char *log = nv_str_text(&fake->log);
	unsigned int mcasts_read;
	struct nv_addr addr;

	(void)state;
	make_pair(0, "hn0", "192.0.2.1/24");
	nv_notify_arrival(&failover, path[0].hn);
	assert_string_equal(log, "");
	path[0].lagg = fake_make_link(fake, "lagg0", "dummy", 1);
	path[0].mode = NV_MODE_LAGG;
	for (int i = 0; i < 2; i++) {
		addr = fake_addr(path[0].lagg, i ? "192.0.2.4/24" : "192.0.2.3/24");
		fake_put_addr(fake, &addr);
	}
	nv_loop_run_once(failover.loop, 0);
	nv_loop_advance(failover.loop, 60 * NV_USEC_PER_SEC);
	assert_null(strstr(log, "ask"));
	nv_str_clear(&fake->log);
	mcasts_read = fake->mcasts_read;
	nv_notify_arrival(&failover, path[0].hn);
	log = nv_str_text(&fake->log);
	assert_int_equal(strncmp(log, "ask hn0 ffff", 12), 0);
	assert_ptr_equal(strchr(log, '\n'), log + strlen(log) - 1);
	assert_int_equal(fake->mcasts_read, mcasts_read);
	nv_notify_arrival(&failover, path[0].hn);
	assert_ptr_equal(strchr(log, '\n'), log + strlen(log) - 1);
	nv_loop_run_once(failover.loop, 0);
	assert_null(strstr(nv_str_text(&fake->log) + 1, "ask"));
	assert_int_equal(sent("lagg0", "ffff"), 2);
	assert_int_equal(fake->mcasts_read, mcasts_read + 1);
	nv_loop_advance(failover.loop, 60 * NV_USEC_PER_SEC);
	nv_str_clear(&fake->log);
	failover.managed[0].state.active = NV_PORT_VF;
	nv_notify_arrival(&failover, path[0].hn);
	assert_null(strstr(nv_str_text(&fake->log), "ask"));
	failover.managed[0].state.active = NV_PORT_HN;
	settings.announce_count = 0;
	nv_loop_advance(failover.loop, 60 * NV_USEC_PER_SEC);
	nv_str_clear(&fake->log);
	nv_notify_arrival(&failover, path[0].hn);
	assert_string_equal(nv_str_text(&fake->log), "");
}

static void what_is_refused_is_tried_again_next_time(void **state)
{
	(void)state;
	make_pair(0, "hn0", "192.0.2.1/24");
	fake_fail(fake, FAKE_SEND, 1, -EAGAIN);
	fake_fail(fake, FAKE_MCASTS, 1, -EACCES);
	switch_to(0, NV_PORT_VF);
	assert_int_equal(sent("hn0", "ffff"), 0);
	nv_loop_advance(failover.loop, 2 * NV_USEC_PER_SEC);
	assert_int_equal(sent("hn0", "ffff"), 1);
}

static void an_arrival_is_told_for_the_upper(void **state)
{
	struct nv_addr addr;

	(void)state;
	make_pair(0, "hn0", "192.0.2.1/24");
	make_pair(1, "hn1", "192.0.2.2/24");
	path[0].lagg = fake_make_link(fake, "lagg0", "dummy", 1);
	path[0].mode = NV_MODE_LAGG;
	addr = fake_addr(path[0].lagg, "192.0.2.3/24");
	fake_put_addr(fake, &addr);
	nv_loop_run_once(failover.loop, 0);
	nv_loop_advance(failover.loop, NV_USEC_PER_SEC);
	nv_notify_arrival(&failover, path[0].lagg);
	assert_int_equal(sent(NULL, NULL), 0);
	nv_notify_arrival(&failover, path[0].hn);
	nv_str_clear(&fake->log); /* of what hn itself sends */
	nv_loop_run_once(failover.loop, 0);
	assert_int_equal(sent("lagg0", "ffff"), 1);
	/* The next is later by a quarter at the most. */
	nv_loop_advance(failover.loop, 2 * NV_USEC_PER_SEC - 1);
	assert_int_equal(sent(NULL, NULL), 0);
	nv_loop_advance(failover.loop, NV_USEC_PER_SEC / 2 + 1);
	assert_int_equal(sent("lagg0", "ffff"), 1);
	nv_loop_advance(failover.loop, 60 * NV_USEC_PER_SEC);
	assert_int_equal(sent(NULL, NULL), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(groups_are_read_once_for_many_pairs),
		TEST(a_few_pairs_read_their_own_groups_only),
		TEST(addresses_are_told_before_anything_is_read),
		TEST(only_a_vf_with_its_own_mac_is_left_with_a_word),
		TEST(told_at_once_and_at_each_interval),
		TEST(each_pair_has_its_own_times),
		TEST(the_upper_of_the_moment_is_told),
		TEST(a_pair_that_is_gone_is_told_of_no_more),
		TEST(more_than_the_limit_is_left_out),
		TEST(an_arrival_is_told_for_the_upper),
		TEST(the_first_frame_of_an_arrival_is_hns_own),
		TEST(what_is_refused_is_tried_again_next_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
