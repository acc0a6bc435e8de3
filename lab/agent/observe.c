/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches the host's ends of hn and VF: which of the two carried each numbered datagram, and when;
 * and how the guest tells the network where it is.
 *
 *   (start)  -> {"ready":true}
 *   meanwhile -> {"dir":0,"path":1,"at":…,"seq":…}: from now on this direction goes by that path
 *   packets  -> {"packets":[[…,…],[…,…]]}: how many so far, of each direction by each path
 *   end      -> {"announcements":…,"dirs":…}
 *
 * Direction 0 is to the guest, 1 is from it; path 0 is hn, 1 is VF. One socket sees every port of
 * the host's namespace, so that a VF's first frame cannot slip by while it is being plugged: any
 * port that is neither the switch itself nor an hn's is a VF's. (A guest that moves has an hn on
 * each of its hosts.)
 */
#include "agent.h"

#include "base/cleanup.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

#define BATCH	    64
#define SNAP	    64 /* bytes kept: a stamp is in them, and what tells announcements apart */
#define TICK	    (2 * LAB_MSEC)
#define BUCKET	    (10 * LAB_MSEC)
#define BUCKETS_MAX 360000 /* an hour */
#define TURNS_MAX   1000000 /* changes of path told, each direction; a migration has two */
#define HNS_MAX	    4
#define TOLD_MAX    10000 /* announcements kept */
#define IPV4_LENGTH 20
#define UDP_LENGTH  8

#define IPV4_PROTO 9
#define IPV6_NEXT  6

enum { TO_GUEST, FROM_GUEST, DIRECTIONS };
enum { HN, VF, PATHS };

struct told {
	uint64_t at;
	enum lab_announcement kind;
	int path;
};

struct direction {
	uint16_t port;
	uint8_t *carried; /* for each number, a bit for each path */
	uint64_t end; /* highest number seen + 1 */
	int path; /* of the last datagram; -1: none yet */
	uint64_t turns;
	uint64_t packets[PATHS];
	uint32_t *bucket; /* [BUCKETS_MAX][PATHS] */
};

struct observer {
	int fd;
	int hn[HNS_MAX]; /* unused: 0 */
	uint64_t start;
	uint64_t buckets; /* in use */
	uint64_t missed; /* the kernel dropped them for us, not for the guest */
	struct direction dir[DIRECTIONS];
	struct told *told; /* [TOLD_MAX] */
	size_t told_count;
};

static int path_of(const struct observer *observer, int ifindex)
{
	for (size_t i = 0; i < HNS_MAX; i++) {
		if (observer->hn[i] == ifindex)
			return HN;
	}
	return VF;
}

/* Whether the frame is none of the numbered datagrams. */
static bool observe_told(struct observer *observer, const uint8_t *data, size_t length,
	const struct sockaddr_ll *from, uint64_t at)
{
	uint16_t protocol = be16toh(from->sll_protocol);
	enum lab_announcement kind;

	if (protocol == ETH_P_IP && length > IPV4_PROTO && data[IPV4_PROTO] == IPPROTO_UDP)
		return false;
	if (from->sll_pkttype == PACKET_OUTGOING)
		return true;
	kind = lab_announcement(protocol, data, length);
	if (kind != LAB_NO_ANNOUNCEMENT && observer->told_count < TOLD_MAX)
		observer->told[observer->told_count++] =
			(struct told){at, kind, path_of(observer, from->sll_ifindex)};
	return true;
}

static void count(struct observer *observer, struct direction *dir, int path, uint64_t at)
{
	uint64_t bucket = at > observer->start ? (at - observer->start) / BUCKET : 0;

	dir->packets[path]++;
	if (bucket >= BUCKETS_MAX)
		return;
	dir->bucket[bucket * PATHS + (uint64_t)path]++;
	if (bucket >= observer->buckets)
		observer->buckets = bucket + 1;
}

static void observe_one(struct observer *observer, const uint8_t *data, size_t length,
	const struct sockaddr_ll *from, uint64_t at)
{
	struct lab_stamp stamp;
	struct direction *dir;
	uint16_t port;
	uint64_t seq;
	int path = path_of(observer, from->sll_ifindex);
	bool out = from->sll_pkttype == PACKET_OUTGOING;

	if (observe_told(observer, data, length, from, at) ||
		length < IPV4_LENGTH + UDP_LENGTH + sizeof(stamp))
		return;
	memcpy(&port, data + IPV4_LENGTH + 2, sizeof(port));
	memcpy(&stamp, data + IPV4_LENGTH + UDP_LENGTH, sizeof(stamp));
	seq = be64toh(stamp.seq);
	if (stamp.magic != htobe32(LAB_MAGIC) || seq >= LAB_SEQ_MAX)
		return;
	dir = &observer->dir[out ? TO_GUEST : FROM_GUEST];
	if (be16toh(port) != dir->port)
		return; /* the switch has sent a guest's frame back to it */

	dir->carried[seq] |= (uint8_t)(1u << path);
	if (seq >= dir->end)
		dir->end = seq + 1;
	count(observer, dir, path, at);
	if (path == dir->path)
		return;
	dir->path = path;
	if (dir->turns++ < TURNS_MAX)
		printf("{\"dir\":%d,\"path\":%d,\"at\":%" PRIu64 ",\"seq\":%" PRIu64 "}\n",
			out ? TO_GUEST : FROM_GUEST, path, at, seq);
}

static void drain(struct observer *observer)
{
	uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec))], data[BATCH][SNAP];
	struct sockaddr_ll from[BATCH];
	struct mmsghdr message[BATCH];
	struct iovec iov[BATCH];
	int n;

	do {
		memset(message, 0, sizeof(message));
		for (size_t i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){data[i], sizeof(data[i])};
			message[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
				.msg_namelen = sizeof(from[i]),
				.msg_iov = &iov[i],
				.msg_iovlen = 1,
				.msg_control = control[i],
				.msg_controllen = sizeof(control[i])};
		}
		n = recvmmsg(observer->fd, message, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			observe_one(observer, data[i], message[i].msg_len, &from[i],
				lab_arrival(&message[i].msg_hdr));
	} while (n == BATCH);
	fflush(stdout);
}

/* Numbers in order as runs of the same paths: [first,count,paths]; paths 0: never on the wire. */
static void report_carried(const struct direction *dir)
{
	putchar('[');
	for (uint64_t seq = 0; seq < dir->end;) {
		uint64_t first = seq;

		while (seq < dir->end && dir->carried[seq] == dir->carried[first])
			seq++;
		printf("%s[%" PRIu64 ",%" PRIu64 ",%u]", first ? "," : "", first, seq - first,
			dir->carried[first]);
	}
	putchar(']');
}

static void report_buckets(const struct observer *observer, const struct direction *dir, int path)
{
	putchar('[');
	for (uint64_t i = 0; i < observer->buckets; i++)
		printf("%s%" PRIu32, i ? "," : "", dir->bucket[i * PATHS + (uint64_t)path]);
	putchar(']');
}

/* [at,kind,path] each */
static void report_told(const struct observer *observer)
{
	putchar('[');
	for (size_t i = 0; i < observer->told_count; i++) {
		const struct told *told = &observer->told[i];

		printf("%s[%" PRIu64 ",%d,%d]", i ? "," : "", told->at, told->kind, told->path);
	}
	putchar(']');
}

static void report(struct observer *observer)
{
	struct tpacket_stats stats = {0};
	socklen_t length = sizeof(stats);

	if (!getsockopt(observer->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length))
		observer->missed += stats.tp_drops;
	printf("{\"start\":%" PRIu64 ",\"bucket\":%llu,\"missed\":%" PRIu64 ",\"announcements\":",
		observer->start, BUCKET, observer->missed);
	report_told(observer);
	printf(",\"dirs\":[");
	for (int i = 0; i < DIRECTIONS; i++) {
		const struct direction *dir = &observer->dir[i];

		printf("%s{\"packets\":[%" PRIu64 ",%" PRIu64 "],\"turns\":%" PRIu64
		       ",\"buckets\":[",
			i ? "," : "", dir->packets[HN], dir->packets[VF], dir->turns);
		report_buckets(observer, dir, HN);
		putchar(',');
		report_buckets(observer, dir, VF);
		printf("],\"carried\":");
		report_carried(dir);
		putchar('}');
	}
	puts("]}");
	fflush(stdout);
}

static void report_packets(const struct observer *observer)
{
	const struct direction *dir = observer->dir;

	printf("{\"packets\":[[%" PRIu64 ",%" PRIu64 "],[%" PRIu64 ",%" PRIu64 "]]}\n",
		dir[TO_GUEST].packets[HN], dir[TO_GUEST].packets[VF], dir[FROM_GUEST].packets[HN],
		dir[FROM_GUEST].packets[VF]);
	fflush(stdout);
}

static int observe(struct observer *observer)
{
	struct lab_input input = {0};
	char line[sizeof(input.buffer)];

	for (;;) {
		int n = 0;

		if (lab_wait(-1, 0, lab_now() + TICK) & LAB_WOKE_INPUT)
			n = lab_input_next(&input, line, sizeof(line));
		drain(observer);
		if (n > 0 && !strcmp(line, "packets"))
			report_packets(observer);
		else if (n > 0)
			report(observer);
		if (n < 0)
			return 0;
	}
}

/*
 * Lets pass, on any port but the switch itself: UDP over IPv4 to either of the two ports, IGMP,
 * ARP, ICMPv6 and what has hop-by-hop options as MLD does.
 */
static int filter(int fd, uint32_t ignore, uint32_t to_guest, uint32_t from_guest)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ignore, 16, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 13, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 12),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IPV6_NEXT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_HOPOPTS, 9, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 8, 9),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IPV4_PROTO),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_IGMP, 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x45, 0, 4),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, IPV4_LENGTH + 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, to_guest, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, from_guest, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SNAP),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {NV_ARRAY_SIZE(code), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

static int open_socket(uint32_t ignore, const struct direction dir[static DIRECTIONS], int *ret_fd)
{
	struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htobe16(ETH_P_ALL)};
	/* Protocol 0: nothing comes before the filter is there. */
	NV_AUTO(nv_fd) int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = lab_socket_prepare(fd);
	if (r < 0)
		return r;
	r = filter(fd, ignore, dir[TO_GUEST].port, dir[FROM_GUEST].port);
	if (r < 0)
		return r;
	if (bind(fd, (struct sockaddr *)&all, sizeof(all)))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void observer_auto(struct observer *observer)
{
	for (int i = 0; i < DIRECTIONS; i++) {
		free(observer->dir[i].carried);
		free(observer->dir[i].bucket);
	}
	free(observer->told);
	nv_fd_auto(&observer->fd);
}

int lab_observe_main(int argc, char **argv)
{
	NV_AUTO(observer) struct observer observer = {.start = lab_now(), .fd = -1};
	uint64_t hn, ignore, port;
	int r;

	if (argc < 5 || argc > 4 + HNS_MAX || lab_number(argv[1], 1, INT32_MAX, &ignore))
		return 2;
	for (int i = 4; i < argc; i++) {
		if (lab_number(argv[i], 1, INT32_MAX, &hn))
			return 2;
		observer.hn[i - 4] = (int)hn;
	}
	for (int i = 0; i < DIRECTIONS; i++) {
		struct direction *dir = &observer.dir[i];

		if (lab_number(argv[2 + i], 1, 65535, &port))
			return 2;
		dir->port = (uint16_t)port;
		dir->path = -1;
		dir->carried = calloc(1, LAB_SEQ_MAX);
		dir->bucket = calloc((size_t)BUCKETS_MAX * PATHS, sizeof(*dir->bucket));
		if (!dir->carried || !dir->bucket)
			return lab_fail("observe: starting", ENOMEM);
	}
	observer.told = calloc(TOLD_MAX, sizeof(*observer.told));
	if (!observer.told)
		return lab_fail("observe: starting", ENOMEM);
	r = open_socket((uint32_t)ignore, observer.dir, &observer.fd);
	if (r < 0)
		return lab_fail("observe: opening a packet socket", r);
	puts("{\"ready\":true}");
	fflush(stdout);
	return observe(&observer);
}
