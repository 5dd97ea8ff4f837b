/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl.c - runs proxyctl, and reads its JSON, for ctl.h. */
#include "tests/lab/ctl.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "tests/lab/alone.h"

/* proxyd with so many workers, and this in its gateway. */
struct lab *
ctl_begin(int workers, const char *gateway, pid_t *ret_pid)
{
	struct lab *lab = lab_up(&alone_options);

	lab_policy(lab,
		   "gateway { user %s; workers %d\n%s }\n"
		   "pool app {\n\tnode " LAB_SERVER4 ":80\n"
		   "\tnode " LAB_OTHER4 "\n\tsource gateway\n}\n"
		   "service web {\n\tlisten tcp 80\n\tuse app\n}\n",
		   lab_user(), workers, gateway);
	*ret_pid = lab_proxyd_up(lab);
	return lab;
}

/* `proxyctl ARGUMENTS`: its status, and both its outputs. */
int
ctl_run(struct lab *lab, struct str *out, const char *arguments)
{
	str_clear(out);
	return lab_run(lab, LAB_GATEWAY, out, "proxyctl %s", arguments);
}

/* It ends with `status` and says `text`. */
void
ctl_expect(struct lab *lab, const char *arguments, int status, const char *text)
{
	struct str out = {0};
	int r = ctl_run(lab, &out, arguments);

	UNIT_CHECK(r == status && strstr(str_text(&out), text) != NULL,
		   "proxyctl %s: %d, %s", arguments, r, str_text(&out));
	str_fini(&out);
}

/* The answer to `proxyctl ARGUMENTS --json`; the caller's. */
json_t *
ctl_ask(struct lab *lab, const char *arguments)
{
	struct str out = {0};
	json_error_t why;
	json_t *doc;
	int r;

	r = lab_run(lab, LAB_GATEWAY, &out, "proxyctl %s --json", arguments);
	doc = json_loads(str_text(&out), 0, &why);
	UNIT_CHECK(r == 0 && doc, "proxyctl %s: %d, %s", arguments, r,
		   str_text(&out));
	CU_ASSERT_FATAL(doc != NULL);
	str_fini(&out);
	return doc;
}

int64_t
ctl_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

const char *
ctl_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* A number at the top of an answer. */
int64_t
ctl_ask_number(struct lab *lab, const char *arguments, const char *key)
{
	json_t *doc = ctl_ask(lab, arguments);
	int64_t n = ctl_number(doc, key);

	json_decref(doc);
	return n;
}

json_t *
ctl_member(const json_t *doc, const char *array, size_t i)
{
	return json_array_get(json_object_get(doc, array), i);
}

size_t
ctl_count(const json_t *doc, const char *array)
{
	return json_array_size(json_object_get(doc, array));
}

size_t
ctl_count_flows(struct lab *lab, const char *arguments)
{
	json_t *doc = ctl_ask(lab, arguments);
	size_t n = ctl_count(doc, "flows");

	CU_ASSERT_EQUAL(ctl_count(doc, "silent"), 0);
	json_decref(doc);
	return n;
}
