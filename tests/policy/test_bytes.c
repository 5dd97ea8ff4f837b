/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No bytes whatever crash the loader or keep it for long: policies that are
 * cut, changed, garbage, or as big and as bad as they can be.
 */
#include "lib/clock.h"
#include "tests/policy/texts.h"
#include "tests/unit.h"

/* A generator of numbers that is the same everywhere. */
static uint32_t
next_number(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* Load it, before a guard page; what is good must print to the same. */
static void
survive(const char *text, size_t len)
{
	struct guarded g = texts_guard(text, len);
	struct str out = {0}, messages = {0};
	struct policy *p, *q;

	p = texts_load("policy.conf", g.text, len, &messages);
	if (p) {
		policy_print(p, &out);
		q = texts_load("printed", str_text(&out), out.len, &messages);
		UNIT_CHECK(q && policy_equal(p, q), "lost by printing: %.*s",
			   (int)len, text);
		policy_free(q);
	} else {
		CU_ASSERT(messages.len > 0);
	}
	policy_free(p);
	texts_unguard(&g);
	str_fini(&out);
	str_fini(&messages);
}

static void
truncated(const char *path)
{
	struct str text = {0};
	size_t len;

	texts_read(path, &text);
	for (len = 0; len <= text.len && len < 1500; len++)
		survive(str_text(&text), len);
	str_fini(&text);
}

static void
test_truncated(void)
{
	texts_each("tests/cases/policy/good/*.conf", truncated);
	texts_each("tests/cases/policy/bad/un*.conf", truncated);
}

enum { MUTATIONS = 150 };

/* One byte changed, removed or put in, of a policy that was good. */
static void
mutated(const char *path)
{
	static const char nasty[] = "{};,\"\\#$\n\r\t 0a-/:.*[]\x00\x7f\xff";
	struct str text = {0}, changed = {0};
	uint64_t state = 42;
	size_t i, at;
	char byte;

	texts_read(path, &text);
	for (i = 0; i < MUTATIONS && text.len; i++) {
		at = next_number(&state) % text.len;
		byte = nasty[next_number(&state) % (sizeof(nasty) - 1)];
		str_clear(&changed);
		str_add_bytes(&changed, text.data, at);
		if (next_number(&state) % 3)
			str_add_char(&changed, byte);
		str_add(&changed, text.data + at + next_number(&state) % 2);
		survive(changed.data, changed.len);
	}
	str_fini(&text);
	str_fini(&changed);
}

static void
test_mutated(void)
{
	texts_each("tests/cases/policy/good/*.conf", mutated);
	texts_each("tests/cases/policy/bad/un*.conf", mutated);
}

static void
test_garbage(void)
{
	enum { LEN = 1 << 16 };
	uint64_t state = 7;
	char *data = malloc(LEN);
	size_t i, round;

	assert(data);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < LEN; i++)
			data[i] = (char)next_number(&state);
		survive(data, LEN);
	}
	free(data);
}

/* Big, and as bad as it can be: seconds, not minutes. A full 8 MiB of the
 * worst of these takes less than three. */
static void
test_bounded(void)
{
	static const char *const patterns[] = {
		"x",
		"\n",
		"x\n",
		",",
		"{",
		"}",
		"\"",
		"\\\n",
		"\xff\n",
		"\0",
		"a b ",
		"x,",
		"{}",
		"#\n",
		"pool p{}",
		"x;",
		"zone 1;",
		"use a,",
		"$a,",
		"gateway{}",
		"define a b\n",
		"service a{listen tcp 1}\n",
		"node 1;node 2;",
	};
	const size_t len = 2 << 20;
	uint64_t start;
	char *data;
	size_t i;

	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct str out = {0};

		data = *patterns[i] ? texts_fill(len, patterns[i])
				    : calloc(1, len);
		assert(data);
		start = clock_now_ms();
		policy_free(texts_load("policy.conf", data, len, &out));
		UNIT_CHECK(clock_now_ms() - start < 10000, "'%s': %u ms",
			   patterns[i], (unsigned int)(clock_now_ms() - start));
		free(data);
		str_fini(&out);
	}
}

/* Many of everything that is right. */
static void
test_many(void)
{
	struct str text = {0}, out = {0};
	bool good;
	int i;

	str_add(&text, "gateway { inside eth1 }\n");
	for (i = 0; i < 4096; i++)
		str_addf(&text,
			 "service s%d { intercept tcp port %d; use p%d }\n"
			 "pool p%d { node 10.0.0.1; node 10.0.0.2:%d }\n",
			 i, i + 1, i % 4095, i, i + 1);
	texts_messages(str_text(&text), &out, &good);
	CU_ASSERT(!good);
	UNIT_STRINGS(str_text(&out),
		     "policy.conf:8193:1: error: at most 4096 blocks 'pool'\n"
		     "pool p4095 { node 10.0.0.1; node 10.0.0.2:4096 }\n"
		     "^~~~\n");
	str_add(&text, "service x { listen tcp 1 }\n");
	texts_messages(str_text(&text), &out, &good);
	CU_ASSERT(strstr(str_text(&out), "at most 4096 blocks 'service'") !=
		  NULL);
	str_fini(&text);
	str_fini(&out);
}

static const struct unit_test tests[] = {
	{"truncated", test_truncated}, {"mutated", test_mutated},
	{"garbage", test_garbage},     {"bounded", test_bounded},
	{"many", test_many},
};

UNIT_MAIN("bytes", tests)
