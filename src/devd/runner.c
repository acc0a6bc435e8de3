/* SPDX-License-Identifier: BSD-2-Clause */
#include "devd/runner.h"

#include "base/str.h"
#include "loop/unix.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const words[] = {
	[NV_RUNNER_STARTED] = "started",
	[NV_RUNNER_ENDED] = "ended",
	[NV_RUNNER_REFUSED] = "refused",
};

int nv_runner_ask(
	const char *path, const char *time, const char *event, const char *command, int *ret_fd)
{
	NV_AUTO(nv_str) struct nv_str request = {};
	NV_AUTO(nv_fd) int fd = -1;
	int r;

	nv_str_printf(&request, "%s\n%s\n%s", time ? time : "", event, command);
	if (request.error)
		return request.error;
	if (request.length > NV_RUNNER_REQUEST_MAX)
		return -EMSGSIZE;
	r = nv_unix_connect(path, SOCK_SEQPACKET | SOCK_NONBLOCK, &fd);
	if (r < 0)
		return r;
	if (send(fd, nv_str_text(&request), request.length, MSG_NOSIGNAL) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int nv_runner_answer(int fd, struct nv_runner_answer *ret_answer)
{
	char text[64];
	char word[16];
	int value;
	ssize_t length = recv(fd, text, sizeof(text) - 1, 0);

	if (length <= 0)
		return length < 0 ? -errno : -ECONNRESET;
	text[length] = '\0';
	if (sscanf(text, "%15s %d", word, &value) != 2)
		return -EPROTO;
	for (size_t i = 0; i < NV_ARRAY_SIZE(words); i++) {
		if (!nv_streq(word, words[i]))
			continue;
		*ret_answer = (struct nv_runner_answer){.says = i, .value = value};
		return 0;
	}
	return -EPROTO;
}

int nv_runner_say(int fd, enum nv_runner_says says, int value)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "%s %d", words[says], value);

	return send(fd, text, (size_t)length, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int nv_runner_split(char *request, char **ret_time, char **ret_event, char **ret_command)
{
	char *event = strchr(request, '\n');
	char *command = event ? strchr(event + 1, '\n') : NULL;

	if (!command)
		return -EPROTO;
	*event = *command = '\0';
	*ret_time = request;
	*ret_event = event + 1;
	*ret_command = command + 1;
	return 0;
}
