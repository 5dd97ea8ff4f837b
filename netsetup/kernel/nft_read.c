/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One dump for each kind of object, kept if it is of our table. Elements of
 * interval sets come as beginnings and ends, in any order.
 */
#include "netsetup/kernel/nft_read.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/gen.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/kernel/nft_raw.h"
#include "netsetup/kernel/nft_timeout.h"

enum { TRIES = 200 };

/* Where the callbacks of a dump put what they see. */
struct reader {
	struct nl *nl;
	enum nft_depth depth;
	struct arena *arena;
	struct kstate *state;
	struct kset *set; /* whose elements are being read */
	/*
	 * Chains that belong to a rule, `jump { ... }`: they come and go with
	 * it, and their rules cannot be deleted. Not ours to look at.
	 */
	const char **bound;
	size_t n_bound;
};

/* A beginning or an end of an interval. */
struct bound {
	uint8_t key[KELEM_LEN];
	bool end;
	int verdict;	   /* maps */
	const char *chain; /* borrows from the arena, or NULL */
};

static int
take_generation(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_gen *gen = nftnl_gen_alloc();
	uint32_t *ret = data;

	if (!gen)
		return MNL_CB_ERROR;
	if (nftnl_gen_nlmsg_parse(nlh, gen) == 0)
		*ret = nftnl_gen_get_u32(gen, NFTNL_GEN_ID);
	nftnl_gen_free(gen);
	return MNL_CB_OK;
}

static int
read_generation(struct nl *nl, uint32_t *ret_generation)
{
	char buf[256];
	struct nlmsghdr *nlh;

	nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETGEN, NFPROTO_UNSPEC, 0, 0);
	return nl_dump(nl, nlh, take_generation, ret_generation);
}

static bool
is_ours(const char *table)
{
	return table && !strcmp(table, KSTATE_TABLE);
}

static int
take_table(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct reader *r = data;

	if (!t)
		return MNL_CB_ERROR;
	if (nftnl_table_nlmsg_parse(nlh, t) == 0 &&
	    is_ours(nftnl_table_get_str(t, NFTNL_TABLE_NAME))) {
		r->state->table = true;
		r->state->table_flags =
			nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS);
	}
	nftnl_table_free(t);
	return MNL_CB_OK;
}

static void
add_bound(struct reader *r, const char *chain)
{
	r->bound =
		arena_push(r->arena, r->bound, r->n_bound, sizeof(*r->bound));
	r->bound[r->n_bound++] = arena_strdup(r->arena, chain);
}

static bool
is_bound(const struct reader *r, const char *chain)
{
	size_t i;

	for (i = 0; i < r->n_bound; i++) {
		if (!strcmp(r->bound[i], chain))
			return true;
	}
	return false;
}

static void
add_chain(struct reader *r, const struct nftnl_chain *x)
{
	struct kstate *s = r->state;
	struct kchain *c;

	if (nftnl_chain_get_u32(x, NFTNL_CHAIN_FLAGS) & NFT_CHAIN_BINDING) {
		add_bound(r, nftnl_chain_get_str(x, NFTNL_CHAIN_NAME));
		return;
	}
	s->chains = arena_push(r->arena, s->chains, s->n_chains, sizeof(*c));
	c = &s->chains[s->n_chains++];
	c->name = arena_strdup(r->arena,
			       nftnl_chain_get_str(x, NFTNL_CHAIN_NAME));
	c->base = nftnl_chain_is_set(x, NFTNL_CHAIN_HOOKNUM);
	if (!c->base)
		return;
	c->type = arena_strdup(r->arena,
			       nftnl_chain_get_str(x, NFTNL_CHAIN_TYPE));
	c->hook = nftnl_chain_get_u32(x, NFTNL_CHAIN_HOOKNUM);
	c->priority = nftnl_chain_get_s32(x, NFTNL_CHAIN_PRIO);
	c->drops = nftnl_chain_get_u32(x, NFTNL_CHAIN_POLICY) == NF_DROP;
}

/* Of other tables, what sees packets beside us. */
static void
add_foreign(struct reader *r, const struct nftnl_chain *x)
{
	struct kstate *s = r->state;
	struct kforeign_chain *c;

	if (!nftnl_chain_is_set(x, NFTNL_CHAIN_HOOKNUM))
		return;
	s->foreign = arena_push(r->arena, s->foreign, s->n_foreign, sizeof(*c));
	c = &s->foreign[s->n_foreign++];
	c->family = (uint8_t)nftnl_chain_get_u32(x, NFTNL_CHAIN_FAMILY);
	c->table = arena_strdup(r->arena,
				nftnl_chain_get_str(x, NFTNL_CHAIN_TABLE));
	c->name = arena_strdup(r->arena,
			       nftnl_chain_get_str(x, NFTNL_CHAIN_NAME));
	c->type = arena_strdup(r->arena,
			       nftnl_chain_get_str(x, NFTNL_CHAIN_TYPE));
	c->hook = nftnl_chain_get_u32(x, NFTNL_CHAIN_HOOKNUM);
	c->priority = nftnl_chain_get_s32(x, NFTNL_CHAIN_PRIO);
	c->drops = nftnl_chain_get_u32(x, NFTNL_CHAIN_POLICY) == NF_DROP;
}

static int
take_chain(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_chain *x = nftnl_chain_alloc();
	struct reader *r = data;

	if (!x)
		return MNL_CB_ERROR;
	if (nftnl_chain_nlmsg_parse(nlh, x) == 0) {
		if (is_ours(nftnl_chain_get_str(x, NFTNL_CHAIN_TABLE)) &&
		    nftnl_chain_get_u32(x, NFTNL_CHAIN_FAMILY) == NFPROTO_INET)
			add_chain(r, x);
		else
			add_foreign(r, x);
	}
	nftnl_chain_free(x);
	return MNL_CB_OK;
}

/* Of which of our types is a set with keys of nft's type and length? */
static enum kset_type
set_type(uint32_t key_type, uint32_t key_len)
{
	static const struct {
		uint32_t key_type;
		enum kset_type type;
	} types[] = {
		{7, KSET_IPV4},	       {8, KSET_IPV6},
		{13, KSET_PORT},       {41, KSET_IFNAME},
		{2, KSET_FAMILY},      {4, KSET_HEARTBEAT},
		{455, KSET_IPV4_PAIR}, {520, KSET_IPV6_PAIR},
	};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].key_type == key_type &&
		    kset_type_len(types[i].type) == key_len)
			return types[i].type;
	}
	return KSET_OTHER;
}

static void
add_set(struct reader *r, const struct nftnl_set *x)
{
	struct kstate *s = r->state;
	struct kset *set;

	s->sets = arena_push(r->arena, s->sets, s->n_sets, sizeof(*set));
	set = &s->sets[s->n_sets++];
	set->name =
		arena_strdup(r->arena, nftnl_set_get_str(x, NFTNL_SET_NAME));
	set->type = set_type(nftnl_set_get_u32(x, NFTNL_SET_KEY_TYPE),
			     nftnl_set_get_u32(x, NFTNL_SET_KEY_LEN));
	set->flags = nftnl_set_get_u32(x, NFTNL_SET_FLAGS);
	if (nftnl_set_is_set(x, NFTNL_SET_DESC_SIZE))
		set->size = nftnl_set_get_u32(x, NFTNL_SET_DESC_SIZE);
	set->counts = nftnl_set_is_set(x, NFTNL_SET_EXPR);
}

static int
take_set(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_set *x = nftnl_set_alloc();

	if (!x)
		return MNL_CB_ERROR;
	/* sets without a name of their own belong to a rule, never to ours */
	if (nftnl_set_nlmsg_parse(nlh, x) == 0 &&
	    is_ours(nftnl_set_get_str(x, NFTNL_SET_TABLE)) &&
	    !(nftnl_set_get_u32(x, NFTNL_SET_FLAGS) & NFT_SET_ANONYMOUS))
		add_set(data, x);
	nftnl_set_free(x);
	return MNL_CB_OK;
}

/*
 * A dump of one table or set is right even if others changed meanwhile; if
 * that very one did, the news say so.
 */
static int
unless_torn(int error)
{
	return error == -EINTR ? 0 : error;
}

/* --- elements ------------------------------------------------------------ */

struct bounds {
	struct arena *arena; /* borrows from the reader */
	struct bound *list;  /* owns */
	size_t n;
	size_t len; /* of a key */
};

static void
take_verdict(struct nftnl_set_elem *e, struct arena *arena, struct bound *b)
{
	if (!nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_VERDICT))
		return;
	b->verdict = (int)nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_VERDICT);
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_CHAIN))
		b->chain = arena_strdup(
			arena, nftnl_set_elem_get_str(e, NFTNL_SET_ELEM_CHAIN));
}

static int
take_elem(struct nftnl_set_elem *e, void *data)
{
	struct bounds *b = data;
	const void *key;
	uint32_t len = 0;
	struct bound *p;

	p = realloc(b->list, (b->n + 1) * sizeof(*p));
	if (!p)
		return -1;
	b->list = p;
	memset(&p[b->n], 0, sizeof(*p));
	key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);
	if (!key || len < b->len)
		return 0;
	memcpy(p[b->n].key, key, b->len);
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_FLAGS))
		p[b->n].end = nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_FLAGS) &
			      NFT_SET_ELEM_INTERVAL_END;
	take_verdict(e, b->arena, &p[b->n]);
	b->n++;
	return 0;
}

static int
take_elems(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_set *x = nftnl_set_alloc();
	int r = -1;

	if (!x)
		return MNL_CB_ERROR;
	if (nftnl_set_elems_nlmsg_parse(nlh, x) == 0)
		r = nftnl_set_elem_foreach(x, take_elem, data);
	nftnl_set_free(x);
	if (r < 0)
		errno = ENOMEM;
	return r < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

/* By key; an end before a beginning with the same key. */
static int
compare_bounds(const void *a, const void *b)
{
	const struct bound *x = a, *y = b;
	int r = memcmp(x->key, y->key, sizeof(x->key));

	return r ? r : (int)y->end - (int)x->end;
}

static void
number_minus_one(uint8_t *number, size_t len)
{
	while (len > 0 && number[len - 1]-- == 0)
		len--;
}

/* From sorted bounds to elements. An end belongs to the beginning before. */
static void
pair_bounds(struct reader *r, const struct bounds *b)
{
	struct kset *set = r->set;
	bool interval = set->flags & NFT_SET_INTERVAL;
	struct kelem *elems, *e = NULL;
	size_t i;

	elems = arena_calloc(r->arena, b->n + 1, sizeof(*elems));
	for (i = 0; i < b->n; i++) {
		if (!b->list[i].end) {
			e = &elems[set->n_elems++];
			memcpy(e->low, b->list[i].key, sizeof(e->low));
			memcpy(e->high, b->list[i].key, sizeof(e->high));
			e->verdict = b->list[i].verdict;
			e->chain = b->list[i].chain;
			if (interval) /* up to the last number, or its end */
				memset(e->high, 0xff, b->len);
		} else if (e) {
			memcpy(e->high, b->list[i].key, sizeof(e->high));
			number_minus_one(e->high, b->len);
			e = NULL;
		}
	}
	set->elems = elems;
}

static int
read_elems(struct reader *r)
{
	struct bounds b = {
		.arena = r->arena,
		.len = kset_type_len(r->set->type),
	};
	struct nlmsghdr *nlh;
	struct nftnl_set *x;
	char buf[1024];
	int error;

	/* pairs are many, and not ours to compare */
	if (b.len == 0 || r->set->type == KSET_IPV4_PAIR ||
	    r->set->type == KSET_IPV6_PAIR ||
	    (r->depth == NFT_DEPTH_RULES && kset_is_dynamic(r->set)))
		return 0;
	x = nftnl_set_alloc();
	if (!x)
		return -ENOMEM;
	nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETSETELEM, NFPROTO_INET,
				    NLM_F_DUMP, 0);
	nftnl_set_set_str(x, NFTNL_SET_TABLE, KSTATE_TABLE);
	nftnl_set_set_str(x, NFTNL_SET_NAME, r->set->name);
	nftnl_set_elems_nlmsg_build_payload(nlh, x);
	nftnl_set_free(x);
	error = unless_torn(nl_dump(r->nl, nlh, take_elems, &b));
	if (error == 0 && b.n > 0) {
		qsort(b.list, b.n, sizeof(*b.list), compare_bounds);
		pair_bounds(r, &b);
	}
	free(b.list);
	return error;
}

/* --- rules --------------------------------------------------------------- */

static int
find_comment(const struct nftnl_udata *attr, void *data)
{
	const char **ret = data;
	const char *text = nftnl_udata_get(attr);
	uint8_t len = nftnl_udata_len(attr);

	if (nftnl_udata_type(attr) == NFTNL_UDATA_RULE_COMMENT && len > 0 &&
	    text[len - 1] == '\0')
		*ret = text;
	return 0;
}

static int
take_counter(struct nftnl_expr *e, void *data)
{
	struct krule *rule = data;
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

	if (!strcmp(name, "counter"))
		rule->packets = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
	return 0;
}

static void
add_rule(struct reader *r, const struct nlmsghdr *nlh, struct nftnl_rule *x)
{
	struct kstate *s = r->state;
	const char *comment = NULL;
	const void *udata;
	struct krule *rule;
	uint32_t len = 0;

	s->rules = arena_push(r->arena, s->rules, s->n_rules, sizeof(*rule));
	rule = &s->rules[s->n_rules++];
	rule->chain =
		arena_strdup(r->arena, nftnl_rule_get_str(x, NFTNL_RULE_CHAIN));
	rule->raw = nft_raw_hash(nlh);
	rule->handle = nftnl_rule_get_u64(x, NFTNL_RULE_HANDLE);
	nftnl_expr_foreach(x, take_counter, rule);
	udata = nftnl_rule_get_data(x, NFTNL_RULE_USERDATA, &len);
	if (udata)
		nftnl_udata_parse(udata, len, find_comment, &comment);
	if (!comment)
		return;
	rule->label = arena_strdup(r->arena, comment);
	rule->digest = kstate_comment_digest(comment);
}

static int
take_rule(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_rule *x = nftnl_rule_alloc();

	if (!x)
		return MNL_CB_ERROR;
	if (nftnl_rule_nlmsg_parse(nlh, x) == 0 &&
	    is_ours(nftnl_rule_get_str(x, NFTNL_RULE_TABLE)) &&
	    !is_bound(data, nftnl_rule_get_str(x, NFTNL_RULE_CHAIN)))
		add_rule(data, nlh, x);
	nftnl_rule_free(x);
	return MNL_CB_OK;
}

static int
take_timeout(const struct nlmsghdr *nlh, void *data)
{
	struct reader *r = data;
	struct kstate *s = r->state;
	struct ktimeout t;

	if (!nft_timeout_parse(nlh, r->arena, &t))
		return MNL_CB_OK;
	s->timeouts =
		arena_push(r->arena, s->timeouts, s->n_timeouts, sizeof(t));
	s->timeouts[s->n_timeouts++] = t;
	return MNL_CB_OK;
}

/* Dump one kind of object, only our table's where the kernel can tell. */
static int
dump(struct reader *r, uint16_t type, uint8_t family, mnl_cb_t cb)
{
	char buf[1024];
	struct nlmsghdr *nlh =
		nftnl_nlmsg_build_hdr(buf, type, family, NLM_F_DUMP, 0);

	/* table is the first attribute of sets, rules and objects */
	if (type == NFT_MSG_GETSET || type == NFT_MSG_GETRULE ||
	    type == NFT_MSG_GETOBJ)
		mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, KSTATE_TABLE);
	return nl_dump(r->nl, nlh, cb, r);
}

static int
dump_rules(struct reader *r)
{
	return unless_torn(dump(r, NFT_MSG_GETRULE, NFPROTO_INET, take_rule));
}

int
nft_read_rules(struct nl *nl, struct arena *arena, struct kstate *s)
{
	struct reader r = {.nl = nl, .arena = arena, .state = s};

	return dump_rules(&r);
}

/* All tables' chains count here: again, until nobody changes any. */
static int
read_chains(struct reader *r)
{
	struct kstate *s = r->state;
	int error = -EINTR, i;

	for (i = 0; i < TRIES && error == -EINTR; i++) {
		s->n_chains = 0;
		s->n_foreign = 0;
		error = dump(r, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, take_chain);
	}
	return error;
}

static int
read_table(struct reader *r)
{
	size_t i;
	int error = -EINTR, tries;

	for (tries = 0; tries < TRIES && error == -EINTR; tries++)
		error = dump(r, NFT_MSG_GETTABLE, NFPROTO_INET, take_table);
	if (error < 0 || r->depth == NFT_DEPTH_TABLE)
		return error;
	error = read_chains(r);
	if (error < 0 || !r->state->table)
		return error;
	error = unless_torn(dump(r, NFT_MSG_GETSET, NFPROTO_INET, take_set));
	for (i = 0; i < r->state->n_sets && error == 0; i++) {
		r->set = &r->state->sets[i];
		error = read_elems(r);
	}
	if (error == 0)
		error = unless_torn(
			dump(r, NFT_MSG_GETOBJ, NFPROTO_INET, take_timeout));
	return error < 0 ? error : dump_rules(r);
}

int
nft_read(struct nl *nl, struct nft_news *news, enum nft_depth depth,
	 struct arena *arena, struct kstate *s)
{
	struct reader r = {
		.nl = nl, .depth = depth, .arena = arena, .state = s};
	uint32_t after;
	int error;

	error = read_generation(nl, &news->generation);
	if (error == 0)
		error = read_table(&r);
	if (error == -ENOENT)
		return -EINTR; /* what was named is gone again */
	if (error == 0)
		error = read_generation(nl, &after);
	if (error == 0)
		error = nft_news_read(news, after, s);
	s->generation = news->generation;
	return error;
}
