/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.h - the socket at which administrators ask.
 *
 * Takes one request from each client, hands it over, sends the answer when
 * there is one, and closes. Knows who may ask what; what the answers are is
 * the owner's business. Never waits: a client that is silent, slow or one
 * too many is cut off, and costs nobody else anything.
 */
#ifndef PROXYD_CTL_CONTROL_H
#define PROXYD_CTL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"

#include "proxyd/base/loop.h"
#include "proxyd/base/timer.h"
#include "proxyd/ctl/wire.h"

enum {
	CONTROL_CLIENTS = 16,	 /* at once */
	CONTROL_ASK_MS = 2000,	 /* to send a request */
	CONTROL_TAKE_MS = 10000, /* to take the answer */
};

/* Why there is no answer: "error" of the document, see proxyctl(8). */
#define CONTROL_USAGE "usage"
#define CONTROL_NOT_PERMITTED "not-permitted"
#define CONTROL_POLICY "policy"
#define CONTROL_FAILED "failed"

struct control;
struct control_client;

/*
 * A client asks, and may. `id` is never 0 and never the same again; sooner
 * or later control_send() or control_refuse() follows.
 */
struct control_owner {
	void (*ask)(void *owner, uint64_t id, const struct wire_request *r);
	void *owner; /* borrows */
};

struct control {
	struct loop *loop; /* borrows */
	const char *path;  /* borrows */
	int fd;		   /* owns; -1: there is no socket */
	struct loop_source door;
	struct timer pause; /* of the door: no descriptor was left */
	struct control_owner owner;
	struct control_client *clients; /* owns: CONTROL_CLIENTS */
	uint64_t last_id;
};

/*
 * Listen at `path`, as local_listen() does. 0, or -errno: then `why` says it,
 * nothing is open and all the calls below do nothing.
 */
int control_open(struct control *c, struct loop *l, const char *path,
		 struct control_owner owner, struct str *why);

/* Take the name away, that nobody new comes. */
void control_withdraw(struct control *c);

/*
 * Close all, and leave the name to whoever still listens. In a child, after
 * loop_fini().
 */
void control_close(struct control *c);

/*
 * Where to add the text that this client gets next; NULL: it is gone, or
 * gets its answer already. Valid until the next call.
 */
struct str *control_text(struct control *c, uint64_t id);

/* Next it gets what is in this file; `fd` is taken over. */
void control_file(struct control *c, uint64_t id, int fd);

/* That was all: send it. */
void control_send(struct control *c, uint64_t id);

/* Instead of an answer: one of CONTROL_* and a sentence for people. */
void control_refuse(struct control *c, uint64_t id, const char *error,
		    const char *why);

#endif
