/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcconf/values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n\v\f"

int nv_yes_parse(const char *text, bool *ret_yes)
{
	static const struct {
		const char *text;
		bool yes;
	} words[] = {
		{"YES", true},
		{"TRUE", true},
		{"ON", true},
		{"1", true},
		{"NO", false},
		{"FALSE", false},
		{"OFF", false},
		{"0", false},
	};

	for (size_t i = 0; i < NV_ARRAY_SIZE(words); i++)
		if (strcasecmp(text, words[i].text) == 0) {
			*ret_yes = words[i].yes;
			return 0;
		}
	return -EINVAL;
}

/* Appends one word without its quotes, and moves @at behind it. */
static int values_unquote(const char **at, struct nv_str *word)
{
	char quote = '\0';

	for (; **at && (quote || !strchr(BLANKS, **at)); (*at)++) {
		if (quote ? **at == quote : **at == '\'' || **at == '"')
			quote = quote ? '\0' : **at;
		else if (**at == '\\' && quote != '\'' && (*at)[1])
			nv_str_addc(word, *++(*at));
		else
			nv_str_addc(word, **at);
	}
	return quote ? -EINVAL : 0;
}

static int values_add_word(struct nv_words *words, struct nv_str *word)
{
	char **more = reallocarray(words->word, words->count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	words->word = more;
	if (nv_str_take(word, &words->word[words->count]) < 0)
		return -ENOMEM;
	words->count++;
	return 0;
}

int nv_words_split_quoted(const char *text, struct nv_words *ret_words)
{
	NV_AUTO(nv_words) struct nv_words words = {};

	for (const char *at = text;;) {
		NV_AUTO(nv_str) struct nv_str word = {};
		int r;

		at += strspn(at, BLANKS);
		if (!*at)
			break;
		r = values_unquote(&at, &word);
		if (r == 0)
			r = values_add_word(&words, &word);
		if (r < 0)
			return r;
	}
	*ret_words = TAKE_STRUCT(words);
	return 0;
}

int nv_ip_parse(const char *text, uint8_t family, struct nv_ip *ret_ip)
{
	struct nv_ip ip = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	if (family != AF_UNSPEC && family != ip.family)
		return -EINVAL;
	if (inet_pton(ip.family, text, &ip.v6) != 1)
		return -EINVAL;
	*ret_ip = ip;
	return 0;
}

uint8_t nv_ip_bits(uint8_t family)
{
	return 8 * nv_ip_size(family);
}

static const uint8_t *values_bytes_of(const struct nv_ip *ip)
{
	return ip->v6.s6_addr;
}

void nv_ip_mask(struct nv_ip *ip, uint8_t len)
{
	for (unsigned int i = 0; i < nv_ip_size(ip->family); i++) {
		unsigned int keep = len > 8 * i ? len - 8 * i : 0;

		if (keep < 8)
			ip->v6.s6_addr[i] &= (uint8_t)(0xff00 >> keep);
	}
}

bool nv_ip_within(const struct nv_ip *ip, const struct nv_ip *net, uint8_t len)
{
	struct nv_ip a = *ip;
	struct nv_ip b = *net;

	nv_ip_mask(&a, len);
	nv_ip_mask(&b, len);
	return nv_ip_equal(&a, &b);
}

uint8_t nv_ip_class_len(const struct nv_ip *ip)
{
	uint32_t address = ntohl(ip->v4.s_addr);

	if (IN_CLASSA(address))
		return 8;
	if (IN_CLASSB(address))
		return 16;
	return IN_CLASSC(address) ? 24 : 32;
}

int nv_netmask_parse(const char *text, uint8_t *ret_len)
{
	struct nv_ip ip;
	uint32_t mask;
	uint8_t len;

	if (strncasecmp(text, "0x", 2) == 0) {
		char *end;

		if (strlen(text) > 10 || !isxdigit((unsigned char)text[2]))
			return -EINVAL;
		mask = strtoul(text, &end, 16);
		if (*end)
			return -EINVAL;
	} else {
		if (nv_ip_parse(text, AF_INET, &ip) < 0)
			return -EINVAL;
		mask = ntohl(ip.v4.s_addr);
	}
	len = __builtin_popcount(mask);
	if (mask != (len ? UINT32_MAX << (32 - len) : 0))
		return -EINVAL;
	*ret_len = len;
	return 0;
}

int nv_mac_parse(const char *text, uint8_t ret_mac[NV_MAC_LEN])
{
	static const uint8_t none[NV_MAC_LEN];
	uint8_t mac[NV_MAC_LEN];

	for (unsigned int i = 0; i < NV_MAC_LEN; i++) {
		char *end;

		if (!isxdigit((unsigned char)text[0]))
			return -EINVAL;
		mac[i] = strtoul(text, &end, 16);
		if (end - text > 2 || *end != (i < NV_MAC_LEN - 1 ? ':' : '\0'))
			return -EINVAL;
		text = end + 1;
	}
	if (mac[0] & 1 || memcmp(mac, none, NV_MAC_LEN) == 0)
		return -EINVAL;
	memcpy(ret_mac, mac, NV_MAC_LEN);
	return 0;
}

void nv_ip_set_eui64(struct nv_ip *ip, const uint8_t mac[NV_MAC_LEN])
{
	uint8_t *id = ip->v6.s6_addr + 8;

	id[0] = mac[0] ^ 2;
	id[1] = mac[1];
	id[2] = mac[2];
	id[3] = 0xff;
	id[4] = 0xfe;
	id[5] = mac[3];
	id[6] = mac[4];
	id[7] = mac[5];
}

/* Reads the end of a range: a number at @text, followed by @ret_rest. */
static int values_range_end(
	const char *text, uint8_t family, unsigned int *ret_end, const char **ret_rest)
{
	bool v4 = family == AF_INET;
	size_t length = strspn(text, v4 ? "0123456789" : "0123456789abcdefABCDEF");

	if (length < 1 || length > (v4 ? 3 : 4) || (text[length] && (v4 || text[length] != ':')))
		return -EINVAL;
	*ret_end = strtoul(text, NULL, v4 ? 10 : 16);
	*ret_rest = text + length;
	return v4 && *ret_end > 255 ? -EINVAL : 0;
}

static unsigned int field_value(const struct nv_ip *ip, uint8_t field)
{
	return ip->family == AF_INET
		       ? values_bytes_of(ip)[field]
		       : values_bytes_of(ip)[2 * field] << 8 | values_bytes_of(ip)[2 * field + 1];
}

static void values_set_field(struct nv_ip *ip, uint8_t field, unsigned int value)
{
	if (ip->family == AF_INET) {
		ip->v6.s6_addr[field] = value;
		return;
	}
	ip->v6.s6_addr[2 * field] = value >> 8;
	ip->v6.s6_addr[2 * field + 1] = value;
}

/* The index of the 16-bit group in which the first @length characters of an IPv6 address end. */
static uint8_t values_group_at(const char *text, size_t length)
{
	bool gap = false; /* after "::" the index is known only by counting from the end */
	uint8_t before = 0;
	uint8_t after = 0;

	for (size_t i = 0; text[i]; i++) {
		if (i + 1 < length && strncmp(text + i, "::", 2) == 0)
			gap = true;
		if (text[i] == ':')
			*(i < length ? &before : &after) += 1;
	}
	return gap ? 7 - after : before;
}

/* @dash: the '-' in @text. */
static int values_counted_range_parse(
	const char *text, const char *dash, uint8_t family, struct nv_ip_range *ret_range)
{
	NV_AUTO(nv_str) struct nv_str first = {};
	struct nv_ip_range range = {};
	const char *rest;
	unsigned int begin;
	unsigned int end;
	int r;

	if (dash == text || !isxdigit((unsigned char)dash[-1]) ||
		(family == AF_INET6 && strchr(text, '.')))
		return -EINVAL;
	r = values_range_end(dash + 1, family, &end, &rest);
	if (r < 0)
		return r;
	nv_str_append(&first, text, dash - text);
	nv_str_add(&first, rest);
	if (first.error)
		return first.error;
	r = nv_ip_parse(nv_str_text(&first), family, &range.first);
	if (r < 0)
		return r;
	range.field = family == AF_INET ? 3 : values_group_at(nv_str_text(&first), dash - text);
	begin = field_value(&range.first, range.field);
	if (end < begin)
		return -ERANGE;
	range.count = end - begin + 1;
	*ret_range = range;
	return 0;
}

int nv_ip_range_parse(const char *text, uint8_t family, struct nv_ip_range *ret_range)
{
	const char *dash = strchr(text, '-');
	struct nv_ip_range range = {.count = 1};
	int r;

	if (dash)
		return values_counted_range_parse(text, dash, family, ret_range);
	r = nv_ip_parse(text, family, &range.first);
	if (r < 0)
		return r;
	*ret_range = range;
	return 0;
}

struct nv_ip nv_ip_range_at(const struct nv_ip_range *range, uint32_t index)
{
	struct nv_ip ip = range->first;

	if (index)
		values_set_field(&ip, range->field, field_value(&ip, range->field) + index);
	return ip;
}
