/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * desk.h - where administrators' questions are answered.
 *
 * Stands between the control socket and the master: finds in shared memory,
 * crews and listeners what is asked, has workers asked for their flows, and
 * passes on what only the master can do. Decides nothing.
 */
#ifndef PROXYD_DESK_H
#define PROXYD_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/base/loop.h"
#include "proxyd/crews.h"
#include "proxyd/ctl/control.h"
#include "proxyd/gather.h"
#include "proxyd/reload.h"

/* What the master says of itself. */
struct desk_view {
	const char *state; /* documented in proxyctl(8) */
	bool alive;	   /* the heartbeat is being sent */
	bool ends;	   /* no reload any more */
};

/* What the desk works with; all borrowed. */
struct desk_setup {
	struct loop *loop;
	struct crews *crews;
	struct reload *reload;
	const char *policy; /* the path of its file */
	void (*view)(void *owner, struct desk_view *ret_view);
	void *owner;
};

enum { DESK_WISHES = CONTROL_CLIENTS };

/* A client who waits for a reload. */
struct desk_wish {
	struct desk *desk; /* borrows */
	uint64_t id;	   /* of control.h; 0: not in use */
	struct reload_wish wish;
};

struct desk {
	struct desk_setup setup;
	struct control control;
	struct gather gather;
	struct desk_wish wishes[DESK_WISHES];
	uint64_t opened_ms;
};

/*
 * Listen at `path`. That nobody can ask is no reason not to serve: then why
 * is said once, and all is as if nobody asked.
 */
void desk_open(struct desk *d, const struct desk_setup *setup,
	       const char *path);

/* Take the name away: for the one who made it, and ends. */
void desk_withdraw(struct desk *d);

/* In a child, after loop_fini(). A zeroed one is fine. */
void desk_close(struct desk *d);

#endif
