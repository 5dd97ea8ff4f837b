/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_limit.c - limits of a service: sorts, tests, rates, floods, and a
 * naive model of it all.
 */
#include <stdlib.h>
#include <string.h>

#include "proxyd/pool/limit.h"
#include "tests/unit.h"

enum { SLOTS = 4, CLIENTS = 4096 };

static struct addr
addr_of(const char *text)
{
	struct addr a = {0};

	CU_ASSERT_EQUAL(addr_parse(text, &a), 0);
	return a;
}

/* The n-th client: any number of them, IPv4. */
static struct addr
client_of(uint32_t n)
{
	struct addr a = {.family = AF_INET};

	memcpy(a.bytes, &n, sizeof(n));
	return a;
}

static struct limit
limit_new(uint32_t clients)
{
	struct limit l = {.places = places_new(clients, SLOTS),
			  .counts = calloc(1, sizeof(struct shm_counts))};

	CU_ASSERT_PTR_NOT_NULL_FATAL(l.places);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l.counts);
	return l;
}

static void
limit_free(struct limit *l)
{
	places_free(l->places);
	free(l->counts);
}

static struct policy_service
service_of(const struct policy_limit *limits, size_t n)
{
	return (struct policy_service){
		.name = "web",
		.limits = limits,
		.n_limits = n,
	};
}

static enum limit_verdict
take(struct limit *l, const struct policy_service *s, const char *client,
     uint64_t now_ms, struct limit_hold *ret_hold)
{
	struct addr a = addr_of(client);

	return limit_take(l, s, &a, now_ms, ret_hold);
}

/* --- connections -----------------------------------------------------------
 */

static void
test_none(void)
{
	struct policy_service s = service_of(NULL, 0);
	struct limit l = limit_new(CLIENTS);
	struct limit_hold hold;

	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &hold), LIMIT_PASS);
	limit_give(&l, &hold);
	limit_free(&l);
}

static void
test_connections(void)
{
	static const struct policy_limit limits[] = {
		{.kind = LIMIT_CONNECTIONS, .count = 3},
		{.kind = LIMIT_CONNECTIONS, .count = 2, .per_client = true},
	};
	struct policy_service s = service_of(limits, 2), other = s;
	struct limit l = limit_new(CLIENTS);
	struct limit_hold a, b, c, no;

	other.name = "mail";
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &a), LIMIT_PASS);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &b), LIMIT_PASS);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &no), LIMIT_REFUSE);
	/* which was not counted for the service either */
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.2", 0, &c), LIMIT_PASS);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.3", 0, &no), LIMIT_REFUSE);
	CU_ASSERT_EQUAL(take(&l, &other, "10.0.0.1", 0, &no), LIMIT_PASS);
	CU_ASSERT_EQUAL(l.counts->limited, 2);
	limit_give(&l, &a);
	/* once more does no harm */
	limit_give(&l, &a);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &a), LIMIT_PASS);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &no), LIMIT_REFUSE);
	limit_free(&l);
}

/* Who has an IPv6 network has as many addresses as it likes. */
static void
test_networks(void)
{
	static const struct policy_limit limits[] = {
		{.kind = LIMIT_CONNECTIONS, .count = 1, .per_client = true},
	};
	struct policy_service s = service_of(limits, 1);
	struct limit l = limit_new(CLIENTS);
	struct limit_hold h;

	CU_ASSERT_EQUAL(take(&l, &s, "2001:db8:1:2::1", 0, &h), LIMIT_PASS);
	CU_ASSERT_EQUAL(take(&l, &s, "2001:db8:1:2:ffff::9", 0, &h),
			LIMIT_REFUSE);
	CU_ASSERT_EQUAL(take(&l, &s, "2001:db8:1:3::1", 0, &h), LIMIT_PASS);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &h), LIMIT_PASS);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.2", 0, &h), LIMIT_PASS);
	limit_free(&l);
}

/* Of two limits the one that refuses last has cost the first one nothing. */
static void
test_order(void)
{
	static const struct policy_limit limits[] = {
		{.kind = LIMIT_CONNECTIONS, .count = 10},
		{.kind = LIMIT_RATE, .count = 1, .per_client = true},
	};
	struct policy_service s = service_of(limits, 2);
	struct limit l = limit_new(CLIENTS);
	struct limit_hold h[10], no;
	char client[16];
	int i;

	for (i = 0; i < 10; i++) {
		snprintf(client, sizeof(client), "10.0.0.%d", i);
		CU_ASSERT_EQUAL(take(&l, &s, client, 5, &h[i]), LIMIT_PASS);
		CU_ASSERT_EQUAL(take(&l, &s, client, 5, &no), LIMIT_REFUSE);
	}
	limit_give(&l, &h[0]);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 5, &no), LIMIT_REFUSE);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.99", 5, &no), LIMIT_PASS);
	limit_free(&l);
}

/* A flow that goes on in another process is counted there, once. */
static void
test_resume(void)
{
	static const struct policy_limit limits[] = {
		{.kind = LIMIT_CONNECTIONS, .count = 2, .per_client = true},
		{.kind = LIMIT_RATE, .count = 2},
	};
	struct policy_service s = service_of(limits, 2);
	struct limit l = limit_new(CLIENTS), to = l;
	struct addr client = addr_of("10.0.0.1");
	struct limit_hold a, b, no;

	to.slot = 1;
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &a), LIMIT_PASS);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &b), LIMIT_PASS);
	limit_resume(&to, &s, &client, &no);
	limit_give(&l, &a);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 5000, &a), LIMIT_REFUSE);
	/* and the dead one's flows no longer */
	places_settle(l.places, 0, 1);
	CU_ASSERT_EQUAL(take(&to, &s, "10.0.0.1", 5000, &a), LIMIT_PASS);
	CU_ASSERT_EQUAL(take(&to, &s, "10.0.0.1", 5000, &b), LIMIT_REFUSE);
	limit_free(&l);
}

/* A test refuses nobody and counts whom it would have let in. */
static void
test_test(void)
{
	static const struct policy_limit limits[] = {
		{.kind = LIMIT_CONNECTIONS, .count = 2, .test = true},
	};
	struct policy_service s = service_of(limits, 1);
	struct limit l = limit_new(CLIENTS);
	struct limit_hold a, b, c;

	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &a), LIMIT_PASS);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &b), LIMIT_PASS);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &c), LIMIT_TEST);
	limit_give(&l, &c);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &c), LIMIT_TEST);
	limit_give(&l, &b);
	CU_ASSERT_EQUAL(take(&l, &s, "10.0.0.1", 0, &b), LIMIT_PASS);
	CU_ASSERT_EQUAL(l.counts->tested, 2);
	CU_ASSERT_EQUAL(l.counts->limited, 0);
	limit_free(&l);
}

/* --- rates ------------------------------------------------------------------
 */

static unsigned int
burst(struct limit *l, const struct policy_service *s, uint64_t now_ms,
      unsigned int tries)
{
	struct limit_hold hold;
	unsigned int n = 0;

	while (tries--)
		n += take(l, s, "10.0.0.1", now_ms, &hold) == LIMIT_PASS;
	return n;
}

static void
test_rate(void)
{
	static const struct policy_limit limits[] = {
		{.kind = LIMIT_RATE, .count = 10, .per_client = true},
	};
	struct policy_service s = service_of(limits, 1);
	struct limit l = limit_new(CLIENTS);
	uint64_t now = 1000000;

	CU_ASSERT_EQUAL(burst(&l, &s, now, 50), 10);
	CU_ASSERT_EQUAL(burst(&l, &s, now + 99, 50), 0);
	CU_ASSERT_EQUAL(burst(&l, &s, now + 100, 50), 1);
	CU_ASSERT_EQUAL(burst(&l, &s, now + 350, 50), 2);
	CU_ASSERT_EQUAL(burst(&l, &s, now + 400, 50), 1);
	/* never more than the bucket holds */
	CU_ASSERT_EQUAL(burst(&l, &s, now + 60000, 50), 10);
	limit_free(&l);
}

/* The extremes of the language. */
static void
test_rate_limits(void)
{
	static const uint32_t counts[] = {1, 3, 700001, 1000000};
	struct policy_limit limit = {.kind = LIMIT_RATE};
	struct policy_service s = service_of(&limit, 1);
	struct limit l;
	uint32_t got;
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		limit.count = counts[i];
		l = limit_new(CLIENTS);
		CU_ASSERT_EQUAL(burst(&l, &s, 1000, 1100000), counts[i]);
		/* a thousandth off at most */
		got = burst(&l, &s, 2001, 1100000);
		UNIT_CHECK(got <= counts[i] && got >= counts[i] / 1000 * 999,
			   "%u/s: %u", counts[i], got);
		limit_free(&l);
	}
}

/* --- against a naive model ---------------------------------------------------
 */

enum { MODEL_CLIENTS = 40, MODEL_HOLDS = 300, MODEL_STEPS = 200000 };

/* Tokens are in billionths, all numbers whole. */
struct model {
	int64_t tokens[MODEL_CLIENTS];
	uint64_t filled_ms[MODEL_CLIENTS];
	uint32_t live[MODEL_CLIENTS];
	uint32_t sum;
};

static void
model_fill(struct model *m, uint32_t who, uint64_t now_ms, uint32_t rate)
{
	const int64_t one = 1000000000;

	m->tokens[who] +=
		(int64_t)(now_ms - m->filled_ms[who]) * 1000000 * rate;
	if (m->tokens[who] > rate * one)
		m->tokens[who] = rate * one;
	m->filled_ms[who] = now_ms;
}

static void
test_model(void)
{
	static const struct policy_limit limits[] = {
		{.kind = LIMIT_CONNECTIONS, .count = 100},
		{.kind = LIMIT_CONNECTIONS, .count = 5, .per_client = true},
		{.kind = LIMIT_RATE, .count = 20, .per_client = true},
	};
	struct limit_hold holds[MODEL_HOLDS];
	uint32_t owner[MODEL_HOLDS];
	struct model m;
	struct policy_service s = service_of(limits, 3);
	struct limit l = limit_new(512);
	enum limit_verdict got, want;
	uint64_t now = 777;
	uint32_t i, who, at;
	struct addr a;

	srandom(4);
	memset(&m, 0, sizeof(m));
	memset(owner, 0xff, sizeof(owner));
	for (i = 0; i < MODEL_CLIENTS; i++)
		m.tokens[i] = 20LL * 1000000000;
	for (i = 0; i < MODEL_STEPS; i++) {
		now += (uint64_t)random() % 5;
		at = (uint32_t)random() % MODEL_HOLDS;
		if (owner[at] != UINT32_MAX) {
			limit_give(&l, &holds[at]);
			m.live[owner[at]]--;
			m.sum--;
			owner[at] = UINT32_MAX;
			continue;
		}
		who = (uint32_t)random() % MODEL_CLIENTS;
		model_fill(&m, who, now, 20);
		want = m.sum < 100 && m.live[who] < 5 &&
				       m.tokens[who] >= 1000000000
			       ? LIMIT_PASS
			       : LIMIT_REFUSE;
		a = client_of(who);
		got = limit_take(&l, &s, &a, now, &holds[at]);
		UNIT_CHECK(got == want, "step %u: client %u", i, who);
		if (got != want)
			break;
		if (got == LIMIT_REFUSE)
			continue;
		owner[at] = who;
		m.live[who]++;
		m.sum++;
		m.tokens[who] -= 1000000000;
	}
	CU_ASSERT_EQUAL(i, MODEL_STEPS);
	CU_ASSERT_EQUAL(l.counts->unplaced, 0);
	limit_free(&l);
}

/* --- a flood
 * ------------------------------------------------------------------ */

enum { FLOOD = 1000000, HONEST = 500 };

/*
 * Honest clients have all they may have; then come a million others, who
 * hold what they get. Those who were there are neither let in once more nor
 * forgotten, and what finds no place is refused and counted.
 */
static void
test_flood(void)
{
	static const struct policy_limit limits[] = {
		{.kind = LIMIT_CONNECTIONS, .count = 1, .per_client = true},
	};
	struct policy_service s = service_of(limits, 1);
	struct limit l = limit_new(CLIENTS);
	struct limit_hold honest[HONEST];
	uint32_t i, room = places_room(l.places), passed = 0;
	struct limit_hold hold;
	struct addr a;

	for (i = 0; i < HONEST; i++) {
		a = client_of(i);
		CU_ASSERT_EQUAL(limit_take(&l, &s, &a, 0, &honest[i]),
				LIMIT_PASS);
	}
	for (i = HONEST; i < HONEST + FLOOD; i++) {
		a = client_of(i);
		passed += limit_take(&l, &s, &a, 0, &hold) == LIMIT_PASS;
		/* a quarter of the table always finds a place */
		if (i == room / 4)
			CU_ASSERT_EQUAL(passed, i + 1 - HONEST);
	}
	CU_ASSERT(passed > room / 2 && passed <= room - HONEST);
	CU_ASSERT_EQUAL(l.counts->unplaced, FLOOD - passed);
	CU_ASSERT_EQUAL(l.counts->limited, FLOOD - passed);
	for (i = 0; i < HONEST; i++) {
		a = client_of(i);
		CU_ASSERT_EQUAL(limit_take(&l, &s, &a, 0, &hold), LIMIT_REFUSE);
		limit_give(&l, &honest[i]);
		CU_ASSERT_EQUAL(limit_take(&l, &s, &a, 0, &honest[i]),
				LIMIT_PASS);
	}
	/* the services' own room is not the clients' */
	CU_ASSERT_EQUAL(l.counts->unplaced, FLOOD - passed);
	limit_free(&l);
}

/* A million clients that come and go leave all the room. */
static void
test_passing(void)
{
	static const struct policy_limit limits[] = {
		{.kind = LIMIT_CONNECTIONS, .count = 1, .per_client = true},
		{.kind = LIMIT_RATE, .count = 100, .per_client = true},
	};
	struct policy_service s = service_of(limits, 2);
	struct limit l = limit_new(CLIENTS);
	struct limit_hold hold;
	uint32_t i, passed = 0;
	struct addr a;

	for (i = 0; i < FLOOD; i++) {
		a = client_of(i);
		passed += limit_take(&l, &s, &a, i / 50, &hold) == LIMIT_PASS;
		limit_give(&l, &hold);
	}
	CU_ASSERT_EQUAL(passed, FLOOD);
	CU_ASSERT_EQUAL(l.counts->unplaced, 0);
	limit_free(&l);
}

static void
test_size(void)
{
	CU_ASSERT_EQUAL(limit_places(10), 16384);
	CU_ASSERT_EQUAL(limit_places(20000), 80000);
	CU_ASSERT_EQUAL(limit_places(UINT32_MAX), PLACES_MAX);
}

static const struct unit_test tests[] = {
	{"none", test_none},	     {"connections", test_connections},
	{"networks", test_networks}, {"order", test_order},
	{"resume", test_resume},     {"test", test_test},
	{"rate", test_rate},	     {"rate_limits", test_rate_limits},
	{"model", test_model},	     {"flood", test_flood},
	{"passing", test_passing},   {"size", test_size},
};

UNIT_MAIN("limit", tests)
