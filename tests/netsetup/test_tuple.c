/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows as they are typed, and what is said of those that are not quite so.
 */
#include <stdio.h>
#include <string.h>

#include "netsetup/explain/tuple.h"
#include "tests/unit.h"

#define USAGE "`netsetup explain [tcp|udp] client[:port] destination:port`"

enum { WORDS_MAX = 6 };

/* Split at spaces; "udp 10.1.0.2:1 > 10.2.0.2:53" or the error. */
static void
check(const char *line, const char *want)
{
	char copy[128], from[ENDPOINT_TEXT_LEN], to[ENDPOINT_TEXT_LEN];
	char *words[WORDS_MAX], *save = NULL, *word;
	struct str got = {0};
	struct tuple t;
	int n = 0, r;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word && n < WORDS_MAX;
	     word = strtok_r(NULL, " ", &save))
		words[n++] = word;
	r = tuple_parse(words, n, &t, &got);
	if (r == 0)
		str_addf(&got, "%s %s%s > %s", proto_name(t.proto),
			 endpoint_format(&t.client, from),
			 t.example_port ? "?" : "",
			 endpoint_format(&t.server, to));
	UNIT_STRINGS(str_text(&got), want);
	str_fini(&got);
}

static void
test_good(void)
{
	check("10.1.0.2 10.2.0.2:80", "tcp 10.1.0.2:40000? > 10.2.0.2:80");
	check("tcp 10.1.0.2:5 10.2.0.2:80", "tcp 10.1.0.2:5 > 10.2.0.2:80");
	check("udp fd01::2 [fd02::2]:53",
	      "udp [fd01::2]:40000? > [fd02::2]:53");
	check("udp [fd01::2]:9 [fd02::2]:53", "udp [fd01::2]:9 > [fd02::2]:53");
	check("10.1.0.2 224.0.0.5:80", "tcp 10.1.0.2:40000? > 224.0.0.5:80");
}

static void
test_bad(void)
{
	check("", "something is missing: type " USAGE);
	check("udp 10.1.0.2", "something is missing: type " USAGE);
	check("udp 10.1.0.2 10.2.0.2:53 now", "too many words: type " USAGE);
	check("icmp 10.1.0.2 10.2.0.2:53",
	      "unknown protocol 'icmp': tcp or udp");
	check("10.1.0.2 10.2.0.2 80",
	      "a port follows its address: 10.2.0.2:80");
	check("fd01::2 fd02::2 80", "a port follows its address: [fd02::2]:80");
	check("10.1.0.2 10.2.0.2", "'10.2.0.2' needs a port: 10.2.0.2:80");
	check("fd01::2 fd02::2:80",
	      "'fd02::2:80' needs a port: [fd02::2:80]:80");
	check("10.1.0.2:0 10.2.0.2:80",
	      "'10.1.0.2:0': a port is a number from 1 to 65535, and an "
	      "address stands before it");
	check("10.1.0.2 :80", "':80': a port is a number from 1 to 65535, and "
			      "an address stands before it");
	check("web.example:80 10.2.0.2:80",
	      "'web.example:80' is not an address, and names are not looked "
	      "up");
	check("10.1.0.2 10.2.0.2:http",
	      "'10.2.0.2:http' is not an address; 192.0.2.1:80 and "
	      "[2001:db8::1]:80 are");
	check("10.1.0.2 [fd02::2]:80",
	      "'10.1.0.2' and '[fd02::2]:80' are of different families");
	check("10.1.0.0/24 10.2.0.2:80",
	      "'10.1.0.0/24' is a network; take one address of it");
	check("fe80::1%in0 [fd02::2]:80",
	      "'fe80::1%in0': name the interface with -i");
	check("0.0.0.0 10.2.0.2:80", "'0.0.0.0' is not the address of one "
				     "host");
}

static const struct unit_test tests[] = {
	{"good", test_good},
	{"bad", test_bad},
};

UNIT_MAIN("tuple", tests)
