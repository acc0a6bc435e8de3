/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/dhcp.h"

#include "base/root_file.h"
#include "services/dhcp_options.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TERM_WAIT 3000 /* milliseconds */
#define KILL_WAIT 2000

#define DHCPCD_CONF "/etc/dhcpcd.conf"

#define DHCP_CLIENT_NONE \
	((struct nv_dhcp_client){.process = NV_PROCESS_NONE, .proxy = NV_PROCESS_NONE})

static void client_auto(struct nv_dhcp_client *client)
{
	nv_process_auto(&client->process);
	nv_process_auto(&client->proxy);
	free(client->program);
	nv_words_auto(&client->args);
}

void nv_dhcp_clients_auto(struct nv_dhcp_clients *clients)
{
	for (size_t i = 0; i < clients->count; i++)
		client_auto(&clients->client[i]);
	*clients = (struct nv_dhcp_clients){};
}

static bool dhcp_is_proxy(const struct nv_words *args)
{
	return nv_streq(args->word[0], "dhcpcd") && nv_streq(args->word[1], "[privileged");
}

/*
 * dhcpcd overwrites its command line with a title: "dhcpcd: hn0 [ip4]", and "dhcpcd: [network
 * proxy] 192.0.2.7" for its helpers.
 */
static int dhcp_split_title(struct nv_words *args)
{
	static const char title[] = "dhcpcd: ";
	NV_AUTO(nv_words) struct nv_words words = {};
	int r;

	if (strncmp(args->word[0], title, strlen(title)) != 0)
		return 0;
	r = nv_words_split(args->word[0], &words);
	if (r < 0)
		return r;
	words.word[0][strlen("dhcpcd")] = '\0';
	nv_words_auto(args);
	*args = TAKE_STRUCT(words);
	return 0;
}

static bool dhcp_name_client(struct nv_words *args, enum nv_dhcp_kind *ret_kind)
{
	if (args->count > 1 && strcmp(basename(args->word[0]), "busybox") == 0)
		nv_words_remove(args, 0);
	if (dhcp_split_title(args) < 0 || args->count < 2)
		return false;
	if (args->word[1][0] == '[' && !dhcp_is_proxy(args))
		return false;
	return nv_dhcp_kind_of(args->word[0], ret_kind) == 0;
}

static bool dhcp_serves(const struct nv_words *args, const char *ifname)
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

/* `dhclient hn0 eth1`: whether a word names another interface of this network namespace. */
static bool dhcp_serves_others(const struct nv_words *args, const char *ifname)
{
	for (size_t i = 1; i < args->count; i++)
		if (!nv_streq(args->word[i], ifname) && if_nametoindex(args->word[i]) > 0)
			return true;
	return false;
}

/*
 * dhcpcd 9 and 10 serve an interface under a user id of their own, in a chroot. One process stays
 * root: "dhcpcd: [privileged proxy] hn0 [ip4]". That process is trusted, and its parent is the one
 * to end.
 */
static void dhcp_find_main(struct nv_dhcp_client *client)
{
	NV_AUTO(nv_process) struct nv_process main = NV_PROCESS_NONE;
	pid_t parent;

	if (nv_process_parent(&client->process, &parent) < 0 || parent <= 1 ||
		nv_process_open(parent, &main) < 0 || !nv_process_runs(&main, client->program))
		return;
	client->proxy = client->process;
	client->process = TAKE(main, NV_PROCESS_NONE);
}

/* By the file name of the program: dhcpcd5 and busybox.static count too. */
static bool dhcp_is_program(const struct nv_dhcp_client *client)
{
	const char *file = strrchr(client->program, '/') + 1;
	const char *name = nv_dhcp_kind_name(client->kind);

	return strncmp(file, name, strlen(name)) == 0 ||
	       (client->kind == NV_DHCP_UDHCPC && strncmp(file, "busybox", 7) == 0);
}

/* Whether process @pid belongs to root and serves @ifname alone by its command line. */
static bool dhcp_claims(pid_t pid, const char *ifname, struct nv_dhcp_client *client)
{
	return nv_process_open(pid, &client->process) == 0 &&
	       nv_process_is_roots(&client->process) &&
	       nv_process_args(&client->process, &client->args) == 0 &&
	       dhcp_name_client(&client->args, &client->kind) &&
	       dhcp_serves(&client->args, ifname) && !dhcp_serves_others(&client->args, ifname);
}

struct dhcp_search {
	const char *ifname;
	struct nv_dhcp_clients clients;
};

static void dhcp_look_at(pid_t pid, const char *ifname, struct nv_dhcp_clients *clients)
{
	NV_AUTO(client) struct nv_dhcp_client client = DHCP_CLIENT_NONE;
	int r;

	if (!dhcp_claims(pid, ifname, &client))
		return;
	r = nv_process_program(&client.process, &client.program);
	if (r == 0 && !dhcp_is_program(&client))
		r = -EPERM;
	if (r < 0) {
		clients->refused = pid;
		clients->refused_why = r;
		return;
	}
	client.ipv6 = client.kind == NV_DHCP_DHCLIENT && nv_words_has(&client.args, "-6");
	if (dhcp_is_proxy(&client.args))
		dhcp_find_main(&client);
	clients->client[clients->count++] = client;
	client = DHCP_CLIENT_NONE;
}

static bool dhcp_look(pid_t pid, void *data)
{
	struct dhcp_search *search = data;

	dhcp_look_at(pid, search->ifname, &search->clients);
	return search->clients.count == NV_DHCP_CLIENTS_MAX;
}

int nv_dhcp_find(const char *ifname, struct nv_dhcp_clients *ret_clients)
{
	struct dhcp_search search = {.ifname = ifname};
	int r = nv_process_each(dhcp_look, &search);

	if (r < 0)
		return r;
	*ret_clients = search.clients;
	return 0;
}

static bool dhcp_has_ended(int pidfd, int milliseconds)
{
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
	int r;

	do
		r = poll(&poll_fd, 1, milliseconds);
	while (r < 0 && errno == EINTR);
	return r > 0;
}

static void dhcp_remove_pid_files(pid_t pid, const char *ifname)
{
	static const char *const formats[] = {
		"/run/dhclient.%s.pid",
		"/run/dhclient-%s.pid",
		"/run/dhclient/dhclient.%s.pid",
		"/run/dhclient6.%s.pid",
		"/run/udhcpc.%s.pid",
	};

	for (size_t i = 0; i < NV_ARRAY_SIZE(formats); i++) {
		NV_AUTO(nv_fd) int fd = -1;
		char path[64 + IFNAMSIZ];
		char text[16] = {};

		snprintf(path, sizeof(path), formats[i], ifname);
		if (nv_root_file_open(path, &fd) == 0 && read(fd, text, sizeof(text) - 1) > 0 &&
			strtol(text, NULL, 10) == pid)
			unlink(path);
	}
}

/* dhcpcd.conf(5), "release", for whichever interface. */
static bool dhcp_dhcpcd_releases(void)
{
	NV_AUTO(nv_file) FILE *file = fopen(DHCPCD_CONF, "re");
	char line[256], word[16];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%15s", word) == 1 && nv_streq(word, "release"))
			return true;
	return false;
}

/* Whether the client is udhcpc -R, or a dhcpcd that is configured like that. */
static bool dhcp_releases_on_term(const struct nv_dhcp_client *client)
{
	NV_AUTO(nv_words) struct nv_words options = {};

	if (client->kind == NV_DHCP_DHCPCD)
		return dhcp_dhcpcd_releases();
	return client->kind == NV_DHCP_UDHCPC &&
	       nv_dhcp_options(client->kind, &client->args, 1, true, &options) == 0 &&
	       nv_words_has(&options, "-R");
}

int nv_dhcp_end(const struct nv_dhcp_client *client)
{
	int signal = dhcp_releases_on_term(client) ? SIGKILL : SIGTERM;

	return pidfd_send_signal(client->process.pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int nv_dhcp_stop(struct nv_dhcp_client *client, const char *ifname)
{
	if (nv_dhcp_end(client) == -EPERM)
		return -EPERM;
	if (!dhcp_has_ended(client->process.pidfd, TERM_WAIT)) {
		pidfd_send_signal(client->process.pidfd, SIGKILL, NULL, 0);
		if (!dhcp_has_ended(client->process.pidfd, KILL_WAIT))
			return -ETIME;
	}
	/* Until then it looks as if the interface was served. */
	if (client->proxy.pidfd >= 0 && !dhcp_has_ended(client->proxy.pidfd, KILL_WAIT))
		pidfd_send_signal(client->proxy.pidfd, SIGKILL, NULL, 0);
	dhcp_remove_pid_files(client->process.pid, ifname);
	return 0;
}
