/* SPDX-License-Identifier: BSD-2-Clause */
/* The identity of a BPF map or program. */
#pragma once

#include <stdint.h>

/* The kernel's id (bpf(2)) of a map or program. Returns 0 or -errno. */
int nv_object_id(int fd, uint32_t *ret_id);
