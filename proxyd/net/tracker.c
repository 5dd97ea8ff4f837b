/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracker.c - questions to conntrack, one after the other.
 *
 * One query takes some microseconds, so this process simply blocks in it.
 * It must never block on a worker: an answer that does not fit into the
 * socket is dropped, and the worker's timer ends that flow.
 *
 * The kernel looks a tuple up in either direction, but the library sends an
 * empty original tuple unless ATTR_ORIG_* are set: so the tuple we have
 * goes there, whichever direction it is.
 */
#include "proxyd/net/tracker.h"

#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/base/talk.h"
#include "proxyd/net/elements.h"

struct tracker {
	struct nfct_handle *nfct; /* owns; NULL: conntrack cannot be asked */
	struct tracker_answer answer; /* the one being filled */
};

static struct endpoint
read_endpoint(const struct nf_conntrack *ct, enum nf_conntrack_attr attr4,
	      enum nf_conntrack_attr attr6, enum nf_conntrack_attr port)
{
	struct endpoint e;
	const void *bytes;
	bool v6;

	memset(&e, 0, sizeof(e));
	v6 = nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO) == AF_INET6;
	bytes = nfct_get_attr(ct, v6 ? attr6 : attr4);
	if (!bytes)
		return e;
	e.addr.family = v6 ? AF_INET6 : AF_INET;
	memcpy(e.addr.bytes, bytes, addr_bits(&e.addr) / 8);
	e.port = ntohs(nfct_get_attr_u16(ct, port));
	return e;
}

/* The library's callback for each entry of an answer. */
static int
see_entry(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct tracker *t = data;

	(void)type;
	t->answer.client = read_endpoint(
		ct, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC, ATTR_ORIG_PORT_SRC);
	t->answer.destination = read_endpoint(
		ct, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST, ATTR_ORIG_PORT_DST);
	return NFCT_CB_CONTINUE;
}

/* The tuple, as the library wants it. */
static struct nf_conntrack *
make_entry(const struct tracker_ask *ask)
{
	const struct endpoint *from = &ask->from, *to = &ask->to;
	bool v6 = from->addr.family == AF_INET6;
	struct nf_conntrack *ct;

	ct = nfct_new();
	if (!ct)
		return NULL;
	nfct_set_attr_u8(ct, ATTR_L3PROTO, from->addr.family);
	nfct_set_attr(ct, v6 ? ATTR_ORIG_IPV6_SRC : ATTR_ORIG_IPV4_SRC,
		      from->addr.bytes);
	nfct_set_attr(ct, v6 ? ATTR_ORIG_IPV6_DST : ATTR_ORIG_IPV4_DST,
		      to->addr.bytes);
	nfct_set_attr_u8(ct, ATTR_L4PROTO,
			 ask->proto == PROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_ORIG_PORT_SRC, htons(from->port));
	nfct_set_attr_u16(ct, ATTR_ORIG_PORT_DST, htons(to->port));
	return ct;
}

static int
find_origin(struct tracker *t, const struct tracker_ask *ask)
{
	struct nf_conntrack *ct;
	int r = 0;

	ct = make_entry(ask);
	if (!ct)
		return -ENOMEM;
	if (nfct_query(t->nfct, NFCT_Q_GET, ct) < 0)
		r = -errno;
	else if (!t->answer.client.addr.family)
		r = -ENOENT;
	nfct_destroy(ct);
	return r;
}

/* Source: `ct original zone` gives the tuple, not the entry, its zone. */
static int
evict(struct tracker *t, const struct tracker_ask *ask)
{
	struct nf_conntrack *ct;
	int r = 0;

	ct = make_entry(ask);
	if (!ct)
		return -ENOMEM;
	nfct_set_attr_u16(ct, ATTR_ORIG_ZONE, ask->zone);
	if (nfct_query(t->nfct, NFCT_Q_DESTROY, ct) < 0)
		r = -errno;
	nfct_destroy(ct);
	return r;
}

static int
query(struct tracker *t, const struct tracker_ask *ask)
{
	if (!t->nfct)
		return -EOPNOTSUPP;
	switch ((enum tracker_kind)ask->kind) {
	case TRACKER_ORIGIN:
		return find_origin(t, ask);
	case TRACKER_EVICT:
		return evict(t, ask);
	}
	return -EINVAL;
}

/* Answer what waits; false when nobody can ask any more. */
static bool
serve(struct tracker *t, int fd)
{
	struct tracker_answer *answer = &t->answer;
	struct tracker_ask ask;
	ssize_t n;

	n = recv(fd, &ask, sizeof(ask), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n != sizeof(ask))
		return n != 0;
	memset(answer, 0, sizeof(*answer));
	answer->id = ask.id;
	answer->error = query(t, &ask);
	(void)send(fd, answer, sizeof(*answer), MSG_DONTWAIT | MSG_NOSIGNAL);
	return true;
}

/* The names of all alive sets; NULL: no memory. The caller frees both. */
static const char **
alive_sets(const struct policy *p, char **ret_text, size_t *ret_n)
{
	const char **sets = calloc(p->n_services + 1, sizeof(*sets));
	char *text = calloc(p->n_services + 1, POLICY_ALIVE_SET_LEN);
	size_t i, n = 0;

	if (!sets || !text) {
		free(sets);
		free(text);
		return NULL;
	}
	for (i = 0; i < p->n_services; i++) {
		if (!p->services[i].n_intercepts)
			continue;
		sets[n] = policy_alive_set(&p->services[i],
					   text + n * POLICY_ALIVE_SET_LEN);
		n++;
	}
	*ret_text = text;
	*ret_n = n;
	return sets;
}

static void
end_alive_sets(const struct policy *p)
{
	int r = -ENOMEM;
	const char **sets;
	char *text;
	size_t n;

	sets = alive_sets(p, &text, &n);
	if (sets) {
		r = elements_clear(sets, n);
		free(sets);
		free(text);
	}
	if (r < 0)
		log_error("cannot empty the alive sets: %s", strerror(-r));
}

static void
open_handle(struct tracker *t)
{
	memset(t, 0, sizeof(*t));
	t->nfct = nfct_open(CONNTRACK, 0);
	if (!t->nfct) {
		log_warn("tracker: cannot ask conntrack: %s", strerror(errno));
		return;
	}
	nfct_callback_register(t->nfct, NFCT_T_ALL, see_entry, t);
}

static void
close_handle(struct tracker *t)
{
	if (!t->nfct)
		return;
	nfct_callback_unregister(t->nfct);
	nfct_close(t->nfct);
}

/* What the master has to say. False: nobody says anything any more. */
static bool
hear(int talk_fd, bool *ret_leave)
{
	struct tracker_order order = {0};
	ssize_t n;

	n = talk_receive(talk_fd, &order, sizeof(order), NULL);
	if (n > 0 && order.kind == TRACKER_LEAVE)
		*ret_leave = true;
	return n != 0;
}

/* Until the master is gone, or says so: then true. */
static bool
answer_all(struct tracker *t, struct pollfd *fds, size_t n)
{
	bool leave = false;
	size_t i;

	while (!leave) {
		if (poll(fds, n + 1, -1) < 0 && errno != EINTR)
			break;
		if (fds[n].revents && !hear(fds[n].fd, &leave))
			break;
		for (i = 0; i < n; i++)
			if (fds[i].revents && !serve(t, fds[i].fd))
				fds[i].fd = -1;
	}
	return leave;
}

int
tracker_run(const struct policy *p, const int *fds, size_t n, int talk_fd)
{
	struct pollfd *wait;
	struct tracker t;
	size_t i;

	wait = calloc(n + 1, sizeof(*wait));
	if (!wait)
		return EXIT_FAILURE;
	for (i = 0; i <= n; i++)
		wait[i] = (struct pollfd){
			.fd = i < n ? fds[i] : talk_fd,
			.events = POLLIN,
		};
	open_handle(&t);
	if (!answer_all(&t, wait, n))
		end_alive_sets(p);
	close_handle(&t);
	free(wait);
	return 0;
}
