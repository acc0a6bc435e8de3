/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netvf-lab-agent: the lab's precise work, in one small program that needs libc alone, so that it
 * also runs in a VM's first file system.
 *
 * Each mode takes commands as lines on standard input and answers with JSON lines on standard
 * output. The end of its input ends it. All times are CLOCK_MONOTONIC in nanoseconds.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define LAB_MAGIC     0x6e657476u /* "netv" */
#define LAB_SEQ_MAX   (64u * 1024 * 1024) /* datagrams of one run, each way */
#define LAB_SPANS_MAX 20000 /* intervals kept; later ones only count towards the longest */
#define LAB_BUFFER    (64 * 1024 * 1024) /* bytes a socket may hold: a busy core loses nothing */

#define LAB_MSEC 1000000ull
#define LAB_SEC	 1000000000ull

/* What every numbered datagram begins with, in network byte order; the rest is (uint8_t)seq. */
struct lab_stamp {
	uint32_t magic;
	uint32_t zero;
	uint64_t seq; /* from 0 */
	uint64_t sent; /* sender's clock */
};

/* An interval worth telling: a gap, a stall, a pause, a run of lost numbers. */
struct lab_span {
	uint64_t from;
	uint64_t length;
	uint64_t seq;
	uint64_t count;
};

struct lab_spans {
	struct lab_span *span;
	size_t count;
	size_t size;
	uint64_t dropped;
	uint64_t longest; /* of all, dropped ones included */
};

void lab_spans_add(struct lab_spans *spans, struct lab_span span);
void lab_spans_print(const struct lab_spans *spans); /* [[from,length,seq,count],…] */
void lab_spans_auto(struct lab_spans *spans);

/* Lines of standard input. */
struct lab_input {
	char buffer[256];
	size_t length;
};

/*
 * The next command when a whole line is there: 1. 0: not yet. -1: the input has ended (or is too
 * long). Reads at most once, so call it when poll says so, and again while it returns 1.
 */
int lab_input_next(struct lab_input *input, char *ret_line, size_t size);

uint64_t lab_now(void);

/* The kernel's time stamp of a received message on CLOCK_MONOTONIC; now, when there is none. */
uint64_t lab_arrival(struct msghdr *message);

/* Asks for time stamps and for buffers of LAB_BUFFER (less without CAP_NET_ADMIN). */
int lab_socket_prepare(int fd);

/* Waits for input, for @fd (-1: not at all), or until @deadline; returns a set of LAB_WOKE_. */
enum { LAB_WOKE_INPUT = 1, LAB_WOKE_SOCKET = 2 };
int lab_wait(int fd, short events, uint64_t deadline);

int lab_address(const char *address, const char *port, struct sockaddr_in *ret_address);
int lab_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number);

/* Prints what failed, on what, and why; returns 1, the exit status. */
int lab_fail(const char *what, int error);

/* How a guest tells everybody where it is; the numbers are the report's (netvf_lab/report.py). */
enum lab_announcement {
	LAB_GRATUITOUS_ARP,
	LAB_UNSOLICITED_NA,
	LAB_GROUP_REPORT, /* IGMP's or MLD's */
	LAB_NO_ANNOUNCEMENT,
};

/* What a frame is; @data begins behind the Ethernet header, of @protocol; 64 bytes are enough. */
enum lab_announcement lab_announcement(uint16_t protocol, const uint8_t *data, size_t length);

int lab_udp_main(int argc, char **argv);
int lab_tcp_main(int argc, char **argv);
int lab_observe_main(int argc, char **argv);
int lab_ports_main(int argc, char **argv);
int lab_clock_main(int argc, char **argv);
int lab_group_main(int argc, char **argv);
int lab_held_main(int argc, char **argv);
