/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan on standard output. */
#pragma once

#include "move/plan.h"

/* A line for each step, or as an array of objects. Returns 0 or -errno. */
int nv_print_plan(const struct nv_plan *plan, bool json);
