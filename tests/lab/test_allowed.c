/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_allowed.c - the limits of a policy: of connections and of rates, for
 * the box and not for a worker, whatever dies and whatever is reloaded.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/alone.h"
#include "tests/lab/lab_udp.h"

enum { ALLOWED = 10, TRIED = 40, NOBODY_MS = 300 };

/* The second address of the client: in the /64 of the first, or not. */
#define SECOND4 "10.1.0.9"
#define NEAR6 "fd01::9"
#define OTHER6 "fd01:0:0:9::9"

/* Connections of the client through the gateway. */
struct crowd {
	int client[TRIED]; /* owns, or -1 */
	int server[TRIED]; /* likewise */
	int n;		   /* that reached the server */
};

static void
crowd_close(struct crowd *c)
{
	int i;

	for (i = 0; i < TRIED; i++) {
		if (c->client[i] >= 0)
			close(c->client[i]);
		if (c->server[i] >= 0)
			close(c->server[i]);
		c->client[i] = c->server[i] = -1;
	}
}

/* Connect so often from `from`; who is refused is reset. */
static void
crowd_open(struct lab *lab, int listener, const char *from, const char *to,
	   int tries, struct crowd *ret_crowd)
{
	struct crowd *c = ret_crowd;
	int i, fd;

	memset(c, 0xff, sizeof(*c));
	c->n = 0;
	for (i = 0; i < tries; i++) {
		c->client[i] = lab_connect(lab, LAB_CLIENT, from, to, 2000);
		UNIT_CHECK(c->client[i] >= 0 || c->client[i] == -ECONNRESET,
			   "connect: %d", c->client[i]);
	}
	while (c->n < TRIED &&
	       (fd = lab_accept(listener, NOBODY_MS, NULL)) >= 0)
		c->server[c->n++] = fd;
}

/* How many of them are still connected? */
static int
crowd_alive(const struct crowd *c)
{
	int i, n = 0;

	for (i = 0; i < TRIED; i++)
		n += c->client[i] >= 0 && !lab_ended(c->client[i], 0);
	return n;
}

/* --- connections ---------------------------------------------------------- */

static const char captured[] =
	"gateway {\n\tinside in0\n\tuser %s\n\tworkers 2\n"
	"\tlimit connections 10 per client\n}\n"
	"service web {\n\tintercept tcp port 80\n}\n"
	"service tproxied {\n\tintercept tcp port 81 via tproxy\n}\n";

/*
 * Two workers, two ways of capture, two families: ten, and not one more. A
 * client that went away leaves room for another.
 */
static void
check_connections(struct lab *lab, int family, unsigned int port,
		  const char *second, int second_gets)
{
	char to[ENDPOINT_TEXT_LEN];
	struct crowd c, other;
	int i, l;

	l = lab_serve(lab, family, port);
	lab_at(lab, family, LAB_HOST_SERVER, port, to);
	crowd_open(lab, l, NULL, to, TRIED, &c);
	UNIT_CHECK(c.n == ALLOWED, "%s: %d of %d came through", to, c.n,
		   ALLOWED);
	CU_ASSERT_EQUAL(crowd_alive(&c), ALLOWED);
	crowd_open(lab, l, second, to, TRIED, &other);
	UNIT_CHECK(other.n == second_gets, "%s: %d came through from %s", to,
		   other.n, second);
	crowd_close(&other);
	for (i = 0; i < 3; i++) {
		close(c.server[i]);
		c.server[i] = -1;
	}
	CU_ASSERT(LAB_WAIT(crowd_alive(&c) == ALLOWED - 3, 2000));
	/* whose end has reached proxyd when all its sockets are gone */
	for (i = 0; i < TRIED; i++)
		if (c.client[i] >= 0 && lab_ended(c.client[i], 0)) {
			close(c.client[i]);
			c.client[i] = -1;
		}
	lab_sleep(100);
	crowd_open(lab, l, NULL, to, TRIED, &other);
	UNIT_CHECK(other.n == 3, "%s: %d of 3 came through", to, other.n);
	crowd_close(&other);
	crowd_close(&c);
	close(l);
}

static void
connections(void)
{
	struct str record = {0};
	struct lab *lab;
	char value[256];
	pid_t pid;

	lab = lab_begin(NULL, captured, &pid);
	lab_must(lab, LAB_CLIENT, "ip address add " SECOND4 "/24 dev eth0");
	lab_must(lab, LAB_CLIENT, "ip address add " NEAR6 "/64 dev eth0 nodad");
	check_connections(lab, AF_INET, 80, SECOND4, ALLOWED);
	check_connections(lab, AF_INET6, 80, NEAR6, 0);
	check_connections(lab, AF_INET, 81, SECOND4, ALLOWED);
	check_connections(lab, AF_INET6, 81, NEAR6, 0);
	/* refused before anybody was asked where it was going */
	CU_ASSERT(lab_record("service=web ", &record));
	CU_ASSERT(lab_closed("limit", 4 * (30 + 37)));
	str_clear(&record);
	CU_ASSERT_FATAL(lab_record("close=limit", &record));
	UNIT_STRINGS(lab_value(str_text(&record), "destination", value), "-");
	UNIT_CHECK(!strncmp(lab_value(str_text(&record), "client", value),
			    "[fd01::", 7) ||
			   !strncmp(value, LAB_CLIENT4, strlen(LAB_CLIENT4)),
		   "%s", str_text(&record));
	CU_ASSERT(lab_logged("proxyd", "refused, limit:"));
	str_fini(&record);
	lab_end(lab, pid);
}

static const char alone[] =
	"gateway {\n\tuser %s\n\tworkers %d\n\tdrain-timeout 1h\n}\n"
	"pool app {\n\tnode " LAB_SERVER4 ":80\n\tsource gateway\n}\n"
	"service web {\n\tlisten tcp 80\n\tuse app\n%s}\n";

#define GATE LAB_GATEWAY4 ":80"

/* It only says so. */
static void
test_only(void)
{
	struct lab *lab = lab_up(&alone_options);
	struct crowd c;
	pid_t pid;
	int l;

	lab_policy(lab, alone, lab_user(), 2, "\tlimit connections 4 test\n");
	pid = lab_proxyd_up(lab);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	crowd_open(lab, l, NULL, GATE, 10, &c);
	CU_ASSERT_EQUAL(c.n, 10);
	crowd_close(&c);
	CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", " note=limit-test") == 6,
			   2000));
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "close=limit"), 0);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- rates ------------------------------------------------------------------
 */

static void
rate(void)
{
	struct lab *lab = lab_up(&alone_options);
	struct crowd c;
	uint64_t began;
	pid_t pid;
	int l;

	lab_policy(lab, alone, lab_user(), 2, "\tlimit rate 10/s per client\n");
	pid = lab_proxyd_up(lab);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	began = clock_now_ms();
	crowd_open(lab, l, NULL, GATE, TRIED, &c);
	/* and one for each tenth of a second that it took */
	UNIT_CHECK(c.n >= 10 && c.n <= 11 + (int)(clock_now_ms() - began) / 100,
		   "%d came through", c.n);
	crowd_close(&c);
	lab_sleep(1100);
	crowd_open(lab, l, NULL, GATE, 10, &c);
	CU_ASSERT_EQUAL(c.n, 10);
	crowd_close(&c);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- what dies, and what is reloaded
 * ------------------------------------------ */

static size_t
workers_of(pid_t pid, pid_t ret[8])
{
	return lab_children(pid, "worker", ret, 8);
}

/* What a killed worker held is given back, and only that. */
static void
killed(void)
{
	struct lab *lab = lab_up(&alone_options);
	pid_t pid, workers[8];
	struct crowd c, more;
	int l, left;

	lab_policy(lab, alone, lab_user(), 2,
		   "\tlimit connections 10 per client\n");
	pid = lab_proxyd_up(lab);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	crowd_open(lab, l, NULL, GATE, TRIED, &c);
	CU_ASSERT_EQUAL(c.n, ALLOWED);
	CU_ASSERT_EQUAL_FATAL(workers_of(pid, workers), 2);
	kill(workers[0], SIGKILL);
	CU_ASSERT(
		LAB_WAIT(lab_logged("proxyd", "was killed by signal 9"), 2000));
	CU_ASSERT(LAB_WAIT(workers_of(pid, workers) == 2, 3000));
	left = crowd_alive(&c);
	crowd_open(lab, l, NULL, GATE, TRIED, &more);
	UNIT_CHECK(more.n == ALLOWED - left, "%d left, %d came through", left,
		   more.n);
	crowd_close(&c);
	crowd_close(&more);
	close(l);
	lab_stop(lab, pid, SIGINT, 3000);
	lab_down(lab);
}

/* Flows of the crew that drains still count. */
static void
reloaded(void)
{
	struct lab *lab = lab_up(&alone_options);
	struct crowd c, more;
	pid_t pid;
	int l;

	lab_policy(lab, alone, lab_user(), 2,
		   "\tlimit connections 10 per client\n");
	pid = lab_proxyd_up(lab);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	crowd_open(lab, l, NULL, GATE, ALLOWED, &c);
	CU_ASSERT_EQUAL(c.n, ALLOWED);
	lab_policy(lab, alone, lab_user(), 2,
		   "\tlimit connections 12 per client\n");
	kill(pid, SIGHUP);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "reloaded"), 5000));
	crowd_open(lab, l, NULL, GATE, TRIED, &more);
	UNIT_CHECK(more.n == 2, "%d of 2 came through", more.n);
	crowd_close(&c);
	crowd_close(&more);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- datagrams
 * ----------------------------------------------------------------- */

/* So do those of the program that was there before. */
static void
replaced(void)
{
	struct lab *lab = lab_up(&alone_options);
	struct crowd c, more;
	pid_t pid;
	int l;

	lab_policy(lab, alone, lab_user(), 2,
		   "\tlimit connections 10 per client\n");
	/* where its user may run it */
	lab_must(lab, LAB_GATEWAY,
		 "mkdir " LAB_DIR "/sbin && cp $(which proxyd) " LAB_DIR
		 "/sbin");
	pid = lab_proxyd_at(lab, LAB_DIR "/sbin/proxyd", "");
	CU_ASSERT_FATAL(pid > 0);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	crowd_open(lab, l, NULL, GATE, ALLOWED - 3, &c);
	CU_ASSERT_EQUAL(c.n, ALLOWED - 3);
	kill(pid, SIGUSR2);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", ": replaced"), 8000));
	crowd_open(lab, l, NULL, GATE, TRIED, &more);
	UNIT_CHECK(more.n == 3, "%d of 3 came through", more.n);
	crowd_close(&c);
	crowd_close(&more);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

enum { UDP_CLIENTS = 6, UDP_ALLOWED = 3 };

/* How many of the clients are answered? */
static int
answered(const int *clients)
{
	char buf[16];
	int i, n = 0;

	for (i = 0; i < UDP_CLIENTS; i++)
		lab_send(clients[i], "hello");
	for (i = 0; i < UDP_CLIENTS; i++)
		n += lab_recv(clients[i], buf, sizeof(buf), 200) > 0;
	return n;
}

static void
datagrams(void)
{
	int clients[UDP_CLIENTS], i;
	struct lab *lab;
	pid_t pid, echo;

	lab = lab_udp_begin(NULL, "tproxy", "client",
			    "\tlimit connections 3 per client\n"
			    "\ttimeout idle 500ms\n",
			    &pid);
	echo = lab_udp_echo(lab, AF_INET, LAB_HOST_SERVER);
	for (i = 0; i < UDP_CLIENTS; i++)
		clients[i] = lab_udp_client(lab, AF_INET, 0, LAB_HOST_SERVER);
	CU_ASSERT_EQUAL(answered(clients), UDP_ALLOWED);
	CU_ASSERT(lab_logged("proxyd", "refused, limit:"));
	/* when its flows have ended, others may */
	CU_ASSERT(lab_closed("idle-timeout", UDP_ALLOWED));
	CU_ASSERT_EQUAL(answered(clients), UDP_ALLOWED);
	for (i = 0; i < UDP_CLIENTS; i++)
		close(clients[i]);
	lab_stop(lab, echo, SIGTERM, 1000);
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"connections", connections},
	{"test_only", test_only},
	{"rate", rate},
	{"killed", killed},
	{"reloaded", reloaded},
	{"replaced", replaced},
	{"datagrams", datagrams},
};

LAB_MAIN("allowed", tests)
