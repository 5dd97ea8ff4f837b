/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways of flows through the rules of policies, on a box that is made up:
 * whole ways against golden files, what becomes of flows in a table, and that
 * rules, reasons and policy_match() always say the same.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>

#include "netsetup/explain/legs.h"
#include "netsetup/explain/reason.h"
#include "tests/netsetup/boxes.h"
#include "tests/netsetup/states.h"

/* A policy, its rules on the box, and what packets have put in sets. */
struct scene {
	struct arena *arena;
	struct diags diags;
	struct policy *policy;
	struct facts facts;
	struct kstate rules;
	struct kstate observed;
	struct box box;
};

/* All but the policy. */
static void
begin_scene(struct scene *s)
{
	static const char *const own[] = {"10.1.0.1", "10.2.0.1", "fd01::1"};
	struct addr *addrs;
	size_t i;

	memset(s, 0, sizeof(*s));
	s->arena = arena_new();
	diags_init(&s->diags);
	s->facts = states_facts(s->arena);
	addrs = arena_calloc(s->arena, 3, sizeof(*addrs));
	for (i = 0; i < 3; i++)
		addrs[i] = box_addr(own[i]);
	s->facts.addrs = addrs;
	s->facts.n_addrs = 3;
	s->box.forwarding = 1;
}

/* Its rules are there. */
static void
install(struct scene *s)
{
	desired(s->policy, &s->facts, s->arena, &s->diags, &s->rules);
	s->observed = states_installed(s->arena, &s->rules);
}

static bool
open_scene(struct scene *s, const char *name)
{
	begin_scene(s);
	s->policy = states_policy(name, &s->diags);
	if (s->policy)
		install(s);
	return s->policy;
}

static void
close_scene(struct scene *s)
{
	diags_fini(&s->diags);
	policy_free(s->policy);
	arena_free(s->arena);
}

/* proxyd is alive for everything. */
static void
make_alive(struct scene *s)
{
	struct kelem *elems = arena_calloc(s->arena, 2, sizeof(*elems));
	struct kset *sets;
	size_t i;

	elems[0].low[0] = NFPROTO_IPV4;
	elems[0].high[0] = NFPROTO_IPV4;
	elems[1].low[0] = NFPROTO_IPV6;
	elems[1].high[0] = NFPROTO_IPV6;
	sets = arena_memdup(s->arena, s->observed.sets,
			    s->observed.n_sets * sizeof(*sets));
	for (i = 0; i < s->observed.n_sets; i++) {
		if (sets[i].type != KSET_FAMILY)
			continue;
		sets[i].elems = elems;
		sets[i].n_elems = 2;
	}
	s->observed.sets = sets;
}

static struct endpoint
at(const char *text)
{
	struct endpoint e = {0};

	UNIT_CHECK(endpoint_parse(text, &e) == 0, "%s", text);
	return e;
}

static struct way
find(struct scene *s, const char *client, const char *server, bool installed)
{
	const struct way_question q = {
		.policy = s->policy,
		.facts = &s->facts,
		.rules = &s->rules,
		.observed = &s->observed,
		.installed = installed,
		.proto = PROTO_TCP,
		.client = at(client),
		.server = at(server),
		.iface = "in0",
	};
	const struct way_box box = box_answers(&s->box);
	struct way way = {0};

	UNIT_CHECK(legs_find(&q, &box, s->arena, &way) == 0, "%s", server);
	return way;
}

/* --- whole ways -------------------------------------------------------------
 */

static void
golden(struct scene *s, const char *name, const char *client,
       const char *server, bool installed)
{
	struct way way = find(s, client, server, installed);
	struct str text = {0};
	char file[64];

	way_text(&way, &text);
	snprintf(file, sizeof(file), "netsetup/explain-%s.txt", name);
	unit_golden(file, str_text(&text));
	str_fini(&text);
}

static void
test_proxied(void)
{
	struct scene s;

	if (open_scene(&s, "explain")) {
		golden(&s, "not-alive", "10.1.0.2:40000", "10.3.0.2:80", true);
		make_alive(&s);
		golden(&s, "proxied", "10.1.0.2:40000", "10.3.0.2:80", true);
		golden(&s, "proxied6", "[fd01::2]:40000", "[fd03::2]:80", true);
		golden(&s, "nodes", "10.1.0.2:40000", "10.2.0.2:443", true);
		golden(&s, "excepted", "10.1.0.2:40000", "10.2.0.9:80", true);
		golden(&s, "no-service", "10.1.0.2:40000", "10.2.0.2:81", true);
		golden(&s, "own", "10.1.0.2:40000", "10.1.0.1:80", true);
	}
	close_scene(&s);
}

/* The ip rule is gone: the answer goes to the client, and that is said. */
static void
test_broken(void)
{
	struct scene s;
	struct way way;

	if (open_scene(&s, "explain")) {
		make_alive(&s);
		s.box.no_rule = true;
		golden(&s, "broken", "10.1.0.2:40000", "10.3.0.2:80", true);
		way = find(&s, "10.1.0.2:40000", "10.3.0.2:80", false);
		UNIT_CHECK(!way.broken, "apply will make it");
	}
	close_scene(&s);
}

/* --- what becomes of them ---------------------------------------------------
 */

static void
fates(struct scene *s, const char *server, enum way_fate now,
      enum way_fate down)
{
	struct way way = find(s, "10.1.0.2:40000", server, true);

	UNIT_CHECK(way.now == now && way.down == down, "%s: %s, %s", server,
		   way_fate_name(way.now), way_fate_name(way.down));
}

static void
test_fates(void)
{
	struct scene s;

	if (open_scene(&s, "explain")) {
		fates(&s, "10.2.0.2:80", WAY_FATE_ROUTED, WAY_FATE_ROUTED);
		fates(&s, "10.2.0.2:443", WAY_FATE_REFUSED, WAY_FATE_REFUSED);
		make_alive(&s);
		fates(&s, "10.2.0.2:80", WAY_FATE_PROXIED, WAY_FATE_ROUTED);
		fates(&s, "10.2.0.2:443", WAY_FATE_PROXIED, WAY_FATE_REFUSED);
		fates(&s, "10.2.0.2:81", WAY_FATE_ROUTED, WAY_FATE_ROUTED);
		fates(&s, "10.66.0.2:81", WAY_FATE_UNREACHABLE,
		      WAY_FATE_UNREACHABLE);
		fates(&s, "10.1.0.1:22", WAY_FATE_LOCAL, WAY_FATE_LOCAL);
		/* a capture port is nobody's business */
		s.box.forwarding = 0;
		fates(&s, "10.2.0.2:81", WAY_FATE_UNREACHABLE,
		      WAY_FATE_UNREACHABLE);
	}
	close_scene(&s);
}

/* Who knocks at a capture port is refused by the guard. */
static void
test_guard(void)
{
	struct scene s;
	char server[32];

	if (open_scene(&s, "explain")) {
		snprintf(server, sizeof(server), "10.1.0.1:%u",
			 s.policy->services[0].capture_port);
		fates(&s, server, WAY_FATE_REFUSED, WAY_FATE_REFUSED);
	}
	close_scene(&s);
}

/* The reverse path filter drops clients that are behind another interface. */
static void
test_filter(void)
{
	struct scene s;
	struct str text = {0};
	struct way_box box;
	struct way_question q;
	struct way way;

	if (open_scene(&s, "explain")) {
		s.box.filters = true;
		box = box_answers(&s.box);
		q = (struct way_question){
			.policy = s.policy,
			.facts = &s.facts,
			.rules = &s.rules,
			.observed = &s.observed,
			.installed = true,
			.client = at("10.1.0.2:40000"),
			.server = at("10.2.0.2:80"),
			.iface = "out0",
		};
		legs_find(&q, &box, s.arena, &way);
		way_text(&way, &text);
		UNIT_CHECK(way.now == WAY_FATE_UNREACHABLE, "%s",
			   way_fate_name(way.now));
		UNIT_CHECK(strstr(str_text(&text), "rp_filter is 1 on out0") !=
				   NULL,
			   "%s", str_text(&text));
	}
	str_fini(&text);
	close_scene(&s);
}

/* Redirected where there is no address to redirect to: the kernel drops it. */
static void
test_no_address(void)
{
	struct scene s;

	if (open_scene(&s, "explain")) {
		make_alive(&s);
		s.facts.ifaces[0].ipv4 = false;
		fates(&s, "10.2.0.2:80", WAY_FATE_DROPPED, WAY_FATE_ROUTED);
	}
	close_scene(&s);
}

static void
to_own(const char *pool, const char *broken_at)
{
	struct str text = {0};
	struct scene s;
	struct way way;

	begin_scene(&s);
	str_addf(&text,
		 "gateway {\n inside in0\n}\nservice web {\n intercept tcp "
		 "port 80\n use p\n}\npool p {\n %s\n}\n",
		 pool);
	s.policy = policy_load_text("own.conf", str_text(&text), text.len,
				    &s.diags);
	UNIT_CHECK(s.policy != NULL, "%s", pool);
	if (s.policy) {
		install(&s);
		make_alive(&s);
		way = find(&s, "10.1.0.2:40000", "10.3.0.2:80", true);
		str_clear(&text);
		way_text(&way, &text);
		UNIT_CHECK(way.broken == (broken_at != NULL), "%s: %s", pool,
			   str_text(&text));
		UNIT_CHECK(!broken_at || strstr(str_text(&text), broken_at),
			   "%s: %s", pool, str_text(&text));
	}
	str_fini(&text);
	close_scene(&s);
}

/*
 * A server on the box answers by `lo`, whose packets are not routed again;
 * but to an address of a client's it answers by the network.
 */
static void
test_own_server(void)
{
	to_own("node 10.1.0.1:8080; source gateway", NULL);
	to_own("node 10.1.0.1:8080; source 10.2.0.1", NULL);
	to_own("node 10.1.0.1:8080; source client",
	       "  routing           by in0\n"
	       "      this box is the server, too");
}

/* What is redirected to where it goes already is not, and the guard sees it. */
static void
test_own_port(void)
{
	static const char text[] = "gateway {\n inside in0\n capture-ports "
				   "16000-16000\n}\nservice web {\n intercept "
				   "tcp port 16000 to 10.1.0.1\n}\n";
	struct scene s;
	struct way way;

	begin_scene(&s);
	s.policy = policy_load_text("own.conf", text, strlen(text), &s.diags);
	UNIT_CHECK(s.policy != NULL, "%s", text);
	if (s.policy) {
		install(&s);
		make_alive(&s);
		way = find(&s, "10.1.0.2:40000", "10.1.0.1:16000", true);
		UNIT_STRINGS(way_fate_name(way.now), "refused");
		UNIT_STRINGS(way.reason ? way.reason : "captured",
			     "it is for the capture port itself, which serves "
			     "only what was redirected");
	}
	close_scene(&s);
}

static void
why_not(struct scene *s, const char *client, const char *server,
	const char *reason)
{
	struct way way = find(s, client, server, true);

	UNIT_STRINGS(way.reason ? way.reason : "captured", reason);
}

/* Why not, in the words of the policy. */
static void
test_reasons(void)
{
	struct scene s;

	if (open_scene(&s, "outside")) {
		why_not(&s, "10.1.0.2:1", "10.2.0.2:80", "captured");
		why_not(&s, "10.1.0.2:1", "10.2.0.2:22",
			"excepted by outside.conf:4");
		why_not(&s, "10.1.0.2:1", "10.1.7.7:80",
			"it would leave by in0, not `outside` out0, ppp*");
		why_not(&s, "10.1.0.2:1", "10.66.0.1:80",
			"no route leads there, so it leaves by no `outside`");
		why_not(&s, "10.1.0.2:1", "10.2.0.2:81",
			"no service intercepts it");
		why_not(&s, "10.1.0.2:1", "224.0.0.9:80",
			"its destination is not one host (not unicast)");
		s.facts.families = FAMILY_IPV4;
		install(&s);
		why_not(&s, "[fd01::2]:1", "[fd03::2]:80",
			"ipv6 is switched off on this box");
	}
	close_scene(&s);
	if (open_scene(&s, "ipv4"))
		why_not(&s, "[fd01::2]:1", "[fd03::2]:80",
			"`family` leaves ipv6 out");
	close_scene(&s);
	if (open_scene(&s, "nothing"))
		why_not(&s, "10.1.0.2:1", "10.2.0.2:80",
			"no service intercepts anything");
	close_scene(&s);
}

/* --- all say the same --------------------------------------------------------
 */

static const char *const clients[] = {
	"10.1.0.2:40000",    "192.168.7.9:40000", "10.9.0.1:1",
	"10.200.0.1:5",	     "172.16.0.1:9",	  "[fd01::2]:40000",
	"[fd00:9::1]:40000", "[2001:db8::1]:7",
};

static const char *const servers[] = {
	"10.2.0.2",	 "10.0.1.1",  "10.1.0.1",     "10.99.0.3", "224.0.0.1",
	"10.66.0.1",	 "10.3.0.1",  "10.2.0.9",     "[fd03::2]", "[fd01::1]",
	"[2001:db8::5]", "[ff02::1]", "198.51.100.1",
};

static const unsigned int ports[] = {22,  25,	53,   123,  80,	  85,
				     443, 8000, 8042, 8080, 8100, 8101};

static const char *
name_of(const struct policy_service *s)
{
	return s ? s->name : "none";
}

static void
compare(struct scene *s, enum proto proto, const char *client,
	const char *server, unsigned int port, const char *iface)
{
	const struct way_box box = box_answers(&s->box);
	char text[64];
	struct way_question q;
	const struct policy_service *want;
	const char *outside = "out0";
	struct way way;
	size_t i;

	snprintf(text, sizeof(text), "%s:%u", server, port);
	q = (struct way_question){
		.policy = s->policy,
		.facts = &s->facts,
		.rules = &s->rules,
		.observed = &s->observed,
		.installed = true,
		.proto = proto,
		.client = at(client),
		.server = at(text),
		.iface = iface,
	};
	if (q.client.addr.family != q.server.addr.family)
		return;
	for (i = 0; i < s->facts.n_addrs; i++) {
		if (addr_equal(&s->facts.addrs[i], &q.server.addr))
			outside = NULL;
	}
	if (outside && box_in(&q.server.addr, "10.66.0.0/16"))
		outside = "";
	want = policy_match(s->policy, proto, iface, outside, &q.client,
			    &q.server);
	legs_find(&q, &box, s->arena, &way);
	UNIT_CHECK(way.service == want, "%s by %s to %s: %s, not %s", client,
		   iface, text, name_of(way.service), name_of(want));
	UNIT_CHECK(way.service ||
			   (way.reason && !strstr(way.reason, "not there")),
		   "%s by %s to %s: %s", client, iface, text,
		   way.reason ? way.reason : "no reason");
}

static void
compare_both(struct scene *s, const char *client, const char *server,
	     unsigned int port, const char *iface)
{
	compare(s, PROTO_TCP, client, server, port, iface);
	compare(s, PROTO_UDP, client, server, port, iface);
}

/* From every client to this server. */
static void
compare_server(struct scene *s, const char *server)
{
	size_t i, k;

	for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		for (k = 0; k < sizeof(ports) / sizeof(ports[0]); k++)
			compare_both(s, clients[i], server, ports[k],
				     k % 2 ? "in0" : "eth7");
	}
}

static void
compare_all(const char *name)
{
	struct scene s;
	size_t i;

	if (open_scene(&s, name)) {
		for (i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
			compare_server(&s, servers[i]);
	}
	close_scene(&s);
}

/* So many services that rules become maps, some in front of others. */
static void
test_agree_many(void)
{
	static const struct {
		const char *before;
		const char *after;
	} forms[] = {
		{"tcp port 80 to", ".0.0/16"},
		{"tcp port 8000-8100 to", ".0.0/17 via tproxy"},
		{"udp port 53 to", ".0.0/16"},
		{"tcp port 443 from", ".0.0/24"},
	};
	struct str text = {0};
	struct scene s;
	unsigned int i;

	begin_scene(&s);
	str_add(&text, "gateway {\n inside in0\n}\n");
	for (i = 0; i < 120; i++) {
		str_addf(&text, "service s%u {\n intercept %s 10.%u%s\n}\n", i,
			 forms[i % 4].before, i / 4, forms[i % 4].after);
	}
	s.policy = policy_load_text("many.conf", str_text(&text), text.len,
				    &s.diags);
	UNIT_CHECK(s.policy != NULL, "many.conf");
	if (s.policy) {
		install(&s);
		for (i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
			compare_server(&s, servers[i]);
	}
	str_fini(&text);
	close_scene(&s);
}

static void
test_agree(void)
{
	compare_all("explain");
	compare_all("lists");
	compare_all("outside");
	compare_all("ipv4");
	compare_all("nothing");
	compare_all("modes");
	compare_all("tproxy");
	compare_all("off");
}

static const struct unit_test tests[] = {
	{"proxied", test_proxied},	 {"broken", test_broken},
	{"fates", test_fates},		 {"guard", test_guard},
	{"filter", test_filter},	 {"agree", test_agree},
	{"agree_many", test_agree_many}, {"no_address", test_no_address},
	{"reasons", test_reasons},	 {"own_server", test_own_server},
	{"own_port", test_own_port},
};

UNIT_MAIN("legs", tests)
