/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/object_id.h"

#include <bpf/bpf.h>

int nv_object_id(int fd, uint32_t *ret_id)
{
	/* Both structures begin with the type and the id. */
	union {
		struct bpf_map_info map;
		struct bpf_prog_info program;
	} info = {};
	unsigned int size = sizeof(info.program.type) + sizeof(info.program.id);
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return r;
	*ret_id = info.program.id;
	return 0;
}
