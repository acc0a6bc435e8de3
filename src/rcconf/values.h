/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsers for the values of rc.conf: addresses, masks, ranges, yes and no. Pure. Every parser
 * accepts the whole text or none of it, and leaves its output unchanged on failure.
 */
#pragma once

#include "base/str.h"
#include "kernel/types.h"

/* YES TRUE ON 1, NO FALSE OFF 0, in upper or lower case. Returns 0 or -EINVAL. */
int nv_yes_parse(const char *text, bool *ret_yes);

/*
 * Splits at white space; '…', "…" and \ keep words together. Returns 0, -EINVAL (a quote is not
 * closed), or -ENOMEM.
 */
int nv_words_split_quoted(const char *text, struct nv_words *ret_words);

/*
 * @family: AF_UNSPEC accepts both. Without a zone ("%hn0") and without a length. Returns 0 or
 *          -EINVAL.
 */
int nv_ip_parse(const char *text, uint8_t family, struct nv_ip *ret_ip);

/* Whether @ip is in @net/@len; false if the families differ. */
bool nv_ip_within(const struct nv_ip *ip, const struct nv_ip *net, uint8_t len);

/* Clears all bits after the first @len. */
void nv_ip_mask(struct nv_ip *ip, uint8_t len);

uint8_t nv_ip_bits(uint8_t family); /* 32 or 128 */

/* The length of the address's class (RFC 791): 8, 16 or 24; 32 if it has none. */
uint8_t nv_ip_class_len(const struct nv_ip *ip);

/* "255.255.255.0" or "0xffffff00". Returns 0 or -EINVAL, also if the ones are not contiguous. */
int nv_netmask_parse(const char *text, uint8_t *ret_len);

/* "00:15:5d:01:02:03". Returns 0 or -EINVAL, also for a group address and for all zeros. */
int nv_mac_parse(const char *text, uint8_t ret_mac[NV_MAC_LEN]);

/* Sets the last 64 bits of an IPv6 address from a MAC address (RFC 4291, modified EUI-64). */
void nv_ip_set_eui64(struct nv_ip *ip, const uint8_t mac[NV_MAC_LEN]);

/*
 * Addresses that differ in one field: "192.0.2.5-23" (the last field), "2001:db8:1-f::1" (any
 * field, hexadecimal). An address without '-' is a range of one.
 */
struct nv_ip_range {
	struct nv_ip first;
	uint32_t count; /* at least 1 */
	uint8_t field; /* the byte (IPv4) or the 16-bit group (IPv6) that is counted up */
};

/* Returns 0, -EINVAL, or -ERANGE: the end is before the beginning. */
int nv_ip_range_parse(const char *text, uint8_t family, struct nv_ip_range *ret_range);

/* The address with the number @index in the range, from 0. */
struct nv_ip nv_ip_range_at(const struct nv_ip_range *range, uint32_t index);
