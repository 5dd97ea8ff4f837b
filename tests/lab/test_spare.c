/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_spare.c - what capture must leave alone: the box's own services, and
 * what is not for one machine only. The policy captures every TCP port.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

static const char greedy[] = "gateway {\n"
			     "	inside in0\n"
			     "	outside out0\n"
			     "	user %s\n"
			     "}\n"
			     "service all {\n"
			     "	intercept tcp port 1-65535\n"
			     "}\n";

static const struct lab_options masquerades = {.masquerade = true};

/* Each of the box's own addresses, asked from inside. */
static const char *const own[] = {
	LAB_GATEWAY4 ":80",
	LAB_OUTSIDE4 ":80",
	"[" LAB_GATEWAY6 "]:80",
	"[" LAB_OUTSIDE6 "]:80",
};

static void
own_port_with(const struct lab_options *options)
{
	pid_t pid;
	struct lab *lab = lab_begin(options, greedy, &pid);
	struct str body = {0};
	size_t i;
	int r;

	lab_spawn(lab, LAB_GATEWAY, "own", "tool_server 80 gateway");
	CU_ASSERT(LAB_WAIT(lab_sockets(lab, LAB_GATEWAY,
				       "state listening sport = :80") > 0,
			   2000));
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		str_clear(&body);
		r = lab_get(lab, LAB_CLIENT, NULL, own[i], "/", &body);
		UNIT_CHECK(r == 200 && strstr(str_text(&body), "gateway sees"),
			   "%s: %d %s", own[i], r, str_text(&body));
	}
	CU_ASSERT_EQUAL(lab_log_count("proxyd", " close="), 0);
	lab_stop_proxyd(lab, pid);
	str_fini(&body);
	lab_down(lab);
}

static void
own_port(void)
{
	own_port_with(NULL);
	own_port_with(&masquerades);
}

/* What the box itself sends is not captured either, and its way back works. */
static void
own_client_with(const struct lab_options *options)
{
	pid_t pid;
	struct lab *lab = lab_begin(options, greedy, &pid);
	struct str body = {0};

	lab_nginx(lab);
	CU_ASSERT_EQUAL(
		lab_get(lab, LAB_GATEWAY, NULL, LAB_SERVER4 ":80", "/", &body),
		200);
	CU_ASSERT_EQUAL(lab_get(lab, LAB_GATEWAY, NULL, "[" LAB_SERVER6 "]:80",
				"/", &body),
			200);
	/* and from outside to the client: it did not come from inside */
	lab_spawn(lab, LAB_CLIENT, "inner", "tool_server 80 client");
	CU_ASSERT(LAB_WAIT(
		lab_sockets(lab, LAB_CLIENT, "state listening sport = :80") > 0,
		2000));
	CU_ASSERT_EQUAL(
		lab_get(lab, LAB_SERVER, NULL, LAB_CLIENT4 ":80", "/", &body),
		200);
	CU_ASSERT_EQUAL(lab_get(lab, LAB_SERVER, NULL, "[" LAB_CLIENT6 "]:80",
				"/", &body),
			200);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", " close="), 0);
	lab_stop_proxyd(lab, pid);
	str_fini(&body);
	lab_down(lab);
}

static void
own_client(void)
{
	own_client_with(NULL);
	own_client_with(&masquerades);
}

/* A socket of the gateway that waits for datagrams on `port`. */
static int
hear(struct lab *lab, int family, uint16_t port)
{
	union sockaddr_any sa = {.sa.sa_family = (sa_family_t)family};
	socklen_t len;
	int fd;

	if (family == AF_INET6) {
		sa.in6.sin6_port = htons(port);
		len = sizeof(sa.in6);
	} else {
		sa.in.sin_port = htons(port);
		len = sizeof(sa.in);
	}
	fd = lab_socket(lab, LAB_GATEWAY, family, SOCK_DGRAM);
	if (bind(fd, &sa.sa, len) < 0)
		lab_die("bind: %s", strerror(errno));
	return fd;
}

static int
say(struct lab *lab, const char *to, unsigned int port, const char *text)
{
	union sockaddr_any sa;
	struct endpoint e;
	socklen_t len;
	int fd, on = 1, r;

	CU_ASSERT_EQUAL_FATAL(addr_parse(to, &e.addr), 0);
	e.port = (uint16_t)port;
	len = endpoint_to_sockaddr(&e, &sa);
	fd = lab_socket(lab, LAB_CLIENT, sa.sa.sa_family, SOCK_DGRAM);
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	lab_enter(lab, LAB_CLIENT);
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5);
	r = sendto(fd, text, strlen(text), 0, &sa.sa, len) < 0 ? -errno : 0;
	lab_leave(lab);
	close(fd);
	return r;
}

/* The DHCP client has no address yet: 0.0.0.0:68 to 255.255.255.255:67. */
static void
dhcp_with(const struct lab_options *options)
{
	pid_t pid;
	struct lab *lab = lab_begin(options, greedy, &pid);
	int fd = hear(lab, AF_INET, 67);
	char buf[16];

	lab_must(lab, LAB_CLIENT, "ip -4 addr flush dev eth0");
	CU_ASSERT_EQUAL(say(lab, "255.255.255.255", 67, "discover"), 0);
	CU_ASSERT_EQUAL(lab_recv(fd, buf, sizeof(buf), 1000), 8);
	lab_stop_proxyd(lab, pid);
	close(fd);
	lab_down(lab);
}

static void
dhcp(void)
{
	dhcp_with(NULL);
	dhcp_with(&masquerades);
}

static void
join(struct lab *lab, int fd4, int fd6)
{
	struct ip_mreqn four = {0};
	struct ipv6_mreq six = {0};
	struct addr a;

	addr_parse("224.0.0.251", &a);
	memcpy(&four.imr_multiaddr, a.bytes, 4);
	addr_parse("ff02::fb", &a);
	memcpy(&six.ipv6mr_multiaddr, a.bytes, 16);
	lab_enter(lab, LAB_GATEWAY);
	four.imr_ifindex = (int)if_nametoindex("in0");
	six.ipv6mr_interface = if_nametoindex("in0");
	if (setsockopt(fd4, IPPROTO_IP, IP_ADD_MEMBERSHIP, &four,
		       sizeof(four)) < 0 ||
	    setsockopt(fd6, IPPROTO_IPV6, IPV6_JOIN_GROUP, &six, sizeof(six)) <
		    0)
		lab_die("join: %s", strerror(errno));
	lab_leave(lab);
}

static void
multicast_with(const struct lab_options *options)
{
	pid_t pid;
	struct lab *lab = lab_begin(options, greedy, &pid);
	int fd4 = hear(lab, AF_INET, 5353), fd6 = hear(lab, AF_INET6, 5353);
	char buf[64];

	join(lab, fd4, fd6);
	CU_ASSERT_EQUAL(say(lab, "224.0.0.251", 5353, "four"), 0);
	CU_ASSERT_EQUAL(lab_recv(fd4, buf, sizeof(buf), 1000), 4);
	CU_ASSERT_EQUAL(say(lab, "ff02::fb", 5353, "six"), 0);
	CU_ASSERT_EQUAL(lab_recv(fd6, buf, sizeof(buf), 1000), 3);
	CU_ASSERT_EQUAL(say(lab, "10.1.0.255", 5353, "subnet"), 0);
	CU_ASSERT_EQUAL(lab_recv(fd4, buf, sizeof(buf), 1000), 6);
	lab_stop_proxyd(lab, pid);
	close(fd4);
	close(fd6);
	lab_down(lab);
}

static void
multicast(void)
{
	multicast_with(NULL);
	multicast_with(&masquerades);
}

static const struct unit_test tests[] = {
	{"own_port", own_port},
	{"own_client", own_client},
	{"dhcp", dhcp},
	{"multicast", multicast},
};

LAB_MAIN("spare", tests)
