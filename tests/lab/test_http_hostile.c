/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http_hostile.c - clients and servers that abort, die, hang and vanish,
 * in each phase of a request.
 *
 * Each ends with the reason that is true; whoever is left is told, with the
 * status of an answer as long as none had begun, and else by a reset: what is
 * not whole never looks so. Nothing is left over.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxyd/stream/pipes.h"

#include "tests/lab/crowd.h"
#include "tests/lab/web.h"

enum {
	TOLD_MS = 5000,
	BIG = 16 << 20, /* more than all that is on the way can hold */
#ifdef __SANITIZE_ADDRESS__
	GROWN_KB = 3000, /* what was freed is kept for a while */
#else
	GROWN_KB = 300, /* memory of a worker, at most */
#endif
};

#define GATEWAY                                                                \
	"\tworkers 1\n"                                                        \
	"\ttimeout connect 600ms\n"                                            \
	"\ttimeout head 600ms\n"                                               \
	"\ttimeout body 600ms\n"                                               \
	"\ttimeout response 600ms\n"                                           \
	"\ttimeout keep-alive 100ms\n"                                         \
	"\ttimeout idle 1200ms\n"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"
#define CHUNKS                                                                 \
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"     \
	"3\r\nabc\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define OK_BIG OK "Content-Length: 99999999\r\n\r\n"
#define OK_CHUNKS OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"

enum act {
	STAYS, /* and says nothing */
	CLOSES,
	RESETS,
	IS_DONE, /* sends no more, but listens */
	VANISHES,
	SENDS_ON, /* more than the other takes */
	REFUSES,  /* a server: nobody listens */
	IS_DEAD,  /* likewise, and nobody says so */
};

struct evil {
	const char *name;
	const char *request;  /* what the client sends of it */
	enum act client;      /* and then */
	const char *response; /* what the server sends; NULL: none comes */
	enum act server;
	const char *close; /* in the record */
	int status;	   /* that the client gets; 0: none */
	bool cut;	   /* and a reset */
};

/* clang-format off */

static const struct evil evils[] = {
/* the head of the request */
{"silent", "", STAYS, NULL, STAYS,
	"head-timeout", 0, 0},
{"silent, closes", "", CLOSES, NULL, STAYS,
	"client-closed", 0, 0},
{"silent, resets", "", RESETS, NULL, STAYS,
	"client-reset", 0, 0},
{"silent, vanishes", "", VANISHES, NULL, STAYS,
	"head-timeout", 0, 0},
{"half a head", "GET ", STAYS, NULL, STAYS,
	"head-timeout", 408, 0},
{"half a head, done", "GET ", IS_DONE, NULL, STAYS,
	"client-cut", 0, 1},
{"half a head, closes", "GET ", CLOSES, NULL, STAYS,
	"client-cut", 0, 0},
{"half a head, resets", "GET ", RESETS, NULL, STAYS,
	"client-reset", 0, 0},
{"half a head, vanishes", "GET ", VANISHES, NULL, STAYS,
	"head-timeout", 0, 0},
/* its body */
{"body hangs", POST, STAYS, "", STAYS,
	"body-timeout", 408, 0},
{"body ends", POST, IS_DONE, "", STAYS,
	"client-cut", 0, 1},
{"body closed", POST, CLOSES, "", STAYS,
	"client-cut", 0, 0},
{"body reset", POST, RESETS, "", STAYS,
	"client-reset", 0, 0},
{"body vanishes", POST, VANISHES, "", STAYS,
	"body-timeout", 0, 0},
{"chunks hang", CHUNKS, STAYS, "", STAYS,
	"body-timeout", 408, 0},
{"chunks end", CHUNKS, IS_DONE, "", STAYS,
	"client-cut", 0, 1},
{"chunks reset", CHUNKS, RESETS, "", STAYS,
	"client-reset", 0, 0},
{"chunks go wrong", CHUNKS "x", STAYS, NULL, STAYS,
	"bad-request", 400, 0},
{"server closes, body", POST, STAYS, "", CLOSES,
	"server-cut", 502, 0},
{"server resets, body", POST, STAYS, "", RESETS,
	"server-reset", 502, 0},
{"answer before it all", POST, STAYS, OK "Content-Length: 2\r\n\r\nok", STAYS,
	"done", 200, 0},
/* connecting */
{"refused", GET, STAYS, NULL, REFUSES,
	"refused", 502, 0},
{"dead", GET, STAYS, NULL, IS_DEAD,
	"connect-timeout", 504, 0},
{"dead, client resets", GET, RESETS, NULL, IS_DEAD,
	"client-reset", 0, 0},
/* waiting for the response */
{"no answer", GET, STAYS, "", STAYS,
	"response-timeout", 504, 0},
{"no answer, vanishes", GET, STAYS, "", VANISHES,
	"response-timeout", 504, 0},
{"no answer, closes", GET, STAYS, "", CLOSES,
	"server-cut", 502, 0},
{"no answer, resets", GET, STAYS, "", RESETS,
	"server-reset", 502, 0},
{"no answer, done", GET, STAYS, "", IS_DONE,
	"server-cut", 502, 0},
{"client does not wait", GET, RESETS, "", STAYS,
	"client-reset", 0, 0},
{"client is not there", GET, VANISHES, "", STAYS,
	"response-timeout", 0, 0},
{"client said all", GET, IS_DONE, OK "Content-Length: 2\r\n\r\nok", STAYS,
	"done", 200, 0},
/* the head of the response */
{"half a response", GET, STAYS, OK, STAYS,
	"response-timeout", 504, 0},
{"half, closes", GET, STAYS, OK, CLOSES,
	"server-cut", 502, 0},
{"half, resets", GET, STAYS, OK, RESETS,
	"server-reset", 502, 0},
{"garbage", GET, STAYS, "SSH-2.0-x\r\n", STAYS,
	"bad-response", 502, 0},
{"101 for nothing", GET, STAYS,
	"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", STAYS,
	"bad-response", 502, 0},
/* its body */
{"part of it", GET, STAYS, OK_BIG "abc", STAYS,
	"idle-timeout", 200, 1},
{"part, closes", GET, STAYS, OK_BIG "abc", CLOSES,
	"server-cut", 200, 1},
{"part, resets", GET, STAYS, OK_BIG "abc", RESETS,
	"server-reset", 200, 1},
{"part, vanishes", GET, STAYS, OK_BIG "abc", VANISHES,
	"idle-timeout", 200, 1},
{"chunks hang", GET, STAYS, OK_CHUNKS, STAYS,
	"idle-timeout", 200, 1},
{"chunks, closes", GET, STAYS, OK_CHUNKS, CLOSES,
	"server-cut", 200, 1},
{"chunks, resets", GET, STAYS, OK_CHUNKS, RESETS,
	"server-reset", 200, 1},
{"chunks were wrong", GET, STAYS, OK_CHUNKS "3\r\nabcd\r\n", STAYS,
	"bad-response", 502, 0},
{"until close", GET, STAYS, OK "\r\nabc", CLOSES,
	"done", 200, 0},
{"until close, resets", GET, STAYS, OK "\r\nabc", RESETS,
	"server-reset", 200, 1},
{"until close, hangs", GET, STAYS, OK "\r\nabc", STAYS,
	"idle-timeout", 200, 1},
{"too long", GET, STAYS, OK "Content-Length: 2\r\n\r\nokHTTP/1.1 200", STAYS,
	"done", 200, 0},
/* a client that does not take it */
{"client resets", GET, RESETS, OK_BIG, SENDS_ON,
	"client-reset", 0, 0},
{"client closes", GET, CLOSES, OK_BIG, SENDS_ON,
	"client-reset", 0, 0},
{"client vanishes", GET, VANISHES, OK_BIG, SENDS_ON,
	"idle-timeout", 0, 0},
{"client hangs", GET, STAYS, OK_BIG, SENDS_ON,
	"idle-timeout", 200, 1},
/* bulk in the other direction */
{"server takes none",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
	SENDS_ON, "", STAYS,
	"response-timeout", 504, 0},
};

/* clang-format on */

enum { EVILS = sizeof(evils) / sizeof(evils[0]) };

/* --- what they do --------------------------------------------------------- */

/* Drop what `interface` brings of TCP, but for that of other families. */
static void
drop(struct lab *lab, const char *interface)
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

/* As much as is taken at once: who does not read has some of it. */
static void
send_on(int fd)
{
	static const char block[65536];

	while (send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		;
}

static void
act(struct lab *lab, enum act what, int *fd, const char *interface)
{
	switch (what) {
	case STAYS:
	case REFUSES:
	case IS_DEAD:
		return;
	case SENDS_ON:
		send_on(*fd);
		return;
	case IS_DONE:
		shutdown(*fd, SHUT_WR);
		return;
	case VANISHES:
		drop(lab, interface);
		return;
	case CLOSES:
		close(*fd);
		break;
	case RESETS:
		lab_reset(*fd);
		break;
	}
	*fd = -1;
}

/* It is told that nothing more comes, after what was on its way. */
static bool
is_ended(int fd)
{
	uint64_t end_ms = clock_now_ms() + TOLD_MS;
	char sink[65536];
	ssize_t n = 1;

	while (n > 0 && clock_now_ms() < end_ms)
		n = lab_recv(fd, sink, sizeof(sink), TOLD_MS);
	return n <= 0 && n != -ETIMEDOUT;
}

/* All that the client gets: a status, and whether a reset ended it. */
static void
check_client(const struct evil *e, int fd)
{
	struct str s = {0};
	char buf[65536];
	int status = 0;
	ssize_t n;

	while ((n = lab_recv(fd, buf, sizeof(buf), TOLD_MS)) > 0)
		str_add_bytes(&s, buf, (size_t)n);
	sscanf(str_text(&s), "HTTP/1.1 %d ", &status);
	UNIT_CHECK(status == e->status && (n == 0) == !e->cut,
		   "%s: the client got status %d, then %s", e->name, status,
		   n < 0 ? strerror((int)-n) : "an end");
	/* one answer, and no other behind it */
	UNIT_CHECK(s.len < 10 || !strstr(str_text(&s) + 1, "HTTP/1.1"),
		   "%s: two answers", e->name);
	str_fini(&s);
}

static bool
is_told(const struct evil *e)
{
	return e->client != VANISHES && e->server != VANISHES;
}

static int
serve(struct lab *lab, const struct evil *e, int family)
{
	if (e->server == IS_DEAD)
		drop(lab, "out0");
	return e->server == REFUSES ? -1 : lab_serve(lab, family, 80);
}

static void
do_evil(struct lab *lab, const struct evil *e, int family)
{
	char at[ENDPOINT_TEXT_LEN], name[ENDPOINT_TEXT_LEN], buf[256];
	int l = serve(lab, e, family), client, server = -1;
	struct str record = {0};

	client = web_open(lab, NULL,
			  lab_at(lab, family, LAB_HOST_SERVER, 80, at));
	lab_name(client, name);
	lab_send(client, e->request);
	if (e->response) {
		server = lab_accept(l, TOLD_MS, NULL);
		if (server < 0 || !lab_expect(server, "\r\n\r\n", TOLD_MS))
			lab_die("%s: no request comes", e->name);
		lab_send(server, e->response);
	}
	act(lab, e->server, &server, "out0");
	if (e->response || e->server == IS_DEAD)
		lab_sleep(20);
	if (e->client == SENDS_ON)
		lab_stuff(client);
	act(lab, e->client, &client, "in0");
	UNIT_CHECK(LAB_WAIT(lab_record(name, &record), TOLD_MS),
		   "%s: it does not end", e->name);
	lab_value(str_text(&record), "close", buf);
	UNIT_CHECK(!strcmp(buf, e->close), "%s: %s, not %s", e->name, buf,
		   e->close);
	str_fini(&record);
	if (client >= 0 && e->client != VANISHES)
		check_client(e, client);
	/* a link that is kept would not end */
	if (server >= 0 && is_told(e))
		UNIT_CHECK(is_ended(server), "%s: the server still waits",
			   e->name);
	if (e->client == VANISHES || e->server == VANISHES ||
	    e->server == IS_DEAD)
		lab_nft(lab, LAB_GATEWAY, "delete table inet gone");
	if (client >= 0)
		close(client);
	if (server >= 0)
		close(server);
	if (l >= 0)
		close(l);
}

static pid_t
worker_of(pid_t master)
{
	pid_t worker;

	if (lab_children(master, "worker", &worker, 1) != 1)
		lab_die("proxyd has no worker");
	return worker;
}

/* One after the other, in turns of the families. */
static void
evil(void)
{
	struct lab_descriptors before, after;
	size_t i, memory, grown;
	struct lab *lab;
	pid_t pid, worker;

	lab = web_proxyd(GATEWAY, "\tsource client\n\treuse never\n",
			 "\tnon-http close\n", &pid);
	worker = worker_of(pid);
	/* what is allocated once */
	for (i = 0; i < EVILS; i += 9)
		do_evil(lab, &evils[i], AF_INET);
	before = lab_descriptors(worker);
	memory = crowd_memory(worker);
	for (i = 0; i < EVILS; i++)
		do_evil(lab, &evils[i], lab_families[i % 2]);
	CU_ASSERT(LAB_WAIT(lab_descriptors(worker).n -
					   lab_descriptors(worker).pipes <=
				   before.n - before.pipes,
			   TOLD_MS));
	after = lab_descriptors(worker);
	UNIT_CHECK(after.n - after.pipes == before.n - before.pipes &&
			   after.pipes <= before.pipes + 2 * PIPES_SPARE,
		   "%zu descriptors before, %zu after", before.n, after.n);
	grown = crowd_memory(worker) - memory;
	UNIT_CHECK(crowd_memory(worker) < memory + GROWN_KB,
		   "%zu kB before, %zu kB more", memory, grown);
	CU_ASSERT_EQUAL(worker_of(pid), worker);
	lab_end(lab, pid);
}

/* --- an idle link --------------------------------------------------------- */

/* One request over a link that is kept then; the server's end of it. */
static int
leave_link(struct lab *lab, int l, int client)
{
	struct str body = {0};
	int server;

	(void)lab;
	web_get(client, "/", "");
	server = lab_accept(l, TOLD_MS, NULL);
	if (server < 0 || !lab_expect(server, "\r\n\r\n", TOLD_MS))
		lab_die("no request comes");
	lab_send(server, OK "Content-Length: 2\r\n\r\nok");
	CU_ASSERT_EQUAL(web_answer(client, &body, NULL), 200);
	str_fini(&body);
	return server;
}

/*
 * What a server says between two requests is an answer to nothing: it, and
 * the link, are thrown away, and the next request has a new one.
 */
static void
unasked(void)
{
	struct lab *lab;
	int l, client, first, second;
	pid_t pid;

	lab = web_proxyd("\tworkers 1\n", "\tsource client\n", "", &pid);
	l = lab_serve(lab, AF_INET, 80);
	client = web_open(lab, NULL, LAB_SERVER4 ":80");
	first = leave_link(lab, l, client);
	lab_send(first, OK "Content-Length: 4\r\n\r\nevil");
	CU_ASSERT(lab_ended(first, TOLD_MS));
	second = leave_link(lab, l, client);
	/* its ordinary end is no failed request either */
	close(second);
	lab_sleep(50);
	close(first);
	first = leave_link(lab, l, client);
	close(first);
	close(client);
	close(l);
	CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", " status=200 ") == 3,
			   TOLD_MS));
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"evil", evil},
	{"unasked", unasked},
};

LAB_MAIN("http_hostile", tests)
