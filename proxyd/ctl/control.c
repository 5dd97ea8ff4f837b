/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.c - the clients of control.h, each in its place.
 *
 * A client asks, waits, takes, and is gone; the first and the last have
 * their time, and how long it waits is the owner's matter. An answer is a
 * few pieces, texts or files, that are sent as the client takes them.
 */
#include "proxyd/ctl/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/json.h"

#include "proxyd/ctl/local.h"

enum {
	PAUSE_MS = 1000,
	CHUNK = 16 * 1024,
	CHUNKS_TURN = 16, /* in one turn of the loop */
};

enum client_state {
	CLIENT_ASKING,
	CLIENT_WAITING,
	CLIENT_TAKING,
};

struct piece {
	struct str text; /* owns; or */
	int fd;		 /* owns: a file; -1 */
};

struct control_client {
	struct control *control; /* borrows */
	uint64_t id;		 /* 0: this place is free */
	enum client_state state;
	int fd; /* owns */
	bool may_change;
	struct loop_source source;
	struct timer timer;
	char request[WIRE_REQUEST_MAX];
	size_t have;
	struct piece *pieces; /* owns */
	size_t n;
	size_t at;	/* the piece that is being sent */
	uint64_t taken; /* bytes of it */
};

/* --- pieces --------------------------------------------------------------- */

static struct piece *
add_piece(struct control_client *k, int fd)
{
	struct piece *more;

	more = realloc(k->pieces, (k->n + 1) * sizeof(*more));
	if (!more)
		return NULL;
	k->pieces = more;
	k->pieces[k->n] = (struct piece){.fd = fd};
	return &k->pieces[k->n++];
}

static void
drop_pieces(struct control_client *k)
{
	size_t i;

	for (i = 0; i < k->n; i++) {
		str_fini(&k->pieces[i].text);
		if (k->pieces[i].fd >= 0)
			close(k->pieces[i].fd);
	}
	free(k->pieces);
	k->pieces = NULL;
	k->n = k->at = 0;
}

static void
drop_client(struct control_client *k)
{
	/* a child that was just forked may have it, too */
	loop_remove(k->control->loop, &k->source);
	timer_clear(&k->control->loop->timers, &k->timer);
	drop_pieces(k);
	close(k->fd);
	k->id = 0;
}

/* --- the answer ----------------------------------------------------------- */

/* Up to CHUNK bytes of the piece; 0: there are no more. */
static ssize_t
send_chunk(struct control_client *k)
{
	const struct piece *p = &k->pieces[k->at];
	const char *from = p->text.data + k->taken;
	char buf[CHUNK];
	ssize_t n;

	if (p->fd >= 0) {
		n = pread(p->fd, buf, sizeof(buf), (off_t)k->taken);
		from = buf;
	} else {
		n = (ssize_t)(p->text.len - k->taken);
	}
	if (n <= 0)
		return n;
	return send(k->fd, from, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* As much as it takes now. */
static void
send_some(struct control_client *k)
{
	ssize_t n = 0;
	int i;

	for (i = 0; i < CHUNKS_TURN && k->at < k->n; i++) {
		n = send_chunk(k);
		if (n < 0)
			break;
		k->taken += (uint64_t)n;
		if (n > 0)
			continue;
		k->at++;
		k->taken = 0;
	}
	if (k->at == k->n || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
		drop_client(k);
}

static struct control_client *
find_client(struct control *c, uint64_t id)
{
	size_t i;

	for (i = 0; c->clients && id && i < CONTROL_CLIENTS; i++)
		if (c->clients[i].id == id &&
		    c->clients[i].state != CLIENT_TAKING)
			return &c->clients[i];
	return NULL;
}

struct str *
control_text(struct control *c, uint64_t id)
{
	struct control_client *k = find_client(c, id);
	struct piece *p;

	if (!k)
		return NULL;
	p = k->n ? &k->pieces[k->n - 1] : NULL;
	if (!p || p->fd >= 0)
		p = add_piece(k, -1);
	if (!p) {
		drop_client(k);
		return NULL;
	}
	return &p->text;
}

void
control_file(struct control *c, uint64_t id, int fd)
{
	struct control_client *k = find_client(c, id);

	if (k && add_piece(k, fd))
		return;
	close(fd);
	if (k)
		drop_client(k);
}

void
control_send(struct control *c, uint64_t id)
{
	struct control_client *k = find_client(c, id);

	if (!k)
		return;
	k->state = CLIENT_TAKING;
	timer_set(&c->loop->timers, &k->timer,
		  c->loop->now_ms + CONTROL_TAKE_MS);
	if (loop_change(c->loop, &k->source, EPOLLOUT) < 0)
		drop_client(k);
}

/* {"error": "usage", "why": "..."} */
static void
format_refusal(struct str *out, const char *error, const char *why)
{
	struct json j;

	json_init(&j, out, true);
	json_object(&j, NULL);
	json_string(&j, "error", error);
	json_string(&j, "why", why);
	json_end(&j);
}

void
control_refuse(struct control *c, uint64_t id, const char *error,
	       const char *why)
{
	struct control_client *k = find_client(c, id);
	struct str *text;

	if (!k)
		return;
	drop_pieces(k);
	text = control_text(c, id);
	if (!text)
		return;
	format_refusal(text, error, why);
	control_send(c, id);
}

/* --- the question --------------------------------------------------------- */

static void
take_request(struct control_client *k, size_t len)
{
	struct control *c = k->control;
	struct wire_request r = {0};
	struct str why = {0};

	k->state = CLIENT_WAITING;
	timer_clear(&c->loop->timers, &k->timer);
	/* only that it hangs up is of interest now, and that always comes */
	if (loop_change(c->loop, &k->source, 0) < 0) {
		drop_client(k);
	} else if (wire_parse(k->request, len, &r, &why) < 0) {
		control_refuse(c, k->id, CONTROL_USAGE, str_text(&why));
	} else if (wire_changes(r.command) && !k->may_change) {
		str_addf(&why,
			 "'%s' is for root, and for the user that proxyd has"
			 " become",
			 wire_word(r.command));
		control_refuse(c, k->id, CONTROL_NOT_PERMITTED, str_text(&why));
	} else {
		c->owner.ask(c->owner.owner, k->id, &r);
	}
	str_fini(&why);
}

static void
read_request(struct control_client *k)
{
	char *end;
	ssize_t n;

	n = recv(k->fd, k->request + k->have, sizeof(k->request) - k->have,
		 MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (n <= 0) {
		drop_client(k);
		return;
	}
	k->have += (size_t)n;
	end = memchr(k->request, '\n', k->have);
	if (end)
		take_request(k, (size_t)(end - k->request));
	else if (k->have == sizeof(k->request))
		take_request(k, k->have);
}

static void
on_client(void *owner, uint32_t events)
{
	struct control_client *k = owner;

	switch (k->state) {
	case CLIENT_ASKING:
		read_request(k);
		break;
	case CLIENT_WAITING:
		if (events & (EPOLLHUP | EPOLLERR))
			drop_client(k);
		break;
	case CLIENT_TAKING:
		send_some(k);
		break;
	}
}

static void
on_late(void *owner)
{
	drop_client(owner);
}

/* --- the door ------------------------------------------------------------- */

/* Who is it, as of connect(2)? Source: unix(7), SO_PEERCRED. */
static bool
may_change(int fd)
{
	struct ucred who = {.uid = (uid_t)-1};
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return false;
	return who.uid == 0 || who.uid == geteuid();
}

/* It fits into any socket's buffer. */
static void
refuse_at_once(int fd)
{
	struct str text = {0};

	format_refusal(&text, CONTROL_FAILED,
		       "too many others are asking; try again");
	(void)send(fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	str_fini(&text);
	close(fd);
}

static void
let_in(struct control *c, int fd)
{
	struct control_client *k = c->clients;

	while (k < c->clients + CONTROL_CLIENTS && k->id)
		k++;
	if (k == c->clients + CONTROL_CLIENTS) {
		refuse_at_once(fd);
		return;
	}
	memset(k, 0, sizeof(*k));
	k->control = c;
	k->id = ++c->last_id;
	k->fd = fd;
	k->may_change = may_change(fd);
	timer_init(&k->timer, on_late, k);
	timer_set(&c->loop->timers, &k->timer,
		  c->loop->now_ms + CONTROL_ASK_MS);
	if (loop_add(c->loop, &k->source, fd, EPOLLIN, on_client, k) < 0)
		drop_client(k);
}

static void
on_door(void *owner, uint32_t events)
{
	struct control *c = owner;
	int fd;

	(void)events;
	fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		let_in(c, fd);
	} else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
		loop_remove(c->loop, &c->door);
		timer_set(&c->loop->timers, &c->pause,
			  c->loop->now_ms + PAUSE_MS);
	}
}

static void
on_pause_over(void *owner)
{
	struct control *c = owner;

	if (loop_add(c->loop, &c->door, c->fd, EPOLLIN, on_door, c) < 0)
		timer_set(&c->loop->timers, &c->pause,
			  c->loop->now_ms + PAUSE_MS);
}

/* --- all of it ------------------------------------------------------------ */

int
control_open(struct control *c, struct loop *l, const char *path,
	     struct control_owner owner, struct str *why)
{
	int r;

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->loop = l;
	c->path = path;
	c->owner = owner;
	timer_init(&c->pause, on_pause_over, c);
	c->clients = calloc(CONTROL_CLIENTS, sizeof(*c->clients));
	r = c->clients ? local_listen(path, &c->fd) : -ENOMEM;
	if (r == 0)
		r = loop_add(l, &c->door, c->fd, EPOLLIN, on_door, c);
	if (r < 0) {
		str_addf(why, "proxyctl will not find this proxyd: ");
		local_explain(path, r, why);
		control_close(c);
	}
	return r;
}

void
control_withdraw(struct control *c)
{
	/* somebody may have taken it away, or put another there */
	if (c->clients && c->fd >= 0)
		(void)unlink(c->path);
}

void
control_close(struct control *c)
{
	size_t i;

	if (!c->clients)
		return;
	for (i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].id)
			drop_client(&c->clients[i]);
	if (c->fd >= 0) {
		loop_forget(c->loop, &c->door);
		timer_clear(&c->loop->timers, &c->pause);
		close(c->fd);
	}
	free(c->clients);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}
