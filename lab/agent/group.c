/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbered datagrams to a group that both ends have joined.
 *
 *   (start)  -> {"ready":true}
 *   send N   -> {"sent":N}, some milliseconds between two
 *   count    -> {"received":…,"twice":…}: what came since the last count; a number that came before
 *               is counted as twice alone
 */
#include "agent.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>

#define PAUSE	    (5 * LAB_MSEC)
#define LINGER	    (300 * LAB_MSEC) /* after the last arrival, for what is under way */
#define NUMBERS_MAX 65536

struct group {
	int fd;
	struct sockaddr_in address;
	uint64_t sent;
	uint64_t received, twice;
	uint8_t seen[NUMBERS_MAX / 8];
};

static void group_receive(struct group *group)
{
	uint64_t number;

	while (recv(group->fd, &number, sizeof(number), MSG_DONTWAIT) == sizeof(number)) {
		number = be64toh(number) % NUMBERS_MAX;
		if (group->seen[number / 8] & (1u << number % 8)) {
			group->twice++;
			continue;
		}
		group->seen[number / 8] |= (uint8_t)(1u << number % 8);
		group->received++;
	}
}

static void group_send(struct group *group, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t number = htobe64(group->sent++), until = lab_now() + PAUSE;

		/* One that the kernel refuses is one that does not come. */
		sendto(group->fd, &number, sizeof(number), 0, (struct sockaddr *)&group->address,
			sizeof(group->address));
		while (lab_now() < until)
			lab_wait(-1, 0, until);
	}
	printf("{\"sent\":%" PRIu64 "}\n", count);
}

static void group_count(struct group *group)
{
	while (lab_wait(group->fd, POLLIN, lab_now() + LINGER) & LAB_WOKE_SOCKET)
		group_receive(group);
	printf("{\"received\":%" PRIu64 ",\"twice\":%" PRIu64 "}\n", group->received, group->twice);
	group->received = group->twice = 0;
}

static bool group_obey(struct group *group, const char *line)
{
	uint64_t count;

	if (!strncmp(line, "send ", 5) && !lab_number(line + 5, 1, NUMBERS_MAX, &count)) {
		group_send(group, count);
	} else if (!strcmp(line, "count")) {
		group_count(group);
	} else {
		fprintf(stderr, "netvf-lab-agent: group: no such command: %s\n", line);
		return false;
	}
	fflush(stdout);
	return true;
}

static int group_run(struct group *group)
{
	struct lab_input input = {0};
	char line[sizeof(input.buffer)];
	int n;

	for (;;) {
		int woke = lab_wait(group->fd, POLLIN, lab_now() + 10 * LAB_SEC);

		if (woke & LAB_WOKE_SOCKET)
			group_receive(group);
		if (!(woke & LAB_WOKE_INPUT))
			continue;
		while ((n = lab_input_next(&input, line, sizeof(line))) > 0) {
			if (!group_obey(group, line))
				return 1;
		}
		if (n < 0)
			return 0;
	}
}

int lab_group_main(int argc, char **argv)
{
	static struct group group;
	const int yes = 1, no = 0;
	struct ip_mreqn member = {0};
	NV_AUTO(nv_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (argc != 4 || lab_address(argv[2], argv[3], &group.address))
		return 2;
	if (fd < 0)
		return lab_fail("group: starting", errno);
	member.imr_multiaddr = group.address.sin_addr;
	member.imr_ifindex = (int)if_nametoindex(argv[1]);
	if (!member.imr_ifindex)
		return lab_fail("group: finding the interface", errno);
	/*
	 * Without checksums: QEMU's igb writes those that it computes into the guest's memory,
	 * where the bridge's other port takes them for the sum to begin with.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
		setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &yes, sizeof(yes)) ||
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &member, sizeof(member)) ||
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &no, sizeof(no)) ||
		setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof(member)) ||
		bind(fd, (struct sockaddr *)&group.address, sizeof(group.address)))
		return lab_fail("group: joining", errno);
	group.fd = fd;
	puts("{\"ready\":true}");
	fflush(stdout);
	return group_run(&group);
}
