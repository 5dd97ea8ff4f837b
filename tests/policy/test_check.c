/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/check.h"

#include "tests/policy/texts.h"
#include "tests/unit.h"

/* tests/cases/policy/bad/X.conf gives the messages of X.err and no policy. */
static void
bad(const char *path)
{
	struct str text = {0}, messages = {0};
	struct policy *p;
	char name[256];

	texts_read(path, &text);
	p = texts_load("policy.conf", str_text(&text), text.len, &messages);
	UNIT_CHECK(!p, "%s is good", path);
	policy_free(p);
	unit_golden(texts_golden(path, ".err", name), str_text(&messages));
	str_fini(&text);
	str_fini(&messages);
}

static void
test_bad(void)
{
	CU_ASSERT(texts_each("tests/cases/policy/bad/*.conf", bad) >= 50);
}

/* Those of warn/ give messages, and a policy all the same. */
static void
warned(const char *path)
{
	struct str text = {0}, messages = {0};
	struct policy *p;
	char name[256];

	texts_read(path, &text);
	p = texts_load("policy.conf", str_text(&text), text.len, &messages);
	UNIT_CHECK(p != NULL, "%s is bad", path);
	policy_free(p);
	unit_golden(texts_golden(path, ".err", name), str_text(&messages));
	str_fini(&text);
	str_fini(&messages);
}

static void
test_warn(void)
{
	CU_ASSERT(texts_each("tests/cases/policy/warn/*.conf", warned) >= 5);
}

/* The examples of the contract, word for word. */
static void
test_contract(void)
{
	static const char text[] = "\n\n\n\n\n\n\n\n\n\n\n"
				   "    intercept tcp prot 80\n";
	struct str messages = {0};
	bool good;

	texts_messages("service web {\n"
		       "    intercept tcp prot 80\n"
		       "    use app\n"
		       "}\n"
		       "gateway { inside eth1 }\n",
		       &messages, &good);
	UNIT_STRINGS(str_text(&messages),
		     "policy.conf:2:19: error: unknown keyword 'prot', did you "
		     "mean 'port'?\n"
		     "    intercept tcp prot 80\n"
		     "                  ^~~~\n"
		     "policy.conf:3:9: error: service 'web' uses pool 'app', "
		     "which is not defined\n"
		     "    use app\n"
		     "        ^~~\n");
	CU_ASSERT(!good);
	texts_messages(text, &messages, &good);
	CU_ASSERT(strstr(str_text(&messages), "policy.conf:12:5: error:") !=
		  NULL);
	str_fini(&messages);
}

/* The hash of a name gives its port; a name before it can take it away. */
static void
test_capture_ports(void)
{
	struct policy *one, *two, *three;
	uint16_t web;

	one = texts_good("gateway { inside eth1 }\n"
			 "service web { intercept tcp port 80 }\n"
			 "service local { listen tcp 80 }\n");
	two = texts_good("gateway { inside eth1 }\n"
			 "service other { intercept tcp port 81 }\n"
			 "service web { intercept tcp port 80 }\n");
	web = one->services[0].capture_port;
	CU_ASSERT(web >= 16000 && web <= 23999);
	CU_ASSERT_EQUAL(one->services[1].capture_port, 0);
	CU_ASSERT_EQUAL(two->services[1].capture_port, web);
	CU_ASSERT_NOT_EQUAL(two->services[0].capture_port, web);

	/* a full range: all ports are given, by name and not by place */
	three = texts_good("gateway { inside eth1; capture-ports 100-103 }\n"
			   "service d { intercept tcp port 4 }\n"
			   "service b { intercept tcp port 2 }\n"
			   "service a { intercept tcp port 1 }\n"
			   "service c { intercept tcp port 3 }\n");
	CU_ASSERT_EQUAL(three->services[0].capture_port +
				three->services[1].capture_port +
				three->services[2].capture_port +
				three->services[3].capture_port,
			100 + 101 + 102 + 103);
	policy_free(one);
	one = texts_good("gateway { inside eth1; capture-ports 100-103 }\n"
			 "service a { intercept tcp port 1 }\n"
			 "service b { intercept tcp port 2 }\n"
			 "service c { intercept tcp port 3 }\n"
			 "service d { intercept tcp port 4 }\n");
	CU_ASSERT_EQUAL(one->services[0].capture_port,
			three->services[2].capture_port);
	CU_ASSERT_EQUAL(one->services[3].capture_port,
			three->services[0].capture_port);
	policy_free(one);
	policy_free(two);
	policy_free(three);
}

/* Ports must not change between releases: rules and daemon may differ. */
static void
test_capture_port_is_fixed(void)
{
	struct policy *p = texts_good("gateway { inside eth1 }\n"
				      "service web { intercept tcp port 80 }\n"
				      "service https { intercept tcp port 443 "
				      "}\n");

	CU_ASSERT_EQUAL(p->services[0].capture_port, 21772);
	CU_ASSERT_EQUAL(p->services[1].capture_port, 17840);
	policy_free(p);
}

static const struct unit_test tests[] = {
	{"bad", test_bad},
	{"warn", test_warn},
	{"contract", test_contract},
	{"capture_ports", test_capture_ports},
	{"capture_port_is_fixed", test_capture_port_is_fixed},
};

UNIT_MAIN("check", tests)
