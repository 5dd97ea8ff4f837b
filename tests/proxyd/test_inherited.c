/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_inherited.c - which inherited descriptor is which socket? */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxyd/base/sock.h"
#include "proxyd/net/inherited.h"

#include "tests/unit.h"

static struct endpoint
at(const char *text)
{
	struct endpoint e;

	CU_ASSERT_EQUAL_FATAL(endpoint_parse(text, &e), 0);
	return e;
}

/* One of a list that is made by hand. */
static struct inherited_socket
known(int fd, int proto, const char *text)
{
	return (struct inherited_socket){
		.fd = fd, .proto = proto, .at = at(text), .cookie = 0};
}

/* Pure: protocol and name must be the same, and each is taken once. */
static void
test_take(void)
{
	struct inherited_socket list[] = {
		known(10, IPPROTO_TCP, "0.0.0.0:80"),
		known(11, IPPROTO_TCP, "[::]:80"),
		known(12, IPPROTO_UDP, "0.0.0.0:80"),
		known(13, IPPROTO_TCP, "0.0.0.0:80"),
		known(14, IPPROTO_TCP, "10.0.0.1:80"),
	};
	struct inherited in = {list, 5};
	struct endpoint any4 = at("0.0.0.0:80"), any6 = at("[::]:80");
	struct endpoint other = at("0.0.0.0:81"), one = at("10.0.0.1:80");

	CU_ASSERT_EQUAL(inherited_take(&in, IPPROTO_TCP, &other), -1);
	CU_ASSERT_EQUAL(inherited_take(&in, IPPROTO_UDP, &any6), -1);
	CU_ASSERT_EQUAL(inherited_take(&in, IPPROTO_TCP, &any4), 10);
	CU_ASSERT_EQUAL(inherited_take(&in, IPPROTO_TCP, &any4), 13);
	CU_ASSERT_EQUAL(inherited_take(&in, IPPROTO_TCP, &any4), -1);
	CU_ASSERT_EQUAL(inherited_take(&in, IPPROTO_TCP, &any6), 11);
	CU_ASSERT_EQUAL(inherited_take(&in, IPPROTO_UDP, &any4), 12);
	CU_ASSERT_EQUAL(inherited_take(&in, IPPROTO_TCP, &one), 14);
}

/* A socket on the loopback; with `peer`, connected to that. */
static int
open_socket(int family, int type, bool listens, const struct endpoint *peer)
{
	struct endpoint e = at(family == AF_INET ? "127.0.0.1" : "::1");
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(&e, &sa);
	int fd = socket(family, type, 0);

	CU_ASSERT_FATAL(fd >= 0);
	if (family == AF_INET6)
		sock_set(fd, SOL_IPV6, IPV6_V6ONLY, 1);
	CU_ASSERT_EQUAL(bind(fd, &sa.sa, len), 0);
	if (listens)
		CU_ASSERT_EQUAL(listen(fd, 1), 0);
	if (peer) {
		len = endpoint_to_sockaddr(peer, &sa);
		CU_ASSERT_EQUAL(connect(fd, &sa.sa, len), 0);
	}
	return fd;
}

/* What clients arrive at is recognised, in both protocols. */
static void
test_sockets(void)
{
	int tcp = open_socket(AF_INET, SOCK_STREAM, true, NULL);
	int udp = open_socket(AF_INET, SOCK_DGRAM, false, NULL);
	struct inherited in = {0};
	struct endpoint e = sock_name(tcp);
	int again;

	CU_ASSERT_EQUAL(inherited_add(&in, tcp), 0);
	CU_ASSERT_EQUAL(inherited_add(&in, udp), 0);
	CU_ASSERT_EQUAL(fcntl(udp, F_GETFD), FD_CLOEXEC);
	CU_ASSERT(fcntl(udp, F_GETFL) & O_NONBLOCK);
	/* a second descriptor of the same */
	again = dup(tcp);
	CU_ASSERT_EQUAL(inherited_add(&in, again), -EEXIST);
	close(again);
	CU_ASSERT_EQUAL(inherited_take(&in, IPPROTO_TCP, &e), tcp);
	inherited_close(&in);
	/* taken: still open; not taken: closed */
	CU_ASSERT(fcntl(tcp, F_GETFD) >= 0);
	CU_ASSERT(fcntl(udp, F_GETFD) < 0 && errno == EBADF);
	close(tcp);
}

/* And nothing else is. */
static void
test_others(void)
{
	int tcp = open_socket(AF_INET, SOCK_STREAM, true, NULL);
	struct endpoint e = sock_name(tcp);
	struct inherited in = {0};
	int fds[6], pair[2];
	size_t i;

	CU_ASSERT_EQUAL_FATAL(pipe(pair), 0);
	CU_ASSERT_EQUAL(inherited_add(&in, pair[0]), -ENOTSOCK);
	fds[0] = open_socket(AF_INET, SOCK_STREAM, false, NULL);
	fds[1] = open_socket(AF_INET, SOCK_STREAM, false, &e);
	fds[2] = open_socket(AF_INET, SOCK_DGRAM, false, &e);
	fds[3] = socket(AF_INET, SOCK_DGRAM, 0);
	fds[4] = socket(AF_UNIX, SOCK_STREAM, 0);
	/* it would take IPv4 too */
	fds[5] = socket(AF_INET6, SOCK_STREAM, 0);
	sock_set(fds[5], SOL_IPV6, IPV6_V6ONLY, 0);
	CU_ASSERT_EQUAL(listen(fds[5], 1), 0);
	for (i = 0; i < 6; i++) {
		UNIT_CHECK(inherited_add(&in, fds[i]) == -EPROTOTYPE,
			   "socket %zu", i);
		close(fds[i]);
	}
	CU_ASSERT_EQUAL(in.n, 0);
	CU_ASSERT_EQUAL(inherited_add(&in, 999999), -EBADF);
	close(tcp);
	close(pair[0]);
	close(pair[1]);
	inherited_close(&in);
}

static const struct unit_test tests[] = {
	{"take", test_take},
	{"sockets", test_sockets},
	{"others", test_others},
};

UNIT_MAIN("inherited", tests)
