/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One number for both states of a flow, unanswered and answered: proxyd's
 * own timeout makes no difference between them either.
 */
#include "netsetup/kernel/nft_timeout.h"

#include <errno.h>
#include <libnftnl/object.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"

enum { UDP_STATES = 2 };

int
nft_timeout_build(struct nlmsghdr *nlh, const struct ktimeout *t, bool whole)
{
	uint32_t array[UDP_STATES] = {t->seconds, t->seconds};
	struct nftnl_obj *x = nftnl_obj_alloc();

	if (!x)
		return -ENOMEM;
	nftnl_obj_set_str(x, NFTNL_OBJ_TABLE, KSTATE_TABLE);
	nftnl_obj_set_str(x, NFTNL_OBJ_NAME, t->name);
	nftnl_obj_set_u32(x, NFTNL_OBJ_TYPE, NFT_OBJECT_CT_TIMEOUT);
	if (whole) {
		nftnl_obj_set_u16(x, NFTNL_OBJ_CT_TIMEOUT_L3PROTO,
				  NFPROTO_INET);
		nftnl_obj_set_u8(x, NFTNL_OBJ_CT_TIMEOUT_L4PROTO, IPPROTO_UDP);
		nftnl_obj_set_data(x, NFTNL_OBJ_CT_TIMEOUT_ARRAY, array,
				   sizeof(array));
	}
	nftnl_obj_nlmsg_build_payload(nlh, x);
	nftnl_obj_free(x);
	return 0;
}

/* 0: not one that we could have made. */
static uint32_t
seconds_of(struct nftnl_obj *x)
{
	const uint32_t *array = nftnl_obj_get(x, NFTNL_OBJ_CT_TIMEOUT_ARRAY);

	if (!array || array[0] != array[1] ||
	    nftnl_obj_get_u8(x, NFTNL_OBJ_CT_TIMEOUT_L4PROTO) != IPPROTO_UDP)
		return 0;
	return array[0];
}

bool
nft_timeout_parse(const struct nlmsghdr *nlh, struct arena *arena,
		  struct ktimeout *ret_timeout)
{
	struct nftnl_obj *x = nftnl_obj_alloc();
	bool ours;

	if (!x)
		return false;
	ours = nftnl_obj_nlmsg_parse(nlh, x) == 0 &&
	       !strcmp(nftnl_obj_get_str(x, NFTNL_OBJ_TABLE), KSTATE_TABLE) &&
	       nftnl_obj_get_u32(x, NFTNL_OBJ_TYPE) == NFT_OBJECT_CT_TIMEOUT;
	if (ours) {
		memset(ret_timeout, 0, sizeof(*ret_timeout));
		ret_timeout->name = arena_strdup(
			arena, nftnl_obj_get_str(x, NFTNL_OBJ_NAME));
		ret_timeout->seconds = seconds_of(x);
	}
	nftnl_obj_free(x);
	return ours;
}
