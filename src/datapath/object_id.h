/* SPDX-License-Identifier: BSD-2-Clause */
/* Which map or program a descriptor is of. */
#pragma once

#include <stdint.h>

/* The kernel's id of it (bpf(2)). Returns 0 or -errno. */
int nv_object_id(int fd, uint32_t *ret_id);
