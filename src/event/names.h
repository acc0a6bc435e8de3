/* SPDX-License-Identifier: BSD-2-Clause */
/* The characters of the wire format, the same in every locale. Private to this directory. */
#pragma once

#include <stdbool.h>

static inline bool nv_event_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether a key may contain the character. */
static inline bool nv_event_is_key(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}
