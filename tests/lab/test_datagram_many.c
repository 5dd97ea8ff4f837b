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
#include <sys/uio.h>
#include <unistd.h>

#include "tests/lab/lab_udp.h"

enum { MANY = 60, FEW = 8, FIRST_PORT = 20000, EACH = 4, WORD = 16 };

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
		}
		lab_sleep(pause_ms);
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

/* Have each connect() of the worker take 15 ms. */
static pid_t
slow_down(struct lab *lab, pid_t proxyd)
{
	pid_t worker, strace;

	if (lab_children(proxyd, "worker", &worker, 1) != 1)
		lab_die("no worker");
	strace = lab_spawn(lab, LAB_GATEWAY, "strace",
			   "strace -p %d -e trace=connect"
			   " -e inject=connect:delay_enter=15000",
			   (int)worker);
	if (!LAB_WAIT(lab_logged("strace", "attached"), 5000))
		lab_die("strace does not attach");
	return strace;
}

/*
 * Sockets that are bound and not yet connected catch what is others': here
 * they have the time to.
 */
static void
strays(void)
{
	struct lab *lab;
	pid_t pid, strace;
	int i;

	for (i = 0; i < 2; i++) {
		lab = lab_udp_begin(NULL, lab_vias[i], "client-port", "", &pid);
		strace = slow_down(lab, pid);
		crowd(lab, AF_INET, FEW, 40);
		crowd(lab, AF_INET6, FEW, 40);
		lab_stop(lab, strace, SIGTERM, 5000);
		lab_stop_proxyd(lab, pid);
		CU_ASSERT_EQUAL(lab_log_count("proxyd", " close=stopped"),
				2 * FEW);
		CU_ASSERT(!lab_logged("proxyd", "dropped="));
		lab_down(lab);
	}
}

static const struct unit_test tests[] = {
	{"clients", clients},
	{"strays", strays},
};

LAB_MAIN("datagram_many", tests)
