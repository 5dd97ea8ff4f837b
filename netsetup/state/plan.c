/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wording of changes. Pure: no system calls.
 */
#include "netsetup/state/plan.h"

#include <string.h>

struct counts {
	size_t add;
	size_t replace;
	size_t remove;
};

static struct counts
count(const struct kdiff *d)
{
	struct counts c = {0};
	size_t i;

	for (i = 0; i < d->n; i++) {
		switch (d->list[i].op) {
		case KCHANGE_ADD:
			c.add++;
			break;
		case KCHANGE_REPLACE:
			c.replace++;
			break;
		case KCHANGE_REMOVE:
			c.remove++;
			break;
		}
	}
	return c;
}

/* Somebody has changed a rule and left its comment alone. */
static bool
was_edited(const struct kchange *c)
{
	return c->object == KCHANGE_RULE && c->was.rule && c->was.rule->edited;
}

static void
describe_rule(const struct krule *r, struct str *out)
{
	str_addf(out, "rule %s: ", r->chain);
	if (r->text)
		str_add(out, r->text);
	else if (r->label)
		str_addf(out, "\"%s\"", r->label);
	else
		str_addf(out, "handle %llu", (unsigned long long)r->handle);
}

static void
describe_sysctl(const struct kchange *c, struct str *out)
{
	const struct ksysctl *was = c->was.sysctl, *will = c->will.sysctl;

	const char *now = was ? was->value : "?";

	if (will)
		str_addf(out, "sysctl %s: %s -> %s", will->path, now,
			 will->value);
	else if (was)
		str_addf(out, "sysctl %s: %s -> as it was before", was->path,
			 now);
}

void
plan_describe(const struct kchange *c, struct str *out)
{
	const void *object = c->will.any ? c->will.any : c->was.any;

	switch (c->object) {
	case KCHANGE_TABLE:
		str_add(out, "table inet " KSTATE_TABLE);
		break;
	case KCHANGE_CHAIN:
		str_add(out, "chain ");
		kchain_format(object, out);
		break;
	case KCHANGE_SET:
		str_addf(out, "%s ", kset_word(object));
		kset_format(object, out);
		break;
	case KCHANGE_RULE:
		describe_rule(object, out);
		if (was_edited(c))
			str_add(out, " (edited by hand)");
		break;
	case KCHANGE_IPRULE:
		str_add(out, "ip-rule ");
		kiprule_format(object, out);
		break;
	case KCHANGE_ROUTE:
		str_add(out, "route ");
		kroute_format(object, out);
		break;
	case KCHANGE_TIMEOUT:
		str_add(out, "ct timeout ");
		ktimeout_format(object, out);
		break;
	case KCHANGE_SYSCTL:
		describe_sysctl(c, out);
		break;
	}
}

struct place
plan_place(const struct kchange *c)
{
	const struct place none = {0};

	if (!c->will.any)
		return none;
	switch (c->object) {
	case KCHANGE_TABLE:
		break;
	case KCHANGE_CHAIN:
		return c->will.chain->place;
	case KCHANGE_SET:
		return c->will.set->place;
	case KCHANGE_RULE:
		return c->will.rule->place;
	case KCHANGE_IPRULE:
		return c->will.iprule->place;
	case KCHANGE_ROUTE:
		return c->will.route->place;
	case KCHANGE_TIMEOUT:
		return c->will.timeout->place;
	case KCHANGE_SYSCTL:
		return c->will.sysctl->place;
	}
	return none;
}

static char
op_sign(enum kchange_op op)
{
	switch (op) {
	case KCHANGE_ADD:
		return '+';
	case KCHANGE_REMOVE:
		return '-';
	case KCHANGE_REPLACE:
		return '~';
	}
	return '?';
}

void
plan_text(const struct kdiff *d, struct str *out)
{
	struct counts n = count(d);
	struct place place;
	size_t i;

	for (i = 0; i < d->n; i++) {
		str_addf(out, "%c ", op_sign(d->list[i].op));
		plan_describe(&d->list[i], out);
		place = plan_place(&d->list[i]);
		if (place.file && place.line)
			str_addf(out, "  # %s:%u", place.file, place.line);
		str_add_char(out, '\n');
	}
	str_addf(out, "%zu to add, %zu to replace, %zu to remove\n", n.add,
		 n.replace, n.remove);
}

static void
change_json(const struct kchange *c, struct json *j)
{
	struct str text = {0};
	struct place place = plan_place(c);

	plan_describe(c, &text);
	json_object(j, NULL);
	json_string(j, "action", kchange_op_name(c->op));
	json_string(j, "object", kchange_object_name(c->object));
	json_string(j, "text", str_text(&text));
	if (was_edited(c))
		json_bool(j, "edited", true);
	if (place.file && place.line) {
		json_string(j, "file", place.file);
		json_uint(j, "line", place.line);
		json_uint(j, "column", place.col);
	}
	json_end(j);
	str_fini(&text);
}

void
plan_json(const struct kdiff *d, struct json *j)
{
	struct counts n = count(d);
	size_t i;

	json_array(j, "changes");
	for (i = 0; i < d->n; i++)
		change_json(&d->list[i], j);
	json_end(j);
	json_object(j, "summary");
	json_uint(j, "add", n.add);
	json_uint(j, "replace", n.replace);
	json_uint(j, "remove", n.remove);
	json_end(j);
}
