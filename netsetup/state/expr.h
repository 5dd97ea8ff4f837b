/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expr.h - a rule while it is put together: expressions, and beside them the
 * words in which `nft list ruleset` shows the same.
 *
 * The parts of which the matches and statements of rule.h are made.
 */
#ifndef NETSETUP_STATE_EXPR_H
#define NETSETUP_STATE_EXPR_H

#include "netsetup/state/kstate.h"

enum { RULE_EXPRS_MAX = 32 };

struct rule {
	struct arena *arena; /* borrows from the maker of the state */
	struct kexpr exprs[RULE_EXPRS_MAX];
	size_t n;
	uint8_t family;	 /* matched already: NFPROTO_*, 0: none yet */
	uint8_t l4;	 /* likewise: IPPROTO_* */
	struct str text; /* owns */
};

void rule_init(struct rule *r, struct arena *arena);

/*
 * The finished rule of `chain`; the draft is empty again. `label` and `chain`
 * are borrowed, all else lives in the arena.
 */
struct krule rule_finish(struct rule *r, const char *chain, struct place place,
			 const char *label);

/* Append one expression. It is zeroed but for its kind. */
struct kexpr *expr_add(struct rule *r, enum kexpr_kind kind);

/* Append words to the text, after a space. */
void expr_say(struct rule *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Loads; `base` is one of NFT_PAYLOAD_*, offset and len count bytes. */
void expr_load(struct rule *r, enum kexpr_kind kind, uint32_t key);
void expr_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len);

/*
 * Comparisons; `op` is one of NFT_CMP_*. The u32 is a number in the order of
 * this machine, as meta and ct load it.
 */
void expr_cmp(struct rule *r, uint32_t op, const void *data, uint32_t len);
void expr_cmp_u8(struct rule *r, uint8_t value);
void expr_cmp_u32(struct rule *r, uint32_t op, uint32_t value);
void expr_lookup(struct rule *r, const char *set);
void expr_vmap(struct rule *r, const char *map);

/* register := register & mask ^ flip; flip NULL: 0 */
void expr_bitwise(struct rule *r, const void *mask, const void *flip,
		  uint32_t len);

/* `chain`: of a jump or goto, else NULL. */
void expr_verdict(struct rule *r, int code, const char *chain);

#endif
