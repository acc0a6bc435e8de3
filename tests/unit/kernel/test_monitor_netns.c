/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor and its events against the kernel itself, in a network namespace of this process. */
#include "cm.h"

#include "devd/kernel_events.h"
#include "kernel/attrs.h"
#include "kernel/ops.h"
#include "kernel/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define DEADLINE    (10 * NV_USEC_PER_SEC)
#define CHECK(call) assert_int_equal(call, 0)

/* The small one overflows with some tens of messages. */
#define SMALL_BUFFER 8192

struct watcher {
	struct nv_loop *loop;
	struct nv_watch *deadline;
	bool late;
	struct nv_kernel *kernel; /* that the monitor uses */
	struct nv_monitor *monitor;
	struct nv_kernel_events *announce;
	struct nv_str lines; /* every event, each after a newline */
	unsigned int settled;
	unsigned int links_now; /* counted by what was reported */
	unsigned int addrs_now;
};

static struct nv_kernel *kernel; /* that the tests use */
static struct nv_kernel_ops small_ops;

static void on_line(const char *line, void *data)
{
	struct watcher *watcher = data;

	nv_str_printf(&watcher->lines, "\n%s", line);
}

static void on_link(const struct nv_link *old, const struct nv_link *new, void *data)
{
	struct watcher *watcher = data;

	watcher->links_now += !old;
	watcher->links_now -= !new;
	nv_kernel_events_link(watcher->announce, old, new);
}

static void on_addr(const struct nv_addr *old, const struct nv_addr *new, void *data)
{
	struct watcher *watcher = data;

	watcher->addrs_now += !old;
	watcher->addrs_now -= !new;
	nv_kernel_events_addr(watcher->announce, nv_monitor_links(watcher->monitor), old, new);
}

static void on_uevent(const struct nv_uevent *uevent, void *data)
{
	struct watcher *watcher = data;

	nv_kernel_events_uevent(watcher->announce, uevent);
}

static void on_settled(void *data)
{
	((struct watcher *)data)->settled++;
}

static void on_deadline(void *data)
{
	((struct watcher *)data)->late = true;
}

static const struct nv_monitor_ops monitor_ops = {
	.link = on_link, .addr = on_addr, .uevent = on_uevent, .settled = on_settled};

/* The monitor over @watcher->kernel; what exists already is not kept in the lines. */
static void start(struct watcher *watcher)
{
	CHECK(nv_loop_new(NV_LOOP_MONOTONIC, &watcher->loop));
	CHECK(nv_loop_watch_timer(watcher->loop, on_deadline, watcher, &watcher->deadline));
	CHECK(nv_kernel_events_new(on_line, watcher, &watcher->announce));
	CHECK(nv_monitor_new(
		watcher->loop, watcher->kernel, &monitor_ops, watcher, &watcher->monitor));
	nv_str_clear(&watcher->lines);
}

static void watcher_stop(struct watcher *watcher)
{
	nv_monitor_free(watcher->monitor);
	nv_kernel_events_free(watcher->announce);
	nv_watch_free(watcher->deadline);
	nv_loop_free(watcher->loop);
	nv_str_auto(&watcher->lines);
}

/* Runs the loop until that text was in an event. */
static void await(struct watcher *watcher, const char *text)
{
	CHECK(nv_watch_arm(watcher->deadline, DEADLINE));
	while (!strstr(nv_str_text(&watcher->lines), text) && !watcher->late)
		nv_loop_run_once(watcher->loop, 1);
	if (watcher->late)
		print_error("no '%s' in:%s\n", text, nv_str_text(&watcher->lines));
	assert_false(watcher->late);
}

static struct nv_addr addr_of(int ifindex, const char *text, uint8_t prefix_len)
{
	struct nv_addr addr = {.ifindex = ifindex, .prefix_len = prefix_len};

	addr.local.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(addr.local.family, text, &addr.local.v6), 1);
	return addr;
}

static int make_link(const char *kind, const char *name, const char *peer)
{
	struct nv_link link = {};
	int ifindex = 0;

	nv_strcopy(link.kind, sizeof(link.kind), kind);
	nv_strcopy(link.name, sizeof(link.name), name);
	CHECK(nv_kernel_link_add(kernel, &link, peer, &ifindex));
	return ifindex;
}

static int index_of(const char *name)
{
	NV_AUTO(nv_links) struct nv_links links = {};

	CHECK(nv_kernel_links(kernel, &links));
	assert_non_null(nv_links_by_name(&links, name));
	return nv_links_by_name(&links, name)->ifindex;
}

static void a_life_of_a_link_is_told_line_by_line(void **state)
{
	struct watcher watcher = {.kernel = kernel};
	struct nv_link_change rename = {.what = NV_LINK_NAME, .to.name = "vf0"};
	struct nv_addr four, six;
	int ifindex, peer;

	(void)state;
	start(&watcher);
	ifindex = make_link("veth", "eth9", "host0");
	peer = index_of("host0");
	await(&watcher, "subsystem=eth9 type=IFATTACH");
	CHECK(nv_kernel_sysctl_write(kernel, "net/ipv6/conf/eth9/addr_gen_mode", "1"));
	CHECK(nv_kernel_sysctl_write(kernel, "net/ipv6/conf/host0/addr_gen_mode", "1"));
	CHECK(nv_kernel_link_set(kernel, ifindex, &rename));
	CHECK(nv_kernel_link_up(kernel, ifindex, true));
	CHECK(nv_kernel_link_up(kernel, peer, true));
	await(&watcher, "subsystem=vf0 type=LINK_UP");
	four = addr_of(ifindex, "192.0.2.1", 24);
	six = addr_of(ifindex, "2001:db8::1", 64);
	six.flags = IFA_F_NODAD;
	CHECK(nv_kernel_addr_add(kernel, &four, false));
	CHECK(nv_kernel_addr_add(kernel, &six, false));
	await(&watcher, "ADDR_ADD address=2001:db8::1");
	CHECK(nv_kernel_addr_del(kernel, &four));
	await(&watcher, "ADDR_DEL address=192.0.2.1");
	CHECK(nv_kernel_link_up(kernel, peer, false));
	await(&watcher, "subsystem=vf0 type=LINK_DOWN");
	CHECK(nv_kernel_link_del(kernel, ifindex));
	await(&watcher, "subsystem=vf0 type=DETACH");
	await(&watcher, "subsystem=host0 type=DETACH");

	char mine[4096] = "";

	/* The peer's own lines come between; those of this link are exactly these, in this order.
	 */
	for (char *line = strtok(watcher.lines.text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strstr(line, "=eth9 ") || strstr(line, "=vf0 "))
			strcat(strcat(mine, line), "\n");
	}
	assert_string_equal(mine, "!system=IFNET subsystem=eth9 type=ATTACH\n"
				  "!system=ETHERNET subsystem=eth9 type=IFATTACH\n"
				  "!system=IFNET subsystem=eth9 type=RENAME name=vf0\n"
				  "!system=ETHERNET subsystem=vf0 type=IFATTACH\n"
				  "!system=IFNET subsystem=vf0 type=LINK_UP\n"
				  "!system=IFNET subsystem=vf0 type=ADDR_ADD address=192.0.2.1\n"
				  "!system=IFNET subsystem=vf0 type=ADDR_ADD address=2001:db8::1\n"
				  "!system=IFNET subsystem=vf0 type=ADDR_DEL address=192.0.2.1\n"
				  "!system=IFNET subsystem=vf0 type=LINK_DOWN\n"
				  "!system=IFNET subsystem=vf0 type=ADDR_DEL address=2001:db8::1\n"
				  "!system=IFNET subsystem=vf0 type=DETACH\n");
	assert_true(watcher.settled > 0);
	assert_int_equal(nv_monitor_resyncs(watcher.monitor), 0);
	watcher_stop(&watcher);
}

static void what_exists_is_told_at_the_start(void **state)
{
	struct watcher watcher = {.kernel = kernel};
	int ifindex = make_link("ifb", "ifb7", NULL);
	struct nv_addr addr = addr_of(ifindex, "192.0.2.7", 24);

	(void)state;
	CHECK(nv_kernel_sysctl_write(kernel, "net/ipv6/conf/ifb7/addr_gen_mode", "1"));
	CHECK(nv_kernel_link_up(kernel, ifindex, true));
	CHECK(nv_kernel_addr_add(kernel, &addr, false));
	CHECK(nv_loop_new(NV_LOOP_MONOTONIC, &watcher.loop));
	CHECK(nv_kernel_events_new(on_line, &watcher, &watcher.announce));
	CHECK(nv_monitor_new(watcher.loop, kernel, &monitor_ops, &watcher, &watcher.monitor));
	assert_string_equal(nv_str_text(&watcher.lines),
		"\n!system=IFNET subsystem=lo type=ATTACH"
		"\n!system=IFNET subsystem=ifb7 type=ATTACH"
		"\n!system=ETHERNET subsystem=ifb7 type=IFATTACH"
		"\n!system=IFNET subsystem=ifb7 type=LINK_UP"
		"\n!system=IFNET subsystem=ifb7 type=ADDR_ADD address=192.0.2.7");
	assert_int_equal(watcher.settled, 1);
	watcher_stop(&watcher);
	CHECK(nv_kernel_link_del(kernel, ifindex));
}

/* An IPv6 address counts when it can be used. */
static void an_address_is_told_when_it_is_no_longer_tentative(void **state)
{
	struct watcher watcher = {.kernel = kernel};
	int ifindex = make_link("veth", "hn0", "host0");
	struct nv_addr addr = addr_of(ifindex, "2001:db8::5", 64);

	(void)state;
	CHECK(nv_kernel_link_up(kernel, index_of("host0"), true));
	CHECK(nv_kernel_link_up(kernel, ifindex, true));
	start(&watcher);
	CHECK(nv_kernel_addr_add(kernel, &addr, false));
	await(&watcher, "subsystem=hn0 type=ADDR_ADD address=2001:db8::5");
	CHECK(nv_kernel_addr_del(kernel, &addr));
	await(&watcher, "subsystem=hn0 type=ADDR_DEL address=2001:db8::5");
	watcher_stop(&watcher);
	CHECK(nv_kernel_link_del(kernel, ifindex));
}

/* A process in a network namespace of its own, which ends when @ret_fd is closed. */
static pid_t make_namespace(int *ret_fd)
{
	int ready[2], end[2];
	char byte = 0;
	pid_t pid;

	CHECK(pipe2(ready, O_CLOEXEC));
	CHECK(pipe2(end, O_CLOEXEC));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(end[1]);
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "r", 1) == 1)
			(void)!read(end[0], &byte, 1);
		_exit(0);
	}
	close(ready[1]);
	close(end[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*ret_fd = end[1];
	return pid;
}

static void a_link_that_moves_away_is_gone(void **state)
{
	struct watcher watcher = {.kernel = kernel};
	struct nv_request request;
	struct nv_rtnl rtnl;
	struct nv_link link;
	int vf = make_link("veth", "vf0", "host0");
	int fd;
	pid_t pid = make_namespace(&fd);
	struct ifinfomsg *info;

	(void)state;
	CHECK(nv_kernel_link_up(kernel, index_of("host0"), true));
	CHECK(nv_kernel_link_up(kernel, vf, true));
	start(&watcher);
	info = nv_request_start(&request, RTM_NEWLINK, NLM_F_ACK, sizeof(*info));
	info->ifi_index = vf;
	mnl_attr_put_u32(&request.header, IFLA_NET_NS_PID, (uint32_t)pid);
	CHECK(nv_rtnl_open(&rtnl));
	CHECK(nv_rtnl_request(&rtnl, &request.header, NULL, NULL));
	nv_rtnl_close(&rtnl);
	await(&watcher, "subsystem=vf0 type=DETACH");
	await(&watcher, "subsystem=host0 type=LINK_DOWN");
	CHECK(nv_kernel_link(kernel, index_of("host0"), &link));
	assert_true(link.lower_elsewhere);
	assert_int_equal(link.lower, 0);
	close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	await(&watcher, "subsystem=host0 type=DETACH");
	watcher_stop(&watcher);
}

static int subscribe_with_small_buffer(void *self, enum nv_subscription feed, int *ret_fd)
{
	int size = SMALL_BUFFER;
	int r = nv_kernel_ops(kernel)->subscribe(self, feed, ret_fd);

	if (r == 0 && setsockopt(*ret_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		return -errno;
	return r;
}

/* What a test of overflow begins with, and what becomes of it while nobody reads. */
struct unseen {
	int gone;
	int stays; /* under another name, with more addresses */
	int reborn; /* deleted and made again */
};

static void change_unseen(struct unseen *unseen)
{
	struct nv_link_change rename = {.what = NV_LINK_NAME, .to.name = "kept"};

	for (int i = 0; i < 50; i++)
		CHECK(nv_kernel_link_del(kernel, make_link("ifb", "short0", NULL)));
	for (int i = 0; i < 2000; i++) {
		struct nv_addr addr = addr_of(unseen->stays, "198.51.100.1", 24);

		CHECK(nv_kernel_addr_add(kernel, &addr, false));
		CHECK(nv_kernel_addr_del(kernel, &addr));
	}
	for (int i = 1; i < 200; i++) {
		struct nv_addr addr = addr_of(unseen->stays, "192.0.2.0", 24);

		addr.local.v4.s_addr |= htonl((uint32_t)i);
		CHECK(nv_kernel_addr_add(kernel, &addr, false));
	}
	CHECK(nv_kernel_link_del(kernel, unseen->gone));
	CHECK(nv_kernel_link_del(kernel, unseen->reborn));
	unseen->reborn = make_link("ifb", "reborn0", NULL);
	CHECK(nv_kernel_link_set(kernel, unseen->stays, &rename));
}

static void check_state(const struct watcher *watcher)
{
	const struct nv_links *known = nv_monitor_links(watcher->monitor);
	NV_AUTO(nv_links) struct nv_links links = {};
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};

	CHECK(nv_kernel_links(kernel, &links));
	CHECK(nv_kernel_addrs(kernel, 0, &addrs));
	assert_int_equal(known->count, links.count);
	for (size_t i = 0; i < links.count; i++) {
		assert_int_equal(known->link[i].ifindex, links.link[i].ifindex);
		assert_string_equal(known->link[i].name, links.link[i].name);
		assert_string_equal(known->link[i].driver, links.link[i].driver);
	}
	assert_int_equal(watcher->links_now, links.count);
	assert_int_equal(watcher->addrs_now, addrs.count);
}

static void an_overflow_is_recovered_from(void **state)
{
	struct watcher watcher = {};
	struct unseen unseen;
	const char *lines;

	(void)state;
	small_ops = *nv_kernel_ops(kernel);
	small_ops.subscribe = subscribe_with_small_buffer;
	small_ops.free = NULL;
	CHECK(nv_kernel_new(&small_ops, nv_kernel_self(kernel), &watcher.kernel));
	unseen.gone = make_link("veth", "gone0", "gonepeer0");
	unseen.stays = make_link("veth", "stays0", "stayspeer0");
	unseen.reborn = make_link("ifb", "reborn0", NULL);
	start(&watcher);
	change_unseen(&unseen);
	await(&watcher, "address=192.0.2.199");
	nv_loop_run_once(watcher.loop, 0);
	assert_true(nv_monitor_resyncs(watcher.monitor) > 0);
	check_state(&watcher);

	lines = nv_str_text(&watcher.lines);
	assert_non_null(strstr(lines, "subsystem=gone0 type=DETACH"));
	assert_non_null(strstr(lines, "subsystem=gonepeer0 type=DETACH"));
	assert_non_null(strstr(lines, "subsystem=stays0 type=RENAME name=kept"));
	assert_non_null(strstr(lines, "subsystem=kept type=ADDR_ADD address=192.0.2.1"));
	assert_null(strstr(lines, "subsystem=stays0 type=DETACH"));
	assert_null(strstr(lines, "short0"));
	assert_null(strstr(lines, "198.51.100.1"));
	assert_true(strstr(lines, "subsystem=reborn0 type=DETACH") <
		    strstr(lines, "subsystem=reborn0 type=ATTACH"));
	watcher_stop(&watcher);
	CHECK(nv_kernel_link_del(kernel, unseen.stays));
	CHECK(nv_kernel_link_del(kernel, unseen.reborn));
	nv_kernel_free(watcher.kernel);
}

/* Sends a uevent as root may: @group 0 asks the kernel to tell it to all (Linux 4.18). */
static void send_uevent(uint32_t portid, uint32_t group, const char *text, size_t size)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = portid, .nl_groups = group};
	struct {
		struct nlmsghdr header;
		char text[512];
	} message = {.header = {.nlmsg_type = NLMSG_MIN_TYPE, .nlmsg_flags = NLM_F_REQUEST}};
	NV_AUTO(nv_fd)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	bool to_kernel = !portid && !group;
	ssize_t sent;

	assert_true(fd >= 0);
	assert_true(size <= sizeof(message.text));
	memcpy(message.text, text, size);
	message.header.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size);
	sent = sendto(fd, to_kernel ? (void *)&message : message.text,
		to_kernel ? message.header.nlmsg_len : size, 0, (struct sockaddr *)&to, sizeof(to));
	assert_true(sent > 0);
}

#define UEVENT(action, node)                                                          \
	action "@/devices/virtual/misc/" node "\0ACTION=" action                      \
	       "\0DEVPATH=/devices/virtual/misc/" node "\0SUBSYSTEM=misc\0MAJOR=10\0" \
	       "DEVNAME=" node
#define TELL(text) send_uevent(0, 0, text, sizeof(text))

static uint32_t portid_of(int fd)
{
	struct sockaddr_nl name;
	socklen_t size = sizeof(name);

	CHECK(getsockname(fd, (struct sockaddr *)&name, &size));
	return name.nl_pid;
}

static int uevent_fd;

static int subscribe_and_note(void *self, enum nv_subscription feed, int *ret_fd)
{
	int r = nv_kernel_ops(kernel)->subscribe(self, feed, ret_fd);

	if (r == 0 && feed == NV_SUBSCRIBE_UEVENT)
		uevent_fd = *ret_fd;
	return r;
}

static void nodes_are_told_and_forged_events_are_not(void **state)
{
	static const char forged[] = UEVENT("add", "forged");
	struct watcher watcher = {};

	(void)state;
	small_ops = *nv_kernel_ops(kernel);
	small_ops.subscribe = subscribe_and_note;
	small_ops.free = NULL;
	CHECK(nv_kernel_new(&small_ops, nv_kernel_self(kernel), &watcher.kernel));
	start(&watcher);
	TELL(UEVENT("add", "vmbus/hv_kvp"));
	send_uevent(portid_of(uevent_fd), 0, forged, sizeof(forged));
	send_uevent(0, 1, forged, sizeof(forged));
	TELL(UEVENT("add", "vmbus/hv_kvp"));
	TELL(UEVENT("add", "vmbus/hv_vss"));
	TELL(UEVENT("remove", "vmbus/hv_kvp"));
	TELL("garbage");
	TELL(UEVENT("add", "vmbus/hv_fcopy"));
	await(&watcher, "hv_fcopy");
	assert_string_equal(nv_str_text(&watcher.lines),
		"\n!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_kvp_dev"
		"\n!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_fsvss_dev"
		"\n!system=DEVFS subsystem=CDEV type=DESTROY cdev=hv_kvp_dev"
		"\n!system=DEVFS subsystem=CDEV type=CREATE cdev=vmbus/hv_fcopy");
	watcher_stop(&watcher);
	nv_kernel_free(watcher.kernel);
}

static void devices_that_exist_are_told_once(void **state)
{
	struct watcher watcher = {.kernel = kernel};
	NV_AUTO(nv_free) char *first = NULL;

	(void)state;
	if (access("/sys/dev/char/1:3", R_OK) < 0) {
		print_message("# no /sys here\n");
		return;
	}
	start(&watcher);
	CHECK(nv_monitor_coldplug_devices(watcher.monitor));
	CHECK(nv_str_take(&watcher.lines, &first));
	CHECK(nv_monitor_coldplug_devices(watcher.monitor));
	assert_string_equal(nv_str_text(&watcher.lines), "");
	assert_non_null(strstr(first, "!system=DEVFS subsystem=CDEV type=CREATE cdev=null\n"));
	watcher_stop(&watcher);
}

static int enter(void **state)
{
	(void)state;
	return nv_kernel_open(&kernel);
}

static int leave(void **state)
{
	(void)state;
	kernel = nv_kernel_free(kernel);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_exists_is_told_at_the_start),
		cmocka_unit_test(a_life_of_a_link_is_told_line_by_line),
		cmocka_unit_test(an_address_is_told_when_it_is_no_longer_tentative),
		cmocka_unit_test(a_link_that_moves_away_is_gone),
		cmocka_unit_test(an_overflow_is_recovered_from),
		cmocka_unit_test(nodes_are_told_and_forged_events_are_not),
		cmocka_unit_test(devices_that_exist_are_told_once),
	};

	if (unshare(CLONE_NEWNET) < 0) {
		printf("1..0 # SKIP cannot make a network namespace: %s\n", strerror(errno));
		return 0;
	}
	return cmocka_run_group_tests_name("monitor in a network namespace", tests, enter, leave);
}
