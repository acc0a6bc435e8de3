/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values that rc.conf's words take: addresses, masks, ranges, yes and no. Pure. Every parser
 * takes the whole text or refuses it, and leaves its output alone on failure.
 */
#pragma once

#include "base/str.h"
#include "kernel/types.h"

/* YES TRUE ON 1, NO FALSE OFF 0, in any case. -EINVAL otherwise. */
int nv_yes_parse(const char *text, bool *ret_yes);

/* Splits at white space; '…', "…" and \ keep words together. -EINVAL: a quote is not closed. */
int nv_words_split_quoted(const char *text, struct nv_words *ret_words);

/* @family AF_UNSPEC: either. No zone ("%hn0"), no length. -EINVAL. */
int nv_ip_parse(const char *text, uint8_t family, struct nv_ip *ret_ip);

/* Whether @ip lies in @net/@len; false for another family. */
bool nv_ip_within(const struct nv_ip *ip, const struct nv_ip *net, uint8_t len);

/* Clears all but the first @len bits. */
void nv_ip_mask(struct nv_ip *ip, uint8_t len);

uint8_t nv_ip_bits(uint8_t family); /* 32 or 128 */

/* The length that the address's class had (RFC 791): 8, 16, 24; 32 for what has none. */
uint8_t nv_ip_class_len(const struct nv_ip *ip);

/* "255.255.255.0" or "0xffffff00". -EINVAL, also when the ones have holes. */
int nv_netmask_parse(const char *text, uint8_t *ret_len);

/* "00:15:5d:01:02:03"; -EINVAL, also for a group address and for all zeros. */
int nv_mac_parse(const char *text, uint8_t ret_mac[NV_MAC_LEN]);

/* Fills the last 64 bits of an IPv6 address from a MAC (RFC 4291, modified EUI-64). */
void nv_ip_set_eui64(struct nv_ip *ip, const uint8_t mac[NV_MAC_LEN]);

/*
 * Addresses that differ in one field: "192.0.2.5-23" (the last field), "2001:db8:1-f::1" (any
 * field, hexadecimal). An address without '-' is a range of one.
 */
struct nv_ip_range {
	struct nv_ip first;
	uint32_t count; /* at least 1 */
	uint8_t field; /* the byte (IPv4) or the 16-bit group (IPv6) that counts up */
};

/* -EINVAL; -ERANGE: the end is before the beginning. */
int nv_ip_range_parse(const char *text, uint8_t family, struct nv_ip_range *ret_range);

/* Number @index, from 0, of the range. */
struct nv_ip nv_ip_range_at(const struct nv_ip_range *range, uint32_t index);
