/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pass.h - a flow with two sides: bytes pass until it ends.
 */
#ifndef PROXYD_FLOW_PASS_H
#define PROXYD_FLOW_PASS_H

#include "proxyd/flow/life.h"

/* The server has accepted. The flow may have ended when this returns. */
void pass_begin(struct flow *f);

/* Something happened at a side, or it is the flow's turn; likewise. */
void pass_on(struct flow *f);

/*
 * The timer of any flow, struct flow *: it ends, or goes on to wait for what
 * is left of its limit.
 */
void pass_timer(void *flow);

#endif
