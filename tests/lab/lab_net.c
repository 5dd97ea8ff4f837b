/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_net.c - sockets in the lab's namespaces, and what the kernel counted.
 *
 * Sockets are made by visiting the namespace; afterwards the test uses them
 * from where it is, which makes precise tests of single packets short.
 */
#include "tests/lab/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
lab_socket(struct lab *lab, enum lab_where where, int family, int type)
{
	int fd, on = 1;

	lab_enter(lab, where);
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	lab_leave(lab);
	if (fd < 0)
		lab_die("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return fd;
}

static socklen_t
parse(const char *text, union sockaddr_any *ret_sa)
{
	struct endpoint e;

	if (endpoint_parse(text, &e) < 0)
		lab_die("'%s' is no endpoint", text);
	return endpoint_to_sockaddr(&e, ret_sa);
}

int
lab_listen(struct lab *lab, enum lab_where where, const char *at)
{
	union sockaddr_any sa;
	socklen_t len = parse(at, &sa);
	int fd;

	fd = lab_socket(lab, where, sa.sa.sa_family, SOCK_STREAM);
	if (bind(fd, &sa.sa, len) < 0 || listen(fd, 512) < 0)
		lab_die("listen on %s: %s", at, strerror(errno));
	return fd;
}

/* 0, or -ETIMEDOUT. */
static int
wait_fd(int fd, short events, unsigned int ms)
{
	struct pollfd p = {.fd = fd, .events = events};
	uint64_t end = clock_now_ms() + ms, now;
	int r;

	do {
		now = clock_now_ms();
		r = poll(&p, 1, now < end ? (int)(end - now) : 0);
	} while (r < 0 && errno == EINTR);
	return r > 0 ? 0 : -ETIMEDOUT;
}

static int
finish_connect(int fd, unsigned int ms)
{
	socklen_t len = sizeof(int);
	int error, r;

	r = wait_fd(fd, POLLOUT, ms);
	if (r < 0)
		return r;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return -error;
}

static void
set_blocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

int
lab_connect(struct lab *lab, enum lab_where where, const char *from,
	    const char *to, unsigned int ms)
{
	union sockaddr_any local, remote;
	socklen_t local_len, remote_len = parse(to, &remote);
	int fd, r = 0;

	fd = lab_socket(lab, where, remote.sa.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK);
	if (from) {
		local_len = parse(from, &local);
		if (bind(fd, &local.sa, local_len) < 0)
			lab_die("bind to %s: %s", from, strerror(errno));
	}
	if (connect(fd, &remote.sa, remote_len) < 0)
		r = errno == EINPROGRESS ? finish_connect(fd, ms) : -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	set_blocking(fd);
	return fd;
}

int
lab_accept(int fd, unsigned int ms, struct endpoint *ret_peer)
{
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);
	int r;

	r = wait_fd(fd, POLLIN, ms);
	if (r < 0)
		return r;
	r = accept4(fd, &sa.sa, &len, SOCK_CLOEXEC);
	if (r < 0)
		return -errno;
	if (ret_peer)
		*ret_peer = endpoint_from_sockaddr(&sa);
	return r;
}

void
lab_send(int fd, const char *text)
{
	size_t done = 0, len = strlen(text);
	ssize_t n;

	while (done < len) {
		if (wait_fd(fd, POLLOUT, 5000) < 0)
			lab_die("send: nobody takes it");
		n = send(fd, text + done, len - done, MSG_NOSIGNAL);
		if (n < 0)
			lab_die("send: %s", strerror(errno));
		done += (size_t)n;
	}
}

size_t
lab_stuff(int fd)
{
	static const char block[65536];
	unsigned int quiet = 0;
	size_t sent = 0;
	ssize_t n;

	while (quiet < 12) {
		n = send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			sent += (size_t)n;
			quiet = 0;
			continue;
		}
		quiet++;
		lab_sleep(10);
	}
	return sent;
}

ssize_t
lab_recv(int fd, void *buf, size_t size, unsigned int ms)
{
	ssize_t n;
	int r;

	r = wait_fd(fd, POLLIN, ms);
	if (r < 0)
		return r;
	n = recv(fd, buf, size, 0);
	return n < 0 ? -errno : n;
}

bool
lab_expect(int fd, const char *text, unsigned int ms)
{
	uint64_t end = clock_now_ms() + ms, now;
	struct str got = {0};
	bool found = false;
	char buf[4096];
	ssize_t n;

	while (!found && (now = clock_now_ms()) < end) {
		n = lab_recv(fd, buf, sizeof(buf), (unsigned int)(end - now));
		if (n <= 0)
			break;
		str_add_bytes(&got, buf, (size_t)n);
		found = strstr(str_text(&got), text);
	}
	str_fini(&got);
	return found;
}

bool
lab_ended(int fd, unsigned int ms)
{
	char buf[16];
	ssize_t n = lab_recv(fd, buf, sizeof(buf), ms);

	return n <= 0 && n != -ETIMEDOUT;
}

void
lab_expect_reset(int fd, unsigned int ms)
{
	char buf[16];
	ssize_t n = fd;

	if (fd >= 0) {
		n = lab_recv(fd, buf, sizeof(buf), ms);
		close(fd);
	}
	UNIT_CHECK(n == -ECONNRESET || (fd < 0 && n == -ECONNREFUSED),
		   "no reset, but %s",
		   n < 0    ? strerror((int)-n)
		   : n == 0 ? "an ordinary end"
			    : "data");
}

void
lab_reset(int fd)
{
	struct linger l = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(fd);
}

const char *
lab_name(int fd, char buf[ENDPOINT_TEXT_LEN])
{
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);
	struct endpoint e;

	buf[0] = '\0';
	if (getsockname(fd, &sa.sa, &len) < 0)
		return buf;
	e = endpoint_from_sockaddr(&sa);
	return endpoint_format(&e, buf);
}

const char *
lab_peer(int fd, char buf[ENDPOINT_TEXT_LEN])
{
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);
	struct endpoint e;

	buf[0] = '\0';
	if (getpeername(fd, &sa.sa, &len) < 0)
		return buf;
	e = endpoint_from_sockaddr(&sa);
	return endpoint_format(&e, buf);
}

/* The whole answer, until the peer closes. 0 or -errno. */
static int
read_answer(int fd, struct str *out)
{
	char buf[65536];
	ssize_t n;

	while ((n = lab_recv(fd, buf, sizeof(buf), 10000)) > 0)
		str_add_bytes(out, buf, (size_t)n);
	return (int)n;
}

int
lab_get(struct lab *lab, enum lab_where where, const char *from, const char *to,
	const char *path, struct str *body)
{
	struct str s = {0};
	const char *at;
	int fd, r;

	fd = lab_connect(lab, where, from, to, 5000);
	if (fd < 0)
		return fd;
	str_addf(&s, "GET %s HTTP/1.0\r\n\r\n", path);
	r = send(fd, s.data, s.len, MSG_NOSIGNAL) < 0 ? -errno : 0;
	str_clear(&s);
	if (r == 0)
		r = read_answer(fd, &s);
	close(fd);
	if (r == 0 && sscanf(str_text(&s), "HTTP/1.%*d %d", &r) != 1)
		r = -EPROTO;
	at = r > 0 ? memmem(str_text(&s), s.len, "\r\n\r\n", 4) : NULL;
	if (at && body)
		str_add_bytes(body, at + 4, s.len - (size_t)(at + 4 - s.data));
	str_fini(&s);
	return r;
}

/* The n-th word of a line; words are parted by blanks. */
static bool
word_at(const char *line, size_t n, char *ret_word, size_t size)
{
	size_t len;

	for (; n; n--) {
		line += strcspn(line, " \n");
		line += strspn(line, " ");
	}
	len = strcspn(line, " \n");
	snprintf(ret_word, size, "%.*s", (int)len, line);
	return len > 0;
}

/*
 * Files like /proc/net/netstat: pairs of lines, names and then values, both
 * beginning with the group. `name` is the group and the name together.
 */
static bool
find_counter(FILE *f, const char *name, uint64_t *ret_value)
{
	char names[8192], values[8192], word[128], full[192];
	size_t i, colon;

	while (fgets(names, sizeof(names), f) &&
	       fgets(values, sizeof(values), f)) {
		colon = strcspn(names, ":");
		for (i = 1; word_at(names, i, word, sizeof(word)); i++) {
			snprintf(full, sizeof(full), "%.*s%s", (int)colon,
				 names, word);
			if (strcmp(full, name))
				continue;
			if (!word_at(values, i, word, sizeof(word)))
				return false;
			*ret_value = strtoull(word, NULL, 10);
			return true;
		}
	}
	return false;
}

uint64_t
lab_counter(struct lab *lab, enum lab_where where, const char *name)
{
	static const char *const files[] = {"/proc/net/netstat",
					    "/proc/net/snmp"};
	uint64_t value = 0;
	bool found = false;
	size_t i;
	FILE *f;

	lab_enter(lab, where);
	for (i = 0; !found && i < sizeof(files) / sizeof(files[0]); i++) {
		f = fopen(files[i], "re");
		if (!f)
			continue;
		found = find_counter(f, name, &value);
		fclose(f);
	}
	lab_leave(lab);
	if (!found)
		lab_die("no counter %s", name);
	return value;
}

/* Sum of all "NAME=N" in `text`, where NAME begins a word. */
static bool
sum_words(const char *text, const char *name, uint64_t *ret_sum)
{
	size_t len = strlen(name);
	const char *at = text;
	bool found = false;

	*ret_sum = 0;
	while ((at = strstr(at, name))) {
		if (at > text && (at[-1] == ' ' || at[-1] == '\t') &&
		    at[len] == '=') {
			*ret_sum += strtoull(at + len + 1, NULL, 10);
			found = true;
		}
		at += len;
	}
	return found;
}

uint64_t
lab_conntrack_stat(struct lab *lab, enum lab_where where, const char *name)
{
	struct str out = {0};
	uint64_t sum;

	lab_run(lab, where, &out, "conntrack -S");
	if (!sum_words(str_text(&out), name, &sum))
		lab_die("no conntrack counter %s in:\n%s", name,
			str_text(&out));
	str_fini(&out);
	return sum;
}

void
lab_watch_direct(struct lab *lab)
{
	lab_nft(lab, LAB_CLIENT,
		"table inet watch\n"
		"delete table inet watch\n"
		"table inet watch {\n"
		"	chain in {\n"
		"		type filter hook prerouting priority raw;\n"
		"		iifname != eth0 return\n"
		"		ip ttl 2-63 counter\n"
		"		ip6 hoplimit 2-63 counter\n"
		"	}\n"
		"}\n");
}

uint64_t
lab_direct(struct lab *lab)
{
	struct str out = {0};
	const char *at;
	uint64_t sum = 0;

	lab_run(lab, LAB_CLIENT, &out, "nft list table inet watch");
	for (at = str_text(&out); (at = strstr(at, "packets ")); at++)
		sum += strtoull(at + strlen("packets "), NULL, 10);
	str_fini(&out);
	return sum;
}

size_t
lab_sockets(struct lab *lab, enum lab_where where, const char *filter)
{
	struct str out = {0};
	const char *at;
	size_t n = 0;

	lab_run(lab, where, &out, "ss -Htan %s", filter);
	for (at = str_text(&out); (at = strchr(at, '\n')); at++)
		n++;
	str_fini(&out);
	return n;
}
