/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_relay.c - bytes between two sides, in small messages.
 */
#include <errno.h>
#include <stdlib.h>

#include "proxyd/stream/relay.h"

#include "tests/proxyd/sides.h"
#include "tests/unit.h"

enum { BIG = 3 * 1024 * 1024 };

/* Both ways, split at every byte; nothing is kept. */
static void
test_splits(void)
{
	static const char text[] = "GET / HTTP/1.0\r\n\r\n";
	size_t i, len = sizeof(text) - 1;
	struct bench t;

	for (i = 1; i < len; i++) {
		bench_init(&t, AF_UNIX);
		CU_ASSERT(send(t.client, text, i, 0) > 0);
		settle(&t);
		CU_ASSERT(send(t.client, text + i, len - i, 0) > 0);
		CU_ASSERT(send(t.server, text, i, 0) > 0);
		settle(&t);
		CU_ASSERT_EQUAL(t.state, RELAY_OPEN);
		CU_ASSERT(!relay_holds(&t.a) && !relay_holds(&t.b));
		expect(t.server, text);
		CU_ASSERT_EQUAL(t.a.received, len);
		CU_ASSERT_EQUAL(t.b.sent, len);
		CU_ASSERT_EQUAL(t.a.sent, i);
		bench_fini(&t);
	}
}

/* One side ends; the other direction goes on until it ends too. */
static void
test_half_close(void)
{
	struct bench t;
	char c;

	bench_init(&t, AF_UNIX);
	CU_ASSERT(send(t.client, "last", 4, 0) == 4);
	CU_ASSERT_EQUAL(shutdown(t.client, SHUT_WR), 0);
	settle(&t);
	CU_ASSERT_EQUAL(t.state, RELAY_HALF_CLOSED);
	CU_ASSERT(t.a.eof && !t.b.eof);
	expect(t.server, "last");
	CU_ASSERT_EQUAL(recv(t.server, &c, 1, 0), 0);
	CU_ASSERT(send(t.server, "answer", 6, 0) == 6);
	settle(&t);
	CU_ASSERT_EQUAL(t.state, RELAY_HALF_CLOSED);
	expect(t.client, "answer");
	close(t.server);
	t.server = -1;
	settle(&t);
	CU_ASSERT_EQUAL(t.state, RELAY_DONE);
	/* to close is what the caller does now, and it says the end */
	side_close(&t.a, false);
	CU_ASSERT_EQUAL(recv(t.client, &c, 1, 0), 0);
	bench_fini(&t);
}

/*
 * A reader that reads nothing: the sender is stopped, little is kept, and
 * when it reads at last everything is there, in its order.
 */
static void
test_slow_reader(void)
{
	size_t sent = 0, got = 0, before = 1;
	struct bench t;
	size_t i;

	bench_init(&t, AF_UNIX);
	while (sent != before) {
		before = sent;
		sent += put(t.client, sent, BIG - sent);
		settle(&t);
	}
	CU_ASSERT(sent < BIG);
	CU_ASSERT(relay_holds(&t.b));
	CU_ASSERT(!t.b.writable);
	for (i = 0; i < 10000 && got < BIG; i++) {
		got += take(t.server, got, BIG);
		settle(&t);
		sent += put(t.client, sent, BIG - sent);
		settle(&t);
	}
	CU_ASSERT_EQUAL(got, BIG);
	CU_ASSERT(!relay_holds(&t.b));
	bench_fini(&t);
}

/* The end waits behind the bytes that wait. */
static void
test_end_behind_pending(void)
{
	static const char block[65536];
	struct bench t;
	int i;

	bench_init(&t, AF_UNIX);
	for (i = 0; i < 100; i++) {
		(void)!send(t.client, block, sizeof(block), 0);
		settle(&t);
	}
	close(t.client);
	t.client = -1;
	settle(&t);
	CU_ASSERT(relay_holds(&t.b) && !t.b.shut);
	for (i = 0; i < 100; i++) {
		while (recv(t.server, (char[4096]){0}, 4096, 0) > 0)
			;
		settle(&t);
	}
	CU_ASSERT(!relay_holds(&t.b) && t.b.shut);
	bench_fini(&t);
}

/* A socket pair resets when it is closed with bytes unread. */
static void
break_client(struct bench *t)
{
	CU_ASSERT(send(t->a.fd, "unread", 6, 0) == 6);
	close(t->client);
	t->client = -1;
}

/* A reset is an error of that side, and the bytes before it arrive. */
static void
test_reset(void)
{
	struct bench t;

	bench_init(&t, AF_UNIX);
	CU_ASSERT(send(t.client, "before", 6, 0) == 6);
	break_client(&t);
	settle(&t);
	CU_ASSERT_EQUAL(t.state, RELAY_BROKEN);
	CU_ASSERT_EQUAL(t.a.error, ECONNRESET);
	CU_ASSERT(!t.b.error && !t.b.shut);
	expect(t.server, "before");
	CU_ASSERT(relay_rescue(&t.relay, &t.a, &t.b));
	CU_ASSERT(!t.b.shut);
	bench_fini(&t);
}

/* What still waits for a slow reader is not lost by the other's reset. */
static void
test_rescue(void)
{
	static const char block[65536];
	size_t sent = 0, got = 0;
	char buf[4096];
	struct bench t;
	ssize_t n;
	int i;

	bench_init(&t, AF_UNIX);
	for (i = 0; i < 100; i++) {
		n = send(t.client, block, sizeof(block), 0);
		sent += n > 0 ? (size_t)n : 0;
		settle(&t);
	}
	break_client(&t);
	settle(&t);
	CU_ASSERT_EQUAL(t.state, RELAY_BROKEN);
	CU_ASSERT(!relay_rescue(&t.relay, &t.a, &t.b));
	for (i = 0; i < 1000 && got < sent; i++) {
		while ((n = recv(t.server, buf, sizeof(buf), 0)) > 0)
			got += (size_t)n;
		look(&t);
		relay_rescue(&t.relay, &t.a, &t.b);
	}
	CU_ASSERT_EQUAL(got, sent);
	CU_ASSERT(relay_rescue(&t.relay, &t.a, &t.b));
	bench_fini(&t);
}

/* Sending to one who is gone is an error of his, not of ours. */
static void
test_gone(void)
{
	struct bench t;

	bench_init(&t, AF_UNIX);
	close(t.server);
	t.server = -1;
	CU_ASSERT(send(t.client, "hello", 5, 0) == 5);
	settle(&t);
	CU_ASSERT_EQUAL(t.state, RELAY_BROKEN);
	CU_ASSERT_EQUAL(t.b.error, EPIPE);
	CU_ASSERT_EQUAL(t.a.error, 0);
	bench_fini(&t);
}

/* One busy flow gives the others a turn, and says that it wants another. */
static void
test_turns(void)
{
	static const char block[65536];
	int size = 8 * 1024 * 1024, i;
	struct bench t;
	bool again;

	bench_init(&t, AF_UNIX);
	setsockopt(t.client, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(t.b.fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	for (i = 0; i < 100; i++)
		if (send(t.client, block, sizeof(block), 0) < 0)
			break;
	if (i < 20) {
		bench_fini(&t);
		unit_skip("socket buffers cannot be made bigger here");
		return;
	}
	look(&t);
	CU_ASSERT_EQUAL(relay_pump(&t.relay, &t.a, &t.b, &again), RELAY_OPEN);
	CU_ASSERT(again);
	CU_ASSERT(t.a.received < (uint64_t)i * sizeof(block));
	while (again)
		relay_pump(&t.relay, &t.a, &t.b, &again);
	CU_ASSERT_EQUAL(t.a.received, (uint64_t)i * sizeof(block));
	bench_fini(&t);
}

static const struct unit_test tests[] = {
	{"splits", test_splits},
	{"half_close", test_half_close},
	{"slow_reader", test_slow_reader},
	{"end_behind_pending", test_end_behind_pending},
	{"reset", test_reset},
	{"rescue", test_rescue},
	{"gone", test_gone},
	{"turns", test_turns},
};

UNIT_MAIN("relay", tests)
