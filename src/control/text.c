/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/text.h"

#include "base/str.h"

json_t *nv_json_string(const char *text)
{
	NV_AUTO(nv_str) struct nv_str escaped = {};
	json_t *string = json_string(text);

	if (string)
		return string;
	for (; *text; text++) {
		unsigned char byte = *text;

		if (byte < 0x80)
			nv_str_addc(&escaped, *text);
		else
			nv_str_printf(&escaped, "\\x%02x", byte);
	}
	return escaped.error ? NULL : json_string(nv_str_text(&escaped));
}
