/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp_legs.c - sockets and batches behind udp_legs.h. */
#include "proxyd/flow/udp_legs.h"

#include <errno.h>

#include "proxyd/base/sock.h"

enum { TURNS = 4 }; /* batches of a leg before others have their turn */

#define LEG_EVENTS (EPOLLIN | EPOLLET)

/* Keep the client's port if nobody has it, or only we, to other servers. */
static int
open_upstream(struct udp_flow *f, int *ret_fd)
{
	struct upstream *u = &f->decision.upstream;
	struct pairs *sources = &f->flows->udp->sources;
	int r;

	r = datagram_connect(u, false, ret_fd);
	if (r == -EADDRINUSE && u->source.port &&
	    pairs_has_first(sources, &u->source) &&
	    !pairs_find(sources, &u->source, &u->target))
		r = datagram_connect(u, true, ret_fd);
	if ((r == -EADDRINUSE || r == -EADDRNOTAVAIL) && u->source.port) {
		u->source.port = 0;
		f->port_taken = true;
		r = datagram_connect(u, false, ret_fd);
	}
	/* answers are counted as they come */
	if (r == 0 && f->service->responses)
		datagram_apart(*ret_fd);
	/* the kernel's word for no free port, if it is to choose one */
	return r == -EAGAIN ? -EADDRINUSE : r;
}

int
udp_legs_wait(struct udp_flow *f,
	      void (*on_client)(void *flow, uint32_t events),
	      void (*on_server)(void *flow, uint32_t events))
{
	struct loop *loop = f->flows->loop;
	int r;

	r = loop_add(loop, &f->client_source, f->client_fd, LEG_EVENTS,
		     on_client, f);
	if (r == 0)
		r = loop_add(loop, &f->server_source, f->server_fd, LEG_EVENTS,
			     on_server, f);
	return r;
}

int
udp_legs_open(struct udp_flow *f,
	      void (*on_client)(void *flow, uint32_t events),
	      void (*on_server)(void *flow, uint32_t events))
{
	uint32_t mark = 0;
	int r;

	if (f->kind == LISTENER_TPROXY)
		mark = policy_mark_tproxied(f->flows->policy);
	r = open_upstream(f, &f->server_fd);
	if (r < 0)
		return r;
	udp_life_sourced(f);
	r = datagram_answering(&f->pair.b, &f->pair.a, mark,
			       f->kind == LISTENER_LISTEN, &f->client_fd);
	if (r == 0)
		r = udp_legs_wait(f, on_client, on_server);
	return r;
}

/*
 * Pass a batch on. Strays first: they have nothing to do with this flow,
 * which may end with what is its own.
 */
static bool
pass_all(struct udp_flow *f, unsigned int n, const struct endpoint *peer,
	 bool (*pass)(struct udp_flow *f, unsigned int i, unsigned int n),
	 void (*stray)(struct udp_flow *f, unsigned int i))
{
	struct datagram_batch *b = f->flows->udp->batch;
	unsigned int i, run = datagram_run(b, 0, peer);

	if (run == n)
		return pass(f, 0, n);
	for (i = 0; i < n; i++)
		if (!datagram_run(b, i, peer))
			stray(f, i);
	for (i = 0; i < n; i += run ? run : 1) {
		run = datagram_run(b, i, peer);
		if (run && !pass(f, i, run))
			return false;
	}
	return true;
}

int
udp_legs_pump(struct udp_flow *f, int fd, struct loop_source *source,
	      const struct endpoint *peer,
	      bool (*pass)(struct udp_flow *f, unsigned int i, unsigned int n),
	      void (*stray)(struct udp_flow *f, unsigned int i))
{
	int i, n;

	for (i = 0; i < TURNS; i++) {
		n = datagram_receive(f->flows->udp->batch, fd);
		if (n < 0)
			return n == -EAGAIN ? 0 : n;
		if (!pass_all(f, (unsigned int)n, peer, pass, stray))
			return -ECANCELED;
		if (n < DATAGRAM_BATCH)
			return 0;
	}
	loop_again(f->flows->loop, source);
	return 0;
}

int
udp_legs_error(int fd, uint32_t events)
{
	int error = events & EPOLLERR ? sock_take_error(fd) : 0;

	if (error != EMSGSIZE)
		return error;
	/* one was too long for the way; the kernel knows better now */
	datagram_clear_errors(fd);
	return 0;
}
