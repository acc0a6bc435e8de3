/* SPDX-License-Identifier: BSD-2-Clause */
/* Any uevents, parted by an empty text: each is read or refused, and what is told of it is lines.
 */
#include "require.h"

#include "devd/kernel_events.h"
#include "event/event.h"
#include "kernel/devices.h"
#include "kernel/netlink_ops.h"

#include <string.h>

static void is_a_line(const char *line, void *data)
{
	const struct timespec when = {};
	NV_AUTO(nv_event) struct nv_event *event = NULL;

	(void)data;
	require(!strchr(line, '\n'));
	require(nv_event_parse(line, strlen(line), &when, &event) == 0);
	require(nv_event_kind(event) != NV_EVENT_UNKNOWN);
}

static void read_one(struct nv_kernel_events *events, struct nv_devices *devices, const char *bytes,
	size_t length)
{
	struct nv_uevent_text text;
	struct nv_uevent uevent;

	if (nv_uevent_decode(bytes, length, &text, &uevent) < 0)
		return;
	require(uevent.action[0] && uevent.devpath[0] == '/');
	if (nv_devices_note(devices, &uevent))
		nv_kernel_events_uevent(events, &uevent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NV_AUTO(nv_kernel_events) struct nv_kernel_events *events = NULL;
	NV_AUTO(nv_devices) struct nv_devices *devices = NULL;
	const char *at = (const char *)data;
	const char *end = at + size;

	require(nv_kernel_events_new(is_a_line, NULL, &events) == 0);
	require(nv_devices_new(&devices) == 0);
	while (at < end) {
		const char *next = memmem(at, end - at, "\0\0", 2);

		read_one(events, devices, at, (next ? next + 1 : end) - at);
		at = next ? next + 2 : end;
	}
	return 0;
}
