/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order within a batch: what goes, from rules to the sets that they look
 * into, and the chains to which rules and maps lead; then what comes, the
 * other way round. A replaced object goes and comes. Each message's number
 * leads back to its change.
 */
#include "netsetup/kernel/nft_write.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "netsetup/kernel/nft_expr.h"
#include "netsetup/kernel/nft_set.h"
#include "netsetup/kernel/nft_timeout.h"

enum {
	MESSAGE_MAX = 16 * 1024, /* larger than any single message of ours */
	ELEMS_PER_MESSAGE = 128,
	UDATA_MAX = 256, /* NFT_USERDATA_MAXLEN */
	TRIES = 200,
};

struct batch {
	struct nl *nl; /* borrows from the caller */
	char *data;    /* owns */
	size_t len;
	size_t cap;
	uint32_t first;		       /* sequence number */
	const struct kchange **causes; /* owns; by number - first */
	const struct kchange *cause;   /* of what is being added */
	uint32_t next_set_id;
	int error; /* sticky: -ENOMEM */
};

/* Room for one more message. NULL once memory has run out. */
static void *
batch_room(struct batch *b)
{
	size_t n = b->nl->seq - b->first + 2;
	void *p;

	if (b->error)
		return NULL;
	if (b->cap - b->len < MESSAGE_MAX) {
		p = realloc(b->data, b->cap * 2 + MESSAGE_MAX);
		if (!p)
			goto fail;
		b->data = p;
		b->cap = b->cap * 2 + MESSAGE_MAX;
	}
	p = realloc(b->causes, n * sizeof(*b->causes));
	if (!p)
		goto fail;
	b->causes = p;
	return b->data + b->len;
fail:
	b->error = -ENOMEM;
	return NULL;
}

static void
batch_took(struct batch *b, const struct nlmsghdr *nlh)
{
	assert(nlh->nlmsg_len <= MESSAGE_MAX);
	b->causes[nlh->nlmsg_seq - b->first] = b->cause;
	b->len += MNL_ALIGN(nlh->nlmsg_len);
}

/* Begins a message about a change; NULL once memory has run out. */
static struct nlmsghdr *
message(struct batch *b, uint16_t type, uint16_t flags)
{
	void *room = batch_room(b);

	if (!room)
		return NULL;
	return nftnl_nlmsg_build_hdr(room, type, NFPROTO_INET,
				     NLM_F_ACK | flags, nl_next(b->nl));
}

static void
batch_mark(struct batch *b, uint16_t type, const uint32_t *generation)
{
	void *room = batch_room(b);
	struct nlmsghdr *nlh;
	struct nfgenmsg *nfg;

	if (!room)
		return;
	nlh = mnl_nlmsg_put_header(room);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = nl_next(b->nl);
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(NFNL_SUBSYS_NFTABLES);
	if (generation)
		mnl_attr_put_u32(nlh, NFNL_BATCH_GENID, htonl(*generation));
	b->cause = NULL;
	batch_took(b, nlh);
}

/* --- tables and chains --------------------------------------------------- */

static void
put_table(struct batch *b, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = message(b, type, flags);
	struct nftnl_table *t = nftnl_table_alloc();

	if (nlh && t) {
		nftnl_table_set_str(t, NFTNL_TABLE_NAME, KSTATE_TABLE);
		if (type == NFT_MSG_NEWTABLE)
			nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, 0);
		nftnl_table_nlmsg_build_payload(nlh, t);
		batch_took(b, nlh);
	} else {
		b->error = -ENOMEM;
	}
	nftnl_table_free(t);
}

static void
fill_chain(struct nftnl_chain *x, const struct kchain *c, bool whole)
{
	nftnl_chain_set_str(x, NFTNL_CHAIN_TABLE, KSTATE_TABLE);
	nftnl_chain_set_str(x, NFTNL_CHAIN_NAME, c->name);
	if (!whole || !c->base)
		return;
	nftnl_chain_set_str(x, NFTNL_CHAIN_TYPE, c->type);
	nftnl_chain_set_u32(x, NFTNL_CHAIN_HOOKNUM, c->hook);
	nftnl_chain_set_s32(x, NFTNL_CHAIN_PRIO, c->priority);
	nftnl_chain_set_u32(x, NFTNL_CHAIN_POLICY, NF_ACCEPT);
}

static void
put_chain(struct batch *b, const struct kchain *c, uint16_t type,
	  uint16_t flags)
{
	struct nlmsghdr *nlh = message(b, type, flags);
	struct nftnl_chain *x = nftnl_chain_alloc();

	if (nlh && x) {
		fill_chain(x, c, type == NFT_MSG_NEWCHAIN);
		nftnl_chain_nlmsg_build_payload(nlh, x);
		batch_took(b, nlh);
	} else {
		b->error = -ENOMEM;
	}
	nftnl_chain_free(x);
}

/* --- sets ---------------------------------------------------------------- */

static void
put_set(struct batch *b, const struct kset *s, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = message(b, type, flags);
	struct nftnl_set *x = nft_set_named(s);

	if (nlh && x) {
		if (type == NFT_MSG_NEWSET)
			nft_set_fill(x, s, ++b->next_set_id);
		nftnl_set_nlmsg_build_payload(nlh, x);
		batch_took(b, nlh);
	} else {
		b->error = -ENOMEM;
	}
	if (x)
		nftnl_set_free(x);
}

static void
put_elems(struct batch *b, const struct kset *s, size_t from, size_t to)
{
	struct nlmsghdr *nlh =
		message(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL);
	struct nftnl_set *x = nft_set_named(s);

	if (nlh && x && nft_set_fill_elems(x, s, from, to) == 0) {
		nftnl_set_elems_nlmsg_build_payload(nlh, x);
		batch_took(b, nlh);
	} else {
		b->error = -ENOMEM;
	}
	if (x)
		nftnl_set_free(x);
}

static void
put_new_set(struct batch *b, const struct kset *s)
{
	size_t i, end;

	put_set(b, s, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);
	for (i = 0; i < s->n_elems; i = end) {
		end = i + ELEMS_PER_MESSAGE;
		if (end > s->n_elems)
			end = s->n_elems;
		put_elems(b, s, i, end);
	}
}

/* --- rules --------------------------------------------------------------- */

static int
fill_comment(struct nftnl_rule *x, const struct krule *rule)
{
	struct nftnl_udata_buf *udata = nftnl_udata_buf_alloc(UDATA_MAX);
	struct str comment = {0};

	if (!udata)
		return -ENOMEM;
	kstate_rule_comment(rule, &comment);
	nftnl_udata_put_strz(udata, NFTNL_UDATA_RULE_COMMENT,
			     str_text(&comment));
	nftnl_rule_set_data(x, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(udata),
			    nftnl_udata_buf_len(udata));
	nftnl_udata_buf_free(udata);
	str_fini(&comment);
	return 0;
}

static int
fill_rule(struct nftnl_rule *x, const struct krule *rule)
{
	struct nftnl_expr *e;
	size_t i;

	for (i = 0; i < rule->n_exprs; i++) {
		e = nft_expr(&rule->exprs[i]);
		if (!e)
			return -ENOMEM;
		nftnl_rule_add_expr(x, e);
	}
	return fill_comment(x, rule);
}

static struct nftnl_rule *
rule_in(const char *chain)
{
	struct nftnl_rule *x = nftnl_rule_alloc();

	if (!x)
		return NULL;
	nftnl_rule_set_str(x, NFTNL_RULE_TABLE, KSTATE_TABLE);
	nftnl_rule_set_str(x, NFTNL_RULE_CHAIN, chain);
	return x;
}

static void
put_new_rule(struct batch *b, const struct krule *rule, uint64_t before)
{
	/* without NLM_F_APPEND: in front of the rule at that position */
	uint16_t flags = NLM_F_CREATE | (before ? 0 : NLM_F_APPEND);
	struct nlmsghdr *nlh = message(b, NFT_MSG_NEWRULE, flags);
	struct nftnl_rule *x = rule_in(rule->chain);

	if (nlh && x && fill_rule(x, rule) == 0) {
		if (before)
			nftnl_rule_set_u64(x, NFTNL_RULE_POSITION, before);
		nftnl_rule_nlmsg_build_payload(nlh, x);
		batch_took(b, nlh);
	} else {
		b->error = -ENOMEM;
	}
	if (x)
		nftnl_rule_free(x);
}

static void
put_dead_rule(struct batch *b, const struct krule *rule)
{
	struct nlmsghdr *nlh = message(b, NFT_MSG_DELRULE, 0);
	struct nftnl_rule *x = rule_in(rule->chain);

	if (nlh && x) {
		nftnl_rule_set_u64(x, NFTNL_RULE_HANDLE, rule->handle);
		nftnl_rule_nlmsg_build_payload(nlh, x);
		batch_took(b, nlh);
	} else {
		b->error = -ENOMEM;
	}
	if (x)
		nftnl_rule_free(x);
}

/* --- timeouts of conntrack ----------------------------------------------- */

static void
put_timeout(struct batch *b, const struct ktimeout *t, uint16_t type,
	    uint16_t flags)
{
	struct nlmsghdr *nlh = message(b, type, flags);

	if (nlh && nft_timeout_build(nlh, t, type == NFT_MSG_NEWOBJ) == 0)
		batch_took(b, nlh);
	else
		b->error = -ENOMEM;
}

/* --- the batch ------------------------------------------------------- */

static void
put_removal(struct batch *b, const struct kchange *c)
{
	switch (c->object) {
	case KCHANGE_RULE:
		put_dead_rule(b, c->was.rule);
		break;
	case KCHANGE_CHAIN:
		put_chain(b, c->was.chain, NFT_MSG_DELCHAIN, 0);
		break;
	case KCHANGE_SET:
		put_set(b, c->was.set, NFT_MSG_DELSET, 0);
		break;
	case KCHANGE_TIMEOUT:
		put_timeout(b, c->was.timeout, NFT_MSG_DELOBJ, 0);
		break;
	case KCHANGE_TABLE:
	case KCHANGE_IPRULE:
	case KCHANGE_ROUTE:
	case KCHANGE_SYSCTL:
		break;
	}
}

static void
put_addition(struct batch *b, const struct kchange *c)
{
	switch (c->object) {
	case KCHANGE_TABLE:
		put_table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
		break;
	case KCHANGE_CHAIN:
		put_chain(b, c->will.chain, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
		break;
	case KCHANGE_SET:
		put_new_set(b, c->will.set);
		break;
	case KCHANGE_TIMEOUT:
		put_timeout(b, c->will.timeout, NFT_MSG_NEWOBJ,
			    NLM_F_CREATE | NLM_F_EXCL);
		break;
	case KCHANGE_RULE:
		put_new_rule(b, c->will.rule, c->before);
		break;
	case KCHANGE_IPRULE:
	case KCHANGE_ROUTE:
	case KCHANGE_SYSCTL:
		break;
	}
}

static void
put_all(struct batch *b, const struct kdiff *d, enum kchange_object object,
	bool removals)
{
	enum kchange_op not_this = removals ? KCHANGE_ADD : KCHANGE_REMOVE;
	size_t i;

	for (i = 0; i < d->n; i++) {
		if (d->list[i].object != object || d->list[i].op == not_this)
			continue;
		b->cause = &d->list[i];
		if (removals)
			put_removal(b, b->cause);
		else
			put_addition(b, b->cause);
	}
}

/* What is nftables' in `d`: is there any, and does the whole table go? */
static bool
survey(const struct kdiff *d, const struct kchange **ret_table_goes)
{
	bool any = false;
	size_t i;

	*ret_table_goes = NULL;
	for (i = 0; i < d->n; i++) {
		any = any || kchange_is_nft(&d->list[i]);
		if (d->list[i].object == KCHANGE_TABLE &&
		    d->list[i].op == KCHANGE_REMOVE)
			*ret_table_goes = &d->list[i];
	}
	return any;
}

static void
put_changes(struct batch *b, const struct kdiff *d)
{
	put_all(b, d, KCHANGE_RULE, true);
	put_all(b, d, KCHANGE_TIMEOUT, true);
	put_all(b, d, KCHANGE_SET, true);
	put_all(b, d, KCHANGE_CHAIN, true);
	put_all(b, d, KCHANGE_TABLE, false);
	put_all(b, d, KCHANGE_CHAIN, false);
	put_all(b, d, KCHANGE_SET, false);
	put_all(b, d, KCHANGE_TIMEOUT, false);
	put_all(b, d, KCHANGE_RULE, false);
}

/* Make the batch one for the generation that is known by now. */
static void
put_generation(struct batch *b, uint32_t generation)
{
	const struct nlmsghdr *begin = (const void *)b->data;
	struct nlattr *attr =
		mnl_nlmsg_get_payload_offset(begin, sizeof(struct nfgenmsg));

	generation = htonl(generation);
	memcpy(mnl_attr_get_payload(attr), &generation, sizeof(generation));
}

/* The kernel looks at the generation first, so that asking again is cheap. */
static int
send_batch(struct batch *b, struct nft_news *news,
	   const struct kstate *observed, struct nl_error *ret_error)
{
	int r = -ERESTART, i;

	for (i = 0; i < TRIES && r == -ERESTART; i++) {
		if (i > 0 &&
		    nft_news_read(news, news->generation, observed) < 0)
			return -ERESTART;
		put_generation(b, news->generation);
		r = nl_batch(b->nl, b->data, b->len, b->first, ret_error);
	}
	return r;
}

int
nft_write(struct nl *nl, struct nft_news *news, const struct kstate *observed,
	  const struct kdiff *d, struct nl_error *ret_error,
	  const struct kchange **ret_cause)
{
	struct batch b = {.nl = nl, .first = nl->seq + 1};
	const struct kchange *table_goes;
	int r;

	memset(ret_error, 0, sizeof(*ret_error));
	*ret_cause = NULL;
	if (!survey(d, &table_goes))
		return 0;
	batch_mark(&b, NFNL_MSG_BATCH_BEGIN, &news->generation);
	if (table_goes) {
		b.cause = table_goes;
		put_table(&b, NFT_MSG_DELTABLE, 0);
	} else {
		put_changes(&b, d);
	}
	batch_mark(&b, NFNL_MSG_BATCH_END, NULL);
	r = b.error;
	if (r == 0)
		r = send_batch(&b, news, observed, ret_error);
	if (r < 0 && ret_error->error &&
	    ret_error->seq - b.first <= nl->seq - b.first)
		*ret_cause = b.causes[ret_error->seq - b.first];
	free(b.causes);
	free(b.data);
	return r;
}
