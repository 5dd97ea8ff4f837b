/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decide.h - what shall become of a flow?
 *
 * Values in, values out: from what is known about a client to the server it
 * gets and the address that server sees, or to the reason why not. Makes no
 * system call and knows no socket.
 */
#ifndef PROXYD_FLOW_DECIDE_H
#define PROXYD_FLOW_DECIDE_H

#include <stdbool.h>

#include "policy/policy.h"

#include "proxyd/base/reason.h"
#include "proxyd/ctl/record.h"
#include "proxyd/net/upstream.h"
#include "proxyd/pool/balance.h"

struct decide_ask {
	const struct policy_service *service;
	struct endpoint client;
	struct endpoint destination; /* AF_UNSPEC: not known */
	enum record_via via;
	bool captured;		  /* it came to a capture port */
	unsigned int return_path; /* FAMILY_* bits */
};

struct decision {
	const struct policy_pool *pool; /* borrows from the policy */
	const struct policy_node *node; /* likewise */
	struct upstream upstream;
};

/*
 * REASON_NONE, or the reason to refuse the flow; *ret_decision then holds as
 * much as was decided, for the record. Moves the pool's turn on.
 */
enum reason decide(const struct policy *p, struct balance *b,
		   const struct decide_ask *ask, struct decision *ret_decision);

/*
 * Does it matter which port the client has? Of a redirected flow only
 * conntrack knows that.
 */
bool decide_needs_port(const struct policy_service *s);

#endif
