/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A string that grows, with a limit and an error that sticks: append as often as needed, look at
 * the error once at the end.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

#define NV_STR_LIMIT (1024 * 1024) /* bytes; one that grows past it gets -E2BIG */

struct nv_str {
	char *text; /* NUL-terminated; NULL only while nothing was appended */
	size_t length;
	size_t size;
	int error; /* 0, -ENOMEM or -E2BIG; once set, appending does nothing */
};

void nv_str_auto(struct nv_str *str);

/* Append: bytes, a text, a character, what printf(3) makes. */
void nv_str_append(struct nv_str *str, const char *text, size_t length);
void nv_str_add(struct nv_str *str, const char *text);
void nv_str_addc(struct nv_str *str, char c);
void nv_str_printf(struct nv_str *str, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The text so far, "" when nothing was appended. Owned by @str, valid until the next append. */
const char *nv_str_text(const struct nv_str *str);

/* Hands the text over to the caller, who frees it. Returns 0 or the error that stuck. */
int nv_str_take(struct nv_str *str, char **ret_text);

/* Empties it, keeps its memory, forgets its error. */
void nv_str_clear(struct nv_str *str);

bool nv_streq(const char *a, const char *b); /* NULL equals only NULL */

/* Copies with a guaranteed NUL; false if @source did not fit (it is cut then). */
bool nv_strcopy(char *destination, size_t size, const char *source);

/*
 * Makes @text fit for a terminal and a log, in place: each control character (of ASCII, DEL, or
 * U+0080 to U+009F) becomes a space for each of its bytes, and a byte that is not UTF-8 a '?'.
 */
void nv_str_printable(char *text);

/*
 * Reads a whole decimal number without sign or spaces. Returns 0, -EINVAL or -ERANGE.
 * @ret is untouched on failure.
 */
int nv_parse_u32(const char *text, unsigned int max, unsigned int *ret);

/* A list of words. */
struct nv_words {
	char **word;
	size_t count;
};

/* Appends what printf(3) makes. After the last word is a NULL, as for execv(3). 0 or -ENOMEM. */
int nv_words_add(struct nv_words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void nv_words_remove(struct nv_words *words, size_t index); /* frees that word */

/* Splits @text at white space into copies. Returns 0 or -ENOMEM. */
int nv_words_split(const char *text, struct nv_words *ret);
void nv_words_auto(struct nv_words *words);
