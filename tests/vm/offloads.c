/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traffic that asks a card for its offloads, in both directions at once, and the switches of these
 * offloads.
 *
 *     offloads set IFNAME SEGMENTS SUMS          1 or 0 each: TSO; checksums and scatter-gather
 *     offloads listen|connect ADDRESS PORT LOCAL until a line on standard input
 *
 * Bytes of a known order go by TCP, and numbered datagrams by UDP, twenty for the card to cut from
 * one. Each TICK a line tells: bytes sent, received, and whether these were in order (1 or 0);
 * datagrams sent, received, and how many of these came again. The last line is "end".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK	  20 /* milliseconds */
#define CHUNK	  60000 /* bytes that TCP is given at once */
#define SEGMENT	  1200 /* bytes of a datagram */
#define SEGMENTS  20
#define NUMBERS	  (1u << 22)
#define ATTEMPTS  500
#define PERIOD	  65521u /* of the bytes by TCP: a prime, so no lost segment goes unseen */
#define RECEIVING (64 << 20)

struct end {
	int tcp;
	int udp;
	uint64_t tcp_sent, tcp_received;
	uint32_t udp_sent, udp_received, udp_again;
	bool ordered;
	bool ended; /* the other's bytes */
	uint8_t seen[NUMBERS / 8];
};

static struct end end = {.ordered = true};

static uint8_t byte_at(uint64_t offset)
{
	uint32_t place = offset % PERIOD;

	return (uint8_t)((place * 2654435761u) >> 24);
}

static int die(const char *what)
{
	perror(what);
	return EXIT_FAILURE;
}

static int set_one(int fd, const char *ifname, uint32_t command, uint32_t value)
{
	struct ethtool_value change = {.cmd = command, .data = value};
	struct ifreq request = {.ifr_data = (void *)&change};

	memcpy(request.ifr_name, ifname, strnlen(ifname, IFNAMSIZ - 1));
	return ioctl(fd, SIOCETHTOOL, &request);
}

static int set(const char *ifname, uint32_t segments, uint32_t sums)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (set_one(fd, ifname, ETHTOOL_STXCSUM, sums) < 0 ||
		set_one(fd, ifname, ETHTOOL_SSG, sums) < 0 ||
		set_one(fd, ifname, ETHTOOL_STSO, segments) < 0)
		return die(ifname);
	return EXIT_SUCCESS;
}

static void send_bytes(void)
{
	uint8_t chunk[CHUNK];
	ssize_t n;

	for (size_t i = 0; i < sizeof(chunk); i++)
		chunk[i] = byte_at(end.tcp_sent + i);
	n = send(end.tcp, chunk, sizeof(chunk), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		end.tcp_sent += (uint64_t)n;
}

static void receive_bytes(void)
{
	uint8_t bytes[1 << 16];
	ssize_t n;

	while ((n = recv(end.tcp, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			end.ordered &= bytes[i] == byte_at(end.tcp_received + (uint64_t)i);
		end.tcp_received += (uint64_t)n;
	}
	end.ended = n == 0;
}

static void send_datagrams(void)
{
	char bytes[SEGMENTS * SEGMENT] = {};

	for (uint32_t i = 0; i < SEGMENTS; i++) {
		uint32_t number = htonl(end.udp_sent + i);

		memcpy(bytes + i * SEGMENT, &number, sizeof(number));
	}
	if (send(end.udp, bytes, sizeof(bytes), MSG_DONTWAIT) == (ssize_t)sizeof(bytes))
		end.udp_sent += SEGMENTS;
}

static void receive_datagrams(void)
{
	uint8_t bytes[SEGMENT + 1];
	uint32_t number;

	while (recv(end.udp, bytes, sizeof(bytes), MSG_DONTWAIT) == SEGMENT) {
		memcpy(&number, bytes, sizeof(number));
		number = ntohl(number) % NUMBERS;
		if (end.seen[number / 8] & 1u << number % 8)
			end.udp_again++;
		else
			end.udp_received++;
		end.seen[number / 8] |= (uint8_t)(1u << number % 8);
	}
}

static void tell(void)
{
	printf("%llu %llu %d %u %u %u\n", (unsigned long long)end.tcp_sent,
		(unsigned long long)end.tcp_received, end.ordered, end.udp_sent, end.udp_received,
		end.udp_again);
	fflush(stdout);
}

/* Until both ends have sent all and heard all. */
static void talk(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	bool stopping = false;

	while (!stopping || !end.ended) {
		if (!stopping && poll(&input, 1, TICK) > 0) {
			shutdown(end.tcp, SHUT_WR);
			stopping = true;
		}
		if (stopping)
			poll(NULL, 0, TICK);
		if (!stopping) {
			send_bytes();
			send_datagrams();
		}
		receive_bytes();
		receive_datagrams();
		tell();
	}
}

static int open_tcp(bool listens, const struct sockaddr_in *peer, const struct sockaddr_in *local)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	for (int i = 0; !listens && i < ATTEMPTS; i++) {
		if (connect(fd, (const void *)peer, sizeof(*peer)) == 0)
			return fd;
		poll(NULL, 0, TICK); /* the other end may not listen yet */
	}
	if (!listens)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const void *)local, sizeof(*local)) < 0 || listen(fd, 1) < 0)
		return -1;
	return accept(fd, NULL, NULL);
}

static int open_udp(const struct sockaddr_in *peer, const struct sockaddr_in *local)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int receiving = RECEIVING;
	int segment = SEGMENT;

	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receiving, sizeof(receiving)) < 0 ||
		bind(fd, (const void *)local, sizeof(*local)) < 0 ||
		connect(fd, (const void *)peer, sizeof(*peer)) < 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_in peer = {.sin_family = AF_INET};
	struct sockaddr_in local = {.sin_family = AF_INET};

	if (argc != 5)
		return EXIT_FAILURE;
	if (!strcmp(argv[1], "set"))
		return set(argv[2], (uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[4]));
	peer.sin_port = local.sin_port = htons((uint16_t)atoi(argv[3]));
	if (inet_aton(argv[2], &peer.sin_addr) == 0 || inet_aton(argv[4], &local.sin_addr) == 0)
		return EXIT_FAILURE;
	end.udp = open_udp(&peer, &local);
	end.tcp = end.udp < 0 ? -1 : open_tcp(!strcmp(argv[1], "listen"), &peer, &local);
	if (end.tcp < 0)
		return die(argv[2]);
	talk();
	puts("end");
	return EXIT_SUCCESS;
}
