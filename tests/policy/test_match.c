/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which flow goes to which service, what things are called, and the numbers
 * by which rules and daemon find each other.
 */
#include "tests/policy/texts.h"
#include "tests/unit.h"

static const char text[] =
	"gateway {\n"
	"    inside eth1, wg*\n"
	"    except to 10.0.9.0/24\n"
	"    except from 192.168.1.66 port 8000-8999\n"
	"}\n"
	"service named { intercept tcp port 80 to 10.0.0.1, fd00::1 }\n"
	"service web {\n"
	"    intercept tcp port 80, 8080-8089\n"
	"    except to 10.1.0.0/16\n"
	"    except from 192.168.2.0/24 to 10.2.0.0/16 port 80\n"
	"}\n"
	"service rest { intercept tcp port 1-1023 from 192.168.0.0/16 }\n"
	"service six { intercept tcp port 80 to fd00:1::/32 on eth5 }\n"
	"service local { listen tcp 80 }\n"
	"service twice {\n"
	"    intercept tcp port 2000 from 192.168.1.0/24\n"
	"    intercept tcp port 3000\n"
	"    intercept tcp port 4000 on eth7\n"
	"}\n";

struct match_case {
	const char *iface, *client, *destination;
	bool local;
	const char *service; /* NULL: routed */
};

#define LOCAL true
#define REMOTE false

static const struct match_case cases[] = {
	/* iface  client             destination         local   service */
	{"eth1", "192.168.1.5:1000", "10.0.0.2:80", REMOTE, "web"},
	{"wg0", "192.168.1.5:1000", "10.0.0.2:80", REMOTE, "web"},
	{"wg", "192.168.1.5:1000", "10.0.0.2:80", REMOTE, "web"},
	{"eth10", "192.168.1.5:1000", "10.0.0.2:80", REMOTE, NULL},
	{"eth0", "192.168.1.5:1000", "10.0.0.2:80", REMOTE, NULL},
	{"eth1", "[fd00::5]:1000", "[fd00::2]:80", REMOTE, "web"},
	/* ports */
	{"eth1", "192.168.1.5:1000", "10.0.0.2:8080", REMOTE, "web"},
	{"eth1", "192.168.1.5:1000", "10.0.0.2:8089", REMOTE, "web"},
	{"eth1", "192.168.1.5:1000", "10.0.0.2:8090", REMOTE, NULL},
	{"eth1", "192.168.1.5:1000", "10.0.0.2:8079", REMOTE, NULL},
	{"eth1", "192.168.1.5:1000", "10.0.0.2:81", REMOTE, "rest"},
	{"eth1", "10.9.1.5:1000", "10.0.0.2:81", REMOTE, NULL},
	/* an excepted flow goes on to the next service */
	{"eth1", "192.168.1.5:1000", "10.1.0.2:80", REMOTE, "rest"},
	{"eth1", "10.9.1.5:1000", "10.1.0.2:80", REMOTE, NULL},
	{"eth1", "192.168.2.5:1000", "10.2.0.2:80", REMOTE, "rest"},
	{"eth1", "192.168.2.5:1000", "10.2.0.2:8080", REMOTE, "web"},
	{"eth1", "192.168.1.5:1000", "10.2.0.2:80", REMOTE, "web"},
	/* the gateway's excepts end it */
	{"eth1", "192.168.1.5:1000", "10.0.9.2:80", REMOTE, NULL},
	{"eth1", "192.168.1.66:1000", "10.0.0.2:8080", REMOTE, NULL},
	{"eth1", "192.168.1.66:1000", "10.0.0.2:80", REMOTE, "web"},
	/* the box's own addresses: only where they are named */
	{"eth1", "192.168.1.5:1000", "10.0.0.2:80", LOCAL, NULL},
	{"eth1", "192.168.1.5:1000", "10.0.0.1:80", LOCAL, "named"},
	{"eth1", "192.168.1.5:1000", "10.0.0.1:80", REMOTE, "named"},
	{"eth1", "[fd00::5]:1000", "[fd00::1]:80", LOCAL, "named"},
	{"eth1", "192.168.1.5:1000", "10.0.0.1:81", LOCAL, NULL},
	{"eth5", "[fd00::5]:1000", "[fd00:1::1]:80", REMOTE, "six"},
	{"eth5", "[fd00::5]:1000", "[fd00:1::1]:80", LOCAL, NULL},
	/* only unicast */
	{"eth1", "192.168.1.5:1000", "224.0.0.1:80", REMOTE, NULL},
	{"eth1", "192.168.1.5:1000", "255.255.255.255:80", REMOTE, NULL},
	{"eth1", "192.168.1.5:1000", "0.0.0.0:80", REMOTE, NULL},
	{"eth1", "[fd00::5]:1000", "[ff02::1]:80", REMOTE, NULL},
	{"eth1", "[fd00::5]:1000", "[::]:80", REMOTE, NULL},
	/* any intercept of a service; `on` is in place of `inside` */
	{"eth1", "192.168.1.5:1000", "10.0.0.2:2000", REMOTE, "twice"},
	{"eth1", "192.168.2.5:1000", "10.0.0.2:2000", REMOTE, NULL},
	{"eth1", "192.168.2.5:1000", "10.0.0.2:3000", REMOTE, "twice"},
	{"eth1", "192.168.2.5:1000", "10.0.0.2:4000", REMOTE, NULL},
	{"eth7", "192.168.2.5:1000", "10.0.0.2:4000", REMOTE, "twice"},
	{"eth7", "192.168.2.5:1000", "10.0.0.2:3000", REMOTE, NULL},
};

static const char *
match(const struct policy *p, enum proto proto, const struct match_case *c)
{
	const struct policy_service *s;
	struct endpoint client, destination;

	CU_ASSERT_EQUAL(endpoint_parse(c->client, &client), 0);
	CU_ASSERT_EQUAL(endpoint_parse(c->destination, &destination), 0);
	s = policy_match(p, proto, c->iface, c->local ? NULL : "eth9", &client,
			 &destination);
	return s ? s->name : "none";
}

static void
test_match(void)
{
	struct policy *p = texts_good(text);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct match_case *c = &cases[i];
		const char *want = c->service ? c->service : "none";
		const char *got = match(p, PROTO_TCP, c);

		UNIT_CHECK(!strcmp(got, want), "%s %s -> %s: %s, not %s",
			   c->iface, c->client, c->destination, got, want);
		UNIT_STRINGS(match(p, PROTO_UDP, c), "none");
	}
	policy_free(p);
}

static void
test_family(void)
{
	static const struct match_case four = {"eth1", "10.0.0.1:1",
					       "10.0.0.2:80", false, NULL};
	static const struct match_case six = {"eth1", "[fd00::1]:1",
					      "[fd00::2]:80", false, NULL};
	struct policy *p;

	p = texts_good("gateway { inside eth1; family ipv6 }\n"
		       "service web { intercept tcp port 80 }\n");
	CU_ASSERT_EQUAL(p->gateway.families, FAMILY_IPV6);
	CU_ASSERT(p->gateway.families_named);
	UNIT_STRINGS(match(p, PROTO_TCP, &four), "none");
	UNIT_STRINGS(match(p, PROTO_TCP, &six), "web");
	policy_free(p);
	p = texts_good("gateway { inside eth1; family ipv4 }\n"
		       "service web { intercept tcp port 80 }\n");
	UNIT_STRINGS(match(p, PROTO_TCP, &four), "web");
	UNIT_STRINGS(match(p, PROTO_TCP, &six), "none");
	policy_free(p);
}

/* Only what would leave by one of them; the box's own stays as it is. */
static void
test_outside(void)
{
	static const struct {
		const char *outside;
		bool captured;
	} rows[] = {
		{"eth9", true},	 {"eth8, eth9", true}, {"eth*", true},
		{"eth8", false}, {"eth90", false},     {"wan*", false},
	};
	static const struct match_case far = {"eth1", "192.168.1.5:1000",
					      "10.0.0.2:80", REMOTE, "web"};
	static const struct match_case own = {"eth1", "192.168.1.5:1000",
					      "10.0.0.1:80", LOCAL, "own"};
	char buf[256];
	struct policy *p;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(buf, sizeof(buf),
			 "gateway { inside eth1; outside %s }\n"
			 "service own { intercept tcp port 80 to 10.0.0.1 }\n"
			 "service web { intercept tcp port 80 }\n",
			 rows[i].outside);
		p = texts_good(buf);
		UNIT_STRINGS(match(p, PROTO_TCP, &far),
			     rows[i].captured ? "web" : "none");
		UNIT_STRINGS(match(p, PROTO_TCP, &own), "own");
		policy_free(p);
	}
}

static void
test_iface(void)
{
	static const struct policy_iface list[] = {{"eth1", false},
						   {"wg", true}};
	const struct policy_ifaces two = {list, 2}, none = {NULL, 0};

	CU_ASSERT(policy_iface_matches(&two, "eth1"));
	CU_ASSERT(!policy_iface_matches(&two, "eth"));
	CU_ASSERT(!policy_iface_matches(&two, "eth11"));
	CU_ASSERT(policy_iface_matches(&two, "wg"));
	CU_ASSERT(policy_iface_matches(&two, "wg-office"));
	CU_ASSERT(!policy_iface_matches(&two, "w"));
	CU_ASSERT(!policy_iface_matches(&two, ""));
	CU_ASSERT(policy_iface_matches(&none, "anything"));
}

static void
test_names(void)
{
	struct policy *p = texts_good(text);
	char buf[POLICY_ALIVE_SET_LEN];

	UNIT_STRINGS(policy_service(p, "web")->name, "web");
	CU_ASSERT_PTR_NULL(policy_service(p, "original"));
	UNIT_STRINGS(policy_pool(p, "original")->name, "original");
	CU_ASSERT_PTR_EQUAL(policy_pool(p, "original"), &p->pools[0]);
	CU_ASSERT_PTR_NULL(policy_pool(p, "web"));
	UNIT_STRINGS(policy_alive_set(policy_service(p, "web"), buf),
		     "alive_web_21772");
	policy_free(p);

	/* the longest name there is */
	p = texts_good("gateway { inside eth1; capture-ports 65535 }\n"
		       "service a234567890123456789012345678901 {\n"
		       "    intercept tcp port 80\n"
		       "}\n");
	UNIT_STRINGS(policy_alive_set(&p->services[0], buf),
		     "alive_a234567890123456789012345678901_65535");
	policy_free(p);

	UNIT_STRINGS(proto_name(PROTO_TCP), "tcp");
	UNIT_STRINGS(proto_name(PROTO_UDP), "udp");
	UNIT_STRINGS(mode_name(MODE_TCP), "tcp");
	UNIT_STRINGS(mode_name(MODE_UDP), "udp");
	UNIT_STRINGS(mode_name(MODE_HTTP), "http");
	UNIT_STRINGS(via_name(VIA_REDIRECT), "redirect");
	UNIT_STRINGS(via_name(VIA_TPROXY), "tproxy");
	UNIT_STRINGS(source_kind_name(SOURCE_GATEWAY), "gateway");
	UNIT_STRINGS(source_kind_name(SOURCE_CLIENT), "client");
	UNIT_STRINGS(source_kind_name(SOURCE_CLIENT_PORT), "client-port");
	UNIT_STRINGS(source_kind_name(SOURCE_ADDRESS), "address");
	UNIT_STRINGS(on_failure_name(ON_FAILURE_OPEN), "open");
	UNIT_STRINGS(on_failure_name(ON_FAILURE_CLOSED), "closed");
}

/* A digest must stay what it is, or rules and daemon of two releases never
 * meet; each part of it must matter. */
static void
test_digests(void)
{
	struct policy *p = texts_good(text), *q;
	struct policy_service s = *policy_service(p, "web");
	uint64_t web = policy_alive_digest(&s);

	CU_ASSERT_EQUAL(web, 0x4e8c06c38271f697);
	s.name = "wea";
	CU_ASSERT_NOT_EQUAL(policy_alive_digest(&s), web);
	s.name = "web";
	s.capture_port++;
	CU_ASSERT_NOT_EQUAL(policy_alive_digest(&s), web);
	s.capture_port--;
	s.proto = PROTO_UDP;
	CU_ASSERT_NOT_EQUAL(policy_alive_digest(&s), web);

	CU_ASSERT_EQUAL(policy_return_path_digest(p), 0x462b07197987d8dc);
#define DIFFERS(statement)                                                     \
	q = texts_good("gateway { " statement " }");                           \
	CU_ASSERT_NOT_EQUAL(policy_return_path_digest(q),                      \
			    policy_return_path_digest(p));                     \
	policy_free(q)
	DIFFERS("mark 0x2000 0x1000 mask 0x3000");
	DIFFERS("mark 0x1000 0x2000 mask 0x7000");
	DIFFERS("table 5");
	DIFFERS("priority 5");
	DIFFERS("zone 5");
	policy_free(p);
}

static void
test_spoofs(void)
{
	struct policy *p;

	p = texts_good("service a { listen tcp 80; use b }\n"
		       "pool b { node original; source gateway }\n");
	CU_ASSERT(policy_pool_spoofs(&p->pools[0]));
	CU_ASSERT(!policy_pool_spoofs(&p->pools[1]));
	CU_ASSERT(!policy_spoofs(p));
	CU_ASSERT_EQUAL(policy_mark_tproxied(p), 0x3000);
	policy_free(p);
	p = texts_good("service a { listen tcp 80 }\n");
	CU_ASSERT(policy_spoofs(p));
	policy_free(p);
	p = texts_good("service a { listen tcp 80; use b }\n"
		       "pool b { node original; source client-port }\n");
	CU_ASSERT(policy_spoofs(p));
	policy_free(p);
	p = texts_good("pool b { node original; source client }\n");
	CU_ASSERT(!policy_spoofs(p));
	policy_free(p);
	p = texts_good("service a { listen tcp 80; use b }\n"
		       "pool b { node 10.0.0.2; source 10.0.0.1 }\n");
	CU_ASSERT(policy_spoofs(p));
	policy_free(p);
}

static const struct unit_test tests[] = {
	{"outside", test_outside}, {"match", test_match},
	{"family", test_family},   {"iface", test_iface},
	{"names", test_names},	   {"digests", test_digests},
	{"spoofs", test_spoofs},
};

UNIT_MAIN("match", tests)
