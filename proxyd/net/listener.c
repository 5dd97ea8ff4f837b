/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener.c - opens what listener.h describes.
 *
 * SO_REUSEPORT, so that a later proxyd of the same user can take over
 * without a moment in which nobody listens. TCP_NODELAY is inherited by
 * accepted sockets, which saves a call for each.
 */
#include "proxyd/net/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxyd/base/sock.h"

enum { BACKLOG = 4096 };

static int
prepare(int fd, int family)
{
	int r;

	r = sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0)
		r = sock_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (r == 0)
		r = sock_set(fd, SOL_TCP, TCP_NODELAY, 1);
	if (r == 0 && family == AF_INET6)
		r = sock_set(fd, SOL_IPV6, IPV6_V6ONLY, 1);
	return r;
}

static int
open_socket(const struct endpoint *e, int *ret_fd)
{
	union sockaddr_any sa;
	socklen_t len;
	int fd, r;

	fd = socket(e->addr.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return -errno;
	r = prepare(fd, e->addr.family);
	len = endpoint_to_sockaddr(e, &sa);
	if (r == 0 && bind(fd, &sa.sa, len) < 0)
		r = -errno;
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static void
explain(const struct listener *l, int error, const char *then, struct str *why)
{
	char text[ENDPOINT_TEXT_LEN];

	str_addf(why, "service %s: cannot listen on %s: %s%s", l->service->name,
		 endpoint_format(&l->endpoint, text), strerror(-error), then);
}

static int
add(struct listeners *ls, struct listener l, bool optional, struct str *why)
{
	struct listener *more;
	int r;

	more = realloc(ls->list, (ls->n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	ls->list = more;
	r = open_socket(&l.endpoint, &l.fd);
	if (r == -EAFNOSUPPORT && optional) {
		if (!why->len)
			explain(&l, r, "; IPv6 is left out", why);
		return 0;
	}
	if (r < 0) {
		str_clear(why);
		explain(&l, r, "", why);
		return r;
	}
	ls->list[ls->n++] = l;
	return 0;
}

/* On every address of one family, or of both. */
static int
add_wildcard(struct listeners *ls, struct listener l, unsigned int families,
	     bool named, struct str *why)
{
	int r = 0;

	if (families & FAMILY_IPV4) {
		l.endpoint.addr.family = AF_INET;
		r = add(ls, l, false, why);
	}
	if (r == 0 && families & FAMILY_IPV6) {
		l.endpoint.addr.family = AF_INET6;
		r = add(ls, l, !named, why);
	}
	return r;
}

static int
add_service(struct listeners *ls, const struct policy *p,
	    const struct policy_service *s, struct str *why)
{
	struct listener l = {.fd = -1, .kind = LISTENER_CAPTURE, .service = s};
	size_t i;
	int r = 0;

	if (s->n_intercepts) {
		l.endpoint.port = s->capture_port;
		r = add_wildcard(ls, l, p->gateway.families,
				 p->gateway.families_named, why);
	}
	l.kind = LISTENER_LISTEN;
	for (i = 0; i < s->n_listens && r == 0; i++) {
		l.endpoint = s->listens[i].endpoint;
		if (l.endpoint.addr.family)
			r = add(ls, l, false, why);
		else
			r = add_wildcard(ls, l, FAMILY_BOTH, false, why);
	}
	return r;
}

int
listeners_open(struct listeners *ls, const struct policy *p, struct str *why)
{
	size_t i;
	int r = 0;

	memset(ls, 0, sizeof(*ls));
	for (i = 0; i < p->n_services && r == 0; i++)
		if (p->services[i].proto == PROTO_TCP)
			r = add_service(ls, p, &p->services[i], why);
	if (r < 0)
		listeners_close(ls);
	return r;
}

void
listeners_shut(struct listeners *ls)
{
	size_t i;

	for (i = 0; i < ls->n; i++) {
		if (ls->list[i].fd >= 0)
			close(ls->list[i].fd);
		ls->list[i].fd = -1;
	}
}

void
listeners_close(struct listeners *ls)
{
	listeners_shut(ls);
	free(ls->list);
	ls->list = NULL;
	ls->n = 0;
}

bool
listeners_answer(const struct listeners *ls, const struct endpoint *e)
{
	const struct endpoint *at;
	size_t i;

	for (i = 0; i < ls->n; i++) {
		at = &ls->list[i].endpoint;
		if (at->port != e->port || at->addr.family != e->addr.family)
			continue;
		if (addr_is_any(&at->addr) || addr_equal(&at->addr, &e->addr))
			return true;
	}
	return false;
}

bool
listeners_capture(const struct listeners *ls, const struct policy_service *s,
		  int family)
{
	const struct listener *l;
	size_t i;

	for (i = 0; i < ls->n; i++) {
		l = &ls->list[i];
		if (l->kind == LISTENER_CAPTURE && l->service == s &&
		    l->endpoint.addr.family == family && l->fd >= 0)
			return true;
	}
	return false;
}
