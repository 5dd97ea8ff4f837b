/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_datagram_many.c - many clients at once, datagrams of all sizes, and
 * more flows than there is room for.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab_udp.h"

enum { MANY = 60, FEW = 20, FIRST_PORT = 20000, EACH = 4, WORD = 16 };

/* --- many clients --------------------------------------------------------- */

/* Each of `n` sends words of its own: "c-17-2". */
static void
send_words(const int *clients, int n, unsigned int pause_ms)
{
	char word[WORD];
	int i, k;

	for (k = 0; k < EACH; k++) {
		for (i = 0; i < n; i++) {
			snprintf(word, sizeof(word), "c-%d-%d", i, k);
			lab_send(clients[i], word);
			if (pause_ms)
				lab_sleep(pause_ms);
		}
	}
}

/* How many of the client's words come back; another's is a mistake. */
static int
count_words(int client, int i, uint64_t until_ms)
{
	bool seen[EACH] = {false};
	int who, k, n = 0;
	char word[WORD];
	ssize_t len;

	while (n < EACH) {
		len = recv(client, word, sizeof(word) - 1, MSG_DONTWAIT);
		if (len < 0 && clock_now_ms() > until_ms)
			break;
		if (len < 0) {
			lab_sleep(1);
			continue;
		}
		word[len] = '\0';
		if (sscanf(word, "c-%d-%d", &who, &k) != 2 || who != i ||
		    k < 0 || k >= EACH || seen[k]) {
			UNIT_CHECK(false, "client %d got %s", i, word);
			continue;
		}
		seen[k] = true;
		n++;
	}
	return n;
}

/* All of them at once, to one destination: each gets its own back, all. */
static void
crowd(struct lab *lab, int family, int n, unsigned int pause_ms)
{
	pid_t echo = lab_udp_echo(lab, family, LAB_HOST_SERVER);
	int clients[MANY], i, words = 0;
	uint64_t until_ms;

	for (i = 0; i < n; i++)
		clients[i] = lab_udp_client(lab, family,
					    FIRST_PORT + (unsigned int)i,
					    LAB_HOST_SERVER);
	send_words(clients, n, pause_ms);
	until_ms = clock_now_ms() + 3000;
	for (i = 0; i < n; i++)
		words += count_words(clients[i], i, until_ms);
	UNIT_CHECK(words == n * EACH, "%d of %d came back", words, n * EACH);
	for (i = 0; i < n; i++)
		close(clients[i]);
	lab_stop(lab, echo, SIGKILL, 1000);
}

static void
clients(void)
{
	struct lab *lab;
	pid_t pid;
	int i;

	for (i = 0; i < 2; i++) {
		lab = lab_udp_begin(NULL, lab_vias[i], "client-port", "", &pid);
		crowd(lab, AF_INET, MANY, 0);
		crowd(lab, AF_INET6, MANY, 0);
		lab_stop_proxyd(lab, pid);
		CU_ASSERT_EQUAL(lab_log_count("proxyd", " close=stopped"),
				2 * MANY);
		CU_ASSERT(!lab_logged("proxyd", "dropped="));
		lab_down(lab);
	}
}

/* Have connect() of each worker take so long: those that `when` says. */
static pid_t
slow_down(struct lab *lab, pid_t proxyd, unsigned int ms, const char *when)
{
	struct str workers = {0};
	pid_t pids[MANY], strace;
	size_t i, n = lab_children(proxyd, "worker", pids, MANY);

	for (i = 0; i < n; i++)
		str_addf(&workers, " -p %d", (int)pids[i]);
	strace = lab_spawn(lab, LAB_GATEWAY, "strace",
			   "strace%s -e trace=connect"
			   " -e inject=connect:delay_enter=%u:when=%s",
			   str_text(&workers), ms * 1000, when);
	str_fini(&workers);
	if (!n || !LAB_WAIT(lab_log_count("strace", "attached") == n, 5000))
		lab_die("strace does not attach");
	return strace;
}

/* How many legs to a client have no peer yet; those that hear it are counted
 * in *heard. */
static size_t
count_bound(struct lab *lab, size_t *heard)
{
	const char *line, *next;
	struct str out = {0};
	size_t n = 0;

	lab_run(lab, LAB_GATEWAY, &out,
		"ss -Huan state unconnected '( src " LAB_GATEWAY4
		" or src [" LAB_GATEWAY6 "] or src " LAB_SERVER4
		" or src [" LAB_SERVER6 "] )'");
	for (line = str_text(&out); *line; line = next) {
		next = strchrnul(line, '\n');
		n++;
		if (!memmem(line, (size_t)(next - line), "%lo:", 4))
			++*heard;
		next += *next == '\n';
	}
	str_fini(&out);
	return n;
}

/*
 * A socket that is bound and not yet connected must not catch what is
 * others': they might get a second flow, of its worker. Here it has the time
 * to be seen: it is bound to where nobody sends.
 */
static void
unheard(void)
{
	int client, i;
	size_t seen, heard;
	uint64_t until_ms;
	struct lab *lab;
	pid_t pid, strace, echo;
	char c;

	for (i = 0; i < 4; i++) {
		lab = lab_udp_begin(NULL, lab_vias[i / 2], "client", "", &pid);
		strace = slow_down(lab, pid, 500, "2+1");
		echo = lab_udp_echo(lab, lab_families[i % 2], LAB_HOST_SERVER);
		client = lab_udp_client(lab, lab_families[i % 2], 0,
					LAB_HOST_SERVER);
		lab_send(client, "x");
		until_ms = clock_now_ms() + 5000;
		for (seen = heard = 0; recv(client, &c, 1, MSG_DONTWAIT) < 0 &&
				       clock_now_ms() < until_ms;)
			seen += count_bound(lab, &heard);
		CU_ASSERT(seen > 0);
		CU_ASSERT_EQUAL(heard, 0);
		close(client);
		lab_stop(lab, echo, SIGKILL, 1000);
		lab_stop(lab, strace, SIGTERM, 5000);
		lab_end(lab, pid);
	}
}

static const char listening[] =
	"gateway {\n inside in0\n user %s\n}\n"
	"pool servers {\n node " LAB_SERVER4 ":53\n node [" LAB_SERVER6
	"]:53\n source client-port\n}\n"
	"service dns {\n listen udp " LAB_GATEWAY4 ":5353\n"
	" listen udp [" LAB_GATEWAY6 "]:5353\n use servers\n}\n";

/* Beside a listener of just its address, it does catch them: none is lost. */
static void
strays(void)
{
	struct lab *lab = lab_up(NULL);
	pid_t pid, strace;

	lab_policy(lab, listening, lab_user());
	lab_apply(lab);
	lab_nft(lab, LAB_GATEWAY,
		"table inet mine {\n chain pre {\n"
		"  type nat hook prerouting priority -100;\n"
		"  udp dport 53 redirect to :5353\n }\n}\n");
	pid = lab_proxyd_up(lab);
	strace = slow_down(lab, pid, 15, "1+1");
	crowd(lab, AF_INET, FEW, 5);
	crowd(lab, AF_INET6, FEW, 5);
	lab_stop(lab, strace, SIGTERM, 5000);
	lab_stop_proxyd(lab, pid);
	CU_ASSERT(!lab_logged("proxyd", "dropped="));
	lab_down(lab);
}

/* --- sizes ---------------------------------------------------------------- */

static void
fill(uint8_t *data, size_t n, uint32_t seed)
{
	size_t i;

	for (i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = (uint8_t)(seed >> 24);
	}
}

/* Is this datagram the next one that comes back? */
static void
check_back(int client, const uint8_t *data, size_t size, const char *what)
{
	static const size_t room = 65536;
	uint8_t *got = malloc(room);
	ssize_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(got);
	n = lab_udp_receive(client, got, room, NULL);
	UNIT_CHECK(n == (ssize_t)size && !memcmp(got, data, size),
		   "%s: %zd bytes, not the %zu that were sent", what, n, size);
	free(got);
}

/* From none to all that fits; in fragments where they are needed. */
static void
one_by_one(int client, int family)
{
	static const size_t sizes[] = {0,    1,	   2,	 1400,	1472,
				       1473, 1500, 9000, 40000, 65507};
	uint8_t *data = malloc(65536);
	size_t i, size;

	CU_ASSERT_PTR_NOT_NULL_FATAL(data);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size = sizes[i];
		if (size == 65507 && family == AF_INET6)
			size = 65527;
		fill(data, size, (uint32_t)size);
		CU_ASSERT_EQUAL(send(client, data, size, 0), (ssize_t)size);
		check_back(client, data, size, "one by one");
	}
	free(data);
}

/*
 * Runs of one size, which travel as one, and others between them: each is a
 * datagram of its own, and in its place.
 */
static void
in_bursts(int client)
{
	static const size_t sizes[] = {100,  100,  100,	 7,    100,  0, 0,
				       50,   60,   1400, 1400, 1400, 3, 3,
				       9000, 9000, 1,	 1472, 1472};
	enum { N = sizeof(sizes) / sizeof(sizes[0]) };
	uint8_t *data = malloc(N * 9000);
	size_t i;
	int k;

	CU_ASSERT_PTR_NOT_NULL_FATAL(data);
	for (k = 0; k < 20; k++) {
		for (i = 0; i < N; i++) {
			fill(data + i * 9000, sizes[i],
			     (uint32_t)(k * 100) + (uint32_t)i);
			if (send(client, data + i * 9000, sizes[i], 0) < 0)
				lab_die("send: %s", strerror(errno));
		}
		for (i = 0; i < N; i++)
			check_back(client, data + i * 9000, sizes[i], "burst");
	}
	free(data);
}

/* The client's kernel is given several at once, as those of QUIC do. */
static void
segmented(int client)
{
	enum { SIZE = 700, N = 30, LAST = 33 };
	uint8_t *data = malloc(N * SIZE + LAST);
	int on = SIZE, off = 0, i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(data);
	fill(data, N * SIZE + LAST, 5);
	if (setsockopt(client, SOL_UDP, UDP_SEGMENT, &on, sizeof(on)) < 0 ||
	    send(client, data, N * SIZE + LAST, 0) < 0)
		lab_die("UDP_SEGMENT: %s", strerror(errno));
	for (i = 0; i < N; i++)
		check_back(client, data + i * SIZE, SIZE, "segment");
	check_back(client, data + N * SIZE, LAST, "last segment");
	setsockopt(client, SOL_UDP, UDP_SEGMENT, &off, sizeof(off));
	free(data);
}

static void
sizes(void)
{
	struct lab *lab;
	pid_t pid, echo;
	int i, client;

	for (i = 0; i < 4; i++) {
		lab = lab_udp_begin(NULL, lab_vias[i / 2], "client", "", &pid);
		echo = lab_udp_echo(lab, lab_families[i % 2], LAB_HOST_SERVER);
		client = lab_udp_client(lab, lab_families[i % 2], 0,
					LAB_HOST_SERVER);
		one_by_one(client, lab_families[i % 2]);
		in_bursts(client);
		segmented(client);
		close(client);
		lab_stop(lab, echo, SIGKILL, 1000);
		lab_end(lab, pid);
	}
}

/* --- a narrow way --------------------------------------------------------- */

/*
 * Beyond a router the way is narrower. IPv4 is made to fit there; of IPv6
 * the router says so once, and the next ones are made to fit here.
 */
static void
narrow(void)
{
	static const struct lab_options options = {.router = true};
	uint8_t data[1400], got[1500];
	struct lab *lab;
	pid_t pid, echo;
	int i, k, client;
	ssize_t n;

	lab = lab_udp_begin(&options, "tproxy", "client", "", &pid);
	lab_must(lab, LAB_ROUTER, "ip link set far0 mtu 1300");
	lab_must(lab, LAB_SERVER, "ip link set eth0 mtu 1300");
	for (i = 0; i < 2; i++) {
		echo = lab_udp_echo(lab, lab_families[i], LAB_HOST_SERVER);
		client = lab_udp_client(lab, lab_families[i], 0,
					LAB_HOST_SERVER);
		fill(data, sizeof(data), 9);
		/* a burst, so that it is sent as one: of IPv6, it is lost */
		for (k = 0; k < 5; k++)
			CU_ASSERT(send(client, data, sizeof(data), 0) > 0);
		for (k = 0; k < 5 && lab_families[i] == AF_INET; k++)
			check_back(client, data, sizeof(data), "ipv4");
		lab_sleep(100);
		while (recv(client, got, sizeof(got), MSG_DONTWAIT) >= 0)
			;
		CU_ASSERT(send(client, data, sizeof(data), 0) > 0);
		n = lab_udp_receive(client, got, sizeof(got), NULL);
		UNIT_CHECK(n == sizeof(data), "%s: %zd bytes",
			   inet_family_name(lab_families[i]), n);
		close(client);
		lab_stop(lab, echo, SIGKILL, 1000);
	}
	lab_stop_proxyd(lab, pid);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", " close=stopped"), 2);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"clients", clients}, {"unheard", unheard}, {"strays", strays},
	{"sizes", sizes},     {"narrow", narrow},
};

LAB_MAIN("datagram_many", tests)
