/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs for the kernel as libbpf objects, in each form that a kernel may need. */
#pragma once

#include "base/cleanup.h"
#include "datapath/pair.h"

#include <bpf/libbpf.h>

/* Opens one form; loads nothing. Returns 0 or -errno. */
int nv_programs_open(enum nv_handover mode, struct bpf_object **ret_object);

/* Opens the hooks in the same way. */
int nv_programs_open_hooks(struct bpf_object **ret_object);

/* The same for all processes that have the same programs, in all forms. In hexadecimal digits. */
const char *nv_programs_digest(void);

struct bpf_object *nv_programs_free(struct bpf_object *object);
NV_DEFINE_AUTO(nv_programs, struct bpf_object *, nv_programs_free);
