/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp.c - whose datagram is this, and where does it go?
 *
 * A leg to a client can only be connected after it was bound, and for that
 * moment some catch what other clients send to the same address. So the
 * sender of each datagram is looked at, wherever it was received: it is
 * handed to the flow that it belongs to, or begins one, just as if it had
 * come to the listener. What queued at the listener behind the first one of
 * a flow finds its flow in the same way.
 *
 * A flow may end in any call that passes datagrams on; nothing of it is
 * touched after that. While a leg's batch is in hand, that flow is `busy`
 * and is not the one that has to go when there is no room for another.
 */
#include "proxyd/flow/udp.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/flow/decide.h"
#include "proxyd/flow/tell.h"
#include "proxyd/flow/udp_legs.h"
#include "proxyd/flow/udp_life.h"
#include "proxyd/flow/udp_parcel.h"
#include "proxyd/flow/why.h"
#include "proxyd/net/origdst.h"

enum {
	TURNS = 4, /* batches of a listener before others have their turn */
	ORIGIN_MS = 1000, /* the tracker's time to answer */
	DRAIN_MS = 1000,
	YOUNG_MS = 1000, /* so long every flow may wait for its answer */
};

/* How a datagram came to the box. */
struct arrival {
	const struct policy_service *service; /* borrows from the policy */
	enum listener_kind kind;
	struct endpoint client;
	struct endpoint at;
};

/* --- setting up ----------------------------------------------------------- */

static bool
is_needed(const struct policy *p)
{
	size_t i;

	for (i = 0; i < p->n_services; i++)
		if (p->services[i].proto == PROTO_UDP)
			return true;
	return false;
}

int
udp_init(struct flows *fs)
{
	struct siphash_key key;
	struct udp *udp;
	int r;

	if (!is_needed(fs->policy))
		return 0;
	if (getrandom(&key, sizeof(key), 0) < 0)
		return -errno;
	udp = fs->udp = calloc(1, sizeof(*udp));
	if (!udp)
		return -ENOMEM;
	TAILQ_INIT(&udp->list);
	TAILQ_INIT(&udp->young);
	r = pairs_init(&udp->clients, PAIRS_BY_BOTH, fs->max, &key);
	if (r == 0)
		r = pairs_init(&udp->sources, PAIRS_BY_FIRST, fs->max, &key);
	udp->batch = datagram_batch_new();
	if (r == 0 && !udp->batch)
		r = -ENOMEM;
	if (r < 0)
		udp_fini(fs);
	return r;
}

void
udp_fini(struct flows *fs)
{
	struct udp *udp = fs->udp;

	if (!udp)
		return;
	assert(TAILQ_EMPTY(&udp->list) && !udp->kept);
	datagram_batch_free(udp->batch);
	pairs_fini(&udp->clients);
	pairs_fini(&udp->sources);
	free(udp);
	fs->udp = NULL;
}

/* --- passing on ----------------------------------------------------------- */

static void finish(struct udp_flow *f, enum reason reason);

/* False: the flow has ended. */
static bool
sent_to_server(struct udp_flow *f, const struct datagram_sent *sent)
{
	f->bytes_in += sent->bytes;
	f->dropped += sent->dropped;
	f->owed += sent->n * f->service->responses;
	f->active_ms = f->flows->loop->now_ms;
	if (!sent->error)
		return true;
	udp_life_end(f, why_not_connected(sent->error));
	return false;
}

/* Items of the batch, from the client. False: the flow has ended. */
static bool
to_server(struct udp_flow *f, unsigned int i, unsigned int n)
{
	struct datagram_batch *b = f->flows->udp->batch;
	struct datagram_sent sent = {0};
	uint32_t len;
	uint16_t piece;
	const void *data;

	for (; f->wait && n; i++, n--) {
		data = datagram_data(b, i, &len, &piece);
		udp_life_keep(f, data, len, piece);
	}
	if (!n)
		return true;
	datagram_send(b, i, n, f->server_fd, &f->server_join, &sent);
	return sent_to_server(f, &sent);
}

/* Why the leg to the client gave this error. */
static enum reason
why_not_answered(const struct udp_flow *f, int error)
{
	if (error != EPERM)
		return REASON_CLIENT_LOST;
	/* the rules' guard: its redirection is forgotten */
	return f->kind == LISTENER_TPROXY ? REASON_DENIED : REASON_NAT_EXPIRED;
}

/* Items of the batch, from the server. False: the flow has ended. */
static bool
to_client(struct udp_flow *f, unsigned int i, unsigned int n)
{
	struct datagram_sent sent = {0};

	if (f->service->responses && n > f->owed)
		n = (unsigned int)f->owed;
	datagram_send(f->flows->udp->batch, i, n, f->client_fd, &f->client_join,
		      &sent);
	f->bytes_out += sent.bytes;
	f->dropped += sent.dropped;
	f->active_ms = f->flows->loop->now_ms;
	udp_life_answered(f);
	if (sent.error) {
		udp_life_end(f, why_not_answered(f, sent.error));
		return false;
	}
	if (!f->service->responses)
		return true;
	f->owed -= n;
	if (f->owed)
		return true;
	finish(f, REASON_ANSWERED);
	return false;
}

/* --- an event of a leg ---------------------------------------------------- */

static void take(struct flows *fs, const struct arrival *a, unsigned int i);

/* Those that are not its client's go to whom they belong. */
static void
hand_over(struct udp_flow *f, unsigned int i)
{
	struct arrival a = {
		.service = f->service,
		.kind = f->kind,
		.client = datagram_from(f->flows->udp->batch, i),
		.at = f->pair.b,
	};

	f->flows->udp->busy = f;
	take(f->flows, &a, i);
	f->flows->udp->busy = NULL;
}

/* Somebody sent to the address that we spoof, before it was connected. */
static void
drop_stray(struct udp_flow *f, unsigned int i)
{
	uint32_t len;
	uint16_t piece;

	datagram_data(f->flows->udp->batch, i, &len, &piece);
	f->dropped += datagram_count(len, piece);
}

static void
on_client(void *owner, uint32_t events)
{
	struct udp_flow *f = owner;
	int r;

	assert(f->magic == UDP_MAGIC);
	r = -udp_legs_error(f->client_fd, events);
	if (r == 0)
		r = udp_legs_pump(f, f->client_fd, &f->client_source,
				  &f->pair.a, to_server, hand_over);
	if (r < 0 && r != -ECANCELED)
		udp_life_end(f, why_not_answered(f, -r));
}

static void
on_server(void *owner, uint32_t events)
{
	struct udp_flow *f = owner;
	int r;

	assert(f->magic == UDP_MAGIC);
	/* what came before the error is still passed on */
	r = udp_legs_pump(f, f->server_fd, &f->server_source,
			  &f->decision.upstream.target, to_client, drop_stray);
	if (r == 0)
		r = -udp_legs_error(f->server_fd, events);
	if (r < 0 && r != -ECANCELED)
		udp_life_end(f, why_not_connected(-r));
}

/*
 * End it, but lose nothing that its client sent meanwhile: that begins
 * another one. Uses the batch.
 */
static void
finish(struct udp_flow *f, enum reason reason)
{
	struct arrival a = {
		.service = f->service, .kind = f->kind, .at = f->pair.b};
	struct flows *fs = f->flows;
	int fd = f->client_fd, i, n = 0;

	if (fd >= 0) {
		datagram_turn_away(fd, &a.at);
		n = datagram_receive(fs->udp->batch, fd);
	}
	udp_life_end(f, reason);
	for (i = 0; i < n; i++) {
		a.client = datagram_from(fs->udp->batch, (unsigned int)i);
		take(fs, &a, (unsigned int)i);
	}
}

/* --- relaying begins ---------------------------------------------------------
 */

static void
set_limit(struct udp_flow *f)
{
	uint32_t idle_ms = f->service->timeout_ms[TIMEOUT_IDLE];
	struct timers *ts = &f->flows->loop->timers;

	if (f->flows->udp->draining)
		timer_set(ts, &f->timer, f->flows->loop->now_ms + DRAIN_MS);
	else if (idle_ms)
		timer_set(ts, &f->timer, f->active_ms + idle_ms);
	else /* 0 in the policy: no limit */
		timer_clear(ts, &f->timer);
}

/* What waited goes first. False: the flow has ended. */
static bool
begin_relaying(struct udp_flow *f)
{
	struct datagram_sent sent = {0};
	struct udp_wait *w = f->wait;
	const struct udp_item *item;
	unsigned int i;

	f->active_ms = f->flows->loop->now_ms;
	set_limit(f);
	udp_life_look(f->flows);
	for (i = 0; w && i < w->n; i++) {
		item = &w->items[i];
		datagram_send_bytes(f->server_fd, item->data, item->len,
				    item->piece, &sent);
	}
	udp_life_unwait(f);
	return sent_to_server(f, &sent);
}

/* --- where to ------------------------------------------------------------- */

/* False: the flow has ended. */
static bool
choose(struct udp_flow *f)
{
	struct decide_ask ask = {
		.service = f->service,
		.client = f->client,
		.destination = f->destination,
		.via = f->via,
		.captured = f->kind != LISTENER_LISTEN,
	};
	enum reason reason;
	int r;

	reason = flows_decide(f->flows, &ask, &f->decision);
	if (reason == REASON_NONE) {
		r = udp_legs_open(f, on_client, on_server);
		if (r == 0)
			return begin_relaying(f);
		reason = why_not_connected(-r);
	}
	udp_life_end(f, reason);
	return false;
}

static void
on_origin(void *owner, const struct tracker_answer *answer)
{
	struct udp_flow *f = owner;

	assert(f->magic == UDP_MAGIC);
	if (!answer->error) {
		f->client = answer->client;
		f->destination = answer->destination;
		f->via = endpoint_equal(&f->destination, &f->pair.b)
				 ? RECORD_VIA_LOCAL
				 : RECORD_VIA_CONNTRACK;
	} else if (f->kind == LISTENER_LISTEN &&
		   origdst_untracked(f->flows->count_fd)) {
		/* on a box without conntrack nobody redirects */
		f->destination = f->pair.b;
		f->via = RECORD_VIA_LOCAL;
	}
	choose(f);
}

/* False: the flow has ended. */
static bool
ask_origin(struct udp_flow *f)
{
	struct flows *fs = f->flows;

	f->wait = calloc(1, sizeof(*f->wait));
	if (!f->wait) {
		udp_life_end(f, REASON_RESOURCES);
		return false;
	}
	timer_set(&fs->loop->timers, &f->timer, fs->loop->now_ms + ORIGIN_MS);
	f->wait->question.ask = (struct tracker_ask){
		.kind = TRACKER_ORIGIN,
		.proto = PROTO_UDP,
		.from = f->pair.b,
		.to = f->pair.a,
	};
	asker_ask(&fs->asker, &f->wait->question, on_origin, f);
	return true;
}

/* Tproxy leaves the destination as it is: never ask conntrack about it. */
static bool
take_destination(struct udp_flow *f)
{
	f->destination = f->pair.b;
	f->via = flows_is_loop(f->flows, PROTO_UDP, &f->pair.b)
			 ? RECORD_VIA_LOCAL
			 : RECORD_VIA_SOCKET;
	return choose(f);
}

/* --- beginning ------------------------------------------------------------ */

/*
 * Bytes that move do not touch the timer, only active_ms; so it may fire too
 * early and is then set for the rest.
 */
static void
on_timer(void *owner)
{
	struct udp_flow *f = owner;
	struct flows *fs = f->flows;
	struct loop *l = fs->loop;

	assert(f->magic == UDP_MAGIC);
	if (fs->udp->draining)
		udp_life_end(f, REASON_DRAIN_TIMEOUT);
	else if (f->wait)
		udp_life_end(f, REASON_TRACKER_TIMEOUT);
	else if (l->now_ms >=
		 f->active_ms + f->service->timeout_ms[TIMEOUT_IDLE])
		finish(f, REASON_IDLE_TIMEOUT);
	else
		set_limit(f);
	udp_life_look(fs);
}

bool
udp_make_room(struct flows *fs)
{
	struct udp_flow *f;

	if (fs->n < fs->max)
		return true;
	f = fs->udp ? TAILQ_FIRST(&fs->udp->young) : NULL;
	if (!f || f == fs->udp->busy ||
	    fs->loop->now_ms < f->opened_ms + YOUNG_MS)
		return false;
	udp_life_end(f, REASON_CROWDED_OUT);
	return true;
}

static bool
have_room(struct flows *fs)
{
	uint64_t held;

	if (udp_make_room(fs))
		return true;
	shm_count(&fs->own->counts.shed);
	if (limiter_pass(&fs->udp->said_full, fs->loop->now_ms, &held))
		log_warn("a datagram of a new client is dropped, and %" PRIu64
			 " were before: the flow table is full",
			 held);
	return false;
}

/*
 * Begin a flow that holds what its service's limits ask for. NULL: there is
 * none, and nothing is held.
 */
static struct udp_flow *
begin_within(struct flows *fs, const struct arrival *a)
{
	enum limit_verdict verdict;
	struct udp_flow *f = NULL;
	struct limit_hold hold;

	verdict = limit_take(&fs->limit, a->service, &a->client.addr,
			     fs->loop->now_ms, &hold);
	if (verdict == LIMIT_REFUSE)
		tell_refusal(fs, a->service, &a->client, &a->at, REASON_LIMIT);
	else if (have_room(fs))
		f = udp_life_new(fs, a->service, a->kind, &a->client, &a->at,
				 on_timer);
	if (!f) {
		limit_give(&fs->limit, &hold);
		return NULL;
	}
	f->hold = hold;
	f->tested = verdict == LIMIT_TEST;
	return f;
}

/* A flow for this client; NULL: there is none, and that has been said. */
static struct udp_flow *
begin(struct flows *fs, const struct arrival *a)
{
	struct udp_flow *f;
	bool lives;

	/* what begins now may still move on */
	if (fs->udp->draining && !fs->udp->to.ready)
		return NULL;
	f = begin_within(fs, a);
	if (!f)
		return NULL;
	if (a->kind == LISTENER_TPROXY)
		lives = take_destination(f);
	else
		lives = ask_origin(f);
	return lives ? f : NULL;
}

/* The batch's item `i`: to its flow, or to a new one. */
static void
take(struct flows *fs, const struct arrival *a, unsigned int i)
{
	struct udp_flow *f;

	f = pairs_find(&fs->udp->clients, &a->client, &a->at);
	if (!f)
		f = begin(fs, a);
	if (f)
		to_server(f, i, 1);
}

bool
udp_receive(struct flows *fs, const struct listener *l, int fd)
{
	struct arrival a = {.service = l->service, .kind = l->kind};
	struct datagram_batch *b = fs->udp->batch;
	int i, k, n = DATAGRAM_BATCH;

	for (i = 0; i < TURNS && n == DATAGRAM_BATCH; i++) {
		n = datagram_receive(b, fd);
		for (k = 0; k < n; k++) {
			a.client = datagram_from(b, (unsigned int)k);
			a.at = datagram_to(b, (unsigned int)k,
					   l->endpoint.port);
			if (a.at.addr.family)
				take(fs, &a, (unsigned int)k);
		}
	}
	return n == DATAGRAM_BATCH;
}

/* --- going on ------------------------------------------------------------- */

void
udp_resume(struct flows *fs, const struct policy_service *s,
	   const struct udp_parcel *p, const int legs[2])
{
	struct udp_flow *f;

	f = udp_life_new(fs, s, (enum listener_kind)p->kind, &p->a, &p->b,
			 on_timer);
	if (!f) {
		close(legs[0]);
		close(legs[1]);
		return;
	}
	udp_parcel_unpack(p, f);
	limit_resume(&fs->limit, s, &f->client.addr, &f->hold);
	f->client_fd = legs[0];
	f->server_fd = legs[1];
	udp_life_sourced(f);
	if (fs->n > fs->max || udp_legs_wait(f, on_client, on_server) < 0)
		udp_life_end(f, REASON_RESOURCES);
	else
		set_limit(f);
}

/* --- ending --------------------------------------------------------------- */

void
udp_drain(struct flows *fs)
{
	struct udp_flow *f;

	if (!fs->udp)
		return;
	fs->udp->draining = true;
	TAILQ_FOREACH(f, &fs->udp->list, link)
	set_limit(f);
	udp_life_look(fs);
}

void
udp_end_all(struct flows *fs, enum reason reason)
{
	while (fs->udp && !TAILQ_EMPTY(&fs->udp->list))
		udp_life_end(TAILQ_FIRST(&fs->udp->list), reason);
}
