/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Most of it is about typing mistakes: each gets the words that mend it.
 */
#include "netsetup/explain/tuple.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define USAGE "`netsetup explain [tcp|udp] client[:port] destination:port`"

/* The port of "ADDR:PORT" or "[ADDR]:PORT", as text; NULL: none. */
static const char *
port_text(const char *word)
{
	const char *colon = strrchr(word, ':');

	if (!colon || (word[0] != '[' && strchr(word, ':') != colon))
		return NULL; /* a bare IPv6 address */
	return word[0] == '[' && colon[-1] != ']' ? NULL : colon + 1;
}

/* It does not parse: what is it then? */
static int
explain_endpoint(const char *word, struct str *ret_error)
{
	const char *port = port_text(word);

	if (strchr(word, '%'))
		str_addf(ret_error, "'%s': name the interface with -i", word);
	else if (strchr(word, '/'))
		str_addf(ret_error, "'%s' is a network; take one address of it",
			 word);
	else if (isalpha((unsigned char)word[0]) && !strstr(word, "::"))
		str_addf(ret_error,
			 "'%s' is not an address, and names are not looked up",
			 word);
	else if (port && strspn(port, "0123456789") == strlen(port))
		str_addf(ret_error,
			 "'%s': a port is a number from 1 to 65535, and an "
			 "address stands before it",
			 word);
	else
		str_addf(ret_error,
			 "'%s' is not an address; 192.0.2.1:80 and "
			 "[2001:db8::1]:80 are",
			 word);
	return -EINVAL;
}

static int
parse_endpoint(const char *word, struct endpoint *ret, struct str *ret_error)
{
	if (endpoint_parse(word, ret) < 0)
		return explain_endpoint(word, ret_error);
	if (addr_is_unicast(&ret->addr))
		return 0;
	str_addf(ret_error, "'%s' is not the address of one host", word);
	return -EINVAL;
}

/* Multicast and broadcast may be asked about: they are never captured. */
static int
parse_server(const char *word, struct endpoint *ret, struct str *ret_error)
{
	char text[ADDR_TEXT_LEN];

	if (endpoint_parse(word, ret) < 0)
		return explain_endpoint(word, ret_error);
	if (ret->port != 0)
		return 0;
	addr_format(&ret->addr, text);
	str_addf(ret_error,
		 ret->addr.family == AF_INET ? "'%s' needs a port: %s:80"
					     : "'%s' needs a port: [%s]:80",
		 word, text);
	return -EINVAL;
}

/* Takes the protocol, if one is there. */
static int
parse_proto(char *const **words, int *n, enum proto *ret, struct str *ret_error)
{
	const char *first = *n > 0 ? (*words)[0] : "";
	bool known = !strcmp(first, "tcp") || !strcmp(first, "udp");

	*ret = strcmp(first, "udp") != 0 ? PROTO_TCP : PROTO_UDP;
	if (known) {
		(*words)++;
		(*n)--;
	}
	if (!known && *n == 3 && isdigit((unsigned char)(*words)[2][0]) &&
	    !strpbrk((*words)[2], ".:")) {
		str_addf(ret_error,
			 strchr((*words)[1], ':')
				 ? "a port follows its address: [%s]:%s"
				 : "a port follows its address: %s:%s",
			 (*words)[1], (*words)[2]);
		return -EINVAL;
	}
	if (!known && *n == 3) {
		str_addf(ret_error, "unknown protocol '%s': tcp or udp", first);
		return -EINVAL;
	}
	if (*n == 2)
		return 0;
	str_add(ret_error, *n < 2 ? "something is missing: type " USAGE
				  : "too many words: type " USAGE);
	return -EINVAL;
}

int
tuple_parse(char *const *words, int n, struct tuple *ret_tuple,
	    struct str *ret_error)
{
	struct tuple t = {0};
	int r;

	r = parse_proto(&words, &n, &t.proto, ret_error);
	if (r == 0)
		r = parse_endpoint(words[0], &t.client, ret_error);
	if (r == 0)
		r = parse_server(words[1], &t.server, ret_error);
	if (r < 0)
		return r;
	if (t.client.addr.family != t.server.addr.family) {
		str_addf(ret_error, "'%s' and '%s' are of different families",
			 words[0], words[1]);
		return -EINVAL;
	}
	t.example_port = t.client.port == 0;
	if (t.example_port)
		t.client.port = TUPLE_EXAMPLE_PORT;
	*ret_tuple = t;
	return 0;
}
