/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hostile.c - peers that do what no peer should, in the midst of bulk.
 *
 * Never read, read a byte now and then, reset, be done in one direction,
 * send to one who is gone, vanish: each flow ends with the reason that is
 * true, whoever is left is told, and nothing is left over. Bytes wait in
 * the pipes of both directions meanwhile, as far as the peers let them.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxyd/stream/pipes.h"

#include "tests/lab/lab.h"

enum {
	PORT = 80,
	TOLD_MS = 4000,
	MANY = 1 << 20, /* bytes: more than a pipe */
};

static const char policy[] = "gateway {\n"
			     "	inside in0\n"
			     "	outside out0\n"
			     "	user %s\n"
			     "	workers 1\n"
			     "	timeout connect 2s\n"
			     "	timeout idle 400ms\n"
			     "	timeout half-closed 400ms\n"
			     "}\n"
			     "service web {\n"
			     "	intercept tcp port 80\n"
			     "}\n";

/* --- what the worker has open --------------------------------------------- */

static struct lab_descriptors
open_files(pid_t master)
{
	pid_t worker;

	if (lab_children(master, "worker", &worker, 1) != 1)
		lab_die("proxyd has no worker");
	return lab_descriptors(worker);
}

/* --- what a peer does ------------------------------------------------------
 */

/* Bytes in both directions, until neither takes more. */
static void
fill(struct lab_flow *f)
{
	CU_ASSERT(lab_stuff(f->client) > MANY);
	CU_ASSERT(lab_stuff(f->server) > MANY);
}

static void
fill_down(struct lab_flow *f)
{
	CU_ASSERT(lab_stuff(f->server) > MANY);
}

static void
fill_up(struct lab_flow *f)
{
	CU_ASSERT(lab_stuff(f->client) > MANY);
}

static void
never_reads(struct lab *lab, struct lab_flow *f)
{
	(void)lab;
	(void)f;
}

/* A byte now and then opens no window: nothing moves for proxyd. */
static void
client_sips(struct lab *lab, struct lab_flow *f)
{
	char c;
	int i;

	(void)lab;
	for (i = 0; i < 12; i++) {
		lab_recv(f->client, &c, 1, 100);
		lab_sleep(50);
	}
}

static void
server_sips(struct lab *lab, struct lab_flow *f)
{
	struct lab_flow turned = {.client = f->server};

	client_sips(lab, &turned);
}

static void
client_resets(struct lab *lab, struct lab_flow *f)
{
	(void)lab;
	lab_reset(f->client);
	f->client = -1;
}

static void
server_resets(struct lab *lab, struct lab_flow *f)
{
	(void)lab;
	lab_reset(f->server);
	f->server = -1;
}

/* Closed with bytes unread, and more come: the kernel answers those. */
static void
client_closes(struct lab *lab, struct lab_flow *f)
{
	(void)lab;
	close(f->client);
	f->client = -1;
}

static void
server_closes(struct lab *lab, struct lab_flow *f)
{
	(void)lab;
	close(f->server);
	f->server = -1;
}

/* Done, but deaf: what was sent to it is not taken. */
static void
client_done(struct lab *lab, struct lab_flow *f)
{
	(void)lab;
	shutdown(f->client, SHUT_WR);
}

static void
vanish(struct lab *lab, const char *interface)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "table inet gone {\n"
		 "	chain in {\n"
		 "		type filter hook prerouting priority -500\n"
		 "		iifname %s meta l4proto tcp drop\n"
		 "	}\n"
		 "}\n",
		 interface);
	lab_nft(lab, LAB_GATEWAY, text);
}

static void
client_vanishes(struct lab *lab, struct lab_flow *f)
{
	(void)f;
	vanish(lab, "in0");
}

static void
server_vanishes(struct lab *lab, struct lab_flow *f)
{
	(void)f;
	vanish(lab, "out0");
}

/* --- how it ends -----------------------------------------------------------
 */

struct evil {
	const char *name;
	void (*before)(struct lab_flow *f);
	void (*act)(struct lab *lab, struct lab_flow *f);
	const char *close;
	bool vanishes; /* is not told, and what it sends is not heard */
};

/* clang-format off */
static const struct evil evils[] = {
	/* name                before      act              close */
	{"neither reads",      fill,       never_reads,     "idle-timeout", 0},
	{"client never reads", fill_down,  never_reads,     "idle-timeout", 0},
	{"server never reads", fill_up,    never_reads,     "idle-timeout", 0},
	{"client sips",        fill_down,  client_sips,     "idle-timeout", 0},
	{"server sips",        fill_up,    server_sips,     "idle-timeout", 0},
	{"client resets",      fill,       client_resets,   "client-reset", 0},
	{"server resets",      fill,       server_resets,   "server-reset", 0},
	{"upload is reset",    fill_up,    client_resets,   "client-reset", 0},
	{"download is reset",  fill_down,  server_resets,   "server-reset", 0},
	{"client closes",      fill_down,  client_closes,   "client-reset", 0},
	{"server closes",      fill_up,    server_closes,   "server-reset", 0},
	{"client is done",     fill_down,  client_done,
	 "half-closed-timeout", 0},
	{"client vanishes",    fill_down,  client_vanishes, "idle-timeout", 1},
	{"server vanishes",    fill_up,    server_vanishes, "idle-timeout", 1},
};
/* clang-format on */

/* Whoever is left is told, after the bytes that were on their way. */
static void
expect_told(int fd, const struct evil *e, const char *who)
{
	uint64_t end_ms = clock_now_ms() + TOLD_MS;
	char sink[65536];
	ssize_t n = 1;

	if (fd < 0 || e->vanishes)
		return;
	while (n > 0 && clock_now_ms() < end_ms)
		n = lab_recv(fd, sink, sizeof(sink), TOLD_MS);
	UNIT_CHECK(n <= 0 && n != -ETIMEDOUT, "%s: the %s still waits", e->name,
		   who);
}

static void
do_evil(struct lab *lab, const struct evil *e, int family, int l)
{
	struct str record = {0};
	struct lab_flow f;
	char buf[256];

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	e->before(&f);
	e->act(lab, &f);
	UNIT_CHECK(LAB_WAIT(lab_record(f.source, &record), TOLD_MS),
		   "%s: it does not end", e->name);
	lab_value(str_text(&record), "close", buf);
	UNIT_CHECK(!strcmp(buf, e->close), "%s: %s, not %s", e->name, buf,
		   e->close);
	str_fini(&record);
	expect_told(f.client, e, "client");
	expect_told(f.server, e, "server");
	lab_flow_close(&f);
	if (e->vanishes)
		lab_nft(lab, LAB_GATEWAY, "delete table inet gone");
}

/* One after the other, in turns of the families. */
static void
evil(void)
{
	struct lab_descriptors before, after;
	struct lab *lab;
	int l[2], i;
	pid_t pid;

	lab = lab_begin(NULL, policy, &pid);
	for (i = 0; i < 2; i++)
		l[i] = lab_serve(lab, lab_families[i], PORT);
	before = open_files(pid);
	for (i = 0; i < (int)(sizeof(evils) / sizeof(evils[0])); i++)
		do_evil(lab, &evils[i], lab_families[i % 2], l[i % 2]);
	after = open_files(pid);
	UNIT_CHECK(after.n - after.pipes == before.n - before.pipes,
		   "%zu descriptors before, %zu after, without pipes",
		   before.n - before.pipes, after.n - after.pipes);
	UNIT_CHECK(after.pipes <= before.pipes + 2 * PIPES_SPARE,
		   "%zu ends of pipes before, %zu after", before.pipes,
		   after.pipes);
	for (i = 0; i < 2; i++)
		close(l[i]);
	lab_end(lab, pid);
}

/* Bytes wait in pipes, one for each direction, and in none afterwards. */
static void
in_pipes(void)
{
	struct lab_descriptors before;
	struct lab *lab;
	struct lab_flow f;
	pid_t pid;
	int l;

	lab = lab_begin(NULL, policy, &pid);
	l = lab_serve(lab, AF_INET, PORT);
	before = open_files(pid);
	lab_flow_open(lab, AF_INET, l, NULL, PORT, &f);
	fill(&f);
	CU_ASSERT_EQUAL(open_files(pid).pipes, before.pipes + 4);
	CU_ASSERT(LAB_WAIT(open_files(pid).pipes == before.pipes, 2000));
	lab_flow_close(&f);
	close(l);
	lab_end(lab, pid);
}

/* It reads slowly, but all of it: nothing is lost, whoever is done first. */
static void
slow_but_whole(void)
{
	char sink[65536];
	struct lab *lab;
	struct lab_flow f;
	size_t sent, got = 0;
	ssize_t n = 1;
	pid_t pid;
	int l;

	lab = lab_begin(NULL, policy, &pid);
	l = lab_serve(lab, AF_INET, PORT);
	lab_flow_open(lab, AF_INET, l, NULL, PORT, &f);
	shutdown(f.client, SHUT_WR);
	sent = lab_stuff(f.server);
	shutdown(f.server, SHUT_WR);
	while (n > 0) {
		n = lab_recv(f.client, sink, sizeof(sink), 2000);
		got += n > 0 ? (size_t)n : 0;
		if (got / sizeof(sink) % 4 == 0)
			lab_sleep(2);
	}
	UNIT_CHECK(n == 0 && got == sent, "%zu bytes of %zu, then %zd", got,
		   sent, n);
	CU_ASSERT(lab_closed("client-closed", 1));
	lab_flow_close(&f);
	close(l);
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"evil", evil},
	{"in_pipes", in_pipes},
	{"slow_but_whole", slow_but_whole},
};

LAB_MAIN("hostile", tests)
