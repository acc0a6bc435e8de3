/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/programs.h"

#include <errno.h>

/* Of the skeletons only the bytes are used: one struct cannot stand for three. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "netvf_cast.skel.h"
#include "netvf_not.skel.h"
#include "netvf_probe.skel.h"
#pragma GCC diagnostic pop

static const void *bytes_of(enum nv_handover form, size_t *ret_size)
{
	switch (form) {
	case NV_HANDOVER_CAST:
		return netvf_cast__elf_bytes(ret_size);
	case NV_HANDOVER_PROBE:
		return netvf_probe__elf_bytes(ret_size);
	case NV_HANDOVER_NETLINK:
		return netvf_not__elf_bytes(ret_size);
	}
	return NULL;
}

int nv_programs_open(enum nv_handover form, struct bpf_object **ret_object)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "netvf");
	struct bpf_object *object;
	size_t size = 0;
	const void *bytes = bytes_of(form, &size);

	object = bpf_object__open_mem(bytes, size, &opts);
	if (!object)
		return -errno;
	*ret_object = object;
	return 0;
}

struct bpf_object *nv_programs_free(struct bpf_object *object)
{
	bpf_object__close(object);
	return NULL;
}

const char *nv_handover_name(enum nv_handover handover)
{
	switch (handover) {
	case NV_HANDOVER_CAST:
	case NV_HANDOVER_PROBE:
		return "kernel";
	case NV_HANDOVER_NETLINK:
		return "netlink";
	}
	return "?";
}

const char *nv_handover_why(enum nv_handover handover)
{
	switch (handover) {
	case NV_HANDOVER_CAST:
		return "the VF's state is read before each frame";
	case NV_HANDOVER_PROBE:
		return "the VF's state is read before each frame, by calls: this kernel is older "
		       "than Linux 6.2";
	case NV_HANDOVER_NETLINK:
		return "this kernel does not let programs read its state (no BTF, or locked "
		       "down), so what is sent until netvfd hears of the VF's end is lost";
	}
	return "?";
}
