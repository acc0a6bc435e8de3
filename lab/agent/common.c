/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_read(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * LAB_SEC + (uint64_t)now.tv_nsec;
}

uint64_t lab_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t lab_arrival(struct msghdr *message)
{
	uint64_t now = lab_now();

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		struct timespec stamp;
		uint64_t at, wall;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		if (!stamp.tv_sec)
			break;
		/* The wall clock may be set meanwhile, so it serves only to tell an age. */
		at = (uint64_t)stamp.tv_sec * LAB_SEC + (uint64_t)stamp.tv_nsec;
		wall = clock_read(CLOCK_REALTIME);
		return wall > at && wall - at < now ? now - (wall - at) : now;
	}
	return now;
}

void lab_spans_add(struct lab_spans *spans, struct lab_span span)
{
	if (span.length > spans->longest)
		spans->longest = span.length;
	if (spans->count == spans->size && spans->size < LAB_SPANS_MAX) {
		size_t size = spans->size ? 2 * spans->size : 64;
		struct lab_span *more;

		if (size > LAB_SPANS_MAX)
			size = LAB_SPANS_MAX;
		more = realloc(spans->span, size * sizeof(*more));
		if (more) {
			spans->span = more;
			spans->size = size;
		}
	}
	if (spans->count == spans->size)
		spans->dropped++;
	else
		spans->span[spans->count++] = span;
}

void lab_spans_print(const struct lab_spans *spans)
{
	putchar('[');
	for (size_t i = 0; i < spans->count; i++) {
		const struct lab_span *span = &spans->span[i];

		printf("%s[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", i ? "," : "",
			span->from, span->length, span->seq, span->count);
	}
	putchar(']');
}

void lab_spans_auto(struct lab_spans *spans)
{
	free(spans->span);
}

static bool take_line(struct lab_input *input, char *ret_line, size_t size)
{
	char *newline = memchr(input->buffer, '\n', input->length);
	size_t length;

	if (!newline)
		return false;
	length = (size_t)(newline - input->buffer);
	snprintf(ret_line, size, "%.*s", (int)length, input->buffer);
	input->length -= length + 1;
	memmove(input->buffer, newline + 1, input->length);
	return true;
}

int lab_input_next(struct lab_input *input, char *ret_line, size_t size)
{
	ssize_t n;

	if (take_line(input, ret_line, size))
		return 1;
	if (lab_wait(-1, 0, 0) != LAB_WOKE_INPUT)
		return 0;
	n = read(
		STDIN_FILENO, input->buffer + input->length, sizeof(input->buffer) - input->length);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0)
		return -1;
	input->length += (size_t)n;
	return take_line(input, ret_line, size);
}

int lab_wait(int fd, short events, uint64_t deadline)
{
	struct pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {fd, events, 0}};
	uint64_t now = lab_now();
	uint64_t left = deadline > now ? deadline - now : 0;
	struct timespec timeout = {(time_t)(left / LAB_SEC), (long)(left % LAB_SEC)};
	int woke = 0;

	if (ppoll(fds, 2, &timeout, NULL) <= 0)
		return 0;
	if (fds[0].revents)
		woke |= LAB_WOKE_INPUT;
	if (fds[1].revents)
		woke |= LAB_WOKE_SOCKET;
	return woke;
}

int lab_socket_prepare(int fd)
{
	const int size = LAB_BUFFER, yes = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes)))
		return -errno;
	return 0;
}

int lab_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value < min || value > max)
		return -EINVAL;
	*ret_number = value;
	return 0;
}

int lab_address(const char *address, const char *port, struct sockaddr_in *ret_address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	uint64_t number;

	if (lab_number(port, 1, 65535, &number) || inet_pton(AF_INET, address, &in.sin_addr) != 1)
		return -EINVAL;
	in.sin_port = htons((uint16_t)number);
	*ret_address = in;
	return 0;
}

int lab_fail(const char *what, int error)
{
	fprintf(stderr, "netvf-lab-agent: %s: %s\n", what, strerror(error < 0 ? -error : error));
	return 1;
}
