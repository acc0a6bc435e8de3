/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service tells the service manager that started it, by the protocol of sd_notify(3) and
 * sd_watchdog_enabled(3). libsystemd does the same, and brings six other libraries into memory.
 */
#pragma once

#include <stdint.h>

/*
 * Sends @state ("READY=1", "STOPPING=1", …) to the socket that NOTIFY_SOCKET names: a path, or with
 * '@' first an abstract name (unix(7)). Returns 0, also if there is no such variable, or -errno.
 * -EINVAL: the variable names no such socket.
 */
int nv_service_notify(const char *state);

/*
 * The period within which the manager expects "WATCHDOG=1", in microseconds; 0: it expects none of
 * this process (WATCHDOG_USEC, WATCHDOG_PID).
 */
uint64_t nv_service_watchdog(void);
