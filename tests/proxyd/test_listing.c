/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_listing.c - flows are listed a few at a time, while others come and
 * go between two turns of the loop.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxyd/flow/life.h"
#include "proxyd/flow/listing.h"

#include "tests/unit.h"

enum { FLOWS = 2 * LISTING_TURN + 50 };

/* A worker that never had a client. */
struct bench {
	struct policy *policy;
	struct listener listener;
	struct loop loop;
	struct shm *shm;
	struct tally *tally;
	struct access access;
	struct flows flows;
	struct listing listing;
	struct flow *made[FLOWS];
	int talk[2];
	int file;
	int done[2]; /* the pipe: our end, and what was its end */
};

static struct policy *
load(void)
{
	static const char text[] =
		"gateway { inside eth1 }\n"
		"service web { listen tcp 80; log access none }\n"
		"service other { listen tcp 81; log access none }\n";
	struct diags diags;
	struct policy *p;

	diags_init(&diags);
	p = policy_load_text("test.conf", text, sizeof(text) - 1, &diags);
	diags_fini(&diags);
	if (!p)
		abort();
	return p;
}

static void
on_timer(void *flow)
{
	(void)flow;
}

static struct flow *
add_flow(struct bench *b, const char *client)
{
	struct flow *f = life_new(&b->flows, &b->listener, -1, on_timer);

	CU_ASSERT_FATAL(f != NULL);
	CU_ASSERT_EQUAL(endpoint_parse(client, &f->peer), 0);
	return f;
}

static void
set_up(struct bench *b)
{
	char client[32];
	int i;

	memset(b, 0, sizeof(*b));
	b->policy = load();
	b->listener.service = &b->policy->services[0];
	b->shm = shm_new(1);
	b->tally = tally_new(b->policy, 1);
	CU_ASSERT_FATAL(b->shm && b->tally);
	CU_ASSERT_EQUAL_FATAL(loop_init(&b->loop), 0);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b->talk),
			      0);
	access_open(&b->access, b->policy, &(struct str){0});
	b->flows.policy = b->policy;
	b->flows.loop = &b->loop;
	b->flows.shm = b->shm;
	b->flows.own = shm_take(b->shm, 1, 0);
	b->flows.tally = tally_column(b->tally, 0);
	b->flows.access = &b->access;
	CU_ASSERT_EQUAL_FATAL(flows_init(&b->flows, b->talk[1]), 0);
	listing_init(&b->listing, &b->flows);
	for (i = 0; i < FLOWS; i++) {
		snprintf(client, sizeof(client), "10.0.%d.1:%d", i % 2, i + 1);
		b->made[i] = add_flow(b, client);
	}
}

static void
tear_down(struct bench *b)
{
	listing_fini(&b->listing);
	while (!LIST_EMPTY(&b->flows.list))
		life_end(LIST_FIRST(&b->flows.list), REASON_STOPPED);
	flows_fini(&b->flows);
	access_close(&b->access);
	loop_fini(&b->loop);
	tally_free(b->tally);
	shm_free(b->shm);
	policy_free(b->policy);
	close(b->talk[0]);
	close(b->talk[1]);
}

static void
begin(struct bench *b, const char *filter)
{
	struct wire_request q = {0};
	struct str why = {0};

	CU_ASSERT_EQUAL(wire_parse(filter, strlen(filter), &q, &why), 0);
	b->file = memfd_create("listing", MFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL(pipe2(b->done, O_NONBLOCK | O_CLOEXEC), 0);
	listing_begin(&b->listing,
		      &(struct listing_order){q.filter, .worker = 7},
		      dup(b->file), b->done[1]);
	str_fini(&why);
}

/* Turns of the loop until all is written; how many there were. */
static unsigned int
finish(struct bench *b, struct listing_end *ret_end)
{
	unsigned int turns = 0;

	memset(ret_end, 0, sizeof(*ret_end));
	while (b->listing.fd >= 0 && turns < 100) {
		CU_ASSERT_EQUAL(loop_turn(&b->loop), 0);
		turns++;
	}
	CU_ASSERT_EQUAL(read(b->done[0], ret_end, sizeof(*ret_end)),
			sizeof(*ret_end));
	/* and that is its end */
	CU_ASSERT_EQUAL(read(b->done[0], ret_end, 1), 0);
	close(b->done[0]);
	return turns;
}

/* What was written, as an array; the caller's. */
static json_t *
written(struct bench *b)
{
	struct str text = {0};
	char buf[4096];
	json_t *list;
	ssize_t n;

	str_add_char(&text, '[');
	lseek(b->file, 0, SEEK_SET);
	while ((n = read(b->file, buf, sizeof(buf))) > 0)
		str_add_bytes(&text, buf, (size_t)n);
	str_add_char(&text, ']');
	close(b->file);
	list = json_loadb(text.data, text.len, 0, NULL);
	CU_ASSERT_FATAL(list != NULL);
	str_fini(&text);
	return list;
}

/* Is this client's flow in the list, and how often? */
static unsigned int
times(const json_t *list, int i)
{
	unsigned int n = 0;
	char client[32];
	const json_t *f;
	size_t k;

	snprintf(client, sizeof(client), "10.0.%d.1:%d", i % 2, i + 1);
	json_array_foreach(list, k, f) n += !strcmp(
		json_string_value(json_object_get(f, "client")), client);
	return n;
}

static void
test_slices(void)
{
	struct listing_end end;
	struct bench b;
	json_t *list;
	int i;

	set_up(&b);
	begin(&b, "flows");
	CU_ASSERT_EQUAL(finish(&b, &end), FLOWS / LISTING_TURN + 1);
	CU_ASSERT_EQUAL(end.listed, FLOWS);
	CU_ASSERT_EQUAL(end.left_out, 0);
	list = written(&b);
	CU_ASSERT_EQUAL(json_array_size(list), FLOWS);
	for (i = 0; i < FLOWS; i += 7)
		CU_ASSERT_EQUAL(times(list, i), 1);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(
				json_array_get(list, 0), "worker")),
			7);
	json_decref(list);
	tear_down(&b);
}

/*
 * Between two turns the one that is next ends, and its neighbours, and new
 * ones come: the others are listed, once.
 */
static void
test_changes(void)
{
	int next = FLOWS - 1 - LISTING_TURN, i;
	struct listing_end end;
	struct bench b;
	json_t *list;

	set_up(&b);
	begin(&b, "flows");
	CU_ASSERT_EQUAL(loop_turn(&b.loop), 0);
	CU_ASSERT(b.flows.listed == b.made[next]);
	for (i = next; i > next - 3; i--)
		life_end(b.made[i], REASON_CLIENT_CLOSED);
	life_end(b.made[next + 1], REASON_CLIENT_CLOSED);
	add_flow(&b, "10.9.9.9:9");
	finish(&b, &end);
	CU_ASSERT_EQUAL(end.listed, FLOWS - 3);
	list = written(&b);
	CU_ASSERT_EQUAL(json_array_size(list), FLOWS - 3);
	for (i = 0; i < FLOWS; i++)
		CU_ASSERT_EQUAL(times(list, i), i > next || i <= next - 3);
	json_decref(list);
	tear_down(&b);
}

/* All end while they are being listed; then there is nothing. */
static void
test_all_end(void)
{
	struct listing_end end;
	struct bench b;

	set_up(&b);
	begin(&b, "flows");
	CU_ASSERT_EQUAL(loop_turn(&b.loop), 0);
	while (!LIST_EMPTY(&b.flows.list))
		life_end(LIST_FIRST(&b.flows.list), REASON_STOPPED);
	finish(&b, &end);
	CU_ASSERT_EQUAL(end.listed, LISTING_TURN);
	close(b.file);
	begin(&b, "flows");
	finish(&b, &end);
	CU_ASSERT_EQUAL(end.listed, 0);
	close(b.file);
	tear_down(&b);
}

static void
test_filter(void)
{
	static const struct {
		const char *filter;
		uint64_t listed;
	} rows[] = {
		{"flows service=web", FLOWS},
		{"flows service=other", 0},
		{"flows pool=original", FLOWS},
		{"flows pool=other", 0},
		{"flows client=10.0.0.0/24", FLOWS / 2},
		{"flows client=10.0.1.1", FLOWS / 2},
		{"flows client=::/0", 0},
	};
	struct listing_end end;
	struct bench b;
	size_t i;

	set_up(&b);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(&b, rows[i].filter);
		finish(&b, &end);
		UNIT_CHECK(end.listed == rows[i].listed, "%s: %d",
			   rows[i].filter, (int)end.listed);
		close(b.file);
	}
	tear_down(&b);
}

/* Another question comes before the first one is answered: it is dropped. */
static void
test_again(void)
{
	struct listing_end end;
	struct bench b;
	int file, done;

	set_up(&b);
	begin(&b, "flows");
	file = b.file;
	done = b.done[0];
	CU_ASSERT_EQUAL(loop_turn(&b.loop), 0);
	begin(&b, "flows");
	/* the end of the pipe says that nothing more comes */
	CU_ASSERT_EQUAL(read(done, &end, sizeof(end)), 0);
	finish(&b, &end);
	CU_ASSERT_EQUAL(end.listed, FLOWS);
	close(file);
	close(done);
	close(b.file);
	tear_down(&b);
}

static const struct unit_test tests[] = {
	{"slices", test_slices},   {"changes", test_changes},
	{"all_end", test_all_end}, {"filter", test_filter},
	{"again", test_again},
};

UNIT_MAIN("listing", tests)
