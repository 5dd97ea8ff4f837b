/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inherited.c - asks descriptors what they are, behind inherited.h. */
#include "proxyd/net/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
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

/* Can clients arrive here, as they do at the sockets that we open? */
static int
look(int fd, struct inherited_socket *s)
{
	socklen_t len = sizeof(s->cookie);
	int listens = 0, v6only = 1, r;

	r = ask(fd, SOL_SOCKET, SO_PROTOCOL, &s->proto);
	if (r < 0)
		return r;
	s->at = sock_name(fd);
	if (s->at.addr.family == AF_INET6)
		r = ask(fd, SOL_IPV6, IPV6_V6ONLY, &v6only);
	if (r == 0 && s->proto == IPPROTO_TCP)
		r = ask(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens);
	if (s->proto == IPPROTO_UDP)
		listens = !has_peer(fd);
	if (r == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &s->cookie, &len) < 0)
		r = -errno;
	if (r == 0 && (!listens || !v6only || !s->at.port))
		r = -EPROTOTYPE;
	return r;
}

static bool
is_known(const struct inherited *in, uint64_t cookie)
{
	size_t i;

	for (i = 0; i < in->n; i++)
		if (in->list[i].cookie == cookie)
			return true;
	return false;
}

int
inherited_add(struct inherited *in, int fd)
{
	struct inherited_socket s = {.fd = fd}, *more;
	int flags, r;

	r = look(fd, &s);
	if (r < 0)
		return r;
	if (is_known(in, s.cookie))
		return -EEXIST;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	more = realloc(in->list, (in->n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	in->list = more;
	in->list[in->n++] = s;
	return 0;
}

int
inherited_take(struct inherited *in, int proto, const struct endpoint *at)
{
	struct inherited_socket *s;
	size_t i;
	int fd;

	for (i = 0; i < in->n; i++) {
		s = &in->list[i];
		if (s->fd < 0 || s->proto != proto ||
		    !endpoint_equal(&s->at, at))
			continue;
		fd = s->fd;
		s->fd = -1;
		return fd;
	}
	return -1;
}

void
inherited_close(struct inherited *in)
{
	char text[ENDPOINT_TEXT_LEN];
	struct inherited_socket *s;
	size_t i;

	for (i = 0; i < in->n; i++) {
		s = &in->list[i];
		if (s->fd < 0)
			continue;
		log_notice("no service listens on %s %s any more",
			   s->proto == IPPROTO_UDP ? "udp" : "tcp",
			   endpoint_format(&s->at, text));
		close(s->fd);
	}
	free(in->list);
	memset(in, 0, sizeof(*in));
}
