/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * duty.h - what a crew is there for: to serve, then to drain, then to end.
 *
 * Says who of a crew's workers serves which slot, who hangs, and what they
 * shall do next. When that is, others say.
 */
#ifndef PROXYD_DUTY_H
#define PROXYD_DUTY_H

#include <stdbool.h>
#include <stdint.h>

#include "proxyd/crew.h"

/*
 * Look after it, several times a second: kill who hangs (nobody who could
 * not run before `awake_ms`), have every slot served, open listeners that had
 * to wait, let a drain go on.
 */
void duty_mind(struct crew *c, uint64_t now_ms, uint64_t awake_ms);

/* Do all of its workers tick? Is every slot served by one that does? */
bool duty_ticks(const struct crew *c, uint64_t now_ms);
bool duty_is_served(const struct crew *c, uint64_t now_ms);

/* From STARTING or nothing: serve. */
void duty_serve(struct crew *c, uint64_t now_ms);

/*
 * Finish, in at most `timeout_ms`. Listeners that `successor` shares are left
 * to it at once; from the others (NULL: from all) the workers go on accepting
 * for `linger_ms`. May come again, to make it shorter.
 */
void duty_drain(struct crew *c, const struct listeners *successor,
		uint64_t linger_ms, uint64_t timeout_ms, uint64_t now_ms);

/*
 * End now. With `quiet` the alive sets stay as they are: another crew serves.
 */
void duty_end(struct crew *c, bool quiet, uint64_t now_ms);

/* How long a set may still hold what the last heartbeat put there. */
uint64_t duty_expiry_ms(const struct crew *c);

#endif
