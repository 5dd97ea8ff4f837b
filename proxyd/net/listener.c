/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener.c - opens what listener.h describes.
 *
 * An address may be in use by a former policy of our own: the same service
 * by tproxy that was redirected, or one address of a port that was on all
 * of them. Then it is left for later, when the former's clients have gone.
 * In use by anybody else it is an error; but the successor of one that was
 * killed waits a moment for the orphaned worker to close.
 */
#include "proxyd/net/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"

enum { PATIENCE_TURN_MS = 50 };

/* The listeners as they are opened. */
struct opening {
	struct listeners *ls;		  /* borrows */
	const struct listener_plan *plan; /* borrows */
	struct str *why;		  /* borrows */
	uint64_t patient_until_ms;
};

struct sockets_what
listener_what(const struct listener *l)
{
	return (struct sockets_what){
		.proto = l->service->proto,
		.at = l->endpoint,
		.transparent = l->kind == LISTENER_TPROXY,
		.mark = l->kind == LISTENER_TPROXY ? l->mark : 0,
	};
}

static void
explain(const struct listener *l, int error, const char *then, struct str *why)
{
	char text[ENDPOINT_TEXT_LEN];

	str_addf(why, "service %s: cannot listen on %s: %s%s", l->service->name,
		 endpoint_format(&l->endpoint, text), strerror(-error), then);
}

static const char *
hint(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return "; is proxyd running already? see `ss -tulnp`";
	case -EADDRNOTAVAIL:
		return "; this box does not have that address, or not yet";
	case -E2BIG:
		return "; listen on less";
	default:
		return "";
	}
}

/* Sockets of a former policy that are just these. */
static struct sockets *
find_former(const struct listener_plan *plan, const struct sockets_what *what)
{
	const struct listeners *ls;
	struct sockets *s;
	size_t i, k;

	for (k = 0; k < plan->n_former; k++) {
		ls = plan->former[k];
		for (i = 0; i < ls->n; i++) {
			s = ls->list[i].sockets;
			if (s && sockets_what_equal(&s->what, what))
				return s;
		}
	}
	return NULL;
}

static bool
overlap(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && a->addr.family == b->addr.family &&
	       (addr_is_any(&a->addr) || addr_is_any(&b->addr) ||
		addr_equal(&a->addr, &b->addr));
}

/*
 * May a former policy be in the way of it? Also one that has shut its own
 * here: its workers may not have got so far.
 */
static bool
is_obstructed(const struct listener_plan *plan, const struct listener *l)
{
	const struct listeners *ls;
	size_t i, k;

	for (k = 0; k < plan->n_former; k++) {
		ls = plan->former[k];
		for (i = 0; i < ls->n; i++)
			if (ls->list[i].service->proto == l->service->proto &&
			    overlap(&ls->list[i].endpoint, &l->endpoint))
				return true;
	}
	return false;
}

/* Open its sockets, and wait for whoever has the address to let it go. */
static int
open_patiently(const struct opening *o, struct listener *l)
{
	static const struct timespec turn = {
		.tv_nsec = PATIENCE_TURN_MS * 1000000L,
	};
	struct sockets_what what = listener_what(l);
	int r;

	while ((r = sockets_open(&what, o->ls->n_slots, &l->sockets)) ==
		       -EADDRINUSE &&
	       clock_now_ms() < o->patient_until_ms)
		nanosleep(&turn, NULL);
	if (r == -EADDRINUSE && is_obstructed(o->plan, l))
		return 0;
	return r;
}

static int
obtain(const struct opening *o, struct listener *l)
{
	struct sockets_what what = listener_what(l);
	struct sockets *s = find_former(o->plan, &what);
	int r;

	if (!s && o->plan->only_former) {
		return sockets_possible(l->endpoint.addr.family);
	} else if (!s) {
		r = open_patiently(o, l);
	} else if (s->latest == o->ls) {
		/* twice in one policy */
		r = -EADDRINUSE;
	} else {
		r = sockets_grow(s, o->ls->n_slots);
		if (r == 0)
			l->sockets = s;
		s->users += r == 0;
	}
	if (l->sockets)
		l->sockets->latest = o->ls;
	return r;
}

static int
add(const struct opening *o, struct listener l, bool optional)
{
	struct listeners *ls = o->ls;
	struct listener *more;
	int r;

	more = realloc(ls->list, (ls->n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	ls->list = more;
	r = ls->n < LISTENERS_MAX ? obtain(o, &l) : -E2BIG;
	if (r == -EAFNOSUPPORT && optional) {
		if (!o->why->len)
			explain(&l, r, "; IPv6 is left out", o->why);
		return 0;
	}
	if (r < 0) {
		str_clear(o->why);
		explain(&l, r, hint(r), o->why);
		return r;
	}
	ls->list[ls->n++] = l;
	return 0;
}

/* On every address of one family, or of both. */
static int
add_wildcard(const struct opening *o, struct listener l, unsigned int families,
	     bool named)
{
	int r = 0;

	if (families & FAMILY_IPV4) {
		l.endpoint.addr.family = AF_INET;
		r = add(o, l, false);
	}
	if (r == 0 && families & FAMILY_IPV6) {
		l.endpoint.addr.family = AF_INET6;
		r = add(o, l, !named);
	}
	return r;
}

static int
add_service(const struct opening *o, const struct policy *p,
	    const struct policy_service *s)
{
	struct listener l = {.service = s};
	size_t i;
	int r = 0;

	if (s->n_intercepts) {
		l.kind = s->intercepts[0].via == VIA_TPROXY ? LISTENER_TPROXY
							    : LISTENER_REDIRECT;
		l.mark = policy_mark_tproxied(p);
		l.endpoint.port = s->capture_port;
		r = add_wildcard(o, l, p->gateway.families,
				 p->gateway.families_named);
	}
	l.kind = LISTENER_LISTEN;
	for (i = 0; i < s->n_listens && r == 0; i++) {
		l.endpoint = s->listens[i].endpoint;
		if (l.endpoint.addr.family)
			r = add(o, l, false);
		else
			r = add_wildcard(o, l, FAMILY_BOTH, false);
	}
	return r;
}

int
listeners_open(struct listeners *ls, const struct listener_plan *plan,
	       struct str *why)
{
	const struct policy *p = plan->policy;
	const struct opening o = {ls, plan, why,
				  clock_now_ms() + plan->patience_ms};
	size_t i;
	int r = 0;

	*ls = (struct listeners){.n_slots = plan->n_slots};
	for (i = 0; i < p->n_services && r == 0; i++)
		r = add_service(&o, p, &p->services[i]);
	if (r < 0)
		listeners_close(ls);
	return r;
}

bool
listeners_late(struct listeners *ls, size_t *ret_index)
{
	struct sockets_what what;
	struct listener *l;
	size_t i;

	for (i = 0; i < ls->n; i++) {
		l = &ls->list[i];
		if (l->sockets)
			continue;
		what = listener_what(l);
		if (sockets_open(&what, ls->n_slots, &l->sockets) < 0)
			continue;
		*ret_index = i;
		return true;
	}
	return false;
}

bool
listener_is_shared(const struct listener *l, const struct listeners *other)
{
	size_t i;

	for (i = 0; i < other->n; i++)
		if (l->sockets && other->list[i].sockets == l->sockets)
			return true;
	return false;
}

void
listener_shut(struct listener *l)
{
	/* who takes it next does not take it twice */
	if (l->sockets)
		l->sockets->latest = NULL;
	sockets_let_go(l->sockets);
	l->sockets = NULL;
}

void
listeners_shut(struct listeners *ls)
{
	size_t i;

	for (i = 0; i < ls->n; i++)
		listener_shut(&ls->list[i]);
}

void
listeners_close(struct listeners *ls)
{
	listeners_shut(ls);
	free(ls->list);
	ls->list = NULL;
	ls->n = 0;
}

bool
listeners_answer(const struct listeners *ls, enum proto proto,
		 const struct endpoint *e)
{
	const struct endpoint *at;
	size_t i;

	for (i = 0; i < ls->n; i++) {
		at = &ls->list[i].endpoint;
		/* the port first: it is hardly ever the same */
		if (at->port != e->port || at->addr.family != e->addr.family ||
		    ls->list[i].service->proto != proto)
			continue;
		if (addr_is_any(&at->addr) || addr_equal(&at->addr, &e->addr))
			return true;
	}
	return false;
}

bool
listeners_capture(const struct listeners *ls, const struct policy_service *s,
		  int family)
{
	const struct listener *l;
	size_t i;

	for (i = 0; i < ls->n; i++) {
		l = &ls->list[i];
		if (l->kind != LISTENER_LISTEN && l->service == s &&
		    l->endpoint.addr.family == family && l->sockets)
			return true;
	}
	return false;
}
