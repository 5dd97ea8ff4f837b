/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_tally.c - one process plays master and workers. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxyd/base/tally.h"
#include "tests/unit.h"

static struct policy *
load(const char *text)
{
	struct diags diags;
	struct policy *p;

	diags_init(&diags);
	p = policy_load_text("test.conf", text, strlen(text), &diags);
	diags_fini(&diags);
	if (!p)
		abort();
	return p;
}

static struct tally_sum
sum_of(const struct tally *t, const char *name)
{
	struct tally_sum sum = {0};

	tally_add(t, tally_find(t, name, 0), &sum);
	return sum;
}

static void
test_counts(void)
{
	struct policy *p = load("service a { listen tcp 80 }\n"
				"service b { listen tcp 81 }\n");
	struct tally *t = tally_new(p, 2);
	struct tally_sum sum;

	tally_begin(&tally_column(t, 0)[0]);
	tally_begin(&tally_column(t, 0)[1]);
	tally_begin(&tally_column(t, 1)[1]);
	tally_begin(&tally_column(t, 1)[1]);
	tally_end(&tally_column(t, 1)[1], REASON_REFUSED, 10, 20);
	sum = sum_of(t, "a");
	CU_ASSERT(sum.accepted == 1 && sum.flows == 1 && sum.bytes_in == 0);
	sum = sum_of(t, "b");
	CU_ASSERT(sum.accepted == 3 && sum.flows == 2 && sum.lost == 0);
	CU_ASSERT(sum.bytes_in == 10 && sum.bytes_out == 20);
	CU_ASSERT(sum.ended[REASON_REFUSED] == 1);
	sum = sum_of(t, "c");
	CU_ASSERT(sum.accepted == 0);
	tally_free(t);
	policy_free(p);
}

/* Its flows went with it; what it counted did not. */
static void
test_worker_dies(void)
{
	struct policy *p = load("service a { listen tcp 80 }\n");
	struct tally *t = tally_new(p, 2);
	struct tally_sum sum;
	int i;

	for (i = 0; i < 2; i++)
		tally_begin(&tally_column(t, 0)[0]);
	tally_begin(&tally_column(t, 1)[0]);
	tally_end(&tally_column(t, 0)[0], REASON_CLIENT_CLOSED, 1, 2);
	tally_settle(t, 0);
	sum = sum_of(t, "a");
	CU_ASSERT(sum.accepted == 3 && sum.flows == 1 && sum.lost == 1);
	CU_ASSERT(sum.ended[REASON_CLIENT_CLOSED] == 1 && sum.bytes_out == 2);
	/* the successor */
	tally_begin(&tally_column(t, 0)[0]);
	sum = sum_of(t, "a");
	CU_ASSERT(sum.accepted == 4 && sum.flows == 2 && sum.lost == 1);
	tally_free(t);
	policy_free(p);
}

static void
test_next_policy(void)
{
	struct policy *p = load("service a { listen tcp 80 }\n"
				"service gone { listen tcp 81 }\n"
				"service b { listen tcp 82 }\n");
	struct policy *q = load("service b { listen tcp 82 }\n"
				"service a { listen tcp 80 }\n"
				"service new { listen tcp 83 }\n");
	struct tally *t = tally_new(p, 1), *next = tally_new(q, 3);
	struct tally_sum sum;

	tally_begin(&tally_column(t, 0)[0]);
	tally_end(&tally_column(t, 0)[0], REASON_LOOP, 5, 0);
	tally_begin(&tally_column(t, 0)[1]);
	tally_settle(t, 0);
	tally_begin(&tally_column(next, 2)[1]);
	tally_inherit(next, t);
	tally_free(t);
	sum = sum_of(next, "a");
	CU_ASSERT(sum.accepted == 2 && sum.flows == 1 && sum.bytes_in == 5);
	CU_ASSERT(sum.ended[REASON_LOOP] == 1);
	sum = sum_of(next, "b");
	CU_ASSERT(sum.accepted == 0);
	sum = sum_of(next, "new");
	CU_ASSERT(sum.accepted == 0);
	UNIT_STRINGS(tally_service(next, 2), "new");
	CU_ASSERT_PTR_NULL(tally_service(next, 3));
	tally_free(next);
	policy_free(p);
	policy_free(q);
}

/* Another process counts, this one reads. */
static void
test_shared(void)
{
	struct policy *p = load("service a { listen tcp 80 }\n");
	struct tally *t = tally_new(p, 1);
	struct tally_sum sum;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		tally_begin(tally_column(t, 0));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	sum = sum_of(t, "a");
	CU_ASSERT(sum.accepted == 1);
	tally_free(t);
	policy_free(p);
}

static const struct unit_test tests[] = {
	{"counts", test_counts},
	{"worker_dies", test_worker_dies},
	{"next_policy", test_next_policy},
	{"shared", test_shared},
};

UNIT_MAIN("tally", tests)
