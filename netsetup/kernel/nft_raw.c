/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks the attributes as they came. Makes no system call. What is malformed
 * ends the walk: such bytes are not those of another time either.
 */
#include "netsetup/kernel/nft_raw.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <string.h>

#include "lib/hash.h"

/* Of one expression: is it a counter, whose values are no part of the rule? */
static bool
counts(const struct nlattr *expr)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, expr)
	{
		if (mnl_attr_get_type(a) == NFTA_EXPR_NAME)
			return mnl_attr_get_payload_len(a) ==
				       sizeof("counter") &&
			       !memcmp(mnl_attr_get_payload(a), "counter",
				       sizeof("counter"));
	}
	return false;
}

static uint64_t
hash_expressions(const struct nlattr *list)
{
	static const char counter[] = "counter";
	const struct nlattr *expr;
	uint64_t h = 1;

	mnl_attr_for_each_nested(expr, list)
	{
		if (counts(expr))
			h = hash64(counter, sizeof(counter), h);
		else
			h = hash64(mnl_attr_get_payload(expr),
				   mnl_attr_get_payload_len(expr), h);
	}
	return h;
}

uint64_t
nft_raw_hash(const struct nlmsghdr *nlh)
{
	const struct nlattr *a;
	uint64_t h = 1;

	mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) == NFTA_RULE_EXPRESSIONS)
			h = hash_expressions(a);
	}
	return h ? h : 1;
}
