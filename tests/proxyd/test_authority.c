/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_authority.c - what is a host and a port, and which are the same. */
#include <string.h>

#include "proxyd/http/authority.h"

#include "tests/proxyd/bytes.h"

static void
test_good(void)
{
	static const char *const rows[] = {
		"a",
		"www.example.com",
		"EXAMPLE.com.",
		"a_b.example",
		"a~b",
		"1.2.3.4",
		"1.2.3.4:8080",
		"a:1",
		"a:65535",
		"a:00080",
		"a:",
		"[::1]",
		"[::1]:443",
		"[2001:DB8::192.0.2.1]",
		"[1:2:3:4:5:6:7:8]:",
		"xn--bcher-kva.example",
	};
	struct bytes b;
	size_t i;

	bytes_init(&b, 64);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i]);
		const char *text = bytes_put(&b, rows[i], len);

		UNIT_CHECK(authority_good(text, len), "'%s' is bad", rows[i]);
		UNIT_CHECK(authority_same(text, len, rows[i], len),
			   "'%s' is not itself", rows[i]);
	}
	bytes_fini(&b);
}

static void
test_bad(void)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
		{BYTES("")},
		{BYTES(":80")},
		{BYTES("a:0")},
		{BYTES("a:65536")},
		{BYTES("a:000080")},
		{BYTES("a:99999999999999999999")},
		{BYTES("a:+80")},
		{BYTES("a: 80")},
		{BYTES("a:80 ")},
		{BYTES("a:80:80")},
		{BYTES("a:http")},
		{BYTES("::1")},
		{BYTES("user@a")},
		{BYTES("user:secret@a")},
		{BYTES("a b")},
		{BYTES("a\tb")},
		{BYTES("a,b")},
		{BYTES("a/b")},
		{BYTES("a?b")},
		{BYTES("a#b")},
		{BYTES("a\\b")},
		{BYTES("a%2eb")},
		{BYTES("a;b")},
		{BYTES("a'b")},
		{BYTES("<a>")},
		{BYTES("a\0b")},
		{BYTES("b\xfc"
		       "cher.example")},
		{BYTES("[]")},
		{BYTES("[::1")},
		{BYTES("::1]")},
		{BYTES("[::1]80")},
		{BYTES("[::1]x:80")},
		{BYTES("[1.2.3.4]")},
		{BYTES("[a]")},
		{BYTES("[::1\0]")},
		{BYTES("[fe80::1%25eth0]")},
		{BYTES("[fe80::1%eth0]")},
		{BYTES("[v1.a]")},
		{BYTES("[1:2:3:4:5:6:7:8:9]")},
		{BYTES("[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]")},
		{BYTES("[")},
		{BYTES("]")},
	};
	struct bytes b;
	size_t i;

	bytes_init(&b, 64);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = bytes_put(&b, rows[i].text, rows[i].len);

		UNIT_CHECK(!authority_good(text, rows[i].len), "'%s' is good",
			   rows[i].text);
	}
	bytes_fini(&b);
}

static void
test_same(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"a", "A", true},
		{"a", "a:80", true},
		{"a:", "a:0080", true},
		{"[::1]", "[::1]:80", true},
		{"", "", true},
		{"a", "b", false},
		{"a", "ab", false},
		{"a:80", "a:81", false},
		{"a", "a:443", false},
		{"a", "a.", false},
		{"[::1]", "[::2]", false},
		{"[::1]", "[::1]:8", false},
		{"", "a", false},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *a = rows[i].a, *b = rows[i].b;
		bool same = rows[i].same;

		UNIT_CHECK(authority_same(a, strlen(a), b, strlen(b)) == same,
			   "'%s' and '%s'", a, b);
		UNIT_CHECK(authority_same(b, strlen(b), a, strlen(a)) == same,
			   "'%s' and '%s'", b, a);
	}
}

static const struct unit_test tests[] = {
	{"good", test_good},
	{"bad", test_bad},
	{"same", test_same},
};

UNIT_MAIN("authority", tests)
