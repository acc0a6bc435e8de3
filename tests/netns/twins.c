/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host that floods: sends numbered frames on several interfaces at once, each from a thread of
 * its own, none of which is ever more than a burst ahead of another. Prints how many frames a
 * second each sent.
 *
 *   twins COUNT INTERFACE… <frame      the last 8 bytes of the frame become the number
 */
#include <arpa/inet.h>
#include <endian.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST 50
#define FRAME 1514
#define PORTS 2

static unsigned long count;
static char frame[FRAME];
static size_t length;
static pthread_barrier_t barrier;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int open_port(const char *ifname)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(ifname),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		die(ifname);
	return fd;
}

static void send_burst(int fd, struct mmsghdr *message, unsigned int size)
{
	for (unsigned int done = 0; done < size;) {
		int sent = sendmmsg(fd, message + done, size - done, 0);

		if (sent < 0)
			die("send");
		done += (unsigned int)sent;
	}
}

static void *run(void *ifname)
{
	struct mmsghdr message[BURST] = {};
	struct iovec part[BURST][2];
	uint64_t number[BURST];
	int fd = open_port(ifname);

	for (unsigned long i = 0; i < count; i++) {
		unsigned int at = i % BURST;

		number[at] = htobe64(i);
		part[at][0] = (struct iovec){frame, length - sizeof(number[at])};
		part[at][1] = (struct iovec){&number[at], sizeof(number[at])};
		message[at].msg_hdr = (struct msghdr){.msg_iov = part[at], .msg_iovlen = 2};
		if (at < BURST - 1 && i < count - 1)
			continue;
		pthread_barrier_wait(&barrier);
		send_burst(fd, message, at + 1);
	}
	close(fd);
	return NULL;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	pthread_t thread[PORTS];
	int ports = argc - 2;
	double began = now();

	if (ports < 1 || ports > PORTS)
		return 2;
	count = strtoul(argv[1], NULL, 10);
	length = fread(frame, 1, sizeof(frame), stdin);
	pthread_barrier_init(&barrier, NULL, (unsigned int)ports);
	for (int i = 0; i < ports; i++)
		if (pthread_create(&thread[i], NULL, run, argv[2 + i]))
			die("pthread_create");
	for (int i = 0; i < ports; i++)
		pthread_join(thread[i], NULL);
	printf("%.0f\n", (double)count / (now() - began));
	return 0;
}
