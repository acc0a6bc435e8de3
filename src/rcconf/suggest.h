/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds what somebody may have meant. Pure. */
#pragma once

#include <stdbool.h>

/*
 * How many letters to add, drop, change or swap to turn @word into @pattern, in which each '*'
 * stands for any characters at no cost; at most 255.
 */
unsigned int nv_suggest_distance(const char *word, const char *pattern);

/* Whether @distance is so small, for a word like @word, that it looks like a slip. */
bool nv_suggest_is_near(const char *word, unsigned int distance);
