/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One kind of traffic for some seconds; prints how much it was and the processor time it took.
 *
 *   blast serve                     answers the others: takes TCP streams, echoes datagrams
 *   blast udp ADDRESS SECONDS       64 byte frames: number a second, processor nanoseconds of each
 *   blast tcp ADDRESS SECONDS       one stream: bytes a second, processor nanoseconds of a KiB
 *   blast tcp8 ADDRESS SECONDS      the same of eight streams at once
 *   blast ping ADDRESS SECONDS      one datagram there and back at a time: microseconds, the median
 *                                   and, not rounded to the clock's steps, the mean
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT	   7200
#define SMALL	   22 /* bytes of payload in a frame of 64 */
#define TRIPS_MAX  1000000
#define LOOK_EVERY 32 /* sends between two looks at the clock */
#define STREAMS	   8

static char buffer[256 * 1024];

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static struct sockaddr_in address(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	if (text && inet_pton(AF_INET, text, &address.sin_addr) != 1)
		exit(2);
	return address;
}

/* Takes a stream that waits, or what has come by the one that is there. */
static void serve_stream(struct pollfd *stream, struct pollfd *listener)
{
	if (stream->fd < 0 && listener->revents) {
		stream->fd = accept(listener->fd, NULL, NULL);
		stream->revents = 0;
		listener->revents = 0;
	}
	if (stream->fd >= 0 && stream->revents &&
		recv(stream->fd, buffer, sizeof(buffer), 0) <= 0) {
		close(stream->fd);
		stream->fd = -1;
	}
}

static int serve(void)
{
	struct sockaddr_in here = address(NULL);
	struct pollfd fd[2 + STREAMS] = {{.events = POLLIN}, {.events = POLLIN}};
	int one = 1;

	for (int i = 2; i < 2 + STREAMS; i++)
		fd[i] = (struct pollfd){.fd = -1, .events = POLLIN};

	fd[0].fd = socket(AF_INET, SOCK_DGRAM, 0);
	fd[1].fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd[1].fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd[0].fd, (struct sockaddr *)&here, sizeof(here)) ||
		bind(fd[1].fd, (struct sockaddr *)&here, sizeof(here)) || listen(fd[1].fd, STREAMS))
		return fail("serve");
	puts("ready");
	fflush(stdout);
	while (poll(fd, 2 + STREAMS, -1) > 0) {
		struct sockaddr_in peer;
		socklen_t size = sizeof(peer);
		ssize_t got;

		if (fd[0].revents) {
			got = recvfrom(fd[0].fd, buffer, sizeof(buffer), 0,
				(struct sockaddr *)&peer, &size);
			if (got > 0)
				sendto(fd[0].fd, buffer, (size_t)got, 0, (struct sockaddr *)&peer,
					size);
		}
		for (int i = 2; i < 2 + STREAMS; i++)
			serve_stream(&fd[i], &fd[1]);
	}
	return fail("poll");
}

static int flood(int fd, size_t size, double unit, double limit)
{
	double start = seconds(CLOCK_MONOTONIC);
	double busy = seconds(CLOCK_PROCESS_CPUTIME_ID);
	double count = 0;
	double took;

	do {
		for (int i = 0; i < LOOK_EVERY; i++) {
			ssize_t sent = send(fd, buffer, size, 0);

			if (sent < 0)
				return fail("send");
			count += (double)sent;
		}
		took = seconds(CLOCK_MONOTONIC) - start;
	} while (took < limit);
	busy = seconds(CLOCK_PROCESS_CPUTIME_ID) - busy;
	printf("%.0f %.2f\n", count / unit / took, busy / (count / unit) * 1e9);
	return 0;
}

/* Whichever stream has room is filled. */
static int flood_streams(const struct sockaddr_in *peer, double limit)
{
	struct pollfd fd[STREAMS];
	double start = seconds(CLOCK_MONOTONIC);
	double busy = seconds(CLOCK_PROCESS_CPUTIME_ID);
	double count = 0;
	double took;

	for (int i = 0; i < STREAMS; i++) {
		fd[i] = (struct pollfd){.fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLOUT};
		if (connect(fd[i].fd, (const void *)peer, sizeof(*peer)))
			return fail("connect");
	}
	do {
		poll(fd, STREAMS, 100);
		for (int i = 0; i < STREAMS; i++) {
			ssize_t sent = 0;

			if (fd[i].revents)
				sent = send(fd[i].fd, buffer, sizeof(buffer), MSG_DONTWAIT);
			count += sent > 0 ? (double)sent : 0;
		}
		took = seconds(CLOCK_MONOTONIC) - start;
	} while (took < limit);
	busy = seconds(CLOCK_PROCESS_CPUTIME_ID) - busy;
	printf("%.0f %.2f\n", count / 1024 / took, busy / (count / 1024) * 1e9);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

static int ping(int fd, double limit)
{
	static double trip[TRIPS_MAX];
	double begun = seconds(CLOCK_MONOTONIC);
	double end = begun + limit;
	size_t count = 0;

	while (count < TRIPS_MAX && (count == 0 || seconds(CLOCK_MONOTONIC) < end)) {
		double start = seconds(CLOCK_MONOTONIC);

		if (send(fd, buffer, SMALL, 0) < 0 || recv(fd, buffer, sizeof(buffer), 0) < 0)
			return fail("ping");
		trip[count++] = (seconds(CLOCK_MONOTONIC) - start) * 1e6;
	}
	end = seconds(CLOCK_MONOTONIC);
	qsort(trip, count, sizeof(*trip), by_value);
	printf("%.3f %.3f\n", trip[count / 2], (end - begun) * 1e6 / (double)count);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in peer;
	int stream;
	int fd;

	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	if (argc != 4)
		return 2;
	stream = !strcmp(argv[1], "tcp");
	peer = address(argv[2]);
	if (!strcmp(argv[1], "tcp8"))
		return flood_streams(&peer, atof(argv[3]));
	fd = socket(AF_INET, stream ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		return fail("connect");
	if (!strcmp(argv[1], "ping"))
		return ping(fd, atof(argv[3]));
	return flood(fd, stream ? sizeof(buffer) : SMALL, stream ? 1024 : SMALL, atof(argv[3]));
}
