/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_limits.c - what there is too little of: ports of a client, room for
 * flows, descriptors. What becomes of the flow, and of those that wait.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/alone.h"

/* --- the client's port ---------------------------------------------------- */

static const char keeps_port[] =
	"gateway {\n\tinside in0\n\tuser %s\n\tworkers 1\n}\n"
	"pool app {\n\tnode " LAB_SERVER4 ":80\n\tsource client-port\n}\n"
	"service web {\n\tintercept tcp port 80\n"
	"\tuse app\n}\n";

/* Two flows of one port cannot have the same server: one gets another. */
static void
port_taken(void)
{
	static const char from[] = LAB_CLIENT4 ":40001";
	struct endpoint seen[2];
	struct lab *lab;
	int fd[2], l, i;
	pid_t pid;

	lab = lab_begin(NULL, keeps_port, &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	for (i = 0; i < 2; i++) {
		fd[i] = lab_connect(lab, LAB_CLIENT, from,
				    i ? LAB_OTHER4 ":80" : LAB_SERVER4 ":80",
				    2000);
		CU_ASSERT_FATAL(fd[i] >= 0);
		close(lab_accept(l, 2000, &seen[i]));
	}
	CU_ASSERT_EQUAL(seen[0].port, 40001);
	CU_ASSERT_NOT_EQUAL(seen[1].port, 40001);
	CU_ASSERT(addr_equal(&seen[0].addr, &seen[1].addr));
	close(fd[0]);
	close(fd[1]);
	CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", " note=port-taken") == 1,
			   2000));
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "client=" LAB_CLIENT4 ":40001"),
			2);
	close(l);
	lab_end(lab, pid);
}

/*
 * conntrack remembers an upstream leg of these four numbers, and packets
 * that do not fit to it are dropped. connect() is made to say EPERM once, as
 * it does then: the entry goes, and the second try succeeds.
 */
static void
stale_entry(void)
{
	static const char from[] = LAB_CLIENT4 ":40002";
	struct endpoint seen = {0};
	pid_t pid, tracer;
	struct lab *lab;
	int fd, l;

	lab = lab_begin(NULL, keeps_port, &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	lab_nft(lab, LAB_GATEWAY,
		"table ip firewall {\n"
		"chain out { type filter hook output priority 0;\n"
		"tcp flags syn / fin,syn,rst,ack ct state established drop; }\n"
		"}\n");
	lab_must(lab, LAB_GATEWAY,
		 "conntrack -I -p tcp -t 300 --state ESTABLISHED "
		 "-u ASSURED,SEEN_REPLY --orig-zone 9061 "
		 "-s " LAB_CLIENT4 " -d " LAB_SERVER4
		 " --sport 40002 --dport 80 -r " LAB_SERVER4 " -q " LAB_CLIENT4
		 " --reply-port-src 80 --reply-port-dst 40002");
	tracer = lab_spawn(lab, LAB_GATEWAY, "tracer",
			   "strace -p %d -e trace=connect "
			   "-e inject=connect:error=EPERM:when=1",
			   (int)alone_child(pid, "worker"));
	CU_ASSERT(LAB_WAIT(lab_logged("tracer", "attached"), 3000));
	fd = lab_connect(lab, LAB_CLIENT, from, LAB_OTHER4 ":80", 2000);
	CU_ASSERT_FATAL(fd >= 0);
	close(lab_accept(l, 2000, &seen));
	CU_ASSERT_EQUAL(seen.port, 40002);
	close(fd);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "-closed note=stale-entry"),
			   2000));
	lab_stop(lab, tracer, SIGINT, 2000);
	close(l);
	lab_end(lab, pid);
}

/* --- limits --------------------------------------------------------------- */

/*
 * `more` clients than proxyd takes: they wait, without it spinning, and are
 * served as soon as others go.
 */
static void
check_full(struct lab *lab, pid_t worker, size_t room)
{
	struct lab_flow flows[64];
	unsigned long before;
	int l, late;
	size_t i;

	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	for (i = 0; i < room; i++)
		alone_flow(lab, l, &flows[i]);
	late = alone_knock(lab);
	CU_ASSERT(late >= 0);
	CU_ASSERT_EQUAL(lab_accept(l, 300, NULL), -ETIMEDOUT);
	before = lab_ticks(worker);
	lab_sleep(1000);
	UNIT_CHECK(lab_ticks(worker) - before < 10, "%lu ticks of 100",
		   lab_ticks(worker) - before);
	CU_ASSERT(lab_flow_works(&flows[0]));
	CU_ASSERT(lab_logged("proxyd", "accepting pauses"));
	lab_flow_close(&flows[0]);
	flows[0].client = late;
	flows[0].server = lab_accept(l, 2000, NULL);
	CU_ASSERT_FATAL(flows[0].server >= 0);
	CU_ASSERT(lab_flow_works(&flows[0]));
	for (i = 0; i < room; i++)
		lab_flow_close(&flows[i]);
	close(l);
}

static const char one_node[] =
	"gateway { user %s; workers 1; max-flows %d }\n"
	"pool app { node " LAB_SERVER4 ":80; source gateway }\n"
	"service web { listen tcp 80; use app }\n";

static void
max_flows(void)
{
	struct lab *lab = lab_up(&alone_options);
	pid_t pid;

	lab_policy(lab, one_node, lab_user(), 3);
	pid = lab_proxyd_up(lab);
	check_full(lab, alone_child(pid, "worker"), 3);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* The same when the limit is that of the process. */
static void
few_descriptors(void)
{
	struct lab *lab = lab_up(&alone_options);
	pid_t pid;

	lab_policy(lab, one_node, lab_user(), 100000);
	pid = lab_spawn(lab, LAB_GATEWAY, "proxyd",
			"prlimit --nofile=80:80 proxyd -f " LAB_DIR
			"/policy.conf");
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "proxyd: ready"), 5000));
	CU_ASSERT(lab_logged("proxyd", "max-flows is 6"));
	check_full(lab, alone_child(pid, "worker"), 6);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGTERM, 5000), 0);
	lab_down(lab);
}

/*
 * Descriptors run out below what was promised, because somebody lowers the
 * limit: the flow that was accepted last still gets its server.
 */
static void
reserve(void)
{
	struct lab *lab = lab_up(&alone_options);
	struct lab_flow f, last;
	pid_t pid, worker;
	int l, late;

	lab_policy(lab, one_node, lab_user(), 100);
	pid = lab_proxyd_up(lab);
	worker = alone_child(pid, "worker");
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	CU_ASSERT(lab_flow_works(&f));
	/* one more descriptor, which accept() takes */
	lab_must(
		lab, LAB_GATEWAY,
		"limit=$(ls /proc/%d/fd | awk '{ open[$1] = 1 } "
		"END { for (i = 0; i in open || free++ < 1; i++); print i }'); "
		"prlimit --pid %d --nofile=$limit",
		(int)worker, (int)worker);
	alone_flow(lab, l, &last);
	CU_ASSERT(lab_flow_works(&last));
	late = alone_knock(lab);
	CU_ASSERT_EQUAL(lab_accept(l, 300, NULL), -ETIMEDOUT);
	CU_ASSERT(lab_logged("proxyd", "no descriptors left"));
	lab_flow_close(&last);
	last.client = late;
	last.server = lab_accept(l, 2000, NULL);
	CU_ASSERT_FATAL(last.server >= 0);
	CU_ASSERT(lab_flow_works(&last));
	lab_flow_close(&last);
	lab_flow_close(&f);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- ten thousand -----------------------------------------------------------
 */

enum { CROWD = 10000 };

/* Ten thousand clients at once; each is a descriptor, or negative. */
static void
crowd_in(struct lab *lab, int *fds)
{
	struct endpoint e;
	union sockaddr_any sa;
	socklen_t len;
	int i;

	CU_ASSERT_EQUAL(endpoint_parse(LAB_GATEWAY4 ":80", &e), 0);
	len = endpoint_to_sockaddr(&e, &sa);
	for (i = 0; i < CROWD; i++) {
		fds[i] = lab_socket(lab, LAB_CLIENT, AF_INET,
				    SOCK_STREAM | SOCK_NONBLOCK);
		(void)connect(fds[i], &sa.sa, len);
	}
}

static unsigned long
ticks_of(const pid_t *workers, size_t n)
{
	unsigned long sum = 0;

	while (n--)
		sum += lab_ticks(workers[n]);
	return sum;
}

static bool
serves(struct lab *lab)
{
	return lab_get(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":80", "/", NULL) ==
	       200;
}

/* They come, nobody spins, they go, and all is as before. */
static void
check_crowd(struct lab *lab, pid_t pid, const char *said)
{
	static const struct rlimit many = {CROWD + 1000, CROWD + 1000};
	int *fds = calloc(CROWD, sizeof(int)), i;
	unsigned long before;
	pid_t workers[2];

	CU_ASSERT_FATAL(fds && setrlimit(RLIMIT_NOFILE, &many) == 0);
	CU_ASSERT_EQUAL_FATAL(lab_children(pid, "worker", workers, 2), 2);
	CU_ASSERT(serves(lab));
	crowd_in(lab, fds);
	UNIT_CHECK(LAB_WAIT(lab_logged("proxyd", said), 5000), "not: %s", said);
	lab_sleep(500);
	before = ticks_of(workers, 2);
	lab_sleep(1000);
	UNIT_CHECK(ticks_of(workers, 2) - before < 30, "%lu ticks of 100",
		   ticks_of(workers, 2) - before);
	for (i = 0; i < CROWD; i++)
		lab_reset(fds[i]);
	free(fds);
	CU_ASSERT(LAB_WAIT(serves(lab), 20000));
	CU_ASSERT(LAB_WAIT(lab_sockets(lab, LAB_GATEWAY, "state established") ==
				   0,
			   10000));
	/* it says so now and then, not each time */
	CU_ASSERT(lab_log_count("proxyd", said) < 20);
}

static void
crowd(const char *limits, const char *command, const char *said)
{
	struct lab *lab = lab_up(&alone_options);
	pid_t pid;

	lab_nginx(lab);
	lab_policy(lab,
		   "gateway { user %s; workers 2; log access none; %s }\n"
		   "pool app { node " LAB_SERVER4 ":80; source gateway }\n"
		   "service web { listen tcp 80; use app }\n",
		   lab_user(), limits);
	pid = lab_spawn(lab, LAB_GATEWAY, "proxyd",
			"%s proxyd -f " LAB_DIR "/policy.conf", command);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "proxyd: ready"), 5000));
	check_crowd(lab, pid, said);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGTERM, 5000), 0);
	lab_down(lab);
}

static void
crowd_full(void)
{
	crowd("max-flows 100", "env", "the flow table is full");
}

static void
crowd_descriptors(void)
{
	crowd("max-flows 100000", "prlimit --nofile=200:200",
	      "the flow table is full");
}

static void
crowd_limited(void)
{
	crowd("limit connections 50", "env", "refused, limit:");
}

static const struct unit_test tests[] = {
	{"port_taken", port_taken},
	{"stale_entry", stale_entry},
	{"max_flows", max_flows},
	{"few_descriptors", few_descriptors},
	{"reserve", reserve},
	{"crowd_full", crowd_full},
	{"crowd_descriptors", crowd_descriptors},
	{"crowd_limited", crowd_limited},
};

LAB_MAIN("limits", tests)
