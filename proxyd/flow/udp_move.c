/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp_move.c - both ends of udp_move.h.
 *
 * The sender goes on when the talk has room, the receiver takes some in each
 * turn: however many there are, other flows have their turns. A message that
 * was sent is there for the receiver also when the sender has ended.
 */
#include "proxyd/flow/udp_move.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/base/talk.h"
#include "proxyd/flow/udp.h"
#include "proxyd/flow/udp_life.h"
#include "proxyd/flow/udp_parcel.h"

enum { TURN = 64 }; /* flows sent or taken before others have their turn */

static void
stop(struct flows *fs, struct loop_source *source)
{
	if (!source->ready)
		return;
	loop_remove(fs->loop, source);
	close(source->fd);
	source->ready = NULL;
}

/* --- to another ----------------------------------------------------------- */

/* Is the flow's listener no longer ours? Another worker has it then. */
static bool
is_left(const struct udp_flow *f)
{
	const struct listeners *ls = f->flows->listeners;
	size_t i;

	for (i = 0; i < ls->n; i++)
		if (ls->list[i].service == f->service &&
		    ls->list[i].kind == f->kind && ls->list[i].sockets)
			return false;
	return true;
}

static int
send_flow(struct udp_flow *f, int fd)
{
	const int legs[2] = {f->client_fd, f->server_fd};
	struct udp_parcel parcel;
	int r;

	udp_parcel_pack(f, &parcel);
	r = talk_send(fd, &parcel, sizeof(parcel), legs, 2);
	if (r == 0)
		udp_life_leave(f);
	return r;
}

static void
on_room(void *owner, uint32_t events)
{
	struct flows *fs = owner;
	struct loop_source *to = &fs->udp->to;
	struct udp_flow *f, *after;
	int n = 0, r = 0;

	(void)events;
	for (f = TAILQ_FIRST(&fs->udp->list); f && n < TURN && r == 0;
	     f = after) {
		after = TAILQ_NEXT(f, link);
		if (f->wait || !f->moves)
			continue;
		r = send_flow(f, to->fd);
		n++;
	}
	if (r == 0 && f)
		loop_again(fs->loop, to);
	/* none is left, and none can come: the other need not wait for more */
	if (fs->udp->draining && !fs->udp->from.ready &&
	    TAILQ_EMPTY(&fs->udp->list))
		stop(fs, to);
	if (r == 0 || r == -EAGAIN)
		return;
	log_error("flows of udp do not move: %s", strerror(-r));
	stop(fs, to);
}

void
udp_move_to(struct flows *fs, int fd)
{
	if (!fs->udp || fs->udp->to.ready ||
	    loop_add(fs->loop, &fs->udp->to, fd, EPOLLOUT | EPOLLET, on_room,
		     fs) < 0)
		close(fd);
}

void
udp_move_look(struct flows *fs)
{
	struct udp_flow *f;

	if (!fs->udp)
		return;
	/* once it drains, what is left behind has no successor */
	TAILQ_FOREACH(f, &fs->udp->list, link)
	f->moves |= !fs->udp->draining && is_left(f);
	udp_life_look(fs);
}

/* --- from another --------------------------------------------------------- */

static void
take(struct flows *fs, const struct udp_parcel *p, ssize_t len,
     struct talk_fds *fds)
{
	const struct policy_service *s;

	if (!udp_parcel_check(p, (size_t)len) || fds->n != 2) {
		log_error("a flow of udp came in a form that is not known");
		return;
	}
	s = policy_service(fs->policy, p->service);
	if (!s || s->proto != PROTO_UDP) {
		log_notice("a flow of service %s ends: the policy has none of"
			   " that name",
			   p->service);
		return;
	}
	udp_resume(fs, s, p, fds->fd);
	fds->n = 0;
	/* we may be leaving ourselves by now */
	udp_move_look(fs);
}

static void
on_parcel(void *owner, uint32_t events)
{
	struct flows *fs = owner;
	struct udp_parcel parcel;
	struct talk_fds fds;
	ssize_t len;
	int i;

	(void)events;
	for (i = 0; i < TURN; i++) {
		fds.n = 0;
		len = talk_receive(fs->udp->from.fd, &parcel, sizeof(parcel),
				   &fds);
		if (len == -EAGAIN)
			return;
		if (len == 0) {
			stop(fs, &fs->udp->from);
			udp_move_look(fs);
			return;
		}
		if (len > 0)
			take(fs, &parcel, len, &fds);
		else
			log_error("a flow of udp is lost on its way: %s",
				  strerror((int)-len));
		talk_close(&fds);
	}
}

void
udp_move_from(struct flows *fs, int fd)
{
	if (!fs->udp || fs->udp->from.ready ||
	    loop_add(fs->loop, &fs->udp->from, fd, EPOLLIN, on_parcel, fs) < 0)
		close(fd);
}

bool
udp_move_expects(const struct flows *fs)
{
	return fs->udp && fs->udp->from.ready;
}

void
udp_move_fini(struct flows *fs)
{
	if (!fs->udp)
		return;
	stop(fs, &fs->udp->to);
	stop(fs, &fs->udp->from);
}
