/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps and programs of the data path as descriptors: finds, loads and pins them. What the
 * filters run is in use. Pins find it quickly, and keep it while no interface has a filter.
 */
#pragma once

#include "base/cleanup.h"
#include "datapath/object_id.h"
#include "datapath/pair.h"
#include "datapath/shared.h"
#include "datapath/tc.h"
#include "kernel/kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nv_object {
	NV_OBJECT_PAIRS,
	NV_OBJECT_PORTS,
	NV_OBJECT_COUNTS,
	NV_OBJECT_PLACES,
	NV_OBJECT_LIMITS, /* this and the next: -1 if an earlier version wrote the pins */
	NV_OBJECT_REPORTS,
	NV_OBJECT_INGRESS,
	NV_OBJECT_EGRESS,
	NV_OBJECTS, /* how many */
};

struct nv_objects {
	int fd[NV_OBJECTS]; /* -1: none */
};

#define NV_OBJECTS_NONE                               \
	(struct nv_objects)                           \
	{                                             \
		.fd = { [0 ... NV_OBJECTS - 1] = -1 } \
	}

void nv_objects_auto(struct nv_objects *objects);

/* The map of pairs, mapped into memory. */
struct nv_table {
	char *base;
	size_t count; /* of slots */
	size_t size; /* bytes of an entry that are used; another version may use more or less */
	size_t stride; /* bytes from one entry to the next */
};

/* -EPROTO: no version has made such a map. */
int nv_table_map(int pairs, struct nv_table *ret_table);
void nv_table_auto(struct nv_table *table);

static inline struct nv_entry *nv_table_entry(const struct nv_table *table, size_t slot)
{
	return (struct nv_entry *)(void *)(table->base + slot * table->stride);
}

/*
 * Whether the table is of this version or a later one, so that it has every word of struct
 * nv_entry.
 */
static inline bool nv_table_is_whole(const struct nv_table *table)
{
	return table->size >= sizeof(struct nv_entry);
}

/* Tells the programs whether a VF in this slot has limits (NV_OBJECT_LIMITS); 0: none has. */
static inline void nv_entry_limit(const struct nv_table *table, size_t slot, int vf)
{
	if (nv_table_is_whole(table))
		__atomic_store_n(&nv_table_entry(table, slot)->limited, vf != 0, __ATOMIC_SEQ_CST);
}

/* The pair in an entry of the table. */
struct nv_dp_pair nv_entry_pair(const struct nv_table *table, const struct nv_entry *entry);

/* The roles of interfaces in a pair. */
enum nv_role {
	NV_ROLE_HN,
	NV_ROLE_VF,
	NV_ROLE_LAGG,
	NV_ROLES, /* how many */
};

/*
 * Makes an interface run the programs that its role may need, in place of those of @replaced (NULL:
 * there is no other version). @place and errors: as nv_tc_attach(); one side is attached also if
 * the other one cannot be.
 */
int nv_objects_attach(const struct nv_objects *objects, const struct nv_objects *replaced,
	struct nv_kernel *kernel, enum nv_role role, int ifindex, enum nv_tc_place place);

/* As nv_tc_detach(); the filter of a VF may have moved. */
void nv_objects_detach(
	const struct nv_objects *objects, struct nv_kernel *kernel, enum nv_role role, int ifindex);

/*
 * Makes the run directory and mounts a bpf file system below it, unless they exist. Returns 0 or
 * -errno.
 */
int nv_pins_prepare(const char *run_dir);

/* Whether a program uses these maps. */
bool nv_pins_belong(int program, const struct nv_objects *objects);

/* Opens all pins. -ENOENT: some are missing, or do not belong together. */
int nv_pins_open(const char *run_dir, struct nv_objects *ret_objects);

/* Whether these programs are the pinned ones; also true if none are pinned. */
bool nv_pins_current(const char *run_dir, const struct nv_objects *objects);

/* Pins under a name; replaces what was pinned there. */
int nv_pin(const char *run_dir, const char *name, int fd);
/* Does nothing if there is no such pin. */
void nv_unpin(const char *run_dir, const char *name);

/* Pins everything that is open, each in place of what was pinned under its name before. */
int nv_pins_write(const char *run_dir, const struct nv_objects *objects);

#define NV_PINS_LABEL_SIZE 96

/*
 * Writes a text beside the pins, as a symbolic link to it, which no reader sees half written. The
 * kernel keeps it as long as the pins. Returns 0 or -errno.
 */
int nv_pins_set_label(const char *run_dir, const char *label);
/* Reads it; "" if there is none. */
void nv_pins_label(const char *run_dir, char ret_label[NV_PINS_LABEL_SIZE]);

/*
 * Pins what is in use, unless the pins are right. Returns 0 also if nothing is in use. Needs the
 * lock, and CAP_SYS_ADMIN to find what is in use.
 */
int nv_objects_repin(struct nv_kernel *kernel, const char *run_dir);

/*
 * Loads the programs of this version, or takes those in use if they are the same; keeps the pairs;
 * makes every filter run these programs; pins everything. If the pinned ones are of this version,
 * which the label says, nothing is loaded, and filters are left as they are. Needs the lock.
 * *ret_adopted: pairs were found. *ret_form: of the programs. Errors as nv_datapath_open().
 */
int nv_objects_open(struct nv_kernel *kernel, const char *run_dir, struct nv_objects *ret_objects,
	bool *ret_adopted, enum nv_handover *ret_mode);
