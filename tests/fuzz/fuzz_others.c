/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What other programs have written: the first byte says which. Managers' state, udev's database,
 * resolvectl's words, a DHCP client's leases and its command line.
 */
#include "require.h"

#include "base/str.h"
#include "move/resolved.h"
#include "services/dhcp_lease.h"
#include "services/dhcp_options.h"
#include "services/manager.h"
#include "services/udev.h"

#include <stdlib.h>
#include <string.h>

/* A lease is taken once, comes back, and nothing else is touched. */
static void read_leases(const char *text, size_t length)
{
	NV_AUTO(nv_str) struct nv_str there = {};
	NV_AUTO(nv_str) struct nv_str back = {};
	NV_AUTO(nv_str) struct nv_str left = {};
	NV_AUTO(nv_str) struct nv_str rest = {};
	NV_AUTO(nv_str) struct nv_str again = {};
	int count = nv_dhcp_lease_divide(text, length, "hn0", "lagg0", &there, &left);

	require(count >= 0 && left.length <= length);
	require(nv_dhcp_lease_divide(
			nv_str_text(&left), left.length, "hn0", "lagg0", &rest, &again) == 0);
	require(again.length == left.length &&
		memcmp(nv_str_text(&again), nv_str_text(&left), left.length) == 0);
	if (memmem(text, length, "lagg0", 5))
		return;
	nv_str_clear(&rest);
	require(nv_dhcp_lease_divide(
			nv_str_text(&there), there.length, "lagg0", "hn0", &back, &rest) == count);
}

static void read_options(const char *text)
{
	NV_AUTO(nv_words) struct nv_words words = {};

	require(nv_words_split(text, &words) == 0);
	for (enum nv_dhcp_kind kind = NV_DHCP_DHCLIENT; kind <= NV_DHCP_UDHCPC; kind++) {
		for (int known_only = 0; known_only < 2 && words.count; known_only++) {
			NV_AUTO(nv_words) struct nv_words options = {};

			nv_dhcp_options(kind, &words, 1, known_only, &options);
			require(options.count <= strlen(text));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NV_AUTO(nv_words) struct nv_words values = {};
	NV_AUTO(nv_free) char *text = NULL;

	if (!size || size > 60000)
		return -1;
	text = strndup((const char *)data + 1, size - 1);
	require(text != NULL);
	switch (data[0]) {
	case 'n':
		nv_networkd_configures(text);
		break;
	case 'N':
		nv_nm_manages(text);
		break;
	case 'u':
		nv_udev_data_has_name(text);
		break;
	case 'r':
		if (nv_resolved_values(text, &values) == 0)
			for (size_t i = 0; i < values.count; i++)
				require(values.word[i][0] != '\0');
		break;
	case 'l':
		read_leases((const char *)data + 1, size - 1);
		break;
	case 'o':
		read_options(text);
		break;
	default:
		return -1;
	}
	return 0;
}
