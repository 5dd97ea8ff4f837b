/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tell.h - what the administrator hears of a flow.
 *
 * Its record at the end, and a line of the log about a refusal that asks for
 * something to be done. Knows neither kind of flow, only what is said.
 */
#ifndef PROXYD_FLOW_TELL_H
#define PROXYD_FLOW_TELL_H

#include <stdint.h>

#include "policy/policy.h"

#include "proxyd/base/reason.h"
#include "proxyd/ctl/record.h"
#include "proxyd/flow/flows.h"

/* Fill in the id; `serial` is the flow's own half of it. */
void tell_id(const struct flows *fs, uint32_t serial, struct record *r);

/*
 * Write the record of a flow that ends, where the policy says. Time and
 * id are filled in here.
 */
void tell_end(struct flows *fs, const struct policy_service *s, uint32_t serial,
	      struct record *r);

/* Some refusals ask for something to be done: say so, now and then. */
void tell_refusal(struct flows *fs, const struct policy_service *s,
		  const struct endpoint *client,
		  const struct endpoint *destination, enum reason reason);

#endif
