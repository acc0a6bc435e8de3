/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/dhcp.h"

#include "base/root_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DHCLIENT_DIR "/var/lib/dhcp"
#define DHCPCD_DIR   "/var/lib/dhcpcd"
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int add_word(struct nv_words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int add_word(struct nv_words *words, const char *format, ...)
{
	char **more = reallocarray(words->word, words->count + 2, sizeof(*more));
	char *word = NULL;
	va_list args;
	int length;

	if (!more)
		return -ENOMEM;
	words->word = more;
	va_start(args, format);
	length = vasprintf(&word, format, args);
	va_end(args);
	if (length < 0)
		return -ENOMEM;
	words->word[words->count++] = word;
	words->word[words->count] = NULL; /* for execv(3) */
	return 0;
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/*
 * Copies the options of a command line without what is decided here: which interface, which files,
 * and when to go to the background. @alone and @valued: those to leave out, without and with a
 * value in the next word.
 */
static int add_options(struct nv_words *args, const struct nv_words *options, size_t first,
	const char *ifname, const char *const *alone, const char *const *valued)
{
	for (size_t i = first; i < options->count; i++) {
		const char *word = options->word[i];

		if (is_one_of(word, valued)) {
			i++;
		} else if (!is_one_of(word, alone) && !nv_streq(word, ifname)) {
			int r = add_word(args, "%s", word);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool has_option(const struct nv_words *words, size_t first, const char *word)
{
	for (size_t i = first; i < words->count; i++)
		if (strcmp(words->word[i], word) == 0)
			return true;
	return false;
}

static int dhclient_args(struct nv_words *args, const char *ifname, const struct nv_words *options,
	size_t first, const char *like_ifname)
{
	static const char *const alone[] = {"-d", "-nw", "-w", "-n", "-b", NULL};
	static const char *const valued[] = {"-pf", "-lf", NULL};
	bool ipv6 = has_option(options, first, "-6");
	int r = 0;

	if (!ipv6 && !has_option(options, first, "-4"))
		r = add_word(args, "-4");
	if (r == 0)
		r = add_options(args, options, first, like_ifname, alone, valued);
	if (r == 0)
		r = add_word(args, "-pf");
	if (r == 0)
		r = add_word(args, "/run/dhclient%s.%s.pid", ipv6 ? "6" : "", ifname);
	if (r == 0)
		r = add_word(args, "-lf");
	if (r == 0)
		r = add_word(args, DHCLIENT_DIR "/dhclient%s.%s.leases", ipv6 ? "6" : "", ifname);
	return r < 0 ? r : add_word(args, "%s", ifname);
}

/* dhcpcd's title tells its families: one alone was asked for, as by -4. */
static const char *dhcpcd_family(const struct nv_dhcp_client *like)
{
	bool ipv4 = like && like->kind == NV_DHCP_DHCPCD && has_option(&like->args, 1, "[ip4]");
	bool ipv6 = like && like->kind == NV_DHCP_DHCPCD && has_option(&like->args, 1, "[ip6]");

	return ipv4 == ipv6 ? NULL : ipv4 ? "-4" : "-6";
}

static int dhcpcd_args(struct nv_words *args, const char *ifname, const struct nv_words *options,
	const struct nv_dhcp_client *like)
{
	static const char *const alone[] = {"-b", "--background", "-B", "--nobackground", NULL};
	static const char *const valued[] = {NULL};
	const char *family = options->count ? NULL : dhcpcd_family(like);
	int r = family ? add_word(args, "%s", family) : 0;

	if (r == 0)
		r = add_options(args, options, 0, NULL, alone, valued);
	return r < 0 ? r : add_word(args, "%s", ifname);
}

/*
 * udhcpc's options may be joined: -fqi hn0. Each is looked at; the ones that take a value have it
 * in the rest of the word or in the next.
 */
static int add_udhcpc_word(struct nv_words *args, const struct nv_words *options, size_t *index)
{
	const char *word = options->word[*index];

	if (word[0] != '-' || word[1] == '-')
		return add_word(args, "%s", word);
	for (const char *c = word + 1; *c; c++) {
		int r = 0;

		if (strchr("isptTArxOVF", *c)) {
			const char *value = c[1] ? c + 1 : NULL;

			if (!value && *index + 1 < options->count)
				value = options->word[++*index];
			if (!value || strchr("ip", *c))
				return 0;
			r = add_word(args, "-%c", *c);
			return r < 0 ? r : add_word(args, "%s", value);
		}
		if (*c == 'a')
			return add_word(args, "-%s", c);
		if (!strchr("fbqn", *c))
			r = add_word(args, "-%c", *c);
		if (r < 0)
			return r;
	}
	return 0;
}

static int udhcpc_args(
	struct nv_words *args, const char *ifname, const struct nv_words *options, size_t first)
{
	int r = add_word(args, "-i");

	if (r == 0)
		r = add_word(args, "%s", ifname);
	if (r == 0)
		r = add_word(args, "-p");
	if (r == 0)
		r = add_word(args, "/run/udhcpc.%s.pid", ifname);
	for (size_t i = first; i < options->count && r == 0; i++)
		r = add_udhcpc_word(args, options, &i);
	return r;
}

int nv_dhcp_command(const struct nv_dhcp_wanted *wanted, const char *ifname,
	const struct nv_dhcp_client *like, const char *like_ifname, struct nv_words *ret_args)
{
	NV_AUTO(nv_words) struct nv_words args = {};
	NV_AUTO(nv_words) struct nv_words flags = {};
	const struct nv_words *options = &flags;
	enum nv_dhcp_kind kind = like ? like->kind : NV_DHCP_DHCLIENT;
	size_t first = 0;
	int r = 0;

	if (wanted && nv_dhcp_kind_of(wanted->program, &kind) < 0)
		return -EINVAL;
	if (wanted)
		r = nv_words_split(wanted->flags, &flags);
	/* dhcpcd's command line is not known any more: it has written its title over it. */
	if (r == 0 && !flags.count && like && like->kind == kind && kind != NV_DHCP_DHCPCD) {
		options = &like->args;
		first = 1;
	}
	if (r == 0)
		r = add_word(&args, "%s", wanted ? wanted->program : nv_dhcp_kind_name(kind));
	if (r < 0)
		return r;
	switch (kind) {
	case NV_DHCP_DHCLIENT:
		r = dhclient_args(&args, ifname, options, first, like_ifname);
		break;
	case NV_DHCP_DHCPCD:
		r = dhcpcd_args(&args, ifname, options, like);
		break;
	case NV_DHCP_UDHCPC:
		r = udhcpc_args(&args, ifname, options, first);
		break;
	}
	if (r < 0)
		return r;
	*ret_args = args;
	args = (struct nv_words){};
	return 0;
}

static int read_whole(const char *path, struct nv_str *text)
{
	NV_AUTO(nv_fd) int fd = -1;
	char part[4096];
	ssize_t length;
	int r = nv_root_file_open(path, &fd);

	if (r < 0)
		return r;
	while ((length = read(fd, part, sizeof(part))) > 0 && !text->error)
		nv_str_append(text, part, (size_t)length);
	return length < 0 ? -errno : text->error;
}

static int write_whole(const char *path, const struct nv_str *text)
{
	NV_AUTO(nv_fd) int fd = -1;
	char temporary[256];
	int r = 0;

	snprintf(temporary, sizeof(temporary), "%s.netvf", path);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, nv_str_text(text), text->length) != (ssize_t)text->length ||
		rename(temporary, path) < 0)
		r = errno ? -errno : -EIO;
	if (r < 0)
		unlink(temporary);
	return r;
}

/* A copy of a lease file in which @from is called @to: interface "hn0"; in ISC's. */
static int copy_leases(const char *path, const char *to_path, const char *from, const char *to)
{
	NV_AUTO(nv_str) struct nv_str text = {};
	NV_AUTO(nv_str) struct nv_str copy = {};
	char old[IFNAMSIZ + 16];
	const char *at;
	const char *next;
	int r = read_whole(path, &text);

	if (r < 0)
		return r;
	snprintf(old, sizeof(old), "interface \"%s\";", from);
	for (at = nv_str_text(&text); (next = strstr(at, old)); at = next + strlen(old)) {
		nv_str_append(&copy, at, next - at);
		nv_str_printf(&copy, "interface \"%s\";", to);
	}
	nv_str_append(&copy, at, nv_str_text(&text) + text.length - at);
	return copy.error ? copy.error : write_whole(to_path, &copy);
}

static const char *value_of(const struct nv_words *words, const char *option)
{
	for (size_t i = 0; i + 1 < words->count; i++)
		if (strcmp(words->word[i], option) == 0)
			return words->word[i + 1];
	return NULL;
}

/* Without a lease to go by the client asks anew, and mostly gets the same for the same MAC. */
static void hand_lease_over(const struct nv_words *args, enum nv_dhcp_kind kind, const char *ifname,
	const struct nv_dhcp_client *like, const char *like_ifname)
{
	const char *its = like ? value_of(&like->args, "-lf") : NULL;
	char from[128];
	char to[128];

	switch (kind) {
	case NV_DHCP_DHCLIENT:
		snprintf(from, sizeof(from), DHCLIENT_DIR "/dhclient%s.%s.leases",
			like && like->ipv6 ? "6" : "", like_ifname);
		if (!its)
			its = access(from, R_OK) == 0 ? from : DHCLIENT_DIR "/dhclient.leases";
		copy_leases(its, value_of(args, "-lf"), like_ifname, ifname);
		break;
	case NV_DHCP_DHCPCD:
		snprintf(from, sizeof(from), DHCPCD_DIR "/%s.lease", like_ifname);
		snprintf(to, sizeof(to), DHCPCD_DIR "/%s.lease", ifname);
		copy_leases(from, to, like_ifname, ifname);
		break;
	case NV_DHCP_UDHCPC:
		break;
	}
}

static void run(const char *program, char **args)
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
	int r = nv_dhcp_command(wanted, ifname, like, like_ifname, &args);

	if (r < 0)
		return r;
	r = nv_dhcp_kind_of(args.word[0], &kind);
	if (r < 0)
		return r;
	if (access(program, X_OK) < 0)
		return -errno;
	if (like_ifname && like_ifname[0])
		hand_lease_over(
			&args, kind, ifname, like && like->kind == kind ? like : NULL, like_ifname);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		run(program, args.word);
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
