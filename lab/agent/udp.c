/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbered datagrams both ways.
 *
 *   (start)  -> {"ready":true}, and whatever arrives is counted from now on
 *   go       -> sends
 *   stop     -> {"sent":…}: what it sent, and where it paused itself
 *   end N    -> {"received":…}: waits for the last of the peer's N, then tells what came
 *
 * A number that was drawn counts as sent, also when the kernel refused the datagram: an application
 * would have lost it.
 */
#include "agent.h"

#include "base/cleanup.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define BATCH	   64
#define SIZE_MIN   sizeof(struct lab_stamp)
#define SIZE_MAX_  8972 /* what a 9000 byte frame carries */
#define TICK	   (LAB_MSEC / 5) /* at least between two sends: 5,000 wake-ups a second */
#define DRAIN_MAX  (20 * LAB_MSEC) /* between two looks at what has come */
#define LINGER	   (200 * LAB_MSEC) /* after the last arrival, for the peer's last datagrams */
#define ERRORS_MAX 8

struct sender {
	uint64_t pps;
	uint64_t start; /* 0: not sending */
	uint64_t last; /* when it last sent */
	uint64_t sent;
	uint64_t failed;
	struct {
		int error;
		uint64_t count;
	} failure[ERRORS_MAX];
	struct lab_spans pauses; /* its own: the machine did not let it run */
};

struct receiver {
	uint8_t *seen; /* a bit for each number */
	uint64_t end; /* highest number seen + 1 */
	uint64_t received;
	uint64_t duplicates;
	uint64_t reordered;
	uint64_t corrupt;
	uint32_t overflow; /* dropped by our own full buffer */
	uint64_t last_arrival;
	uint64_t last_seq;
	uint64_t last_sent;
	struct lab_spans gaps;
};

struct udp {
	int fd;
	size_t size;
	uint64_t interval; /* nanoseconds between two datagrams */
	struct sockaddr_in peer;
	struct sender tx;
	struct receiver rx;
	uint8_t tx_buffer[BATCH][SIZE_MAX_];
	uint8_t rx_buffer[BATCH][SIZE_MAX_];
};

static void count_failure(struct sender *tx, int error)
{
	tx->failed++;
	for (size_t i = 0; i < ERRORS_MAX; i++) {
		if (tx->failure[i].count && tx->failure[i].error != error)
			continue;
		tx->failure[i].error = error;
		tx->failure[i].count++;
		return;
	}
}

static void send_batch(struct udp *udp, unsigned int count, uint64_t now)
{
	struct mmsghdr message[BATCH];
	struct iovec iov[BATCH];

	memset(message, 0, sizeof(message));
	for (unsigned int i = 0; i < count; i++) {
		uint64_t seq = udp->tx.sent + i;
		struct lab_stamp stamp = {htobe32(LAB_MAGIC), 0, htobe64(seq), htobe64(now)};

		memcpy(udp->tx_buffer[i], &stamp, sizeof(stamp));
		memset(udp->tx_buffer[i] + sizeof(stamp), (uint8_t)seq, udp->size - sizeof(stamp));
		iov[i] = (struct iovec){udp->tx_buffer[i], udp->size};
		message[i].msg_hdr = (struct msghdr){.msg_name = &udp->peer,
			.msg_namelen = sizeof(udp->peer),
			.msg_iov = &iov[i],
			.msg_iovlen = 1};
	}
	for (unsigned int done = 0; done < count;) {
		int n = sendmmsg(udp->fd, message + done, count - done, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			count_failure(&udp->tx, errno);
		done += n < 0 ? 1 : (unsigned int)n;
	}
	udp->tx.sent += count;
}

/* Sends what is due by now; returns when the next is. */
static uint64_t send_due(struct udp *udp)
{
	struct sender *tx = &udp->tx;
	uint64_t now = lab_now(), due, next;

	due = (now - tx->start) / udp->interval + 1;
	if (due > LAB_SEQ_MAX)
		due = LAB_SEQ_MAX;
	if (now - tx->last > LAB_MSEC + udp->interval)
		lab_spans_add(
			&tx->pauses, (struct lab_span){tx->last, now - tx->last, tx->sent, 0});
	if (due > tx->sent)
		tx->last = now;
	/* One batch a turn: catching up after a pause must not overrun the kernel's queues. */
	if (due > tx->sent)
		send_batch(
			udp, due - tx->sent > BATCH ? BATCH : (unsigned int)(due - tx->sent), now);
	next = tx->start + tx->sent * udp->interval;
	return next > now + TICK ? next : now + TICK;
}

static void account_gap(struct udp *udp, uint64_t arrival, uint64_t seq, uint64_t sent)
{
	struct receiver *rx = &udp->rx;
	uint64_t length, pause;

	if (!rx->last_arrival || arrival <= rx->last_arrival)
		return;
	length = arrival - rx->last_arrival;
	/* What the sender itself paused between the two is no gap of the network's. */
	if (seq == rx->last_seq + 1 && sent > rx->last_sent + udp->interval) {
		pause = sent - rx->last_sent - udp->interval;
		length = length > pause ? length - pause : 0;
	}
	if (length > LAB_MSEC && length > 4 * udp->interval)
		lab_spans_add(
			&rx->gaps, (struct lab_span){rx->last_arrival, length, rx->last_seq + 1,
					   seq > rx->last_seq ? seq - rx->last_seq - 1 : 0});
	else if (length > rx->gaps.longest)
		rx->gaps.longest = length;
}

static void receive_one(struct udp *udp, const uint8_t *data, size_t length, uint64_t arrival)
{
	struct receiver *rx = &udp->rx;
	struct lab_stamp stamp;
	uint64_t seq, sent;

	if (length < sizeof(stamp)) {
		rx->corrupt++;
		return;
	}
	memcpy(&stamp, data, sizeof(stamp));
	seq = be64toh(stamp.seq);
	sent = be64toh(stamp.sent);
	if (stamp.magic != htobe32(LAB_MAGIC) || seq >= LAB_SEQ_MAX) {
		rx->corrupt++;
		return;
	}
	for (size_t i = sizeof(stamp); i < length; i++) {
		if (data[i] != (uint8_t)seq) {
			rx->corrupt++;
			return;
		}
	}
	if (rx->seen[seq / 8] & (1u << seq % 8)) {
		rx->duplicates++;
		return;
	}
	rx->seen[seq / 8] |= (uint8_t)(1u << seq % 8);
	rx->received++;
	if (seq < rx->end)
		rx->reordered++;
	else
		rx->end = seq + 1;
	account_gap(udp, arrival, seq, sent);
	if (arrival > rx->last_arrival)
		rx->last_arrival = arrival;
	rx->last_seq = seq;
	rx->last_sent = sent;
}

static void note_overflow(struct receiver *rx, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&rx->overflow, CMSG_DATA(c), sizeof(rx->overflow));
	}
}

/* Takes all that has come. The kernel stamped each datagram, so there is no hurry. */
static void drain(struct udp *udp)
{
	uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(uint32_t))];
	struct mmsghdr message[BATCH];
	struct iovec iov[BATCH];
	int n;

	do {
		memset(message, 0, sizeof(message));
		for (size_t i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){udp->rx_buffer[i], sizeof(udp->rx_buffer[i])};
			message[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
				.msg_iovlen = 1,
				.msg_control = control[i],
				.msg_controllen = sizeof(control[i])};
		}
		n = recvmmsg(udp->fd, message, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			note_overflow(&udp->rx, &message[i].msg_hdr);
			receive_one(udp, udp->rx_buffer[i], message[i].msg_len,
				lab_arrival(&message[i].msg_hdr));
		}
	} while (n == BATCH);
}

static void report_sent(const struct sender *tx)
{
	printf("{\"sent\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"start\":%" PRIu64 ",\"errors\":{",
		tx->sent, tx->failed, tx->start);
	for (size_t i = 0; i < ERRORS_MAX && tx->failure[i].count; i++)
		printf("%s\"%s\":%" PRIu64, i ? "," : "", strerrorname_np(tx->failure[i].error),
			tx->failure[i].count);
	printf("},\"longest_pause\":%" PRIu64 ",\"pauses\":", tx->pauses.longest);
	lab_spans_print(&tx->pauses);
	puts("}");
	fflush(stdout);
}

static void report_received(struct receiver *rx, uint64_t expected)
{
	NV_AUTO(lab_spans) struct lab_spans lost = {0};
	uint64_t missing = 0;

	for (uint64_t seq = 0; seq < expected;) {
		uint64_t first = seq;

		while (seq < expected && !(rx->seen[seq / 8] & (1u << seq % 8)))
			seq++;
		if (seq > first)
			lab_spans_add(&lost, (struct lab_span){0, 0, first, seq - first});
		missing += seq - first;
		seq += seq < expected;
	}
	printf("{\"received\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"duplicates\":%" PRIu64
	       ",\"reordered\":%" PRIu64 ",\"corrupt\":%" PRIu64 ",\"overflow\":%" PRIu32
	       ",\"longest_gap\":%" PRIu64 ",\"gaps\":",
		rx->received, missing, rx->duplicates, rx->reordered, rx->corrupt, rx->overflow,
		rx->gaps.longest);
	lab_spans_print(&rx->gaps);
	printf(",\"lost_runs\":");
	lab_spans_print(&lost);
	puts("}");
	fflush(stdout);
}

/* Waits for the rest of what the peer says it sent, then tells what came. */
static void finish(struct udp *udp, uint64_t expected)
{
	struct receiver *rx = &udp->rx;
	uint64_t asked = lab_now(), quiet_since = asked, received = rx->received;

	while (rx->received < expected && lab_now() - quiet_since < LINGER) {
		lab_wait(-1, 0, lab_now() + LAB_MSEC);
		drain(udp);
		if (rx->received != received)
			quiet_since = lab_now();
		received = rx->received;
	}
	/* The last of them never came: the gap is open to the end. */
	if (rx->end < expected && rx->last_arrival && asked > rx->last_arrival)
		lab_spans_add(
			&rx->gaps, (struct lab_span){rx->last_arrival, asked - rx->last_arrival,
					   rx->end, expected - rx->end});
	report_received(rx, expected);
}

/* Returns false when it is over. */
static bool obey(struct udp *udp, const char *line)
{
	uint64_t expected;

	if (!strcmp(line, "go") && udp->interval) {
		udp->tx.start = udp->tx.last = lab_now();
	} else if (!strcmp(line, "stop")) {
		report_sent(&udp->tx);
		udp->tx.start = 0;
	} else if (!strncmp(line, "end ", 4) && !lab_number(line + 4, 0, LAB_SEQ_MAX, &expected)) {
		finish(udp, expected);
	} else {
		fprintf(stderr, "netvf-lab-agent: udp: no such command: %s\n", line);
		return false;
	}
	return true;
}

/*
 * What has come is read some datagrams at a time. Each look takes processor time from what is
 * measured, and an emulated processor has little of it.
 */
static uint64_t drain_interval(const struct udp *udp)
{
	uint64_t some = 10 * udp->interval;

	return some < LAB_MSEC ? LAB_MSEC : some > DRAIN_MAX ? DRAIN_MAX : some;
}

static int udp_run(struct udp *udp)
{
	struct lab_input input = {0};
	char line[sizeof(input.buffer)];
	uint64_t next_drain = 0;

	for (;;) {
		uint64_t now, next = UINT64_MAX;
		int n = 0;

		if (udp->tx.start)
			next = send_due(udp);
		now = lab_now();
		if (now >= next_drain) {
			drain(udp);
			next_drain = now + drain_interval(udp);
		}
		if (lab_wait(-1, 0, next < next_drain ? next : next_drain) & LAB_WOKE_INPUT) {
			while ((n = lab_input_next(&input, line, sizeof(line))) > 0) {
				if (!obey(udp, line))
					return 1;
			}
		}
		if (n < 0)
			return 0;
	}
}

static void udp_auto(struct udp **udp)
{
	if (*udp) {
		lab_spans_auto(&(*udp)->tx.pauses);
		lab_spans_auto(&(*udp)->rx.gaps);
	}
	free(*udp);
}

int lab_udp_main(int argc, char **argv)
{
	const int yes = 1;
	NV_AUTO(udp) struct udp *udp = calloc(1, sizeof(*udp));
	NV_AUTO(nv_free) uint8_t *seen = calloc(1, LAB_SEQ_MAX / 8);
	NV_AUTO(nv_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in local;
	uint64_t pps, size;
	int r;

	if (argc != 7 || lab_number(argv[5], 1, 1000000, &pps) ||
		lab_number(argv[6], SIZE_MIN, SIZE_MAX_, &size) ||
		lab_address(argv[1], argv[2], &local))
		return 2;
	if (!udp || !seen || fd < 0)
		return lab_fail("udp: starting", fd < 0 ? errno : ENOMEM);
	if (lab_address(argv[3], argv[4], &udp->peer))
		return 2;
	udp->fd = fd;
	udp->size = size;
	udp->interval = LAB_SEC / pps;
	udp->rx.seen = seen;
	r = lab_socket_prepare(fd);
	if (r < 0)
		return lab_fail("udp: preparing the socket", r);
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&local, sizeof(local)))
		return lab_fail("udp: binding to the local address", errno);
	puts("{\"ready\":true}");
	fflush(stdout);
	return udp_run(udp);
}
