/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Appending to a kernel state. Pure: no system calls.
 */
#include "netsetup/state/draft.h"

#include <ctype.h>
#include <string.h>

#include "lib/arena.h"

enum {
	ALIVE_SET_SIZE = 64, /* expired elements count until collected */
	LABEL_FILE_MAX = 48, /* a comment has room for 127 bytes */
};

void
draft_init(struct draft *d, struct arena *arena, struct kstate *state)
{
	memset(state, 0, sizeof(*state));
	d->arena = arena;
	d->state = state;
	rule_init(&d->rule, arena);
}

const char *
draft_label(struct draft *d, struct place place, const char *name)
{
	const char *base;
	char *file, *c;

	if (!place.file || place.line == 0)
		return arena_strdup(d->arena, name);
	base = strrchr(place.file, '/');
	base = base ? base + 1 : place.file;
	file = arena_strndup(d->arena, base, LABEL_FILE_MAX);
	/* nft lists comments in quotes and escapes nothing */
	for (c = file; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			*c = '_';
	}
	return arena_printf(d->arena, "%s:%u %s", file, place.line, name);
}

static struct kchain *
add_chain(struct draft *d, const char *name, struct place place)
{
	struct kstate *s = d->state;
	struct kchain *c;

	s->table = true;
	s->chains = arena_push(d->arena, s->chains, s->n_chains, sizeof(*c));
	c = &s->chains[s->n_chains++];
	c->name = arena_strdup(d->arena, name);
	c->place = place;
	return c;
}

void
draft_base_chain(struct draft *d, const char *name, const char *type,
		 uint32_t hook, int32_t priority, struct place place)
{
	struct kchain *c = add_chain(d, name, place);

	c->base = true;
	c->type = type;
	c->hook = hook;
	c->priority = priority;
}

void
draft_chain(struct draft *d, const char *name, struct place place)
{
	add_chain(d, name, place);
}

struct krule
draft_finish(struct draft *d, const char *chain, struct place place,
	     const char *name)
{
	return rule_finish(&d->rule, arena_strdup(d->arena, chain), place,
			   draft_label(d, place, name));
}

void
draft_finished(struct draft *d, const struct krule *rule)
{
	struct kstate *s = d->state;

	s->rules =
		arena_push(d->arena, s->rules, s->n_rules, sizeof(*s->rules));
	s->rules[s->n_rules++] = *rule;
}

void
draft_rule(struct draft *d, const char *chain, struct place place,
	   const char *name)
{
	struct krule rule = draft_finish(d, chain, place, name);

	draft_finished(d, &rule);
}

static struct kset *
add_set(struct draft *d, const char *name, struct place place,
	const char *label)
{
	struct kstate *s = d->state;
	struct kset *set;

	s->table = true;
	s->sets = arena_push(d->arena, s->sets, s->n_sets, sizeof(*set));
	set = &s->sets[s->n_sets++];
	set->name = arena_strdup(d->arena, name);
	set->place = place;
	set->label = draft_label(d, place, label);
	return set;
}

static const char *
add_constant(struct draft *d, const char *name, enum kset_type type,
	     struct kelem *elems, size_t n, struct place place,
	     const char *label, uint32_t flags)
{
	struct kset *set = add_set(d, name, place, label);
	size_t i;

	set->type = type;
	set->flags = NFT_SET_CONSTANT | flags;
	set->n_elems = kset_normalise(elems, n, type);
	set->elems =
		arena_memdup(d->arena, elems, set->n_elems * sizeof(*elems));
	for (i = 0; i < set->n_elems; i++) {
		if (memcmp(elems[i].low, elems[i].high, sizeof(elems[i].low)))
			set->flags |= NFT_SET_INTERVAL;
	}
	return set->name;
}

const char *
draft_set(struct draft *d, const char *name, enum kset_type type,
	  struct kelem *elems, size_t n, struct place place, const char *label)
{
	return add_constant(d, name, type, elems, n, place, label, 0);
}

const char *
draft_map(struct draft *d, const char *name, enum kset_type type,
	  struct kelem *elems, size_t n, struct place place, const char *label)
{
	return add_constant(d, name, type, elems, n, place, label, NFT_SET_MAP);
}

const char *
draft_timed_set(struct draft *d, const char *name, enum kset_type type,
		uint32_t size, struct place place, const char *label)
{
	struct kset *set = add_set(d, name, place, label);

	set->type = type;
	set->flags = NFT_SET_TIMEOUT;
	set->size = size;
	set->counts = true;
	return set->name;
}

const char *
draft_expiring_set(struct draft *d, const char *name, enum kset_type type,
		   struct kelem *elems, size_t n, uint32_t ms,
		   struct place place, const char *label)
{
	struct kset *set = add_set(d, name, place, label);

	set->type = type;
	set->flags = NFT_SET_TIMEOUT;
	set->ms = ms;
	set->n_elems = kset_normalise(elems, n, type);
	set->elems =
		arena_memdup(d->arena, elems, set->n_elems * sizeof(*elems));
	return set->name;
}

void
draft_alive_set(struct draft *d, const char *name, struct place place,
		const char *label)
{
	struct kset *set = add_set(d, name, place, label);

	set->type = KSET_FAMILY;
	set->flags = NFT_SET_EVAL | NFT_SET_TIMEOUT;
	set->size = ALIVE_SET_SIZE;
}

const char *
draft_udp_timeout(struct draft *d, uint32_t seconds, struct place place)
{
	const char *name = arena_printf(d->arena, "udp_%us", seconds);
	struct kstate *s = d->state;
	struct ktimeout *t;

	if (kstate_timeout(s, name))
		return name;
	s->timeouts =
		arena_push(d->arena, s->timeouts, s->n_timeouts, sizeof(*t));
	t = &s->timeouts[s->n_timeouts++];
	t->name = name;
	t->place = place;
	t->seconds = seconds;
	return name;
}

void
draft_iprule(struct draft *d, const struct kiprule *rule)
{
	struct kstate *s = d->state;

	s->iprules =
		arena_push(d->arena, s->iprules, s->n_iprules, sizeof(*rule));
	s->iprules[s->n_iprules++] = *rule;
}

void
draft_route(struct draft *d, const struct kroute *route)
{
	struct kstate *s = d->state;

	s->routes =
		arena_push(d->arena, s->routes, s->n_routes, sizeof(*route));
	s->routes[s->n_routes++] = *route;
}

void
draft_sysctl(struct draft *d, const char *path, const char *value,
	     struct place place)
{
	struct kstate *s = d->state;
	struct ksysctl *c;

	s->sysctls = arena_push(d->arena, s->sysctls, s->n_sysctls, sizeof(*c));
	c = &s->sysctls[s->n_sysctls++];
	c->path = path;
	c->value = value;
	c->place = place;
}
