/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_bulk.c - bytes between two sides, by way of pipes.
 *
 * The system calls that pipes need are made by this program, which has some
 * of them fail or do less than they were asked to, as the plan says. The plan
 * lives in a file in memory: nothing mutable outlives a function here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/clock.h"

#include "proxyd/base/fds.h"
#include "proxyd/stream/relay.h"

#include "tests/proxyd/sides.h"
#include "tests/unit.h"

enum {
	PLAN_FD = 700,
	CHUNK = SIDE_CHUNK_SIZE,
	THREE = 3 * CHUNK,
	BIG = 6 * 1024 * 1024,
	TALE = 700001, /* bytes of a whole conversation */
};

struct plan {
	uint32_t fills; /* that were tried */
	uint32_t drains;
	uint32_t shorts; /* at most so many bytes a call, or 0 */
	int fill_error;	 /* of every call */
	int drain_error;
	int pipe_error;
	int grow_error;
};

/* --- the system calls ----------------------------------------------------- */

static struct plan
plan_now(void)
{
	struct plan p = {0};

	(void)!pread(PLAN_FD, &p, sizeof(p), 0);
	return p;
}

static void
plan(struct plan p)
{
	int fd;

	if (fcntl(PLAN_FD, F_GETFD) < 0) {
		fd = memfd_create("plan", 0);
		dup2(fd, PLAN_FD);
		close(fd);
	}
	CU_ASSERT_EQUAL_FATAL(pwrite(PLAN_FD, &p, sizeof(p), 0), sizeof(p));
}

static bool
is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

ssize_t
splice(int from, off64_t *from_at, int to, off64_t *to_at, size_t size,
       unsigned int flags)
{
	struct plan p = plan_now();
	int error = is_pipe(to) ? p.fill_error : p.drain_error;

	*(is_pipe(to) ? &p.fills : &p.drains) += 1;
	plan(p);
	if (error) {
		errno = error;
		return -1;
	}
	if (p.shorts && size > p.shorts)
		size = p.shorts;
	return syscall(SYS_splice, from, from_at, to, to_at, size, flags);
}

int
pipe2(int fds[2], int flags)
{
	struct plan p = plan_now();

	errno = p.pipe_error;
	return errno ? -1 : (int)syscall(SYS_pipe2, fds, flags);
}

int
fcntl(int fd, int cmd, ...)
{
	va_list ap;
	long value;

	va_start(ap, cmd);
	value = va_arg(ap, long);
	va_end(ap);
	if (cmd == F_SETPIPE_SZ && plan_now().grow_error) {
		syscall(SYS_fcntl, fd, cmd, 8192L);
		errno = plan_now().grow_error;
		return -1;
	}
	return (int)syscall(SYS_fcntl, fd, cmd, value);
}

/* --- a bench where bulk passes -------------------------------------------- */

/* Room in a socket: as much as root may have, or as anybody may. */
static void
widen(int fd, int option, int option_of_root)
{
	int size = 1 << 20;

	setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, option_of_root, &size, sizeof(size));
}

static void
begin(struct bench *t, int family, struct plan p)
{
	plan(p);
	bench_init(t, family);
	widen(t->client, SO_SNDBUF, SO_SNDBUFFORCE);
	widen(t->a.fd, SO_RCVBUF, SO_RCVBUFFORCE);
	widen(t->b.fd, SO_SNDBUF, SO_SNDBUFFORCE);
}

/* Send `max` bytes at once, or what the socket takes. How many? */
static size_t
pour(int fd, size_t at, size_t max)
{
	size_t sent = 0, n = 1;

	while (sent < max && n) {
		n = put(fd, at + sent, max - sent);
		sent += n;
	}
	return sent;
}

/* The same until nothing more goes through: bytes wait in a pipe. */
static size_t
stuff(struct bench *t)
{
	size_t sent = 0, before = 1;

	while (sent != before) {
		before = sent;
		sent += pour(t->client, sent, THREE);
		settle(t);
	}
	CU_ASSERT_FATAL(t->b.pipe && t->b.pipe->held);
	return sent;
}

static void
empty(struct bench *t, size_t want)
{
	size_t got = 0, n;
	int i;

	for (i = 0; i < 1000 && got < want; i++) {
		n = take(t->server, got, BIG);
		got += n;
		settle(t);
	}
	UNIT_CHECK(got == want, "%zu bytes of %zu", got, want);
}

/* --- when ------------------------------------------------------------------
 */

/* The third buffer goes by a pipe, which nobody has after that. */
static void
test_begins(void)
{
	struct bench t;
	size_t sent;

	begin(&t, AF_UNIX, (struct plan){0});
	sent = put(t.client, 0, CHUNK);
	settle(&t);
	CU_ASSERT_EQUAL(plan_now().fills, 0);
	CU_ASSERT_EQUAL(t.relay.pipes.n, 0);
	empty(&t, sent);
	sent = pour(t.client, 0, THREE);
	settle(&t);
	CU_ASSERT(plan_now().fills > 0);
	CU_ASSERT_PTR_NULL(t.b.pipe);
	CU_ASSERT_EQUAL(t.relay.pipes.n, 1);
	CU_ASSERT_EQUAL(t.relay.pipes.n_spare, 1);
	empty(&t, sent);
	CU_ASSERT_EQUAL(t.b.sent, t.a.received);
	bench_fini(&t);
}

/* Small messages after it are copied, and so is the other direction. */
static void
test_ends(void)
{
	struct bench t;
	uint32_t fills;
	size_t sent;
	int i;

	begin(&t, AF_UNIX, (struct plan){0});
	sent = pour(t.client, 0, THREE);
	settle(&t);
	empty(&t, sent);
	fills = plan_now().fills;
	for (i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(put(t.client, 0, 100), 100);
		CU_ASSERT_EQUAL(put(t.server, 0, 100), 100);
		settle(&t);
		CU_ASSERT_EQUAL(take(t.server, 0, 200), 100);
		CU_ASSERT_EQUAL(take(t.client, 0, 200), 100);
		CU_ASSERT(!t.a.pipe && !t.b.pipe);
	}
	/* the first of them may find out that bulk is over */
	UNIT_CHECK(plan_now().fills <= fills + 2, "%u splices for 5 messages",
		   plan_now().fills - fills);
	bench_fini(&t);
}

/* --- ends ------------------------------------------------------------------
 */

/* The end comes behind what is in the pipe. */
static void
test_end_behind_pipe(void)
{
	struct bench t;
	size_t sent;
	char c;

	begin(&t, AF_UNIX, (struct plan){0});
	sent = stuff(&t);
	CU_ASSERT_EQUAL(shutdown(t.client, SHUT_WR), 0);
	settle(&t);
	CU_ASSERT(relay_holds(&t.b) && !t.b.shut);
	empty(&t, sent);
	CU_ASSERT(!relay_holds(&t.b) && t.b.shut);
	CU_ASSERT_EQUAL(t.state, RELAY_HALF_CLOSED);
	CU_ASSERT_EQUAL(recv(t.server, &c, 1, 0), 0);
	CU_ASSERT_EQUAL(put(t.server, 0, 100), 100);
	settle(&t);
	CU_ASSERT_EQUAL(take(t.client, 0, 200), 100);
	bench_fini(&t);
}

/* What is in the pipe arrives before the reset does. */
static void
test_rescue(void)
{
	size_t sent, got = 0;
	struct bench t;
	int i;

	begin(&t, AF_UNIX, (struct plan){0});
	sent = stuff(&t);
	/* a socket pair resets when it is closed with bytes unread */
	CU_ASSERT_EQUAL(send(t.a.fd, "unread", 6, 0), 6);
	close(t.client);
	t.client = -1;
	settle(&t);
	CU_ASSERT_EQUAL(t.state, RELAY_BROKEN);
	CU_ASSERT(!relay_rescue(&t.relay, &t.a, &t.b));
	for (i = 0; i < 1000 && got < sent; i++) {
		got += take(t.server, got, BIG);
		look(&t);
		relay_rescue(&t.relay, &t.a, &t.b);
	}
	CU_ASSERT_EQUAL(got, sent);
	CU_ASSERT(relay_rescue(&t.relay, &t.a, &t.b));
	bench_fini(&t);
}

/* A pipe with bytes for one who is gone is not lent to another. */
static void
test_gone(void)
{
	struct bench t;

	begin(&t, AF_UNIX, (struct plan){0});
	stuff(&t);
	close(t.server);
	t.server = -1;
	settle(&t);
	CU_ASSERT_EQUAL(t.state, RELAY_BROKEN);
	CU_ASSERT(t.b.error == EPIPE || t.b.error == ECONNRESET);
	CU_ASSERT(relay_rescue(&t.relay, &t.a, &t.b));
	relay_release(&t.relay, &t.b);
	CU_ASSERT_EQUAL(t.relay.pipes.n, 0);
	bench_fini(&t);
}

/* --- what the kernel will not do ------------------------------------------ */

/* Everything arrives although nothing can be spliced; no pipe is left. */
static void
by_copying(int family, struct plan p, const char *what)
{
	size_t sent = 0, got = 0;
	struct bench t;
	int i;

	begin(&t, family, p);
	for (i = 0; i < 2000 && got < BIG; i++) {
		sent += pour(t.client, sent, BIG - sent);
		settle(&t);
		/* now and then the reader is away */
		if (i % 10 > 5)
			got += take(t.server, got, BIG);
	}
	UNIT_CHECK(got == BIG, "%s: %zu bytes of %d", what, got, BIG);
	CU_ASSERT_EQUAL(t.state, RELAY_OPEN);
	bench_fini(&t);
	plan((struct plan){0});
}

static void
test_no_pipe(void)
{
	by_copying(AF_UNIX, (struct plan){.pipe_error = EMFILE}, "EMFILE");
	by_copying(AF_INET, (struct plan){.pipe_error = ENFILE}, "ENFILE");
	/* that is what a user has who has too many pages in pipes */
	by_copying(AF_UNIX, (struct plan){.grow_error = EPERM}, "EPERM");
	CU_ASSERT_EQUAL(plan_now().fills, 0);
}

static void
test_no_splice(void)
{
	by_copying(AF_UNIX, (struct plan){.fill_error = EINVAL}, "in EINVAL");
	by_copying(AF_INET, (struct plan){.fill_error = ENOMEM}, "in ENOMEM");
	by_copying(AF_UNIX, (struct plan){.drain_error = EINVAL}, "out EINVAL");
	by_copying(AF_INET, (struct plan){.drain_error = ENOBUFS}, "ENOBUFS");
}

/* As many as there may be, and the rest copies. */
static void
test_bounded(void)
{
	struct pipe *taken[3];
	struct pipes ps;
	int i;

	CU_ASSERT_EQUAL(fds_pipes(20000), FDS_PIPES_MAX);
	CU_ASSERT_EQUAL(fds_pipes(1024), 16);
	CU_ASSERT_EQUAL(fds_pipes(10), 0);
	plan((struct plan){0});
	pipes_init(&ps);
	ps.max = 3;
	for (i = 0; i < 3; i++)
		taken[i] = pipes_get(&ps);
	CU_ASSERT_PTR_NOT_NULL_FATAL(taken[2]);
	CU_ASSERT_PTR_NULL(pipes_get(&ps));
	CU_ASSERT_EQUAL(write(taken[0]->in, "left", 4), 4);
	taken[0]->held = 4;
	for (i = 0; i < 3; i++)
		pipes_put(&ps, taken[i]);
	CU_ASSERT_EQUAL(ps.n, 2);
	CU_ASSERT_EQUAL(ps.n_spare, 2);
	pipes_fini(&ps);
	CU_ASSERT_EQUAL(ps.n, 0);
}

/* --- all of it together ----------------------------------------------------
 */

/* How a conversation goes. */
struct tale {
	int family;
	uint32_t shorts; /* of the kernel */
	uint32_t upload; /* bytes a turn, at most */
	uint32_t reads;	 /* the server, likewise */
	bool resets;	 /* the client, at its end; else it is done */
};

static void
finish(struct bench *t, const struct tale *tale)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	if (!tale->resets) {
		shutdown(t->client, SHUT_WR);
		return;
	}
	if (tale->family == AF_UNIX)
		(void)!send(t->a.fd, "unread", 6, 0);
	setsockopt(t->client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(t->client);
	t->client = -1;
}

static void
go_on(struct bench *t)
{
	if (t->state != RELAY_BROKEN) {
		settle(t);
		return;
	}
	look(t);
	relay_rescue(&t->relay, &t->a, &t->b);
}

static void
tell(const struct tale *tale)
{
	size_t sent = 0, got = 0, back = 0, heard = 0;
	struct bench t;
	int i;

	begin(&t, tale->family, (struct plan){.shorts = tale->shorts});
	for (i = 0; i < 20000 && got < TALE; i++) {
		if (sent < TALE)
			sent += pour(t.client, sent,
				     tale->upload < TALE - sent ? tale->upload
								: TALE - sent);
		/* small words the other way, all the time */
		if (t.client >= 0 && i % 3 == 0 && t.a.received < TALE)
			back += put(t.server, back, 10);
		go_on(&t);
		if (t.client >= 0)
			heard += take(t.client, heard, BIG);
		/* a TCP peer that resets takes back what was not received */
		if (sent == TALE && t.client >= 0 && t.a.received == TALE)
			finish(&t, tale);
		got += take(t.server, got, tale->reads);
	}
	UNIT_CHECK(got == TALE,
		   "%d, shorts %u, upload %u, reads %u, %s: %zu of %d",
		   tale->family, tale->shorts, tale->upload, tale->reads,
		   tale->resets ? "reset" : "end", got, TALE);
	go_on(&t);
	CU_ASSERT_EQUAL(back, heard);
	CU_ASSERT_EQUAL(t.b.sent, TALE);
	bench_fini(&t);
}

static void
test_tales(void)
{
	static const uint32_t shorts[] = {0, 1, 4097};
	static const uint32_t speeds[] = {777, 65536, 1 << 20};
	struct tale tale;
	int i;

	for (i = 0; i < 2 * 3 * 3 * 3 * 2; i++) {
		tale.resets = i % 2;
		tale.reads = speeds[i / 2 % 3];
		tale.upload = speeds[i / 6 % 3];
		tale.shorts = shorts[i / 18 % 3];
		tale.family = i / 54 ? AF_INET : AF_UNIX;
		/* a byte a call is slow: one such is enough */
		if (tale.shorts == 1 && tale.upload != speeds[1])
			continue;
		tell(&tale);
	}
}

/* --- urgent data, and the last bytes -------------------------------------- */

/* Splicing stops before urgent data, as before an end: it is neither. */
static void
urgent_then(bool end)
{
	size_t sent = 0, got = 0;
	struct bench t;
	char c;
	int i;

	begin(&t, AF_INET, (struct plan){0});
	for (i = 0; i < 30; i++) {
		sent += pour(t.client, sent, THREE);
		if (i % 5 == 3)
			CU_ASSERT(send(t.client, "!", 1, MSG_OOB) == 1 ||
				  errno == EAGAIN);
		settle(&t);
		got += take(t.server, got, BIG);
	}
	if (end)
		shutdown(t.client, SHUT_WR);
	t.patience_ms = 50;
	settle(&t);
	got += take(t.server, got, BIG);
	UNIT_CHECK(got == sent, "%zu bytes of %zu", got, sent);
	CU_ASSERT(plan_now().fills > 10);
	CU_ASSERT_EQUAL(t.a.eof, end);
	CU_ASSERT_EQUAL(recv(t.server, &c, 1, 0), end ? 0 : -1);
	bench_fini(&t);
}

static void
test_urgent(void)
{
	urgent_then(false);
	urgent_then(true);
}

/* Nothing waits for more to come: each block is there at once. */
static void
test_last_bytes(void)
{
	size_t sent, got, want = 400001;
	uint64_t began, took;
	struct bench t;
	int i;

	begin(&t, AF_INET, (struct plan){0});
	began = clock_now_ms();
	for (i = 0; i < 20; i++) {
		sent = got = 0;
		while (got < want && clock_now_ms() < began + 10000) {
			sent += pour(t.client, sent, want - sent);
			settle(&t);
			got += take(t.server, got, want - got);
		}
	}
	took = clock_now_ms() - began;
	/* Nagle or a cork would add 40 or 200 ms to each */
	UNIT_CHECK(took < 600, "20 blocks took %u ms", (unsigned int)took);
	CU_ASSERT(plan_now().fills >= 20);
	bench_fini(&t);
}

static const struct unit_test tests[] = {
	{"begins", test_begins},
	{"ends", test_ends},
	{"end_behind_pipe", test_end_behind_pipe},
	{"rescue", test_rescue},
	{"gone", test_gone},
	{"no_pipe", test_no_pipe},
	{"no_splice", test_no_splice},
	{"bounded", test_bounded},
	{"tales", test_tales},
	{"urgent", test_urgent},
	{"last_bytes", test_last_bytes},
};

UNIT_MAIN("bulk", tests)
