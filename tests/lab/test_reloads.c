/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reloads.c - very many reloads: under load, and faster than they drain.
 */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <unistd.h>

#include "tests/lab/crowd.h"

enum { RELOADS = 100, MANY = 72 };

static const char web_only[] = "gateway { inside in0; user %s; workers 2\n"
			       "\talive-timeout 1s; drain-timeout 20s }\n"
			       "service web {\n"
			       "	intercept tcp port 80\n"
			       "}\n";

/*
 * A hundred times, while requests, kept connections and a slow download go
 * on: none fails, and nothing is left over.
 */
static void
hundred(void)
{
	size_t descriptors, memory, i;
	struct crowd_load load;
	pid_t pid, watch, curl;
	struct lab *lab;

	lab = lab_begin(NULL, web_only, &pid);
	lab_nginx(lab);
	lab_www(lab, "big", 400000); /* four seconds */
	for (i = 0; i < 3; i++)
		crowd_reload(pid);
	CU_ASSERT(LAB_WAIT(crowd_is_one(pid), 5000));
	descriptors = crowd_descriptors(pid);
	memory = crowd_memory(pid);
	crowd_watch(lab, "web", &watch);
	crowd_press(lab, &load);
	curl = lab_spawn(lab, LAB_CLIENT, "curl",
			 "curl -s -S -o " LAB_DIR "/got http://" LAB_SERVER4
			 "/slow/big");
	lab_sleep(100);
	for (i = 0; i < RELOADS; i++)
		crowd_reload(pid);
	crowd_relax(lab, &load);
	CU_ASSERT_EQUAL(lab_stop(lab, curl, 0, 10000), 0);
	CU_ASSERT_EQUAL(lab_run(lab, LAB_CLIENT, NULL,
				"cmp " LAB_DIR "/got " LAB_DIR "/www/big"),
			0);
	CU_ASSERT_EQUAL(crowd_gaps(lab, watch), 0);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "-reset"), 0);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "drain-timeout"), 0);
	CU_ASSERT(LAB_WAIT(crowd_is_one(pid), 8000));
	UNIT_CHECK(crowd_descriptors(pid) <= descriptors,
		   "%zu descriptors before, %zu after", descriptors,
		   crowd_descriptors(pid));
	UNIT_CHECK(crowd_memory(pid) <= memory + 200,
		   "%zu kB before, %zu after", memory, crowd_memory(pid));
	lab_end(lab, pid);
}

/* More workers drain than there is room for: the oldest are cut. */
static void
too_often(void)
{
	struct lab_flow flows[MANY];
	struct lab *lab;
	size_t i, alive = 0;
	pid_t pid;
	int l;

	lab = lab_begin(NULL, web_only, &pid);
	l = lab_serve(lab, AF_INET, 80);
	for (i = 0; i < MANY; i++) {
		lab_flow_open(lab, AF_INET, l, NULL, 80, &flows[i]);
		crowd_reload(pid);
	}
	CU_ASSERT(lab_logged("proxyd", "reloaded too often for all to drain"));
	for (i = 0; i < MANY; i++) {
		if (i < 5)
			CU_ASSERT(lab_ended(flows[i].client, 2000));
		if (i >= 20)
			alive += lab_flow_works(&flows[i]);
		lab_flow_close(&flows[i]);
	}
	CU_ASSERT_EQUAL(alive, MANY - 20);
	CU_ASSERT(LAB_WAIT(crowd_is_one(pid), 5000));
	close(l);
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"hundred", hundred},
	{"too_often", too_often},
};

LAB_MAIN("reloads", tests)
