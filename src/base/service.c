/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/service.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int nv_service_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t length = path ? strlen(path) : 0;
	NV_AUTO(nv_fd) int fd = -1;

	if (!path)
		return 0;
	if ((path[0] != '/' && path[0] != '@') || length < 2 || length > sizeof(to.sun_path))
		return -EINVAL;
	memcpy(to.sun_path, path, length);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		return -errno;
	return 0;
}

/* 0 if there is no such variable, or it is no number. */
static uint64_t service_number(const char *variable)
{
	const char *text = getenv(variable);
	char *end;
	uint64_t number;

	if (!text || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	number = strtoull(text, &end, 10);
	return errno || *end ? 0 : number;
}

uint64_t nv_service_watchdog(void)
{
	if (getenv("WATCHDOG_PID") && service_number("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	return service_number("WATCHDOG_USEC");
}
