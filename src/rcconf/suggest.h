/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the word that somebody may have meant. Pure. */
#pragma once

#include <stdbool.h>

/*
 * The number of letters to add, drop, change or swap to turn @word into @pattern, at most 255. A
 * '*' in @pattern matches any characters at no cost.
 */
unsigned int nv_suggest_distance(const char *word, const char *pattern);

/* Whether @distance is small enough for a word like @word to be a typing error. */
bool nv_suggest_is_near(const char *word, unsigned int distance);
