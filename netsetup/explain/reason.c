/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of the questions is that of policy_match(). Of the intercepts
 * that fail, those that fail by the fewest conditions are named.
 */
#include "netsetup/explain/reason.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"

enum { NOTES_MAX = 3, LIST_SHOWN_MAX = 6 };

struct near {
	const char *text;
	unsigned int failed; /* conditions */
	size_t order;
};

struct finding {
	const struct reason_flow *f;
	struct arena *arena;
	struct near *nears;
	size_t n;
};

/* "policy.conf:14" */
static const char *
place_text(struct arena *a, struct place place)
{
	const char *slash = place.file ? strrchr(place.file, '/') : NULL;

	return arena_printf(a, "%s:%u",
			    slash	 ? slash + 1
			    : place.file ? place.file
					 : "policy",
			    place.line);
}

/* --- lists in words --------------------------------------------------------
 */

/* Between members: ", ", and an end to long lists. false: enough. */
static bool
another(struct str *out, size_t i, size_t n)
{
	if (i == LIST_SHOWN_MAX) {
		str_addf(out, " and %zu more", n - i);
		return false;
	}
	if (i > 0)
		str_add(out, ", ");
	return true;
}

static void
add_ports(struct str *out, const struct policy_ports *list)
{
	char text[PORTS_TEXT_LEN];
	size_t i;

	for (i = 0; i < list->n && another(out, i, list->n); i++)
		str_add(out, port_range_format(&list->list[i], text));
}

static void
add_prefixes(struct str *out, const struct policy_prefixes *list)
{
	char text[PREFIX_TEXT_LEN];
	size_t i;

	for (i = 0; i < list->n && another(out, i, list->n); i++)
		str_add(out, prefix_format(&list->list[i], text));
}

static void
add_ifaces(struct str *out, const struct policy_ifaces *list)
{
	size_t i;

	for (i = 0; i < list->n && another(out, i, list->n); i++)
		str_addf(out, "%s%s", list->list[i].name,
			 list->list[i].wildcard ? "*" : "");
}

/* --- one intercept ---------------------------------------------------------
 */

static void
fails(struct str *out, unsigned int *failed)
{
	if ((*failed)++ > 0)
		str_add(out, "; ");
}

static void
check_ends(const struct policy_intercept *i, const struct reason_flow *f,
	   struct str *out, unsigned int *failed)
{
	char text[ADDR_TEXT_LEN];

	if (!policy_prefixes_match(&i->from, &f->client->addr)) {
		fails(out, failed);
		str_addf(out, "%s is not `from` ",
			 addr_format(&f->client->addr, text));
		add_prefixes(out, &i->from);
	}
	if (!policy_prefixes_match(&i->to, &f->server->addr)) {
		fails(out, failed);
		str_addf(out, "%s is not `to` ",
			 addr_format(&f->server->addr, text));
		add_prefixes(out, &i->to);
	} else if (f->local &&
		   !policy_prefixes_name(&i->to, &f->server->addr)) {
		fails(out, failed);
		str_addf(out, "%s is this box's own, and no `to` names it",
			 addr_format(&f->server->addr, text));
	}
}

/* What about this intercept fails? Returns how many conditions. */
static unsigned int
check_intercept(const struct policy_intercept *i, const struct reason_flow *f,
		struct str *out)
{
	unsigned int failed = 0;

	if (i->proto != f->proto) {
		fails(out, &failed);
		str_addf(out, "%s is not %s", proto_name(f->proto),
			 proto_name(i->proto));
	}
	if (!policy_iface_matches(&i->on, f->iface)) {
		fails(out, &failed);
		str_addf(out, "interface %s is not ", f->iface);
		add_ifaces(out, &i->on);
	}
	if (!policy_ports_match(&i->ports, f->server->port)) {
		fails(out, &failed);
		str_addf(out, "port %u is not ", f->server->port);
		add_ports(out, &i->ports);
	}
	check_ends(i, f, out, &failed);
	return failed;
}

static void
add_near(struct finding *g, const char *text, unsigned int failed)
{
	struct near *one;

	g->nears = arena_push(g->arena, g->nears, g->n, sizeof(*one));
	one = &g->nears[g->n];
	one->text = text;
	one->failed = failed;
	one->order = g->n++;
}

static const struct policy_except *
find_except(const struct policy_except *list, size_t n,
	    const struct reason_flow *f)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (policy_prefixes_match(&list[i].from, &f->client->addr) &&
		    policy_prefixes_match(&list[i].to, &f->server->addr) &&
		    policy_ports_match(&list[i].ports, f->server->port))
			return &list[i];
	}
	return NULL;
}

/* Does this service take it? What fails is noted. */
static bool
check_service(struct finding *g, const struct policy_service *s)
{
	const struct policy_except *e;
	struct str text = {0};
	unsigned int failed = 1;
	size_t i;

	for (i = 0; i < s->n_intercepts && failed > 0; i++) {
		str_clear(&text);
		failed = check_intercept(&s->intercepts[i], g->f, &text);
		if (failed > 0)
			add_near(
				g,
				arena_printf(g->arena, "%s %s: %s",
					     place_text(g->arena,
							s->intercepts[i].place),
					     s->name, str_text(&text)),
				failed);
	}
	str_fini(&text);
	if (failed > 0)
		return false;
	e = find_except(s->excepts, s->n_excepts, g->f);
	if (e)
		add_near(g,
			 arena_printf(g->arena, "%s %s: excepted here",
				      place_text(g->arena, e->place), s->name),
			 0);
	return !e;
}

static int
compare_near(const void *a, const void *b)
{
	const struct near *x = a, *y = b;

	if (x->failed != y->failed)
		return x->failed > y->failed ? 1 : -1;
	return (x->order > y->order) - (x->order < y->order);
}

static void
take_notes(struct finding *g, struct reason *r)
{
	size_t i;

	if (g->n > 1)
		qsort(g->nears, g->n, sizeof(*g->nears), compare_near);
	r->notes = arena_calloc(g->arena, NOTES_MAX + 1, sizeof(*r->notes));
	for (i = 0; i < g->n && i < NOTES_MAX; i++)
		r->notes[r->n_notes++] = g->nears[i].text;
	if (g->n > NOTES_MAX)
		r->notes[r->n_notes++] =
			arena_printf(g->arena, "and %zu more that do not fit",
				     g->n - NOTES_MAX);
}

/* --- before any service ----------------------------------------------------
 */

static const char *
family_reason(const struct policy *p, const struct reason_flow *f)
{
	bool v4 = f->server->addr.family == AF_INET;
	unsigned int bit = v4 ? FAMILY_IPV4 : FAMILY_IPV6;

	if (!(p->gateway.families & bit))
		return v4 ? "`family` leaves ipv4 out"
			  : "`family` leaves ipv6 out";
	if (!(f->families & bit))
		return v4 ? "ipv4 is switched off on this box"
			  : "ipv6 is switched off on this box";
	return NULL;
}

static const char *
outside_reason(const struct policy *p, const struct reason_flow *f,
	       struct arena *a)
{
	struct str list = {0};
	const char *text;

	if (f->local || policy_iface_matches(&p->gateway.outside, f->outside))
		return NULL;
	add_ifaces(&list, &p->gateway.outside);
	text = f->outside[0]
		       ? arena_printf(a,
				      "it would leave by %s, not `outside` %s",
				      f->outside, str_text(&list))
		       : "no route leads there, so it leaves by no `outside`";
	str_fini(&list);
	return text;
}

/* NULL: the services decide. */
static const char *
gateway_reason(const struct policy *p, const struct reason_flow *f,
	       struct arena *a)
{
	const struct policy_gateway *g = &p->gateway;
	const struct policy_except *e;
	const char *text = family_reason(p, f);

	if (text)
		return text;
	e = find_except(g->excepts, g->n_excepts, f);
	if (e)
		return arena_printf(a, "excepted by %s",
				    place_text(a, e->place));
	if (!f->unicast)
		return "its destination is not one host (not unicast)";
	return outside_reason(p, f, a);
}

struct reason
reason_find(const struct policy *p, const struct reason_flow *f,
	    struct arena *arena)
{
	struct finding g = {.f = f, .arena = arena};
	struct reason r = {.text = gateway_reason(p, f, arena)};
	size_t i;

	for (i = 0; i < p->n_services && !r.text && !r.service; i++) {
		if (check_service(&g, &p->services[i]))
			r.service = &p->services[i];
	}
	if (r.text || r.service)
		return r;
	take_notes(&g, &r);
	r.text = g.n > 0 ? "no service intercepts it"
			 : "no service intercepts anything";
	return r;
}
