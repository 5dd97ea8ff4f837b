/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rt_attr.h - what all dumps of rtnetlink(7) have in common: the question,
 * and the attributes of an answer.
 *
 * Attributes are checked for their length, since they come from the kernel.
 * It knows no objects.
 */
#ifndef NETSETUP_KERNEL_RT_ATTR_H
#define NETSETUP_KERNEL_RT_ATTR_H

#include "lib/inet.h"
#include "netsetup/kernel/nl.h"

/* Those of a message, by type; beyond FRA_MAX, RTA_MAX, IFA_MAX they are left.
 */
enum { RT_ATTRS_MAX = 64 };

struct rt_attrs {
	const struct nlattr *by_type[RT_ATTRS_MAX]; /* borrows the message */
};

/* Those behind a header of `header_len`; false: not of `type`, or too short. */
bool rt_attrs(const struct nlmsghdr *nlh, uint16_t type, size_t header_len,
	      struct rt_attrs *ret_attrs);

/* The number in one of them; `otherwise` where it is missing or too short. */
uint32_t rt_attrs_u32(const struct rt_attrs *a, int type, uint32_t otherwise);

/* The address in it, which may be NULL; of no family likewise. */
struct addr rt_attr_addr(const struct nlattr *attr, uint8_t family);

/* AF_INET or AF_INET6? A dump may bring others. */
bool rt_is_ip(uint8_t family);

/*
 * Dump with a header of `len` zeroes but for the family in its first byte.
 * Errors as of nl_dump().
 */
int rt_dump(struct nl *nl, uint16_t type, uint8_t family, size_t len,
	    mnl_cb_t cb, void *data);

/* 0 for what a kernel says that has no IPv6, or no such table; else `error`. */
int rt_unless_absent(int error);

#endif
