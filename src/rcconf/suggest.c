/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcconf/suggest.h"

#include <string.h>

#define WORD_MAX 63 /* longer words are truncated: their ends do not matter for a suggestion */

static unsigned int suggest_min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * The optimal string alignment distance, computed row by row of the word, with '*' in the pattern.
 */
unsigned int nv_suggest_distance(const char *word, const char *pattern)
{
	unsigned int rows[3][WORD_MAX + 1] = {};
	size_t word_length = strnlen(word, WORD_MAX);
	size_t length = strnlen(pattern, WORD_MAX);
	unsigned int *row = rows[0];

	for (size_t j = 1; j <= length; j++)
		row[j] = row[j - 1] + (pattern[j - 1] != '*');
	for (size_t i = 1; i <= word_length; i++) {
		const unsigned int *above = row;
		const unsigned int *twice_above = rows[(i + 1) % 3];

		row = rows[i % 3];
		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			bool star = pattern[j - 1] == '*';

			row[j] =
				suggest_min(above[j - 1] + (!star && word[i - 1] != pattern[j - 1]),
					suggest_min(above[j], row[j - 1]) + !star);
			if (i > 1 && j > 1 && word[i - 1] == pattern[j - 2] &&
				word[i - 2] == pattern[j - 1])
				row[j] = suggest_min(row[j], twice_above[j - 2] + 1);
		}
	}
	return suggest_min(row[length], 255);
}

bool nv_suggest_is_near(const char *word, unsigned int distance)
{
	return distance <= (strlen(word) > 5 ? 2 : 1);
}
