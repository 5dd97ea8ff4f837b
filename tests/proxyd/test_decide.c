/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_decide.c - who gets which server, from which address, or why not. */
#include <string.h>

#include "lib/diag.h"

#include "policy/policy.h"

#include "proxyd/flow/decide.h"

#include "tests/unit.h"

static const char text[] =
	"gateway { inside eth1; mark 0x100 0x200 mask 0x300 }\n"
	"pool plain { node original; source gateway }\n"
	"pool exact { node original; source client-port }\n"
	"pool named { node original; source 192.0.2.9 }\n"
	"pool app { node 10.9.0.1:8080; node 10.9.0.2; node [fd09::1]:8080\n"
	"	source gateway }\n"
	"pool mine { node 10.9.0.1:8080; node [fd09::1]; source client }\n"
	"pool four { node 10.9.0.1:8080; source client }\n"
	"pool told { node 10.9.0.1:8080; source gateway; send-proxy v1 }\n"
	"service original { intercept tcp port 80 }\n"
	"service plain { listen tcp 81; use plain }\n"
	"service exact { listen tcp 82; use exact }\n"
	"service named { listen tcp 83; use named }\n"
	"service app { listen tcp 84; use app }\n"
	"service mine { listen tcp 85; use mine }\n"
	"service four { listen tcp 86; use four }\n"
	"service told { listen tcp 87; use told }\n";

struct bench {
	struct policy *policy;
	struct balance balance;
	struct decide_ask ask;
	struct decision d;
};

static struct endpoint
endpoint(const char *s)
{
	struct endpoint e;

	memset(&e, 0, sizeof(e));
	CU_ASSERT_EQUAL_FATAL(endpoint_parse(s, &e), 0);
	return e;
}

static void
bench_init(struct bench *t)
{
	struct diags diags;

	memset(t, 0, sizeof(*t));
	diags_init(&diags);
	t->policy = policy_load_text("t.conf", text, sizeof(text) - 1, &diags);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->policy);
	diags_fini(&diags);
	CU_ASSERT_EQUAL_FATAL(balance_init(&t->balance, t->policy), 0);
	t->ask.client = endpoint("10.1.0.2:45678");
	t->ask.destination = endpoint("10.2.0.2:80");
	t->ask.via = RECORD_VIA_NAT;
	t->ask.return_path = FAMILY_BOTH;
}

static void
bench_fini(struct bench *t)
{
	balance_fini(&t->balance);
	policy_free(t->policy);
}

static enum reason
ask(struct bench *t, const char *service)
{
	t->ask.service = policy_service(t->policy, service);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->ask.service);
	return decide(t->policy, &t->balance, &t->ask, &t->d);
}

/* From `source` ("-": ours) to `target`; spoofing or not. */
static void
check(struct bench *t, const char *service, const char *source,
      const char *target, bool spoofs)
{
	char buf[ENDPOINT_TEXT_LEN];

	UNIT_STRINGS(reason_word(ask(t, service)), "-");
	UNIT_STRINGS(endpoint_format(&t->d.upstream.target, buf), target);
	UNIT_STRINGS(endpoint_format(&t->d.upstream.source, buf), source);
	CU_ASSERT_EQUAL(t->d.upstream.mark, spoofs ? 0x200 : 0);
}

static void
refuses(struct bench *t, const char *service, enum reason reason)
{
	UNIT_STRINGS(reason_word(ask(t, service)), reason_word(reason));
}

static void
test_sources(void)
{
	struct bench t;

	bench_init(&t);
	check(&t, "original", "10.1.0.2", "10.2.0.2:80", true);
	check(&t, "plain", "-", "10.2.0.2:80", false);
	check(&t, "exact", "10.1.0.2:45678", "10.2.0.2:80", true);
	check(&t, "named", "192.0.2.9", "10.2.0.2:80", true);
	t.ask.client = endpoint("[fd01::2]:45678");
	t.ask.destination = endpoint("[fd02::2]:443");
	check(&t, "original", "fd01::2", "[fd02::2]:443", true);
	refuses(&t, "named", REASON_FAMILY);
	bench_fini(&t);
}

/* Nodes in turn; a spoofing pool leaves out those it cannot use. */
static void
test_turns(void)
{
	struct bench t;

	bench_init(&t);
	check(&t, "app", "-", "10.9.0.1:8080", false);
	check(&t, "app", "-", "10.9.0.2:80", false);
	check(&t, "app", "-", "[fd09::1]:8080", false);
	check(&t, "app", "-", "10.9.0.1:8080", false);
	check(&t, "mine", "10.1.0.2", "10.9.0.1:8080", true);
	check(&t, "mine", "10.1.0.2", "10.9.0.1:8080", true);
	t.ask.client = endpoint("[fd01::2]:45678");
	t.ask.destination = endpoint("[fd02::2]:443");
	check(&t, "mine", "fd01::2", "[fd09::1]:443", true);
	refuses(&t, "four", REASON_FAMILY);
	bench_fini(&t);
}

static void
test_return_path(void)
{
	struct bench t;

	bench_init(&t);
	t.ask.return_path = FAMILY_IPV6;
	refuses(&t, "original", REASON_NO_RETURN_PATH);
	refuses(&t, "named", REASON_NO_RETURN_PATH);
	check(&t, "plain", "-", "10.2.0.2:80", false);
	t.ask.return_path = FAMILY_IPV4;
	check(&t, "original", "10.1.0.2", "10.2.0.2:80", true);
	bench_fini(&t);
}

/* The destination is never guessed, and asked for only where it matters. */
static void
test_unknown(void)
{
	struct bench t;

	bench_init(&t);
	memset(&t.ask.destination, 0, sizeof(t.ask.destination));
	t.ask.via = RECORD_VIA_NONE;
	refuses(&t, "plain", REASON_NO_DESTINATION);
	check(&t, "app", "-", "10.9.0.1:8080", false);
	refuses(&t, "app", REASON_NO_DESTINATION);
	t.ask.captured = true;
	refuses(&t, "app", REASON_NO_DESTINATION);
	bench_fini(&t);
}

static void
test_local(void)
{
	struct bench t;

	bench_init(&t);
	t.ask.via = RECORD_VIA_LOCAL;
	t.ask.destination = endpoint("10.1.0.1:84");
	refuses(&t, "plain", REASON_LOOP);
	check(&t, "app", "-", "10.9.0.1:8080", false);
	check(&t, "app", "-", "10.9.0.2:84", false);
	t.ask.captured = true;
	refuses(&t, "app", REASON_DIRECT);
	bench_fini(&t);
}

/* What a PROXY header says may be nowhere: that matters where it is used. */
static void
test_header(void)
{
	static const char *const nowhere[] = {
		"0.0.0.0:80", "224.0.0.1:80", "255.255.255.255:80",
		"[::]:80",    "[ff02::1]:80", "10.2.0.2",
	};
	struct bench t;
	size_t i;

	bench_init(&t);
	t.ask.via = RECORD_VIA_PROXY;
	t.ask.captured = true;
	check(&t, "original", "10.1.0.2", "10.2.0.2:80", true);
	for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		t.ask.destination = endpoint(nowhere[i]);
		refuses(&t, "plain", REASON_NO_DESTINATION);
		check(&t, "app", "-", "10.9.0.1:8080", false);
		refuses(&t, "app", REASON_NO_DESTINATION);
		check(&t, "app", "-", "[fd09::1]:8080", false);
	}
	bench_fini(&t);
}

static void
test_needs_port(void)
{
	struct bench t;

	bench_init(&t);
	CU_ASSERT(decide_needs_port(policy_service(t.policy, "exact")));
	CU_ASSERT(decide_needs_port(policy_service(t.policy, "told")));
	CU_ASSERT(!decide_needs_port(policy_service(t.policy, "original")));
	CU_ASSERT(!decide_needs_port(policy_service(t.policy, "plain")));
	bench_fini(&t);
}

static const struct unit_test tests[] = {
	{"sources", test_sources},
	{"turns", test_turns},
	{"return_path", test_return_path},
	{"unknown", test_unknown},
	{"local", test_local},
	{"header", test_header},
	{"needs_port", test_needs_port},
};

UNIT_MAIN("decide", tests)
