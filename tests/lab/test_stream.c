/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_stream.c - what one side does, the other side sees: bytes, their end
 * in each direction, resets, refusals; and the limits of time.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/lab.h"

enum { PORT = 80, BULK = 6 * 1024 * 1024 };

static const char usual[] = "gateway {\n"
			    "	inside in0\n"
			    "	outside out0\n"
			    "	user %s\n"
			    "}\n"
			    "service web {\n"
			    "	intercept tcp port 80\n"
			    "}\n";

static const char hasty[] = "gateway {\n"
			    "	inside in0\n"
			    "	user %s\n"
			    "	timeout connect 400ms\n"
			    "	timeout idle 600ms\n"
			    "	timeout half-closed 600ms\n"
			    "}\n"
			    "service web {\n"
			    "	intercept tcp port 80\n"
			    "}\n";

/* Run `test` for both families, with one proxyd. */
static void
both(const char *policy,
     void (*test)(struct lab *lab, int family, int listener))
{
	pid_t pid;
	struct lab *lab = lab_begin(NULL, policy, &pid);
	int i, l;

	for (i = 0; i < 2; i++) {
		l = lab_serve(lab, lab_families[i], PORT);
		test(lab, lab_families[i], l);
		close(l);
	}
	lab_end(lab, pid);
}

static void
check_record(const char *source, const char *close)
{
	struct str record = {0};
	char buf[256];

	CU_ASSERT(LAB_WAIT(lab_record(source, &record), 3000));
	UNIT_STRINGS(lab_value(str_text(&record), "close", buf), close);
	str_fini(&record);
}

/* The client is done; the server still speaks, and ends later. */
static void
client_done_first(struct lab *lab, int family, int l)
{
	struct lab_flow f;
	char buf[64];

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	lab_send(f.client, "question");
	shutdown(f.client, SHUT_WR);
	CU_ASSERT(lab_expect(f.server, "question", 1000));
	CU_ASSERT_EQUAL(lab_recv(f.server, buf, sizeof(buf), 1000), 0);
	lab_sleep(50);
	lab_send(f.server, "a late answer");
	CU_ASSERT(lab_expect(f.client, "a late answer", 1000));
	shutdown(f.server, SHUT_WR);
	CU_ASSERT_EQUAL(lab_recv(f.client, buf, sizeof(buf), 1000), 0);
	check_record(f.source, "client-closed");
	lab_flow_close(&f);
}

static void
server_done_first(struct lab *lab, int family, int l)
{
	struct lab_flow f;
	char buf[64];

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	lab_send(f.server, "banner");
	shutdown(f.server, SHUT_WR);
	CU_ASSERT(lab_expect(f.client, "banner", 1000));
	CU_ASSERT_EQUAL(lab_recv(f.client, buf, sizeof(buf), 1000), 0);
	lab_sleep(50);
	lab_send(f.client, "late words");
	CU_ASSERT(lab_expect(f.server, "late words", 1000));
	shutdown(f.client, SHUT_WR);
	CU_ASSERT_EQUAL(lab_recv(f.server, buf, sizeof(buf), 1000), 0);
	check_record(f.source, "server-closed");
	lab_flow_close(&f);
}

static void
half_close(void)
{
	both(usual, client_done_first);
	both(usual, server_done_first);
}

static void
fill(uint8_t *data, size_t n, uint32_t seed)
{
	size_t i;

	for (i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = (uint8_t)(seed >> 24);
	}
}

/* In a child: send all of `data`, in pieces of odd sizes, and be done. */
static pid_t
send_in_child(int fd, const uint8_t *data, size_t n)
{
	size_t done = 0, piece;
	pid_t pid = fork();
	ssize_t k;

	if (pid != 0)
		return pid;
	while (done < n) {
		piece = 1 + (done * 7 + 13) % 70000;
		k = send(fd, data + done, piece < n - done ? piece : n - done,
			 MSG_NOSIGNAL);
		if (k < 0)
			_exit(1);
		done += (size_t)k;
	}
	shutdown(fd, SHUT_WR);
	_exit(0);
}

/* Read to the end; is it exactly `data`? */
static void
check_received(int fd, const uint8_t *data, size_t n, const char *what)
{
	uint8_t *got = malloc(n + 1);
	size_t done = 0;
	ssize_t k = 1;

	CU_ASSERT_PTR_NOT_NULL_FATAL(got);
	while (done <= n && k > 0) {
		k = lab_recv(fd, got + done, n + 1 - done, 10000);
		if (k > 0)
			done += (size_t)k;
	}
	UNIT_CHECK(k == 0 && done == n, "%s: %zu bytes of %zu, end %zd", what,
		   done, n, k);
	UNIT_CHECK(done == n && !memcmp(got, data, n), "%s: other bytes", what);
	free(got);
}

static int
child_status(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* Megabytes both ways at once, byte for byte, and the record counts them. */
static void
bulk_flow(struct lab *lab, int family, int l)
{
	uint8_t *up = malloc(BULK), *down = malloc(BULK);
	struct str record = {0};
	struct lab_flow f;
	char buf[256], want[32];
	pid_t senders[2], reader;

	CU_ASSERT_FATAL(up && down);
	fill(up, BULK, 1);
	fill(down, BULK, 2);
	lab_flow_open(lab, family, l, NULL, PORT, &f);
	senders[0] = send_in_child(f.client, up, BULK);
	senders[1] = send_in_child(f.server, down, BULK);
	fflush(NULL);
	reader = fork();
	if (reader == 0) {
		unsigned int before = CU_get_number_of_failures();

		check_received(f.server, up, BULK, "to the server");
		_exit(CU_get_number_of_failures() > before);
	}
	check_received(f.client, down, BULK, "to the client");
	CU_ASSERT_EQUAL(child_status(reader), 0);
	CU_ASSERT_EQUAL(child_status(senders[0]), 0);
	CU_ASSERT_EQUAL(child_status(senders[1]), 0);
	lab_flow_close(&f);
	CU_ASSERT(LAB_WAIT(lab_record(f.source, &record), 3000));
	snprintf(want, sizeof(want), "%d", BULK);
	UNIT_STRINGS(lab_value(str_text(&record), "bytes_in", buf), want);
	UNIT_STRINGS(lab_value(str_text(&record), "bytes_out", buf), want);
	str_fini(&record);
	free(up);
	free(down);
}

static void
bulk(void)
{
	both(usual, bulk_flow);
}

static void
client_resets(struct lab *lab, int family, int l)
{
	struct lab_flow f;
	char buf[16];

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	CU_ASSERT(lab_flow_works(&f));
	lab_reset(f.client);
	f.client = -1;
	CU_ASSERT_EQUAL(lab_recv(f.server, buf, sizeof(buf), 1000),
			-ECONNRESET);
	check_record(f.source, "client-reset");
	lab_flow_close(&f);
}

static void
server_resets(struct lab *lab, int family, int l)
{
	struct lab_flow f;
	char buf[16];

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	CU_ASSERT(lab_flow_works(&f));
	lab_reset(f.server);
	f.server = -1;
	CU_ASSERT_EQUAL(lab_recv(f.client, buf, sizeof(buf), 1000),
			-ECONNRESET);
	check_record(f.source, "server-reset");
	lab_flow_close(&f);
}

static void
resets(void)
{
	both(usual, client_resets);
	both(usual, server_resets);
}

/* The server's port is closed: so the client is reset. */
static void
refused(void)
{
	pid_t pid;
	struct lab *lab = lab_begin(NULL, usual, &pid);
	char to[ENDPOINT_TEXT_LEN];
	int i;

	for (i = 0; i < 2; i++) {
		lab_at(lab, lab_families[i], LAB_HOST_SERVER, PORT, to);
		lab_expect_reset(lab_connect(lab, LAB_CLIENT, NULL, to, 2000),
				 2000);
		CU_ASSERT(lab_closed("refused", (size_t)i + 1));
	}
	lab_end(lab, pid);
}

/* Neither speaks: both are told, within the policy's time. */
static void
idle_flow(struct lab *lab, int family, int l)
{
	uint64_t began, took;
	struct lab_flow f;

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	CU_ASSERT(lab_flow_works(&f));
	began = clock_now_ms();
	CU_ASSERT(lab_ended(f.server, 3000));
	took = clock_now_ms() - began;
	CU_ASSERT(lab_ended(f.client, 1000));
	UNIT_CHECK(took >= 450 && took < 2000, "ended after %u ms",
		   (unsigned int)took);
	check_record(f.source, "idle-timeout");
	lab_flow_close(&f);
}

static void
half_closed_flow(struct lab *lab, int family, int l)
{
	struct lab_flow f;
	char buf[16];

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	shutdown(f.client, SHUT_WR);
	CU_ASSERT_EQUAL(lab_recv(f.server, buf, sizeof(buf), 1000), 0);
	CU_ASSERT(lab_ended(f.client, 3000));
	check_record(f.source, "half-closed-timeout");
	lab_flow_close(&f);
}

/* The server's machine says nothing at all. */
static void
connect_timeout(struct lab *lab, int family, int l)
{
	char to[ENDPOINT_TEXT_LEN];
	uint64_t began = clock_now_ms(), took;

	(void)l;
	lab_at(lab, family, LAB_HOST_SERVER, PORT, to);
	lab_nft(lab, LAB_SERVER,
		"table inet mute {\n"
		"	chain in {\n"
		"		type filter hook input priority 0;\n"
		"		tcp dport 80 drop\n"
		"	}\n"
		"}\n");
	lab_expect_reset(lab_connect(lab, LAB_CLIENT, NULL, to, 2000), 2000);
	took = clock_now_ms() - began;
	UNIT_CHECK(took >= 300 && took < 2000, "ended after %u ms",
		   (unsigned int)took);
	CU_ASSERT(lab_closed("connect-timeout", family == AF_INET ? 1 : 2));
	lab_nft(lab, LAB_SERVER, "delete table inet mute");
}

static void
timeouts(void)
{
	both(hasty, idle_flow);
	both(hasty, half_closed_flow);
	both(hasty, connect_timeout);
}

static const struct unit_test tests[] = {
	{"half_close", half_close}, {"bulk", bulk},	    {"resets", resets},
	{"refused", refused},	    {"timeouts", timeouts},
};

LAB_MAIN("stream", tests)
