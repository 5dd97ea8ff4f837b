/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_classic.c - the classic recipe, behind other people's NAT rules:
 * `iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-port 80`
 * and a proxyd that listens on port 80. No netsetup, unless a test says so.
 */
#include <CUnit/CUnit.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

static const struct lab_options forwards = {.forwarding = true};
static const struct lab_options masquerades = {.forwarding = true,
					       .masquerade = true};

static void
redirect(struct lab *lab)
{
	static const char *const programs[] = {"iptables", "ip6tables"};
	size_t i;

	for (i = 0; i < 2; i++)
		lab_must(lab, LAB_GATEWAY,
			 "%s -t nat -A PREROUTING -p tcp --dport 80"
			 " -j REDIRECT --to-port 80",
			 programs[i]);
}

static void
policy(struct lab *lab, const char *source)
{
	lab_policy(lab,
		   "gateway {\n"
		   "	user %s\n"
		   "	timeout connect 500ms\n"
		   "}\n"
		   "pool original {\n"
		   "	node original\n"
		   "	source %s\n"
		   "}\n"
		   "service web {\n"
		   "	listen tcp 80\n"
		   "}\n",
		   lab_user(), source);
}

/* curl asks `to`; the server must see `sees`, an address. */
static void
curl_sees(struct lab *lab, const char *to, const char *sees)
{
	struct str out = {0};
	struct endpoint e;
	struct addr want;
	size_t n;

	CU_ASSERT_EQUAL(
		lab_run(lab, LAB_CLIENT, &out, "curl -s -m 5 http://%s/", to),
		0);
	n = strcspn(str_text(&out), "\n");
	if (n < out.len)
		out.data[n] = '\0';
	CU_ASSERT_EQUAL(addr_parse(sees, &want), 0);
	UNIT_CHECK(endpoint_parse(str_text(&out), &e) == 0 &&
			   addr_equal(&e.addr, &want),
		   "asked %s, server saw '%s', not %s", to, str_text(&out),
		   sees);
	str_fini(&out);
}

static void
any_destination(struct lab *lab)
{
	char buf[256];
	struct str record = {0};

	curl_sees(lab, LAB_SERVER4, LAB_OUTSIDE4);
	curl_sees(lab, LAB_OTHER4, LAB_OUTSIDE4);
	curl_sees(lab, "[" LAB_SERVER6 "]", LAB_OUTSIDE6);
	curl_sees(lab, "[" LAB_OTHER6 "]", LAB_OUTSIDE6);
	CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", " close=") >= 4, 3000));
	CU_ASSERT(lab_record("destination=[" LAB_OTHER6 "]:80", &record));
	UNIT_STRINGS(lab_value(str_text(&record), "dst_via", buf), "nat");
	str_clear(&record);
	CU_ASSERT(lab_record("destination=" LAB_OTHER4 ":80", &record));
	UNIT_STRINGS(lab_value(str_text(&record), "dst_via", buf), "nat");
	UNIT_STRINGS(lab_value(str_text(&record), "service", buf), "web");
	str_fini(&record);
}

static void
gateway_source_with(const struct lab_options *options)
{
	struct lab *lab = lab_up(options);
	pid_t pid;

	redirect(lab);
	policy(lab, "gateway");
	lab_nginx(lab);
	pid = lab_proxyd_up(lab);
	lab_watch_direct(lab);
	any_destination(lab);
	lab_end(lab, pid);
}

static void
gateway_source(void)
{
	gateway_source_with(&forwards);
}

static void
gateway_source_masquerade(void)
{
	gateway_source_with(&masquerades);
}

/* Nobody redirected it: it asked for the box itself. */
static void
loop(void)
{
	struct lab *lab = lab_up(&forwards);
	char buf[256];
	struct str record = {0};
	pid_t pid;

	policy(lab, "gateway");
	pid = lab_proxyd_up(lab);
	lab_expect_reset(
		lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":80", 2000),
		2000);
	lab_expect_reset(lab_connect(lab, LAB_CLIENT, NULL,
				     "[" LAB_GATEWAY6 "]:80", 2000),
			 2000);
	CU_ASSERT(lab_closed("loop", 2));
	CU_ASSERT(lab_record("close=loop", &record));
	UNIT_STRINGS(lab_value(str_text(&record), "dst_via", buf), "local");
	str_fini(&record);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* The client sees its connection reset, the server sees nothing at all. */
static void
refused(struct lab *lab, const char *to)
{
	lab_expect_reset(lab_connect(lab, LAB_CLIENT, NULL, to, 2000), 2000);
}

static void
no_return_path_for(const char *source)
{
	struct lab *lab = lab_up(&forwards);
	pid_t pid;

	redirect(lab);
	policy(lab, source);
	lab_nginx(lab);
	pid = lab_proxyd_up(lab);
	refused(lab, LAB_SERVER4 ":80");
	refused(lab, "[" LAB_SERVER6 "]:80");
	CU_ASSERT(lab_closed("no-return-path", 2));
	CU_ASSERT(lab_logged("proxyd", "netsetup apply"));
	/* the one is that of lab_nginx(), which waits for its server */
	CU_ASSERT_EQUAL(lab_counter(lab, LAB_SERVER, "TcpPassiveOpens"), 1);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* A port to listen on and a server: no rules, no conntrack, no rights. */
static void
listen_alone(void)
{
	struct lab *lab = lab_up(NULL);
	struct str body = {0};
	pid_t pid;

	lab_policy(lab,
		   "gateway {\n"
		   "	user %s\n"
		   "}\n"
		   "pool here {\n"
		   "	node " LAB_SERVER4 ":80\n"
		   "}\n"
		   "service web {\n"
		   "	listen tcp 8080\n"
		   "	use here\n"
		   "}\n",
		   lab_user());
	lab_nginx(lab);
	pid = lab_proxyd_up(lab);
	CU_ASSERT_EQUAL(lab_get(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":8080",
				"/", &body),
			200);
	CU_ASSERT_EQUAL(lab_get(lab, LAB_CLIENT, NULL,
				"[" LAB_GATEWAY6 "]:8080", "/", &body),
			200);
	str_fini(&body);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static void
no_return_path(void)
{
	no_return_path_for("client");
	no_return_path_for("client-port");
}

static bool
passes(struct lab *lab, const char *to)
{
	return lab_get(lab, LAB_CLIENT, NULL, to, "/", NULL) == 200;
}

/* What the line said helps, and without a restart of proxyd. */
static void
return_path_comes_with(const struct lab_options *options)
{
	struct lab *lab = lab_up(options);
	pid_t pid;

	redirect(lab);
	policy(lab, "client");
	lab_nginx(lab);
	pid = lab_proxyd_up(lab);
	lab_watch_direct(lab);
	refused(lab, LAB_SERVER4 ":80");
	lab_apply(lab);
	/* proxyd looks once a second */
	CU_ASSERT(LAB_WAIT(passes(lab, LAB_SERVER4 ":80") &&
				   passes(lab, "[" LAB_SERVER6 "]:80"),
			   3000));
	curl_sees(lab, LAB_SERVER4,
		  options->masquerade ? LAB_OUTSIDE4 : LAB_CLIENT4);
	curl_sees(lab, "[" LAB_SERVER6 "]",
		  options->masquerade ? LAB_OUTSIDE6 : LAB_CLIENT6);
	CU_ASSERT_EQUAL(lab_direct(lab), 0);
	/* until proxyd looks again, answers may take the short way */
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	CU_ASSERT(LAB_WAIT(!passes(lab, LAB_SERVER4 ":80") &&
				   !passes(lab, "[" LAB_SERVER6 "]:80"),
			   3000));
	refused(lab, LAB_SERVER4 ":80");
	refused(lab, "[" LAB_SERVER6 "]:80");
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static void
return_path_comes(void)
{
	return_path_comes_with(&forwards);
	return_path_comes_with(&masquerades);
}

/* Each family has its own return path. */
static void
return_path_of_one_family(void)
{
	struct lab *lab = lab_up(&forwards);
	pid_t pid;

	redirect(lab);
	policy(lab, "client");
	lab_nginx(lab);
	lab_apply(lab);
	lab_must(lab, LAB_GATEWAY, "ip -6 rule del pref 9061");
	pid = lab_proxyd_up(lab);
	refused(lab, "[" LAB_SERVER6 "]:80");
	CU_ASSERT(lab_closed("no-return-path", 1));
	curl_sees(lab, LAB_SERVER4, LAB_CLIENT4);
	lab_must(lab, LAB_GATEWAY, "ip -4 route flush table 9061");
	CU_ASSERT(LAB_WAIT(!passes(lab, LAB_SERVER4 ":80"), 3000));
	refused(lab, LAB_SERVER4 ":80");
	lab_apply(lab);
	CU_ASSERT(LAB_WAIT(passes(lab, LAB_SERVER4 ":80") &&
				   passes(lab, "[" LAB_SERVER6 "]:80"),
			   3000));
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"gateway_source", gateway_source},
	{"gateway_source_masquerade", gateway_source_masquerade},
	{"loop", loop},
	{"listen_alone", listen_alone},
	{"no_return_path", no_return_path},
	{"return_path_comes", return_path_comes},
	{"return_path_of_one_family", return_path_of_one_family},
};

LAB_MAIN("classic", tests)
