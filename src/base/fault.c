/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fault.h"

#include "base/log.h"
#include "base/str.h"

#include <stdarg.h>
#include <string.h>

void nv_faults_add(struct nv_faults *faults, enum nv_fault_severity severity, const char *file,
	unsigned int line, unsigned int column, const char *format, ...)
{
	NV_AUTO(nv_free) char *message = NULL;
	NV_AUTO(nv_free) char *name = strdup(file);
	struct nv_fault *more;
	va_list args;
	int length;

	if (severity == NV_FAULT_ERROR)
		faults->errors++;
	va_start(args, format);
	length = vasprintf(&message, format, args);
	va_end(args);
	if (length < 0)
		message = NULL;
	more = faults->count < NV_FAULTS_MAX && name && message
		       ? reallocarray(faults->fault, faults->count + 1, sizeof(*more))
		       : NULL;
	if (!more) {
		faults->dropped++;
		return;
	}
	faults->fault = more;
	faults->fault[faults->count++] = (struct nv_fault){
		.severity = severity,
		.file = TAKE_PTR(name),
		.line = line,
		.column = column,
		.message = TAKE_PTR(message),
	};
}

static void fault_describe(const struct nv_fault *fault, struct nv_str *text)
{
	nv_str_add(text, fault->file);
	if (fault->line)
		nv_str_printf(text, ":%u", fault->line);
	if (fault->line && fault->column)
		nv_str_printf(text, ":%u", fault->column);
	nv_str_printf(text, ": %s%s", fault->severity == NV_FAULT_WARNING ? "warning: " : "",
		fault->message);
}

void nv_faults_print(const struct nv_faults *faults, FILE *stream)
{
	for (size_t i = 0; i < faults->count; i++) {
		NV_AUTO(nv_str) struct nv_str text = {};

		fault_describe(&faults->fault[i], &text);
		fprintf(stream, "%s\n", nv_str_text(&text));
	}
	if (faults->dropped)
		fprintf(stream, "(and %zu more)\n", faults->dropped);
}

void nv_faults_log(const struct nv_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		NV_AUTO(nv_str) struct nv_str text = {};

		fault_describe(&faults->fault[i], &text);
		nv_log(faults->fault[i].severity == NV_FAULT_ERROR ? LOG_ERR : LOG_WARNING, "%s",
			nv_str_text(&text));
	}
}

void nv_faults_auto(struct nv_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		free(faults->fault[i].file);
		free(faults->fault[i].message);
	}
	free(faults->fault);
	*faults = (struct nv_faults){};
}
