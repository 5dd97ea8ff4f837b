/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What policies ask for, against golden files; what a box cannot do.
 */
#include <errno.h>

#include "tests/netsetup/states.h"

/* State of a case on a box; diags are appended, as text. */
static void
state_text(const char *name, const struct facts *facts, int want_r,
	   struct str *out)
{
	struct arena *a = arena_new();
	struct facts usual = states_facts(a);
	struct kstate s;
	struct diags d;
	struct policy *p;
	int r;

	diags_init(&d);
	p = states_policy(name, &d);
	if (p) {
		r = desired(p, facts ? facts : &usual, a, &d, &s);
		UNIT_CHECK(r == want_r, "%s: %d", name, r);
		kstate_format(&s, out);
		diags_format(&d, false, out);
	}
	diags_fini(&d);
	policy_free(p);
	arena_free(a);
}

static void
test_golden(void)
{
	static const char *const cases[] = {
		"first", "lists",   "gateway", "outside", "listen",
		"ipv4",	 "nothing", "modes",   "tproxy",  "off",
	};
	struct str text = {0};
	char golden[64];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		str_clear(&text);
		state_text(cases[i], NULL, 0, &text);
		snprintf(golden, sizeof(golden), "netsetup/%s.state", cases[i]);
		unit_golden(golden, str_text(&text));
	}
	str_fini(&text);
}

/* Only what a policy that does nothing in the kernel asks for. */
static void
test_nothing(void)
{
	struct str text = {0};

	state_text("nothing", NULL, 0, &text);
	UNIT_STRINGS(str_text(&text), "");
	str_fini(&text);
}

static void
test_no_ipv6(void)
{
	struct arena *a = arena_new();
	struct facts f = states_facts(a);
	struct str text = {0};

	f.families = FAMILY_IPV4;
	state_text("first", &f, 0, &text);
	UNIT_CHECK(strstr(str_text(&text), "first.conf:1:1: warning: ipv6 is "
					   "switched off on this box and left "
					   "out") != NULL,
		   "%s", str_text(&text));
	UNIT_CHECK(strstr(str_text(&text), "meta nfproto ipv4 fib daddr") !=
			   NULL,
		   "%s", str_text(&text));
	UNIT_CHECK(!strstr(str_text(&text), "route ipv6"), "%s",
		   str_text(&text));
	UNIT_CHECK(!strstr(str_text(&text), "net/ipv6"), "%s", str_text(&text));
	str_fini(&text);
	arena_free(a);
}

/* A family that is asked for by name must be there. */
static void
test_named_family(void)
{
	struct arena *a = arena_new();
	struct facts f = states_facts(a);
	struct str text = {0};

	f.families = FAMILY_IPV6;
	state_text("ipv4", &f, -EOPNOTSUPP, &text);
	UNIT_CHECK(strstr(str_text(&text),
			  "error: ipv4 is switched off on this box") != NULL,
		   "%s", str_text(&text));
	str_fini(&text);
	arena_free(a);
}

static void
test_no_ipv4_address(void)
{
	struct arena *a = arena_new();
	struct facts f = states_facts(a);
	struct str text = {0};

	f.ifaces[0].ipv4 = false;
	state_text("first", &f, -EOPNOTSUPP, &text);
	UNIT_CHECK(strstr(str_text(&text),
			  "first.conf:6:5: error: interface 'in0' has no "
			  "IPv4 address") != NULL,
		   "%s", str_text(&text));
	str_fini(&text);
	arena_free(a);
}

/* What an earlier intercept does not capture, or not by name, is seen. */
static void
test_no_ipv4_address_later(void)
{
	struct arena *a = arena_new();
	struct facts f = states_facts(a);
	struct str text = {0};
	const char *first;

	f.ifaces[0].ipv4 = false;
	f.ifaces[1].ipv4 = false;
	state_text("addresses", &f, -EOPNOTSUPP, &text);
	first = strstr(str_text(&text), "addresses.conf:6:5: error: interface "
					"'in0' has no IPv4 address: what is "
					"redirected there would be dropped");
	UNIT_CHECK(first != NULL, "%s", str_text(&text));
	UNIT_CHECK(first && !strstr(first + 60, "'in0' has"), "said once: %s",
		   str_text(&text));
	UNIT_CHECK(strstr(str_text(&text),
			  "addresses.conf:10:5: error: "
			  "interface 'in1' has no IPv4") != NULL,
		   "%s", str_text(&text));
	str_fini(&text);
	arena_free(a);
}

static void
test_no_interface(void)
{
	struct arena *a = arena_new();
	struct facts f = states_facts(a);
	struct str text = {0};

	f.n_ifaces = 0;
	state_text("lists", &f, 0, &text);
	UNIT_CHECK(strstr(str_text(&text),
			  "lists.conf:13:5: warning: there is no interface "
			  "'in0' yet\n") != NULL,
		   "%s", str_text(&text));
	UNIT_CHECK(strstr(str_text(&text), "'in1'") != NULL, "%s",
		   str_text(&text));
	/* each is named once */
	UNIT_CHECK(!strstr(strstr(str_text(&text), "'in0'") + 1, "'in0'"), "%s",
		   str_text(&text));
	str_fini(&text);
	arena_free(a);
}

static void
test_router_advertisements(void)
{
	struct arena *a = arena_new();
	struct facts f = states_facts(a);
	struct str text = {0};

	f.ifaces[1].ra_route = true;
	f.ifaces[1].accept_ra = 1;
	state_text("first", &f, -EOPNOTSUPP, &text);
	UNIT_CHECK(strstr(str_text(&text), "on 'in1'") &&
			   strstr(str_text(&text), "accept_ra=2"),
		   "%s", str_text(&text));
	str_clear(&text);
	f.ifaces[1].accept_ra = 2;
	state_text("first", &f, 0, &text);
	str_clear(&text);
	f.ifaces[1].accept_ra = 1;
	f.forwards_ipv6 = true; /* nothing is lost any more */
	state_text("first", &f, 0, &text);
	str_clear(&text);
	f.forwards_ipv6 = false;
	state_text("ipv4", &f, 0, &text);
	str_clear(&text);
	state_text("gateway", &f, 0, &text);
	str_fini(&text);
	arena_free(a);
}

static const struct unit_test tests[] = {
	{"golden", test_golden},
	{"nothing", test_nothing},
	{"no_ipv6", test_no_ipv6},
	{"named_family", test_named_family},
	{"no_ipv4_address", test_no_ipv4_address},
	{"no_ipv4_address_later", test_no_ipv4_address_later},
	{"no_interface", test_no_interface},
	{"router_advertisements", test_router_advertisements},
};

UNIT_MAIN("desired", tests)
