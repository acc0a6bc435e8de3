/* SPDX-License-Identifier: BSD-2-Clause */
/* A group of ifconfig's words that make one address, or one range of them. */
#pragma once

#include "rcconf/build.h"
#include "rcconf/values.h"

struct nv_address {
	uint8_t family; /* AF_UNSPEC: no family word yet */
	bool has_address;
	bool failed; /* its address is no use, and a fault says so */
	bool has_len;
	bool has_broadcast;
	bool has_netmask; /* the length came from the word netmask or prefixlen */
	bool remove; /* -alias */
	bool eui64;
	struct nv_ip_range range;
	uint8_t len;
	struct nv_ip broadcast;
	uint32_t valid_lft;
	uint32_t preferred_lft;
};

/* A value of rc.conf on its way through. */
struct nv_line {
	struct nv_build *build;
	const char *key;
	enum nv_build_value kind;
	struct nv_words words;
	size_t at; /* the next word */
	struct nv_address group;
};

/* Takes what the current group says into the configuration, and begins another. */
void nv_address_begin(struct nv_line *line, uint8_t family);

/* ADDRESS[/LEN], a range of them, or ADDRESS%IF. */
void nv_address_set_address(struct nv_line *line, const char *text);

/* PREFIX[/LEN], of which an address is made with the interface's MAC. */
void nv_address_set_prefix(struct nv_line *line, const char *text);

void nv_address_set_netmask(struct nv_line *line, const char *text); /* dotted, or 0x… */
void nv_address_set_len(struct nv_line *line, const char *text); /* decimal, after the address */
