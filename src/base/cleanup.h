/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cleanup attributes, so that each function can be proved leak-free by itself.
 *
 * A type T with a destructor `struct T *nv_x_free(struct T *)` has NV_DEFINE_AUTO(nv_x, struct T *,
 * nv_x_free) in its header; callers write `NV_AUTO(nv_x) struct T *x = NULL;`. A destructor accepts
 * NULL and returns NULL.
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NV_AUTO(name) __attribute__((cleanup(name##_auto)))

#define NV_DEFINE_AUTO(name, type, destructor)                                \
	static inline __attribute__((unused)) void name##_auto(type *pointer) \
	{                                                                     \
		*pointer = destructor(*pointer);                              \
	}                                                                     \
	struct nv_swallow_semicolon

static inline void nv_free_auto(void *pointer)
{
	free(*(void **)pointer);
}

static inline void nv_fd_auto(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void nv_file_auto(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void nv_dir_auto(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* NV_AUTO(nv_free) char *p;  NV_AUTO(nv_fd) int fd = -1;  NV_AUTO(nv_file) FILE *f = NULL; */

/* Hands a variable over and leaves @empty in it, so that its cleanup does nothing. */
#define TAKE(variable, empty)                               \
	({                                                  \
		__typeof__(variable) *_taken = &(variable); \
		__typeof__(variable) _value = *_taken;      \
		*_taken = empty;                            \
		_value;                                     \
	})

#define TAKE_PTR(pointer)     TAKE(pointer, NULL)
#define TAKE_FD(fd)	      TAKE(fd, -1)
#define TAKE_STRUCT(variable) TAKE(variable, (__typeof__(variable)){})

#define NV_ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
