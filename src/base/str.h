/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing string with a limit. An error is kept: append as often as needed, and check the error
 * once at the end.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

#define NV_STR_LIMIT (1024 * 1024) /* bytes; -E2BIG if it would be longer */

struct nv_str {
	char *text; /* NUL-terminated; NULL until something was appended */
	size_t length;
	size_t size;
	int error; /* 0, -ENOMEM or -E2BIG; once set, appending does nothing */
};

void nv_str_auto(struct nv_str *str);

/* These append bytes, a text, a character, and the output of printf(3). */
void nv_str_append(struct nv_str *str, const char *text, size_t length);
void nv_str_add(struct nv_str *str, const char *text);
void nv_str_addc(struct nv_str *str, char c);
void nv_str_printf(struct nv_str *str, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The text so far, "" if nothing was appended. Owned by @str, valid until the next append. */
const char *nv_str_text(const struct nv_str *str);

/* Hands the text over to the caller, who frees it. Returns 0 or the error that was kept. */
int nv_str_take(struct nv_str *str, char **ret_text);

/* Makes it empty, keeps its memory, clears its error. */
void nv_str_clear(struct nv_str *str);

bool nv_streq(const char *a, const char *b); /* NULL is equal only to NULL */

/* Copies with a NUL at the end. Returns false if @source did not fit; it is truncated then. */
bool nv_strcopy(char *destination, size_t size, const char *source);

/*
 * Makes @text safe for a terminal and a log, in place. Each byte of a control character (ASCII,
 * DEL, or U+0080 to U+009F) becomes a space, and a byte that is not UTF-8 a '?'.
 */
void nv_str_printable(char *text);

/*
 * Parses a decimal number without sign or spaces. Returns 0, -EINVAL or -ERANGE. *ret is untouched
 * on failure.
 */
int nv_parse_u32(const char *text, unsigned int max, unsigned int *ret);

/* A list of words. */
struct nv_words {
	char **word;
	size_t count;
};

/*
 * Appends the output of printf(3). After the last word is a NULL, as for execv(3). Returns 0 or
 * -ENOMEM.
 */
int nv_words_add(struct nv_words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

bool nv_words_has(const struct nv_words *words, const char *word); /* that very word */
void nv_words_remove(struct nv_words *words, size_t index); /* frees that word */

/* Splits @text at white space into copies. Returns 0 or -ENOMEM. */
int nv_words_split(const char *text, struct nv_words *ret);
void nv_words_auto(struct nv_words *words);
