/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_proxyproto.c - headers that are right, and those that are not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxyd/stream/proxyproto.h"

#include "tests/unit.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4 SIGNATURE "\x21\x11"
#define TCP6 SIGNATURE "\x21\x21"
/* 10.1.0.2:1000 to 10.2.0.2:80 */
#define PAIR4 "\x0a\x01\0\x02\x0a\x02\0\x02\x03\xe8\0\x50"
/* [fd01::2]:1000 to [fd02::2]:80 */
#define FD(n) "\xfd" n "\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"
#define PAIR6 FD("\x01") FD("\x02") "\x03\xe8\0\x50"
/* of all of a header with that pair, as another program found them */
#define SUM4 "\xe8\xc4\x05\x31"
#define SUM6 "\x6c\x3f\x66\x09"
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff"

/* A text that may have a NUL in it, and how long it is. */
#define BYTES(text) text, sizeof(text) - 1

/* The third column is what follows: "local", or "CLIENT DESTINATION". */
static const struct {
	const char *buf;
	size_t len;
	const char *means;
} good[] = {
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 1000 80\r\n"),
	 "10.1.0.2:1000 10.2.0.2:80"},
	{BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	 "255.255.255.255:65535 255.255.255.255:65535"},
	{BYTES("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0 0.0.0.0"},
	{BYTES("PROXY TCP6 fd01::2 fd02::2 1000 80\r\n"),
	 "[fd01::2]:1000 [fd02::2]:80"},
	{BYTES("PROXY TCP6 FD01:0:0:0:0:0:0:2 ::1 1 2\r\n"),
	 "[fd01::2]:1 [::1]:2"},
	{BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
	       " ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535 65535\r\n"),
	 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"
	 " [ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535"},
	{BYTES("PROXY TCP6 ::ffff:10.1.0.2 fd02::2 1000 80\r\n"),
	 "10.1.0.2:1000 [fd02::2]:80"},
	{BYTES("PROXY UNKNOWN\r\n"), "local"},
	{BYTES("PROXY UNKNOWN \r\n"), "local"},
	{BYTES("PROXY UNKNOWN what ever\t1 2\r\n"), "local"},
	{BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
	       " ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	 "local"},
	{BYTES(TCP4 "\0\x0c" PAIR4), "10.1.0.2:1000 10.2.0.2:80"},
	{BYTES(TCP6 "\0\x24" PAIR6), "[fd01::2]:1000 [fd02::2]:80"},
	{BYTES(TCP6 "\0\x24" MAPPED "\x0a\x01\0\x02" MAPPED
		    "\x0a\x02\0\x02\x03\xe8\0\x50"),
	 "10.1.0.2:1000 10.2.0.2:80"},
	{BYTES(TCP4 "\0\x0f" PAIR4 "\x04\0\0"), "10.1.0.2:1000 10.2.0.2:80"},
	{BYTES(TCP4 "\0\x16" PAIR4 "\x01\0\x01h\xee\0\x03\0\xff\n"),
	 "10.1.0.2:1000 10.2.0.2:80"},
	{BYTES(TCP4 "\0\x13" PAIR4 "\x03\0\x04" SUM4),
	 "10.1.0.2:1000 10.2.0.2:80"},
	{BYTES(TCP6 "\0\x2e" PAIR6 "\x03\0\x04" SUM6 "\x04\0\0"),
	 "[fd01::2]:1000 [fd02::2]:80"},
	{BYTES(SIGNATURE "\x20\0\0\0"), "local"},
	{BYTES(SIGNATURE "\x20\x11\0\x0c" PAIR4), "local"},
	{BYTES(SIGNATURE "\x20\xff\0\x01?"), "local"},
	{BYTES(SIGNATURE "\x21\0\0\0"), "local"},
	{BYTES(SIGNATURE "\x21\0\0\x02??"), "local"},
};

/* The third column: how many bytes it takes to know. */
static const struct {
	const char *buf;
	size_t len;
	size_t known;
} bad[] = {
	{BYTES("GET / HTTP/1.1\r\n"), 1},
	{BYTES("\x16\x03\x01"), 1},
	{BYTES("\n"), 1},
	{BYTES("\0"), 1},
	{BYTES("POST / HTTP/1.1\r\n"), 2},
	{BYTES("proxy TCP4 10.1.0.2 10.2.0.2 1000 80\r\n"), 1},
	{BYTES("PROXY\tTCP4 "), 6},
	{BYTES("PROXY  TCP4 "), 7},
	{BYTES("PROXY\r\n"), 6},
	{BYTES("PROXY \r\n"), 7},
	{BYTES("PROXY TCP\r\n"), 10},
	{BYTES("PROXY TCP5 "), 10},
	{BYTES("PROXY UDP4 "), 8},
	{BYTES("PROXY UNKNOWNX\r\n"), 14},
	{BYTES("PROXY UNKNOWN\n"), 14},
	{BYTES("PROXY UNKNOWN\rx"), 15},
	{BYTES("PROXY UNKNOWN a\nb\r\n"), 16},
	{BYTES("PROXY TCP4\r\n"), 11},
	/* one space, and one only */
	{BYTES("PROXY TCP4  10.1.0.2 10.2.0.2 1000 80\r\n"), 12},
	{BYTES("PROXY TCP4 10.1.0.2  10.2.0.2 1000 80\r\n"), 21},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2  1000 80\r\n"), 30},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 1000  80\r\n"), 35},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 1000 80 \r\n"), 37},
	{BYTES("PROXY TCP4 10.1.0.2\t10.2.0.2 1000 80\r\n"), 20},
	/* IPv4 */
	{BYTES("PROXY TCP4 10.1.0.256 10.2.0.2 1000 80\r\n"), 22},
	{BYTES("PROXY TCP4 10.1.0.02 10.2.0.2 1000 80\r\n"), 21},
	{BYTES("PROXY TCP4 010.1.0.2 10.2.0.2 1000 80\r\n"), 21},
	{BYTES("PROXY TCP4 10.1.2 10.2.0.2 1000 80\r\n"), 18},
	{BYTES("PROXY TCP4 10.1.0.2.3 10.2.0.2 1000 80\r\n"), 22},
	{BYTES("PROXY TCP4 167837698 10.2.0.2 1000 80\r\n"), 21},
	{BYTES("PROXY TCP4 0xa.1.0.2 10.2.0.2 1000 80\r\n"), 13},
	{BYTES("PROXY TCP4 +10.1.0.2 10.2.0.2 1000 80\r\n"), 12},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.999 1000 80\r\n"), 31},
	{BYTES("PROXY TCP4 111.111.111.1111 1"), 27},
	{BYTES("PROXY TCP4 10.1.0.2\0 10.2.0.2 1000 80\r\n"), 20},
	/* IPv6, and one in the place of the other */
	{BYTES("PROXY TCP4 fd01::2 fd02::2 1000 80\r\n"), 12},
	{BYTES("PROXY TCP4 10.1.0.2 fd02::2 1000 80\r\n"), 21},
	{BYTES("PROXY TCP6 10.1.0.2 10.2.0.2 1000 80\r\n"), 20},
	{BYTES("PROXY TCP6 fd01::2 10.2.0.2 1000 80\r\n"), 28},
	{BYTES("PROXY TCP6 fd01::2::3 fd02::2 1000 80\r\n"), 22},
	{BYTES("PROXY TCP6 fd01:2 fd02::2 1000 80\r\n"), 18},
	{BYTES("PROXY TCP6 fd01::12345 fd02::2 1000 80\r\n"), 23},
	{BYTES("PROXY TCP6 fe80::1%eth0 fd02::2 1000 80\r\n"), 19},
	{BYTES("PROXY TCP6 [fd01::2] fd02::2 1000 80\r\n"), 12},
	{BYTES("PROXY TCP6 : fd02::2 1000 80\r\n"), 13},
	{BYTES("PROXY TCP6 1:1:1:1:1:1:1:1:1 fd02::2 1000 80\r\n"), 29},
	/* ports */
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 65536 80\r\n"), 35},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 01000 80\r\n"), 35},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 100000 80\r\n"), 35},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 +1000 80\r\n"), 30},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 -1 80\r\n"), 30},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 1000 00\r\n"), 37},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 1000 080\r\n"), 38},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 1000 \r\n"), 35},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 1000\r\n"), 34},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 http 80\r\n"), 30},
	/* its end */
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 1000 80\n"), 37},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 1000 80\rx"), 38},
	{BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 1000 80 x\r\n"), 37},
	/* version 2 */
	{BYTES("\r\n\r\nGET / HTTP/1.1\r\n"), 5},
	{BYTES("\r\n\r\n\0\r\nquit\n"), 8},
	{BYTES(SIGNATURE "\x11\x11\0\x0c" PAIR4), 13},
	{BYTES(SIGNATURE "\x31\x11\0\x0c" PAIR4), 13},
	{BYTES(SIGNATURE "\x22\x11\0\x0c" PAIR4), 13},
	{BYTES(SIGNATURE "\x2f\x11\0\x0c" PAIR4), 13},
	{BYTES(SIGNATURE "\x21\x12\0\x0c" PAIR4), 14},
	{BYTES(SIGNATURE "\x21\x22\0\x24" PAIR6), 14},
	{BYTES(SIGNATURE "\x21\x10\0\x0c" PAIR4), 14},
	{BYTES(SIGNATURE "\x21\x13\0\x0c" PAIR4), 14},
	{BYTES(SIGNATURE "\x21\x01\0\x0c" PAIR4), 14},
	{BYTES(SIGNATURE "\x21\x31\0\xd8" PAIR4), 14},
	{BYTES(SIGNATURE "\x21\x41\0\x0c" PAIR4), 14},
	{BYTES(TCP4 "\0\x0b" PAIR4), 16},
	{BYTES(TCP4 "\0\0" PAIR4), 16},
	{BYTES(TCP6 "\0\x0c" PAIR4), 16},
	{BYTES(TCP6 "\0\x23" PAIR6), 16},
	{BYTES(TCP4 "\x03\xf1" PAIR4), 16},
	{BYTES(TCP4 "\xff\xff" PAIR4), 16},
	{BYTES(SIGNATURE "\x20\0\xff\xff"), 16},
	/* TLVs that are cut off, or say too much */
	{BYTES(TCP4 "\0\x0d" PAIR4 "\x04"), 29},
	{BYTES(TCP4 "\0\x0e" PAIR4 "\x04\0"), 30},
	{BYTES(TCP4 "\0\x0f" PAIR4 "\x04\0\x01"), 31},
	{BYTES(TCP4 "\0\x0f" PAIR4 "\x04\xff\xff"), 31},
	{BYTES(TCP4 "\0\x10" PAIR4 "\x04\0\0\x04"), 32},
	/* the checksum: wrong, twice, of a wrong size */
	{BYTES(TCP4 "\0\x13" PAIR4 "\x03\0\x04\0\0\0\0"), 35},
	{BYTES(TCP4 "\0\x13" PAIR4 "\x03\0\x04" SUM6), 35},
	{BYTES(TCP4 "\0\x1a" PAIR4 "\x03\0\x04" SUM4 "\x03\0\x04" SUM4), 42},
	{BYTES(TCP4 "\0\x12" PAIR4 "\x03\0\x03\0\0\0"), 34},
	{BYTES(TCP4 "\0\x14" PAIR4 "\x03\0\x05" SUM4 "\0"), 36},
};

enum {
	N_GOOD = sizeof(good) / sizeof(good[0]),
	N_BAD = sizeof(bad) / sizeof(bad[0]),
};

static const char *
means(const struct proxyproto *p, char buf[2 * ENDPOINT_TEXT_LEN + 1])
{
	char client[ENDPOINT_TEXT_LEN], destination[ENDPOINT_TEXT_LEN];

	if (p->local)
		return "local";
	sprintf(buf, "%s %s", endpoint_format(&p->client, client),
		endpoint_format(&p->destination, destination));
	return buf;
}

/*
 * All of it and more: nothing but the header counts. Cut anywhere, it is not
 * yet one.
 */
static void
test_good(void)
{
	char buf[2 * ENDPOINT_TEXT_LEN + 1], more[256];
	struct proxyproto p;
	size_t i, n;

	for (i = 0; i < N_GOOD; i++) {
		for (n = 0; n < good[i].len; n++)
			UNIT_CHECK(proxyproto_parse(good[i].buf, n, &p) ==
					   PROXYPROTO_MORE,
				   "good %zu, cut at %zu", i, n);
		memset(&p, 0x55, sizeof(p));
		memset(more, '\r', sizeof(more));
		memcpy(more, good[i].buf, good[i].len);
		UNIT_CHECK(proxyproto_parse(more, sizeof(more), &p) ==
				   PROXYPROTO_DONE,
			   "good %zu", i);
		CU_ASSERT_EQUAL(p.size, good[i].len);
		UNIT_STRINGS(means(&p, buf), good[i].means);
	}
}

/* Known as early as it can be, and not forgotten. */
static void
test_bad(void)
{
	struct proxyproto p, before;
	size_t i, n;

	memset(&p, 0x55, sizeof(p));
	before = p;
	for (i = 0; i < N_BAD; i++)
		for (n = 0; n <= bad[i].len; n++)
			UNIT_CHECK(proxyproto_parse(bad[i].buf, n, &p) ==
					   (n < bad[i].known ? PROXYPROTO_MORE
							     : PROXYPROTO_BAD),
				   "bad %zu, %zu bytes", i, n);
	CU_ASSERT(memcmp(&p, &before, sizeof(p)) == 0);
}

/* A line ends within 107 bytes; and the longest of version 2. */
static void
test_bounds(void)
{
	char buf[PROXYPROTO_MAX + 1] = "PROXY UNKNOWN ";
	static const uint8_t head[] = TCP4 "\x03\xf0" PAIR4 "\x04\x03\xe1";
	struct proxyproto p;

	memset(buf + 14, 'x', sizeof(buf) - 14);
	CU_ASSERT_EQUAL(proxyproto_parse(buf, 106, &p), PROXYPROTO_MORE);
	CU_ASSERT_EQUAL(proxyproto_parse(buf, 107, &p), PROXYPROTO_BAD);
	memcpy(buf + 106, "\r\n", 2);
	CU_ASSERT_EQUAL(proxyproto_parse(buf, 108, &p), PROXYPROTO_BAD);
	memcpy(buf + 105, "\r\n", 2);
	CU_ASSERT_EQUAL(proxyproto_parse(buf, 107, &p), PROXYPROTO_DONE);
	memcpy(buf, head, sizeof(head) - 1);
	CU_ASSERT_EQUAL(proxyproto_parse(buf, PROXYPROTO_MAX - 1, &p),
			PROXYPROTO_MORE);
	CU_ASSERT_EQUAL(proxyproto_parse(buf, PROXYPROTO_MAX, &p),
			PROXYPROTO_DONE);
	CU_ASSERT_EQUAL(p.size, PROXYPROTO_MAX);
}

/* Nothing is read behind what is there. */
static void
test_guard_page(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), i, n;
	struct proxyproto p;
	char *end;

	end = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_FATAL(end != MAP_FAILED);
	end += page;
	CU_ASSERT_EQUAL(mprotect(end, page, PROT_NONE), 0);
	for (i = 0; i < N_GOOD + N_BAD; i++) {
		bool is_good = i < N_GOOD;
		size_t len = is_good ? good[i].len : bad[i - N_GOOD].len;

		for (n = 0; n <= len; n++) {
			memcpy(end - n,
			       is_good ? good[i].buf : bad[i - N_GOOD].buf, n);
			proxyproto_parse(end - n, n, &p);
		}
	}
	munmap(end - page, 2 * page);
}

/*
 * Any one bit, changed. But where the type of the TLV is another, or nothing
 * of the header is believed, there is no checksum.
 */
static void
test_checksum(void)
{
	static const char header[] = TCP4 "\0\x13" PAIR4 "\x03\0\x04" SUM4;
	struct proxyproto p;
	char buf[sizeof(header)];
	size_t len = sizeof(header) - 1, n;
	int bit;

	for (n = 0; n < len; n++)
		for (bit = 0; bit < 8; bit++) {
			memcpy(buf, header, len);
			buf[n] ^= (char)(1 << bit);
			UNIT_CHECK((proxyproto_parse(buf, len, &p) ==
				    PROXYPROTO_DONE) ==
					   (n == 28 || (n == 12 && bit == 0)),
				   "byte %zu, bit %d", n, bit);
		}
}

static struct endpoint
endpoint(const char *text)
{
	struct endpoint e = {0};

	if (text)
		CU_ASSERT_EQUAL(endpoint_parse(text, &e), 0);
	return e;
}

/* The bytes themselves: others must read them. */
static void
test_build(void)
{
	static const struct {
		enum proxyproto_version version;
		const char *client, *destination;
		const char *buf;
		size_t len;
	} rows[] = {
		{PROXYPROTO_V1, "10.1.0.2:1000", "10.2.0.2:80",
		 BYTES("PROXY TCP4 10.1.0.2 10.2.0.2 1000 80\r\n")},
		{PROXYPROTO_V1, "[fd01::2]:1000", "[fd02::2]:80",
		 BYTES("PROXY TCP6 fd01::2 fd02::2 1000 80\r\n")},
		{PROXYPROTO_V1, "10.1.0.2:1000", "[fd02::2]:80",
		 BYTES("PROXY TCP6 ::ffff:10.1.0.2 fd02::2 1000 80\r\n")},
		{PROXYPROTO_V1, "[fd01::2]:1000", "10.2.0.2:80",
		 BYTES("PROXY TCP6 fd01::2 ::ffff:10.2.0.2 1000 80\r\n")},
		{PROXYPROTO_V1, "10.1.0.2:1000", NULL,
		 BYTES("PROXY UNKNOWN\r\n")},
		{PROXYPROTO_V2, "10.1.0.2:1000", "10.2.0.2:80",
		 BYTES(TCP4 "\0\x0c" PAIR4)},
		{PROXYPROTO_V2, "[fd01::2]:1000", "[fd02::2]:80",
		 BYTES(TCP6 "\0\x24" PAIR6)},
		{PROXYPROTO_V2, "10.1.0.2:1000", "[fd02::2]:80",
		 BYTES(TCP6 "\0\x24" MAPPED
			    "\x0a\x01\0\x02" FD("\x02") "\x03\xe8\0\x50")},
		{PROXYPROTO_V2, "10.1.0.2:1000", NULL,
		 BYTES(SIGNATURE "\x20\0\0\0")},
	};
	struct endpoint client, destination;
	char buf[PROXYPROTO_BUILD_MAX];
	struct proxyproto p;
	size_t i, len;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		client = endpoint(rows[i].client);
		destination = endpoint(rows[i].destination);
		len = proxyproto_build(rows[i].version, &client, &destination,
				       buf);
		UNIT_CHECK(len == rows[i].len && !memcmp(buf, rows[i].buf, len),
			   "build %zu", i);
		CU_ASSERT_EQUAL(proxyproto_parse(buf, len, &p),
				PROXYPROTO_DONE);
		CU_ASSERT_EQUAL(p.size, len);
		CU_ASSERT_EQUAL(p.local, !rows[i].destination);
		if (p.local)
			continue;
		CU_ASSERT(endpoint_equal(&p.client, &client));
		CU_ASSERT(endpoint_equal(&p.destination, &destination));
	}
}

/* The longest that can be. */
static void
test_build_bounds(void)
{
	static const char most[] =
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
	struct endpoint e = endpoint(most);
	char buf[PROXYPROTO_BUILD_MAX];

	CU_ASSERT_EQUAL(proxyproto_build(PROXYPROTO_V1, &e, &e, buf), 104);
	CU_ASSERT_EQUAL(proxyproto_build(PROXYPROTO_V2, &e, &e, buf), 52);
}

static const struct unit_test tests[] = {
	{"good", test_good},
	{"bad", test_bad},
	{"bounds", test_bounds},
	{"guard_page", test_guard_page},
	{"checksum", test_checksum},
	{"build", test_build},
	{"build_bounds", test_build_bounds},
};

UNIT_MAIN("proxyproto", tests)
