/* SPDX-License-Identifier: BSD-2-Clause */
#include "devd/pnp.h"

#include <stdarg.h>
#include <string.h>

#define GUID_TEXT 36 /* without the NUL */

struct vars {
	struct nv_event_var var[5];
	char value[5][48];
	size_t count;
};

struct identity {
	struct vars location;
	struct vars pnpinfo;
	char parent[16];
};

static void pnp_add(struct vars *vars, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void pnp_add(struct vars *vars, const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(vars->value[vars->count], sizeof(vars->value[0]), format, args);
	va_end(args);
	vars->var[vars->count] = (struct nv_event_var){name, vars->value[vars->count]};
	vars->count++;
}

static void pnp_read_pci(const struct nv_uevent *uevent, struct identity *id)
{
	unsigned int domain, bus, slot, function, vendor, device, class;

	nv_strcopy(id->parent, sizeof(id->parent), "pci0");
	if (sscanf(nv_uevent_value(uevent, "PCI_SLOT_NAME"), "%x:%x:%x.%x", &domain, &bus, &slot,
		    &function) == 4) {
		snprintf(id->parent, sizeof(id->parent), "pci%u", bus);
		pnp_add(&id->location, "slot", "%u", slot);
		pnp_add(&id->location, "function", "%u", function);
		pnp_add(&id->location, "dbsf", "pci%u:%u:%u:%u", domain, bus, slot, function);
	}
	if (sscanf(nv_uevent_value(uevent, "PCI_ID"), "%x:%x", &vendor, &device) == 2) {
		pnp_add(&id->pnpinfo, "vendor", "0x%04x", vendor);
		pnp_add(&id->pnpinfo, "device", "0x%04x", device);
	}
	if (sscanf(nv_uevent_value(uevent, "PCI_SUBSYS_ID"), "%x:%x", &vendor, &device) == 2) {
		pnp_add(&id->pnpinfo, "subvendor", "0x%04x", vendor);
		pnp_add(&id->pnpinfo, "subdevice", "0x%04x", device);
	}
	if (sscanf(nv_uevent_value(uevent, "PCI_CLASS"), "%x", &class) == 1)
		pnp_add(&id->pnpinfo, "class", "0x%06x", class);
}

/*
 * The alias is "vmbus:" and the class's GUID in hexadecimal, in the byte order of memory: the first
 * three parts are little-endian.
 */
static bool pnp_read_class_id(const char *alias, char ret[GUID_TEXT + 1])
{
	static const int order[] = {
		3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15};
	const char *hex = alias + strlen("vmbus:");
	char *at = ret;

	if (strncmp(alias, "vmbus:", strlen("vmbus:")) != 0 ||
		strspn(hex, "0123456789abcdefABCDEF") < 32)
		return false;
	for (size_t i = 0; i < NV_ARRAY_SIZE(order); i++) {
		if (order[i] < 0) {
			*at++ = '-';
		} else {
			*at++ = hex[2 * order[i]];
			*at++ = hex[2 * order[i] + 1];
		}
	}
	*at = '\0';
	return true;
}

static void pnp_read_vmbus(const struct nv_uevent *uevent, struct identity *id)
{
	const char *name = basename(uevent->devpath);
	char class_id[GUID_TEXT + 1];

	nv_strcopy(id->parent, sizeof(id->parent), "vmbus0");
	if (pnp_read_class_id(nv_uevent_value(uevent, "MODALIAS"), class_id))
		pnp_add(&id->pnpinfo, "classid", "%s", class_id);
	if (strlen(name) == GUID_TEXT)
		pnp_add(&id->pnpinfo, "deviceid", "%s", name);
}

int nv_pnp_format(struct nv_str *line, enum nv_event_kind kind, const char *device,
	const struct nv_uevent *uevent)
{
	struct identity id = {};

	if (nv_streq(uevent->subsystem, "vmbus"))
		pnp_read_vmbus(uevent, &id);
	else
		pnp_read_pci(uevent, &id);
	return nv_event_format_device(line, kind, device, id.location.var, id.location.count,
		id.pnpinfo.var, id.pnpinfo.count, id.parent);
}
