/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who else is on the guest, in place of services/: network managers, udev, DHCP clients, and what
 * is kept from one boot to the next. The same for every link. Linked in front of the library, so
 * what failover calls of it is here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fake_services {
	const char *manager; /* who configures it; NULL: nobody */
	bool silent; /* a manager was started, and has written nothing of it */
	bool udev_is_busy; /* it has not named the link yet, and cannot once that is up */
	size_t n_clients; /* of DHCP */
	int find_error; /* what a look for them fails with */
	int end_error; /* what each that is to be ended fails with */
	bool unused; /* kept: hn was not used at the last boot */
	int keep_error; /* what keeping that fails with */
	unsigned int looks; /* for them, so far */
	unsigned int ended; /* so far */
};

/* A test sets it to all zero. */
extern struct fake_services services;
