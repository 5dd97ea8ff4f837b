/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_capture.c - which connections netsetup's rules capture, and what
 * becomes of those that they do not. No proxyd here: a listener of the test
 * stands on each capture port, and the test itself fills the alive sets.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/policy.h"
#include "tests/lab/lab.h"

enum { SERVICES_MAX = 8, WAIT_MS = 4000 };

/* Listeners on capture ports, of both families. */
struct stand {
	struct lab *lab;
	struct policy *policy; /* owns */
	int fds[SERVICES_MAX]; /* owns */
};

static void
listen_at(struct stand *s, size_t i)
{
	char at[ENDPOINT_TEXT_LEN];

	snprintf(at, sizeof(at), "[::]:%u",
		 s->policy->services[i].capture_port);
	s->fds[i] = lab_listen(s->lab, LAB_GATEWAY, at);
}

/* The service is alive in these families, "ipv4, ipv6". */
static void
arm(struct stand *s, const char *service, const char *families)
{
	char set[POLICY_ALIVE_SET_LEN];

	policy_alive_set(policy_service(s->policy, service), set);
	lab_must(s->lab, LAB_GATEWAY,
		 "nft flush set inet interpose %s; "
		 "nft add element inet interpose %s { %s timeout 90s }",
		 set, set, families);
}

static void
disarm(struct stand *s, const char *service)
{
	char set[POLICY_ALIVE_SET_LEN];

	policy_alive_set(policy_service(s->policy, service), set);
	lab_must(s->lab, LAB_GATEWAY, "nft flush set inet interpose %s", set);
}

static void
load(struct stand *s, const char *text)
{
	struct diags d;

	lab_policy(s->lab, "%s", text);
	lab_apply(s->lab);
	diags_init(&d);
	s->policy = policy_load(LAB_DIR "/policy.conf", &d);
	if (!s->policy)
		lab_die("policy");
	diags_fini(&d);
}

/* Lab, policy, rules, listeners; everything is alive. */
static void
stand_up(struct stand *s, const char *text)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	s->lab = lab_up(NULL);
	load(s, text);
	for (i = 0; i < s->policy->n_services; i++) {
		listen_at(s, i);
		arm(s, s->policy->services[i].name, "ipv4 timeout 90s, ipv6");
	}
}

static void
stand_down(struct stand *s)
{
	size_t i;

	for (i = 0; i < s->policy->n_services; i++)
		close(s->fds[i]);
	policy_free(s->policy);
	lab_down(s->lab);
}

/* The service whose listener has a connection waiting, or "routed". */
static const char *
who_accepts(struct stand *s)
{
	size_t i;
	int fd;

	for (i = 0; i < s->policy->n_services; i++) {
		fd = lab_accept(s->fds[i], 20, NULL);
		if (fd < 0)
			continue;
		close(fd);
		return s->policy->services[i].name;
	}
	return "routed";
}

/*
 * Where does a connection from `from` to `to` end? A service's name;
 * "routed" if somebody else accepted it; "refused"; "lost".
 */
static const char *
fate(struct stand *s, const char *from, const char *to)
{
	int fd = lab_connect(s->lab, LAB_CLIENT, from, to, WAIT_MS);
	const char *who;

	if (fd == -ECONNREFUSED)
		return "refused";
	if (fd < 0)
		return "lost";
	who = who_accepts(s);
	close(fd);
	return who;
}

static void
check(struct stand *s, const char *from, const char *to, const char *want)
{
	const char *got = fate(s, from, to);

	UNIT_CHECK(!strcmp(got, want), "%s to %s: %s, not %s",
		   from ? from : "any", to, got, want);
}

/* The server accepts on these ports. */
static void
serve(struct stand *s, const unsigned int *ports, size_t n, int *fds)
{
	char at[ENDPOINT_TEXT_LEN];
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(at, sizeof(at), "[::]:%u", ports[i]);
		fds[i] = lab_listen(s->lab, LAB_SERVER, at);
	}
}

static void
close_all(int *fds, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		close(fds[i]);
}

/* Ports, addresses and excepts, in the order of the policy. */
static void
selection(void)
{
	static const unsigned int ports[] = {80, 81, 443, 8050, 9000};
	struct stand s;
	int fds[5];

	stand_up(&s,
		 "gateway {\n"
		 "    inside in*\n"
		 "    except to 10.2.0.3\n"
		 "    except port 8042\n"
		 "}\n"
		 "service web {\n"
		 "    intercept tcp port 80, 8000-8100\n"
		 "    except from 10.1.0.3, fd01::3\n"
		 "    except to fd02::3 port 80\n"
		 "}\n"
		 "service rest {\n"
		 "    intercept tcp port 80, 443 from 10.1.0.0/24, fd01::/64"
		 " to 10.2.0.0/24, fd02::/64\n"
		 "}\n");
	serve(&s, ports, 5, fds);
	lab_must(s.lab, LAB_CLIENT,
		 "ip addr add 10.1.0.3/24 dev eth0;"
		 "ip addr add fd01::3/64 dev eth0 nodad;"
		 "ip addr add 10.1.1.2/24 dev eth0");
	lab_must(s.lab, LAB_GATEWAY, "ip route add 10.1.1.0/24 dev in0");
	check(&s, LAB_CLIENT4, LAB_SERVER4 ":80", "web");
	check(&s, LAB_CLIENT6, "[" LAB_SERVER6 "]:80", "web");
	check(&s, LAB_CLIENT4, LAB_SERVER4 ":8050", "web");
	check(&s, LAB_CLIENT4, LAB_SERVER4 ":81", "routed");
	check(&s, LAB_CLIENT4, LAB_SERVER4 ":9000", "routed");
	/* excepted from the first: the next is tried */
	check(&s, "10.1.0.3", LAB_SERVER4 ":80", "rest");
	check(&s, "fd01::3", "[" LAB_SERVER6 "]:80", "rest");
	check(&s, LAB_CLIENT6, "[" LAB_OTHER6 "]:80", "rest");
	check(&s, "10.1.0.3", LAB_SERVER4 ":8050", "routed");
	check(&s, LAB_CLIENT4, LAB_SERVER4 ":443", "rest");
	check(&s, "10.1.1.2", LAB_SERVER4 ":443", "routed");
	check(&s, "10.1.1.2", LAB_SERVER4 ":80", "web");
	/* excepted by the gateway: by none */
	check(&s, LAB_CLIENT4, LAB_OTHER4 ":80", "routed");
	check(&s, LAB_CLIENT4, LAB_OTHER4 ":443", "routed");
	check(&s, LAB_CLIENT4, LAB_SERVER4 ":8042", "refused");
	close_all(fds, 5);
	stand_down(&s);
}

/* What is the box's own is captured only where `to` names it. */
static void
own_addresses(void)
{
	struct stand s;

	stand_up(&s, "gateway {\n    inside in0\n}\n"
		     "service web {\n"
		     "    intercept tcp port 80 to 10.0.0.0/8, fd00::/8\n"
		     "    intercept tcp port 80 to 10.2.0.1, fd02::1\n"
		     "    intercept tcp port 81\n"
		     "}\n");
	check(&s, NULL, LAB_GATEWAY4 ":80", "refused");
	check(&s, NULL, "[" LAB_GATEWAY6 "]:80", "refused");
	check(&s, NULL, LAB_GATEWAY4 ":81", "refused");
	check(&s, NULL, LAB_OUTSIDE4 ":80", "web");
	check(&s, NULL, "[" LAB_OUTSIDE6 "]:80", "web");
	check(&s, NULL, "10.200.0.1:80", "web");
	check(&s, NULL, LAB_SERVER4 ":81", "web");
	stand_down(&s);
}

/* Not alive and open: routed, and no later service is tried. */
static void
open_when_dead(void)
{
	static const unsigned int ports[] = {80};
	struct stand s;
	int fds[1];

	stand_up(&s, "gateway {\n    inside in0\n}\n"
		     "service first {\n    intercept tcp port 80\n}\n"
		     "service second {\n    intercept tcp port 1-100\n}\n");
	serve(&s, ports, 1, fds);
	check(&s, NULL, LAB_SERVER4 ":80", "first");
	disarm(&s, "first");
	check(&s, NULL, LAB_SERVER4 ":80", "routed");
	check(&s, NULL, "[" LAB_SERVER6 "]:80", "routed");
	check(&s, NULL, LAB_SERVER4 ":79", "second");
	/* a family at a time */
	arm(&s, "first", "ipv6");
	check(&s, NULL, LAB_SERVER4 ":80", "routed");
	check(&s, NULL, "[" LAB_SERVER6 "]:80", "first");
	close_all(fds, 1);
	stand_down(&s);
}

/* Not alive and closed: refused, at once, in both families. */
static void
closed_when_dead(void)
{
	static const unsigned int ports[] = {80, 81};
	struct str out = {0};
	struct stand s;
	int fds[2], i;

	stand_up(&s, "gateway {\n    inside in0\n}\n"
		     "service web {\n    intercept tcp port 80\n"
		     "    on-failure closed\n}\n");
	serve(&s, ports, 2, fds);
	check(&s, NULL, LAB_SERVER4 ":80", "web");
	disarm(&s, "web");
	for (i = 0; i < 3; i++) {
		check(&s, NULL, LAB_SERVER4 ":80", "refused");
		check(&s, NULL, "[" LAB_SERVER6 "]:80", "refused");
	}
	check(&s, NULL, LAB_SERVER4 ":81", "routed");
	lab_netsetup(s.lab, &out, "status");
	UNIT_CHECK(strstr(str_text(&out), "service web: not alive, port ") &&
			   strstr(str_text(&out), " 1 captured, 6 refused"),
		   "%s", str_text(&out));
	str_fini(&out);
	close_all(fds, 2);
	stand_down(&s);
}

/* Nobody comes to a capture port directly, and it is counted. */
static void
guard_in(void)
{
	struct str out = {0};
	char at[ENDPOINT_TEXT_LEN];
	struct stand s;

	stand_up(&s, "gateway {\n    inside in0\n}\n"
		     "service web {\n    intercept tcp port 80\n}\n");
	snprintf(at, sizeof(at), LAB_GATEWAY4 ":%u",
		 s.policy->services[0].capture_port);
	check(&s, NULL, at, "refused");
	snprintf(at, sizeof(at), "[" LAB_GATEWAY6 "]:%u",
		 s.policy->services[0].capture_port);
	check(&s, NULL, at, "refused");
	lab_netsetup(s.lab, &out, "status --json");
	UNIT_CHECK(strstr(str_text(&out), "\"guard_in\": 2") != NULL, "%s",
		   str_text(&out));
	/* somebody else's REDIRECT brings whom it likes */
	lab_must(s.lab, LAB_GATEWAY,
		 "nft add table ip x; nft add chain ip x c "
		 "'{ type nat hook prerouting priority -101; }';"
		 "nft add rule ip x c tcp dport 7 redirect to :%u",
		 s.policy->services[0].capture_port);
	check(&s, NULL, LAB_SERVER4 ":7", "web");
	str_fini(&out);
	stand_down(&s);
}

/* After conntrack is flushed, no answer leaves from a capture port. */
static void
guard_out(void)
{
	struct str out = {0};
	struct stand s;
	int client, fd;

	stand_up(&s, "gateway {\n    inside in0\n}\n"
		     "service web {\n    intercept tcp port 80\n}\n");
	client = lab_connect(s.lab, LAB_CLIENT, NULL, LAB_SERVER4 ":80",
			     WAIT_MS);
	fd = lab_accept(s.fds[0], WAIT_MS, NULL);
	UNIT_CHECK(client >= 0 && fd >= 0, "captured");
	lab_must(s.lab, LAB_CLIENT,
		 "nft 'add table ip t; add chain ip t c { type filter hook "
		 "input priority 0; }; add rule ip t c tcp sport %u counter'",
		 s.policy->services[0].capture_port);
	lab_must(s.lab, LAB_GATEWAY, "nft flush set inet interpose settling");
	lab_must(s.lab, LAB_GATEWAY, "conntrack -F");
	lab_send(fd, "late");
	lab_sleep(50);
	lab_netsetup(s.lab, &out, "status");
	UNIT_CHECK(strstr(str_text(&out), "guard_out: 0 ") == NULL, "%s",
		   str_text(&out));
	str_clear(&out);
	lab_run(s.lab, LAB_CLIENT, &out, "nft list table ip t");
	UNIT_CHECK(strstr(str_text(&out), "counter packets 0 ") != NULL, "%s",
		   str_text(&out));
	/* the client's next packet brings the redirection back */
	lab_send(client, "hello");
	UNIT_CHECK(lab_expect(fd, "hello", WAIT_MS), "client to proxy");
	UNIT_CHECK(lab_expect(client, "late", WAIT_MS), "proxy to client");
	close(fd);
	close(client);
	str_fini(&out);
	stand_down(&s);
}

/* The heartbeat as proxyd sends it fills the set; other datagrams do not. */
static void
beat(const char *policy)
{
	struct stand s;
	struct sockaddr_in to = {.sin_family = AF_INET};
	uint32_t mark;
	uint8_t bytes[8];
	uint64_t digest;
	ssize_t n;
	int fd, i;

	stand_up(&s, policy);
	disarm(&s, "web");
	digest = policy_alive_digest(&s.policy->services[0]);
	for (i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(digest >> (56 - 8 * i));
	to.sin_port = htons(9);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = lab_socket(s.lab, LAB_GATEWAY, AF_INET, SOCK_DGRAM);
	n = sendto(fd, bytes, 8, 0, (struct sockaddr *)&to, sizeof(to));
	UNIT_CHECK(n == 8, "without the mark it goes through");
	mark = policy_mark_tproxied(s.policy);
	UNIT_CHECK(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) ==
			   0,
		   "SO_MARK");
	n = sendto(fd, bytes, 8, 0, (struct sockaddr *)&to, sizeof(to));
	UNIT_CHECK(n < 0 && errno == EPERM, "the rules saw it");
	check(&s, NULL, LAB_SERVER4 ":80", "web");
	lab_sleep(600);
	check(&s, NULL, LAB_SERVER4 ":80", "refused"); /* by the server */
	bytes[7] ^= 1; /* of a service that is not there */
	n = sendto(fd, bytes, 8, 0, (struct sockaddr *)&to, sizeof(to));
	UNIT_CHECK(n == 8, "another digest is not dropped");
	digest = policy_return_path_digest(s.policy);
	for (i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(digest >> (56 - 8 * i));
	n = sendto(fd, bytes, 8, 0, (struct sockaddr *)&to, sizeof(to));
	UNIT_CHECK(n < 0 && errno == EPERM, "the return path is there");
	close(fd);
	stand_down(&s);
}

#define BEATS                                                                  \
	"gateway {\n    inside in0\n    alive-timeout 500ms\n}\n"              \
	"service web {\n    intercept tcp port 80\n}\n"

static void
heartbeat(void)
{
	beat(BEATS);
}

/* One of many, which a map tells apart. */
static void
heartbeats(void)
{
	beat(BEATS "service b {\n intercept tcp port 81\n}\n"
		   "service c {\n intercept tcp port 82\n}\n"
		   "service d {\n intercept tcp port 83\n}\n"
		   "service e {\n intercept tcp port 84\n}\n");
}

static const struct unit_test tests[] = {
	{"selection", selection},
	{"own_addresses", own_addresses},
	{"open_when_dead", open_when_dead},
	{"closed_when_dead", closed_when_dead},
	{"guard_in", guard_in},
	{"guard_out", guard_out},
	{"heartbeat", heartbeat},
	{"heartbeats", heartbeats},
};

LAB_MAIN("capture", tests)
