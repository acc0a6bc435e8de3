/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/manager.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "services/run.h"
#include "services/state_file.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NETWORKD_LINKS "/run/systemd/netif/links"
#define NM_DEVICES     "/run/NetworkManager/devices"

#define DHCPCD_PID "/run/dhcpcd/pid"

#define NETWORKD "systemd-networkd"
#define NM	 "NetworkManager"

#define STATE_MAX 16384 /* bytes; what is needed is at the beginning */

/* The value of a line KEY=VALUE, up to the end of the text; NULL: there is none. */
static const char *manager_find_value(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; *line;) {
		if (strncmp(line, key, length) == 0 && line[length] == '=')
			return line + length + 1;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

static bool manager_has_value(const char *text, const char *key, const char *value)
{
	const char *found = manager_find_value(text, key);
	size_t length = strlen(value);

	return found && strncmp(found, value, length) == 0 &&
	       (found[length] == '\n' || !found[length]);
}

bool nv_networkd_manages(const char *state)
{
	return manager_find_value(state, "ADMIN_STATE") &&
	       !manager_has_value(state, "ADMIN_STATE", "unmanaged");
}

bool nv_networkd_configures(const char *state)
{
	return nv_networkd_manages(state) && !manager_has_value(state, "ADMIN_STATE", "pending") &&
	       !manager_has_value(state, "ADMIN_STATE", "initialized");
}

bool nv_nm_manages(const char *state)
{
	return manager_has_value(state, "managed", "true");
}

static bool manager_says(const char *directory, int ifindex, bool (*manages)(const char *state))
{
	char path[64];
	char state[STATE_MAX];

	snprintf(path, sizeof(path), "%s/%d", directory, ifindex);
	nv_state_file_read(path, state, sizeof(state));
	return manages(state);
}

bool nv_networkd_has(int ifindex)
{
	return manager_says(NETWORKD_LINKS, ifindex, nv_networkd_manages);
}

/*
 * For one interface it has another file. A file of one that was killed stays, and its process may
 * be hidden from this one (ProtectProc= of systemd.exec(5)), but not whether it exists.
 */
static bool manager_is_dhcpcd(void)
{
	char text[32];
	unsigned int pid;

	if (nv_state_file_read(DHCPCD_PID, text, sizeof(text)) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return nv_parse_u32(text, INT32_MAX, &pid) == 0 && pid &&
	       (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

const char *nv_manager_of(int ifindex)
{
	if (nv_networkd_has(ifindex))
		return NETWORKD;
	if (manager_says(NM_DEVICES, ifindex, nv_nm_manages))
		return NM;
	return manager_is_dhcpcd() ? "dhcpcd" : NULL;
}

const char *nv_manager_that_has(int ifindex)
{
	if (manager_says(NETWORKD_LINKS, ifindex, nv_networkd_configures))
		return NETWORKD;
	return manager_says(NM_DEVICES, ifindex, nv_nm_manages) ? NM : NULL;
}

int nv_manager_dismiss(const char *manager, const char *ifname)
{
	const char *const reload[] = {"networkctl", "reload", NULL};
	const char *const again[] = {"networkctl", "reconfigure", ifname, NULL};
	const char *const unmanage[] = {"nmcli", "device", "set", ifname, "managed", "no", NULL};
	NV_AUTO(nv_str) struct nv_str output = {};
	int r;

	if (nv_streq(manager, NM))
		return nv_run(unmanage, &output);
	r = nv_run(reload, &output);
	return r < 0 ? r : nv_run(again, &output);
}

static bool manager_is_silent(const char *started, const char *directory, int ifindex)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%d", directory, ifindex);
	return access(started, F_OK) == 0 && access(path, F_OK) < 0;
}

bool nv_manager_is_silent(int ifindex)
{
	return manager_is_silent("/run/systemd/netif/state", NETWORKD_LINKS, ifindex) ||
	       manager_is_silent(NM_DEVICES, NM_DEVICES, ifindex);
}
