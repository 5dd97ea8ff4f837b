/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alone.c - proxyd without netsetup, for the tests of alone.h. */
#include "tests/lab/alone.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

const struct lab_options alone_options = {.forwarding = true};

struct lab *
alone_begin(const char *gateway, const char *service, pid_t *ret_pid)
{
	struct lab *lab = lab_up(&alone_options);

	lab_policy(lab,
		   "gateway {\n\tuser %s\n\tworkers 1\n%s}\n"
		   "pool app {\n\tnode " LAB_SERVER4 ":80\n"
		   "\tnode " LAB_OTHER4 "\n\tsource gateway\n}\n"
		   "service web {\n\tlisten tcp 80\n\tuse app\n%s}\n",
		   lab_user(), gateway, service);
	*ret_pid = lab_proxyd_up(lab);
	return lab;
}

int
alone_knock(struct lab *lab)
{
	return lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":80", 2000);
}

void
alone_flow(struct lab *lab, int l, struct lab_flow *ret_flow)
{
	ret_flow->client = alone_knock(lab);
	ret_flow->server = lab_accept(l, 3000, NULL);
	CU_ASSERT_FATAL(ret_flow->client >= 0 && ret_flow->server >= 0);
}

pid_t
alone_child(pid_t master, const char *name)
{
	pid_t children[8], found = -1;
	struct str comm = {0};
	char path[64];
	size_t i, n;

	n = lab_children(master, NULL, children, 8);
	for (i = 0; i < n && found < 0; i++) {
		str_clear(&comm);
		snprintf(path, sizeof(path), "/proc/%d/comm", (int)children[i]);
		lab_read_file(path, &comm);
		if (strstr(str_text(&comm), name))
			found = children[i];
	}
	str_fini(&comm);
	return found;
}
