/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_known.c - every known field is found, and no other. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "proxyd/http/known.h"
#include "proxyd/http/scan.h"

#include "tests/proxyd/bytes.h"

/* In any case; and before a guard page. */
static void
test_found(void)
{
	enum http_field_id id;
	struct bytes b;
	char upper[64];
	size_t len, i;

	bytes_init(&b, sizeof(upper));
	for (id = HTTP_FIELD_OTHER + 1; id < HTTP_FIELD_COUNT; id++) {
		const char *name = known_name(id);

		len = strlen(name);
		for (i = 0; i <= len; i++)
			upper[i] = (char)toupper((unsigned char)name[i]);
		UNIT_CHECK(known_find(name, len) == id, "%s", name);
		UNIT_CHECK(known_find(bytes_put(&b, upper, len), len) == id,
			   "%s", upper);
		UNIT_CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789"
					"-") == len,
			   "'%s' is not lower-case", name);
	}
	bytes_fini(&b);
}

/* `name` with each other byte of a token at place `i` */
static void
other_bytes(enum http_field_id id, char *name, size_t len, size_t i)
{
	char was = name[i];
	int c;

	for (c = 0; c < 256; c++) {
		if (!scan_is(SCAN_TOKEN, (char)c))
			continue;
		name[i] = (char)c;
		UNIT_CHECK((known_find(name, len) == id) == (tolower(c) == was),
			   "%s with %02x at %zu", name, c, i);
	}
	name[i] = was;
}

/* One byte more, less, or another. */
static void
test_nearly(void)
{
	enum http_field_id id;
	char name[64];
	size_t len, i;

	for (id = HTTP_FIELD_OTHER + 1; id < HTTP_FIELD_COUNT; id++) {
		strcpy(name, known_name(id));
		len = strlen(name);
		for (i = 0; i < len; i++)
			other_bytes(id, name, len, i);
		UNIT_CHECK(known_find(name, len - 1) != id, "%s, cut", name);
		strcat(name, "s");
		UNIT_CHECK(known_find(name, len + 1) != id, "%s", name);
	}
	CU_ASSERT_EQUAL(known_find("", 0), HTTP_FIELD_OTHER);
	CU_ASSERT_EQUAL(known_find("x", 1), HTTP_FIELD_OTHER);
	CU_ASSERT_EQUAL(known_find("x-unknown", 9), HTTP_FIELD_OTHER);
}

static void
test_kinds(void)
{
	CU_ASSERT(known_hop(HTTP_FIELD_CONNECTION) &&
		  known_hop(HTTP_FIELD_TE) && known_hop(HTTP_FIELD_UPGRADE));
	CU_ASSERT(!known_hop(HTTP_FIELD_OTHER) && !known_hop(HTTP_FIELD_HOST));
	CU_ASSERT(known_head_only(HTTP_FIELD_HOST) &&
		  known_head_only(HTTP_FIELD_CONTENT_LENGTH) &&
		  known_head_only(HTTP_FIELD_TRANSFER_ENCODING) &&
		  known_head_only(HTTP_FIELD_AUTHORIZATION) &&
		  known_head_only(HTTP_FIELD_X_FORWARDED_FOR));
	CU_ASSERT(!known_head_only(HTTP_FIELD_OTHER));
}

static bool
binds(const char *value)
{
	char text[128];
	struct http_head head = {
		.seen = UINT64_C(1) << HTTP_FIELD_WWW_AUTHENTICATE,
		.n_fields = 2,
	};

	snprintf(text, sizeof(text), "x%s", value);
	head.fields[0] = (struct http_field){.value = {0, 1}};
	head.fields[1] = (struct http_field){
		.value = {1, (uint32_t)strlen(value)},
		.id = HTTP_FIELD_WWW_AUTHENTICATE,
	};
	CU_ASSERT(!known_binds(&head, text, HTTP_FIELD_AUTHORIZATION));
	return known_binds(&head, text, HTTP_FIELD_WWW_AUTHENTICATE);
}

static void
test_binds(void)
{
	CU_ASSERT(binds("NTLM") && binds("negotiate oYG2") &&
		  binds("Kerberos"));
	CU_ASSERT(binds("Basic realm=\"x\", NTLM") && binds("Basic,\tntlm, x"));
	CU_ASSERT(!binds("Basic realm=\"NTLM\"") && !binds("NTLMv2 x"));
	CU_ASSERT(!binds("") && !binds(",") && !binds("NTL"));
}

static const struct unit_test tests[] = {
	{"found", test_found},
	{"nearly", test_nearly},
	{"kinds", test_kinds},
	{"binds", test_binds},
};

UNIT_MAIN("known", tests)
