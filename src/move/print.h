/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints a plan on standard output. */
#pragma once

#include "move/plan.h"

/* Prints one line for each step, or (@json) an array of objects. Returns 0 or -errno. */
int nv_print_plan(const struct nv_plan *plan, bool json);
