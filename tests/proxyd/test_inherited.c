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

/* Another listening socket of the same name. */
static int
open_beside(const struct endpoint *e)
{
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(e, &sa);
	int fd = socket(e->addr.family, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL(sock_set(fd, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	CU_ASSERT_EQUAL(bind(fd, &sa.sa, len), 0);
	CU_ASSERT_EQUAL(listen(fd, 1), 0);
	return fd;
}

/* What clients arrive at is recognised, and is with its like. */
static void
test_sockets(void)
{
	int tcp = open_socket(AF_INET, SOCK_STREAM, true, NULL);
	int udp = open_socket(AF_INET6, SOCK_DGRAM, false, NULL);
	struct endpoint e = sock_name(tcp);
	struct listeners ls = {0};
	int beside, again = dup(tcp);

	sock_set(tcp, SOL_SOCKET, SO_REUSEPORT, 1);
	beside = open_beside(&e);
	CU_ASSERT_EQUAL(inherited_add(&ls, tcp), 0);
	CU_ASSERT_EQUAL(inherited_add(&ls, udp), 0);
	CU_ASSERT_EQUAL(inherited_add(&ls, beside), 0);
	CU_ASSERT_EQUAL(fcntl(udp, F_GETFD), FD_CLOEXEC);
	CU_ASSERT(fcntl(udp, F_GETFL) & O_NONBLOCK);
	/* a second descriptor of the same */
	CU_ASSERT_EQUAL(inherited_add(&ls, again), -EEXIST);
	CU_ASSERT_EQUAL_FATAL(ls.n, 2);
	CU_ASSERT(endpoint_equal(&ls.list[0].sockets->what.at, &e));
	CU_ASSERT_EQUAL(ls.list[0].sockets->what.proto, PROTO_TCP);
	CU_ASSERT_EQUAL(ls.list[0].sockets->n, 2);
	CU_ASSERT_EQUAL(sockets_fd(ls.list[0].sockets, 0), tcp);
	CU_ASSERT_EQUAL(sockets_fd(ls.list[0].sockets, 1), beside);
	CU_ASSERT_EQUAL(ls.list[1].sockets->what.proto, PROTO_UDP);
	CU_ASSERT(!ls.list[1].sockets->what.transparent);
	listeners_close(&ls);
	CU_ASSERT(fcntl(tcp, F_GETFD) < 0 && fcntl(udp, F_GETFD) < 0);
	close(again);
}

/* What the present policy has, too, stays open; the rest does not. */
static void
test_close(void)
{
	int stays = open_socket(AF_INET, SOCK_STREAM, true, NULL);
	int goes = open_socket(AF_INET, SOCK_STREAM, true, NULL);
	struct listeners ls = {0}, current = {0};
	struct listener kept = {.kind = LISTENER_LISTEN};

	CU_ASSERT_EQUAL(inherited_add(&ls, stays), 0);
	CU_ASSERT_EQUAL(inherited_add(&ls, goes), 0);
	CU_ASSERT_EQUAL_FATAL(ls.n, 2);
	kept.sockets = ls.list[0].sockets;
	kept.sockets->users++;
	current.list = &kept;
	current.n = 1;
	inherited_close(&ls, &current);
	CU_ASSERT(fcntl(stays, F_GETFD) >= 0);
	CU_ASSERT(fcntl(goes, F_GETFD) < 0 && errno == EBADF);
	listener_shut(&kept);
	CU_ASSERT(fcntl(stays, F_GETFD) < 0);
}

/* And nothing else is. */
static void
test_others(void)
{
	int tcp = open_socket(AF_INET, SOCK_STREAM, true, NULL);
	struct endpoint e = sock_name(tcp);
	struct listeners ls = {0};
	int fds[6], pair[2];
	size_t i;

	CU_ASSERT_EQUAL_FATAL(pipe(pair), 0);
	CU_ASSERT_EQUAL(inherited_add(&ls, pair[0]), -ENOTSOCK);
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
		UNIT_CHECK(inherited_add(&ls, fds[i]) == -EPROTOTYPE,
			   "socket %zu", i);
		close(fds[i]);
	}
	CU_ASSERT_EQUAL(ls.n, 0);
	CU_ASSERT_EQUAL(inherited_add(&ls, 999999), -EBADF);
	close(tcp);
	close(pair[0]);
	close(pair[1]);
	listeners_close(&ls);
}

static const struct unit_test tests[] = {
	{"sockets", test_sockets},
	{"close", test_close},
	{"others", test_others},
};

UNIT_MAIN("inherited", tests)
