/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of rules while it is read: shared by lexer, grammar and builder. Private. */
#pragma once

#include "devd/rule.h"

struct nv_conf {
	struct nv_rules *rules;
	struct nv_faults *faults;
	const char *file; /* owned by rules->file */
	bool drop_in; /* the file is in a directory of `directory` */
	struct nv_rule *rule; /* the rule that is being read */
	int error; /* 0 or -ENOMEM */
	const char *token; /* text of the last token, for messages */
	size_t token_length;
};

struct nv_place {
	unsigned int line;
	unsigned int column;
};

/* Reads the text of one file and adds it to conf->rules. Returns 0 or -ENOMEM. */
int nv_conf_read(struct nv_conf *conf, const char *text, size_t length);

/* Adds an error with its position in this file. */
void nv_conf_error(struct nv_conf *conf, struct nv_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a warning. */
void nv_conf_warning(struct nv_conf *conf, struct nv_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct nv_excerpt {
	char text[64];
};

/* A part of the file for a message: at most 40 bytes, with unprintable ones as \xNN. */
struct nv_excerpt nv_excerpt(const char *text, size_t length);

/* The builder. Each function copies its strings; -ENOMEM is kept in conf->error. */
void nv_conf_begin_rule(struct nv_conf *conf, enum nv_event_kind kind, unsigned int priority,
	struct nv_place place);
void nv_conf_end_rule(struct nv_conf *conf);
void nv_conf_match(
	struct nv_conf *conf, const char *variable, const char *pattern, struct nv_place place);
void nv_conf_media(struct nv_conf *conf, const char *type, struct nv_place place);
void nv_conf_action(struct nv_conf *conf, const char *action, struct nv_place place);
void nv_conf_directory(struct nv_conf *conf, const char *path, struct nv_place place);
void nv_conf_pid_file(struct nv_conf *conf, const char *path);
void nv_conf_set(struct nv_conf *conf, const char *name, const char *value, struct nv_place place);
