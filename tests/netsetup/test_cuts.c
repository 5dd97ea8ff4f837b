/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_cuts.c - which change of policy cuts proxied flows? */
#include "netsetup/state/cuts.h"

#include "tests/netsetup/states.h"

#define GATEWAY(more) "gateway {\n inside in0\n" more "}\n"
#define WEB "service web {\n intercept tcp port 80\n}\n"
#define FROM_HERE "pool original {\n node original\n source gateway\n}\n"
#define LISTEN "service web {\n listen tcp 80\n}\n"

#define TPROXY "service web {\n intercept tcp port 80 via tproxy\n}\n"

enum { SPOOFED = 1, TPROXIED = 2, REDIRECTED = 4 };

/* clang-format off */
static const struct {
	const char *was;
	const char *will; /* NULL: nothing */
	enum cut why;
	int legs;
} rows[] = {
	{ GATEWAY("") WEB, GATEWAY("") WEB, CUT_NOTHING, 0 },
	{ GATEWAY("") WEB, GATEWAY(" zone 7\n") WEB, CUT_ZONE, SPOOFED },
	{ GATEWAY("") WEB, GATEWAY(" mark 1 2 mask 3\n") WEB, CUT_MARK,
	  SPOOFED },
	{ GATEWAY("") WEB, GATEWAY(" table 7\n") WEB, CUT_NOTHING, 0 },
	{ GATEWAY("") WEB, NULL, CUT_RETURN_PATH, SPOOFED | REDIRECTED },
	{ GATEWAY("") WEB, GATEWAY("") FROM_HERE WEB, CUT_RETURN_PATH,
	  SPOOFED },
	{ GATEWAY("") WEB, GATEWAY("") LISTEN, CUT_NAT, REDIRECTED },
	{ GATEWAY("") WEB, GATEWAY("") TPROXY, CUT_NAT, REDIRECTED },
	{ GATEWAY("") FROM_HERE WEB, GATEWAY(" zone 7\n") WEB, CUT_NOTHING,
	  0 },
	{ GATEWAY("") FROM_HERE WEB, NULL, CUT_NAT, REDIRECTED },
	{ GATEWAY("") LISTEN, NULL, CUT_RETURN_PATH, SPOOFED },
	{ GATEWAY("") TPROXY, GATEWAY("") WEB, CUT_RETURN_PATH, TPROXIED },
	{ GATEWAY("") FROM_HERE TPROXY, GATEWAY("") FROM_HERE WEB,
	  CUT_RETURN_PATH, TPROXIED },
	{ GATEWAY("") TPROXY, GATEWAY("") FROM_HERE TPROXY, CUT_RETURN_PATH,
	  SPOOFED },
	{ GATEWAY("") TPROXY, GATEWAY(" zone 7\n") TPROXY, CUT_ZONE,
	  SPOOFED },
	{ GATEWAY(" upstream-tracking off\n") WEB,
	  GATEWAY(" upstream-tracking off\n zone 7\n") WEB, CUT_NOTHING, 0 },
};
/* clang-format on */

static struct policy *
load(const char *text, struct diags *d)
{
	return text ? policy_load_text("p.conf", text, strlen(text), d) : NULL;
}

static void
test_rows(void)
{
	struct policy *was, *will;
	struct diags d;
	struct cuts c;
	size_t i;
	int legs;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		diags_init(&d);
		was = load(rows[i].was, &d);
		will = load(rows[i].will, &d);
		UNIT_CHECK(was && d.n_errors == 0, "row %zu", i);
		c = cuts(was, will);
		legs = c.spoofed * SPOOFED + c.tproxied * TPROXIED +
		       c.redirected * REDIRECTED;
		UNIT_CHECK(c.why == rows[i].why && legs == rows[i].legs,
			   "row %zu: %d, %d", i, c.why, legs);
		policy_free(was);
		policy_free(will);
		diags_fini(&d);
	}
}

static void
test_words(void)
{
	struct policy *was, *will;
	struct str text = {0};
	struct diags d;

	diags_init(&d);
	was = load(GATEWAY("") WEB, &d);
	will = load(GATEWAY(" zone 7\n") WEB, &d);
	cuts_format(was, will, 1, &text);
	UNIT_STRINGS(str_text(&text),
		     "cuts 1 flow: the conntrack zone changes from 9061 to 7");
	str_clear(&text);
	cuts_format(was, NULL, 2, &text);
	UNIT_STRINGS(str_text(&text),
		     "cuts 2 flows: the return path that they need goes");
	str_fini(&text);
	policy_free(was);
	policy_free(will);
	diags_fini(&d);
}

static const struct unit_test tests[] = {
	{"rows", test_rows},
	{"words", test_words},
};

UNIT_MAIN("cuts", tests)
