/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/dhcp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define COMMAND_LINE_MAX 16384 /* bytes */
#define TERM_WAIT	 3000 /* milliseconds */
#define KILL_WAIT	 2000

static const char *const kind_names[] = {
	[NV_DHCP_DHCLIENT] = "dhclient",
	[NV_DHCP_DHCPCD] = "dhcpcd",
	[NV_DHCP_UDHCPC] = "udhcpc",
};

const char *nv_dhcp_kind_name(enum nv_dhcp_kind kind)
{
	return kind_names[kind];
}

int nv_dhcp_kind_of(const char *program, enum nv_dhcp_kind *ret_kind)
{
	const char *slash = strrchr(program, '/');

	for (size_t i = 0; i < NV_ARRAY_SIZE(kind_names); i++) {
		if (strcmp(slash ? slash + 1 : program, kind_names[i]) != 0)
			continue;
		*ret_kind = (enum nv_dhcp_kind)i;
		return 0;
	}
	return -ENOENT;
}

static void free_client(struct nv_dhcp_client *client)
{
	nv_fd_auto(&client->pidfd);
	free(client->program);
	nv_words_auto(&client->args);
}

void nv_dhcp_clients_auto(struct nv_dhcp_clients *clients)
{
	for (size_t i = 0; i < clients->count; i++)
		free_client(&clients->client[i]);
	*clients = (struct nv_dhcp_clients){};
}

static bool in_our_netns(pid_t pid)
{
	char path[64];
	struct stat ours;
	struct stat its;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return stat(path, &its) == 0 && stat("/proc/self/ns/net", &ours) == 0 &&
	       its.st_ino == ours.st_ino && its.st_dev == ours.st_dev;
}

static ssize_t read_command_line(pid_t pid, char *line, size_t size)
{
	NV_AUTO(nv_fd) int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : read(fd, line, size);
}

/*
 * One argument a word. dhcpcd writes what it does over its command line: "dhcpcd: hn0 [ip4]", and
 * "dhcpcd: [network proxy] hn0" for its helpers, which SIGTERM ends with it. No argument of
 * interest has white space, so the two forms need no telling apart.
 */
static int read_args(pid_t pid, struct nv_words *ret_args)
{
	char line[COMMAND_LINE_MAX];
	ssize_t length = read_command_line(pid, line, sizeof(line) - 1);

	if (length <= 0)
		return -ENOENT;
	for (ssize_t i = 0; i < length; i++)
		if (!line[i])
			line[i] = ' ';
	line[length] = '\0';
	return nv_words_split(line, ret_args);
}

static void drop_word(struct nv_words *words, size_t index)
{
	free(words->word[index]);
	words->count--;
	memmove(&words->word[index], &words->word[index + 1],
		(words->count - index) * sizeof(words->word[0]));
}

static bool name_client(struct nv_words *args, enum nv_dhcp_kind *ret_kind)
{
	size_t length;

	if (args->count > 1 && strcmp(basename(args->word[0]), "busybox") == 0)
		drop_word(args, 0);
	if (args->count < 2 || args->word[1][0] == '[')
		return false;
	length = strlen(args->word[0]);
	if (length && args->word[0][length - 1] == ':')
		args->word[0][length - 1] = '\0';
	return nv_dhcp_kind_of(args->word[0], ret_kind) == 0;
}

static bool serves(const struct nv_words *args, const char *ifname)
{
	for (size_t i = 1; i < args->count; i++) {
		const char *word = args->word[i];

		if (strcmp(word, ifname) == 0 ||
			(strncmp(word, "-i", 2) == 0 && strcmp(word + 2, ifname) == 0) ||
			(strncmp(word, "--interface=", 12) == 0 && strcmp(word + 12, ifname) == 0))
			return true;
	}
	return false;
}

static bool has_word(const struct nv_words *words, const char *word)
{
	for (size_t i = 1; i < words->count; i++)
		if (strcmp(words->word[i], word) == 0)
			return true;
	return false;
}

static char *read_program(pid_t pid)
{
	char path[64];
	char program[4096];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	length = readlink(path, program, sizeof(program) - 1);
	return length < 0 ? NULL : strndup(program, length);
}

/* Whether process @pid is such a client. Its pidfd is opened first: it may end at any time. */
static bool look_at(pid_t pid, const char *ifname, struct nv_dhcp_client *ret_client)
{
	struct nv_dhcp_client client = {.pid = pid, .pidfd = pidfd_open(pid, 0)};

	if (client.pidfd >= 0 && in_our_netns(pid) && read_args(pid, &client.args) == 0 &&
		name_client(&client.args, &client.kind) && serves(&client.args, ifname)) {
		client.program = read_program(pid);
		client.ipv6 = client.kind == NV_DHCP_DHCLIENT && has_word(&client.args, "-6");
	}
	if (!client.program) {
		free_client(&client);
		return false;
	}
	*ret_client = client;
	return true;
}

int nv_dhcp_find(const char *ifname, struct nv_dhcp_clients *ret_clients)
{
	__attribute__((cleanup(nv_dhcp_clients_auto))) struct nv_dhcp_clients clients = {};
	NV_AUTO(nv_dir) DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return -errno;
	while ((entry = readdir(proc)) && clients.count < NV_DHCP_CLIENTS_MAX) {
		unsigned int pid;

		if (nv_parse_u32(entry->d_name, INT32_MAX, &pid) < 0)
			continue;
		if (look_at((pid_t)pid, ifname, &clients.client[clients.count]))
			clients.count++;
	}
	*ret_clients = clients;
	clients = (struct nv_dhcp_clients){};
	return 0;
}

static bool ended(int pidfd, int milliseconds)
{
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
	int r;

	do
		r = poll(&poll_fd, 1, milliseconds);
	while (r < 0 && errno == EINTR);
	return r > 0;
}

static void remove_pid_files(pid_t pid, const char *ifname)
{
	static const char *const formats[] = {
		"/run/dhclient.%s.pid",
		"/run/dhclient-%s.pid",
		"/run/dhclient/dhclient.%s.pid",
		"/run/dhclient6.%s.pid",
		"/run/udhcpc.%s.pid",
	};

	for (size_t i = 0; i < NV_ARRAY_SIZE(formats); i++) {
		NV_AUTO(nv_file) FILE *file = NULL;
		char path[64 + IFNAMSIZ];
		int written = 0;

		snprintf(path, sizeof(path), formats[i], ifname);
		file = fopen(path, "re");
		if (file && fscanf(file, "%d", &written) == 1 && written == pid)
			unlink(path);
	}
}

/* udhcpc -R, also among others in one word, as in -qR. */
static bool releases_on_term(const struct nv_dhcp_client *client)
{
	if (client->kind != NV_DHCP_UDHCPC)
		return false;
	for (size_t i = 1; i < client->args.count; i++) {
		const char *word = client->args.word[i];

		if (strcmp(word, "--release") == 0 ||
			(word[0] == '-' && word[1] != '-' && strchr(word, 'R')))
			return true;
	}
	return false;
}

int nv_dhcp_end(const struct nv_dhcp_client *client)
{
	int signal = releases_on_term(client) ? SIGKILL : SIGTERM;

	return pidfd_send_signal(client->pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int nv_dhcp_stop(struct nv_dhcp_client *client, const char *ifname)
{
	if (nv_dhcp_end(client) == -EPERM)
		return -EPERM;
	if (!ended(client->pidfd, TERM_WAIT)) {
		pidfd_send_signal(client->pidfd, SIGKILL, NULL, 0);
		if (!ended(client->pidfd, KILL_WAIT))
			return -ETIME;
	}
	remove_pid_files(client->pid, ifname);
	return 0;
}
