/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab_udp.c - sockets behind lab_udp.h. */
#include "tests/lab/lab_udp.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

const char *const lab_vias[2] = {"tproxy", "redirect"};

struct lab *
lab_udp_begin(const struct lab_options *options, const char *via,
	      const char *source, const char *more, pid_t *ret_proxyd)
{
	char policy[1024];

	snprintf(policy, sizeof(policy),
		 "gateway {\n inside in0\n outside out0\n user %%s\n}\n"
		 "pool original {\n node original\n source %s\n}\n"
		 "service dns {\n intercept udp port 53 via %s\n%s}\n",
		 source, via, more);
	return lab_begin(options, policy, ret_proxyd);
}

int
lab_udp_socket(struct lab *lab, enum lab_where where, const char *at,
	       const char *to)
{
	const char *texts[2] = {at, to};
	struct endpoint e[2] = {0};
	union sockaddr_any sa;
	socklen_t len;
	int i, fd;

	for (i = 0; i < 2; i++)
		if (texts[i] && endpoint_parse(texts[i], &e[i]) < 0)
			lab_die("no endpoint: %s", texts[i]);
	fd = lab_socket(lab, where, e[at ? 0 : 1].addr.family, SOCK_DGRAM);
	for (i = 0; i < 2; i++) {
		if (!texts[i])
			continue;
		len = endpoint_to_sockaddr(&e[i], &sa);
		if ((i ? connect : bind)(fd, &sa.sa, len) < 0)
			lab_die("%s: %s", texts[i], strerror(errno));
	}
	return fd;
}

int
lab_udp_serve(struct lab *lab, int family, enum lab_host host)
{
	char at[ENDPOINT_TEXT_LEN];

	lab_at(lab, family, host, LAB_UDP_PORT, at);
	return lab_udp_socket(lab, LAB_SERVER, at, NULL);
}

int
lab_udp_client(struct lab *lab, int family, unsigned int port,
	       enum lab_host host)
{
	char from[ENDPOINT_TEXT_LEN], to[ENDPOINT_TEXT_LEN];

	lab_at(lab, family, LAB_HOST_CLIENT, port, from);
	lab_at(lab, family, host, LAB_UDP_PORT, to);
	return lab_udp_socket(lab, LAB_CLIENT, from, to);
}

ssize_t
lab_udp_receive(int fd, void *buf, size_t size, struct endpoint *ret_from)
{
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);
	ssize_t n = -1;

	memset(&sa, 0, sizeof(sa));
	if (!LAB_WAIT((n = recvfrom(fd, buf, size, MSG_DONTWAIT, &sa.sa,
				    &len)) >= 0 ||
			      errno != EAGAIN,
		      LAB_UDP_WAIT_MS))
		return -ETIMEDOUT;
	if (ret_from)
		*ret_from = endpoint_from_sockaddr(&sa);
	return n < 0 ? -errno : n;
}

bool
lab_udp_receives(int fd, const char *text, struct endpoint *ret_from)
{
	char buf[256];
	ssize_t n = lab_udp_receive(fd, buf, sizeof(buf), ret_from);

	return n == (ssize_t)strlen(text) && !memcmp(buf, text, (size_t)n);
}

bool
lab_udp_quiet(int fd)
{
	char c;

	return lab_recv(fd, &c, 1, LAB_UDP_QUIET_MS) == -ETIMEDOUT;
}

void
lab_udp_send(int fd, const struct endpoint *to, const char *text)
{
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(to, &sa);

	if (sendto(fd, text, strlen(text), 0, &sa.sa, len) < 0)
		lab_die("sendto: %s", strerror(errno));
}

static void
echo(int fd)
{
	char buf[65536];
	union sockaddr_any sa;
	socklen_t len;
	ssize_t n;

	for (;;) {
		len = sizeof(sa);
		n = recvfrom(fd, buf, sizeof(buf), 0, &sa.sa, &len);
		if (n >= 0)
			sendto(fd, buf, (size_t)n, 0, &sa.sa, len);
	}
}

pid_t
lab_udp_echo(struct lab *lab, int family, enum lab_host host)
{
	int fd = lab_udp_serve(lab, family, host), size = 8 << 20;
	pid_t pid;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		lab_die("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		echo(fd);
	}
	close(fd);
	return pid;
}

bool
lab_udp_asks(int client, int server, const char *text,
	     struct endpoint *ret_seen)
{
	struct endpoint seen;

	lab_send(client, text);
	if (!lab_udp_receives(server, text, &seen))
		return false;
	if (ret_seen)
		*ret_seen = seen;
	lab_udp_send(server, &seen, "answer");
	return lab_udp_receives(client, "answer", NULL);
}
