/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before Linux 6.12 adding an element that is there leaves its time as it is.
 * So it is added, deleted and added again, all in one batch: the first is for
 * the second, which must find it.
 */
#include "netsetup/kernel/nft_pair.h"

#include <errno.h>
#include <libnftnl/chain.h> /* for FILE, which expr.h misses */
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "lib/arena.h"
#include "policy/policy.h"

enum { BATCH_MAX = 4096, MESSAGE_MAX = 512 };

/* --- reading ------------------------------------------------------------- */

struct reader {
	struct arena *arena;
	size_t key_len;
	struct bypass_pair **pairs;
	size_t *n;
};

static int
take_counter(struct nftnl_expr *e, void *data)
{
	struct bypass_pair *pair = data;

	if (!strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter"))
		pair->packets = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
	return 0;
}

static int
take_elem(struct nftnl_set_elem *e, void *data)
{
	struct reader *r = data;
	struct bypass_pair pair;
	uint32_t len = 0;
	const void *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);

	if (!key || len != r->key_len)
		return 0;
	bypass_from_key(key, len, &pair);
	pair.timeout_ms = nftnl_set_elem_get_u64(e, NFTNL_SET_ELEM_TIMEOUT);
	pair.left_ms = nftnl_set_elem_get_u64(e, NFTNL_SET_ELEM_EXPIRATION);
	nftnl_set_elem_expr_foreach(e, take_counter, &pair);
	*r->pairs = arena_push(r->arena, *r->pairs, *r->n, sizeof(pair));
	(*r->pairs)[(*r->n)++] = pair;
	return 0;
}

static int
take_elems(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_set *x = nftnl_set_alloc();

	if (!x) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	if (nftnl_set_elems_nlmsg_parse(nlh, x) == 0)
		nftnl_set_elem_foreach(x, take_elem, data);
	nftnl_set_free(x);
	return MNL_CB_OK;
}

static struct nftnl_set *
set_of(int family)
{
	struct nftnl_set *x = nftnl_set_alloc();

	if (!x)
		return NULL;
	nftnl_set_set_str(x, NFTNL_SET_TABLE, KSTATE_TABLE);
	nftnl_set_set_str(x, NFTNL_SET_NAME, policy_bypass_set(family));
	return x;
}

int
nft_pair_list(struct nl *nl, int family, struct arena *arena,
	      struct bypass_pair **pairs, size_t *n)
{
	struct reader r = {
		.arena = arena,
		.key_len = family == AF_INET ? 8 : 32,
		.pairs = pairs,
		.n = n,
	};
	struct nftnl_set *x = set_of(family);
	struct nlmsghdr *nlh;
	char buf[MESSAGE_MAX];
	int error;

	if (!x)
		return -ENOMEM;
	nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETSETELEM, NFPROTO_INET,
				    NLM_F_DUMP, 0);
	nftnl_set_elems_nlmsg_build_payload(nlh, x);
	nftnl_set_free(x);
	error = nl_dump(nl, nlh, take_elems, &r);
	return error == -EINTR ? 0 : error; /* others' commits */
}

/* --- writing ------------------------------------------------------------- */

struct batch {
	struct nl *nl;
	char data[BATCH_MAX];
	size_t len;
};

static int
put(struct batch *b, uint16_t type, uint16_t flags,
    const struct bypass_pair *pair)
{
	struct nftnl_set *x = set_of(pair->client.family);
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();
	struct nlmsghdr *nlh;
	uint8_t key[32];
	size_t len = bypass_key(pair, key);

	if (!x || !e) {
		nftnl_set_elem_free(e);
		nftnl_set_free(x);
		return -ENOMEM;
	}
	nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, (uint32_t)len);
	if (type == NFT_MSG_NEWSETELEM)
		nftnl_set_elem_set_u64(e, NFTNL_SET_ELEM_TIMEOUT,
				       pair->timeout_ms);
	nftnl_set_elem_add(x, e);
	nlh = nftnl_nlmsg_build_hdr(b->data + b->len, type, NFPROTO_INET,
				    NLM_F_ACK | flags, nl_next(b->nl));
	nftnl_set_elems_nlmsg_build_payload(nlh, x);
	b->len += MNL_ALIGN(nlh->nlmsg_len);
	nftnl_set_free(x);
	return 0;
}

static void
put_mark(struct batch *b, bool begins)
{
	struct nlmsghdr *nlh =
		begins ? nftnl_batch_begin(b->data + b->len, nl_next(b->nl))
		       : nftnl_batch_end(b->data + b->len, nl_next(b->nl));

	b->len += MNL_ALIGN(nlh->nlmsg_len);
}

static int
run(struct nl *nl, const struct bypass_pair *pair, bool renew,
    struct nl_error *ret_error)
{
	struct batch b = {.nl = nl};
	uint32_t first = nl->seq + 1;
	int r = 0;

	memset(ret_error, 0, sizeof(*ret_error));
	put_mark(&b, true);
	if (renew)
		r = put(&b, NFT_MSG_NEWSETELEM, NLM_F_CREATE, pair);
	if (r == 0)
		r = put(&b, NFT_MSG_DELSETELEM, 0, pair);
	if (r == 0 && renew)
		r = put(&b, NFT_MSG_NEWSETELEM, NLM_F_CREATE, pair);
	put_mark(&b, false);
	return r < 0 ? r : nl_batch(nl, b.data, b.len, first, ret_error);
}

int
nft_pair_renew(struct nl *nl, const struct bypass_pair *pair,
	       struct nl_error *ret_error)
{
	return run(nl, pair, true, ret_error);
}

int
nft_pair_delete(struct nl *nl, const struct bypass_pair *pair,
		struct nl_error *ret_error)
{
	return run(nl, pair, false, ret_error);
}
