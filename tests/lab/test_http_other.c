/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http_other.c - what is not HTTP, at a port where HTTP is expected.
 *
 * It passes as it is, both ways, from the first byte on, or is closed, as
 * `non-http` says; and it is counted. What began as HTTP stays HTTP.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/ctl.h"
#include "tests/lab/web.h"

enum { SNIFF_MS = 200, FLOW_MS = 2000 };

#define GATEWAY "\tworkers 1\n\ttimeout sniff 200ms\n\ttimeout head 400ms\n"

/* clang-format off */

/* What a client says first that is no request, and how much of it. */
static const struct {
	const char *name;
	const char *bytes;
	size_t len;
} firsts[] = {
#define FIRST(name, bytes) {name, bytes, sizeof(bytes) - 1}
	FIRST("tls",       "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	FIRST("ssh",       "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
	FIRST("http2",     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	FIRST("http09",    "GET /\r\n"),
	FIRST("smtp",      "EHLO [10.1.0.2]\r\n"),
	FIRST("redis",     "*1\r\n$4\r\nPING\r\n"),
	FIRST("binary",    "\x00\x01\x02\xff\xfe"),
	FIRST("lf",        "GET / HTTP/1.1\nHost: a\n\n"),
#undef FIRST
};

/* clang-format on */

enum { FIRSTS = sizeof(firsts) / sizeof(firsts[0]) };

/* A connection with a server of the test's own behind proxyd. */
static void
check_tunnel(struct lab *lab, int l, int family, size_t i)
{
	char at[ENDPOINT_TEXT_LEN], name[ENDPOINT_TEXT_LEN], buf[256];
	struct str record = {0};
	struct lab_flow f;

	lab_at(lab, family, LAB_HOST_SERVER, 80, at);
	f.client = web_open(lab, NULL, at);
	lab_name(f.client, name);
	/* in two pieces: the first one alone could be anything */
	CU_ASSERT(send(f.client, firsts[i].bytes, 1, 0) == 1);
	lab_sleep(20);
	CU_ASSERT(send(f.client, firsts[i].bytes + 1, firsts[i].len - 1, 0) ==
		  (ssize_t)firsts[i].len - 1);
	f.server = lab_accept(l, FLOW_MS, NULL);
	UNIT_CHECK(f.server >= 0, "%s: no connection", firsts[i].name);
	if (f.server >= 0) {
		CU_ASSERT(recv(f.server, buf, firsts[i].len, MSG_WAITALL) ==
				  (ssize_t)firsts[i].len &&
			  !memcmp(buf, firsts[i].bytes, firsts[i].len));
		CU_ASSERT(lab_flow_works(&f));
	}
	lab_flow_close(&f);
	CU_ASSERT(LAB_WAIT(lab_record(name, &record), FLOW_MS));
	UNIT_STRINGS(lab_value(str_text(&record), "note", buf), "non-http");
	UNIT_STRINGS(lab_value(str_text(&record), "mode", buf), "http");
	UNIT_STRINGS(lab_value(str_text(&record), "close", buf),
		     "client-closed");
	str_fini(&record);
}

static void
tunnelled(void)
{
	struct lab *lab;
	pid_t pid;
	int l[2];
	size_t i;

	lab = web_proxyd(GATEWAY, "\tsource client\n", "", &pid);
	for (i = 0; i < 2; i++)
		l[i] = lab_serve(lab, lab_families[i], 80);
	for (i = 0; i < FIRSTS; i++)
		check_tunnel(lab, l[i % 2], lab_families[i % 2], i);
	CU_ASSERT_EQUAL(ctl_ask_number(lab, "stats", "not_http"), FIRSTS);
	for (i = 0; i < 2; i++)
		close(l[i]);
	lab_end(lab, pid);
}

/* The client waits for a banner: after `sniff` it gets it. */
static void
server_first(void)
{
	uint64_t began = clock_now_ms();
	struct lab *lab;
	struct lab_flow f;
	pid_t pid;
	int l;

	lab = web_proxyd(GATEWAY, "\tsource client\n", "", &pid);
	l = lab_serve(lab, AF_INET, 80);
	began = clock_now_ms();
	lab_flow_open(lab, AF_INET, l, NULL, 80, &f);
	CU_ASSERT(clock_now_ms() - began >= SNIFF_MS);
	lab_send(f.server, "SSH-2.0-OpenSSH_9.2p1\r\n");
	CU_ASSERT(lab_expect(f.client, "SSH-2.0-OpenSSH_9.2p1\r\n", FLOW_MS));
	CU_ASSERT(lab_flow_works(&f));
	/* what looks like a request is none any more */
	lab_send(f.client, "GET / HTTP/1.1\r\n\r\n");
	CU_ASSERT(lab_expect(f.server, "GET / HTTP/1.1\r\n\r\n", FLOW_MS));
	lab_flow_close(&f);
	CU_ASSERT(lab_closed("client-closed note=non-http", 1));
	close(l);
	lab_end(lab, pid);
}

/* All of TLS, with everything that both ends want to have seen. */
static void
handshake(void)
{
	struct str out = {0};
	struct lab *lab;
	pid_t pid;

	lab = web_begin(GATEWAY, "\tsource client\n",
			"\tintercept tcp port 80, 443\n", &pid);
	lab_must(lab, LAB_SERVER,
		 "openssl req -x509 -newkey ec -pkeyopt "
		 "ec_paramgen_curve:P-256 -nodes -subj /CN=lab "
		 "-addext subjectAltName=IP:" LAB_SERVER4 " -keyout " LAB_DIR
		 "/key.pem -out " LAB_DIR "/cert.pem");
	lab_spawn(lab, LAB_SERVER, "tls",
		  "openssl s_server -accept 443 -WWW -quiet -key " LAB_DIR
		  "/key.pem -cert " LAB_DIR "/cert.pem");
	CU_ASSERT(LAB_WAIT(
		lab_sockets(lab, LAB_SERVER, "state listening sport = :443"),
		FLOW_MS));
	lab_run(lab, LAB_CLIENT, &out,
		"curl -sS -m 5 --cacert " LAB_DIR
		"/cert.pem -w '%%{http_code} %%{ssl_verify_result}' "
		"https://" LAB_SERVER4 "/no/such/file");
	UNIT_CHECK(strstr(str_text(&out), "200 0") != NULL, "%s",
		   str_text(&out));
	CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", "note=non-http") == 1,
			   FLOW_MS));
	str_fini(&out);
	lab_end(lab, pid);
}

/* With `close` nobody is connected to anybody; a silent client may wait. */
static void
closed(void)
{
	char buf[256], name[ENDPOINT_TEXT_LEN];
	struct str record = {0};
	struct lab *lab;
	uint64_t began;
	size_t i;
	pid_t pid;
	int fd;

	lab = web_proxyd(GATEWAY, "\tsource client\n", "\tnon-http close\n",
			 &pid);
	for (i = 0; i < FIRSTS; i++) {
		fd = web_open(lab, NULL, LAB_SERVER4 ":80");
		lab_name(fd, name);
		CU_ASSERT(send(fd, firsts[i].bytes, firsts[i].len, 0) ==
			  (ssize_t)firsts[i].len);
		UNIT_CHECK(lab_recv(fd, buf, sizeof(buf), FLOW_MS) <= 0,
			   "%s: an answer", firsts[i].name);
		close(fd);
		str_clear(&record);
		CU_ASSERT(LAB_WAIT(lab_record(name, &record), FLOW_MS));
		UNIT_STRINGS(lab_value(str_text(&record), "close", buf),
			     "non-http");
	}
	began = clock_now_ms();
	fd = web_open(lab, NULL, LAB_SERVER4 ":80");
	CU_ASSERT_EQUAL(lab_recv(fd, buf, sizeof(buf), FLOW_MS), 0);
	CU_ASSERT(clock_now_ms() - began >= 400);
	close(fd);
	CU_ASSERT(lab_closed("head-timeout", 1));
	CU_ASSERT_EQUAL(lab_sockets(lab, LAB_SERVER, "sport = :80"), 0);
	str_fini(&record);
	lab_end(lab, pid);
}

/* After one good request there are only good ones and bad ones. */
static void
decided_once(void)
{
	struct str body = {0};
	struct lab *lab;
	bool last = false;
	pid_t pid;
	int fd;

	lab = web_begin(GATEWAY, "\tsource client\n", "", &pid);
	fd = web_open(lab, NULL, LAB_SERVER4 ":80");
	CU_ASSERT_EQUAL(web_ask(fd, "/who", "", &body), 200);
	lab_send(fd, "SSH-2.0-OpenSSH_9.2p1\r\n");
	CU_ASSERT_EQUAL(web_answer(fd, &body, &last), 400);
	CU_ASSERT(last);
	CU_ASSERT(lab_ended(fd, FLOW_MS));
	close(fd);
	CU_ASSERT(lab_closed("bad-request note=request-line", 1));
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "note=non-http"), 0);
	str_fini(&body);
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"tunnelled", tunnelled},	{"server_first", server_first},
	{"handshake", handshake},	{"closed", closed},
	{"decided_once", decided_once},
};

LAB_MAIN("http_other", tests)
