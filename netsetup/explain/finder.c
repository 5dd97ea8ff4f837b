/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words for steps. A rule is named by its place in the policy, which is what
 * its reader can change, and shown in full below.
 */
#include "netsetup/explain/finder.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <string.h>

#include "lib/arena.h"

void
finder_step(struct finder *f, const char *where, const char *fmt, ...)
{
	struct way *w = f->way;
	struct way_step *s;
	va_list ap;

	w->steps = arena_push(f->arena, w->steps, w->n_steps, sizeof(*s));
	s = &w->steps[w->n_steps++];
	s->leg = f->leg;
	s->where = where;
	va_start(ap, fmt);
	s->what = arena_vprintf(f->arena, fmt, ap);
	va_end(ap);
}

void
finder_note(struct finder *f, const char *fmt, ...)
{
	struct way_step *s = &f->way->steps[f->way->n_steps - 1];
	va_list ap;

	s->notes =
		arena_push(f->arena, s->notes, s->n_notes, sizeof(*s->notes));
	va_start(ap, fmt);
	s->notes[s->n_notes++] = arena_vprintf(f->arena, fmt, ap);
	va_end(ap);
}

void
finder_sum_up(struct finder *f, const char *fmt, ...)
{
	struct way *w = f->way;
	va_list ap;

	w->summary = arena_push(f->arena, w->summary, w->n_summary,
				sizeof(*w->summary));
	va_start(ap, fmt);
	w->summary[w->n_summary++] = arena_vprintf(f->arena, fmt, ap);
	va_end(ap);
}

/* --- questions --------------------------------------------------------------
 */

static void
keep_error(struct finder *f, int r)
{
	if (r < 0 && f->error == 0)
		f->error = r;
}

/*
 * Of what comes in for a group of IPv6 the kernel does not say where it goes:
 * its answer is that its answer would be too long.
 */
struct hop
finder_route(struct finder *f, const struct hop_query *q)
{
	struct hop_query asked = *q;
	struct hop hop = {0};

	if (q->to.family == AF_INET6 && !addr_is_unicast(&q->to))
		asked.iif = NULL;
	keep_error(f, f->box->route(f->box->data, &asked, &hop));
	return hop;
}

int
finder_setting(struct finder *f, const char *path)
{
	int number = -1;

	keep_error(f, f->box->setting(f->box->data, path, &number));
	return number;
}

int
finder_effective(struct finder *f, const char *name, const char *iface)
{
	int all = finder_setting(
		f, arena_printf(f->arena, "net/ipv4/conf/all/%s", name));
	int own = finder_setting(
		f, arena_printf(f->arena, "net/ipv4/conf/%s/%s", iface, name));

	return all > own ? all : own;
}

const char *
finder_hop_text(struct finder *f, const struct hop *hop)
{
	struct str text = {0};
	const char *copy;

	hop_format(hop, &text);
	copy = arena_strdup(f->arena, str_text(&text));
	str_fini(&text);
	return copy;
}

/*
 * As `fib daddr` looks: without mark and source; what is no one host's by
 * its number needs no route. Of IPv4 what no route leads to counts as
 * unicast, of IPv6 it does not.
 */
void
finder_ask_destination(struct finder *f, struct packet *p)
{
	struct hop_query q = {.to = p->to.addr};
	struct hop hop = finder_route(f, &q);

	p->fib_type = hop.type;
	if (hop.error)
		p->fib_type = p->to.addr.family == AF_INET ? RTN_UNICAST
							   : RTN_UNREACHABLE;
	if (!addr_is_unicast(&p->to.addr))
		p->fib_type = RTN_MULTICAST;
	p->fib_oif = hop.error ? "" : arena_strdup(f->arena, hop.oif);
}

uint8_t
finder_protocol(const struct finder *f)
{
	return f->q->proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP;
}

struct hop_query
finder_onward(const struct packet *p)
{
	return (struct hop_query){
		.from = p->from.addr,
		.to = p->to.addr,
		.iif = p->iif,
		.mark = p->mark,
		.protocol = p->protocol,
		.from_port = p->from.port,
		.to_port = p->to.port,
	};
}

/* Is it the reverse path filter? Strict: by another way; loose: by none. */
static bool
is_filtered(int filter, const struct hop *back, const char *iface)
{
	if (filter == 2)
		return !hop_is_forward(back);
	return filter == 1 &&
	       (!hop_is_forward(back) || strcmp(back->oif, iface) != 0);
}

void
finder_note_filter(struct finder *f, const struct packet *p,
		   const struct hop *hop)
{
	struct hop_query q = {.to = p->from.addr};
	char text[ADDR_TEXT_LEN];
	struct hop back;
	int filter;

	if ((hop->error != -EXDEV && hop->error != -EINVAL) || !p->iif)
		return;
	back = finder_route(f, &q);
	filter = finder_effective(f, "rp_filter", p->iif);
	addr_format(&p->from.addr, text);
	if (hop_is_local(&back))
		finder_note(f, "%s is this box's own (a martian)", text);
	else if (is_filtered(filter, &back, p->iif))
		finder_note(f,
			    "the reverse path filter drops it: rp_filter is "
			    "%d on %s (the greater of all and %s), and the way "
			    "to %s is %s",
			    filter, p->iif, p->iif, text,
			    finder_hop_text(f, &back));
}

/* --- hooks ------------------------------------------------------------------
 */

static const char *
did_text(struct finder *f, const struct walk_step *s, const struct packet *p)
{
	switch (s->did) {
	case WALK_DID_MISS:
		return "does nothing";
	case WALK_DID_CHANGE:
		return "marks it";
	case WALK_DID_JUMP:
		return arena_printf(f->arena, "on to %s", s->target);
	case WALK_DID_RETURN:
		return "goes back";
	case WALK_DID_ACCEPT:
		return s->changed ? "marks it and lets it pass"
				  : "lets it pass";
	case WALK_DID_DROP:
		return "drops it";
	case WALK_DID_REJECT:
		return "refuses it";
	case WALK_DID_REDIRECT:
		return arena_printf(f->arena, "redirects it to port %u",
				    p->to.port);
	case WALK_DID_TPROXY:
		return "gives it to a socket of this box";
	}
	return "?";
}

/* "policy.conf:6", of the last part of its path */
static const char *
place_text(struct finder *f, struct place place)
{
	const char *slash;

	if (!place.file || place.line == 0)
		return NULL;
	slash = strrchr(place.file, '/');
	return arena_printf(f->arena, "%s:%u", slash ? slash + 1 : place.file,
			    place.line);
}

static const char *
base_text(struct finder *f, const struct kchain *base)
{
	return arena_printf(f->arena, "%s %d", kchain_hook_name(base->hook),
			    base->priority);
}

/* Why no rule held is worth a line where capture and return are decided. */
static bool
tells_why(const struct walk_step *s, const struct packet *p)
{
	if (!s->why || s->base->hook != NF_INET_PRE_ROUTING)
		return false;
	if (p->reply)
		return s->base->priority > NF_IP_PRI_CONNTRACK;
	return s->base->priority <= NF_IP_PRI_NAT_DST;
}

static void
write_step(struct finder *f, const struct walk_step *s, const struct packet *p)
{
	const char *where = base_text(f, s->base);
	const char *place = place_text(f, s->place);

	if (s->did == WALK_DID_MISS) {
		finder_step(f, where, "%s: no rule holds", s->chain);
		finder_note(f, "%s", s->why);
		return;
	}
	finder_step(f, where, "%s %s%s%s", s->chain, did_text(f, s, p),
		    place ? ", " : "", place ? place : "");
	finder_note(f, "%s", s->rule->text);
	if (s->element)
		finder_note(f, "the map has %s", s->element);
}

/* Chains that did nothing share a line. */
static void
write_passed(struct finder *f, uint32_t hook, const struct str *names)
{
	if (names->len > 0)
		finder_step(f, kchain_hook_name(hook), "passes %s",
			    str_text(names));
}

static void
write_foreign(struct finder *f, uint32_t hook, const struct packet *p)
{
	const struct kstate *s = f->q->observed;
	struct str text = {0};
	size_t i;

	for (i = 0; i < s->n_foreign; i++) {
		if (!kforeign_sees(&s->foreign[i], p->to.addr.family, hook))
			continue;
		if (!strcmp(s->foreign[i].type, "nat") && !p->first)
			continue;
		str_clear(&text);
		kforeign_format(&s->foreign[i], &text);
		finder_step(f, kchain_hook_name(hook),
			    "also sees this packet:");
		finder_note(f, "%s", str_text(&text));
	}
	str_fini(&text);
}

enum walk_end
finder_try(struct finder *f, uint32_t hook, enum walk_alive alive,
	   struct packet *p, struct walk_trace *ret_trace)
{
	const struct walk_rules w = {
		.wanted = f->q->rules,
		.contents = f->q->observed,
		.alive = alive,
		.bypassed = f->q->bypass_ms > 0,
	};

	*ret_trace = (struct walk_trace){.arena = f->arena};
	return walk_hook(&w, hook, p, ret_trace);
}

static void
write_trace(struct finder *f, uint32_t hook, const struct walk_trace *t,
	    const struct packet *p, const struct walk_trace *since)
{
	bool same = since != NULL;
	struct str passed = {0};
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct walk_step *s = &t->steps[i];

		same = same && i < since->n &&
		       s->rule == since->steps[i].rule &&
		       s->did == since->steps[i].did;
		if (same)
			continue;
		if (s->did != WALK_DID_MISS || tells_why(s, p))
			write_step(f, s, p);
		else
			str_addf(&passed, "%s%s", passed.len ? ", " : "",
				 s->chain);
	}
	write_passed(f, hook, &passed);
	str_fini(&passed);
}

enum walk_end
finder_hook(struct finder *f, uint32_t hook, enum walk_alive alive,
	    struct packet *p, const struct walk_trace *since)
{
	struct walk_trace t;
	enum walk_end end = finder_try(f, hook, alive, p, &t);

	write_trace(f, hook, &t, p, since);
	if (!since && end == WALK_END_PASSED)
		write_foreign(f, hook, p);
	return end;
}
