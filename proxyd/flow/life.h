/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * life.h - what a flow is; how it begins, waits and ends.
 *
 * Known to the files of this folder only, each of which has a part of the
 * way: flow.c finds out where the client was going, onward.c connects, and
 * pass.c lets the bytes through. The only place that makes and ends flows.
 */
#ifndef PROXYD_FLOW_LIFE_H
#define PROXYD_FLOW_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "proxyd/flow/decide.h"
#include "proxyd/flow/flows.h"
#include "proxyd/flow/http_state.h"

enum { FLOW_MAGIC = 0x464c4f57 }; /* "FLOW" */

/* What it waits for: the rows of steps_tbl.h. */
enum step {
#define STEP(name, limit, ms, reason, waits_for) STEP_##name,
#include "proxyd/flow/steps_tbl.h"
#undef STEP
	STEP_COUNT,
};

enum first {
	FIRST_NOBODY,
	FIRST_CLIENT,
	FIRST_SERVER,
};

struct flow {
	uint32_t magic;
	LIST_ENTRY(flow) link;
	struct flows *flows;		      /* borrows */
	const struct policy_service *service; /* borrows from the policy */
	enum listener_kind kind;
	bool retried;	 /* connect() was tried again after EPERM */
	bool port_taken; /* the client's port could not be kept */
	bool tested;	 /* a limit with `test` would have refused it */
	bool tunnelled;	 /* mode http, and it is not */
	enum step step;
	enum first first;   /* who sent its end first */
	enum reason reason; /* STEP_RESCUE, STEP_LINGER: why it ends */
	enum record_via via;
	bool watched;	      /* the kernel asks whether the server is there */
	struct endpoint peer; /* the client */
	struct endpoint destination;
	struct limit_hold hold;
	struct decision decision;
	struct side client;
	struct side server;
	struct side *onward; /* where bytes go: `server`, or that of a link */
	struct http
		*http; /* owns: in mode http; NULL: bytes pass as they are */
	struct loop_source client_source;
	struct loop_source server_source;
	struct timer timer;
	struct question *question; /* owns: while it is asked */
	uint32_t serial;
	uint64_t opened_ms;
	uint64_t step_ms; /* when the step began, or bytes last moved in it */
	int64_t ms_connect;
};

/*
 * A flow of the connection `fd`, which is its own from now on. NULL if there
 * is no memory. Its timer calls on_timer(flow).
 */
struct flow *life_new(struct flows *fs, const struct listener *l, int fd,
		      void (*on_timer)(void *flow));

enum { LIFE_NOTE_LEN = 128 };

/*
 * What is known of it so far. Time, id and reason are left out; the note may
 * stand in `note`.
 */
void life_record(const struct flow *f, char note[LIFE_NOTE_LEN],
		 struct record *ret_record);

/* Have f->decision made anew. REASON_NONE, or why the flow is refused. */
enum reason life_decide(struct flow *f);

/* Write its record, or that of the request that is on it. */
void life_tell(struct flow *f, enum reason reason);

/* Write a record, if one is due, close both sides, forget it. */
void life_end(struct flow *f, enum reason reason);

/*
 * Ask the tracker. The answer, life_answered(), then the flow goes on; or it
 * ends for want of memory.
 */
void life_ask(struct flow *f, const struct tracker_ask *ask,
	      void (*answered)(void *flow, const struct tracker_answer *an));
void life_answered(struct flow *f);

/* Begin to wait for something, with that step's limit. */
void life_enter(struct flow *f, enum step step);

/* Set the timer anew, for what is left of the limit. */
void life_wait(struct flow *f);

/*
 * When the wait is over, counted from step_ms; UINT64_MAX: never. And how the
 * flow ends then.
 */
uint64_t life_due_ms(const struct flow *f);
enum reason life_late(const struct flow *f);

#endif
