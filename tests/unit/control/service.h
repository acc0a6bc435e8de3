/* SPDX-License-Identifier: BSD-2-Clause */
/* A control socket with some methods, on a virtual clock. A test file's cases are TEST(name). */
#pragma once

#include "cm.h"

#include "control/server.h"

#define NOBODY	 65534
#define SOMEBODY 65533
#define ECHO	 "{\"method\": \"echo\"}\n"
#define TRUE	 "{\"result\":true}\n"

extern struct service {
	char dir[32];
	char path[64];
	struct nv_loop *loop;
	struct nv_budget *budget;
	struct nv_control *control;
	int changed;
	int child_status;
	int bell[2]; /* what "ring" rings */
	char order[16];
} t;

/*
 * "echo" answers with its parameters, "change" is root's, "fail" fails as it is told to, "long" is
 * answered with many bytes, "events" and "watch" subscribe, "flood" publishes more than a client's
 * buffer holds, "ring" rings t.bell.
 */
extern const struct nv_control_method methods[];

int setup(void **state);
int teardown(void **state);

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

json_t *text_of(size_t length);

/* Has the server do what it can. */
void settle(void);

int connected(void);
int connected_as(uid_t uid); /* as the server sees it: by the uid at the time of connect(2) */

void say(int fd, const char *text);

/* What has come until now; ends with "(end)" if the server closed the connection. */
const char *heard(int fd);

void expect(int fd, const char *request, const char *answer);

/* Serves what @client does in a process of its own, which ends with the line that went wrong. */
void serve(int (*client)(void), uid_t uid);

/* Of such a client. */
#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			return -1;                                                      \
		}                                                                       \
	} while (0)
