/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON texts from bytes of any origin. */
#pragma once

#include <jansson.h>

/*
 * A JSON string of @text. JSON takes UTF-8 only, but an interface's or a device's name may hold any
 * bytes: in a text that is not UTF-8, every byte that is not ASCII becomes \xHH.
 * NULL: no memory.
 */
json_t *nv_json_from(const char *text);
