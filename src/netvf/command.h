/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of netvf(1): a row each in main.c, a file each. */
#pragma once

#include "control/client.h"

#include <stdbool.h>

struct nv_command_context {
	struct nv_client *client; /* NULL where none answers and the command can do without */
	const char *run_dir; /* --run-dir, or NULL */
	bool json; /* --json */
	bool quiet; /* -n: values only (sysctl) */
	char **args; /* what follows the command's name, NULL-terminated */
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
 * Asks netvfd; an error is told on stderr. Returns the result, the caller's to json_decref(), or
 * NULL. Takes the reference of @params, which may be NULL.
 */
json_t *nv_command_ask(struct nv_command_context *context, const char *method, json_t *params);

/* Prints a value as indented JSON and a newline. */
void nv_command_print_json(const json_t *value);

/*
 * Makes every text in @value fit for a terminal, by nv_str_printable(): whoever may make an
 * interface gives it a name, and an event may hold anything. Keys stay. Returns @value, which may
 * be NULL.
 */
json_t *nv_json_printable(json_t *value);

/* Shorter ways to a member of an object; "" and 0 where there is none. */
const char *nv_json_text(const json_t *object, const char *key);
json_int_t nv_json_int(const json_t *object, const char *key);

/* Writes a span of time: "5.2 s", "3 h 12 min". */
void nv_format_age(double seconds, char *text, size_t size);

/* Writes a time in seconds since 1970 as local "2026-01-31 12:00:00.123". */
void nv_format_time(double time, char *text, size_t size);

/*
 * Prints from a status how frames leave by hn when the VF ceases to send, and how each moment at
 * which it does is seen.
 */
void nv_print_handover(const json_t *status);
