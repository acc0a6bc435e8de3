/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet filters that name an interface: nftables and what iptables(8) has. They see frames of the
 * interface that has the addresses, so a rule for "hn0" sees none any more once they are on lagg0.
 */
#pragma once

#include "base/str.h"

#include <jansson.h>

#define NV_PACKET_FILTERS 3 /* nft(8), iptables-save(8), ip6tables-save(8) */

struct nv_packet_filters {
	json_t *nft; /* NULL: none */
	bool legacy; /* iptables(8) has tables that are none of nftables */
	struct nv_str text[NV_PACKET_FILTERS]; /* what each command has printed */
	int error[NV_PACKET_FILTERS]; /* 0 or -errno of nv_run(); -ENOENT: the command is not there
				       */
};

/*
 * Runs the commands, if the kernel has tables; free the result with nv_packet_filters_auto(). A
 * command that was not run has no text and no error.
 */
void nv_packet_filters_read(struct nv_packet_filters *ret_filters);
void nv_packet_filters_auto(struct nv_packet_filters *filters);

/* @filter: 0 to NV_PACKET_FILTERS - 1 */
const char *nv_packet_filter_command(size_t filter);

/*
 * Whether a filter names the interface; "ab*" of nft and "ab+" of iptables name all that begin so.
 * @ret_text: "nftables, 2 places, the first a rule of inet filter"; untouched if it does not.
 */
bool nv_packet_filter_names(const struct nv_packet_filters *filters, size_t filter,
	const char *ifname, char *ret_text, size_t size);

/*
 * Whether a filter names the interface @ifname and not @too, which is to have its addresses. If
 * their names are equal, the one is deleted and the other gets its name: then what nftables knows
 * by index or device counts (iif, oif, chains at a device, flowtables), which ends with the first.
 * @ret_text: as above, of the first filter that does.
 */
bool nv_packet_filters_hold(const struct nv_packet_filters *filters, const char *ifname,
	const char *too, char *ret_text, size_t size);

/*
 * Whether there are tables that could not be listed: 0 or -errno. Without nft(8), those that
 * iptables-save(8) lists have to do. @ret_what: "the rules of nftables"; untouched if all were
 * listed.
 */
int nv_packet_filters_failed(const struct nv_packet_filters *filters, char *ret_what, size_t size);

/* Of `nft -j list ruleset`: how many rules, sets and chains name it; @ret_where: the first. */
unsigned int nv_packet_filter_count_nft(
	const json_t *ruleset, const char *ifname, char *ret_where, size_t size);
/* Of iptables-save(8)'s output; @ret_where: the chain and table of the first. */
unsigned int nv_packet_filter_count_iptables(
	const char *saved, const char *ifname, char *ret_where, size_t size);
