/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/uevent.h"

#include <errno.h>
#include <string.h>

const char *nv_uevent_get(const struct nv_uevent *uevent, const char *name)
{
	size_t length = strlen(name);

	for (const char *const *key = uevent->key; *key; key++) {
		if (strncmp(*key, name, length) == 0 && (*key)[length] == '=')
			return *key + length + 1;
	}
	return NULL;
}

const char *nv_uevent_value(const struct nv_uevent *uevent, const char *name)
{
	const char *value = nv_uevent_get(uevent, name);

	return value ? value : "";
}

int nv_uevent_decode(
	const char *bytes, size_t length, struct nv_uevent_text *text, struct nv_uevent *ret_uevent)
{
	struct nv_uevent uevent = {.key = text->key};
	size_t count = 0;

	if (length > NV_UEVENT_TEXT_MAX)
		return -EMSGSIZE;
	memcpy(text->bytes, bytes, length);
	text->bytes[length] = '\0';
	for (size_t at = 0; at < length; at += strlen(text->bytes + at) + 1) {
		if (!strchr(text->bytes + at, '='))
			continue;
		if (count == NV_UEVENT_KEYS_MAX)
			return -E2BIG;
		text->key[count++] = text->bytes + at;
	}
	text->key[count] = NULL;

	uevent.action = nv_uevent_value(&uevent, "ACTION");
	uevent.devpath = nv_uevent_value(&uevent, "DEVPATH");
	uevent.subsystem = nv_uevent_value(&uevent, "SUBSYSTEM");
	uevent.devname = nv_uevent_value(&uevent, "DEVNAME");
	uevent.devtype = nv_uevent_value(&uevent, "DEVTYPE");
	uevent.driver = nv_uevent_value(&uevent, "DRIVER");
	uevent.is_block = strcmp(uevent.subsystem, "block") == 0;
	if (!uevent.action[0] || uevent.devpath[0] != '/')
		return -EBADMSG;
	*ret_uevent = uevent;
	return 0;
}
