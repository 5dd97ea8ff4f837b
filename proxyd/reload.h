/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reload.h - from a changed policy file to a crew that lives by it.
 *
 * Reads the file, refuses what cannot change while proxyd runs, has another
 * crew follow, and tells everybody who asked what came of it. A reload that
 * fails changes nothing. Who asks while one is under way waits for another:
 * the file may have changed since that one read it.
 */
#ifndef PROXYD_RELOAD_H
#define PROXYD_RELOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/str.h"

#include "policy/policy.h"

#include "proxyd/crews.h"

enum reload_result {
	RELOAD_DONE,	     /* the new policy is served */
	RELOAD_POLICY_WRONG, /* it could not be read */
	RELOAD_FAILED,	     /* it cannot be served, or not without restart */
};

/* Somebody who waits for an outcome. Lives in its owner. */
struct reload_wish {
	TAILQ_ENTRY(reload_wish) link;
	/*
	 * Called once, with what there is to say: the policy's warnings, or
	 * why not, as lines. The wish is no longer in use when it is called.
	 */
	void (*done)(void *owner, enum reload_result result, const char *text);
	void *owner; /* borrows */
	bool waits;  /* is in reload.wishes */
	bool later;  /* for the outcome after the one under way */
};

TAILQ_HEAD(reload_wishes, reload_wish);

struct reload {
	struct crews *crews; /* borrows */
	const char *path;    /* borrows: the policy's */
	uint32_t workers;
	struct reload_wishes wishes;
	struct str warnings; /* owns: what was said of the policy */
	bool again;	     /* there is to be another */
	bool replaces; /* what is under way is a replacement, not a reload */
};

/*
 * Where a crew is about to follow already, it is another program's that took
 * the place of a former one. `workers`: so many whatever a policy says; 0: no.
 */
void reload_init(struct reload *r, struct crews *crews, const char *path,
		 uint32_t workers);

/* A zeroed one is fine. */
void reload_fini(struct reload *r);

/* Reload; `wish` may be NULL. The outcome may be there before this returns. */
void reload_ask(struct reload *r, struct reload_wish *wish, uint64_t now_ms);

/* It does not want to know any more. Never mind if it is not waiting. */
void reload_forget(struct reload *r, struct reload_wish *wish);

/* What crews_mind() said. */
void reload_outcome(struct reload *r, enum crews_outcome outcome,
		    uint64_t now_ms);

/* proxyd ends: nothing comes of it any more. */
void reload_stop(struct reload *r);

/*
 * The first word of the gateway that differs and cannot change while proxyd
 * runs; NULL: there is none.
 */
const char *reload_obstacle(const struct policy *now,
			    const struct policy *wanted);

#endif
