/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The subcommands of netvf(1): each has a row in main.c and a file; plan and release share vfup.c.
 */
#pragma once

#include "control/client.h"

#include <stdbool.h>

struct nv_command_context {
	/* NULL: netvfd does not answer, and the command does not need it */
	struct nv_client *client;
	const char *run_dir; /* --run-dir, or NULL */
	bool json; /* --json */
	bool quiet; /* -n: values only (sysctl) */
	bool force; /* --force: carry the plan out (plan) */
	char **args; /* the words after the command's name, NULL-terminated */
};

/* Each returns an exit status. */
int nv_command_status(struct nv_command_context *context);
int nv_command_metrics(struct nv_command_context *context);
int nv_command_events(struct nv_command_context *context);
int nv_command_history(struct nv_command_context *context);
int nv_command_switch(struct nv_command_context *context);
int nv_command_plan(struct nv_command_context *context);
int nv_command_release(struct nv_command_context *context);
int nv_command_sysctl(struct nv_command_context *context);
int nv_command_doctor(struct nv_command_context *context);

/*
 * Calls a method of netvfd; prints an error on stderr. Returns the result, which the caller frees
 * with json_decref(), or NULL. Takes the reference of @params, which may be NULL.
 */
json_t *nv_command_ask(struct nv_command_context *context, const char *method, json_t *params);
/* The same for a method whose answer has all pairs, which may come in parts. */
json_t *nv_command_ask_pairs(struct nv_command_context *context, const char *method);

/* Prints a value as indented JSON and a newline. */
void nv_command_print_json(const json_t *value);

/*
 * Makes every string in @value safe for a terminal with nv_str_printable(): a user who may create
 * interfaces chooses their names, and an event may have any content. Keys are not changed. @value
 * may be NULL.
 */
void nv_json_printable(json_t *value);

/* A member of an object; "" or 0 if there is none. */
const char *nv_json_text(const json_t *object, const char *key);
json_int_t nv_json_int(const json_t *object, const char *key);

/* Writes a duration: "5.2 s", "3 h 12 min". */
void nv_format_age(double seconds, char *text, size_t size);

/* Writes a time in seconds since 1970 as local time: "2026-01-31 12:00:00.123". */
void nv_format_time(double time, char *text, size_t size);

/*
 * Prints the handover of a status: how frames change to hn when the VF ceases to send, and what
 * sees each of the moments.
 */
void nv_print_handover(const json_t *status);
