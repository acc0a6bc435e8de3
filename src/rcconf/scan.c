/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scanner: sh's quoting, and of sh's grammar only the assignment. A line gives at most one
 * error, and the scan continues after it, so that all faults of a file are shown at once.
 */
#include "rcconf/rcconf.h"
#include "rcconf/store.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define END (-1)

struct scan {
	struct nv_rcconf *rcconf;
	struct nv_faults *faults;
	const char *text;
	size_t length;
	size_t at;
	size_t line_start; /* index in text where the current line begins */
	unsigned int line;
	unsigned int fault_line; /* line of the last error */
	bool failed; /* the current assignment has an error */
	int error; /* 0 or -ENOMEM */
};

struct place {
	unsigned int line;
	unsigned int column;
};

static struct place scan_place(const struct scan *scan)
{
	return (struct place){scan->line, scan->at - scan->line_start + 1};
}

static void __attribute__((format(printf, 4, 5))) fault(struct scan *scan,
	enum nv_fault_severity severity, struct place place, const char *format, ...)
{
	char message[512];
	va_list args;

	if (severity == NV_FAULT_ERROR) {
		scan->failed = true;
		if (scan->fault_line == place.line)
			return;
		scan->fault_line = place.line;
	}
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	nv_faults_add(scan->faults, severity, nv_rcconf_file(scan->rcconf), place.line,
		place.column, "%s", message);
}

/* The next character, unchanged. */
static int scan_raw(const struct scan *scan)
{
	return scan->at < scan->length ? (unsigned char)scan->text[scan->at] : END;
}

static void scan_advance(struct scan *scan)
{
	if (scan->text[scan->at++] == '\n') {
		scan->line++;
		scan->line_start = scan->at;
	}
}

/* The next character after joining continued lines (a backslash before a newline). */
static int scan_look(struct scan *scan)
{
	while (scan_raw(scan) == '\\' && scan->at + 1 < scan->length &&
		scan->text[scan->at + 1] == '\n') {
		scan_advance(scan);
		scan_advance(scan);
	}
	return scan_raw(scan);
}

static bool scan_is_name_start(int c)
{
	return c != END && (isalpha(c) || c == '_');
}

static bool scan_is_name(int c)
{
	return c != END && (isalnum(c) || c == '_');
}

static bool scan_ends_word(int c)
{
	return c == END || c == ' ' || c == '\t' || c == '\n' || c == ';';
}

static void scan_skip_line(struct scan *scan)
{
	while (scan_raw(scan) != END && scan_raw(scan) != '\n')
		scan_advance(scan);
}

/* Skips what was refused, if it ends on this line, so that quotes inside it have no effect. */
static void scan_skip_substitution(struct scan *scan, char open, char close)
{
	unsigned int depth = 0;

	for (size_t at = scan->at; at < scan->length && scan->text[at] != '\n'; at++) {
		if (scan->text[at] == close && (open == close || depth == 0)) {
			scan->at = at + 1;
			return;
		}
		if (scan->text[at] == open)
			depth++;
		else if (scan->text[at] == close)
			depth--;
	}
}

static void scan_name(struct scan *scan, struct nv_str *name)
{
	while (scan_is_name(scan_look(scan))) {
		nv_str_addc(name, scan_look(scan));
		scan_advance(scan);
	}
}

static void scan_insert_value_of(
	struct scan *scan, struct place place, const struct nv_str *name, struct nv_str *value)
{
	const char *text = nv_rcconf_get(scan->rcconf, nv_str_text(name));

	nv_rcconf_mark_used(scan->rcconf, nv_str_text(name));
	if (text)
		nv_str_add(value, text);
	else
		fault(scan, NV_FAULT_WARNING, place,
			"$%.100s is not assigned above: it is empty (the environment is not read)",
			nv_str_text(name));
}

static void scan_braces(struct scan *scan, struct place place, struct nv_str *value)
{
	NV_AUTO(nv_str) struct nv_str name = {};

	if (scan_is_name_start(scan_look(scan)))
		scan_name(scan, &name);
	if (name.length && scan_look(scan) == '}') {
		scan_advance(scan);
		scan_insert_value_of(scan, place, &name, value);
		return;
	}
	fault(scan, NV_FAULT_ERROR, place,
		"only $NAME and ${NAME} are accepted here, of a NAME assigned above");
	scan_skip_substitution(scan, '{', '}');
}

/* Called at a `$`. */
static void scan_dollar(struct scan *scan, bool quoted, struct nv_str *value)
{
	NV_AUTO(nv_str) struct nv_str name = {};
	struct place place = scan_place(scan);
	int c;

	scan_advance(scan);
	c = scan_look(scan);
	if (c == '{') {
		scan_advance(scan);
		scan_braces(scan, place, value);
	} else if (c == '(') {
		fault(scan, NV_FAULT_ERROR, place,
			"$(…) would run a command, but this file is read, never executed; write the value itself, or '$' in single quotes");
		scan_advance(scan);
		scan_skip_substitution(scan, '(', ')');
	} else if (scan_is_name_start(c)) {
		scan_name(scan, &name);
		scan_insert_value_of(scan, place, &name, value);
	} else if (c != END && (isdigit(c) || strchr("*@#?-$!", c))) {
		fault(scan, NV_FAULT_ERROR, place,
			"$%c has a meaning only in a running shell; only $NAME and ${NAME} are accepted, of a NAME assigned above",
			c);
		scan_advance(scan);
	} else if (c == '\'' && !quoted) {
		fault(scan, NV_FAULT_ERROR, place, "$'…' is not accepted; use '…' or \"…\"");
	} else {
		nv_str_addc(value, '$');
	}
}

static void scan_backquote(struct scan *scan)
{
	fault(scan, NV_FAULT_ERROR, scan_place(scan),
		"`…` would run a command, but this file is read, never executed; write the value itself");
	scan_advance(scan);
	scan_skip_substitution(scan, '`', '`');
}

static void scan_add_raw(struct scan *scan, struct nv_str *value)
{
	nv_str_addc(value, scan_raw(scan));
	scan_advance(scan);
}

static void scan_unclosed(struct scan *scan, struct place place)
{
	fault(scan, NV_FAULT_ERROR, place, "the quote that begins here is not closed");
}

static void scan_single_quotes(struct scan *scan, struct nv_str *value)
{
	struct place place = scan_place(scan);

	scan_advance(scan);
	while (scan_raw(scan) != '\'') {
		if (scan_raw(scan) == END) {
			scan_unclosed(scan, place);
			return;
		}
		scan_add_raw(scan, value);
	}
	scan_advance(scan);
}

static void scan_double_quotes(struct scan *scan, struct nv_str *value)
{
	struct place place = scan_place(scan);
	int c;

	scan_advance(scan);
	while ((c = scan_look(scan)) != '"') {
		if (c == END) {
			scan_unclosed(scan, place);
			return;
		}
		if (c == '$') {
			scan_dollar(scan, true, value);
		} else if (c == '`') {
			scan_backquote(scan);
		} else if (c == '\\' && scan->at + 1 < scan->length &&
			   strchr("$`\"\\", scan->text[scan->at + 1])) {
			scan_advance(scan);
			scan_add_raw(scan, value);
		} else {
			scan_add_raw(scan, value);
		}
	}
	scan_advance(scan);
}

static void scan_backslash(struct scan *scan, struct nv_str *value)
{
	struct place place = scan_place(scan);

	scan_advance(scan);
	if (scan_raw(scan) == END)
		fault(scan, NV_FAULT_ERROR, place, "a backslash with nothing after it");
	else
		scan_add_raw(scan, value);
}

/* Refuses characters that end a word in sh. Returns false if @c is none of them. */
static bool scan_refuse_operator(struct scan *scan, int c, int before)
{
	if (strchr("|&<>()", c))
		fault(scan, NV_FAULT_ERROR, scan_place(scan),
			"`%c' has a meaning in sh, but this file is read, never executed; only NAME=\"value\" is accepted: quote the value",
			c);
	else if (c == '\r')
		fault(scan, NV_FAULT_ERROR, scan_place(scan),
			"a carriage return: the file has Windows line ends; remove them with sed -i 's/\\r$//'");
	else if (c == '~' && (before == '=' || before == ':'))
		fault(scan, NV_FAULT_ERROR, scan_place(scan),
			"`~' here would be a home directory in sh: quote the value");
	else
		return false;
	scan_skip_line(scan);
	return true;
}

static void scan_value(struct scan *scan, struct nv_str *value)
{
	int before = '=';
	int c;

	while (!scan_ends_word(c = scan_look(scan))) {
		if (c == '\'') {
			scan_single_quotes(scan, value);
		} else if (c == '"') {
			scan_double_quotes(scan, value);
		} else if (c == '\\') {
			scan_backslash(scan, value);
		} else if (c == '$') {
			scan_dollar(scan, false, value);
		} else if (c == '`') {
			scan_backquote(scan);
		} else if (scan_refuse_operator(scan, c, before)) {
			return;
		} else {
			scan_add_raw(scan, value);
		}
		before = c;
	}
}

/* The length in bytes of the word at @start, at most 60. */
static size_t scan_word_length(const struct scan *scan, size_t start)
{
	size_t end = start;

	while (end < scan->length && end - start < 60 && (unsigned char)scan->text[end] > ' ' &&
		scan->text[end] != ';')
		end++;
	return end - start;
}

static bool scan_blanks_then_equals(const struct scan *scan, size_t at)
{
	while (at < scan->length && (scan->text[at] == ' ' || scan->text[at] == '\t'))
		at++;
	return at < scan->length && scan->text[at] == '=';
}

static bool scan_plus_equals(const struct scan *scan)
{
	return scan->at + 1 < scan->length && strncmp(scan->text + scan->at, "+=", 2) == 0;
}

/*
 * Refuses a word that is not an assignment. It begins at @start. @follows: an assignment precedes
 * it on the same line.
 */
static void scan_refuse_word(struct scan *scan, struct place place, size_t start, bool follows)
{
	int length = scan_word_length(scan, start);
	const char *word = scan->text + start;

	if (scan->at > start && scan_plus_equals(scan))
		fault(scan, NV_FAULT_ERROR, place,
			"sh has no `+='; write NAME=\"$NAME more\" to add to a value");
	else if (scan_blanks_then_equals(scan, start + length))
		fault(scan, NV_FAULT_ERROR, place, "no blanks may stand before `='");
	else if (memchr(word, '=', length))
		fault(scan, NV_FAULT_ERROR, place,
			"`%.*s': a name has letters, digits and `_' only, and begins with no digit (ifconfig_hn0_5 is for hn0.5)",
			length, word);
	else if (follows)
		fault(scan, NV_FAULT_ERROR, place,
			"`%.*s' is not an assignment; a value with blanks needs quotes: NAME=\"some words\"",
			length, word);
	else
		fault(scan, NV_FAULT_ERROR, place,
			"`%.*s' is not an assignment; this file is read, never executed, and only NAME=\"value\" is accepted",
			length, word);
	scan_skip_line(scan);
}

static void scan_store(
	struct scan *scan, struct place place, const struct nv_str *name, struct nv_str *value)
{
	NV_AUTO(nv_free) char *text = NULL;
	int r;

	if (value->length > NV_RCCONF_VALUE_MAX || value->error == -E2BIG) {
		fault(scan, NV_FAULT_ERROR, place, "a value longer than %d bytes",
			NV_RCCONF_VALUE_MAX);
		return;
	}
	r = nv_str_take(value, &text);
	if (r == 0)
		r = nv_rcconf_set(
			scan->rcconf, nv_str_text(name), TAKE_PTR(text), place.line, place.column);
	if (r == -ENOBUFS)
		fault(scan, NV_FAULT_ERROR, place,
			"more than %d names or %d bytes of values in all: this is hardly an rc.conf",
			NV_RCCONF_KEYS_MAX, NV_RCCONF_TOTAL_MAX);
	else if (r < 0)
		scan->error = r;
}

/* Called at the beginning of a word. */
static void scan_assignment(struct scan *scan, bool follows)
{
	NV_AUTO(nv_str) struct nv_str name = {};
	NV_AUTO(nv_str) struct nv_str value = {};
	struct place place = scan_place(scan);
	size_t start = scan->at;

	scan->failed = false;
	if (scan_is_name_start(scan_look(scan)))
		scan_name(scan, &name);
	if (!name.length || scan_look(scan) != '=') {
		scan_refuse_word(scan, place, start, follows);
		return;
	}
	scan_advance(scan);
	if (name.length > NV_RCCONF_KEY_MAX)
		fault(scan, NV_FAULT_ERROR, place, "a name longer than %d bytes",
			NV_RCCONF_KEY_MAX);
	scan_value(scan, &value);
	if (!scan->failed)
		scan_store(scan, place, &name, &value);
}

/* A file with a NUL byte is not text. Scanning it would give one fault for each line. */
static bool scan_refuse_binary(struct scan *scan)
{
	const char *nul = memchr(scan->text, '\0', scan->length);

	if (!nul)
		return false;
	while (scan->text + scan->at < nul)
		scan_advance(scan);
	fault(scan, NV_FAULT_ERROR, scan_place(scan), "a NUL byte: this is not a text file");
	return true;
}

int nv_rcconf_scan(
	struct nv_rcconf *rcconf, const char *text, size_t length, struct nv_faults *faults)
{
	struct scan scan = {
		.rcconf = rcconf, .faults = faults, .text = text, .length = length, .line = 1};
	bool follows = false;
	int c;

	if (scan_refuse_binary(&scan))
		return 0;
	while (!scan.error && (c = scan_look(&scan)) != END) {
		if (c == '#') {
			scan_skip_line(&scan);
		} else if (scan_ends_word(c)) {
			if (c == ';' && !follows)
				fault(&scan, NV_FAULT_ERROR, scan_place(&scan),
					"nothing stands before `;'");
			if (c == '\n' || c == ';')
				follows = false;
			scan_advance(&scan);
		} else {
			scan_assignment(&scan, follows);
			follows = true;
		}
	}
	return scan.error;
}
