/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fake kernel tells its subscribers. */
#include "cm.h"

#include "fake_kernel_parts.h"

#include "kernel/netlink_ops.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

/* One message on its way to a subscriber. */
struct fake_notice {
	struct fake_notice *next;
	enum { NOTICE_LINK, NOTICE_ADDR, NOTICE_UEVENT, NOTICE_PEERS } what;
	bool gone;
	struct nv_link link;
	struct nv_addr addr;
	char *uevent;
};

void fake_free_notices(struct fake_notice **list)
{
	while (*list) {
		struct fake_notice *notice = *list;

		*list = notice->next;
		free(notice->uevent);
		free(notice);
	}
}

static void wake(struct fake_kernel *fake, enum nv_subscription feed)
{
	if (fake->wake[feed] >= 0)
		assert_int_equal(eventfd_write(fake->wake[feed], 1), 0);
}

static void tell(
	struct fake_kernel *fake, enum nv_subscription feed, const struct fake_notice *notice)
{
	struct fake_notice **end = &fake->notices[feed];
	struct fake_notice *copy;

	if (fake->mute || fake->wake[feed] < 0)
		return;
	copy = malloc(sizeof(*copy));
	assert_non_null(copy);
	*copy = *notice;
	copy->next = NULL;
	while (*end)
		end = &(*end)->next;
	*end = copy;
	wake(fake, feed);
}

void fake_notify_peers(struct fake_kernel *fake, int ifindex)
{
	const struct fake_notice notice = {.what = NOTICE_PEERS, .link.ifindex = ifindex};

	tell(fake, NV_SUBSCRIBE_RTNL, &notice);
}

void fake_lose(struct fake_kernel *fake, enum nv_subscription feed)
{
	fake_free_notices(&fake->notices[feed]);
	fake->lost[feed] = true;
	wake(fake, feed);
}

void fake_tell_link(struct fake_kernel *fake, const struct nv_link *link, bool gone)
{
	struct fake_notice notice = {.what = NOTICE_LINK, .gone = gone, .link = *link};

	/* As in the real messages, which say nothing of it. */
	notice.link.driver[0] = '\0';
	tell(fake, NV_SUBSCRIBE_RTNL, &notice);
}

void fake_tell_addr(struct fake_kernel *fake, const struct nv_addr *addr, bool gone)
{
	struct fake_notice notice = {.what = NOTICE_ADDR, .gone = gone, .addr = *addr};

	tell(fake, NV_SUBSCRIBE_RTNL, &notice);
}

void fake_uevent(struct fake_kernel *fake, const char *lines)
{
	struct fake_notice notice = {.what = NOTICE_UEVENT, .uevent = strdup(lines)};

	assert_non_null(notice.uevent);
	tell(fake, NV_SUBSCRIBE_UEVENT, &notice);
}

/* Hands lines over as the kernel's text, in which each ends with a NUL. */
static void hand_over(const char *lines, const struct nv_subscribe_sink *sink)
{
	NV_AUTO(nv_free) char *bytes = strdup(lines);
	size_t length = strlen(lines);
	struct nv_uevent_text text;
	struct nv_uevent uevent;

	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n')
			bytes[i] = '\0';
	}
	if (sink->uevent && nv_uevent_decode(bytes, length, &text, &uevent) == 0)
		sink->uevent(&uevent, sink->data);
}

int fake_op_devices(void *self, const struct nv_subscribe_sink *sink)
{
	struct fake_kernel *fake = self;
	int r = fake_call(fake, FAKE_DEVICES);

	for (size_t i = 0; i < FAKE_DEVICES_MAX && r == 0; i++) {
		if (fake->device[i])
			hand_over(fake->device[i], sink);
	}
	return r;
}

int fake_op_subscribe(void *self, enum nv_subscription feed, int *ret_fd)
{
	struct fake_kernel *fake = self;
	int r = fake_call(fake, FAKE_SUBSCRIBE);

	if (r < 0)
		return r;
	nv_fd_auto(&fake->wake[feed]);
	fake->wake[feed] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(fake->wake[feed] >= 0);
	*ret_fd = dup(fake->wake[feed]);
	assert_true(*ret_fd >= 0);
	return 0;
}

int fake_op_receive(
	void *self, enum nv_subscription feed, int fd, const struct nv_subscribe_sink *sink)
{
	struct fake_kernel *fake = self;
	struct fake_notice *notice = fake->notices[feed];
	eventfd_t count;

	if (fake->lost[feed]) {
		fake->lost[feed] = false;
		return -ENOBUFS;
	}
	if (!notice) {
		eventfd_read(fd, &count);
		return -EAGAIN;
	}
	fake->notices[feed] = notice->next;
	notice->next = NULL;
	if (notice->what == NOTICE_LINK && sink->link)
		sink->link(&notice->link, notice->gone, sink->data);
	else if (notice->what == NOTICE_ADDR && sink->addr)
		sink->addr(&notice->addr, notice->gone, sink->data);
	else if (notice->what == NOTICE_PEERS && sink->notify_peers)
		sink->notify_peers(notice->link.ifindex, sink->data);
	else if (notice->what == NOTICE_UEVENT)
		hand_over(notice->uevent, sink);
	fake_free_notices(&notice);
	return 0;
}
