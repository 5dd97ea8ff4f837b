/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_why.c - what the kernel said, in the words of the record. */
#include <errno.h>

#include "proxyd/flow/why.h"

#include "tests/unit.h"

static void
test_connect(void)
{
	static const struct {
		int error;
		enum reason reason;
	} rows[] = {
		{ECONNREFUSED, REASON_REFUSED},
		{ECONNRESET, REASON_SERVER_RESET},
		/* `ss -K` */
		{ECONNABORTED, REASON_SERVER_RESET},
		{ETIMEDOUT, REASON_CONNECT_TIMEOUT},
		{EHOSTUNREACH, REASON_UNREACHABLE},
		{ENETUNREACH, REASON_UNREACHABLE},
		{EPERM, REASON_DENIED},
		{EADDRNOTAVAIL, REASON_NO_PORT},
		{EMFILE, REASON_RESOURCES},
		{ENOMEM, REASON_RESOURCES},
		/* epoll's limit; ports of a kernel in need */
		{ENOSPC, REASON_RESOURCES},
		{EAGAIN, REASON_RESOURCES},
		/* a box without IPv6; ICMP of strange routers */
		{EAFNOSUPPORT, REASON_UNREACHABLE},
		{EOPNOTSUPP, REASON_UNREACHABLE},
		{EPROTO, REASON_UNREACHABLE},
		{EBADF, REASON_INTERNAL},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		UNIT_STRINGS(reason_word(why_not_connected(rows[i].error)),
			     reason_word(rows[i].reason));
}

static enum reason
broken(int client, int server)
{
	struct side a, b;

	side_init(&a);
	side_init(&b);
	side_fail(&a, client);
	side_fail(&b, server);
	return why_broken(&a, &b);
}

static void
test_broken(void)
{
	CU_ASSERT_EQUAL(broken(ECONNRESET, 0), REASON_CLIENT_RESET);
	CU_ASSERT_EQUAL(broken(EPIPE, 0), REASON_CLIENT_RESET);
	CU_ASSERT_EQUAL(broken(ECONNABORTED, 0), REASON_CLIENT_RESET);
	CU_ASSERT_EQUAL(broken(ETIMEDOUT, 0), REASON_CLIENT_LOST);
	CU_ASSERT_EQUAL(broken(0, ECONNRESET), REASON_SERVER_RESET);
	CU_ASSERT_EQUAL(broken(0, EHOSTUNREACH), REASON_SERVER_LOST);
	CU_ASSERT_EQUAL(broken(0, ENOMEM), REASON_RESOURCES);
}

static const struct unit_test tests[] = {
	{"connect", test_connect},
	{"broken", test_broken},
};

UNIT_MAIN("why", tests)
