/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan out of a snapshot that a test fills. */
#pragma once

#include "cm.h"

#include "move/plan.h"

#define HN  2
#define ETH 3

/* A snapshot that a test fills, the plan that it asks for. */
struct bench {
	struct nv_snapshot now;
	struct nv_routes live; /* become things of the snapshot */
	struct nv_routes carried; /* and come out of the plan again */
	struct nv_interface wanted;
	struct nv_plan plan;
	struct nv_str why;
};

void bench_auto(struct bench *bench);

#define BENCH(name) __attribute__((cleanup(bench_auto))) struct bench name = {}

struct nv_ip ip(const char *text);

/* Each is owned by the bench, and good until the next one of its kind is added. */
struct nv_link *add_link(struct bench *bench, int ifindex, const char *name);
void add_vlan(struct bench *bench, int ifindex, const char *name, int lower, uint16_t id);
struct nv_addr *add_addr(struct nv_addrs *addrs, int ifindex, const char *text);
struct nv_route *add_route(
	struct nv_routes *routes, int oif, const char *to, uint8_t length, const char *gateway);
struct nv_link *link_of(struct bench *bench, int ifindex);

/* hn0 and tap0 are ports of br0. */
void tell_bridge(struct bench *bench);

/* Takes what is live into the snapshot, and plans; @wanted may be NULL. */
void make_from(struct bench *bench, const struct nv_interface *wanted);
