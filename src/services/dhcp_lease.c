/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/dhcp_lease.h"

#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

struct lease_statement {
	const char *begin;
	const char *end;
	const char *interface; /* where it names the wanted interface; NULL: nowhere */
};

/* The last character of the string or comment that begins at @at; @at if none does. */
static const char *lease_skip(const char *at, const char *end)
{
	char last = *at == '"' ? '"' : '\n';

	if (*at != '"' && *at != '#')
		return at;
	for (at++; at < end && *at != last; at++)
		if (last == '"' && *at == '\\' && at + 1 < end)
			at++;
	return at;
}

/* @interface: the statement, inside a lease, that names the wanted interface. */
static struct lease_statement lease_read(const char *at, const char *end, const char *interface)
{
	struct lease_statement statement = {.begin = at};
	size_t length = strlen(interface);
	int depth = 0;

	for (; at < end; at++) {
		if (depth == 1 && (size_t)(end - at) >= length &&
			memcmp(at, interface, length) == 0)
			statement.interface = at;
		at = lease_skip(at, end);
		if (at == end)
			break;
		depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
		if (depth <= 0 && (*at == '}' || *at == ';')) {
			at += at + 1 < end && at[1] == '\n' ? 2 : 1;
			break;
		}
	}
	statement.end = at;
	return statement;
}

/* Whether a statement is a lease: "lease {" or "lease6 {". */
static bool lease_is_one(const struct lease_statement *statement)
{
	static const char word[] = "lease";
	const char *at = statement->begin;

	for (; at < statement->end && (isspace((unsigned char)*at) || *at == '#'); at++) {
		at = lease_skip(at, statement->end);
		if (at == statement->end)
			return false;
	}
	return (size_t)(statement->end - at) > strlen(word) && memcmp(at, word, strlen(word)) == 0;
}

static void lease_append(const struct lease_statement *statement, struct nv_str *str)
{
	nv_str_append(str, statement->begin, (size_t)(statement->end - statement->begin));
}

int nv_dhcp_lease_divide(const char *text, size_t length, const char *from, const char *to,
	struct nv_str *taken, struct nv_str *left)
{
	char old[IFNAMSIZ + 16];
	const char *end = text + length;
	struct lease_statement next;
	int count = 0;

	snprintf(old, sizeof(old), "interface \"%s\";", from);
	for (; text < end; text = next.end) {
		next = lease_read(text, end, old);
		if (!lease_is_one(&next)) {
			lease_append(&next, taken);
			lease_append(&next, left);
		} else if (!next.interface) {
			lease_append(&next, left);
		} else {
			nv_str_append(taken, next.begin, (size_t)(next.interface - next.begin));
			nv_str_printf(taken, "interface \"%s\";", to);
			next.begin = next.interface + strlen(old);
			lease_append(&next, taken);
			count++;
		}
	}
	if (taken->error || left->error)
		return taken->error ? taken->error : left->error;
	return count;
}
