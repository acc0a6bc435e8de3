/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

/*
 * The index of the first element that is not below @key, in a sorted array of @count elements of
 * @size bytes: where the key is, or where it would be inserted; @count if all are below it.
 * @compare is negative for an element that is below the key. bsearch(3) does not tell a place.
 */
static inline size_t nv_place(const void *array, size_t count, size_t size, const void *key,
	int (*compare)(const void *element, const void *key))
{
	size_t low = 0;
	size_t high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare((const char *)array + middle * size, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
