/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts into words what the checks find.
 */
#include "netsetup/doctor/doctor_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "lib/arena.h"

enum { PAIRS_MAX = 12 };

/* --- words --------------------------------------------------------------- */

/* What fills the braces. */
struct pairs {
	const char *name[PAIRS_MAX];
	const char *value[PAIRS_MAX];
	size_t n;
};

static const char *
lookup(const struct pairs *p, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (strlen(p->name[i]) == len &&
		    !strncmp(p->name[i], name, len))
			return p->value[i];
	}
	return "?";
}

/* The pattern with its braces filled in; two of them stand for one. */
static const char *
fill_in(struct doctor *d, const char *pattern, const struct pairs *p)
{
	struct str out = {0};
	const char *at, *text;
	size_t len;

	for (at = pattern; *at; at++) {
		if ((*at != '{' && *at != '}') || at[1] == *at) {
			at += *at == '{' || *at == '}';
			str_add_char(&out, *at);
			continue;
		}
		len = strcspn(at + 1, "}");
		str_add(&out, lookup(p, at + 1, len));
		at += len + 1;
	}
	text = arena_strdup(d->arena, str_text(&out));
	str_fini(&out);
	return text;
}

const char *
doctor_key(struct doctor *d, const char *iface)
{
	char *key = arena_strdup(d->arena, iface), *at;

	for (at = key; *at; at++)
		*at = *at == '.' ? '/' : *at;
	return key;
}

const char *
doctor_file_option(struct doctor *d)
{
	if (!d->facts->path || !strcmp(d->facts->path, POLICY_PATH))
		return "";
	return arena_printf(d->arena, " -f %s", d->facts->path);
}

void
doctor_found(struct doctor *d, ...)
{
	const struct doctor_row *row = d->row;
	struct pairs p = {{"f"}, {doctor_file_option(d)}, 1};
	const char *name, *iface;
	struct finding *f;
	va_list ap;

	va_start(ap, d);
	while (p.n < PAIRS_MAX - 1 && (name = va_arg(ap, const char *))) {
		p.name[p.n] = name;
		p.value[p.n++] = va_arg(ap, const char *);
	}
	va_end(ap);
	iface = lookup(&p, "iface", strlen("iface"));
	p.name[p.n] = "key";
	p.value[p.n++] = doctor_key(d, iface);
	d->found.list =
		arena_push(d->arena, d->found.list, d->found.n, sizeof(*f));
	f = &d->found.list[d->found.n++];
	f->name = row->name;
	f->severity = row->severity;
	f->text = fill_in(d, row->text, &p);
	f->mend = fill_in(d, row->mend, &p);
}

const char *
doctor_number(struct doctor *d, uint64_t n)
{
	return arena_printf(d->arena, "%" PRIu64, n);
}

/* --- what several ask ---------------------------------------------------- */

bool
doctor_captures(const struct doctor *d, enum via via)
{
	size_t i, j;

	for (i = 0; d->policy && i < d->policy->n_services; i++) {
		const struct policy_service *s = &d->policy->services[i];

		for (j = 0; j < s->n_intercepts; j++) {
			if (s->intercepts[j].via == via)
				return true;
		}
	}
	return false;
}

bool
doctor_inside(const struct doctor *d, const char *iface)
{
	size_t i, j;

	for (i = 0; d->policy && i < d->policy->n_services; i++) {
		const struct policy_service *s = &d->policy->services[i];

		for (j = 0; j < s->n_intercepts; j++) {
			if (policy_iface_matches(&s->intercepts[j].on, iface))
				return true;
		}
	}
	return false;
}

bool
doctor_outside(const struct doctor *d, const char *iface)
{
	const struct policy_ifaces *named;
	size_t i;

	if (!d->policy)
		return false;
	named = &d->policy->gateway.outside;
	if (named->n > 0)
		return policy_iface_matches(named, iface);
	for (i = 0; i < d->box->n_routes; i++) {
		if (d->box->routes[i].to.len == 0 &&
		    !strcmp(d->box->routes[i].iface, iface))
			return !doctor_inside(d, iface);
	}
	return false;
}

const char *
doctor_way_out(const struct doctor *d)
{
	const struct box_iface *any = NULL;
	size_t i;

	for (i = 0; i < d->box->n_ifaces; i++) {
		const struct box_iface *f = &d->box->ifaces[i];

		if (doctor_outside(d, f->name))
			return f->name;
		if (!any && !f->loopback && !doctor_inside(d, f->name))
			any = f;
	}
	return any ? any->name : NULL;
}

void
doctor_each_service(struct doctor *d,
		    void (*see)(struct doctor *d,
				const struct policy_service *s))
{
	size_t i;

	for (i = 0; d->policy && i < d->policy->n_services; i++) {
		if (d->policy->services[i].n_intercepts > 0)
			see(d, &d->policy->services[i]);
	}
}
