/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/inet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "tests/unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct addr
addr(const char *text)
{
	struct addr a = {0};

	UNIT_CHECK(!addr_parse(text, &a), "'%s' is no address", text);
	return a;
}

static struct prefix
prefix(const char *text)
{
	struct prefix p = {0};

	UNIT_CHECK(!prefix_parse(text, &p), "'%s' is no prefix", text);
	return p;
}

static void
addresses_parse_and_print(void)
{
	/* text, printed; NULL: refused */
	static const char *const rows[][2] = {
		{"10.1.2.3", "10.1.2.3"},
		{"::", "::"},
		{"FD01:0:0::1", "fd01::1"},
		{"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
		{"10.1.2", NULL},
		{"10.1.2.256", NULL},
		{"010.1.2.3", NULL},
		{"1.2.3.4 ", NULL},
		{"fd01::1%eth0", NULL},
		{"", NULL},
		{"1::2::3", NULL},
	};
	char buf[ADDR_TEXT_LEN];
	struct addr a;
	size_t i;
	int r;

	for (i = 0; i < COUNT(rows); i++) {
		r = addr_parse(rows[i][0], &a);
		UNIT_CHECK(r == (rows[i][1] ? 0 : -EINVAL), "'%s': %d",
			   rows[i][0], r);
		if (!r)
			UNIT_STRINGS(addr_format(&a, buf), rows[i][1]);
	}
}

/* Groups that are zero, short or long, in every mixture. */
static void
addresses_print_as_libc_does(void)
{
	char got[ADDR_TEXT_LEN], want[ADDR_TEXT_LEN];
	uint32_t seed = 1, i, k;
	struct addr a;

	for (i = 0; i < 20000; i++) {
		memset(&a, 0, sizeof(a));
		a.family = i % 4 ? AF_INET6 : AF_INET;
		for (k = 0; k < (i % 4 ? 16 : 4); k++) {
			seed = seed * 1664525 + 1013904223;
			if (seed >> 30)
				a.bytes[k] = (uint8_t)(seed >> 22);
			/* half of the groups are zero */
			if (i % 4 > 1 && k % 2 && seed >> 31)
				a.bytes[k - 1] = a.bytes[k] = 0;
		}
		inet_ntop(a.family, a.bytes, want, sizeof(want));
		addr_format(&a, got);
		if (strcmp(got, want) != 0)
			UNIT_STRINGS(got, want);
	}
	a = (struct addr){0};
	UNIT_STRINGS(addr_format(&a, got), "-");
}

static void
prefixes_parse_and_print(void)
{
	static const struct {
		const char *text;
		int r;
		const char *printed;
	} rows[] = {
		{"10.0.0.0/8", 0, "10.0.0.0/8"},
		{"10.0.0.1", 0, "10.0.0.1"},
		{"10.0.0.1/32", 0, "10.0.0.1"},
		{"0.0.0.0/0", 0, "0.0.0.0/0"},
		{"fd01::/64", 0, "fd01::/64"},
		{"::/0", 0, "::/0"},
		{"fd01::5/128", 0, "fd01::5"},
		{"10.1.2.3/8", -ERANGE, "10.0.0.0/8"},
		{"10.1.2.3/9", -ERANGE, "10.0.0.0/9"},
		{"fd01::1/65", -ERANGE, "fd01::/65"},
		{"10.0.0.0/33", -EINVAL, NULL},
		{"fd01::/129", -EINVAL, NULL},
		{"10.0.0.0/", -EINVAL, NULL},
		{"10.0.0.0/-1", -EINVAL, NULL},
		{"10.0.0.0/8x", -EINVAL, NULL},
		{"/8", -EINVAL, NULL},
	};
	char buf[PREFIX_TEXT_LEN];
	struct prefix p;
	size_t i;
	int r;

	for (i = 0; i < COUNT(rows); i++) {
		r = prefix_parse(rows[i].text, &p);
		UNIT_CHECK(r == rows[i].r, "'%s': %d", rows[i].text, r);
		if (rows[i].printed && r == rows[i].r)
			UNIT_STRINGS(prefix_format(&p, buf), rows[i].printed);
	}
}

static void
prefixes_hold_addresses(void)
{
	struct prefix ten = prefix("10.0.0.0/8"), odd = prefix("10.128.0.0/9");
	struct prefix six = prefix("fd01::/63"), all = prefix("0.0.0.0/0");
	struct addr a = addr("10.200.1.1"), b = addr("11.0.0.0");
	struct addr c = addr("fd01:0:0:1::9"), d = addr("fd01:0:0:2::9");
	char buf[ADDR_TEXT_LEN];

	CU_ASSERT(prefix_contains(&ten, &a) && prefix_contains(&odd, &a));
	CU_ASSERT_FALSE(prefix_contains(&ten, &b));
	CU_ASSERT(prefix_contains(&six, &c));
	CU_ASSERT_FALSE(prefix_contains(&six, &d));
	CU_ASSERT(prefix_contains(&all, &b));
	CU_ASSERT_FALSE(prefix_contains(&all, &c));
	CU_ASSERT(prefix_covers(&ten, &odd));
	CU_ASSERT_FALSE(prefix_covers(&odd, &ten));
	a = prefix_last(&odd);
	UNIT_STRINGS(addr_format(&a, buf), "10.255.255.255");
	a = prefix_last(&six);
	UNIT_STRINGS(addr_format(&a, buf), "fd01::1:ffff:ffff:ffff:ffff");
}

static void
kinds_of_addresses_are_told_apart(void)
{
	static const struct {
		const char *text;
		bool any, loopback, unicast, link_local;
	} rows[] = {
		{"0.0.0.0", true, false, false, false},
		{"::", true, false, false, false},
		{"127.1.2.3", false, true, true, false},
		{"::1", false, true, true, false},
		{"224.0.0.1", false, false, false, false},
		{"239.255.255.255", false, false, false, false},
		{"255.255.255.255", false, false, false, false},
		{"ff02::1", false, false, false, false},
		{"10.0.0.1", false, false, true, false},
		{"fd01::1", false, false, true, false},
		{"169.254.1.1", false, false, true, true},
		{"fe80::1", false, false, true, true},
		{"febf::1", false, false, true, true},
		{"fec0::1", false, false, true, false},
	};
	struct addr a;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		a = addr(rows[i].text);
		UNIT_CHECK(addr_is_any(&a) == rows[i].any &&
				   addr_is_loopback(&a) == rows[i].loopback &&
				   addr_is_unicast(&a) == rows[i].unicast &&
				   addr_is_link_local(&a) == rows[i].link_local,
			   "%s", rows[i].text);
	}
}

static void
port_ranges_parse_and_print(void)
{
	/* text, printed; NULL: refused */
	static const char *const rows[][2] = {
		{"80", "80"},
		{"1-65535", "1-65535"},
		{"80-80", "80"},
		{"00080", "80"},
		{"0", NULL},
		{"65536", NULL},
		{"90-80", NULL},
		{"80-", NULL},
		{"-80", NULL},
		{"8 0", NULL},
		{"80-90-100", NULL},
		{"", NULL},
		{"99999999999999", NULL},
	};
	char buf[PORTS_TEXT_LEN];
	struct port_range range;
	size_t i;
	int r;

	for (i = 0; i < COUNT(rows); i++) {
		r = port_range_parse(rows[i][0], &range);
		UNIT_CHECK(r == (rows[i][1] ? 0 : -EINVAL), "'%s': %d",
			   rows[i][0], r);
		if (!r)
			UNIT_STRINGS(port_range_format(&range, buf),
				     rows[i][1]);
	}
}

static void
endpoints_parse_and_print(void)
{
	/* text, printed; NULL: refused */
	static const char *const rows[][2] = {
		{"1.2.3.4:80", "1.2.3.4:80"},
		{"[::1]:80", "[::1]:80"},
		{"::1", "::1"},
		{"[::1]", "::1"},
		{"1.2.3.4", "1.2.3.4"},
		{"fd01::1:80", "fd01::1:80"},
		{"1.2.3.4:", NULL},
		{"[::1]:", NULL},
		{"[1.2.3.4]:80", NULL},
		{"[::1]80", NULL},
		{"[::1", NULL},
		{"1.2.3.4:0", NULL},
		{"1.2.3.4:65536", NULL},
		{":80", NULL},
		{"host:80", NULL},
		{"", NULL},
	};
	char buf[ENDPOINT_TEXT_LEN];
	struct endpoint e;
	size_t i;
	int r;

	for (i = 0; i < COUNT(rows); i++) {
		r = endpoint_parse(rows[i][0], &e);
		UNIT_CHECK(r == (rows[i][1] ? 0 : -EINVAL), "'%s': %d",
			   rows[i][0], r);
		if (!r)
			UNIT_STRINGS(endpoint_format(&e, buf), rows[i][1]);
	}
	e = (struct endpoint){0};
	UNIT_STRINGS(endpoint_format(&e, buf), "-");
}

static void
sockaddrs_go_both_ways(void)
{
	static const char *const texts[] = {"1.2.3.4:80", "[fd01::1]:65535"};
	union sockaddr_any sa;
	struct endpoint e, back;
	size_t i;

	for (i = 0; i < COUNT(texts); i++) {
		CU_ASSERT_EQUAL(endpoint_parse(texts[i], &e), 0);
		CU_ASSERT(endpoint_to_sockaddr(&e, &sa) > 0);
		back = endpoint_from_sockaddr(&sa);
		CU_ASSERT(endpoint_equal(&e, &back));
	}
	e = (struct endpoint){0};
	CU_ASSERT_EQUAL(endpoint_to_sockaddr(&e, &sa), 0);
	memset(&sa, 0, sizeof(sa));
	sa.sa.sa_family = AF_UNIX;
	e = endpoint_from_sockaddr(&sa);
	CU_ASSERT_EQUAL(e.addr.family, AF_UNSPEC);
}

static void
mapped_addresses_become_ipv4(void)
{
	union sockaddr_any sa;
	struct endpoint e;
	char buf[ENDPOINT_TEXT_LEN];

	e = (struct endpoint){addr("::ffff:10.0.0.1"), 81};
	endpoint_to_sockaddr(&e, &sa);
	e = endpoint_from_sockaddr(&sa);
	UNIT_STRINGS(endpoint_format(&e, buf), "10.0.0.1:81");
}

static const struct unit_test tests[] = {
	{"addresses_print_as_libc_does", addresses_print_as_libc_does},
	{"addresses_parse_and_print", addresses_parse_and_print},
	{"prefixes_parse_and_print", prefixes_parse_and_print},
	{"prefixes_hold_addresses", prefixes_hold_addresses},
	{"kinds_of_addresses_are_told_apart",
	 kinds_of_addresses_are_told_apart},
	{"port_ranges_parse_and_print", port_ranges_parse_and_print},
	{"endpoints_parse_and_print", endpoints_parse_and_print},
	{"sockaddrs_go_both_ways", sockaddrs_go_both_ways},
	{"mapped_addresses_become_ipv4", mapped_addresses_become_ipv4},
};

UNIT_MAIN("inet", tests)
