/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumps of all tables; what is ours is passed over. Constants longer than 16
 * bytes are cut.
 */
#include "netsetup/kernel/foreign_read.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/flowtable.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <string.h>

#include "lib/arena.h"

enum {
	/* where flags and states stand in xt_conntrack_mtinfo3 */
	CONNTRACK_FLAGS = 146,
};

struct reader {
	struct arena *arena;
	struct foreign *f;
	struct frule *rules;
	struct fflowtable *flowtables;
	/* of the rule that is being read */
	struct fexpr *exprs;
	size_t n_exprs;
};

static bool
is_ours(uint32_t family, const char *table)
{
	return family == NFPROTO_INET && table && !strcmp(table, KSTATE_TABLE);
}

static void
copy(const void *from, uint32_t len, uint8_t to[16], uint32_t *ret_len)
{
	if (!from)
		return;
	memcpy(to, from, len < 16 ? len : 16);
	*ret_len = len;
}

/* A constant of the expression into `to`, its length into f->len. */
static void
take_data(struct nftnl_expr *x, uint16_t attr, uint8_t to[16], struct fexpr *f)
{
	uint32_t len = 0;
	const void *data = nftnl_expr_get(x, attr, &len);

	copy(data, len, to, &f->len);
}

static const char *
take_text(struct reader *r, struct nftnl_expr *x, uint16_t attr)
{
	const char *text = nftnl_expr_get_str(x, attr);

	return text ? arena_strdup(r->arena, text) : NULL;
}

static void
take_immediate(struct reader *r, struct nftnl_expr *x, struct fexpr *f)
{
	f->verdict = nftnl_expr_is_set(x, NFTNL_EXPR_IMM_VERDICT);
	if (!f->verdict) {
		take_data(x, NFTNL_EXPR_IMM_DATA, f->data, f);
		return;
	}
	f->key = nftnl_expr_get_u32(x, NFTNL_EXPR_IMM_VERDICT);
	if (nftnl_expr_is_set(x, NFTNL_EXPR_IMM_CHAIN))
		f->text = take_text(r, x, NFTNL_EXPR_IMM_CHAIN);
}

/* The part of an extension's bytes that is looked at. */
static void
take_extension(struct fexpr *f, const void *info, uint32_t len)
{
	const uint8_t *bytes = info;
	uint32_t skip = 0;

	if (f->text && !strcmp(f->text, "conntrack"))
		skip = CONNTRACK_FLAGS;
	if (bytes && len > skip)
		copy(bytes + skip, len - skip, f->data, &f->len);
}

static void
take_match(struct reader *r, struct nftnl_expr *x, struct fexpr *f)
{
	uint32_t len = 0;
	const void *info;

	if (!strcmp(f->name, "match")) {
		f->text = take_text(r, x, NFTNL_EXPR_MT_NAME);
		info = nftnl_expr_get(x, NFTNL_EXPR_MT_INFO, &len);
	} else {
		f->text = take_text(r, x, NFTNL_EXPR_TG_NAME);
		info = nftnl_expr_get(x, NFTNL_EXPR_TG_INFO, &len);
	}
	take_extension(f, info, len);
}

static void
take_compared(struct nftnl_expr *x, struct fexpr *f)
{
	if (!strcmp(f->name, "cmp")) {
		f->key = nftnl_expr_get_u32(x, NFTNL_EXPR_CMP_OP);
		take_data(x, NFTNL_EXPR_CMP_DATA, f->data, f);
	} else if (!strcmp(f->name, "range")) {
		f->key = nftnl_expr_get_u32(x, NFTNL_EXPR_RANGE_OP);
		take_data(x, NFTNL_EXPR_RANGE_TO_DATA, f->other, f);
		take_data(x, NFTNL_EXPR_RANGE_FROM_DATA, f->data, f);
	} else if (nftnl_expr_is_set(x, NFTNL_EXPR_BITWISE_MASK)) {
		take_data(x, NFTNL_EXPR_BITWISE_XOR, f->other, f);
		take_data(x, NFTNL_EXPR_BITWISE_MASK, f->data, f);
	}
}

static void
take_loaded(struct nftnl_expr *x, struct fexpr *f)
{
	if (!strcmp(f->name, "meta")) {
		f->key = nftnl_expr_get_u32(x, NFTNL_EXPR_META_KEY);
		f->sets = nftnl_expr_is_set(x, NFTNL_EXPR_META_SREG);
	} else if (!strcmp(f->name, "ct")) {
		f->key = nftnl_expr_get_u32(x, NFTNL_EXPR_CT_KEY);
		f->sets = nftnl_expr_is_set(x, NFTNL_EXPR_CT_SREG);
		if (nftnl_expr_is_set(x, NFTNL_EXPR_CT_DIR))
			f->base = 1 + nftnl_expr_get_u8(x, NFTNL_EXPR_CT_DIR);
	} else if (!strcmp(f->name, "lookup")) {
		f->sets = nftnl_expr_is_set(x, NFTNL_EXPR_LOOKUP_DREG);
	} else {
		f->sets = nftnl_expr_is_set(x, NFTNL_EXPR_PAYLOAD_SREG);
		f->base = nftnl_expr_get_u32(x, NFTNL_EXPR_PAYLOAD_BASE);
		f->offset = nftnl_expr_get_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET);
		f->len = nftnl_expr_get_u32(x, NFTNL_EXPR_PAYLOAD_LEN);
	}
}

static bool
one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(name, *names) != 0)
		names++;
	return *names;
}

static int
take_expr(struct nftnl_expr *x, void *data)
{
	static const char *const compared[] = {"cmp", "range", "bitwise", NULL};
	static const char *const loaded[] = {"meta", "ct", "lookup", "payload",
					     NULL};
	static const char *const extensions[] = {"match", "target", NULL};
	struct reader *r = data;
	struct fexpr *f;

	r->exprs = arena_push(r->arena, r->exprs, r->n_exprs, sizeof(*f));
	f = &r->exprs[r->n_exprs++];
	f->name = take_text(r, x, NFTNL_EXPR_NAME);
	if (one_of(f->name, compared))
		take_compared(x, f);
	else if (one_of(f->name, loaded))
		take_loaded(x, f);
	else if (one_of(f->name, extensions))
		take_match(r, x, f);
	else if (!strcmp(f->name, "immediate"))
		take_immediate(r, x, f);
	return 0;
}

static void
add_rule(struct reader *r, struct nftnl_rule *x)
{
	struct frule *rule;

	r->rules = arena_push(r->arena, r->rules, r->f->n_rules, sizeof(*rule));
	rule = &r->rules[r->f->n_rules++];
	rule->family = (uint8_t)nftnl_rule_get_u32(x, NFTNL_RULE_FAMILY);
	rule->table =
		arena_strdup(r->arena, nftnl_rule_get_str(x, NFTNL_RULE_TABLE));
	rule->chain =
		arena_strdup(r->arena, nftnl_rule_get_str(x, NFTNL_RULE_CHAIN));
	rule->handle = nftnl_rule_get_u64(x, NFTNL_RULE_HANDLE);
	r->exprs = NULL;
	r->n_exprs = 0;
	nftnl_expr_foreach(x, take_expr, r);
	rule->exprs = r->exprs;
	rule->n_exprs = r->n_exprs;
}

static int
take_rule(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_rule *x = nftnl_rule_alloc();

	if (!x)
		return MNL_CB_ERROR;
	if (nftnl_rule_nlmsg_parse(nlh, x) == 0 &&
	    !is_ours(nftnl_rule_get_u32(x, NFTNL_RULE_FAMILY),
		     nftnl_rule_get_str(x, NFTNL_RULE_TABLE)))
		add_rule(data, x);
	nftnl_rule_free(x);
	return MNL_CB_OK;
}

static void
add_flowtable(struct reader *r, struct nftnl_flowtable *x)
{
	const char *const *devices, **copies = NULL;
	struct fflowtable *t;

	r->flowtables = arena_push(r->arena, r->flowtables, r->f->n_flowtables,
				   sizeof(*t));
	t = &r->flowtables[r->f->n_flowtables++];
	t->family = (uint8_t)nftnl_flowtable_get_u32(x, NFTNL_FLOWTABLE_FAMILY);
	t->table = arena_strdup(
		r->arena, nftnl_flowtable_get_str(x, NFTNL_FLOWTABLE_TABLE));
	t->name = arena_strdup(
		r->arena, nftnl_flowtable_get_str(x, NFTNL_FLOWTABLE_NAME));
	devices = nftnl_flowtable_get(x, NFTNL_FLOWTABLE_DEVICES);
	for (; devices && *devices; devices++) {
		copies = arena_push(r->arena, copies, t->n_devices,
				    sizeof(*copies));
		copies[t->n_devices++] = arena_strdup(r->arena, *devices);
	}
	t->devices = copies;
}

static int
take_flowtable(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_flowtable *x = nftnl_flowtable_alloc();

	if (!x)
		return MNL_CB_ERROR;
	if (nftnl_flowtable_nlmsg_parse(nlh, x) == 0)
		add_flowtable(data, x);
	nftnl_flowtable_free(x);
	return MNL_CB_OK;
}

static int
dump(struct reader *r, struct nl *nl, uint16_t type, mnl_cb_t cb)
{
	char buf[1024];

	return nl_dump(
		nl,
		nftnl_nlmsg_build_hdr(buf, type, NFPROTO_UNSPEC, NLM_F_DUMP, 0),
		cb, r);
}

int
foreign_read(struct nl *nl, struct arena *arena, struct foreign *f)
{
	struct reader r = {.arena = arena, .f = f};
	int error;

	f->n_rules = 0;
	f->n_flowtables = 0;
	error = dump(&r, nl, NFT_MSG_GETRULE, take_rule);
	if (error == 0)
		error = dump(&r, nl, NFT_MSG_GETFLOWTABLE, take_flowtable);
	/* a kernel without flowtables knows no such question */
	if (error == -EOPNOTSUPP || error == -EINVAL)
		error = 0;
	f->rules = r.rules;
	f->flowtables = r.flowtables;
	return error;
}
