/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_meet.c - which statement would capture a connection? */
#include "netsetup/state/meet.h"

#include "tests/netsetup/states.h"

struct box {
	struct arena *arena;
	struct diags diags;
	struct policy *policy;
	struct facts facts;
	struct meet_flow flow;
};

static void
begin(struct box *b)
{
	memset(b, 0, sizeof(*b));
	b->arena = arena_new();
	b->facts = states_facts(b->arena);
	diags_init(&b->diags);
	b->policy = states_policy("lists", &b->diags);
	b->flow.proto = PROTO_TCP;
	endpoint_parse("10.1.0.2:40000", &b->flow.client);
	endpoint_parse("10.0.1.1:443", &b->flow.server);
}

static void
end(struct box *b)
{
	diags_fini(&b->diags);
	policy_free(b->policy);
	arena_free(b->arena);
}

/* The name of the service, "" for none. */
static const char *
service(const struct box *b)
{
	struct meet m = meet_policy(b->policy, &b->facts, &b->flow);

	UNIT_CHECK(!m.service == !m.intercept, "both or none");
	return m.service ? m.service->name : "";
}

static void
test_own_address(void)
{
	struct box b;
	struct addr own;

	begin(&b);
	own = b.flow.server.addr;
	b.facts.addrs = &own;
	b.facts.n_addrs = 1;
	UNIT_STRINGS(service(&b), "tls");
	b.flow.server.port = 80;
	UNIT_STRINGS(service(&b), "");
	b.facts.n_addrs = 0;
	UNIT_STRINGS(service(&b), "web");
	end(&b);
}

/* Only what comes in on an inside interface; unknown stands for any. */
static void
test_interface(void)
{
	struct box b;

	begin(&b);
	b.flow.server.port = 80;
	b.flow.in = "in0";
	UNIT_STRINGS(service(&b), "web");
	b.flow.in = "elsewhere";
	UNIT_STRINGS(service(&b), "");
	b.flow.in = NULL;
	UNIT_STRINGS(service(&b), "web");
	b.facts.n_ifaces = 0;
	UNIT_STRINGS(service(&b), "");
	end(&b);
}

/* The statement is the one that takes it, not the service's first. */
static void
test_statement(void)
{
	static const char text[] = "gateway {\n inside in0\n outside out*\n}\n"
				   "service web {\n"
				   " intercept tcp port 80\n"
				   " intercept tcp port 443\n"
				   "}\n";
	struct box b;
	struct meet m;

	begin(&b);
	policy_free(b.policy);
	b.policy = policy_load_text("p.conf", text, strlen(text), &b.diags);
	m = meet_policy(b.policy, &b.facts, &b.flow);
	UNIT_CHECK(m.intercept && m.intercept->place.line == 7, "line 7");
	b.flow.out = "elsewhere";
	UNIT_STRINGS(service(&b), "");
	b.flow.out = "out7";
	UNIT_STRINGS(service(&b), "web");
	end(&b);
}

static const struct unit_test tests[] = {
	{"own_address", test_own_address},
	{"interface", test_interface},
	{"statement", test_statement},
};

UNIT_MAIN("meet", tests)
