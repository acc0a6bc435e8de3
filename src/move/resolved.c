/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/resolved.h"

#include "base/log.h"
#include "base/rundir.h"
#include "services/run.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Commands of resolvectl, each of which prints or sets one thing. The first two come first. */
static const char *const settings[] = {
	"dns",
	"domain",
	"default-route",
	"dnsovertls",
	"dnssec",
	"nta",
	"llmnr",
	"mdns",
};

#define N_MAIN 2 /* without a value for one of these, the others have no meaning */

/*
 * Sending to its bus name would start it if it is installed; connecting to its socket does not. If
 * it has too many clients it runs too; resolvectl waits then, within its time limit.
 */
static bool resolved_runs(void)
{
	const struct sockaddr_un address = {
		.sun_family = AF_UNIX, .sun_path = "/run/systemd/resolve/io.systemd.Resolve"};
	NV_AUTO(nv_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 &&
	       (connect(fd, (const void *)&address, sizeof(address)) == 0 || errno == EAGAIN);
}

static bool resolved_is_in_first_namespace(void)
{
	NV_AUTO(nv_free) char *dir = NULL;

	return nv_run_dir_of_namespace(&dir) == 0 && nv_run_dir_is_first(dir);
}

static int resolved_call(const char *command, const char *ifname, const struct nv_words *values,
	struct nv_str *output)
{
	size_t count = values ? values->count : 0;
	NV_AUTO(nv_free) const char **argv = calloc(count + 5, sizeof(*argv));

	if (!argv)
		return -ENOMEM;
	/* A name, or a value that a DHCP server may have chosen, is never taken for an option. */
	argv[0] = "resolvectl";
	argv[1] = "--";
	argv[2] = command;
	argv[3] = ifname;
	for (size_t i = 0; i < count; i++)
		argv[4 + i] = values->word[i];
	return nv_run(argv, output);
}

int nv_resolved_values(const char *text, struct nv_words *ret_values)
{
	const char *values = strstr(text, "):");

	return values ? nv_words_split(values + 2, ret_values) : -EBADMSG;
}

static int resolved_read_values(
	const char *command, const char *ifname, struct nv_words *ret_values)
{
	NV_AUTO(nv_str) struct nv_str output = {};
	int r = resolved_call(command, ifname, NULL, &output);

	return r < 0 ? r : nv_resolved_values(nv_str_text(&output), ret_values);
}

static bool resolved_same(const struct nv_words *a, const struct nv_words *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!nv_streq(a->word[i], b->word[i]))
			return false;
	return true;
}

/* Returns the number of values, or -errno. */
static int resolved_copy_one(const char *command, const char *from, const char *to)
{
	NV_AUTO(nv_words) struct nv_words wanted = {};
	NV_AUTO(nv_words) struct nv_words there = {};
	NV_AUTO(nv_str) struct nv_str output = {};
	int r = resolved_read_values(command, from, &wanted);

	if (r < 0 || !wanted.count)
		return r;
	r = resolved_read_values(command, to, &there);
	if (r == 0 && !resolved_same(&wanted, &there))
		r = resolved_call(command, to, &wanted, &output);
	return r < 0 ? r : (int)wanted.count;
}

void nv_resolved_copy(const char *from, const char *to)
{
	int main_count = 0;

	if (!resolved_is_in_first_namespace() || !resolved_runs())
		return;
	for (size_t i = 0; i < NV_ARRAY_SIZE(settings); i++) {
		int r = i < N_MAIN || main_count ? resolved_copy_one(settings[i], from, to) : 0;

		if (r < 0)
			nv_warn("cannot give %s the systemd-resolved settings of %s: resolvectl %s: %s",
				to, from, settings[i], nv_strerror(r));
		else if (i < N_MAIN)
			main_count += r;
	}
}

void nv_resolved_revert(const char *ifname)
{
	NV_AUTO(nv_str) struct nv_str output = {};
	int r;

	if (!resolved_is_in_first_namespace() || !resolved_runs())
		return;
	r = resolved_call("revert", ifname, NULL, &output);
	if (r < 0)
		nv_warn("cannot remove the systemd-resolved settings of %s: resolvectl revert: %s",
			ifname, nv_strerror(r));
}
