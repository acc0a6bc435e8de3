/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts a DHCP client that continues the lease of another one. */
#include "services/dhcp.h"

#include "base/log.h"
#include "base/root_file.h"
#include "services/dhcp_lease_file.h"
#include "services/dhcp_options.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int dhcp_append(struct nv_words *args, const struct nv_words *options)
{
	int r = 0;

	for (size_t i = 0; i < options->count && r == 0; i++)
		r = nv_words_add(args, "%s", options->word[i]);
	return r;
}

static int dhcp_start_dhclient_args(
	struct nv_words *args, const char *ifname, const struct nv_words *options)
{
	bool ipv6 = nv_words_has(options, "-6");
	int r = 0;

	if (!ipv6 && !nv_words_has(options, "-4"))
		r = nv_words_add(args, "-4");
	if (r == 0)
		r = dhcp_append(args, options);
	if (r == 0)
		r = nv_words_add(args, "-pf");
	if (r == 0)
		r = nv_words_add(args, "/run/dhclient%s.%s.pid", ipv6 ? "6" : "", ifname);
	if (r == 0)
		r = nv_words_add(args, "-lf");
	if (r == 0)
		r = nv_words_add(args, NV_DHCLIENT_LEASES, ipv6 ? "6" : "", ifname);
	return r < 0 ? r : nv_words_add(args, "%s", ifname);
}

/* dhcpcd that serves one interface ends after half a minute without a lease, unless -t is 0. */
static int dhcp_start_dhcpcd_args(
	struct nv_words *args, const char *ifname, const struct nv_words *options)
{
	int r = nv_words_add(args, "-t");

	if (r == 0)
		r = nv_words_add(args, "0");
	if (r == 0)
		r = dhcp_append(args, options);
	return r < 0 ? r : nv_words_add(args, "%s", ifname);
}

static int dhcp_start_udhcpc_args(
	struct nv_words *args, const char *ifname, const struct nv_words *options)
{
	int r = nv_words_add(args, "-i");

	if (r == 0)
		r = nv_words_add(args, "%s", ifname);
	if (r == 0)
		r = nv_words_add(args, "-p");
	if (r == 0)
		r = nv_words_add(args, "/run/udhcpc.%s.pid", ifname);
	return r < 0 ? r : dhcp_append(args, options);
}

/*
 * dhcpcd's command line is not known, because it overwrites it with a title. The title has the
 * families: only one of them if -4 or -6 was given.
 */
static int dhcp_start_dhcpcd_family(const struct nv_dhcp_client *like, struct nv_words *options)
{
	bool ipv4 = nv_words_has(&like->args, "[ip4]");
	bool ipv6 = nv_words_has(&like->args, "[ip6]");

	return ipv4 == ipv6 ? 0 : nv_words_add(options, ipv4 ? "-4" : "-6");
}

/* The options of rc.conf, else what is known of the options of the running client. */
static int dhcp_read_options(const struct nv_dhcp_wanted *wanted, enum nv_dhcp_kind kind,
	const struct nv_dhcp_client *like, struct nv_words *options)
{
	NV_AUTO(nv_words) struct nv_words flags = {};
	int r = wanted ? nv_words_split(wanted->flags, &flags) : 0;

	if (r < 0)
		return r;
	if (flags.count)
		return nv_dhcp_options(kind, &flags, 0, false, options);
	if (!like || like->kind != kind)
		return 0;
	if (kind == NV_DHCP_DHCPCD)
		return dhcp_start_dhcpcd_family(like, options);
	return nv_dhcp_options(kind, &like->args, 1, true, options);
}

int nv_dhcp_command(const struct nv_dhcp_wanted *wanted, const char *ifname,
	const struct nv_dhcp_client *like, struct nv_words *ret_args)
{
	NV_AUTO(nv_words) struct nv_words args = {};
	NV_AUTO(nv_words) struct nv_words options = {};
	enum nv_dhcp_kind kind = like ? like->kind : NV_DHCP_DHCLIENT;
	int r;

	if (wanted && nv_dhcp_kind_of(wanted->program, &kind) < 0)
		return -EINVAL;
	r = dhcp_read_options(wanted, kind, like, &options);
	if (r == 0)
		r = nv_words_add(&args, "%s", wanted ? wanted->program : nv_dhcp_kind_name(kind));
	if (r < 0)
		return r;
	switch (kind) {
	case NV_DHCP_DHCLIENT:
		r = dhcp_start_dhclient_args(&args, ifname, &options);
		break;
	case NV_DHCP_DHCPCD:
		r = dhcp_start_dhcpcd_args(&args, ifname, &options);
		break;
	case NV_DHCP_UDHCPC:
		r = dhcp_start_udhcpc_args(&args, ifname, &options);
		break;
	}
	if (r < 0)
		return r;
	*ret_args = TAKE_STRUCT(args);
	return 0;
}

/*
 * Of the other client's options: a script or a configuration file that another user can write would
 * be run as root.
 */
static void dhcp_drop_files(struct nv_words *args, enum nv_dhcp_kind kind)
{
	for (size_t i = 1; i + 1 < args->count; i++) {
		int r = 0;

		if (nv_dhcp_option_is_file(kind, args->word[i]))
			r = nv_root_file_check(args->word[i + 1]);
		if (r == 0 || r == -ENOENT)
			continue;
		nv_warn("%s continues without %s %s, which users other than root can change: %s",
			args->word[0], args->word[i], args->word[i + 1], nv_strerror(r));
		nv_words_remove(args, i);
		nv_words_remove(args, i--);
	}
}

static void dhcp_start_run(const char *program, char **args)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || chdir("/"))
		_exit(127);
	close_range(3, ~0U, 0);
	setenv("PATH", DEFAULT_PATH, 0);
	execv(program, args);
	_exit(127);
}

int nv_dhcp_start(const struct nv_dhcp_wanted *wanted, const char *ifname,
	const struct nv_dhcp_client *like, const char *like_ifname, pid_t *ret_pid)
{
	NV_AUTO(nv_words) struct nv_words args = {};
	const char *program = wanted ? wanted->program : like->program;
	enum nv_dhcp_kind kind;
	pid_t pid;
	int r = nv_dhcp_command(wanted, ifname, like, &args);

	if (r < 0)
		return r;
	r = nv_dhcp_kind_of(args.word[0], &kind);
	if (r < 0)
		return r;
	if (access(program, X_OK) < 0)
		return -errno;
	if (!wanted || !wanted->flags[0])
		dhcp_drop_files(&args, kind);
	if (like_ifname && like_ifname[0])
		nv_dhcp_leases_copy(kind, like && like->kind == kind ? like : NULL, like_ifname,
			ifname, nv_dhcp_option_value(&args, "-lf"));
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		dhcp_start_run(program, args.word);
	*ret_pid = pid;
	return 0;
}

int nv_dhcp_wait(pid_t pid, int milliseconds, int *ret_status)
{
	NV_AUTO(nv_fd) int pidfd = pidfd_open(pid, 0);
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
	int status;

	if (pidfd < 0)
		return -errno;
	if (poll(&poll_fd, 1, milliseconds) <= 0)
		return 1;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	*ret_status = status;
	return -ECHILD;
}
