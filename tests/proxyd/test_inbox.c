/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_inbox.c - what is kept of what has come, and the relay by the byte. */
#include <errno.h>

#include "proxyd/stream/inbox.h"

#include "tests/proxyd/sides.h"

static void
say(struct bench *t, const char *text)
{
	CU_ASSERT_EQUAL(write(t->client, text, strlen(text)),
			(ssize_t)strlen(text));
	side_event(&t->a, EPOLLIN);
}

static void
seen(const struct inbox_view *v, const char *text)
{
	UNIT_CHECK(v->len == strlen(text) && !memcmp(v->data, text, v->len),
		   "%.*s, not %s", (int)v->len, v->data, text);
}

static void
begin(struct bench *t)
{
	bench_init(t, AF_UNIX);
}

static void
end(struct bench *t, struct inbox *in)
{
	inbox_fini(in);
	bench_fini(t);
}

static struct inbox_view
look_in(struct bench *t, struct inbox *in, size_t most)
{
	return inbox_look(in, &t->a, t->relay.scratch, most);
}

/* What is used at once leaves nothing behind, no memory either. */
static void
all_used(void)
{
	struct inbox_view v;
	struct inbox in = {0};
	struct bench t;

	begin(&t);
	v = look_in(&t, &in, 100);
	CU_ASSERT_EQUAL(v.len, 0);
	say(&t, "hello");
	v = look_in(&t, &in, 100);
	seen(&v, "hello");
	inbox_keep(&in, &t.a, &v, 5);
	CU_ASSERT_PTR_NULL(in.data);
	end(&t, &in);
}

static void
rest_is_kept(void)
{
	struct inbox_view v;
	struct inbox in = {0};
	struct bench t;

	begin(&t);
	say(&t, "one two");
	v = look_in(&t, &in, 100);
	inbox_keep(&in, &t.a, &v, 4);
	CU_ASSERT_EQUAL(inbox_held(&in), 3);
	/* there is room before it for what is to be sent with it */
	CU_ASSERT(v.before >= 256);
	memset(v.data - v.before, 'y', v.before);
	/* the scratch buffer is others' now */
	memset(t.relay.scratch->data, 'x', SIDE_CHUNK_SIZE);
	v = look_in(&t, &in, 100);
	seen(&v, "two");
	say(&t, " three");
	v = look_in(&t, &in, 100);
	seen(&v, "two three");
	inbox_keep(&in, &t.a, &v, 4);
	v = look_in(&t, &in, 100);
	seen(&v, "three");
	inbox_keep(&in, &t.a, &v, 5);
	CU_ASSERT_PTR_NULL(in.data);
	end(&t, &in);
}

/* However much there is: no more is taken than may be held. */
static void
bounded(void)
{
	static const char line[] = "0123456789012345678901234567890123456789";
	struct inbox_view v = {0};
	struct inbox in = {0};
	struct bench t;
	int i;

	begin(&t);
	say(&t, "ab");
	v = look_in(&t, &in, 64);
	inbox_keep(&in, &t.a, &v, 0);
	for (i = 0; i < 10; i++)
		say(&t, line);
	for (i = 0; i < 20; i++) {
		v = look_in(&t, &in, 64);
		inbox_keep(&in, &t.a, &v, 0);
		CU_ASSERT(v.len <= 64);
	}
	CU_ASSERT_EQUAL(v.len, 64);
	CU_ASSERT(!memcmp(v.data, "ab01234", 7));
	CU_ASSERT(t.a.readable);
	end(&t, &in);
}

/* A byte at a time, some of them used now and then: none is lost. */
static void
byte_by_byte(void)
{
	struct inbox_view v;
	struct inbox in = {0};
	struct bench t;
	char c[2] = "";
	int i, next = 0;

	begin(&t);
	for (i = 0; i < 5000; i++) {
		c[0] = (char)('a' + i % 23);
		say(&t, c);
		v = look_in(&t, &in, 4096);
		if (i % 97 == 0) {
			inbox_keep(&in, &t.a, &v, v.len);
			next += (int)v.len;
			continue;
		}
		CU_ASSERT_EQUAL_FATAL(v.data[0], 'a' + next % 23);
		inbox_keep(&in, &t.a, &v, i % 3 == 0);
		next += i % 3 == 0;
	}
	CU_ASSERT_EQUAL((int)inbox_held(&in), 5000 - next);
	end(&t, &in);
}

/* --- the relay, for who counts -------------------------------------------- */

static void
passes_so_many(void)
{
	struct inbox in = {0};
	struct bench t;
	bool again;

	begin(&t);
	side_event(&t.b, EPOLLOUT);
	say(&t, "0123456789");
	CU_ASSERT_EQUAL(relay_pass(&t.relay, &t.a, &t.b, 4, &again), 4);
	expect(t.server, "0123");
	CU_ASSERT_EQUAL(relay_pass(&t.relay, &t.a, &t.b, 0, &again), 0);
	CU_ASSERT_EQUAL(relay_pass(&t.relay, &t.a, &t.b, 100, &again), 6);
	CU_ASSERT(!again);
	expect(t.server, "456789");
	/* who speaks no more has its end told by the caller */
	close(t.client);
	t.client = -1;
	side_event(&t.a, EPOLLIN | EPOLLRDHUP);
	CU_ASSERT_EQUAL(relay_pass(&t.relay, &t.a, &t.b, 100, &again), 0);
	CU_ASSERT(t.a.eof);
	CU_ASSERT(!t.b.shut);
	end(&t, &in);
}

/* A side that is not writable yet gets it all later, in its order. */
static void
sends_later(void)
{
	struct inbox in = {0};
	struct bench t;

	begin(&t);
	t.b.writable = false;
	relay_send(&t.relay, &t.b, "one ", 4);
	relay_send(&t.relay, &t.b, "two ", 4);
	CU_ASSERT(relay_holds(&t.b));
	CU_ASSERT(!relay_flush(&t.relay, &t.b));
	side_event(&t.b, EPOLLOUT);
	/* it waits its turn although there is room now */
	relay_send(&t.relay, &t.b, "three", 5);
	CU_ASSERT(relay_flush(&t.relay, &t.b));
	expect(t.server, "one two three");
	end(&t, &in);
}

/* More than can be kept is an end, and no byte of it a wrong one. */
static void
sends_too_much(void)
{
	struct inbox in = {0};
	struct bench t;

	begin(&t);
	t.b.writable = false;
	memset(t.relay.scratch->data, 'x', SIDE_CHUNK_SIZE);
	relay_send(&t.relay, &t.b, t.relay.scratch->data, SIDE_CHUNK_SIZE);
	CU_ASSERT_EQUAL(t.b.error, 0);
	relay_send(&t.relay, &t.b, "y", 1);
	CU_ASSERT_EQUAL(t.b.error, ENOMEM);
	relay_release(&t.relay, &t.b);
	end(&t, &in);
}

static void
quiet(void)
{
	struct inbox in = {0};
	struct bench t;

	begin(&t);
	CU_ASSERT(side_is_quiet(&t.a));
	t.a.readable = true;
	CU_ASSERT(side_is_quiet(&t.a));
	say(&t, "x");
	CU_ASSERT(!side_is_quiet(&t.a));
	CU_ASSERT(t.a.readable);
	end(&t, &in);
}

static const struct unit_test tests[] = {
	{"all_used", all_used},
	{"rest_is_kept", rest_is_kept},
	{"bounded", bounded},
	{"byte_by_byte", byte_by_byte},
	{"passes_so_many", passes_so_many},
	{"sends_later", sends_later},
	{"sends_too_much", sends_too_much},
	{"quiet", quiet},
};

UNIT_MAIN("inbox", tests)
