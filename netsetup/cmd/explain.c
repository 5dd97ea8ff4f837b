/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Without -f, the rules that are walked are those that are there and are
 * ours; with it, those that the policy would make.
 */
#include "netsetup/cmd/explain.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "netsetup/change/ask.h"
#include "netsetup/cmd/session.h"
#include "netsetup/explain/inforce.h"
#include "netsetup/explain/legs.h"
#include "netsetup/explain/tuple.h"

/* What is asked, and what had to be found out for that. */
struct asking {
	struct session *s;	 /* borrows from the command */
	const struct options *o; /* likewise */
	struct tuple tuple;
	struct ask ask;
	struct way_box box;
	const char *iface;
	bool found_iface;
	bool own; /* the client is this box itself */
	struct hop own_hop;
	struct kdiff drift;
	size_t unknown; /* rules in our table that are not ours */
	struct way way;
};

static int
parse(const struct options *o, struct tuple *ret)
{
	struct str error = {0};
	int r;

	r = tuple_parse(o->words, o->n_words, ret, &error);
	if (r < 0)
		log_error("explain: %s", str_text(&error));
	str_fini(&error);
	return r < 0 ? EXIT_USAGE : -1;
}

static int
open_state(struct asking *a)
{
	struct session *s = a->s;
	int status;

	status = a->o->named ? session_open(s, a->o->policy)
			     : session_open_applied(s);
	if (status < 0)
		status = session_observe(s, NFT_DEPTH_ALL);
	if (status >= 0)
		return status;
	if (s->refused)
		common_print(&s->diags);
	a->drift = diff(&s->observed, &s->desired, s->arena);
	if (s->policy || !s->observed.table)
		return s->refused && a->o->named ? EXIT_FAILED : -1;
	log_error("explain: rules are installed, but what policy they are of "
		  "is not on record; name it with -f");
	return EXIT_FAILED;
}

/* --- the interface ----------------------------------------------------------
 */

/* Where the client is, by the route to it. */
static int
find_iface(struct asking *a)
{
	struct hop_query q = {.to = a->tuple.client.addr};
	char text[ADDR_TEXT_LEN];
	struct hop hop;
	int r;

	r = a->box.route(a->box.data, &q, &hop);
	if (r < 0)
		return common_fail("cannot ask for routes", r);
	a->own = hop_is_local(&hop);
	if (a->own || hop_is_forward(&hop)) {
		a->iface = arena_strdup(a->s->arena, hop.oif);
		a->found_iface = true;
		return -1;
	}
	log_error("explain: no route leads to %s, so it cannot be told where "
		  "that comes in; name the interface with -i",
		  addr_format(&a->tuple.client.addr, text));
	return EXIT_FAILED;
}

static int
check_iface(struct asking *a)
{
	a->iface = a->o->iface;
	if (!a->iface || if_nametoindex(a->iface) != 0)
		return -1;
	log_error("explain: there is no interface '%s'; `ip link` lists them",
		  a->iface);
	return EXIT_USAGE;
}

/* What the box itself sends never comes in, and so is never captured. */
static int
ask_own(struct asking *a)
{
	struct hop_query q = {
		.from = a->tuple.client.addr,
		.to = a->tuple.server.addr,
	};
	int r = a->box.route(a->box.data, &q, &a->own_hop);

	return r < 0 ? common_fail("cannot ask for routes", r) : -1;
}

static int
find_way(struct asking *a)
{
	struct session *s = a->s;
	struct kstate rules = s->desired;
	struct way_question q = {
		.policy = s->policy,
		.facts = &s->facts,
		.rules = &rules,
		.observed = &s->observed,
		.installed = !a->o->named || a->drift.n == 0,
		.proto = a->tuple.proto,
		.client = a->tuple.client,
		.server = a->tuple.server,
		.iface = a->iface,
	};
	int r;

	r = ask_bypass(&q.client.addr, &q.server.addr, &q.bypass_ms);
	if (r < 0)
		return common_fail("cannot look at who bypasses the proxy", r);
	if (!a->o->named)
		rules = inforce(&s->desired, &s->observed, s->arena,
				&a->unknown);
	r = legs_find(&q, &a->box, s->arena, &a->way);
	return r < 0 ? common_fail("cannot ask this box", r) : -1;
}

/* --- what is printed --------------------------------------------------------
 */

static size_t
count_object(const struct kdiff *d, enum kchange_object object)
{
	size_t i, n = 0;

	for (i = 0; i < d->n; i++)
		n += d->list[i].object == object;
	return n;
}

/* "2 rules, 1 ip rule" */
static void
drift_parts(const struct kdiff *d, struct str *out)
{
	static const enum kchange_object objects[] = {
		KCHANGE_TABLE,	KCHANGE_CHAIN, KCHANGE_SET,    KCHANGE_RULE,
		KCHANGE_IPRULE, KCHANGE_ROUTE, KCHANGE_SYSCTL, KCHANGE_TIMEOUT,
	};
	const char *comma = "";
	size_t i, n;

	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		n = count_object(d, objects[i]);
		if (n == 0)
			continue;
		str_addf(out, "%s%zu %s%s", comma, n,
			 kchange_object_name(objects[i]), n > 1 ? "s" : "");
		comma = ", ";
	}
}

static void
header_text(const struct asking *a, struct str *out)
{
	char from[ENDPOINT_TEXT_LEN], to[ENDPOINT_TEXT_LEN];

	str_addf(out, "%s %s to %s", proto_name(a->tuple.proto),
		 endpoint_format(&a->tuple.client, from),
		 endpoint_format(&a->tuple.server, to));
	if (!a->own)
		str_addf(out, ", coming in by %s", a->iface);
	str_add_char(out, '\n');
	if (a->tuple.example_port)
		str_addf(out, "  port %u stands for any\n",
			 a->tuple.client.port);
	if (a->found_iface && !a->own)
		str_addf(out, "  %s: the route to the client leaves by it\n",
			 a->iface);
}

static void
drift_text(const struct asking *a, struct str *out)
{
	struct str line = {0};

	if (a->o->named && a->drift.n > 0) {
		str_addf(&line,
			 "this is how it would be: %s is not what is "
			 "installed (",
			 a->o->policy);
		drift_parts(&a->drift, &line);
		str_add_char(&line, ')');
	} else if (!a->s->policy) {
		str_add(&line, "nothing is installed");
	} else if (a->drift.n > 0) {
		str_add(&line, "what is installed differs from what was "
			       "applied (");
		drift_parts(&a->drift, &line);
		str_add(&line, "); see `netsetup status`");
	}
	way_wrap(str_text(&line), out);
	str_fini(&line);
}

static void
unknown_text(const struct asking *a, struct str *out)
{
	struct str line = {0};

	if (a->unknown == 0)
		return;
	str_addf(&line,
		 "rules in our table that others made or changed, and that "
		 "are not looked at here: %zu",
		 a->unknown);
	way_wrap(str_text(&line), out);
	str_fini(&line);
}

static void
own_text(const struct asking *a, struct str *out)
{
	char text[ADDR_TEXT_LEN];

	str_addf(out,
		 "\n%s is this box's own, and what the box itself sends "
		 "is never captured;\nit goes ",
		 addr_format(&a->tuple.client.addr, text));
	hop_format(&a->own_hop, out);
	str_add_char(out, '\n');
}

static void
as_text(const struct asking *a, struct str *out)
{
	header_text(a, out);
	drift_text(a, out);
	unknown_text(a, out);
	if (a->own)
		own_text(a, out);
	else
		way_text(&a->way, out);
}

static void
as_json(const struct asking *a, struct str *out)
{
	char text[ENDPOINT_TEXT_LEN];
	struct json j;

	json_init(&j, out, true);
	json_object(&j, NULL);
	json_string(&j, "protocol", proto_name(a->tuple.proto));
	json_string(&j, "client", endpoint_format(&a->tuple.client, text));
	json_string(&j, "destination", endpoint_format(&a->tuple.server, text));
	json_string(&j, "interface", a->iface);
	json_bool(&j, "interface_found", a->found_iface);
	json_bool(&j, "own", a->own);
	json_bool(&j, "differs", a->drift.n > 0);
	way_json(&a->way, &j);
	json_end(&j);
}

static int
explain_asking(struct asking *a)
{
	struct str text = {0};
	int status;

	status = check_iface(a);
	if (status < 0)
		status = open_state(a);
	if (status < 0 && !a->iface)
		status = find_iface(a);
	if (status < 0)
		status = a->own ? ask_own(a) : find_way(a);
	if (status >= 0)
		return status;
	if (a->own)
		a->way.now = a->way.down = hop_is_local(&a->own_hop)
						   ? WAY_FATE_LOCAL
						   : WAY_FATE_ROUTED;
	if (a->o->json)
		as_json(a, &text);
	else
		as_text(a, &text);
	fputs(str_text(&text), stdout);
	str_fini(&text);
	return EXIT_DONE;
}

static int
explain(struct session *s, const struct options *o)
{
	struct asking a = {.s = s, .o = o};
	int status, r;

	status = parse(o, &a.tuple);
	if (status >= 0)
		return status;
	r = ask_open(&a.ask);
	if (r < 0)
		return common_fail("cannot ask for routes", r);
	a.box = ask_box(&a.ask);
	status = explain_asking(&a);
	ask_close(&a.ask);
	return status;
}

int
cmd_explain(int argc, char **argv)
{
	return session_command(
		argc, argv, OPTION_FILE | OPTION_IFACE | OPTION_JSON,
		"[tcp|udp] client[:port] destination:port", explain);
}
