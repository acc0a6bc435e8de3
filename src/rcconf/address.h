/* SPDX-License-Identifier: BSD-2-Clause */
/* A group of ifconfig(8) words that describes one address or one range of addresses. */
#pragma once

#include "rcconf/build.h"
#include "rcconf/values.h"

struct nv_address {
	uint8_t family; /* AF_UNSPEC: no family word was read yet */
	bool has_address;
	bool failed; /* the address cannot be used, and a fault was added */
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

/* A value of rc.conf while it is read. */
struct nv_line {
	struct nv_build *build;
	const char *key;
	enum nv_build_value kind;
	struct nv_words words;
	size_t at; /* index of the next word */
	struct nv_address group;
};

/* Adds the address of the current group to the configuration, and begins another group. */
void nv_address_begin(struct nv_line *line, uint8_t family);

/* Sets the address: ADDRESS[/LEN], a range, or ADDRESS%IF. */
void nv_address_set(struct nv_line *line, const char *text);

/* Sets the address to PREFIX[/LEN] with the interface's MAC address as its host part. */
void nv_address_set_prefix(struct nv_line *line, const char *text);

void nv_address_set_netmask(struct nv_line *line, const char *text); /* dotted, or 0x… */
void nv_address_set_len(struct nv_line *line, const char *text); /* decimal, after the address */
