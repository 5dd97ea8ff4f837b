/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register 1 carries every value from its load to its comparison, as in the
 * rules that nft makes.
 */
#include "netsetup/state/expr.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "lib/arena.h"

void
rule_init(struct rule *r, struct arena *arena)
{
	memset(r, 0, sizeof(*r));
	r->arena = arena;
}

struct krule
rule_finish(struct rule *r, const char *chain, struct place place,
	    const char *label)
{
	struct krule rule = {
		.chain = chain,
		.place = place,
		.label = label,
		.n_exprs = r->n,
	};

	rule.exprs = arena_memdup(r->arena, r->exprs, r->n * sizeof(*r->exprs));
	rule.text = arena_strdup(r->arena, str_text(&r->text));
	rule.digest = kstate_rule_digest(r->exprs, r->n);
	str_fini(&r->text);
	rule_init(r, r->arena);
	return rule;
}

struct kexpr *
expr_add(struct rule *r, enum kexpr_kind kind)
{
	struct kexpr *e;

	assert(r->n < RULE_EXPRS_MAX);
	e = &r->exprs[r->n++];
	e->kind = kind;
	return e;
}

void
expr_say(struct rule *r, const char *fmt, ...)
{
	va_list ap;

	if (r->text.len > 0)
		str_add_char(&r->text, ' ');
	va_start(ap, fmt);
	str_vaddf(&r->text, fmt, ap);
	va_end(ap);
}

void
expr_load(struct rule *r, enum kexpr_kind kind, uint32_t key)
{
	expr_add(r, kind)->key = key;
}

void
expr_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len)
{
	struct kexpr *e = expr_add(r, KEXPR_PAYLOAD);

	e->key = base;
	e->offset = offset;
	e->len = len;
}

void
expr_cmp(struct rule *r, uint32_t op, const void *data, uint32_t len)
{
	struct kexpr *e = expr_add(r, KEXPR_CMP);

	e->key = op;
	e->len = len;
	memcpy(e->data, data, len);
}

void
expr_cmp_u8(struct rule *r, uint8_t value)
{
	expr_cmp(r, NFT_CMP_EQ, &value, sizeof(value));
}

void
expr_cmp_u32(struct rule *r, uint32_t op, uint32_t value)
{
	expr_cmp(r, op, &value, sizeof(value));
}

void
expr_vmap(struct rule *r, const char *map)
{
	expr_add(r, KEXPR_VMAP)->name = arena_strdup(r->arena, map);
}

void
expr_bitwise(struct rule *r, const void *mask, const void *flip, uint32_t len)
{
	struct kexpr *e = expr_add(r, KEXPR_BITWISE);

	e->len = len;
	memcpy(e->data, mask, len);
	if (flip)
		memcpy(e->flip, flip, len);
}

void
expr_lookup(struct rule *r, const char *set)
{
	expr_add(r, KEXPR_LOOKUP)->name = arena_strdup(r->arena, set);
}

void
expr_verdict(struct rule *r, int code, const char *chain)
{
	struct kexpr *e = expr_add(r, KEXPR_VERDICT);

	e->key = (uint32_t)code;
	if (chain)
		e->name = arena_strdup(r->arena, chain);
}
