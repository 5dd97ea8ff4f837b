/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_chunks.c - chunked bodies: pieces, refusals, cuts at every byte. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"

#include "proxyd/http/chunks.h"

#include "tests/proxyd/bytes.h"

enum { MOST = 64 };

struct decoded {
	struct str framing, content, skipped;
	enum chunks_kind end; /* MORE, END or BAD */
	enum http_bad bad;
	size_t used;
};

static void
decoded_fini(struct decoded *d)
{
	str_fini(&d->framing);
	str_fini(&d->content);
	str_fini(&d->skipped);
}

/* Take what there is of one part of the bytes. */
static void
take(struct decoded *d, struct chunks *c, const char *buf, size_t len)
{
	struct chunks_piece piece;

	while (d->used < len && d->end == CHUNKS_MORE) {
		piece = chunks_next(c, buf + d->used, len - d->used);
		switch (piece.kind) {
		case CHUNKS_MORE:
			CU_ASSERT_EQUAL(piece.len, 0);
			return;
		case CHUNKS_FRAME:
		case CHUNKS_END:
			str_add_bytes(&d->framing, buf + d->used, piece.len);
			break;
		case CHUNKS_SKIP:
			str_add_bytes(&d->skipped, buf + d->used, piece.len);
			break;
		case CHUNKS_DATA:
			str_add_bytes(&d->content, buf + d->used, piece.len);
			break;
		case CHUNKS_BAD:
			CU_ASSERT_EQUAL(piece.len, 0);
			d->bad = piece.bad;
			break;
		}
		if (piece.kind == CHUNKS_END || piece.kind == CHUNKS_BAD)
			d->end = piece.kind;
		else
			CU_ASSERT(piece.len > 0);
		d->used += piece.len;
	}
}

/* Fed in two parts, cut at `cut`; each ends at a guard page. */
static struct decoded
decode(const char *text, size_t len, size_t cut)
{
	struct decoded d = {0};
	struct chunks c;
	struct bytes b;

	bytes_init(&b, len);
	chunks_init(&c, MOST);
	take(&d, &c, bytes_put(&b, text, cut), cut);
	take(&d, &c, bytes_put(&b, text, len), len);
	bytes_fini(&b);
	return d;
}

static struct decoded
decode_cut(const char *text, size_t len)
{
	struct decoded whole = decode(text, len, len), cut;
	size_t n;

	for (n = 0; n < len; n++) {
		cut = decode(text, len, n);
		UNIT_CHECK(cut.end == whole.end && cut.bad == whole.bad,
			   "cut at %zu: %s", n, text);
		UNIT_STRINGS(str_text(&cut.framing), str_text(&whole.framing));
		UNIT_STRINGS(str_text(&cut.content), str_text(&whole.content));
		UNIT_STRINGS(str_text(&cut.skipped), str_text(&whole.skipped));
		decoded_fini(&cut);
	}
	return whole;
}

static void
test_passed(void)
{
	static const struct {
		const char *text, *framing, *content, *skipped;
	} rows[] = {
		{"0\r\n\r\n", "0\r\n\r\n", "", ""},
		{"000\r\n\r\n", "000\r\n\r\n", "", ""},
		{"3\r\nabc\r\n0\r\n\r\n", "3\r\n\r\n0\r\n\r\n", "abc", ""},
		{"3\r\na\r\n\r\n0\r\n\r\n", "3\r\n\r\n0\r\n\r\n", "a\r\n", ""},
		{"00000000000000a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r"
		 "\n",
		 "00000000000000a\r\n\r\nA\r\n\r\n0\r\n\r\n",
		 "01234567890123456789", ""},
		{"1;a\r\nx\r\n0\r\n\r\n", "1\r\n\r\n0\r\n\r\n", "x", ";a"},
		{"1;a=b\r\nx\r\n0;c=\"d\"\r\n\r\n", "1\r\n\r\n0\r\n\r\n", "x",
		 ";a=b;c=\"d\""},
		{"0;a=\"\\\";\\\\ \xff\t\"\r\n\r\n", "0\r\n\r\n", "",
		 ";a=\"\\\";\\\\ \xff\t\""},
		{"0\r\nX: a\r\nY:\r\n\r\n", "0\r\nX: a\r\nY:\r\n\r\n", "", ""},
		{"0\r\nETag: \"a\"\r\n\r\n", "0\r\nETag: \"a\"\r\n\r\n", "",
		 ""},
		{"0\r\n\r\nGET / HTTP/1.1\r\n", "0\r\n\r\n", "", ""},
	};
	struct decoded d;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		d = decode_cut(rows[i].text, strlen(rows[i].text));
		UNIT_CHECK(d.end == CHUNKS_END, "%d %s: %s", d.end,
			   http_bad_word(d.bad), rows[i].text);
		UNIT_STRINGS(str_text(&d.framing), rows[i].framing);
		UNIT_STRINGS(str_text(&d.content), rows[i].content);
		UNIT_STRINGS(str_text(&d.skipped), rows[i].skipped);
		decoded_fini(&d);
	}
}

#define BAD(name, literal)                                                     \
	{                                                                      \
		BYTES(literal), HTTP_BAD_##name                                \
	}

static const struct {
	const char *text;
	size_t len;
	enum http_bad bad;
} bad_rows[] = {
	BAD(CHUNK_SIZE, "\r\n"),
	BAD(CHUNK_SIZE, "x\r\n"),
	BAD(CHUNK_SIZE, "g\r\n"),
	BAD(CHUNK_SIZE, "0x5\r\n"),
	BAD(CHUNK_SIZE, "+5\r\n"),
	BAD(CHUNK_SIZE, "-5\r\n"),
	BAD(CHUNK_SIZE, " 5\r\n"),
	BAD(CHUNK_SIZE, "5_0\r\n"),
	BAD(CHUNK_SIZE, "5,\r\n"),
	BAD(CHUNK_SIZE, ";a\r\n"),
	BAD(CHUNK_SIZE, "8000000000000000\r\n"),
	BAD(CHUNK_SIZE, "ffffffffffffffff\r\n"),
	BAD(CHUNK_SIZE, "10000000000000005\r\n"),
	BAD(CHUNK_SIZE, "00000000000000005\r\n"),
	BAD(CHUNK_EXTENSION, "5 \r\n"),
	BAD(CHUNK_EXTENSION, "5 ;a\r\n"),
	BAD(CHUNK_EXTENSION, "5\t;a\r\n"),
	BAD(CHUNK_EXTENSION, "5; a\r\n"),
	BAD(CHUNK_EXTENSION, "5;a =b\r\n"),
	BAD(CHUNK_EXTENSION, "5;a= b\r\n"),
	BAD(CHUNK_EXTENSION, "5;a=\tb\r\n"),
	BAD(CHUNK_EXTENSION, "5 x\r\n"),
	BAD(CHUNK_EXTENSION, "5;\r\n"),
	BAD(CHUNK_EXTENSION, "5;a;\r\n"),
	BAD(CHUNK_EXTENSION, "5;;a\r\n"),
	BAD(CHUNK_EXTENSION, "5;=a\r\n"),
	BAD(CHUNK_EXTENSION, "5;a=\r\n"),
	BAD(CHUNK_EXTENSION, "5;a=b=c\r\n"),
	BAD(CHUNK_EXTENSION, "5;a \r\n"),
	BAD(CHUNK_EXTENSION, "5;a b\r\n"),
	BAD(CHUNK_EXTENSION, "5;a=\"b\r\n"),
	BAD(CHUNK_EXTENSION, "5;a=\"b\"c\r\n"),
	BAD(CHUNK_EXTENSION, "5;a=\"b\x01\"\r\n"),
	BAD(CHUNK_EXTENSION, "5;a=\"\\\x7f\"\r\n"),
	BAD(CHUNK_EXTENSION, "5;\x80\r\n"),
	BAD(BARE_LF, "5\nabcde\r\n0\r\n\r\n"),
	BAD(BARE_LF, "5;a\nabcde\r\n0\r\n\r\n"),
	BAD(BARE_LF, "5;a=\"\n\"\r\nabcde\r\n"),
	BAD(BARE_LF, "\n"),
	BAD(BARE_CR, "5\rabcde\r\n"),
	BAD(BARE_CR, "5;a\rabcde\r\n"),
	BAD(BARE_CR, "5;a=\"\rb\"\r\nabcde\r\n"),
	BAD(NUL, "5\0\r\n"),
	BAD(NUL, "5;a=\"\0\"\r\n"),
	BAD(CHUNK_END, "1\r\nxx\r\n"),
	BAD(CHUNK_END, "1\r\nx0\r\n"),
	BAD(BARE_LF, "1\r\nx\n0\r\n\r\n"),
	BAD(BARE_CR, "1\r\nx\r0\r\n\r\n"),
	BAD(BARE_CR, "1\r\nx\r\r\n"),
	BAD(CHUNK_SIZE, "1\r\nx\r\n\r\n0\r\n\r\n"),
	BAD(BARE_LF, "0\r\n\n"),
	BAD(BARE_CR, "0\r\n\rX"),
	BAD(BARE_LF, "0\r\nX: a\n\r\n"),
	BAD(BARE_CR, "0\r\nX: a\rb\r\n"),
	BAD(NUL, "0\r\nX: \0\r\n\r\n"),
	BAD(OBS_FOLD, "0\r\n X: a\r\n\r\n"),
	BAD(OBS_FOLD, "0\r\nX: a\r\n b\r\n\r\n"),
	BAD(SPACE_BEFORE_COLON, "0\r\nX : a\r\n\r\n"),
	BAD(FIELD_NAME, "0\r\n: a\r\n\r\n"),
	BAD(FIELD_VALUE, "0\r\nX: \x01\r\n\r\n"),
	BAD(TRAILER, "0\r\nHost: a\r\n\r\n"),
	BAD(TRAILER, "0\r\nCONTENT-LENGTH: 5\r\n\r\n"),
	BAD(TRAILER, "0\r\nX: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
	BAD(TRAILER, "0\r\nAuthorization: a\r\n\r\n"),
	BAD(TRAILER, "0\r\nX-Forwarded-For: a\r\n\r\n"),
	BAD(TRAILER, "0\r\nConnection: close\r\n\r\n"),
	BAD(TRAILER, "0\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		     "aaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n"),
	BAD(TRAILER, "0\r\nX: aaaaaaaaaaaaaaaaaaaaaaa\r\n"
		     "X: aaaaaaaaaaaaaaaaaaaaaaa\r\n"
		     "X: aaaaa\r\n\r\n"),
};

static void
test_refused(void)
{
	struct decoded d;
	size_t i;

	for (i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
		d = decode_cut(bad_rows[i].text, bad_rows[i].len);
		UNIT_CHECK(d.end == CHUNKS_BAD && d.bad == bad_rows[i].bad,
			   "%d %s, not %s: %s", d.end, http_bad_word(d.bad),
			   http_bad_word(bad_rows[i].bad), bad_rows[i].text);
		decoded_fini(&d);
	}
}

/* The longest size line, and one byte more. */
static void
test_line_max(void)
{
	char text[CHUNKS_LINE_MAX + 8];
	struct decoded d;
	size_t n;

	for (n = CHUNKS_LINE_MAX - 1; n <= CHUNKS_LINE_MAX + 1; n++) {
		memset(text, 'a', n);
		text[0] = '0';
		text[1] = ';';
		memcpy(text + n - 2, "\r\n\r\n", 4);
		d = decode_cut(text, n + 2);
		CU_ASSERT_EQUAL(d.end,
				n <= CHUNKS_LINE_MAX ? CHUNKS_END : CHUNKS_BAD);
		CU_ASSERT_EQUAL(d.bad, n <= CHUNKS_LINE_MAX
					       ? HTTP_BAD_NONE
					       : HTTP_BAD_CHUNK_EXTENSION);
		decoded_fini(&d);
	}
}

/* The most that a trailer may have, its empty line included */
static void
test_trailer_most(void)
{
	static const char text[] = "0\r\nX: a\r\nY: b\r\n\r\n";
	struct chunks_piece piece;
	size_t most, used;
	struct chunks c;

	for (most = 0; most < 20; most++) {
		chunks_init(&c, most);
		used = 0;
		do {
			piece = chunks_next(&c, text + used,
					    sizeof(text) - 1 - used);
			used += piece.len;
		} while (piece.kind == CHUNKS_FRAME);
		UNIT_CHECK(piece.kind == (most < 14 ? CHUNKS_BAD : CHUNKS_END),
			   "%zu: %d", most, piece.kind);
		CU_ASSERT_EQUAL(piece.bad,
				most < 14 ? HTTP_BAD_TRAILER : HTTP_BAD_NONE);
	}
}

/* Content that goes another way than through these bytes. */
static void
test_passed_by(void)
{
	struct chunks_piece piece;
	struct chunks c;

	chunks_init(&c, MOST);
	piece = chunks_next(&c, BYTES("7fffffffffffffff\r\nab"));
	CU_ASSERT(piece.kind == CHUNKS_FRAME && piece.len == 18);
	CU_ASSERT_EQUAL(c.left, INT64_MAX);
	chunks_passed(&c, 1);
	CU_ASSERT_EQUAL(c.left, INT64_MAX - 1);
	piece = chunks_next(&c, BYTES("ab"));
	CU_ASSERT(piece.kind == CHUNKS_DATA && piece.len == 2);
	chunks_passed(&c, c.left);
	piece = chunks_next(&c, BYTES("\r\n"));
	CU_ASSERT(piece.kind == CHUNKS_FRAME && piece.len == 2);
	piece = chunks_next(&c, BYTES("0\r\n"));
	CU_ASSERT(piece.kind == CHUNKS_FRAME && piece.len == 3);
	piece = chunks_next(&c, BYTES("\r\n"));
	CU_ASSERT(piece.kind == CHUNKS_END && piece.len == 2);
}

static const struct unit_test tests[] = {
	{"passed", test_passed},       {"refused", test_refused},
	{"line_max", test_line_max},   {"trailer_most", test_trailer_most},
	{"passed_by", test_passed_by},
};

UNIT_MAIN("chunks", tests)
