/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients of devd's sockets that do anything, while events are sent. Each byte of the input is what
 * happens next. Each record that is heard is an event, whole; after each input nobody is left.
 */
#include "require.h"

#include "base/log.h"
#include "devd/clients.h"
#include "loop/unix.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define CLIENTS 8
#define PLACES	6
#define EVENT	"!system=IFNET subsystem=hn0 type=LINK_UP"

static struct {
	struct nv_loop *loop;
	struct nv_budget *budget;
	struct nv_clients *clients;
	char path[2][64]; /* seqpacket, stream */
	int fd[CLIENTS];
} t = {.fd = {-1, -1, -1, -1, -1, -1, -1, -1}};

static void clean_up(void)
{
	nv_clients_free(t.clients);
	nv_budget_free(t.budget);
	nv_loop_free(t.loop);
	unlink(t.path[0]);
	unlink(t.path[1]);
}

static void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	nv_log_open("fuzz", NV_LOG_STDERR, LOG_ERR);
	for (int i = 0; i < 2; i++)
		snprintf(t.path[i], sizeof(t.path[i]), "/tmp/fuzz-clients.%d.%d", getpid(), i);
	require(nv_loop_new(NV_LOOP_VIRTUAL, &t.loop) == 0);
	require(nv_budget_new(t.loop, &t.budget) == 0);
	require(nv_clients_new(t.loop, t.path[0], t.path[1], PLACES, t.budget, &t.clients) == 0);
	atexit(clean_up);
}

static void turns(int n)
{
	for (int i = 0; i < n; i++)
		require(nv_loop_run_once(t.loop, 0) == 0);
}

static void hear(int fd, bool is_record)
{
	char record[8192];
	ssize_t length = recv(fd, record, sizeof(record), MSG_DONTWAIT);

	if (is_record && length > 0)
		require(record[0] == '!' && record[length - 1] == '\n');
}

static void send_much(void)
{
	char line[4001] = "!";

	memset(line + 1, 'x', sizeof(line) - 2);
	for (int i = 0; i < 20; i++)
		nv_clients_send(t.clients, line);
}

static void do_next(uint8_t what)
{
	int at = what / 16 % CLIENTS;
	bool is_record = at < CLIENTS / 2;
	int *fd = &t.fd[at];

	if (*fd < 0 && what % 16 < 8)
		nv_unix_connect(t.path[!is_record],
			(is_record ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_NONBLOCK, fd);
	switch (what % 16) {
	case 0:
		send(*fd, &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 1:
		shutdown(*fd, SHUT_RD);
		break;
	case 2:
		shutdown(*fd, SHUT_WR);
		break;
	case 3:
		hear(*fd, is_record);
		break;
	case 4: /* connects only, before the loop has its turn */
		return;
	case 5:
	case 8:
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		break;
	case 9:
		nv_clients_send(t.clients, EVENT);
		break;
	case 10:
		send_much();
		break;
	case 11:
		nv_loop_advance(t.loop, NV_USEC_PER_SEC);
		break;
	default:
		turns(1);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!t.clients)
		set_up();
	for (size_t i = 0; i < size; i++) {
		do_next(data[i]);
		require(nv_clients_count(t.clients) <= PLACES);
	}
	for (int i = 0; i < CLIENTS; i++) {
		if (t.fd[i] >= 0)
			close(t.fd[i]);
		t.fd[i] = -1;
	}
	nv_loop_advance(t.loop, 60 * NV_USEC_PER_SEC);
	turns(2 * CLIENTS);
	nv_clients_send(t.clients, EVENT);
	turns(2);
	require(nv_clients_count(t.clients) == 0);
	return 0;
}
