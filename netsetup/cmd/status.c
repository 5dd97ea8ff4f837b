/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report is made once, as values, and printed as text or as JSON.
 */
#include "netsetup/cmd/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "netsetup/cmd/leftover.h"
#include "netsetup/cmd/serving.h"
#include "netsetup/cmd/session.h"
#include "netsetup/state/plan.h"

/* What is known about one service from what is installed. */
struct service_status {
	const struct policy_service *service; /* borrows from the policy */
	unsigned int alive;		      /* FAMILY_* bits */
	uint64_t captured;		      /* connections */
	uint64_t passed; /* not captured for want of a living proxyd */
};

static uint64_t
chain_packets(const struct kstate *s, const char *chain)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < s->n_rules; i++) {
		if (!strcmp(s->rules[i].chain, chain))
			sum += s->rules[i].packets;
	}
	return sum;
}

static unsigned int
alive_families(const struct kset *set)
{
	unsigned int families = 0;

	if (set && kset_has_family(set, AF_INET))
		families |= FAMILY_IPV4;
	if (set && kset_has_family(set, AF_INET6))
		families |= FAMILY_IPV6;
	return families;
}

/* The last two rules of a service's chain count its connections. */
static void
count_connections(const struct kstate *s, struct service_status *st)
{
	char chain[sizeof("service_") + NAME_MAX_LEN];
	size_t i;

	snprintf(chain, sizeof(chain), "service_%s", st->service->name);
	for (i = 0; i < s->n_rules; i++) {
		if (strcmp(s->rules[i].chain, chain) != 0)
			continue;
		st->captured = st->passed;
		st->passed = s->rules[i].packets;
	}
}

static struct service_status
service_status(const struct kstate *s, const struct policy_service *service)
{
	struct service_status st = {.service = service};
	char alive[POLICY_ALIVE_SET_LEN];

	st.alive =
		alive_families(kstate_set(s, policy_alive_set(service, alive)));
	count_connections(s, &st);
	return st;
}

static const char *
families_text(unsigned int families)
{
	switch (families) {
	case FAMILY_IPV4:
		return "alive for ipv4";
	case FAMILY_IPV6:
		return "alive for ipv6";
	case FAMILY_BOTH:
		return "alive";
	default:
		return "not alive";
	}
}

static const char *const counted[] = {"guard_in", "guard_out", "unowned"};
enum { N_COUNTED = sizeof(counted) / sizeof(counted[0]) };

static bool
is_captured(const struct session *s, size_t i)
{
	return s->observed.table && s->policy->services[i].n_intercepts > 0;
}

static size_t
n_services(const struct session *s)
{
	return s->policy ? s->policy->n_services : 0;
}

static void
service_text(const struct service_status *st, struct str *out)
{
	str_addf(out,
		 "service %s: %s, port %u, %" PRIu64 " captured, %" PRIu64
		 " %s\n",
		 st->service->name, families_text(st->alive),
		 st->service->capture_port, st->captured, st->passed,
		 st->service->on_failure == ON_FAILURE_OPEN ? "passed by"
							    : "refused");
}

/* What to type to have `command` read the policy that was applied. */
static void
command_text(const struct session *s, const char *command, struct str *out)
{
	if (!strcmp(s->applied, POLICY_PATH))
		str_addf(out, "`netsetup %s`", command);
	else
		str_addf(out, "`netsetup %s -f %s`", command, s->applied);
}

/* What comes before the differences. */
static void
changed_text(const struct session *s, struct str *out)
{
	if (!s->policy) {
		str_add(out, "no policy is on record: `netsetup apply` puts "
			     "one there, `netsetup remove` takes away:\n");
		return;
	}
	str_add(out, "somebody changed what was applied; ");
	if (s->edited || s->drain) { /* apply would do more than that */
		str_add(out, "to mend:\n");
		return;
	}
	command_text(s, "apply", out);
	str_add(out, " mends it:\n");
}

/* What `remove --drain` has left. */
static void
draining_text(const struct session *s, struct str *out)
{
	str_add(out, "draining: nothing is captured any more, flows that are "
		     "proxied go on;\n`netsetup remove` takes away what is "
		     "left, ");
	command_text(s, "apply", out);
	str_add(out, " captures again\n");
}

/* What proxyd has to say about it, if anything. */
static void
proxyd_text(const struct session *s, const struct serving *serving,
	    struct str *out)
{
	size_t before = out->len;

	serving_text(serving, s->applied, s->edited, out);
	if (out->len > before)
		str_add(out, "\n");
}

static void
status_text(const struct session *s, const struct leftover *left,
	    const struct serving *serving, const struct kdiff *d,
	    struct str *out)
{
	struct service_status st;
	size_t i;

	if (!s->observed.table)
		str_add(out, "nothing is installed\n");
	else
		str_addf(out, "installed: %zu rules in %zu chains\n",
			 s->observed.n_rules, s->observed.n_chains);
	if (left->pending.there) {
		leftover_text(left, out);
		str_add(out, "\n");
	}
	for (i = 0; i < n_services(s); i++) {
		if (!is_captured(s, i))
			continue;
		st = service_status(&s->observed, &s->policy->services[i]);
		service_text(&st, out);
	}
	for (i = 0; s->observed.table && i < N_COUNTED; i++)
		str_addf(out, "%s: %" PRIu64 " packets\n", counted[i],
			 chain_packets(&s->observed, counted[i]));
	if (s->edited) {
		str_addf(out, "%s has changed since it was applied; see ",
			 s->applied);
		command_text(s, "plan", out);
		str_add(out, "\n");
	}
	proxyd_text(s, serving, out);
	if (s->drain)
		draining_text(s, out);
	if (d->n == 0)
		return;
	changed_text(s, out);
	plan_text(d, out);
}

static void
service_json(const struct service_status *st, struct json *j)
{
	json_object(j, NULL);
	json_string(j, "name", st->service->name);
	json_uint(j, "port", st->service->capture_port);
	json_array(j, "alive");
	if (st->alive & FAMILY_IPV4)
		json_string(j, NULL, "ipv4");
	if (st->alive & FAMILY_IPV6)
		json_string(j, NULL, "ipv6");
	json_end(j);
	json_string(j, "on_failure", on_failure_name(st->service->on_failure));
	json_uint(j, "captured", st->captured);
	json_uint(j, "not_captured", st->passed);
	json_end(j);
}

static void
status_json(const struct session *s, const struct leftover *left,
	    const struct serving *serving, const struct kdiff *d,
	    struct str *out)
{
	struct service_status st;
	struct json j;
	size_t i;

	json_init(&j, out, true);
	json_object(&j, NULL);
	json_bool(&j, "installed", s->observed.table);
	json_bool(&j, "policy_edited", s->edited);
	leftover_json(left, &j);
	json_bool(&j, "draining", s->drain != DRAIN_NONE);
	serving_json(serving, &j);
	json_array(&j, "services");
	for (i = 0; i < n_services(s); i++) {
		if (!is_captured(s, i))
			continue;
		st = service_status(&s->observed, &s->policy->services[i]);
		service_json(&st, &j);
	}
	json_end(&j);
	json_object(&j, "counters");
	for (i = 0; i < N_COUNTED; i++)
		json_uint(&j, counted[i],
			  chain_packets(&s->observed, counted[i]));
	json_end(&j);
	plan_json(d, &j);
	json_end(&j);
}

static int
status(struct session *s, const struct options *o)
{
	struct str text = {0};
	struct serving serving;
	struct leftover left;
	struct kdiff d;
	int exit_status;

	exit_status = session_open_applied(s);
	if (exit_status < 0)
		exit_status = session_observe(s, NFT_DEPTH_ALL);
	if (exit_status >= 0)
		return exit_status;
	left = leftover_look(s->arena);
	serving = serving_ask(s->policy, s->arena);
	d = diff(&s->observed, &s->desired, s->arena);
	if (o->json)
		status_json(s, &left, &serving, &d, &text);
	else
		status_text(s, &left, &serving, &d, &text);
	fputs(str_text(&text), stdout);
	str_fini(&text);
	common_print_errors(&s->diags);
	return d.n > 0 || s->drain || s->edited || left.interrupted ||
			       left.pending.there
		       ? EXIT_DIFFERENCES
		       : EXIT_DONE;
}

int
cmd_status(int argc, char **argv)
{
	return session_command(argc, argv, OPTION_JSON, NULL, status);
}
