/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steps_tbl.h - what a flow can be waiting for, as rows.
 *
 * Each wait has a limit: one of the policy's timeouts, or FIXED with its
 * milliseconds; and a reason with which it ends then. KEEP: the reason that
 * was already known when the wait began. Included with STEP defined as a
 * macro of five arguments.
 */

/* clang-format off */

/*   name       limit                ms    reason               waits for */
STEP(PROXY_HEAD, TIMEOUT_HEAD,        0,    PROXY_HEADER,        "a header that says who the client is")
STEP(ORIGIN,     FIXED,               1000, TRACKER_TIMEOUT,     "conntrack to say who the client is")
STEP(CONNECT,    TIMEOUT_CONNECT,     0,    CONNECT_TIMEOUT,     "the server to accept")
STEP(EVICT,      FIXED,               1000, TRACKER_TIMEOUT,     "conntrack to forget a connection of before")
STEP(RELAY,      TIMEOUT_IDLE,        0,    IDLE_TIMEOUT,        "bytes, of either side")
STEP(HALF,       TIMEOUT_HALF_CLOSED, 0,    HALF_CLOSED_TIMEOUT, "the rest of the side that is not done")
STEP(SNIFF,      TIMEOUT_SNIFF,       0,    NON_HTTP,            "the first bytes of the client")
STEP(HEAD,       TIMEOUT_HEAD,        0,    HEAD_TIMEOUT,        "the rest of a request's head")
STEP(BODY,       TIMEOUT_BODY,        0,    BODY_TIMEOUT,        "more of the request's body")
STEP(RESPONSE,   TIMEOUT_RESPONSE,    0,    RESPONSE_TIMEOUT,    "the server's response")
STEP(ANSWER,     TIMEOUT_IDLE,        0,    IDLE_TIMEOUT,        "more of the response's body, or the client to take it")
STEP(KEEP_ALIVE, TIMEOUT_KEEP_ALIVE,  0,    KEEP_ALIVE_TIMEOUT,  "another request")
STEP(LINGER,     FIXED,               2000, KEEP,                "the client to take the answer and go")
STEP(RESCUE,     FIXED,               1000, KEEP,                "data sent before a reset to arrive")
