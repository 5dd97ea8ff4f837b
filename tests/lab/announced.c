/* SPDX-License-Identifier: GPL-2.0-or-later */
/* announced.c - what announced.h has. */
#include "tests/lab/announced.h"

#include <CUnit/CUnit.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *const announced_clients[] = {"10.1.0.77:1234", "[fd01::77]:1234"};

size_t
announced_header(enum proxyproto_version version, const char *client,
		 const char *destination, char buf[PROXYPROTO_BUILD_MAX])
{
	struct endpoint from, to;

	CU_ASSERT_EQUAL_FATAL(endpoint_parse(client, &from), 0);
	CU_ASSERT_EQUAL_FATAL(endpoint_parse(destination, &to), 0);
	return proxyproto_build(version, &from, &to, buf);
}

void
announced_send(int fd, const char *buf, size_t len)
{
	CU_ASSERT_EQUAL(send(fd, buf, len, MSG_NOSIGNAL), (ssize_t)len);
}

int
announced_connect(struct lab *lab, const char *to,
		  enum proxyproto_version version, const char *client,
		  const char *destination)
{
	char buf[PROXYPROTO_BUILD_MAX] = "";
	int fd;

	fd = lab_connect(lab, LAB_CLIENT, NULL, to, 2000);
	CU_ASSERT_FATAL(fd >= 0);
	announced_send(fd, buf,
		       announced_header(version, client, destination, buf));
	return fd;
}

void
announced_expect(int fd, enum proxyproto_version version, const char *client,
		 const char *destination)
{
	char want[PROXYPROTO_BUILD_MAX] = "", got[PROXYPROTO_BUILD_MAX] = "";
	size_t len, n = 0;
	ssize_t r = 1;

	len = announced_header(version, client, destination, want);
	while (n < len && r > 0) {
		r = lab_recv(fd, got + n, len - n, 2000);
		n += r > 0 ? (size_t)r : 0;
	}
	UNIT_CHECK(n == len && !memcmp(got, want, len), "%.*s", (int)n, got);
}

void
announced_talk(int client, int server)
{
	CU_ASSERT_FATAL(client >= 0 && server >= 0);
	lab_send(client, "request");
	CU_ASSERT(lab_expect(server, "request", 2000));
	lab_send(server, "response");
	CU_ASSERT(lab_expect(client, "response", 2000));
	close(client);
	CU_ASSERT(lab_ended(server, 2000));
	close(server);
}

void
announced_recorded(const char *text, const char *key, const char *want)
{
	struct str record = {0};
	char buf[256];

	CU_ASSERT(LAB_WAIT(lab_record(text, &record), 2000));
	UNIT_STRINGS(lab_value(str_text(&record), key, buf), want);
	str_fini(&record);
}

void
announced_policy(struct lab *lab, const char *gateway, const char *service)
{
	lab_policy(lab,
		   "gateway { user %s; workers 1; %s }\n"
		   "pool original { node original; source gateway }\n"
		   "pool app { node " LAB_SERVER4 ":80; source gateway }\n"
		   "service web { listen tcp 8080; accept-proxy; %s }\n",
		   lab_user(), gateway, service);
}

struct lab *
announced_begin(const char *gateway, const char *service, pid_t *ret_pid)
{
	struct lab *lab = lab_up(NULL);

	announced_policy(lab, gateway, service);
	*ret_pid = lab_proxyd_up(lab);
	return lab;
}

void
announced_end(struct lab *lab, pid_t pid)
{
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}
