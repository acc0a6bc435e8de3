/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole room over a kernel, a data path and services in memory, on a virtual clock: a guest
 * with hn0, to which tests add a VF and a lagg. A test file's cases are TEST(name).
 */
#pragma once

#include "cm.h"

#include "fake_datapath.h"
#include "fake_services.h"

#include "failover/failover.h"

extern struct fake_kernel *fake; /* its log has the data path's changes and the room's calls, too */
extern struct nv_datapath path;
extern struct nv_loop *loop;
extern struct nv_monitor *monitor;
extern struct nv_failover *failover;
extern struct nv_settings settings; /* transparent NO, hold-down 30 s; all else is 0 */
extern struct nv_str events; /* what was raised and told, one a line */
extern struct nv_str attached; /* the VFs that are to be set up */
extern unsigned int settled; /* how often ops->settled was called */
extern bool settle_all; /* whatever has changed; false at first */
extern bool answered; /* a rule answers VF_UP; true at first */
extern bool sets_up; /* a rule sets a VF up without delay; false at first */

int room_set_up(void **state);
int room_tear_down(void **state);

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

/* netvfd ends, and is started again. */
void close_failover(void);
void open_failover(void);

int hn(void); /* the ifindex of hn0 */
struct nv_dp_pair *pair(void); /* of hn0 in the data path */
struct nv_managed *managed(void); /* the only one */

/* Until nothing is left to be heard. */
void hear(void);

/* A VF of the permanent MAC 02:00:00:00:00:@mac, up with a carrier. Returns its ifindex. */
int make_vf(const char *name, uint8_t mac);

/* One that comes as a driver makes it: down; and the room has heard of it. */
int add_vf(const char *name);

void set_flags(const char *name, uint32_t mask, uint32_t flags);
void set_carrier(const char *name, bool carrier);

/* lagg0 becomes the upper, as hyperv_vfup does it. Returns it. */
int make_lagg(void);

/* A pair whose lagg transmits by nvt0. Returns that VF. */
int make_all(void);

/* A pair in transparent mode whose VF, nvt0, transmits. */
void go_transparent(void);

/* Compares what was raised and told (events) since the last time, which begins anew. */
void expect(const char *text);
void expect_attached(const char *names); /* the same of attached */

/* The same of all that happened, in its order: fake->log. */
void expect_log(const char *text);
void forget(void); /* events, attached and log begin anew */

/* How many lines of netvfd's log had this in it, since the test began. */
unsigned int said(const char *part);
