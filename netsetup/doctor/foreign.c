/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expressions are run as if they shared one register: nft and iptables-nft
 * write rules that way wherever it matters here. A value is known bit by bit
 * or not at all; a match on an unknown one may hold or not.
 */
#include "netsetup/doctor/foreign.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

enum { DEPTH_MAX = 16, ALL_BITS = -1 };

static bool
is(const struct fexpr *e, const char *name)
{
	return !strcmp(e->name, name);
}

static bool
is_extension(const struct fexpr *e, const char *kind, const char *text)
{
	return is(e, kind) && e->text && !strcmp(e->text, text);
}

/* Numbers in registers are in the box's own order. */
static uint32_t
number(const uint8_t *bytes)
{
	uint32_t n;

	memcpy(&n, bytes, sizeof(n));
	return n;
}

/* --- marks --------------------------------------------------------------- */

/* What the register holds, seen as a mark. */
struct tracked {
	bool meta; /* made from the packet's mark */
	bool ct;   /* from the connection's */
	uint32_t kept;
	uint32_t flip;
};

static void
load_mark(struct tracked *t, const struct fexpr *e)
{
	memset(t, 0, sizeof(*t));
	t->meta = is(e, "meta") && e->key == NFT_META_MARK;
	t->ct = is(e, "ct") && e->key == NFT_CT_MARK;
	t->kept = (uint32_t)ALL_BITS;
}

/* Bits that differ from what was there before. */
static uint32_t
changed(const struct tracked *t, bool same)
{
	return same ? ~t->kept | t->flip : (uint32_t)ALL_BITS;
}

static void
add_test(struct fmarks *m, const struct tracked *t, const struct fexpr *e)
{
	uint32_t value = t->kept;

	/* equal to a constant: its ones are asked for; unequal: any */
	if (e->key == NFT_CMP_EQ || number(e->data) != 0)
		value &= number(e->data);
	if (t->meta)
		m->tested |= value;
	if (t->ct)
		m->ct_tested |= value;
}

/* MARK, CONNMARK and mark of xtables; their numbers in order. */
static void
add_extension(struct fmarks *m, const struct fexpr *e)
{
	uint32_t value = number(e->data), mask = number(e->data + 4);

	if (is_extension(e, "target", "MARK"))
		m->set |= mask | value;
	else if (is_extension(e, "match", "mark"))
		m->tested |= value & mask;
	else if (is_extension(e, "match", "connmark"))
		m->ct_tested |= value & mask;
	else if (!is_extension(e, "target", "CONNMARK"))
		return;
	else if (e->data[12] == 2) /* restore: nfmask is the third number */
		m->set |= number(e->data + 8);
	else
		m->ct_set |= mask | value;
}

static void
take_expr(struct fmarks *m, struct tracked *t, const struct fexpr *e)
{
	if (is(e, "target") || is(e, "match")) {
		add_extension(m, e);
	} else if (is(e, "cmp")) {
		add_test(m, t, e);
	} else if (is(e, "bitwise") && e->len == 4) {
		t->kept &= number(e->data);
		t->flip = (t->flip & number(e->data)) ^ number(e->other);
	} else if (e->sets && is(e, "meta") && e->key == NFT_META_MARK) {
		m->set |= changed(t, t->meta);
	} else if (e->sets && is(e, "ct") && e->key == NFT_CT_MARK) {
		m->ct_set |= changed(t, t->ct);
	} else if (!is(e, "counter") && !e->sets) {
		load_mark(t, e);
	}
}

struct fmarks
frule_marks(const struct frule *r)
{
	struct fmarks m = {0};
	struct tracked t = {0};
	size_t i;

	for (i = 0; i < r->n_exprs; i++)
		take_expr(&m, &t, &r->exprs[i]);
	return m;
}

bool
frule_asks_mark(const struct frule *r, uint32_t mark, uint32_t mask)
{
	struct fmarks unused = {0};
	struct tracked t = {0};
	size_t i;

	for (i = 0; i < r->n_exprs; i++) {
		const struct fexpr *e = &r->exprs[i];

		if (is_extension(e, "match", "mark") && !e->data[8] &&
		    number(e->data) == mark && number(e->data + 4) == mask)
			return true;
		if (is(e, "cmp") && e->key == NFT_CMP_EQ && t.meta &&
		    t.kept == mask && number(e->data) == mark)
			return true;
		take_expr(&unused, &t, e);
	}
	return false;
}

/* --- zones, tracking, translation ---------------------------------------- */

/* Of CT: flags and zone are the first two numbers of 16 bits. */
static uint16_t
ct_word(const struct fexpr *e, size_t n)
{
	uint16_t word;

	memcpy(&word, e->data + 2 * n, sizeof(word));
	return word;
}

bool
frule_zone(const struct frule *r, uint32_t *ret_zone, bool *ret_replies)
{
	const struct fexpr *e;
	size_t i;

	*ret_replies = true;
	for (i = 0; i < r->n_exprs; i++) {
		e = &r->exprs[i];
		if (is_extension(e, "target", "CT") && ct_word(e, 1)) {
			*ret_zone = ct_word(e, 1);
			return true;
		}
		if (!e->sets || !is(e, "ct") || e->key != NFT_CT_ZONE)
			continue;
		*ret_zone = UINT32_MAX;
		*ret_replies = e->base != 1;
		if (i > 0 && is(e - 1, "immediate") && !e[-1].verdict)
			*ret_zone = ct_word(e - 1, 0);
		return true;
	}
	return false;
}

bool
frule_untracks(const struct frule *r)
{
	size_t i;

	for (i = 0; i < r->n_exprs; i++) {
		const struct fexpr *e = &r->exprs[i];

		if (is(e, "notrack") || is_extension(e, "target", "NOTRACK"))
			return true;
		if (is_extension(e, "target", "CT") && (ct_word(e, 0) & 1))
			return true;
	}
	return false;
}

bool
frule_translates(const struct frule *r)
{
	size_t i;

	for (i = 0; i < r->n_exprs; i++) {
		const struct fexpr *e = &r->exprs[i];

		if (is(e, "masq") || is(e, "nat") ||
		    is_extension(e, "target", "MASQUERADE") ||
		    is_extension(e, "target", "SNAT"))
			return true;
	}
	return false;
}

const struct kforeign_chain *
foreign_base(const struct foreign *f, const struct frule *r)
{
	size_t i;

	for (i = 0; i < f->n_chains; i++) {
		if (f->chains[i].family == r->family &&
		    !strcmp(f->chains[i].table, r->table) &&
		    !strcmp(f->chains[i].name, r->chain))
			return &f->chains[i];
	}
	return NULL;
}

/* --- would a packet get past? -------------------------------------------- */

enum match { MATCH_NO, MATCH_MAYBE, MATCH_YES };

/* The register while a rule is run. */
struct value {
	bool known;
	bool state; /* of the connection */
	size_t len;
	uint8_t bytes[16];
};

static void
set_value(struct value *v, const void *bytes, size_t len)
{
	v->known = true;
	v->len = len;
	memset(v->bytes, 0, sizeof(v->bytes));
	memcpy(v->bytes, bytes, len);
}

static void
set_name(struct value *v, const char *name)
{
	v->known = true;
	v->len = sizeof(v->bytes);
	memset(v->bytes, 0, sizeof(v->bytes));
	if (name)
		memcpy(v->bytes, name, strnlen(name, sizeof(v->bytes)));
}

static void
load_meta(struct value *v, const struct fexpr *e, const struct fpacket *p)
{
	uint8_t family = p->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	if (e->key == NFT_META_IIFNAME)
		set_name(v, p->iif);
	else if (e->key == NFT_META_OIFNAME)
		set_name(v, p->oif);
	else if (e->key == NFT_META_IIF && p->iif_index)
		set_value(v, &p->iif_index, sizeof(p->iif_index));
	else if (e->key == NFT_META_OIF && p->oif_index)
		set_value(v, &p->oif_index, sizeof(p->oif_index));
	else if (e->key == NFT_META_L4PROTO)
		set_value(v, &p->l4proto, 1);
	else if (e->key == NFT_META_NFPROTO)
		set_value(v, &family, 1);
	else if (e->key == NFT_META_MARK)
		set_value(v, &p->mark, sizeof(p->mark));
}

static void
load_ct(struct value *v, const struct fexpr *e, const struct fpacket *p)
{
	uint32_t state = NF_CT_STATE_BIT(IP_CT_NEW);
	uint32_t status = p->dnat ? IPS_DST_NAT | IPS_DST_NAT_DONE : 0;
	uint8_t direction = 0;

	if (p->untracked)
		state = NF_CT_STATE_UNTRACKED_BIT;
	v->state = e->key == NFT_CT_STATE;
	if (v->state)
		set_value(v, &state, sizeof(state));
	else if (e->key == NFT_CT_STATUS)
		set_value(v, &status, sizeof(status));
	else if (e->key == NFT_CT_DIRECTION)
		set_value(v, &direction, 1);
}

static void
load_payload(struct value *v, const struct fexpr *e, const struct fpacket *p)
{
	uint16_t port = htons(p->port);
	bool ipv4 = p->family == AF_INET;

	if (e->base == NFT_PAYLOAD_TRANSPORT_HEADER && e->offset == 2 &&
	    e->len == 2)
		set_value(v, &port, sizeof(port));
	else if (e->base == NFT_PAYLOAD_NETWORK_HEADER && e->len == 1 &&
		 e->offset == (ipv4 ? 9 : 6))
		set_value(v, &p->l4proto, 1);
}

static void
run_bitwise(struct value *v, const struct fexpr *e)
{
	size_t i;

	if (e->len == 0 || e->len > sizeof(v->bytes))
		v->known = false;
	for (i = 0; v->known && i < e->len; i++)
		v->bytes[i] = (v->bytes[i] & e->data[i]) ^ e->other[i];
}

static enum match
run_cmp(const struct value *v, const struct fexpr *e)
{
	int r;
	bool yes = false;

	if (!v->known || e->len > sizeof(v->bytes))
		return MATCH_MAYBE;
	r = memcmp(v->bytes, e->data, e->len);
	switch (e->key) {
	case NFT_CMP_EQ:
		yes = r == 0;
		break;
	case NFT_CMP_NEQ:
		yes = r != 0;
		break;
	case NFT_CMP_LT:
		yes = r < 0;
		break;
	case NFT_CMP_LTE:
		yes = r <= 0;
		break;
	case NFT_CMP_GT:
		yes = r > 0;
		break;
	case NFT_CMP_GTE:
		yes = r >= 0;
		break;
	}
	return yes ? MATCH_YES : MATCH_NO;
}

static enum match
run_range(const struct value *v, const struct fexpr *e)
{
	bool inside;

	if (!v->known || e->len > sizeof(v->bytes))
		return MATCH_MAYBE;
	inside = memcmp(v->bytes, e->data, e->len) >= 0 &&
		 memcmp(v->bytes, e->other, e->len) <= 0;
	return inside == (e->key == NFT_RANGE_EQ) ? MATCH_YES : MATCH_NO;
}

/* Of conntrack: flags, inverted flags, states; the reader cuts out these. */
static enum match
match_conntrack(const struct fexpr *e, const struct fpacket *p)
{
	enum { STATE = 1, DNAT = 1 << 7, UNTRACKED = 1 << 8 };
	uint16_t mine = NF_CT_STATE_BIT(IP_CT_NEW) | (p->dnat ? DNAT : 0);
	bool hit = ct_word(e, 2) & (p->untracked ? UNTRACKED : mine);

	if (ct_word(e, 0) != STATE)
		return MATCH_MAYBE;
	return hit == !(ct_word(e, 1) & STATE) ? MATCH_YES : MATCH_NO;
}

/* Of tcp and udp: lowest and highest port of source and of destination. */
static enum match
match_ports(const struct fexpr *e, const struct fpacket *p)
{
	if (e->data[8] || e->data[9] || e->data[10] || e->data[11])
		return MATCH_MAYBE; /* flags and inversions */
	if (p->port < ct_word(e, 2) || p->port > ct_word(e, 3))
		return MATCH_NO;
	return ct_word(e, 0) == 0 && ct_word(e, 1) == UINT16_MAX ? MATCH_YES
								 : MATCH_MAYBE;
}

static enum match
match_extension(const struct fexpr *e, const struct fpacket *p)
{
	uint32_t mark = p->mark & number(e->data + 4);

	if (is_extension(e, "match", "conntrack"))
		return match_conntrack(e, p);
	if (is_extension(e, "match", "tcp") || is_extension(e, "match", "udp"))
		return match_ports(e, p);
	if (is_extension(e, "match", "mark"))
		return (mark == number(e->data)) != e->data[8] ? MATCH_YES
							       : MATCH_NO;
	if (is_extension(e, "match", "comment"))
		return MATCH_YES;
	return MATCH_MAYBE;
}

static bool
changes_nothing(const struct fexpr *e)
{
	return (e->sets && !is(e, "lookup")) || is(e, "counter") ||
	       is(e, "log") || is(e, "notrack") || is(e, "objref") ||
	       is(e, "target");
}

/* Matches, and what they look at. */
static enum match
run_match(struct value *v, const struct fexpr *e, const struct fpacket *p)
{
	if (is(e, "cmp"))
		return run_cmp(v, e);
	if (is(e, "range"))
		return run_range(v, e);
	if (is(e, "bitwise")) {
		run_bitwise(v, e);
		return MATCH_YES;
	}
	if (changes_nothing(e) || is(e, "immediate"))
		return MATCH_YES;
	if (is(e, "match"))
		return match_extension(e, p);
	v->known = false;
	v->state = false;
	if (is(e, "ct") && p->untracked && e->key != NFT_CT_STATE)
		return MATCH_NO;
	if (is(e, "meta"))
		load_meta(v, e, p);
	else if (is(e, "ct"))
		load_ct(v, e, p);
	else if (is(e, "payload"))
		load_payload(v, e, p);
	else if (!is(e, "fib") && !is(e, "socket") && !is(e, "rt") &&
		 !is(e, "exthdr"))
		return MATCH_MAYBE; /* lookup, limit... */
	return MATCH_YES;
}

bool
frule_may_match(const struct frule *r, const struct fpacket *packet)
{
	struct value v = {0};
	size_t i;

	for (i = 0; i < r->n_exprs; i++) {
		if (!r->exprs[i].verdict &&
		    run_match(&v, &r->exprs[i], packet) == MATCH_NO)
			return false;
	}
	return true;
}

/* What a walk knows and has come to. */
struct walk {
	const struct foreign *f;
	const struct kforeign_chain *base;
	const struct fpacket *packet;
	bool maybe_accepts;
	int depth;
};

enum step {
	STEP_ON,
	STEP_ACCEPT,
	STEP_DROP,
	STEP_RETURN,
};

static enum step walk_chain(struct walk *w, const char *chain, bool sure);

static bool
rejects(const struct fexpr *e)
{
	return is(e, "reject") || is_extension(e, "target", "REJECT");
}

/* The verdict of a rule that holds; or may hold. */
static enum step
run_verdict(struct walk *w, const struct fexpr *e, bool sure)
{
	enum step step;

	if (rejects(e) || (e->verdict && e->key == NF_DROP))
		return sure ? STEP_DROP : STEP_ON;
	if (!e->verdict)
		return STEP_ON;
	if (e->key == NF_ACCEPT) {
		w->maybe_accepts |= !sure;
		return sure ? STEP_ACCEPT : STEP_ON;
	}
	if ((int)e->key == NFT_RETURN)
		return sure ? STEP_RETURN : STEP_ON;
	if (((int)e->key != NFT_JUMP && (int)e->key != NFT_GOTO) || !e->text)
		return STEP_ON;
	step = walk_chain(w, e->text, sure);
	/* goto does not come back */
	if (step == STEP_ON && sure && (int)e->key == NFT_GOTO)
		return STEP_RETURN;
	return sure ? step : STEP_ON;
}

static enum step
run_rule(struct walk *w, const struct frule *r, bool sure)
{
	struct value v = {0};
	enum step step = STEP_ON;
	enum match m;
	size_t i;

	for (i = 0; i < r->n_exprs && step == STEP_ON; i++) {
		const struct fexpr *e = &r->exprs[i];

		if (e->verdict || rejects(e)) {
			step = run_verdict(w, e, sure);
			continue;
		}
		/* a map to verdicts; one of states has none for new flows */
		if (is(e, "lookup") && e->sets && !v.state)
			w->maybe_accepts = true;
		m = run_match(&v, e, w->packet);
		if (m == MATCH_NO)
			return STEP_ON;
		if (m == MATCH_MAYBE)
			sure = false;
	}
	return step;
}

static enum step
walk_chain(struct walk *w, const char *chain, bool sure)
{
	enum step step = STEP_ON;
	size_t i;

	if (w->depth >= DEPTH_MAX)
		return STEP_ON;
	w->depth++;
	for (i = 0; i < w->f->n_rules && step == STEP_ON; i++) {
		const struct frule *r = &w->f->rules[i];

		if (r->family == w->base->family &&
		    !strcmp(r->table, w->base->table) &&
		    !strcmp(r->chain, chain))
			step = run_rule(w, r, sure);
	}
	w->depth--;
	return step == STEP_RETURN ? STEP_ON : step;
}

enum fverdict
foreign_walk(const struct foreign *f, const struct kforeign_chain *base,
	     const struct fpacket *packet)
{
	struct walk w = {.f = f, .base = base, .packet = packet};
	enum step step = walk_chain(&w, base->name, true);

	if (step == STEP_ACCEPT || (step == STEP_ON && !base->drops))
		return FVERDICT_ACCEPT;
	return w.maybe_accepts ? FVERDICT_UNSURE : FVERDICT_DROP;
}

/* --- words --------------------------------------------------------------- */

void
frule_format(const struct frule *r, struct str *out)
{
	str_addf(out, "%s %s %s", kstate_table_family(r->family), r->table,
		 r->chain);
}
