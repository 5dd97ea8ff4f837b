/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_refuse.h - a request that no server answers is answered by us.
 */
#ifndef PROXYD_FLOW_HTTP_REFUSE_H
#define PROXYD_FLOW_HTTP_REFUSE_H

#include "proxyd/flow/life.h"

/* What becomes of a flow of HTTP after a part of its way. */
enum http_next {
	HTTP_WAIT,   /* until something happens, or its timer fires */
	HTTP_GO_ON,  /* its step is another one: look at it */
	HTTP_ENDED,  /* it is no more, or others have it now */
	HTTP_TUNNEL, /* it is no HTTP: goes on as a flow of TCP */
};

/*
 * Answer the request with the status of `reason`, or of f->http->bad, and
 * write its record. What cannot be answered, because the response has begun
 * or nobody would read it, ends the flow.
 */
enum http_next http_refuse(struct flow *f, enum reason reason);

/*
 * The client's connection has done what it was for: close it for f->reason,
 * when the client took what was sent, and so that it can still read that
 * though it goes on sending.
 */
enum http_next http_linger(struct flow *f);

/* Begin to. */
enum http_next http_leave(struct flow *f, enum reason reason);

/*
 * Has the client taken all that was for it, or is there nobody to take it?
 * The time of what it does next begins when it has.
 */
bool http_taken(struct flow *f);

/* The link is not needed any more. */
void http_let_go(struct flow *f, bool reset);

#endif
