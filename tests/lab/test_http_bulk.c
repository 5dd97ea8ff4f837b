/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http_bulk.c - a hundred megabytes each way, byte for byte, with a
 * length and in chunks; and some of it where packets are lost.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/web.h"

enum {
#ifdef __SANITIZE_ADDRESS__
	BIG_MB = 40, /* which are slower */
#else
	BIG_MB = 100,
#endif
	LOSSY_MB = 4,
	SLOW_MB = 12, /* more than all sockets hold */
};

#define GATEWAY "\tworkers 1\n\tlog access none\n"

/* A file of so many megabytes, no two blocks of which are the same. */
static void
make(struct lab *lab, size_t mb)
{
	lab_must(lab, LAB_SERVER,
		 "mkdir -p " LAB_DIR "/www; head -c %zuM /dev/zero | "
		 "openssl enc -aes-128-ctr -K 01 -iv 01 2>/dev/null "
		 ">" LAB_DIR "/www/big; "
		 "test $(stat -c %%s " LAB_DIR "/www/big) -eq %zu",
		 mb, mb << 20);
}

/* The same bytes? Below LAB_DIR; gone afterwards. */
static void
check_same(struct lab *lab, const char *path, const char *what)
{
	struct str out = {0};

	UNIT_CHECK(lab_run(lab, LAB_SERVER, &out,
			   "cd " LAB_DIR "; cmp www/big %s && rm %s", path,
			   path) == 0,
		   "%s: %s", what, str_text(&out));
	str_fini(&out);
}

/* One transfer by curl, with these options. */
static void
transfer(struct lab *lab, const char *what, const char *options)
{
	struct str out = {0};
	int r;

	r = lab_run(lab, LAB_CLIENT, &out,
		    "cd " LAB_DIR "; curl -sS -f -m 50 -w '%%{http_code}' %s",
		    options);
	UNIT_CHECK(r == 0 && (strstr(str_text(&out), "20")), "%s: %d, %s", what,
		   r, str_text(&out));
	str_fini(&out);
}

static void
all_ways(struct lab *lab, const char *host)
{
	char options[256];

	snprintf(options, sizeof(options), "-o got http://%s/big", host);
	transfer(lab, "download", options);
	check_same(lab, "got", "download");
	snprintf(options, sizeof(options), "-o got http://%s/chunked/big",
		 host);
	transfer(lab, "in chunks", options);
	check_same(lab, "got", "in chunks");
	snprintf(options, sizeof(options), "-T www/big http://%s/up", host);
	transfer(lab, "upload", options);
	check_same(lab, "www/up", "upload");
	snprintf(options, sizeof(options),
		 "-H 'Transfer-Encoding: chunked' -T www/big http://%s/up2",
		 host);
	transfer(lab, "upload in chunks", options);
	check_same(lab, "www/up2", "upload in chunks");
}

static void
whole(void)
{
	struct lab *lab;
	pid_t pid;

	lab = web_begin(GATEWAY, "\tsource client\n", "", &pid);
	make(lab, BIG_MB);
	all_ways(lab, LAB_SERVER4);
	lab_end(lab, pid);
}

/* One packet in a hundred is lost, on both legs and in both directions. */
static void
lossy(void)
{
	struct lab *lab;
	pid_t pid;

	lab = web_begin(GATEWAY, "\tsource client\n",
			"\tintercept tcp port 80 via tproxy\n", &pid);
	make(lab, LOSSY_MB);
	lab_nft(lab, LAB_GATEWAY,
		"table inet lossy {\n"
		"	chain in {\n"
		"		type filter hook prerouting priority -500\n"
		"		meta l4proto tcp numgen random mod 100 0 drop\n"
		"	}\n"
		"}\n");
	all_ways(lab, "[" LAB_SERVER6 "]");
	lab_nft(lab, LAB_GATEWAY, "delete table inet lossy");
	lab_end(lab, pid);
}

/*
 * The server takes an upload in its own time: its end waits in a pipe, which
 * must be given back before the connection is kept for others.
 */
static void
slow_taker(void)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\n"
				 "Content-Length: 0\r\n\r\n";
	char sink[1 << 18];
	struct lab *lab;
	pid_t pid, curl;
	int l, server, small = 65536;
	ssize_t n;

	lab = web_proxyd(GATEWAY, "\tsource client\n\treuse-idle 100ms\n", "",
			 &pid);
	make(lab, SLOW_MB);
	l = lab_serve(lab, AF_INET, 80);
	CU_ASSERT(setsockopt(l, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) ==
		  0);
	curl = lab_spawn(lab, LAB_CLIENT, "curl",
			 "curl -sS -f -H Expect: -T " LAB_DIR
			 "/www/big http://" LAB_SERVER4 "/up");
	server = lab_accept(l, 3000, NULL);
	CU_ASSERT_FATAL(server >= 0);
	do {
		lab_sleep(2);
		n = lab_recv(server, sink, sizeof(sink), 300);
	} while (n > 0);
	CU_ASSERT_EQUAL(n, -ETIMEDOUT);
	lab_send(server, ok);
	CU_ASSERT_EQUAL(lab_stop(lab, curl, 0, 3000), 0);
	/* kept, and closed for being idle; whoever is left over is found */
	CU_ASSERT(lab_ended(server, 3000));
	close(server);
	close(l);
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"whole", whole},
	{"lossy", lossy},
	{"slow_taker", slow_taker},
};

LAB_MAIN("http_bulk", tests)
