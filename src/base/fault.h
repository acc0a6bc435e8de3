/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults that a parser found in the administrator's file. They are collected, so that all are shown
 * at once, each with its position.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define NV_FAULTS_MAX 100 /* further ones are only counted */

enum nv_fault_severity {
	NV_FAULT_WARNING, /* the file can be used, but is hardly what was intended */
	NV_FAULT_ERROR, /* the file cannot be used */
};

struct nv_fault {
	enum nv_fault_severity severity;
	char *file;
	unsigned int line; /* from 1; 0: the whole file */
	unsigned int column; /* from 1, in bytes; 0: the whole line */
	char *message;
};

struct nv_faults {
	struct nv_fault *fault;
	size_t count;
	size_t errors; /* number of errors, including dropped ones */
	size_t dropped;
};

/*
 * Adds a fault. If memory is short, it is counted as dropped, so that the parse fails all the same.
 */
void nv_faults_add(struct nv_faults *faults, enum nv_fault_severity severity, const char *file,
	unsigned int line, unsigned int column, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Prints each as `file:line:column: message`, warnings as `file:line:column: warning: message`. */
void nv_faults_print(const struct nv_faults *faults, FILE *stream);

/* Writes each to the log, errors as LOG_ERR, warnings as LOG_WARNING. */
void nv_faults_log(const struct nv_faults *faults);

void nv_faults_auto(struct nv_faults *faults);
