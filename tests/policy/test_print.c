/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Canonical text: what it looks like, and that it means what it was made
 * from. policy_equal() is written without the printer, and judged here too.
 */
#include "lib/hash.h"
#include "tests/policy/texts.h"
#include "tests/unit.h"

/* Does loading the printed text give the same model? */
static void
round_trip(const char *path, const struct policy *p, const struct str *printed)
{
	struct str messages = {0}, again = {0};
	struct policy *q;

	q = texts_load("printed", str_text(printed), printed->len, &messages);
	UNIT_CHECK(q != NULL, "%s: the printed text is wrong: %s", path,
		   str_text(&messages));
	if (q) {
		UNIT_CHECK(policy_equal(p, q), "%s: not the same model", path);
		CU_ASSERT_EQUAL(p->digest, q->digest);
		policy_print(q, &again);
		UNIT_STRINGS(str_text(&again), str_text(printed));
	}
	CU_ASSERT_EQUAL(p->digest, hash64(str_text(printed), printed->len, 0));
	policy_free(q);
	str_fini(&again);
	str_fini(&messages);
}

/* tests/cases/policy/good/X.conf prints as X.out, and warns of nothing. */
static void
good(const char *path)
{
	struct str text = {0}, messages = {0}, printed = {0};
	struct policy *p;
	char name[256];

	texts_read(path, &text);
	p = texts_load("policy.conf", str_text(&text), text.len, &messages);
	UNIT_CHECK(p && !messages.len, "%s: %s", path, str_text(&messages));
	if (p) {
		policy_print(p, &printed);
		unit_golden(texts_golden(path, ".out", name),
			    str_text(&printed));
		round_trip(path, p, &printed);
	}
	policy_free(p);
	str_fini(&text);
	str_fini(&messages);
	str_fini(&printed);
}

static void
test_good(void)
{
	CU_ASSERT(texts_each("tests/cases/policy/good/*.conf", good) >= 10);
}

/* Each of these differs from the first one, and from the others. */
static const char *const different[] = {
	"gateway { inside eth1 } service web { intercept tcp port 80 }",
	"gateway { inside eth2 } service web { intercept tcp port 80 }",
	"gateway { inside eth1* } service web { intercept tcp port 80 }",
	"gateway { inside eth1, eth2 } service web { intercept tcp port 80 }",
	"gateway { inside eth1; outside eth0 } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; family ipv4, ipv6 } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; family ipv4 } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; except port 1 } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; except port 2 } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; except from any } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; except from 10.0.0.1 } service web { "
	"intercept tcp port 80 }",
	"gateway { inside eth1; except to 10.0.0.1 } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; on-failure closed } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; on-drift restore } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; alive-timeout 4s } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; mark 1 2 mask 3 } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; mark 2 1 mask 3 } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; mark 1 2 mask 7 } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; table 5 } service web { intercept tcp port "
	"80 }",
	"gateway { inside eth1; priority 5 } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; zone 5 } service web { intercept tcp port 80 "
	"}",
	"gateway { inside eth1; capture-ports 16000-23998 } service web { "
	"intercept tcp port 80 }",
	"gateway { inside eth1; forwarding no } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; user x } service web { intercept tcp port 80 "
	"}",
	"gateway { inside eth1; workers 2 } service web { intercept tcp port "
	"80 }",
	"gateway { inside eth1; limit connections 5 } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; limit connections 6 } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; limit connections 5 } service web { intercept "
	"tcp port 80; limit connections 7 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; limit "
	"connections 5 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; limit "
	"connections 5 per client }",
	"gateway { inside eth1 } service web { intercept tcp port 80; limit "
	"connections 5 test }",
	"gateway { inside eth1 } service web { intercept tcp port 80; limit "
	"connections 5; limit connections 5 per client }",
	"gateway { inside eth1 } service web { intercept tcp port 80; limit "
	"rate 5/s }",
	"gateway { inside eth1 } service web { intercept tcp port 80; limit "
	"rate 5/s per client }",
	"gateway { inside eth1 } service web { intercept udp port 80; "
	"responses 1 }",
	"gateway { inside eth1 } service web { intercept udp port 80; "
	"responses 2 }",
	"gateway { inside eth1; max-flows 5 } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; drain-timeout 5s } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; timeout connect 5s } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; timeout idle 1h } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; timeout head 5s } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; timeout body 5s } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; timeout response 5s } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1; timeout keep-alive 5s } service web { "
	"intercept tcp port 80 }",
	"gateway { inside eth1; timeout sniff 5s } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; timeout total 5s } service web { intercept tcp "
	"port 80 }",
	"gateway { inside eth1; limit request-head 17k } service web { "
	"intercept tcp port 80 }",
	"gateway { inside eth1; limit request-body 5g } service web { "
	"intercept tcp port 80 }",
	"gateway { inside eth1; limit request-body 9g } service web { "
	"intercept tcp port 80 }",
	"gateway { inside eth1; forwarded-for off } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; use p } "
	"pool p { node 1.2.3.4; reuse never }",
	"gateway { inside eth1 } service web { intercept tcp port 80; use p } "
	"pool p { node 1.2.3.4; reuse-idle 1h }",
	"gateway { inside eth1 } service web { intercept tcp port 80; use p } "
	"pool p { node 1.2.3.4; reuse-max 0 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http; cluster-client-ip on }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http; non-http close }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http; forwarded-for off }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http; timeout total 5s }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http; limit request-head 17k }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http; limit request-body 17k }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http; error-page 400 /a }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http; error-page 503 /a }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http; error-page 503 /b }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http; error-page 503 /b; error-page 400 /a }",
	"gateway { inside eth1 } service web { intercept tcp port 80; mode "
	"http; log access journal format combined }",
	"gateway { inside eth1; upstream-tracking off } service web { "
	"intercept tcp port 80 }",
	"gateway { inside eth1 } service web { intercept tcp port 80 via "
	"tproxy }",
	"gateway { inside eth1 } service web { intercept udp port 80 }",
	"gateway { inside eth1 } service web { intercept udp port 80 via "
	"redirect }",
	"gateway { inside eth1 } service web { intercept udp port 80; timeout "
	"idle 1h }",
	"gateway { inside eth1; timeout idle 1h } service web { intercept udp "
	"port 80 }",
	"gateway { inside eth1; timeout idle 1h } service web { intercept udp "
	"port 80; timeout idle 1m }",
	"gateway { inside eth1; timeout idle 1m } service web { intercept udp "
	"port 80 }",
	"gateway { inside eth1 } service web { intercept udp port 80; listen "
	"udp 80 }",
	"gateway { inside eth1; log access none } service web { intercept "
	"tcp port 80 }",
	"gateway { inside eth1 } service web2 { intercept tcp port 80 }",
	"gateway { inside eth1 } service web { intercept tcp port 81 }",
	"gateway { inside eth1 } service web { intercept tcp port 80-81 }",
	"gateway { inside eth1 } service web { intercept tcp port 80, 81 }",
	"gateway { inside eth1 } service web { intercept tcp port 80 from "
	"10.0.0.0/8 }",
	"gateway { inside eth1 } service web { intercept tcp port 80 from "
	"10.0.0.0/9 }",
	"gateway { inside eth1 } service web { intercept tcp port 80 to "
	"10.0.0.0/8 }",
	"gateway { inside eth1 } service web { intercept tcp port 80 on eth3 "
	"}",
	"gateway { inside eth1 } service web { intercept tcp port 80; "
	"intercept tcp port 81 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; except "
	"port 1 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; listen "
	"tcp 80 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; listen "
	"tcp 81 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; listen "
	"tcp 0.0.0.0:80 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; "
	"on-failure closed }",
	"gateway { inside eth1 } service web { intercept tcp port 80; "
	"timeout idle 5s }",
	"gateway { inside eth1 } service web { intercept tcp port 80; "
	"timeout half-closed 5s }",
	"gateway { inside eth1 } service web { intercept tcp port 80; log "
	"access none }",
	"gateway { inside eth1 } service web { intercept tcp port 80; log "
	"access /a }",
	"gateway { inside eth1 } service web { intercept tcp port 80; log "
	"access /b }",
	"gateway { inside eth1 } service web { intercept tcp port 80; log "
	"access journal format json }",
	"gateway { inside eth1 } service web { intercept tcp port 80; use p "
	"} pool p { node 1.2.3.4 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; use p "
	"} pool p { node 1.2.3.5 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; use p "
	"} pool p { node 1.2.3.4:80 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; use p "
	"} pool p { node 1.2.3.4; source client }",
	"gateway { inside eth1 } service web { intercept tcp port 80; use p "
	"} pool p { node 1.2.3.4; source client-port }",
	"gateway { inside eth1 } service web { intercept tcp port 80; use p "
	"} pool p { node 1.2.3.4; source 10.0.0.1 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; use p "
	"} pool p { node 1.2.3.4; source 10.0.0.2 }",
	"gateway { inside eth1 } service web { intercept tcp port 80; use p "
	"} pool p { node original }",
	"gateway { inside eth1 } service web { intercept tcp port 80 } pool "
	"p { node original }",
	"gateway { inside eth1 } service web { intercept tcp port 80 } pool "
	"original { node original }",
	"gateway { inside eth1 } service web { intercept tcp port 80 } "
	"service x { listen tcp 5 }",
	"",
};

enum { DIFFERENT = sizeof(different) / sizeof(different[0]) };

static void
test_equal(void)
{
	struct policy *p[DIFFERENT], *same;
	struct str printed = {0};
	size_t i, j;

	for (i = 0; i < DIFFERENT; i++)
		p[i] = texts_good(different[i]);
	for (i = 0; i < DIFFERENT; i++) {
		same = texts_good(different[i]);
		UNIT_CHECK(policy_equal(p[i], same), "%s: not equal",
			   different[i]);
		policy_free(same);
		for (j = 0; j < i; j++) {
			UNIT_CHECK(!policy_equal(p[i], p[j]),
				   "taken for equal: %s and %s", different[i],
				   different[j]);
			UNIT_CHECK(p[i]->digest != p[j]->digest,
				   "one digest: %s and %s", different[i],
				   different[j]);
		}
	}
	for (i = 0; i < DIFFERENT; i++) {
		str_clear(&printed);
		policy_print(p[i], &printed);
		round_trip(different[i], p[i], &printed);
		policy_free(p[i]);
	}
	str_fini(&printed);
}

/* Whatever is equal by meaning has one digest, whatever its text. */
static void
test_digest(void)
{
	struct policy *a, *b;

	a = texts_good(
		"define p 80\ngateway { timeout connect 10000ms; inside eth1 "
		"} service web { intercept tcp port $p } # x\n");
	b = texts_good(different[0]);
	CU_ASSERT(policy_equal(a, b));
	CU_ASSERT_EQUAL(a->digest, b->digest);
	policy_free(a);
	policy_free(b);
}

static const struct unit_test tests[] = {
	{"good", test_good},
	{"equal", test_equal},
	{"digest", test_digest},
};

UNIT_MAIN("print", tests)
