/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON strings from any bytes. */
#pragma once

#include <jansson.h>

/*
 * A JSON string of @text. JSON accepts UTF-8 only, but the name of an interface or device may have
 * any bytes. In a text that is not UTF-8, every byte that is not ASCII becomes \xHH. NULL: out of
 * memory.
 */
json_t *nv_json_string(const char *text);
