/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

void nv_str_auto(struct nv_str *str)
{
	free(str->text);
	*str = (struct nv_str){};
}

static int str_reserve(struct nv_str *str, size_t more)
{
	size_t size = str->size ? str->size : 64;
	char *text;

	if (str->error)
		return str->error;
	if (more >= NV_STR_LIMIT || str->length + more >= NV_STR_LIMIT)
		return str->error = -E2BIG;
	while (size < str->length + more + 1)
		size *= 2;
	if (size == str->size)
		return 0;
	text = realloc(str->text, size);
	if (!text)
		return str->error = -ENOMEM;
	str->text = text;
	str->size = size;
	return 0;
}

void nv_str_append(struct nv_str *str, const char *text, size_t length)
{
	if (str_reserve(str, length) < 0)
		return;
	if (length)
		memcpy(str->text + str->length, text, length);
	str->length += length;
	str->text[str->length] = '\0';
}

void nv_str_add(struct nv_str *str, const char *text)
{
	nv_str_append(str, text, strlen(text));
}

void nv_str_addc(struct nv_str *str, char c)
{
	nv_str_append(str, &c, 1);
}

void nv_str_printf(struct nv_str *str, const char *format, ...)
{
	va_list args;
	va_list again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	if (length >= 0 && str_reserve(str, length) == 0) {
		vsnprintf(str->text + str->length, length + 1, format, again);
		str->length += length;
	}
	va_end(again);
	va_end(args);
}

const char *nv_str_text(const struct nv_str *str)
{
	return str->text ? str->text : "";
}

int nv_str_take(struct nv_str *str, char **ret_text)
{
	if (str_reserve(str, 0) < 0)
		return str->error;
	str->text[str->length] = '\0';
	*ret_text = TAKE_PTR(str->text);
	*str = (struct nv_str){};
	return 0;
}

void nv_str_clear(struct nv_str *str)
{
	str->length = 0;
	str->error = 0;
	if (str->text)
		str->text[0] = '\0';
}

bool nv_streq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool nv_strcopy(char *destination, size_t size, const char *source)
{
	size_t length = strnlen(source, size);
	bool fits = length < size;

	if (!fits)
		length = size - 1;
	memcpy(destination, source, length);
	destination[length] = '\0';
	return fits;
}

/* The length in bytes of the UTF-8 character at @text (RFC 3629, 4); 0: it is not one. */
static size_t str_utf8_length(const unsigned char *text)
{
	/* The ranges of the first byte and of the second. */
	static const struct {
		unsigned char first, last, second, second_last;
		size_t length;
	} forms[] = {
		{0x01, 0x7f, 0, 0, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < NV_ARRAY_SIZE(forms); i++) {
		size_t at = 2;

		if (text[0] < forms[i].first || text[0] > forms[i].last)
			continue;
		if (forms[i].length == 1)
			return 1;
		if (text[1] < forms[i].second || text[1] > forms[i].second_last)
			return 0;
		while (at < forms[i].length && (text[at] & 0xc0) == 0x80)
			at++;
		return at == forms[i].length ? at : 0;
	}
	return 0;
}

void nv_str_printable(char *text)
{
	unsigned char *at = (unsigned char *)text;

	while (*at) {
		size_t length = str_utf8_length(at);

		if (length == 0)
			*at = '?';
		else if (*at < ' ' || *at == 0x7f)
			*at = ' ';
		else if (*at == 0xc2 && at[1] < 0xa0)
			at[0] = at[1] = ' ';
		at += length ? length : 1;
	}
}

int nv_parse_u32(const char *text, unsigned int max, unsigned int *ret)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int nv_words_add(struct nv_words *words, const char *format, ...)
{
	char **more = reallocarray(words->word, words->count + 2, sizeof(*more));
	char *word = NULL;
	va_list args;
	int length;

	if (!more)
		return -ENOMEM;
	words->word = more;
	va_start(args, format);
	length = vasprintf(&word, format, args);
	va_end(args);
	if (length < 0)
		return -ENOMEM;
	words->word[words->count++] = word;
	words->word[words->count] = NULL;
	return 0;
}

bool nv_words_has(const struct nv_words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->word[i], word) == 0)
			return true;
	return false;
}

void nv_words_remove(struct nv_words *words, size_t index)
{
	free(words->word[index]);
	words->count--;
	memmove(&words->word[index], &words->word[index + 1],
		(words->count - index) * sizeof(words->word[0]));
	words->word[words->count] = NULL;
}

int nv_words_split(const char *text, struct nv_words *ret)
{
	NV_AUTO(nv_words) struct nv_words words = {};

	for (const char *at = text;;) {
		size_t length;
		int r;

		at += strspn(at, " \t\r\n\v\f");
		length = strcspn(at, " \t\r\n\v\f");
		if (!length)
			break;
		r = nv_words_add(&words, "%.*s", (int)length, at);
		if (r < 0)
			return r;
		at += length;
	}
	*ret = TAKE_STRUCT(words);
	return 0;
}

void nv_words_auto(struct nv_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->word[i]);
	free(words->word);
	*words = (struct nv_words){};
}
