/* SPDX-License-Identifier: BSD-2-Clause */
/* A uevent of the kernel: what it says, read from its text. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A uevent: KEY=VALUE strings, the first of which is ACTION. */
struct nv_uevent {
	const char *action; /* "add", "remove", "bind", "unbind", "change", … */
	const char *devpath; /* below /sys */
	const char *subsystem; /* "" if it has none */
	const char *devname; /* below /dev, "" if it has no node */
	const char *devtype;
	const char *driver;
	bool is_block; /* the node is a block device, not a character device */
	const char *const *key; /* all KEY=VALUE strings, NULL-terminated */
};

/* The value of @name, or NULL. Owned by the uevent. */
const char *nv_uevent_get(const struct nv_uevent *uevent, const char *name);
/* The same, but "" for NULL. */
const char *nv_uevent_value(const struct nv_uevent *uevent, const char *name);

/*
 * Decodes the text of a uevent: "add@/devices/…", which may be missing, and KEY=VALUE
 * strings, each ending with a NUL.
 */
#define NV_UEVENT_KEYS_MAX 128
#define NV_UEVENT_TEXT_MAX 8192 /* bytes; the kernel's own uevents are at most about 2 KiB */

struct nv_uevent_text {
	char bytes[NV_UEVENT_TEXT_MAX + 1];
	const char *key[NV_UEVENT_KEYS_MAX + 1];
};

/*
 * @text keeps the strings that @ret_uevent points to.
 * Returns 0; -EMSGSIZE or -E2BIG: too long or too many; -EBADMSG: without ACTION or DEVPATH.
 */
int nv_uevent_decode(const char *bytes, size_t length, struct nv_uevent_text *text,
	struct nv_uevent *ret_uevent);
