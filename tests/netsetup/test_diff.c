/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Differences between installed and wanted, as plans in golden files; and
 * what must never be a difference.
 */
#include "netsetup/state/diff.h"
#include "netsetup/state/draft.h"
#include "netsetup/state/plan.h"
#include "tests/netsetup/states.h"

/* Two states of one arena, and their policies. */
struct pair {
	struct arena *arena;
	struct diags diags;
	struct policy *policies[2];
	struct kstate was; /* as installed */
	struct kstate will;
};

static struct kstate
make(struct pair *p, int which, const char *name)
{
	struct facts facts = states_facts(p->arena);
	struct kstate s = {0};

	p->policies[which] = states_policy(name, &p->diags);
	if (p->policies[which])
		desired(p->policies[which], &facts, p->arena, &p->diags, &s);
	return s;
}

/* NULL: nothing is installed, or nothing is wanted. */
static void
pair_init(struct pair *p, const char *was, const char *will)
{
	struct kstate s;

	memset(p, 0, sizeof(*p));
	p->arena = arena_new();
	diags_init(&p->diags);
	if (was) {
		s = make(p, 0, was);
		p->was = states_installed(p->arena, &s);
	}
	if (will)
		p->will = make(p, 1, will);
}

static void
pair_fini(struct pair *p)
{
	diags_fini(&p->diags);
	policy_free(p->policies[0]);
	policy_free(p->policies[1]);
	arena_free(p->arena);
}

static struct kdiff
pair_diff(struct pair *p)
{
	return diff(&p->was, &p->will, p->arena);
}

static void
check_golden(const char *was, const char *will, const char *golden)
{
	struct str text = {0};
	struct kdiff d;
	struct pair p;

	pair_init(&p, was, will);
	d = pair_diff(&p);
	plan_text(&d, &text);
	unit_golden(golden, str_text(&text));
	str_fini(&text);
	pair_fini(&p);
}

static void
test_golden(void)
{
	check_golden(NULL, "first", "netsetup/nothing-first.plan");
	check_golden("first", NULL, "netsetup/first-nothing.plan");
	check_golden("first", "more", "netsetup/first-more.plan");
	check_golden("more", "first", "netsetup/more-first.plan");
	check_golden("lists", "ports", "netsetup/lists-ports.plan");
	check_golden("first", "gateway", "netsetup/first-gateway.plan");
	check_golden("first", "listen", "netsetup/first-listen.plan");
	check_golden("first", "slower", "netsetup/first-slower.plan");
}

/* What is installed is what is wanted; lines may have moved. */
static void
test_same(void)
{
	static const char *const pairs[][2] = {
		{"first", "first"},   {"lists", "lists"},
		{"listen", "listen"}, {"nothing", "nothing"},
		{"first", "moved"},
	};
	struct pair p;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		pair_init(&p, pairs[i][0], pairs[i][1]);
		UNIT_CHECK(pair_diff(&p).n == 0, "%s %s", pairs[i][0],
			   pairs[i][1]);
		pair_fini(&p);
	}
}

/* The first rule of `chain`. */
static struct krule *
rule_of(struct kstate *s, const char *chain)
{
	size_t i;

	for (i = 0; i < s->n_rules; i++) {
		if (!strcmp(s->rules[i].chain, chain))
			return &s->rules[i];
	}
	return NULL;
}

static void
check_one(struct pair *p, enum kchange_op op, enum kchange_object object)
{
	struct kdiff d = pair_diff(p);
	struct str text = {0};

	plan_text(&d, &text);
	UNIT_CHECK(d.n == 1 && d.list[0].op == op && d.list[0].object == object,
		   "%s", str_text(&text));
	str_fini(&text);
}

/* Somebody has tampered: each kind of drift is one change. */
static void
test_drift(void)
{
	struct kchain foreign = {.name = "visitor"};
	struct pair p;

	pair_init(&p, "first", "first");
	p.was.table_flags = NFT_TABLE_F_DORMANT;
	check_one(&p, KCHANGE_REPLACE, KCHANGE_TABLE);
	pair_fini(&p);

	pair_init(&p, "first", "first");
	rule_of(&p.was, "guard_in")->digest = 0; /* rewritten by hand */
	check_one(&p, KCHANGE_REPLACE, KCHANGE_RULE);
	pair_fini(&p);

	pair_init(&p, "first", "first");
	rule_of(&p.was, "guard_in")->edited = true; /* but for its comment */
	check_one(&p, KCHANGE_REPLACE, KCHANGE_RULE);
	pair_fini(&p);

	pair_init(&p, "first", "first");
	p.was.n_rules--; /* guard_out's only rule is gone */
	check_one(&p, KCHANGE_ADD, KCHANGE_RULE);
	pair_fini(&p);

	pair_init(&p, "first", "first");
	p.was.chains = arena_memdup(p.arena, p.was.chains,
				    (p.was.n_chains + 1) * sizeof(foreign));
	p.was.chains[p.was.n_chains++] = foreign;
	check_one(&p, KCHANGE_REMOVE, KCHANGE_CHAIN);
	pair_fini(&p);

	pair_init(&p, "first", "first");
	p.was.n_iprules--;
	check_one(&p, KCHANGE_ADD, KCHANGE_IPRULE);
	pair_fini(&p);

	pair_init(&p, "first", "first");
	p.was.routes[0].table = 7;
	UNIT_CHECK(pair_diff(&p).n == 2, "a route in another table");
	pair_fini(&p);

	pair_init(&p, "first", "first");
	p.was.sysctls[0].value = "0";
	check_one(&p, KCHANGE_REPLACE, KCHANGE_SYSCTL);
	pair_fini(&p);
}

/* A timeout that is not what its name says, with the rules that name it. */
static void
test_timeout_replaced(void)
{
	struct str text = {0};
	struct kdiff d;
	struct pair p;

	pair_init(&p, "off", "off");
	CU_ASSERT_EQUAL_FATAL(p.was.n_timeouts, 1);
	p.was.timeouts[0].seconds = 30;
	d = pair_diff(&p);
	plan_text(&d, &text);
	UNIT_STRINGS(str_text(&text),
		     "~ ct timeout udp_70s udp 70s  # "
		     "tests/cases/netsetup/off.conf:9\n"
		     "~ rule service_dns: meta nfproto @alive_dns_21268 meta "
		     "l4proto udp ct timeout set \"udp_70s\" counter redirect "
		     "to :21268  # tests/cases/netsetup/off.conf:9\n"
		     "0 to add, 2 to replace, 0 to remove\n");
	str_clear(&text);
	p.was.n_timeouts = 0;
	d = pair_diff(&p);
	UNIT_CHECK(d.n == 1 && d.list[0].op == KCHANGE_ADD, "%zu", d.n);
	str_fini(&text);
	pair_fini(&p);
}

/* A chain with another policy is made anew, and with it all that names it. */
static void
test_chain_replaced(void)
{
	struct str text = {0};
	struct kdiff d;
	struct pair p;
	size_t i;

	pair_init(&p, "first", "first");
	for (i = 0; i < p.was.n_chains; i++) {
		if (!strcmp(p.was.chains[i].name, "unowned"))
			p.was.chains[i].base = true;
	}
	d = pair_diff(&p);
	plan_text(&d, &text);
	/* the chain, its four rules, and the jump to it */
	UNIT_CHECK(d.n == 6, "%s", str_text(&text));
	str_fini(&text);
	pair_fini(&p);
}

/* Elements that packets made are nobody's business; others are. */
static void
test_elements(void)
{
	struct kelem some[1] = {0};
	struct pair p;
	size_t i;

	pair_init(&p, "lists", "lists");
	for (i = 0; i < p.was.n_sets; i++) {
		if (strncmp(p.was.sets[i].name, "alive_", 6) != 0)
			continue;
		p.was.sets[i].elems = some;
		p.was.sets[i].n_elems = 1;
	}
	UNIT_CHECK(pair_diff(&p).n == 0, "alive elements");
	pair_fini(&p);

	pair_init(&p, "lists", "lists");
	for (i = 0; i < p.was.n_sets; i++) {
		if (!strcmp(p.was.sets[i].name, "ports1_web"))
			p.was.sets[i].n_elems--;
	}
	/* the set, and the two rules that look into it */
	UNIT_CHECK(pair_diff(&p).n == 3, "%zu", pair_diff(&p).n);
	pair_fini(&p);
}

static struct kstate
with_map(struct arena *a, bool base, const char *target)
{
	struct kelem e = {.low = {0, 80}, .high = {0, 80}};
	struct place nowhere = {0};
	struct kstate s;
	struct draft d;

	e.verdict = NFT_JUMP;
	e.chain = target;
	draft_init(&d, a, &s);
	draft_base_chain(&d, "front", "filter", 0, 0, nowhere);
	if (base)
		draft_base_chain(&d, "one", "filter", 1, 0, nowhere);
	else
		draft_chain(&d, "one", nowhere);
	draft_chain(&d, "two", nowhere);
	draft_map(&d, "map", KSET_PORT, &e, 1, nowhere, "x");
	rule_port_vmap(&d.rule, IPPROTO_TCP, RULE_DESTINATION, "map");
	draft_rule(&d, "front", nowhere, "x");
	return s;
}

/* A map that leads elsewhere is another, and its users move. */
static void
test_map(void)
{
	struct arena *a = arena_new();
	struct kstate is = with_map(a, false, "one"), was;
	struct kstate other = with_map(a, false, "two");
	struct kstate base = with_map(a, true, "one");
	struct str text = {0};
	struct kdiff d;

	was = states_installed(a, &is);
	UNIT_CHECK(diff(&was, &is, a).n == 0, "same");
	d = diff(&was, &other, a);
	plan_text(&d, &text);
	UNIT_STRINGS(str_text(&text), "~ map map { 80 : jump two }\n"
				      "~ rule front: tcp dport vmap @map\n"
				      "0 to add, 2 to replace, 0 to remove\n");
	/* a chain that must be made anew takes the map with it */
	str_clear(&text);
	was = states_installed(a, &base);
	d = diff(&was, &is, a);
	plan_text(&d, &text);
	UNIT_STRINGS(str_text(&text), "~ chain one\n"
				      "~ map map { 80 : jump one }\n"
				      "~ rule front: tcp dport vmap @map\n"
				      "0 to add, 3 to replace, 0 to remove\n");
	str_fini(&text);
	arena_free(a);
}

/* A rule that comes in the middle stands before the one that stays. */
static void
test_position(void)
{
	const struct kchange *c = NULL;
	uint64_t last = 0; /* of the chain: the one that stays */
	struct kdiff d;
	struct pair p;
	size_t i;

	pair_init(&p, "first", "more");
	for (i = 0; i < p.was.n_rules; i++) {
		if (!strcmp(p.was.rules[i].chain, "capture"))
			last = p.was.rules[i].handle;
	}
	d = pair_diff(&p);
	for (i = 0; i < d.n; i++) {
		if (d.list[i].object == KCHANGE_RULE &&
		    !strcmp(d.list[i].will.rule->chain, "capture"))
			c = &d.list[i];
	}
	UNIT_CHECK(c && c->op == KCHANGE_ADD && c->before == last,
		   "before %llu", c ? (unsigned long long)c->before : 0);
	pair_fini(&p);
}

static void
test_json(void)
{
	struct str text = {0};
	struct json j;
	struct kdiff d;
	struct pair p;

	pair_init(&p, "first", "slower");
	d = pair_diff(&p);
	json_init(&j, &text, true);
	json_object(&j, NULL);
	plan_json(&d, &j);
	json_end(&j);
	unit_golden("netsetup/first-slower.json", str_text(&text));
	str_fini(&text);
	pair_fini(&p);
}

enum { LONG = 5000 };

/* A chain of rules whose digests are 1 to LONG, in order. */
static struct kstate
long_state(struct arena *a)
{
	const struct kchain chain = {.name = "long"};
	struct kstate s = {.table = true, .n_chains = 1, .n_rules = LONG};
	size_t i;

	s.chains = arena_memdup(a, &chain, sizeof(chain));
	s.rules = arena_calloc(a, LONG, sizeof(*s.rules));
	for (i = 0; i < LONG; i++) {
		s.rules[i].chain = chain.name;
		s.rules[i].digest = i + 1;
		s.rules[i].handle = i + 1001;
	}
	return s;
}

/* However long a chain is: what is the same is no change. */
static void
test_long_chain(void)
{
	struct arena *a = arena_new();
	struct kstate was = long_state(a), will = long_state(a);
	struct kdiff d = diff(&was, &will, a);

	UNIT_CHECK(d.n == 0, "%zu changes of nothing", d.n);
	will.rules[LONG / 2].digest = LONG + 1;
	d = diff(&was, &will, a);
	UNIT_CHECK(d.n == 1 && d.list[0].op == KCHANGE_REPLACE &&
			   d.list[0].before == was.rules[LONG / 2 + 1].handle,
		   "%zu changes of one rule", d.n);
	will.rules[LONG / 2].digest = LONG / 2 + 1;
	will.rules++;
	will.n_rules--;
	d = diff(&was, &will, a);
	UNIT_CHECK(d.n == 1 && d.list[0].op == KCHANGE_REMOVE &&
			   d.list[0].was.rule == was.rules,
		   "%zu changes without the first", d.n);
	d = diff(&will, &was, a);
	UNIT_CHECK(d.n == 1 && d.list[0].op == KCHANGE_ADD &&
			   d.list[0].before == will.rules[0].handle,
		   "%zu changes with the first", d.n);
	arena_free(a);
}

static const struct unit_test tests[] = {
	{"long_chain", test_long_chain},
	{"golden", test_golden},
	{"same", test_same},
	{"drift", test_drift},
	{"chain_replaced", test_chain_replaced},
	{"timeout_replaced", test_timeout_replaced},
	{"elements", test_elements},
	{"map", test_map},
	{"position", test_position},
	{"json", test_json},
};

UNIT_MAIN("diff", tests)
