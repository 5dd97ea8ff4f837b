/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_flow.c - connections from client to server, and what is said of them.
 */
#include "tests/lab/lab.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const int lab_families[2] = {AF_INET, AF_INET6};

const char *
lab_at(const struct lab *lab, int family, enum lab_host host, unsigned int port,
       char buf[ENDPOINT_TEXT_LEN])
{
	static const char *const addresses[][2] = {
		[LAB_HOST_CLIENT] = {LAB_CLIENT4, LAB_CLIENT6},
		[LAB_HOST_GATEWAY] = {LAB_GATEWAY4, LAB_GATEWAY6},
		[LAB_HOST_OUTSIDE] = {LAB_OUTSIDE4, LAB_OUTSIDE6},
		[LAB_HOST_SERVER] = {LAB_SERVER4, LAB_SERVER6},
		[LAB_HOST_OTHER] = {LAB_OTHER4, LAB_OTHER6},
	};
	const char *text = addresses[host][family == AF_INET6];
	struct endpoint e = {.port = (uint16_t)port};

	if (lab->options.router && host == LAB_HOST_SERVER)
		text = family == AF_INET ? LAB_FAR4 : LAB_FAR6;
	if (addr_parse(text, &e.addr) < 0)
		lab_die("no address: %s", text);
	return endpoint_format(&e, buf);
}

int
lab_serve(struct lab *lab, int family, unsigned int port)
{
	char at[ENDPOINT_TEXT_LEN];

	return lab_listen(lab, LAB_SERVER,
			  lab_at(lab, family, LAB_HOST_SERVER, port, at));
}

void
lab_flow_open(struct lab *lab, int family, int listener, const char *from,
	      unsigned int port, struct lab_flow *ret_flow)
{
	char to[ENDPOINT_TEXT_LEN];
	int fd;

	lab_at(lab, family, LAB_HOST_SERVER, port, to);
	fd = lab_connect(lab, LAB_CLIENT, from, to, 3000);
	if (fd < 0)
		lab_die("connect to %s: %s", to, strerror(-fd));
	ret_flow->client = fd;
	fd = lab_accept(listener, 3000, NULL);
	if (fd < 0)
		lab_die("accept on %s: %s", to, strerror(-fd));
	ret_flow->server = fd;
	lab_name(ret_flow->client, ret_flow->source);
	lab_peer(ret_flow->server, ret_flow->seen);
}

void
lab_flow_close(struct lab_flow *flow)
{
	if (flow->client >= 0)
		close(flow->client);
	if (flow->server >= 0)
		close(flow->server);
	flow->client = -1;
	flow->server = -1;
}

bool
lab_flow_works(struct lab_flow *flow)
{
	lab_send(flow->client, "from the client");
	if (!lab_expect(flow->server, "from the client", 1000))
		return false;
	lab_send(flow->server, "from the server");
	return lab_expect(flow->client, "from the server", 1000);
}

bool
lab_record(const char *text, struct str *out)
{
	struct str log = {0};
	const char *line, *end, *last = NULL;
	size_t len = 0;

	lab_read_file(LAB_DIR "/proxyd.log", &log);
	for (line = str_text(&log); *line; line = end + (*end == '\n')) {
		end = strchrnul(line, '\n');
		if (!memmem(line, (size_t)(end - line), " close=", 7) ||
		    !memmem(line, (size_t)(end - line), text, strlen(text)))
			continue;
		last = line;
		len = (size_t)(end - line);
	}
	if (last)
		str_add_bytes(out, last, len);
	str_fini(&log);
	return last;
}

bool
lab_closed(const char *close, size_t n)
{
	char text[128];

	snprintf(text, sizeof(text), " close=%s", close);
	return LAB_WAIT(lab_log_count("proxyd", text) >= n, 3000);
}

const char *
lab_value(const char *record, const char *key, char buf[256])
{
	size_t len = strlen(key);
	const char *at = record;

	buf[0] = '\0';
	while ((at = strstr(at, key))) {
		if ((at == record || at[-1] == ' ') && at[len] == '=') {
			at += len + 1;
			snprintf(buf, 256, "%.*s", (int)strcspn(at, " \n"), at);
			break;
		}
		at += len;
	}
	return buf;
}

/* The policy with lab_user() in the place of its "%s", if it has one. */
static void
write_policy(struct lab *lab, const char *policy)
{
	const char *at = strstr(policy, "%s");

	if (at)
		lab_policy(lab, "%.*s%s%s", (int)(at - policy), policy,
			   lab_user(), at + 2);
	else
		lab_policy(lab, "%s", policy);
}

struct lab *
lab_begin(const struct lab_options *options, const char *policy,
	  pid_t *ret_proxyd)
{
	struct lab *lab = lab_up(options);

	write_policy(lab, policy);
	lab_apply(lab);
	*ret_proxyd = lab_proxyd_up(lab);
	if (!LAB_WAIT(lab_armed(lab), 3000))
		lab_die("the rules do not see proxyd");
	lab_watch_direct(lab);
	return lab;
}

void
lab_end(struct lab *lab, pid_t proxyd)
{
	lab_stop_proxyd(lab, proxyd);
	CU_ASSERT_EQUAL(lab_direct(lab), 0);
	lab_down(lab);
}
