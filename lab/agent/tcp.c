/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One long TCP connection: a paced stream of known bytes both ways.
 *
 *   (start)  -> {"listening":true} (listen only), then {"ready":true} once connected
 *   go       -> sends a record every interval
 *   stop     -> sends no more, says so to the peer, reads on to the peer's end, and reports
 *
 * The connection has survived when neither side saw an error and each read, unharmed, all that
 * the other sent.
 */
#include "agent.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/tcp.h>
#include <poll.h>
#include <string.h>

#define RECORD	       256 /* bytes */
#define LINGER	       (10 * LAB_SEC) /* for the peer's end */
#define CHUNK	       65536
#define STALL_MIN      (2 * LAB_MSEC) /* shorter ones are not listed */
#define CONNECT_WITHIN (10 * LAB_SEC)

struct tcp {
	int fd;
	uint64_t interval;
	uint64_t start; /* 0: not sending */
	uint64_t records; /* drawn by the clock */
	uint64_t sent; /* bytes the kernel took */
	uint64_t received;
	uint64_t last_arrival;
	uint64_t last_turn;
	uint64_t stopped; /* 0, or when */
	bool ended; /* the peer's end was read */
	bool corrupt;
	int error;
	struct lab_spans stalls; /* nothing came for so long */
	struct lab_spans pauses; /* our own: the machine did not let us run */
};

/* The byte at an offset of the stream: no period that a lost segment could hide in. */
static uint8_t pattern(uint64_t offset)
{
	return (uint8_t)((offset * 0x9e3779b97f4a7c15ull) >> 56);
}

static void draw_records(struct tcp *tcp, uint64_t now)
{
	if (!tcp->start)
		return;
	if (now - tcp->last_turn > tcp->interval + LAB_MSEC)
		lab_spans_add(&tcp->pauses,
			(struct lab_span){tcp->last_turn, now - tcp->last_turn, tcp->records, 0});
	tcp->last_turn = now;
	if (!tcp->stopped)
		tcp->records = (now - tcp->start) / tcp->interval + 1;
}

static void send_records(struct tcp *tcp)
{
	uint8_t data[CHUNK];

	while (!tcp->error && tcp->sent < tcp->records * RECORD) {
		uint64_t left = tcp->records * RECORD - tcp->sent;
		size_t length = left < sizeof(data) ? (size_t)left : sizeof(data);
		ssize_t n;

		for (size_t i = 0; i < length; i++)
			data[i] = pattern(tcp->sent + i);
		n = send(tcp->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			tcp->error = errno;
		else
			tcp->sent += (uint64_t)n;
	}
}

static void account_arrival(struct tcp *tcp, uint64_t arrival)
{
	if (tcp->last_arrival && arrival > tcp->last_arrival) {
		struct lab_span stall = {
			tcp->last_arrival, arrival - tcp->last_arrival, tcp->received, 0};

		if (stall.length > STALL_MIN)
			lab_spans_add(&tcp->stalls, stall);
		else if (stall.length > tcp->stalls.longest)
			tcp->stalls.longest = stall.length;
	}
	if (arrival > tcp->last_arrival)
		tcp->last_arrival = arrival;
}

static void receive_all(struct tcp *tcp)
{
	uint8_t data[CHUNK], control[CMSG_SPACE(sizeof(struct timespec))];

	while (!tcp->error && !tcp->ended) {
		struct iovec iov = {data, sizeof(data)};
		struct msghdr message = {.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(tcp->fd, &message, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			tcp->error = errno;
		else if (n == 0)
			tcp->ended = true;
		else
			account_arrival(tcp, lab_arrival(&message));
		for (ssize_t i = 0; i < n; i++)
			tcp->corrupt |= data[i] != pattern(tcp->received + (uint64_t)i);
		tcp->received += n > 0 ? (uint64_t)n : 0;
	}
}

static void report(const struct tcp *tcp)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);

	getsockopt(tcp->fd, IPPROTO_TCP, TCP_INFO, &info, &length);
	printf("{\"sent\":%" PRIu64 ",\"received\":%" PRIu64 ",\"intact\":%s,\"ended\":%s,"
	       "\"error\":\"%s\",\"retransmits\":%u,\"longest_stall\":%" PRIu64 ",\"stalls\":",
		tcp->sent, tcp->received, tcp->corrupt ? "false" : "true",
		tcp->ended ? "true" : "false", tcp->error ? strerror(tcp->error) : "",
		info.tcpi_total_retrans, tcp->stalls.longest);
	lab_spans_print(&tcp->stalls);
	printf(",\"longest_pause\":%" PRIu64 ",\"pauses\":", tcp->pauses.longest);
	lab_spans_print(&tcp->pauses);
	puts("}");
	fflush(stdout);
}

static int obey(struct tcp *tcp, const char *line)
{
	if (!strcmp(line, "go")) {
		tcp->start = tcp->last_turn = lab_now();
	} else if (!strcmp(line, "stop")) {
		tcp->stopped = lab_now();
	} else {
		fprintf(stderr, "netvf-lab-agent: tcp: no such command: %s\n", line);
		return -EINVAL;
	}
	return 0;
}

/* All sent: tells the peer. All read as well, or hopeless: the end. */
static bool wind_up(struct tcp *tcp)
{
	static bool shut;

	if (!tcp->stopped)
		return false;
	if (!shut && tcp->sent >= tcp->records * RECORD) {
		if (shutdown(tcp->fd, SHUT_WR) && !tcp->error)
			tcp->error = errno;
		shut = true;
	}
	if (!tcp->error && lab_now() - tcp->stopped > LINGER)
		tcp->error = ETIMEDOUT;
	return tcp->error || (shut && tcp->ended);
}

static int stream(struct tcp *tcp)
{
	struct lab_input input = {0};
	char line[sizeof(input.buffer)];

	while (!wind_up(tcp)) {
		uint64_t now = lab_now(), next = now + 10 * LAB_MSEC;
		bool blocked = tcp->sent < tcp->records * RECORD;
		/* A dead connection is always ready; it waits for "stop" to tell of it. */
		int fd = tcp->error || tcp->ended ? -1 : tcp->fd, woke, n = 0;

		if (tcp->start && !tcp->stopped)
			next = tcp->start + tcp->records * tcp->interval;
		woke = lab_wait(fd, blocked ? POLLIN | POLLOUT : POLLIN, next);
		while (woke & LAB_WOKE_INPUT &&
			(n = lab_input_next(&input, line, sizeof(line))) > 0) {
			if (obey(tcp, line))
				return 1;
		}
		if (n < 0)
			return 0;
		draw_records(tcp, lab_now());
		receive_all(tcp);
		send_records(tcp);
	}
	report(tcp);
	/* The peer may still be reading. Ends with the input. */
	while (lab_input_next(&input, line, sizeof(line)) >= 0)
		lab_wait(-1, 0, lab_now() + LAB_SEC);
	return 0;
}

static int accept_one(int listener, const struct sockaddr_in *address, int *ret_fd)
{
	const int yes = 1;
	int fd;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (const struct sockaddr *)address, sizeof(*address)) ||
		listen(listener, 1))
		return -errno;
	puts("{\"listening\":true}");
	fflush(stdout);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int connect_to(int fd, const struct sockaddr_in *address)
{
	struct timeval limit = {CONNECT_WITHIN / LAB_SEC, 0};

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? -errno : 0;
}

static void tcp_auto(struct tcp *tcp)
{
	lab_spans_auto(&tcp->stalls);
	lab_spans_auto(&tcp->pauses);
}

int lab_tcp_main(int argc, char **argv)
{
	const int yes = 1;
	NV_AUTO(nv_fd) int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NV_AUTO(nv_fd) int accepted = -1;
	NV_AUTO(tcp) struct tcp tcp = {0};
	struct sockaddr_in address;
	uint64_t usec;
	int r;

	if (argc != 5 || lab_address(argv[2], argv[3], &address) ||
		lab_number(argv[4], 100, 1000000, &usec) ||
		(strcmp(argv[1], "listen") != 0 && strcmp(argv[1], "connect") != 0))
		return 2;
	if (first < 0)
		return lab_fail("tcp: starting", errno);
	if (!strcmp(argv[1], "listen"))
		r = accept_one(first, &address, &accepted);
	else
		r = connect_to(first, &address);
	if (r < 0)
		return lab_fail("tcp: connecting", r);
	tcp.fd = accepted >= 0 ? accepted : first;
	tcp.interval = usec * 1000;
	setsockopt(tcp.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(tcp.fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes));
	puts("{\"ready\":true}");
	fflush(stdout);
	return stream(&tcp);
}
