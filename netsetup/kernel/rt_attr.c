/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netsetup/kernel/rt_attr.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { MESSAGE_LEN = 256 };

static int
take_attr(const struct nlattr *attr, void *data)
{
	struct rt_attrs *a = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < RT_ATTRS_MAX)
		a->by_type[type] = attr;
	return MNL_CB_OK;
}

bool
rt_attrs(const struct nlmsghdr *nlh, uint16_t type, size_t header_len,
	 struct rt_attrs *ret_attrs)
{
	if (nlh->nlmsg_type != type ||
	    nlh->nlmsg_len < mnl_nlmsg_size(header_len))
		return false;
	memset(ret_attrs, 0, sizeof(*ret_attrs));
	mnl_attr_parse(nlh, (unsigned int)header_len, take_attr, ret_attrs);
	return true;
}

uint32_t
rt_attrs_u32(const struct rt_attrs *a, int type, uint32_t otherwise)
{
	const struct nlattr *attr = a->by_type[type];

	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(uint32_t))
		return otherwise;
	return mnl_attr_get_u32(attr);
}

struct addr
rt_attr_addr(const struct nlattr *attr, uint8_t family)
{
	struct addr addr = {.family = family};

	if (!attr || mnl_attr_get_payload_len(attr) < addr_bits(&addr) / 8)
		return (struct addr){0};
	memcpy(addr.bytes, mnl_attr_get_payload(attr), addr_bits(&addr) / 8);
	return addr;
}

bool
rt_is_ip(uint8_t family)
{
	return family == AF_INET || family == AF_INET6;
}

int
rt_dump(struct nl *nl, uint16_t type, uint8_t family, size_t len, mnl_cb_t cb,
	void *data)
{
	char buf[MESSAGE_LEN];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	uint8_t *h = mnl_nlmsg_put_extra_header(nlh, len);

	h[0] = family;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	return nl_dump(nl, nlh, cb, data);
}

int
rt_unless_absent(int error)
{
	if (error == -EAFNOSUPPORT || error == -EOPNOTSUPP || error == -ENOENT)
		return 0;
	return error;
}
