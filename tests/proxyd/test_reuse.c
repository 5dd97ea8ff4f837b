/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reuse.c - who gets which connection to a server. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"

#include "proxyd/base/sock.h"
#include "proxyd/http/reuse.h"

#include "tests/unit.h"

struct bench {
	struct policy *policy; /* owns */
	struct loop loop;
	struct reuse_store store;
	int listener; /* owns */
	struct endpoint server;
	unsigned int ready;
};

static void
on_ready(void *owner)
{
	struct bench *b = owner;

	b->ready++;
}

static void
listen_on_loopback(struct bench *b)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_addr = {htonl(INADDR_LOOPBACK)}};

	b->listener = socket(AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL_FATAL(
		bind(b->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(b->listener, 64), 0);
	b->server = sock_name(b->listener);
}

static void
begin(struct bench *b, const char *text)
{
	struct diags diags;

	memset(b, 0, sizeof(*b));
	diags_init(&diags);
	b->policy = policy_load_text("t.conf", text, strlen(text), &diags);
	diags_fini(&diags);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->policy);
	CU_ASSERT_EQUAL_FATAL(loop_init(&b->loop), 0);
	CU_ASSERT_EQUAL_FATAL(reuse_init(&b->store, &b->loop, b->policy), 0);
	listen_on_loopback(b);
}

static void
end(struct bench *b)
{
	reuse_fini(&b->store);
	loop_fini(&b->loop);
	policy_free(b->policy);
	close(b->listener);
}

static void
tick(void *owner)
{
	(void)owner;
}

/* Let `ms` pass in the loop, and what happens in them. */
static void
turn(struct bench *b, unsigned int ms)
{
	struct timer t = {0};
	uint64_t until_ms;

	timer_init(&t, tick, NULL);
	until_ms = clock_now_ms() + ms;
	do {
		timer_set(&b->loop.timers, &t, b->loop.now_ms + 1);
		CU_ASSERT_EQUAL(loop_turn(&b->loop), 0);
	} while (clock_now_ms() < until_ms);
	timer_clear(&b->loop.timers, &t);
}

static const char policy_text[] =
	"gateway { user nobody }\n"
	"pool p { node 127.0.0.1:1\n"
	"node 127.0.0.1:2\n"
	"reuse-max 2; reuse-idle 100ms }\n"
	"pool never { node 127.0.0.1:1; reuse never }\n"
	"service s { listen tcp 80; use p }\n"
	"service n { listen tcp 81; use never }\n";

static struct link_key
key_of(const struct bench *b, const char *pool, size_t node)
{
	struct link_key key = {.pool = policy_pool(b->policy, pool)};

	key.node = &key.pool->nodes[node];
	key.upstream.target = b->server;
	return key;
}

/* A connection that stands; the server's end of it is *ret_fd. */
static struct link *
open_link(struct bench *b, const struct link_key *key, int *ret_fd)
{
	struct link *l = NULL;

	CU_ASSERT_EQUAL_FATAL(link_open(&b->store, key, on_ready, b, &l), 0);
	*ret_fd = accept(b->listener, NULL, NULL);
	CU_ASSERT_FATAL(*ret_fd >= 0);
	turn(b, 2);
	CU_ASSERT(l->side.writable && !l->side.error);
	return l;
}

static void
used_again(void)
{
	struct link_key key;
	struct link *a, *c;
	struct bench b;
	int fds[2];

	begin(&b, policy_text);
	key = key_of(&b, "p", 0);
	CU_ASSERT_PTR_NULL(reuse_take(&b.store, &key, UINT64_MAX));
	a = open_link(&b, &key, &fds[0]);
	CU_ASSERT(b.ready > 0);
	CU_ASSERT_PTR_NULL(reuse_take(&b.store, &key, UINT64_MAX));
	reuse_put(a);
	CU_ASSERT_PTR_EQUAL(reuse_take(&b.store, &key, UINT64_MAX), a);
	link_own(a, on_ready, &b);
	c = open_link(&b, &key, &fds[1]);
	reuse_put(a);
	reuse_put(c);
	/* the one that was used last is the likeliest to be open */
	CU_ASSERT_PTR_EQUAL(reuse_take(&b.store, &key, UINT64_MAX), c);
	link_close(c, false);
	close(fds[0]);
	close(fds[1]);
	end(&b);
}

/* Whatever a server could take for somebody else's is another connection. */
static void
only_the_same(void)
{
	struct link_key key, other;
	struct link *l;
	struct bench b;
	size_t i;
	int fd;

	begin(&b, policy_text);
	key = key_of(&b, "p", 0);
	l = open_link(&b, &key, &fd);
	reuse_put(l);
	for (i = 0; i < 7; i++) {
		other = key;
		switch (i) {
		case 0:
			other.node = &key.pool->nodes[1];
			break;
		case 1:
			other.upstream.target.port++;
			break;
		case 2:
			addr_parse("127.0.0.2", &other.upstream.source.addr);
			break;
		case 3:
			other.upstream.mark = 0x2000;
			break;
		case 4:
			addr_parse("127.0.0.2", &other.client.addr);
			break;
		case 5:
			addr_parse("127.0.0.2", &other.destination.addr);
			break;
		case 6:
			other.upstream.source.port = 1;
			break;
		}
		UNIT_CHECK(!reuse_take(&b.store, &other, UINT64_MAX), "key %zu",
			   i);
	}
	CU_ASSERT_PTR_EQUAL(reuse_take(&b.store, &key, UINT64_MAX), l);
	link_close(l, false);
	close(fd);
	end(&b);
}

/* What the server ends, or says unasked, ends the link. */
static void
server_ends(void)
{
	struct link_key key;
	struct link *l;
	struct bench b;
	char byte;
	int fd;

	begin(&b, policy_text);
	key = key_of(&b, "p", 0);
	l = open_link(&b, &key, &fd);
	reuse_put(l);
	close(fd);
	turn(&b, 2);
	CU_ASSERT(!reuse_shed(&b.store));
	l = open_link(&b, &key, &fd);
	reuse_put(l);
	CU_ASSERT_EQUAL(write(fd, "x", 1), 1);
	turn(&b, 2);
	CU_ASSERT(!reuse_shed(&b.store));
	close(fd);
	/* also when it came before the link was idle */
	l = open_link(&b, &key, &fd);
	CU_ASSERT_EQUAL(write(fd, "x", 1), 1);
	turn(&b, 2);
	CU_ASSERT(l->side.readable);
	reuse_put(l);
	CU_ASSERT(!reuse_shed(&b.store));
	CU_ASSERT(read(fd, &byte, 1) <= 0);
	close(fd);
	end(&b);
}

static void
bounded(void)
{
	struct link_key key, never;
	struct link *l[3], *n;
	struct bench b;
	int fds[4], i;

	begin(&b, policy_text);
	key = key_of(&b, "p", 0);
	for (i = 0; i < 3; i++)
		l[i] = open_link(&b, &key, &fds[i]);
	for (i = 0; i < 3; i++)
		reuse_put(l[i]);
	/* the pool keeps two: the first one went */
	CU_ASSERT_PTR_EQUAL(reuse_take(&b.store, &key, UINT64_MAX), l[2]);
	CU_ASSERT_PTR_EQUAL(reuse_take(&b.store, &key, UINT64_MAX), l[1]);
	CU_ASSERT_PTR_NULL(reuse_take(&b.store, &key, UINT64_MAX));
	link_close(l[1], false);
	link_close(l[2], false);
	never = key_of(&b, "never", 0);
	n = open_link(&b, &never, &fds[3]);
	reuse_put(n);
	CU_ASSERT(!reuse_shed(&b.store));
	for (i = 0; i < 4; i++)
		close(fds[i]);
	end(&b);
}

static void
not_for_ever(void)
{
	struct link_key key;
	struct link *l;
	struct bench b;
	int fd;

	begin(&b, policy_text);
	key = key_of(&b, "p", 0);
	l = open_link(&b, &key, &fd);
	reuse_put(l);
	turn(&b, 60);
	/* fresh enough for any, but not for a request that is sent once */
	CU_ASSERT_PTR_NULL(reuse_take(&b.store, &key, 30));
	CU_ASSERT_PTR_EQUAL(reuse_take(&b.store, &key, UINT64_MAX), l);
	link_own(l, on_ready, &b);
	/* in use it is not idle, however long */
	turn(&b, 120);
	reuse_put(l);
	turn(&b, 60);
	CU_ASSERT_PTR_EQUAL(reuse_take(&b.store, &key, UINT64_MAX), l);
	reuse_put(l);
	turn(&b, 210);
	CU_ASSERT_PTR_NULL(reuse_take(&b.store, &key, UINT64_MAX));
	close(fd);
	end(&b);
}

static const struct unit_test tests[] = {
	{"used_again", used_again},	{"only_the_same", only_the_same},
	{"server_ends", server_ends},	{"bounded", bounded},
	{"not_for_ever", not_for_ever},
};

UNIT_MAIN("reuse", tests)
