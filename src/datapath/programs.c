/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/programs.h"

#include <errno.h>

/* Only the bytes of the skeletons are used: one struct cannot stand for all of them. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "netvf_cast.skel.h"
#include "netvf_hooks.skel.h"
#include "netvf_not.skel.h"
#include "netvf_probe.skel.h"
#pragma GCC diagnostic pop
#include "programs_digest.h"

static const void *programs_bytes_of(enum nv_handover mode, size_t *ret_size)
{
	switch (mode) {
	case NV_HANDOVER_CAST:
		return netvf_cast__elf_bytes(ret_size);
	case NV_HANDOVER_PROBE:
		return netvf_probe__elf_bytes(ret_size);
	case NV_HANDOVER_NETLINK:
		return netvf_not__elf_bytes(ret_size);
	}
	return NULL;
}

static int programs_open_bytes(const void *bytes, size_t size, struct bpf_object **ret_object)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "netvf");
	struct bpf_object *object = bpf_object__open_mem(bytes, size, &opts);

	if (!object)
		return -errno;
	*ret_object = object;
	return 0;
}

int nv_programs_open(enum nv_handover mode, struct bpf_object **ret_object)
{
	size_t size = 0;
	const void *bytes = programs_bytes_of(mode, &size);

	return programs_open_bytes(bytes, size, ret_object);
}

int nv_programs_open_hooks(struct bpf_object **ret_object)
{
	size_t size = 0;
	const void *bytes = netvf_hooks__elf_bytes(&size);

	return programs_open_bytes(bytes, size, ret_object);
}

const char *nv_programs_digest(void)
{
	return NV_PROGRAMS_DIGEST;
}

struct bpf_object *nv_programs_free(struct bpf_object *object)
{
	bpf_object__close(object);
	return NULL;
}
