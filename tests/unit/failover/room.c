/* SPDX-License-Identifier: BSD-2-Clause */
#include "room.h"

#include <linux/if.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct fake_kernel *fake;
struct nv_datapath path;
struct nv_loop *loop;
struct nv_monitor *monitor;
struct nv_failover *failover;
struct nv_settings settings;
struct nv_str events;
struct nv_str attached;
bool answered;
bool sets_up;
unsigned int settled;
bool settle_all;
static struct nv_rcconf *rcconf; /* says nothing */

static void on_raise(const char *name, const char *type, void *data)
{
	(void)data;
	nv_str_printf(&events, "%s %s\n", type, name);
	nv_str_printf(&fake->log, "raise %s %s\n", type, name);
}

static void on_attach(const char *vf, void *data)
{
	(void)data;
	nv_str_printf(&attached, "%s ", vf);
	nv_str_printf(&fake->log, "attach %s\n", vf);
}

static bool on_ask(const char *name, void *data)
{
	(void)name;
	(void)data;
	return answered;
}

static bool on_ask_setup(const char *vf, void *data)
{
	(void)data;
	assert_non_null(vf);
	return sets_up;
}

static void on_switch(const char *name, const char *to, const char *port, void *data)
{
	(void)data;
	nv_str_printf(&events, "%s by %s (%s)\n", name, to, port);
}

static void on_done(void *data)
{
	(void)data;
	settled++;
}

static const struct nv_failover_ops ops = {
	.raise_vf = on_raise,
	.raise_attach = on_attach,
	.answers_vf_up = on_ask,
	.sets_up = on_ask_setup,
	.switched = on_switch,
	.settled = on_done,
};

static void on_link(const struct nv_link *old, const struct nv_link *new, void *data)
{
	(void)data;
	nv_failover_note_link(failover, old, new);
}

static void on_addr(const struct nv_addr *old, const struct nv_addr *new, void *data)
{
	(void)data;
	nv_failover_note_addr(failover, (new ? new : old)->ifindex);
}

static void on_settled(void *data)
{
	(void)data;
	failover->monitor = monitor;
	failover->due.all |= settle_all;
	nv_failover_settle(failover);
}

static const struct nv_monitor_ops monitor_ops = {
	.link = on_link, .addr = on_addr, .settled = on_settled};

void open_failover(void)
{
	const struct nv_failover template = {
		.ops = &ops,
		.loop = loop,
		.kernel = fake->kernel,
		.datapath = &path,
		.run_dir = "/nonexistent",
		.settings = &settings,
		.rcconf = rcconf,
	};

	path.patient = true;
	assert_int_equal(nv_failover_new(&template, &failover), 0);
	assert_int_equal(nv_monitor_new(loop, fake->kernel, &monitor_ops, NULL, &monitor), 0);
}

void close_failover(void)
{
	monitor = nv_monitor_free(monitor);
	failover = nv_failover_free(failover);
}

static int log_fd = -1; /* netvfd's log */
static int stderr_fd = -1; /* where it goes else */

static void catch_log(void)
{
	stderr_fd = dup(STDERR_FILENO);
	log_fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(stderr_fd >= 0 && log_fd >= 0);
	assert_true(dup2(log_fd, STDERR_FILENO) >= 0);
}

static void let_log_go(void)
{
	assert_true(dup2(stderr_fd, STDERR_FILENO) >= 0);
	close(stderr_fd);
	close(log_fd);
}

unsigned int said(const char *part)
{
	NV_AUTO(nv_free) char *text = NULL;
	off_t length = lseek(log_fd, 0, SEEK_END);
	unsigned int count = 0;

	text = calloc(1, (size_t)length + 1);
	assert_non_null(text);
	assert_int_equal(pread(log_fd, text, (size_t)length, 0), length);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		count += strstr(line, part) != NULL;
	return count;
}

int room_set_up(void **state)
{
	struct nv_faults faults = {};

	(void)state;
	fake = fake_kernel_new();
	path = (struct nv_datapath){.fake = fake};
	settings = (struct nv_settings){
		.hn = {.transparent = NV_TRANSPARENT_NO}, .holddown = 30, .announce_interval = 1};
	services = (struct fake_services){};
	answered = true;
	sets_up = false;
	settled = 0;
	catch_log();
	assert_int_equal(nv_loop_new(NV_LOOP_VIRTUAL, &loop), 0);
	assert_int_equal(nv_rcconf_parse("rc.conf", "", 0, &faults, &rcconf), 0);
	fake_make_link(fake, "hn0", "virtio_net", 1);
	open_failover();
	return 0;
}

int room_tear_down(void **state)
{
	(void)state;
	close_failover();
	close(path.reports_fd);
	nv_loop_free(loop);
	nv_kernel_free(fake->kernel);
	nv_rcconf_free(rcconf);
	nv_str_auto(&events);
	nv_str_auto(&attached);
	let_log_go();
	return 0;
}

int hn(void)
{
	return fake_link(fake, "hn0").ifindex;
}

struct nv_dp_pair *pair(void)
{
	return fake_path(&path, hn());
}

struct nv_managed *managed(void)
{
	assert_int_equal(failover->n_managed, 1);
	return &failover->managed[0];
}

/* Until nothing is left to be heard. */
void hear(void)
{
	for (int i = 0; i < 10; i++)
		nv_loop_run_once(loop, 0);
}

int make_vf(const char *name, uint8_t mac)
{
	struct nv_link vf;

	fake->mute = true;
	fake_make_link(fake, name, "mlx5_core", mac);
	fake->mute = false;
	vf = fake_link(fake, name);
	nv_strcopy(vf.parent_bus, sizeof(vf.parent_bus), "pci");
	memcpy(vf.permanent_mac, vf.mac, NV_MAC_LEN);
	vf.has_permanent_mac = true;
	return fake_put_link(fake, &vf);
}

/* One that comes as a driver makes it: down. */
int add_vf(const char *name)
{
	struct nv_link vf;

	fake->mute = true;
	make_vf(name, 1);
	fake->mute = false;
	vf = fake_link(fake, name);
	vf.flags &= ~(uint32_t)IFF_UP;
	fake_put_link(fake, &vf);
	hear();
	return vf.ifindex;
}

void set_flags(const char *name, uint32_t mask, uint32_t flags)
{
	struct nv_link link = fake_link(fake, name);

	link.flags = (link.flags & ~mask) | flags;
	fake_put_link(fake, &link);
	hear();
}

void set_carrier(const char *name, bool carrier)
{
	struct nv_link link = fake_link(fake, name);

	link.carrier = carrier;
	fake_put_link(fake, &link);
	hear();
}

/* As hyperv_vfup does it. */
int make_lagg(void)
{
	int lagg = fake_make_link(fake, "lagg0", "dummy", 1);
	struct nv_link link = fake_link(fake, "lagg0");

	nv_strcopy(link.kind, sizeof(link.kind), "dummy");
	fake_put_link(fake, &link);
	pair()->lagg = lagg;
	pair()->mode = NV_MODE_LAGG;
	hear();
	nv_failover_look_again(failover);
	return lagg;
}

/* A pair whose lagg transmits by the VF. Returns the VF. */
int make_all(void)
{
	int vf = make_vf("nvt0", 1);

	hear();
	make_lagg();
	nv_str_clear(&events);
	return vf;
}

void expect(const char *text)
{
	assert_string_equal(nv_str_text(&events), text);
	nv_str_clear(&events);
}

void expect_attached(const char *names)
{
	assert_string_equal(nv_str_text(&attached), names);
	nv_str_clear(&attached);
}

void go_transparent(void)
{
	settings.hn.transparent = NV_TRANSPARENT_YES;
	make_vf("nvt0", 1);
	hear();
	nv_loop_advance(loop, 6 * NV_USEC_PER_SEC); /* udev has had its time */
	hear();
}

void expect_log(const char *text)
{
	assert_string_equal(nv_str_text(&fake->log), text);
	nv_str_clear(&fake->log);
}

void forget(void)
{
	nv_str_clear(&events);
	nv_str_clear(&attached);
	nv_str_clear(&fake->log);
}
