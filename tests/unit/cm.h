/* SPDX-License-Identifier: BSD-2-Clause */
/* cmocka with the headers that it wants before itself. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* cmocka 1 has it by another name, which cmocka 2 deprecates. */
#ifndef assert_uint_in_range
#define assert_uint_in_range assert_in_range
#endif
