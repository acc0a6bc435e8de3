/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/attrs.h"

#include <errno.h>
#include <string.h>

void *nv_request_start(struct nv_request *request, uint16_t type, uint16_t flags, size_t size)
{
	struct nlmsghdr *header;

	/* Attributes leave padding between them that is not written. */
	memset(request, 0, sizeof(*request));
	header = mnl_nlmsg_put_header(request->bytes);
	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(header, size);
}

static int attrs_keep(const struct nlattr *attr, void *data)
{
	struct nv_attrs *attrs = data;
	unsigned int type = mnl_attr_get_type(attr);

	if (type <= attrs->max)
		attrs->by_type[type] = attr;
	return MNL_CB_OK;
}

/* mnl_attr_parse() reads up to the aligned length, which may be past the end of the message. */
int nv_attrs_read(const struct nlmsghdr *message, size_t header_size, struct nv_attrs *attrs)
{
	size_t size = mnl_nlmsg_get_payload_len(message);
	size_t skip = MNL_ALIGN(header_size);

	if (size < header_size)
		return -EBADMSG;
	if (size <= skip)
		return 0;
	return nv_attrs_payload(
		(const char *)mnl_nlmsg_get_payload(message) + skip, size - skip, attrs);
}

int nv_attrs_nested(const struct nlattr *nest, struct nv_attrs *attrs)
{
	return mnl_attr_parse_nested(nest, attrs_keep, attrs) < MNL_CB_OK ? -EBADMSG : 0;
}

int nv_attrs_payload(const void *payload, size_t size, struct nv_attrs *attrs)
{
	return mnl_attr_parse_payload(payload, size, attrs_keep, attrs) < MNL_CB_OK ? -EBADMSG : 0;
}

/* Copies exactly @size bytes; attributes may be unaligned for their type. */
static bool attrs_get(const struct nv_attrs *attrs, unsigned int type, void *ret, size_t size)
{
	const struct nlattr *attr = attrs->by_type[type];

	if (!attr || mnl_attr_get_payload_len(attr) < size)
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), size);
	return true;
}

bool nv_attr_u8(const struct nv_attrs *attrs, unsigned int type, uint8_t *ret)
{
	return attrs_get(attrs, type, ret, sizeof(*ret));
}

bool nv_attr_u16(const struct nv_attrs *attrs, unsigned int type, uint16_t *ret)
{
	return attrs_get(attrs, type, ret, sizeof(*ret));
}

bool nv_attr_u32(const struct nv_attrs *attrs, unsigned int type, uint32_t *ret)
{
	return attrs_get(attrs, type, ret, sizeof(*ret));
}

bool nv_attr_ip(const struct nv_attrs *attrs, unsigned int type, uint8_t family, struct nv_ip *ret)
{
	struct nv_ip ip = {.family = family};
	size_t size = nv_ip_size(family);

	if (!size || !attrs_get(attrs, type, &ip.v6, size))
		return false;
	*ret = ip;
	return true;
}

bool nv_attr_string(const struct nv_attrs *attrs, unsigned int type, char *ret, size_t size)
{
	const struct nlattr *attr = attrs->by_type[type];
	size_t length;

	if (!attr)
		return false;
	length = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	if (length >= size)
		length = size - 1;
	memcpy(ret, mnl_attr_get_payload(attr), length);
	ret[length] = '\0';
	return true;
}

void nv_attr_put_copy(struct nlmsghdr *message, const struct nlattr *attr)
{
	mnl_attr_put(message, attr->nla_type, mnl_attr_get_payload_len(attr),
		mnl_attr_get_payload(attr));
}

void nv_request_ip(struct nv_request *request, uint16_t type, const struct nv_ip *ip)
{
	mnl_attr_put(&request->header, type, nv_ip_size(ip->family), &ip->v6);
}
