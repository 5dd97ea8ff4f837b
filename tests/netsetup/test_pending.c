/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of the journal: what waits to be confirmed, and the fingerprints of
 * rules. Files that nobody of ours has written are as good as none.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "netsetup/change/intent.h"
#include "netsetup/change/pending.h"
#include "netsetup/change/readback.h"
#include "netsetup/kernel/nft_raw.h"
#include "tests/unit.h"

struct box {
	char dir[32];
	struct journal j;
	struct arena *arena;
};

static void
box_init(struct box *b)
{
	strcpy(b->dir, "/tmp/pending.XXXXXX");
	UNIT_CHECK(mkdtemp(b->dir) != NULL, "mkdtemp");
	UNIT_CHECK(journal_open(&b->j, b->dir) == 0, "journal");
	b->arena = arena_new();
}

static void
write_record(struct box *b, const char *kind, const char *text)
{
	struct str s = {0};

	str_add(&s, text);
	UNIT_CHECK(journal_replace(&b->j, kind, &s) == 0, "%s", kind);
	str_fini(&s);
}

static void
box_fini(struct box *b)
{
	write_record(b, "policy", "");
	write_record(b, "pending", "");
	write_record(b, "rules", "");
	UNIT_CHECK(rmdir(b->dir) == 0, "something is left in %s", b->dir);
	journal_close(&b->j);
	arena_free(b->arena);
}

static void
test_round_trip(void)
{
	struct pending p;
	struct box b;

	box_init(&b);
	UNIT_CHECK(pending_load(&b.j, b.arena, &p) == 0 && !p.there, "none");
	UNIT_CHECK(pending_store(&b.j, 1, "/new file") == 0, "store");
	UNIT_CHECK(pending_load(&b.j, b.arena, &p) == 0 && p.there, "load");
	UNIT_STRINGS(p.path, "/new file");
	UNIT_CHECK(!p.former.path, "nothing was in force");
	UNIT_CHECK(pending_left_ms(&p) == 0, "it is time");

	intent_begin(&b.j, "/old", "gateway {\n}\n");
	intent_finish(&b.j);
	pending_store(&b.j, clock_boot_ms() + 100000, "/new");
	pending_load(&b.j, b.arena, &p);
	UNIT_STRINGS(p.former.path, "/old");
	UNIT_STRINGS(p.former.text, "# /old\ngateway {\n}\n");
	UNIT_CHECK(pending_left_ms(&p) > 90000, "a while");
	UNIT_CHECK(pending_drop(&b.j) == 0, "drop");
	UNIT_CHECK(pending_load(&b.j, b.arena, &p) == 0 && !p.there, "gone");
	box_fini(&b);
}

static void
test_garbage(void)
{
	static const char *const texts[] = {
		"deadline",
		"deadline \n",
		"deadline 5\nwaits /x",
		"waits /x\n",
		"deadline x\nwaits /x\n",
		"\n\n",
		"deadline 5\nwait\n",
		"# /x\ngateway {\n}\n",
	};
	struct readback rb;
	struct pending p;
	struct box b;
	size_t i;

	box_init(&b);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_record(&b, "pending", texts[i]);
		UNIT_CHECK(pending_load(&b.j, b.arena, &p) == 0 && !p.there,
			   "%s", texts[i]);
		write_record(&b, "rules", texts[i]);
		UNIT_CHECK(readback_load(&b.j, b.arena, &rb) == 0 && rb.n == 0,
			   "%s", texts[i]);
	}
	box_fini(&b);
}

/* The record of `kind` is such a thing: reading it ends, with that. */
static void
check_refused(struct box *b, const char *kind, int error, const char *what)
{
	struct str text = {0};
	char path[PATH_MAX];
	int r;

	journal_file(&b->j, kind, path);
	r = journal_read(&b->j, kind, &text);
	UNIT_CHECK(r == error, "%s: %d", what, r);
	UNIT_CHECK(text.len == 0 && unlink(path) == 0, "%s", what);
	str_fini(&text);
}

/* Nobody else has a hand in it, and it takes neither for ever nor all memory.
 */
static void
test_no_files(void)
{
	char path[PATH_MAX];
	struct box b;

	box_init(&b);
	journal_file(&b.j, "pending", path);
	UNIT_CHECK(mkfifo(path, 0600) == 0, "mkfifo");
	check_refused(&b, "pending", -ENOTUNIQ, "fifo");
	UNIT_CHECK(symlink("/etc/hostname", path) == 0, "symlink");
	check_refused(&b, "pending", -ENOTUNIQ, "symlink");
	write_record(&b, "pending", "deadline 1\nwaits /x\n");
	UNIT_CHECK(chmod(path, 0666) == 0, "chmod");
	check_refused(&b, "pending", -ENOTUNIQ, "all may write to it");
	write_record(&b, "pending", "deadline 1\nwaits /x\n");
	UNIT_CHECK(truncate(path, 1LL << 40) == 0, "truncate");
	check_refused(&b, "pending", -EFBIG, "a terabyte");
	box_fini(&b);
}

static void
check_same(struct box *b, const char *x, const char *y, bool same)
{
	struct journal_policy p = journal_parse_policy(&b->j, x, b->arena);
	struct journal_policy q = journal_parse_policy(&b->j, y, b->arena);

	UNIT_CHECK(journal_same_policy(&p, &q) == same, "'%s' '%s'", x, y);
}

/* Where a policy was read from does not matter, only what it says. */
static void
test_same_policy(void)
{
	struct box b;

	box_init(&b);
	check_same(&b, "# /a\nx\n", "# /b\nx\n", true);
	check_same(&b, "# /a\nx\n", "# /a\ny\n", false);
	check_same(&b, "", "# /a\n", false);
	check_same(&b, "", "", true);
	box_fini(&b);
}

/* What is on record is believed, and only what is new is learnt. */
static void
test_readback(void)
{
	struct krule rules[] = {
		{.chain = "a", .digest = 7, .raw = 70},
		{.chain = "a", .digest = 3, .raw = 30},
		{.chain = "b", .digest = 3, .raw = 30},
		{.chain = "b", .digest = 0, .raw = 99},
	};
	struct kstate s = {.table = true, .rules = rules, .n_rules = 4};
	struct readback rb;
	struct box b;

	box_init(&b);
	readback_load(&b.j, b.arena, &rb);
	UNIT_CHECK(readback_store(&b.j, &rb, &s, b.arena) == 0, "store");
	readback_load(&b.j, b.arena, &rb);
	UNIT_CHECK(rb.n == 2, "%zu", rb.n);
	rules[1].raw = 31;
	rules[3].raw = 98;
	readback_mark(&rb, &s);
	UNIT_CHECK(!rules[0].edited && rules[1].edited && !rules[2].edited &&
			   !rules[3].edited,
		   "one was edited");
	readback_store(&b.j, &rb, &s, b.arena);
	readback_load(&b.j, b.arena, &rb);
	readback_mark(&rb, &s);
	UNIT_CHECK(rules[1].edited, "and is not believed");
	box_fini(&b);
}

/* A rule with a counter and a comparison, as the kernel tells of it. */
static uint64_t
hash_of(uint64_t packets, uint8_t compared)
{
	char buf[512] = "";
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nlattr *list, *expr, *data;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nfgenmsg));
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, "interpose");
	list = mnl_attr_nest_start(nlh, NFTA_RULE_EXPRESSIONS);
	expr = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, "counter");
	data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
	mnl_attr_put_u64(nlh, NFTA_COUNTER_PACKETS, packets);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, expr);
	expr = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, "cmp");
	mnl_attr_put_u8(nlh, NFTA_EXPR_DATA, compared);
	mnl_attr_nest_end(nlh, expr);
	mnl_attr_nest_end(nlh, list);
	return nft_raw_hash(nlh);
}

static void
test_raw(void)
{
	UNIT_CHECK(hash_of(0, 1) != 0, "never 0");
	UNIT_CHECK(hash_of(0, 1) == hash_of(5, 1), "what is counted");
	UNIT_CHECK(hash_of(0, 1) != hash_of(0, 2), "what is compared");
}

static const struct unit_test tests[] = {
	{"round_trip", test_round_trip}, {"garbage", test_garbage},
	{"no_files", test_no_files},	 {"same_policy", test_same_policy},
	{"readback", test_readback},	 {"raw", test_raw},
};

UNIT_MAIN("pending", tests)
