/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_soak.c - every byte arrives, once and in its place.
 *
 * Rounds of flows, both families, in which both ends send and read as much
 * as they like when they like: from a byte to a quarter of a megabyte, and
 * now and then one of them is away for some milliseconds. What is received
 * is compared with what was sent, byte by byte. Goes on until SOAK_BYTES
 * have passed (`make soak`: 10 GB), and a tenth of it again with one packet
 * in a hundred lost, anywhere.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

enum {
	PORT = 80,
	FLOWS = 12, /* in a round, of each family */
	STREAMS = 4 * FLOWS,
	PERIOD = 1048573, /* of the bytes that are sent: a prime */
	PIECE_MAX = 262144,
	STREAM_MAX = 24 << 20,
	SHORT = 100 << 20, /* bytes, without SOAK_BYTES */
	STALLED_MS = 30000,
	PATIENCE_MS = 20 * 60 * 1000,
};

static const char policy[] = "gateway {\n"
			     "	inside in0\n"
			     "	outside out0\n"
			     "	user %s\n"
			     "	log access none\n"
			     "}\n"
			     "service web {\n"
			     "	intercept tcp port 80\n"
			     "}\n";

/* One direction of a flow. */
struct stream {
	int from;
	int to;
	size_t first; /* where in the period it begins */
	uint64_t total;
	uint64_t sent;
	uint64_t got;
	uint64_t send_ms; /* not before that */
	uint64_t read_ms;
	bool ended;
};

struct soak {
	uint8_t *bytes; /* owns: a period and the beginning of the next */
	uint64_t random;
	uint64_t now_ms;
	struct lab_flow flows[2 * FLOWS];
	struct stream streams[STREAMS];
};

static uint32_t
any(struct soak *s, uint32_t below)
{
	s->random = s->random * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)((s->random >> 33) % below);
}

/* All lengths from few bytes to many, each as often. */
static uint32_t
any_length(struct soak *s, uint32_t most)
{
	uint32_t bits = any(s, 32);

	return 1 + any(s, most >> bits ? most >> bits : 1);
}

/* What follows after `at` bytes of the stream. */
static const uint8_t *
bytes_at(const struct soak *s, const struct stream *t, uint64_t at)
{
	return s->bytes + (t->first + at) % PERIOD;
}

/* Now and then somebody is away for a moment. */
static uint64_t
pause_ms(struct soak *s)
{
	return any(s, 64) ? s->now_ms : s->now_ms + any(s, 8);
}

static bool
send_some(struct soak *s, struct stream *t)
{
	uint64_t len = any_length(s, PIECE_MAX);
	ssize_t n;

	if (t->sent == t->total || s->now_ms < t->send_ms)
		return false;
	if (len > t->total - t->sent)
		len = t->total - t->sent;
	n = send(t->from, bytes_at(s, t, t->sent), len,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0) {
		UNIT_CHECK(errno == EAGAIN, "send: %s", strerror(errno));
		return false;
	}
	t->sent += (uint64_t)n;
	t->send_ms = pause_ms(s);
	if (t->sent == t->total)
		shutdown(t->from, SHUT_WR);
	return true;
}

static bool
read_some(struct soak *s, struct stream *t)
{
	static const size_t most = PIECE_MAX;
	uint8_t got[PIECE_MAX];
	ssize_t n;

	if (t->ended || s->now_ms < t->read_ms)
		return false;
	n = recv(t->to, got, any(s, 8) ? most : any_length(s, PIECE_MAX),
		 MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n > 0 && !memcmp(got, bytes_at(s, t, t->got), (size_t)n)) {
		t->got += (uint64_t)n;
		t->read_ms = pause_ms(s);
		return true;
	}
	UNIT_CHECK(n == 0, "after %" PRIu64 " bytes of %" PRIu64 ": %s", t->got,
		   t->total, n > 0 ? "others" : strerror(errno));
	UNIT_CHECK(n || t->got == t->total,
		   "the end after %" PRIu64 " bytes of %" PRIu64, t->got,
		   t->total);
	t->ended = true;
	return true;
}

/* Until all have ended, rightly or not; true if that was so. */
static bool
run(struct soak *s)
{
	uint64_t moved_ms = clock_now_ms();
	unsigned int failures = CU_get_number_of_failures();
	size_t i, left = 1;
	bool moved;

	while (left && CU_get_number_of_failures() == failures) {
		s->now_ms = clock_now_ms();
		moved = false;
		for (left = i = 0; i < STREAMS; i++) {
			moved |= send_some(s, &s->streams[i]);
			moved |= read_some(s, &s->streams[i]);
			left += !s->streams[i].ended;
		}
		if (moved)
			moved_ms = s->now_ms;
		else
			lab_sleep(1);
		UNIT_CHECK(s->now_ms - moved_ms < STALLED_MS,
			   "%zu streams do not move any more", left);
	}
	return CU_get_number_of_failures() == failures;
}

static void
stream_init(struct soak *s, struct stream *t, int from, int to)
{
	*t = (struct stream){
		.from = from,
		.to = to,
		.first = any(s, PERIOD),
		.total = any(s, 8) ? any_length(s, STREAM_MAX) : STREAM_MAX,
	};
}

/* A round. Returns how many bytes passed; 0: something was wrong. */
static uint64_t
round_of(struct soak *s, struct lab *lab, const int listeners[2])
{
	uint64_t sum = 0;
	size_t i;
	bool ok;

	for (i = 0; i < 2 * FLOWS; i++) {
		lab_flow_open(lab, lab_families[i % 2], listeners[i % 2], NULL,
			      PORT, &s->flows[i]);
		stream_init(s, &s->streams[2 * i], s->flows[i].client,
			    s->flows[i].server);
		stream_init(s, &s->streams[2 * i + 1], s->flows[i].server,
			    s->flows[i].client);
	}
	ok = run(s);
	for (i = 0; i < STREAMS; i++)
		sum += s->streams[i].got;
	for (i = 0; i < 2 * FLOWS; i++)
		lab_flow_close(&s->flows[i]);
	return ok ? sum : 0;
}

static void
soak_init(struct soak *s)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	s->bytes = malloc(PERIOD + PIECE_MAX);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s->bytes);
	CU_ASSERT_FATAL(getrandom(&s->random, sizeof(s->random), 0) > 0);
	/* failures are to be had again */
	if (getenv("SOAK_SEED"))
		s->random = strtoull(getenv("SOAK_SEED"), NULL, 0);
	printf("SOAK_SEED=%" PRIu64 "\n", s->random);
	for (i = 0; i < PERIOD + PIECE_MAX; i++)
		s->bytes[i] = i < PERIOD ? (uint8_t)any(s, 256)
					 : s->bytes[i - PERIOD];
}

static void
soak(const char *loss, unsigned int share)
{
	const char *text = getenv("SOAK_BYTES");
	uint64_t goal = text ? strtoull(text, NULL, 10) : SHORT, sum = 0, n = 1;
	uint64_t end_ms = clock_now_ms() + PATIENCE_MS;
	struct soak s;
	struct lab *lab;
	int listeners[2], i;
	pid_t pid;

	lab = lab_begin(NULL, policy, &pid);
	soak_init(&s);
	for (i = 0; i < 2; i++)
		listeners[i] = lab_serve(lab, lab_families[i], PORT);
	if (loss)
		lab_nft(lab, LAB_GATEWAY, loss);
	while (sum < goal / share && n) {
		n = round_of(&s, lab, listeners);
		sum += n;
		CU_ASSERT_FATAL(clock_now_ms() < end_ms);
	}
	for (i = 0; i < 2; i++)
		close(listeners[i]);
	free(s.bytes);
	lab_end(lab, pid);
}

static void
whole(void)
{
	soak(NULL, 1);
}

/* On both sides of the proxy, and in both directions of each. */
static void
lossy(void)
{
	soak("table inet lossy {\n"
	     "	chain in {\n"
	     "		type filter hook prerouting priority -500\n"
	     "		meta iifname { in0, out0 } "
	     "numgen random mod 100 < 1 drop\n"
	     "	}\n"
	     "	chain out {\n"
	     "		type filter hook postrouting priority 500\n"
	     "		meta oifname { in0, out0 } "
	     "numgen random mod 100 < 1 drop\n"
	     "	}\n"
	     "}\n",
	     10);
}

static const struct unit_test tests[] = {
	{"whole", whole},
	{"lossy", lossy},
};

LAB_MAIN("soak", tests)
