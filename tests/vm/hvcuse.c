/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hyper-V's devices for its daemons, without Hyper-V: /dev/vmbus/hv_kvp and /dev/vmbus/hv_vss made
 * by CUSE, which behave as those of Linux's driver hv_utils do. Its messages are those of
 * linux/hyperv.h, the requests that the kernel passes on those of linux/fuse.h.
 *
 * Reads commands, a line each, as the host would have them:
 *
 *	kvp create | vss create			the device comes
 *	kvp destroy | vss destroy		it goes, whoever has it open
 *	kvp enumerate INDEX			asks for a value that the daemon knows by itself
 *	kvp set KEY VALUE | kvp get KEY		a value in the guest's store
 *	kvp address MAC				asks for the addresses of the interface that has it
 *	vss freeze | vss thaw
 *
 * and tells of each, in a line, that it is done ("kvp created"), the daemon's answer ("kvp answer
 * STATUS KEY=VALUE", "kvp answer STATUS ADDRESSES", "vss answer STATUS") or that there is none
 *("kvp failed: WHY"). Besides, that a daemon has registered ("kvp registered"), and that a second
 *one tried to ("kvp busy").
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/hyperv.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define TRANSFER_MAX 65536 /* bytes of one read or write, which must not be cut */
#define KVP_VERSION  "3.1" /* that Linux's driver tells its daemon */
#define VSS_VERSION  1

enum state { CLOSED, OPEN, REGISTERING, REGISTERED };

struct node {
	const char *name;
	const char *device;
	int (*send)(struct node *node, const char *verb, const char *key, const char *value);
	void (*answer)(struct node *node, const void *message);
	void (*greet)(struct node *node);
	size_t message_size;
	int registration;
	int cuse; /* -1: it does not exist */
	enum state state;
	bool asked; /* and has not answered yet */
	uint8_t operation; /* that it was asked for last */
	bool polled;
	uint64_t poll_handle;
	size_t outgoing_size; /* 0: none waits to be read */
	union {
		struct hv_kvp_msg kvp;
		struct hv_vss_msg vss;
		uint32_t version;
	} outgoing;
};

static void die(const struct node *node, const char *what)
{
	fprintf(stderr, "hvcuse: %s: %s: %s\n", node->name, what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* @error: a negative errno or, without @request, a FUSE_NOTIFY_… */
static void reply(const struct node *node, const struct fuse_in_header *request, int error,
	const void *data, size_t size)
{
	struct fuse_out_header header = {
		.len = sizeof(header) + size,
		.error = error,
		.unique = request ? request->unique : 0,
	};
	const struct iovec parts[] = {{&header, sizeof(header)}, {(void *)data, size}};

	/* ENOENT: who asked is gone, or nobody polls. */
	if (writev(node->cuse, parts, 2) < 0 && errno != ENOENT)
		die(node, "cannot reply to the kernel");
}

static void wake(struct node *node)
{
	const struct fuse_notify_poll_wakeup_out wakeup = {.kh = node->poll_handle};

	if (node->polled)
		reply(node, NULL, FUSE_NOTIFY_POLL, &wakeup, sizeof(wakeup));
	node->polled = false;
}

/* What is in node->outgoing goes to the daemon. */
static void post(struct node *node, size_t size)
{
	node->outgoing_size = size;
	wake(node);
}

static void greet_kvp(struct node *node)
{
	struct hv_kvp_msg *message = &node->outgoing.kvp;

	*message = (struct hv_kvp_msg){.kvp_hdr.operation = KVP_OP_REGISTER1};
	strcpy((char *)message->body.kvp_register.version, KVP_VERSION);
	post(node, sizeof(*message));
}

static void greet_vss(struct node *node)
{
	node->outgoing.version = VSS_VERSION;
	post(node, sizeof(node->outgoing.version));
}

static uint32_t put(uint8_t *field, const char *text)
{
	strcpy((char *)field, text);
	return strlen(text) + 1;
}

static int send_kvp(struct node *node, const char *verb, const char *key, const char *value)
{
	struct hv_kvp_msg *message = &node->outgoing.kvp;
	struct hv_kvp_exchg_msg_value *data = &message->body.kvp_set.data;

	*message = (struct hv_kvp_msg){.kvp_hdr.pool = KVP_POOL_EXTERNAL};
	if (strcmp(verb, "enumerate") == 0) {
		message->kvp_hdr.operation = KVP_OP_ENUMERATE;
		message->kvp_hdr.pool = KVP_POOL_AUTO;
		message->body.kvp_enum_data.index = strtoul(key, NULL, 10);
	} else if (strcmp(verb, "set") == 0) {
		message->kvp_hdr.operation = KVP_OP_SET;
		data->value_type = REG_SZ;
		data->key_size = put(data->key, key);
		data->value_size = put(data->value, value);
	} else if (strcmp(verb, "address") == 0) {
		message->kvp_hdr.operation = KVP_OP_GET_IP_INFO;
		put((uint8_t *)message->body.kvp_ip_val.adapter_id, key);
	} else if (strcmp(verb, "get") == 0) {
		message->kvp_hdr.operation = KVP_OP_GET;
		data->key_size = put(data->key, key);
		data->value_size = sizeof(data->value); /* there is room for */
	} else {
		return -EINVAL;
	}
	node->operation = message->kvp_hdr.operation;
	post(node, sizeof(*message));
	return 0;
}

static int send_vss(struct node *node, const char *verb, const char *key, const char *value)
{
	struct hv_vss_msg *message = &node->outgoing.vss;

	(void)key;
	(void)value;
	*message = (struct hv_vss_msg){};
	if (strcmp(verb, "freeze") == 0)
		message->vss_hdr.operation = VSS_OP_FREEZE;
	else if (strcmp(verb, "thaw") == 0)
		message->vss_hdr.operation = VSS_OP_THAW;
	else
		return -EINVAL;
	post(node, sizeof(*message));
	return 0;
}

static void answer_kvp(struct node *node, const void *data)
{
	const struct hv_kvp_msg *message = data;
	const struct hv_kvp_exchg_msg_value *value = node->operation == KVP_OP_ENUMERATE
							     ? &message->body.kvp_enum_data.data
							     : &message->body.kvp_get.data;

	if (node->operation == KVP_OP_GET_IP_INFO) {
		printf("kvp answer %x %.*s\n", message->error,
			(int)sizeof(message->body.kvp_ip_val.ip_addr),
			(const char *)message->body.kvp_ip_val.ip_addr);
		return;
	}
	printf("kvp answer %x %.*s=%.*s\n", message->error, (int)sizeof(value->key), value->key,
		(int)sizeof(value->value), value->value);
}

static void answer_vss(struct node *node, const void *data)
{
	const struct hv_vss_msg *message = data;

	(void)node;
	printf("vss answer %x\n", message->error);
}

static struct node nodes[] = {
	{
		.name = "kvp",
		.device = "vmbus/hv_kvp",
		.send = send_kvp,
		.answer = answer_kvp,
		.greet = greet_kvp,
		.message_size = sizeof(struct hv_kvp_msg),
		.registration = KVP_OP_REGISTER1,
		.cuse = -1,
	},
	{
		.name = "vss",
		.device = "vmbus/hv_vss",
		.send = send_vss,
		.answer = answer_vss,
		.greet = greet_vss,
		.message_size = sizeof(struct hv_vss_msg),
		.registration = VSS_OP_REGISTER1,
		.cuse = -1,
	},
};

#define N_NODES (sizeof(nodes) / sizeof(nodes[0]))

/* The kernel's first request; with the reply, the device is there. */
static void on_init(struct node *node, const struct fuse_in_header *request)
{
	struct {
		struct cuse_init_out out;
		char info[64];
	} init = {
		.out =
			{
				.major = FUSE_KERNEL_VERSION,
				.minor = FUSE_KERNEL_MINOR_VERSION,
				.max_read = TRANSFER_MAX,
				.max_write = TRANSFER_MAX,
			},
	};
	int length = snprintf(init.info, sizeof(init.info), "DEVNAME=%s", node->device);

	reply(node, request, 0, &init, sizeof(init.out) + length + 1);
	printf("%s created\n", node->name);
}

/* One daemon, no more. */
static void on_open(struct node *node, const struct fuse_in_header *request)
{
	const struct fuse_open_out out = {.open_flags = FOPEN_DIRECT_IO};

	if (node->state != CLOSED) {
		printf("%s busy\n", node->name);
		reply(node, request, -EBUSY, NULL, 0);
		return;
	}
	node->state = OPEN;
	reply(node, request, 0, &out, sizeof(out));
}

/* The daemon has gone, or its device. */
static void reset(struct node *node)
{
	if (node->asked)
		printf("%s failed: the daemon went without an answer\n", node->name);
	node->asked = false;
	node->state = CLOSED;
	node->outgoing_size = 0;
	node->polled = false;
}

static void on_release(struct node *node, const struct fuse_in_header *request)
{
	reset(node);
	reply(node, request, 0, NULL, 0);
}

static void on_poll(struct node *node, const struct fuse_in_header *request, const void *argument)
{
	const struct fuse_poll_in *in = argument;
	const struct fuse_poll_out out = {.revents = node->outgoing_size ? POLLIN : 0};

	if (in->flags & FUSE_POLL_SCHEDULE_NOTIFY) {
		node->polled = true;
		node->poll_handle = in->kh;
	}
	reply(node, request, 0, &out, sizeof(out));
}

static void on_read(struct node *node, const struct fuse_in_header *request, const void *argument)
{
	const struct fuse_read_in *in = argument;

	if (!node->outgoing_size || in->size < node->outgoing_size) {
		reply(node, request, node->outgoing_size ? -EINVAL : -EAGAIN, NULL, 0);
		return;
	}
	reply(node, request, 0, &node->outgoing, node->outgoing_size);
	node->outgoing_size = 0;
	if (node->state == REGISTERING) {
		node->state = REGISTERED;
		printf("%s registered\n", node->name);
	}
}

static void on_write(struct node *node, const struct fuse_in_header *request, const void *argument)
{
	const struct fuse_write_in *in = argument;
	const struct fuse_write_out out = {.size = in->size};
	const uint8_t *message = (const void *)(in + 1); /* begins with the operation */

	if (in->size != node->message_size ||
		(node->state == OPEN && message[0] != node->registration)) {
		reply(node, request, -EINVAL, NULL, 0);
		return;
	}
	reply(node, request, 0, &out, sizeof(out));
	if (node->state == OPEN) {
		node->state = REGISTERING;
		node->greet(node);
	} else {
		node->asked = false;
		node->answer(node, message);
	}
}

static void serve(struct node *node)
{
	static _Alignas(8) char buffer[TRANSFER_MAX + 4096];
	const struct fuse_in_header *request = (const void *)buffer;
	const void *argument = request + 1;

	if (read(node->cuse, buffer, sizeof(buffer)) < 0) {
		/* EINTR, ENOENT: the request was taken back. */
		if (errno != EINTR && errno != ENOENT && errno != EAGAIN)
			die(node, "cannot read the kernel's requests");
		return;
	}
	switch (request->opcode) {
	case CUSE_INIT:
		return on_init(node, request);
	case FUSE_OPEN:
		return on_open(node, request);
	case FUSE_RELEASE:
		return on_release(node, request);
	case FUSE_POLL:
		return on_poll(node, request, argument);
	case FUSE_READ:
		return on_read(node, request, argument);
	case FUSE_WRITE:
		return on_write(node, request, argument);
	case FUSE_INTERRUPT:
		return;
	default:
		return reply(node, request, -ENOSYS, NULL, 0);
	}
}

static int create(struct node *node)
{
	if (node->cuse >= 0)
		return -EEXIST;
	node->cuse = open("/dev/cuse", O_RDWR | O_CLOEXEC);
	if (node->cuse < 0)
		return -errno;
	serve(node);
	return 0;
}

static int destroy(struct node *node)
{
	if (node->cuse < 0)
		return -ENODEV;
	close(node->cuse);
	node->cuse = -1;
	reset(node);
	printf("%s destroyed\n", node->name);
	return 0;
}

static void obey(char *line)
{
	const char *word[4];
	struct node *node = NULL;
	int r;

	for (size_t i = 0; i < 4; i++) {
		word[i] = strtok(i ? NULL : line, " \n");
		if (!word[i])
			word[i] = "";
	}
	for (size_t i = 0; i < N_NODES; i++) {
		if (strcmp(word[0], nodes[i].name) == 0)
			node = &nodes[i];
	}
	if (!node)
		r = -ENODEV;
	else if (strcmp(word[1], "create") == 0)
		r = create(node);
	else if (strcmp(word[1], "destroy") == 0)
		r = destroy(node);
	else if (node->state != REGISTERED || node->asked)
		r = -ENOTCONN;
	else
		node->asked = (r = node->send(node, word[1], word[2], word[3])) == 0;
	if (r < 0)
		printf("%s failed: %s\n", word[0], strerror(-r));
}

int main(void)
{
	char line[1024];

	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		struct pollfd ready[N_NODES + 1] = {{.fd = STDIN_FILENO, .events = POLLIN}};

		for (size_t i = 0; i < N_NODES; i++)
			ready[i + 1] = (struct pollfd){.fd = nodes[i].cuse, .events = POLLIN};
		if (poll(ready, N_NODES + 1, -1) < 0)
			return EXIT_FAILURE;
		for (size_t i = 0; i < N_NODES; i++) {
			if (ready[i + 1].revents)
				serve(&nodes[i]);
		}
		if (ready[0].revents) {
			if (!fgets(line, sizeof(line), stdin))
				return EXIT_SUCCESS;
			obey(line);
		}
	}
}
