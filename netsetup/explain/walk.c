/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine of nf_tables in small: one value is loaded, changed, compared;
 * what does not hold ends the rule, a verdict ends the chain or the hook.
 */
#include "netsetup/explain/walk.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"

enum {
	JUMPS_MAX = 16, /* as in the kernel */
};

/* What became of a rule. */
enum outcome {
	OUTCOME_MISS, /* a match failed */
	OUTCOME_NEXT, /* it held, and the next rule is due */
	OUTCOME_RETURN,
	OUTCOME_ACCEPT,
	OUTCOME_DROP,
	OUTCOME_REJECT,
};

/* The nearest that a rule of a chain came to holding. */
struct near_miss {
	const struct krule *rule;
	const char *why;
	size_t passed; /* matches that held before */
};

struct machine {
	const struct walk_rules *w;
	struct packet *p;
	struct walk_trace *trace;
	const struct kchain *base;
	bool tracked; /* conntrack has seen the packet */
	unsigned int depth;
	/* while a rule runs */
	const struct krule *rule;
	size_t passed;
	struct packet_value value;
	const char *why;
	struct walk_step *step; /* of the rule, once it does something */
};

/* --- matches ---------------------------------------------------------------
 */

static bool
compare(const struct machine *m, const struct kexpr *e)
{
	int r = memcmp(m->value.bytes, e->data, e->len);

	switch (e->key) {
	case NFT_CMP_EQ:
		return r == 0;
	case NFT_CMP_NEQ:
		return r != 0;
	case NFT_CMP_LT:
		return r < 0;
	case NFT_CMP_LTE:
		return r <= 0;
	case NFT_CMP_GT:
		return r > 0;
	case NFT_CMP_GTE:
		return r >= 0;
	default:
		return false;
	}
}

static const struct kelem *
find_element(const struct kset *set, const struct packet_value *v)
{
	size_t len = kset_type_len(set->type), i;

	if (len > KELEM_LEN)
		return NULL;
	for (i = 0; i < set->n_elems; i++) {
		if (memcmp(v->bytes, set->elems[i].low, len) >= 0 &&
		    memcmp(v->bytes, set->elems[i].high, len) <= 0)
			return &set->elems[i];
	}
	return NULL;
}

/* What packets put in sets is known from a look at them, or supposed. */
static bool
is_in(const struct machine *m, const struct kset *set)
{
	const struct kset *now;

	switch (set->type) {
	case KSET_IPV4_PAIR:
	case KSET_IPV6_PAIR:
		return m->w->bypassed;
	case KSET_FAMILY:
		/* those that packets fill are the alive sets */
		if (set->flags & NFT_SET_EVAL && m->w->alive != WALK_ALIVE_NOW)
			return m->w->alive == WALK_ALIVE_YES;
		break;
	case KSET_IPV4:
	case KSET_IPV6:
	case KSET_PORT:
	case KSET_IFNAME:
	case KSET_HEARTBEAT:
	case KSET_OTHER:
		break;
	}
	if (!kset_is_dynamic(set))
		return find_element(set, &m->value);
	now = m->w->contents ? kstate_set(m->w->contents, set->name) : NULL;
	return now && now->type == set->type && find_element(now, &m->value);
}

static void
change_bits(struct machine *m, const struct kexpr *e)
{
	uint32_t i;

	m->value.bitwise = e;
	for (i = 0; i < e->len && i < sizeof(e->data); i++)
		m->value.bytes[i] =
			(m->value.bytes[i] & e->data[i]) ^ e->flip[i];
}

/* --- what a rule does ------------------------------------------------------
 */

/* The step of this rule; a verdict overrules a mere change. */
static struct walk_step *
note(struct machine *m, enum walk_did did)
{
	struct walk_trace *t = m->trace;

	if (!m->step) {
		t->steps =
			arena_push(t->arena, t->steps, t->n, sizeof(*t->steps));
		m->step = &t->steps[t->n++];
		m->step->base = m->base;
		m->step->chain = m->rule->chain;
		m->step->rule = m->rule;
		m->step->place = m->rule->place;
	}
	m->step->changed |= did == WALK_DID_CHANGE;
	/* tproxy says more than the accept that ends its rule */
	if (m->step->did != WALK_DID_TPROXY)
		m->step->did = did;
	return m->step;
}

static enum outcome run_chain(struct machine *m, const char *chain);

static enum outcome
jump(struct machine *m, const char *chain, bool come_back)
{
	struct machine saved = *m;
	enum outcome r;

	note(m, WALK_DID_JUMP)->target = chain;
	if (m->depth == JUMPS_MAX)
		return OUTCOME_DROP; /* the kernel would not have it */
	m->depth++;
	r = run_chain(m, chain);
	*m = saved;
	if (r != OUTCOME_NEXT)
		return r;
	return come_back ? OUTCOME_NEXT : OUTCOME_RETURN;
}

static enum outcome
verdict(struct machine *m, int code, const char *chain)
{
	switch (code) {
	case NF_ACCEPT:
		note(m, WALK_DID_ACCEPT);
		return OUTCOME_ACCEPT;
	case NF_DROP:
		note(m, WALK_DID_DROP);
		return OUTCOME_DROP;
	case NFT_RETURN:
		note(m, WALK_DID_RETURN);
		return OUTCOME_RETURN;
	case NFT_JUMP:
		return jump(m, chain, true);
	case NFT_GOTO:
		return jump(m, chain, false);
	default: /* NFT_CONTINUE */
		return OUTCOME_NEXT;
	}
}

static enum outcome
look_up(struct machine *m, const struct kexpr *e)
{
	const struct kset *set = kstate_set(m->w->wanted, e->name);

	return set && is_in(m, set) ? OUTCOME_NEXT : OUTCOME_MISS;
}

static enum outcome
ask_map(struct machine *m, const struct kexpr *e)
{
	const struct kset *map = kstate_set(m->w->wanted, e->name);
	const struct kelem *elem = map ? find_element(map, &m->value) : NULL;
	const struct kchain *target;

	if (!elem)
		return OUTCOME_MISS;
	note(m, WALK_DID_ACCEPT)->element =
		packet_value_text(m->trace->arena, &m->value, m->p);
	target = elem->chain ? kstate_chain(m->w->wanted, elem->chain) : NULL;
	if (target && target->place.file)
		m->step->place = target->place;
	return verdict(m, elem->verdict, elem->chain);
}

static enum outcome
set_meta(struct machine *m, uint32_t key)
{
	if (key == NFT_META_MARK)
		memcpy(&m->p->mark, m->value.bytes, sizeof(m->p->mark));
	note(m, WALK_DID_CHANGE);
	return OUTCOME_NEXT;
}

static enum outcome
set_ct(struct machine *m, const struct kexpr *e)
{
	uint16_t zone;

	memcpy(&zone, m->value.bytes, sizeof(zone));
	if (e->key == NFT_CT_MARK)
		memcpy(&m->p->ct_mark, m->value.bytes, sizeof(m->p->ct_mark));
	if (e->key == NFT_CT_ZONE && e->code != KEXPR_DIR_REPLY)
		m->p->zone = zone;
	if (e->key == NFT_CT_ZONE && e->code != KEXPR_DIR_ORIGINAL)
		m->p->zone_reply = zone;
	note(m, WALK_DID_CHANGE);
	return OUTCOME_NEXT;
}

static enum outcome
redirect(struct machine *m)
{
	struct endpoint to = {.addr = m->p->local};
	uint16_t port_be;

	memcpy(&port_be, m->value.bytes, sizeof(port_be));
	to.port = ntohs(port_be);
	/* to where it goes already is no translation */
	if (to.port != m->p->to.port || !addr_equal(&to.addr, &m->p->to.addr))
		m->p->ct_status |= PACKET_STATUS_DNAT;
	m->p->to = to;
	note(m, WALK_DID_REDIRECT);
	return OUTCOME_ACCEPT;
}

/* Goes on: what gives it to a socket is no verdict. */
static enum outcome
tproxy(struct machine *m)
{
	uint16_t port_be;

	memcpy(&port_be, m->value.bytes, sizeof(port_be));
	if (!m->p->listens) {
		m->why = arena_printf(m->trace->arena,
				      "nobody listens on port %u",
				      ntohs(port_be));
		return OUTCOME_MISS;
	}
	m->p->tproxied = ntohs(port_be);
	m->p->socket = true;
	m->p->transparent = true;
	m->p->wildcard = true; /* a listener's */
	note(m, WALK_DID_TPROXY);
	return OUTCOME_NEXT;
}

static enum outcome
notrack(struct machine *m)
{
	m->p->untracked = true;
	m->tracked = false;
	note(m, WALK_DID_CHANGE);
	return OUTCOME_NEXT;
}

/* A match that was tried: keep count, and why not. */
static enum outcome
tried(struct machine *m, const struct kexpr *e, bool holds)
{
	if (holds) {
		m->passed++;
		return OUTCOME_NEXT;
	}
	m->why = packet_why(m->trace->arena, &m->value, e, m->p);
	return OUTCOME_MISS;
}

/* A load that finds nothing ends the rule, too. */
static enum outcome
load(struct machine *m, const struct kexpr *e)
{
	bool found = e->kind != KEXPR_CT || m->tracked;

	if (found && packet_load(m->p, e, &m->value))
		return OUTCOME_NEXT;
	m->why = packet_missing(e);
	return OUTCOME_MISS;
}

static enum outcome
run_expr(struct machine *m, const struct kexpr *e)
{
	switch (e->kind) {
	case KEXPR_META:
	case KEXPR_CT:
	case KEXPR_PAYLOAD:
	case KEXPR_FIB:
	case KEXPR_SOCKET:
		return load(m, e);
	case KEXPR_BITWISE:
		change_bits(m, e);
		return OUTCOME_NEXT;
	case KEXPR_CMP:
		return tried(m, e, compare(m, e));
	case KEXPR_LOOKUP:
		return tried(m, e, look_up(m, e) == OUTCOME_NEXT);
	case KEXPR_VMAP:
		m->why = packet_why(m->trace->arena, &m->value, e, m->p);
		return ask_map(m, e);
	case KEXPR_IMMEDIATE:
		memcpy(m->value.bytes, e->data, sizeof(e->data));
		return OUTCOME_NEXT;
	case KEXPR_META_SET:
		return set_meta(m, e->key);
	case KEXPR_CT_SET:
		return set_ct(m, e);
	case KEXPR_OBJREF:
		note(m, WALK_DID_CHANGE);
		return OUTCOME_NEXT;
	case KEXPR_DYNSET:
	case KEXPR_COUNTER:
		return OUTCOME_NEXT;
	case KEXPR_VERDICT:
		return verdict(m, (int)e->key, e->name);
	case KEXPR_REJECT:
		note(m, WALK_DID_REJECT);
		return OUTCOME_REJECT;
	case KEXPR_REDIRECT:
		return redirect(m);
	case KEXPR_TPROXY:
		return tproxy(m);
	case KEXPR_NOTRACK:
		return notrack(m);
	}
	return OUTCOME_MISS;
}

static enum outcome
run_rule(struct machine *m, const struct krule *rule)
{
	enum outcome r;
	size_t i;

	m->rule = rule;
	m->passed = 0;
	m->why = NULL;
	m->step = NULL;
	memset(&m->value, 0, sizeof(m->value));
	for (i = 0; i < rule->n_exprs; i++) {
		r = run_expr(m, &rule->exprs[i]);
		if (r != OUTCOME_NEXT)
			return r;
	}
	return OUTCOME_NEXT;
}

/* --- chains and hooks ------------------------------------------------------
 */

static void
note_miss(struct machine *m, const char *chain, const struct near_miss *nearest)
{
	struct walk_trace *t = m->trace;
	struct walk_step *s;

	t->steps = arena_push(t->arena, t->steps, t->n, sizeof(*s));
	s = &t->steps[t->n++];
	s->base = m->base;
	s->chain = chain;
	s->did = WALK_DID_MISS;
	s->rule = nearest->rule;
	s->why = nearest->why;
	if (nearest->rule)
		s->place = nearest->rule->place;
}

/* NEXT stands for the end of the chain, RETURN for a way back earlier. */
static enum outcome
run_chain(struct machine *m, const char *chain)
{
	const struct kstate *s = m->w->wanted;
	struct near_miss nearest = {0};
	size_t i, before = m->trace->n;
	enum outcome r;

	for (i = 0; i < s->n_rules; i++) {
		if (strcmp(s->rules[i].chain, chain) != 0)
			continue;
		r = run_rule(m, &s->rules[i]);
		if (r == OUTCOME_RETURN)
			return OUTCOME_NEXT;
		if (r != OUTCOME_MISS && r != OUTCOME_NEXT)
			return r;
		if (r == OUTCOME_NEXT || m->passed < nearest.passed || !m->why)
			continue;
		nearest.rule = m->rule;
		nearest.why = m->why;
		nearest.passed = m->passed;
	}
	if (m->trace->n == before)
		note_miss(m, chain, &nearest);
	return OUTCOME_NEXT;
}

static enum walk_end
run_base(const struct walk_rules *w, const struct kchain *base,
	 struct packet *p, struct walk_trace *trace)
{
	struct machine m = {.w = w, .p = p, .trace = trace, .base = base};
	bool early = base->priority <= NF_IP_PRI_CONNTRACK &&
		     (base->hook == NF_INET_PRE_ROUTING ||
		      base->hook == NF_INET_LOCAL_OUT);

	m.tracked = !early && !p->untracked;
	switch (run_chain(&m, base->name)) {
	case OUTCOME_DROP:
		return WALK_END_DROPPED;
	case OUTCOME_REJECT:
		return WALK_END_REJECTED;
	case OUTCOME_MISS:
	case OUTCOME_NEXT:
	case OUTCOME_RETURN:
	case OUTCOME_ACCEPT:
		break;
	}
	return WALK_END_PASSED;
}

/* Of two with one priority the kernel asks the one made last first. */
static int
compare_priority(const void *a, const void *b)
{
	const struct kchain *const *x = a, *const *y = b;

	if ((*x)->priority != (*y)->priority)
		return (*x)->priority > (*y)->priority ? 1 : -1;
	return (*x < *y) - (*x > *y);
}

enum walk_end
walk_hook(const struct walk_rules *w, uint32_t hook, struct packet *p,
	  struct walk_trace *trace)
{
	const struct kstate *s = w->wanted;
	enum walk_end end = WALK_END_PASSED;
	const struct kchain **bases;
	size_t i, n = 0;

	bases = arena_calloc(trace->arena, s->n_chains, sizeof(*bases));
	for (i = 0; i < s->n_chains; i++) {
		if (s->chains[i].base && s->chains[i].hook == hook)
			bases[n++] = &s->chains[i];
	}
	qsort(bases, n, sizeof(*bases), compare_priority);
	for (i = 0; i < n && end == WALK_END_PASSED; i++) {
		if (!strcmp(bases[i]->type, "nat") && !p->first)
			continue;
		end = run_base(w, bases[i], p, trace);
	}
	return end;
}

const char *
walk_did_name(enum walk_did did)
{
	switch (did) {
	case WALK_DID_MISS:
		return "none";
	case WALK_DID_CHANGE:
		return "change";
	case WALK_DID_JUMP:
		return "jump";
	case WALK_DID_RETURN:
		return "return";
	case WALK_DID_ACCEPT:
		return "accept";
	case WALK_DID_DROP:
		return "drop";
	case WALK_DID_REJECT:
		return "reject";
	case WALK_DID_REDIRECT:
		return "redirect";
	case WALK_DID_TPROXY:
		return "tproxy";
	}
	return "?";
}
