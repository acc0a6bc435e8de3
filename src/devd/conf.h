/* SPDX-License-Identifier: BSD-2-Clause */
/* One file of rules while it is read: what lexer, grammar and builder share. Private. */
#pragma once

#include "devd/rule.h"

struct nv_conf {
	struct nv_rules *rules;
	struct nv_faults *faults;
	const char *file; /* one of rules->file */
	bool drop_in; /* a file out of a directory */
	struct nv_rule *rule; /* the one being read */
	int error; /* 0 or -ENOMEM */
	const char *token; /* the last one's text, for messages */
	size_t token_length;
};

struct nv_place {
	unsigned int line;
	unsigned int column;
};

/* Reads one file's text; what it says is added to conf->rules. Returns 0 or -ENOMEM. */
int nv_conf_read(struct nv_conf *conf, const char *text, size_t length);

/* Faults in this file, at a place in it. */
void nv_conf_error(struct nv_conf *conf, struct nv_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for what is hardly meant so. */
void nv_conf_warning(struct nv_conf *conf, struct nv_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct nv_excerpt {
	char text[64];
};

/* A piece of the file for a message: at most 40 bytes, unprintable ones as \xNN. */
struct nv_excerpt nv_excerpt(const char *text, size_t length);

/* The builder: each copies its strings and keeps -ENOMEM in conf->error. */
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
