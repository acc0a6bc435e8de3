/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/config.h"

#include <ctype.h>
#include <string.h>

/* In the name of a key, punctuation is written '_' (rc.conf(5)): br_lan means br-lan. */
static bool config_spells(const char *key, const char *name)
{
	while (*key &&
		(*key == *name || (*key == '_' && *name && !isalnum((unsigned char)*name)))) {
		key++;
		name++;
	}
	return !*key && !*name;
}

static bool config_lists(const char name[][IFNAMSIZ], size_t count, const char *wanted)
{
	for (size_t i = 0; i < count; i++)
		if (config_spells(name[i], wanted))
			return true;
	return false;
}

bool nv_hn_is_transparent(const struct nv_hn_config *config, const char *hn, bool managed)
{
	if (config_lists(config->opaque_name, config->n_opaque_names, hn))
		return false;
	if (config_lists(config->transparent_name, config->n_transparent_names, hn))
		return true;
	switch (config->transparent) {
	case NV_TRANSPARENT_AUTO:
		return managed;
	case NV_TRANSPARENT_NO:
		return false;
	case NV_TRANSPARENT_YES:
		return true;
	}
	return false;
}
