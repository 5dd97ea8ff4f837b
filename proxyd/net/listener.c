/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener.c - opens what listener.h describes.
 *
 * Not SO_REUSEPORT: a second proxyd by mistake would quietly get a share of
 * the flows. So the successor of one that was killed waits a moment for the
 * orphaned worker to close. What accepted sockets need, TCP_NODELAY and
 * keep-alive, they inherit, which saves the calls for each.
 */
#include "proxyd/net/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"

#include "proxyd/base/sock.h"
#include "proxyd/net/datagram.h"

enum {
	BACKLOG = 4096,
	PATIENCE_MS = 2000, /* an orphaned worker needs 250 to let go */
	PATIENCE_TURN_MS = 50,
};

/* The listeners as they are opened. */
struct opening {
	struct listeners *ls; /* borrows */
	struct str *why;      /* borrows */
	uint64_t patient_until_ms;
};

static bool
is_udp(const struct listener *l)
{
	return l->service->proto == PROTO_UDP;
}

static int
prepare_tcp(int fd)
{
	int r;

	r = sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0)
		r = sock_set(fd, SOL_TCP, TCP_NODELAY, 1);
	if (r == 0)
		r = sock_keep_alive(fd);
	return r;
}

static int
prepare(int fd, const struct listener *l)
{
	int family = l->endpoint.addr.family, r;

	if (is_udp(l))
		r = datagram_prepare(fd, family, l->kind == LISTENER_TPROXY);
	else
		r = prepare_tcp(fd);
	if (r == 0 && family == AF_INET6)
		r = sock_set(fd, SOL_IPV6, IPV6_V6ONLY, 1);
	if (r == 0 && l->kind == LISTENER_TPROXY)
		r = sock_set_transparent(fd, family);
	if (r == 0 && l->kind == LISTENER_TPROXY)
		r = sock_set(fd, SOL_SOCKET, SO_MARK, (int)l->mark);
	return r;
}

static int
open_socket(const struct listener *l, int *ret_fd)
{
	const struct endpoint *e = &l->endpoint;
	union sockaddr_any sa;
	socklen_t len;
	int fd, r;

	fd = socket(e->addr.family,
		    (is_udp(l) ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK |
			    SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return -errno;
	r = prepare(fd, l);
	len = endpoint_to_sockaddr(e, &sa);
	if (r == 0 && bind(fd, &sa.sa, len) < 0)
		r = -errno;
	if (r == 0 && is_udp(l))
		r = datagram_share(fd);
	else if (r == 0 && listen(fd, BACKLOG) < 0)
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

static const char *
hint(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return "; is proxyd running already? see `ss -tulnp`";
	case -EADDRNOTAVAIL:
		return "; this box does not have that address, or not yet";
	default:
		return "";
	}
}

/* The same, but wait for whoever has the address to let it go. */
static int
open_patiently(const struct opening *o, const struct listener *l, int *ret_fd)
{
	static const struct timespec turn = {
		.tv_nsec = PATIENCE_TURN_MS * 1000000L,
	};
	int r;

	while ((r = open_socket(l, ret_fd)) == -EADDRINUSE &&
	       clock_now_ms() < o->patient_until_ms)
		nanosleep(&turn, NULL);
	return r;
}

static int
add(const struct opening *o, struct listener l, bool optional)
{
	struct listeners *ls = o->ls;
	struct listener *more;
	int r;

	more = realloc(ls->list, (ls->n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	ls->list = more;
	r = open_patiently(o, &l, &l.fd);
	if (r == -EAFNOSUPPORT && optional) {
		if (!o->why->len)
			explain(&l, r, "; IPv6 is left out", o->why);
		return 0;
	}
	if (r < 0) {
		str_clear(o->why);
		explain(&l, r, hint(r), o->why);
		return r;
	}
	ls->list[ls->n++] = l;
	return 0;
}

/* On every address of one family, or of both. */
static int
add_wildcard(const struct opening *o, struct listener l, unsigned int families,
	     bool named)
{
	int r = 0;

	if (families & FAMILY_IPV4) {
		l.endpoint.addr.family = AF_INET;
		r = add(o, l, false);
	}
	if (r == 0 && families & FAMILY_IPV6) {
		l.endpoint.addr.family = AF_INET6;
		r = add(o, l, !named);
	}
	return r;
}

static int
add_service(const struct opening *o, const struct policy *p,
	    const struct policy_service *s)
{
	struct listener l = {.fd = -1, .service = s};
	size_t i;
	int r = 0;

	if (s->n_intercepts) {
		l.kind = s->intercepts[0].via == VIA_TPROXY ? LISTENER_TPROXY
							    : LISTENER_REDIRECT;
		l.mark = policy_mark_tproxied(p);
		l.endpoint.port = s->capture_port;
		r = add_wildcard(o, l, p->gateway.families,
				 p->gateway.families_named);
	}
	l.kind = LISTENER_LISTEN;
	for (i = 0; i < s->n_listens && r == 0; i++) {
		l.endpoint = s->listens[i].endpoint;
		if (l.endpoint.addr.family)
			r = add(o, l, false);
		else
			r = add_wildcard(o, l, FAMILY_BOTH, false);
	}
	return r;
}

int
listeners_open(struct listeners *ls, const struct policy *p, struct str *why)
{
	const struct opening o = {ls, why, clock_now_ms() + PATIENCE_MS};
	size_t i;
	int r = 0;

	memset(ls, 0, sizeof(*ls));
	for (i = 0; i < p->n_services && r == 0; i++)
		r = add_service(&o, p, &p->services[i]);
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
listeners_answer(const struct listeners *ls, enum proto proto,
		 const struct endpoint *e)
{
	const struct endpoint *at;
	size_t i;

	for (i = 0; i < ls->n; i++) {
		at = &ls->list[i].endpoint;
		if (ls->list[i].service->proto != proto)
			continue;
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
		if (l->kind != LISTENER_LISTEN && l->service == s &&
		    l->endpoint.addr.family == family && l->fd >= 0)
			return true;
	}
	return false;
}
