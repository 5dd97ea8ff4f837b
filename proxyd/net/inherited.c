/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inherited.c - asks descriptors what they are, behind inherited.h. */
#include "proxyd/net/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/base/sock.h"

/* getsockopt() of an int. 0 or -errno. */
static int
ask(int fd, int level, int option, int *ret_value)
{
	socklen_t len = sizeof(*ret_value);

	*ret_value = 0;
	if (getsockopt(fd, level, option, ret_value, &len) < 0)
		return -errno;
	return 0;
}

static bool
has_peer(int fd)
{
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);

	return getpeername(fd, &sa.sa, &len) == 0;
}

/* Is it one that clients of this protocol arrive at? */
static bool
is_open(int fd, int protocol)
{
	int listens;

	if (protocol == IPPROTO_UDP)
		return !has_peer(fd);
	return protocol == IPPROTO_TCP &&
	       ask(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens) == 0 && listens;
}

/* Only those of one family, like ours. */
static int
ask_family(int fd, int family, int *ret_transparent)
{
	int v6only, r;

	if (family == AF_INET)
		return ask(fd, SOL_IP, IP_TRANSPARENT, ret_transparent);
	if (family != AF_INET6)
		return -EPROTOTYPE;
	r = ask(fd, SOL_IPV6, IPV6_V6ONLY, &v6only);
	if (r == 0 && !v6only)
		return -EPROTOTYPE;
	return r ? r : ask(fd, SOL_IPV6, IPV6_TRANSPARENT, ret_transparent);
}

static int
look(int fd, struct sockets_what *what)
{
	int protocol, transparent, mark = 0, r;

	r = ask(fd, SOL_SOCKET, SO_PROTOCOL, &protocol);
	if (r < 0)
		return r;
	what->at = sock_name(fd);
	r = ask_family(fd, what->at.addr.family, &transparent);
	if (r == 0 && (!what->at.port || !is_open(fd, protocol)))
		r = -EPROTOTYPE;
	if (r == 0)
		r = ask(fd, SOL_SOCKET, SO_MARK, &mark);
	if (r < 0)
		return r;
	what->proto = protocol == IPPROTO_UDP ? PROTO_UDP : PROTO_TCP;
	what->transparent = transparent;
	what->mark = (uint32_t)mark;
	return 0;
}

/* The same socket, whatever its descriptor, has the same. */
static uint64_t
cookie(int fd)
{
	uint64_t value = 0;
	socklen_t len = sizeof(value);

	(void)getsockopt(fd, SOL_SOCKET, SO_COOKIE, &value, &len);
	return value;
}

static bool
has(const struct sockets *s, int fd)
{
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (cookie(s->fds[i]) == cookie(fd))
			return true;
	return false;
}

/* Those that are there already of this kind. NULL: no memory. */
static struct sockets *
find(struct listeners *ls, const struct sockets_what *what)
{
	struct listener *more;
	size_t i;

	for (i = 0; i < ls->n; i++)
		if (sockets_what_equal(&ls->list[i].sockets->what, what))
			return ls->list[i].sockets;
	more = realloc(ls->list, (ls->n + 1) * sizeof(*more));
	if (!more)
		return NULL;
	ls->list = more;
	more += ls->n;
	*more = (struct listener){
		.kind = what->transparent ? LISTENER_TPROXY : LISTENER_LISTEN,
		.endpoint = what->at,
		.mark = what->mark,
		.sockets = sockets_new(what),
	};
	ls->n += more->sockets != NULL;
	return more->sockets;
}

int
inherited_add(struct listeners *ls, int fd)
{
	struct sockets_what what;
	struct sockets *s;
	int flags, r;

	memset(&what, 0, sizeof(what));
	r = look(fd, &what);
	if (r < 0)
		return r;
	s = find(ls, &what);
	if (!s)
		return -ENOMEM;
	if (has(s, fd))
		return -EEXIST;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	r = sockets_put(s, s->n, fd);
	if (ls->n_slots < s->n)
		ls->n_slots = s->n;
	return r;
}

void
inherited_close(struct listeners *ls, const struct listeners *current)
{
	char text[ENDPOINT_TEXT_LEN];
	const struct listener *l;
	size_t i;

	for (i = 0; i < ls->n; i++) {
		l = &ls->list[i];
		if (!listener_is_shared(l, current))
			log_notice("nobody listens on %s %s any more",
				   l->sockets->what.proto == PROTO_UDP ? "udp"
								       : "tcp",
				   endpoint_format(&l->endpoint, text));
	}
	listeners_close(ls);
}
