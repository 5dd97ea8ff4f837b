/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authority.c - see authority.h. */
#include "proxyd/http/authority.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "proxyd/http/scan.h"

enum { PORT_HTTP = 80, PORT_DIGITS = 5 };

/* Up to what is its colon, or the end. */
static size_t
host_len(const char *text, size_t len)
{
	const char *end = text + len, *p;

	if (len && *text == '[') {
		p = memchr(text, ']', len);
		return p ? (size_t)(p + 1 - text) : len;
	}
	p = memchr(text, ':', len);
	return p ? (size_t)(p - text) : (size_t)(end - text);
}

static bool
good_ipv6(const char *text, size_t len)
{
	char buf[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (len < 2 || text[len - 1] != ']' || len - 2 >= sizeof(buf))
		return false;
	memcpy(buf, text + 1, len - 2);
	buf[len - 2] = '\0';
	return strlen(buf) == len - 2 && inet_pton(AF_INET6, buf, &addr) == 1;
}

/* What follows the host: "", ":" or ":80"; 0 if it is none of these. */
static unsigned int
port_of(const char *text, size_t len)
{
	unsigned int port = 0;
	size_t i;

	if (len <= 1)
		return len == 0 || *text == ':' ? PORT_HTTP : 0;
	if (*text != ':' || len - 1 > PORT_DIGITS)
		return 0;
	for (i = 1; i < len; i++) {
		if (!scan_is(SCAN_DIGIT, text[i]))
			return 0;
		port = port * 10 + (unsigned int)(text[i] - '0');
	}
	return port <= 65535 ? port : 0;
}

bool
authority_good(const char *text, size_t len)
{
	size_t n;

	/* a name alone: most are */
	if (len > 0 && scan_over(SCAN_HOST, text, text + len) == text + len)
		return true;
	n = host_len(text, len);
	if (n == 0 || port_of(text + n, len - n) == 0)
		return false;
	if (*text == '[')
		return good_ipv6(text, n);
	return scan_over(SCAN_HOST, text, text + n) == text + n;
}

bool
authority_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t n = host_len(a, a_len);

	return host_len(b, b_len) == n && strncasecmp(a, b, n) == 0 &&
	       port_of(a + n, a_len - n) == port_of(b + n, b_len - n);
}
