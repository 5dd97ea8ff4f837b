/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crowd.c - loops of the shell, and what /proc says, for crowd.h. */
#include "tests/lab/crowd.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/diag.h"

#include "policy/policy.h"

size_t
crowd_workers(pid_t master, pid_t *ret_pids)
{
	return lab_children(master, "worker", ret_pids, CROWD_MAX);
}

size_t
crowd_memory(pid_t pid)
{
	struct str text = {0};
	char path[64];
	const char *at;
	size_t kb = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	lab_read_file(path, &text);
	at = strstr(str_text(&text), "RssAnon:");
	if (at)
		kb = strtoul(at + strlen("RssAnon:"), NULL, 10);
	str_fini(&text);
	return kb;
}

/* The name of the alive set of a service. */
static const char *
set_of(const char *service, char buf[POLICY_ALIVE_SET_LEN])
{
	struct diags diags;
	struct policy *p;

	diags_init(&diags);
	p = policy_load(LAB_DIR "/policy.conf", &diags);
	if (!p)
		lab_die("the policy cannot be read");
	policy_alive_set(policy_service(p, service), buf);
	policy_free(p);
	diags_fini(&diags);
	return buf;
}

void
crowd_hup(pid_t pid, const char *said)
{
	size_t before = lab_log_count("proxyd", said);

	kill(pid, SIGHUP);
	UNIT_CHECK(LAB_WAIT(lab_log_count("proxyd", said) > before, 15000),
		   "no '%s' after SIGHUP", said);
}

void
crowd_reload(pid_t pid)
{
	crowd_hup(pid, "proxyd: reloaded\n");
}

bool
crowd_is_one(pid_t pid)
{
	pid_t all[CROWD_MAX];

	return lab_children(pid, NULL, all, CROWD_MAX) == 3;
}

void
crowd_watch(struct lab *lab, const char *service, pid_t *ret_watch)
{
	char set[POLICY_ALIVE_SET_LEN];

	*ret_watch = lab_spawn(lab, LAB_GATEWAY, "watch",
			       "sh -c 'while :; do "
			       "nft list set inet interpose %s |"
			       " grep -q expires && echo held || echo gap; "
			       "done'",
			       set_of(service, set));
	CU_ASSERT(LAB_WAIT(lab_log_count("watch", "\n") > 0, 2000));
}

size_t
crowd_gaps(struct lab *lab, pid_t watch)
{
	size_t held, gaps;

	LAB_WAIT(lab_log_count("watch", "held") > 20, 10000);
	lab_stop(lab, watch, SIGKILL, 1000);
	held = lab_log_count("watch", "held");
	gaps = lab_log_count("watch", "gap");
	UNIT_CHECK(held > 20, "the set was looked at only %zu times", held);
	return gaps;
}

/* A line for each round of requests: "good", or what went wrong. */
static pid_t
press(struct lab *lab, const char *name, const char *urls)
{
	return lab_spawn(lab, LAB_CLIENT, name,
			 "sh -c 'until test -e " LAB_DIR "/relax; do "
			 "curl -sS -f -g -m 10 -o /dev/null %s"
			 " && echo good || echo failed; done'",
			 urls);
}

void
crowd_press(struct lab *lab, struct crowd_load *ret_load)
{
	unlink(LAB_DIR "/relax");
	ret_load->pids[0] = press(lab, "once4", "http://" LAB_SERVER4 "/");
	ret_load->pids[1] = press(lab, "once6", "http://[" LAB_SERVER6 "]/");
	ret_load->pids[2] =
		press(lab, "kept", "http://" LAB_SERVER4 "/?[1-100]");
}

void
crowd_relax(struct lab *lab, struct crowd_load *load)
{
	static const char *const names[] = {"once4", "once6", "kept"};
	struct str log = {0};
	size_t i, good, failed;

	/* they end what they do: nobody asks when proxyd is gone */
	lab_write_file(LAB_DIR "/relax", "");
	for (i = 0; i < 3; i++) {
		UNIT_CHECK(lab_stop(lab, load->pids[i], 0, 15000) == 0,
			   "%s does not end", names[i]);
		good = lab_log_count(names[i], "good");
		failed = lab_log_count(names[i], "failed");
		str_clear(&log);
		if (failed)
			lab_read_file(i == 0   ? LAB_DIR "/once4.log"
				      : i == 1 ? LAB_DIR "/once6.log"
					       : LAB_DIR "/kept.log",
				      &log);
		UNIT_CHECK(good > 5 && !failed,
			   "%s: %zu good, %zu failed: %.2000s", names[i], good,
			   failed,
			   strstr(str_text(&log), "curl")
				   ? strstr(str_text(&log), "curl")
				   : "");
	}
	str_fini(&log);
}

void
crowd_trial(struct lab *lab, pid_t pid, size_t times,
	    void (*again)(void *owner, size_t i), void *owner)
{
	size_t descriptors, memory, i;
	struct crowd_load load;
	pid_t watch, curl;

	lab_www(lab, "big", 400000); /* four seconds */
	for (i = 0; i < 3; i++)
		again(owner, i);
	CU_ASSERT(LAB_WAIT(crowd_is_one(pid), 5000));
	descriptors = lab_descriptors(pid).n;
	memory = crowd_memory(pid);
	crowd_watch(lab, "web", &watch);
	crowd_press(lab, &load);
	curl = lab_spawn(lab, LAB_CLIENT, "curl",
			 "curl -s -S -o " LAB_DIR "/got http://" LAB_SERVER4
			 "/slow/big");
	lab_sleep(100);
	for (i = 0; i < times; i++)
		again(owner, i);
	crowd_relax(lab, &load);
	CU_ASSERT_EQUAL(lab_stop(lab, curl, 0, 10000), 0);
	CU_ASSERT_EQUAL(lab_run(lab, LAB_CLIENT, NULL,
				"cmp " LAB_DIR "/got " LAB_DIR "/www/big"),
			0);
	CU_ASSERT_EQUAL(crowd_gaps(lab, watch), 0);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "-reset"), 0);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "drain-timeout"), 0);
	CU_ASSERT(LAB_WAIT(crowd_is_one(pid), 8000));
	UNIT_CHECK(LAB_WAIT(lab_descriptors(pid).n <= descriptors, 2000),
		   "%zu descriptors before, %zu after", descriptors,
		   lab_descriptors(pid).n);
	UNIT_CHECK(crowd_memory(pid) <= memory + 200,
		   "%zu kB before, %zu after", memory, crowd_memory(pid));
}
