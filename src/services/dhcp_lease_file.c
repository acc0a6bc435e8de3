/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/dhcp_lease_file.h"

#include "base/log.h"
#include "base/root_file.h"
#include "services/dhcp_lease.h"
#include "services/dhcp_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DHCLIENT_ALL "/var/lib/dhcp/dhclient%s.leases" /* without -lf: of all interfaces */
#define DHCPCD_LEASE "/var/lib/dhcpcd/%s.lease"

#define PATH_SIZE 256

static int lease_file_read(const char *path, struct nv_str *text, mode_t *ret_mode)
{
	NV_AUTO(nv_fd) int fd = -1;
	struct stat status;
	char part[4096];
	ssize_t length;
	int r = nv_root_file_open(path, &fd);

	if (r < 0)
		return r;
	if (fstat(fd, &status) < 0)
		return -errno;
	while ((length = read(fd, part, sizeof(part))) > 0 && !text->error)
		nv_str_append(text, part, (size_t)length);
	if (length < 0)
		return -errno;
	*ret_mode = status.st_mode & 0777;
	return text->error;
}

static int lease_file_write(const char *path, const struct nv_str *text, mode_t mode)
{
	NV_AUTO(nv_fd) int fd = -1;
	char temporary[PATH_SIZE + 8];
	int r = 0;

	snprintf(temporary, sizeof(temporary), "%s.netvf", path);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	errno = 0;
	if (write(fd, nv_str_text(text), text->length) != (ssize_t)text->length ||
		fchmod(fd, mode) < 0 || rename(temporary, path) < 0)
		r = errno ? -errno : -ENOSPC;
	if (r < 0)
		unlink(temporary);
	return r;
}

static int lease_file_copy_dhcpcd(const char *from_path, const char *to)
{
	NV_AUTO(nv_str) struct nv_str text = {};
	char to_path[PATH_SIZE];
	mode_t mode;
	int r = lease_file_read(from_path, &text, &mode);

	snprintf(to_path, sizeof(to_path), DHCPCD_LEASE, to);
	return r < 0 ? r : lease_file_write(to_path, &text, mode);
}

static int lease_file_copy_dhclient(
	const char *from_path, const char *from, const char *to, const char *to_path)
{
	NV_AUTO(nv_str) struct nv_str text = {};
	NV_AUTO(nv_str) struct nv_str taken = {};
	NV_AUTO(nv_str) struct nv_str left = {};
	mode_t mode;
	int r = lease_file_read(from_path, &text, &mode);

	if (r == 0)
		r = nv_dhcp_lease_divide(nv_str_text(&text), text.length, from, to, &taken, &left);
	return r < 0 ? r : lease_file_write(to_path, &taken, mode);
}

void nv_dhcp_leases_copy(enum nv_dhcp_kind kind, const struct nv_dhcp_client *like,
	const char *from, const char *to, const char *to_path)
{
	const char *its = like ? nv_dhcp_option_value(&like->args, "-lf") : NULL;
	const char *family = like && like->ipv6 ? "6" : "";
	char path[PATH_SIZE];
	int r = 0;

	switch (kind) {
	case NV_DHCP_DHCLIENT:
		snprintf(path, sizeof(path), NV_DHCLIENT_LEASES, family, from);
		if (!its && access(path, R_OK) < 0)
			snprintf(path, sizeof(path), DHCLIENT_ALL, family);
		its = its ? its : path;
		r = lease_file_copy_dhclient(its, from, to, to_path);
		break;
	case NV_DHCP_DHCPCD:
		snprintf(path, sizeof(path), DHCPCD_LEASE, from);
		its = path;
		r = lease_file_copy_dhcpcd(path, to);
		break;
	case NV_DHCP_UDHCPC:
		break;
	}
	if (r == -EPERM)
		nv_warn("%s asks for a new lease: %s is not read, because users other than root can change it or its directories",
			to, its);
}

/* Whether a file has a lease of an interface. */
static bool lease_file_has(const char *path, const char *ifname)
{
	NV_AUTO(nv_str) struct nv_str text = {};
	NV_AUTO(nv_str) struct nv_str taken = {};
	NV_AUTO(nv_str) struct nv_str left = {};
	mode_t mode;

	return lease_file_read(path, &text, &mode) == 0 &&
	       nv_dhcp_lease_divide(
		       nv_str_text(&text), text.length, ifname, ifname, &taken, &left) > 0;
}

struct lease_moving {
	const char *from;
	const char *to;
	struct nv_dhcp_clients clients; /* of @to */
};

static void lease_moving_auto(struct lease_moving *moving)
{
	nv_dhcp_clients_auto(&moving->clients);
}

/* Whether @to_path has what the client of @to knows, and not what an earlier boot left there. */
static bool lease_file_is_current(const struct lease_moving *moving, bool ipv6, const char *to_path)
{
	const struct nv_dhcp_clients *clients = &moving->clients;
	bool runs = false;

	for (size_t i = 0; i < clients->count; i++)
		runs |= clients->client[i].ipv6 == ipv6 &&
			clients->client[i].kind == NV_DHCP_DHCLIENT;
	return runs && lease_file_has(to_path, moving->to);
}

/* The copy is there before the original goes: a run that is killed in between does this again. */
static int lease_file_move(
	const struct lease_moving *moving, bool ipv6, const char *path, const char *to_path)
{
	NV_AUTO(nv_str) struct nv_str text = {};
	NV_AUTO(nv_str) struct nv_str taken = {};
	NV_AUTO(nv_str) struct nv_str left = {};
	mode_t mode;
	int count = lease_file_read(path, &text, &mode);
	int r = 0;

	if (count == 0)
		count = nv_dhcp_lease_divide(
			nv_str_text(&text), text.length, moving->from, moving->to, &taken, &left);
	if (count <= 0)
		return count;
	if (!lease_file_is_current(moving, ipv6, to_path))
		r = lease_file_write(to_path, &taken, mode);
	if (r < 0)
		return r;
	if (left.length)
		return lease_file_write(path, &left, mode);
	return unlink(path) < 0 ? -errno : 0;
}

static void lease_file_move_and_tell(const struct lease_moving *moving, bool ipv6, const char *path)
{
	char to_path[PATH_SIZE];
	int r;

	snprintf(to_path, sizeof(to_path), NV_DHCLIENT_LEASES, ipv6 ? "6" : "", moving->to);
	r = lease_file_move(moving, ipv6, path, to_path);
	if (r < 0 && r != -ENOENT)
		nv_warn("cannot take the lease of %s out of %s: %s; 'dhclient -r' for %s, as ifdown runs it, would release the address that %s has now",
			moving->from, path, nv_strerror(r), moving->from, moving->to);
}

void nv_dhcp_leases_move(const struct nv_dhcp_clients *old, const char *from, const char *to)
{
	NV_AUTO(lease_moving) struct lease_moving moving = {.from = from, .to = to};
	char path[PATH_SIZE];

	nv_dhcp_find(to, &moving.clients);
	for (size_t i = 0; i < old->count; i++) {
		const struct nv_dhcp_client *client = &old->client[i];
		const char *its = nv_dhcp_option_value(&client->args, "-lf");

		if (client->kind == NV_DHCP_DHCLIENT && its)
			lease_file_move_and_tell(&moving, client->ipv6, its);
	}
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		snprintf(path, sizeof(path), NV_DHCLIENT_LEASES, ipv6 ? "6" : "", from);
		lease_file_move_and_tell(&moving, ipv6, path);
		snprintf(path, sizeof(path), DHCLIENT_ALL, ipv6 ? "6" : "");
		lease_file_move_and_tell(&moving, ipv6, path);
	}
}
