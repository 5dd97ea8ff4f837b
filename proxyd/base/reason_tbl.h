/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reason_tbl.h - every way in which a flow can end, as rows.
 *
 * The word is what `close=` of the access record says and what proxyd(8)
 * lists. RESET: whoever is still connected gets a reset, because what it was
 * told so far is not the whole; CLOSE: an ordinary end. http: the status of
 * the answer that a request gets instead of a server's; 0: none. Included with
 * REASON defined as a macro of five arguments, several times.
 */

/* clang-format off */

/*     name                 word                   end    http meaning */
REASON(CLIENT_CLOSED,       "client-closed",       CLOSE, 0,   "both sides were done; the client was first")
REASON(SERVER_CLOSED,       "server-closed",       CLOSE, 502, "both sides were done; the server was first")
REASON(CLIENT_RESET,        "client-reset",        RESET, 0,   "the client sent a reset")
REASON(SERVER_RESET,        "server-reset",        RESET, 502, "the server sent a reset")
REASON(CLIENT_LOST,         "client-lost",         RESET, 0,   "the client no longer answers or cannot be reached")
REASON(SERVER_LOST,         "server-lost",         RESET, 504, "the server no longer answers or cannot be reached")
REASON(REFUSED,             "refused",             RESET, 502, "the server refused the connection")
REASON(UNREACHABLE,         "unreachable",         RESET, 502, "no route, or a router answered with ICMP unreachable")
REASON(DENIED,              "denied",              RESET, 502, "a firewall of this box forbade the connection")
REASON(CONNECT_TIMEOUT,     "connect-timeout",     RESET, 504, "the server did not answer in time")
REASON(IDLE_TIMEOUT,        "idle-timeout",        CLOSE, 0,   "nothing was sent for too long")
REASON(ANSWERED,            "answered",            CLOSE, 0,   "every datagram got the answers that `responses` says")
REASON(NAT_EXPIRED,         "nat-expired",         RESET, 0,   "conntrack forgot the redirection, so an answer would come from elsewhere")
REASON(CROWDED_OUT,         "crowded-out",         RESET, 0,   "it was never answered, and another client needed the room")
REASON(HALF_CLOSED_TIMEOUT, "half-closed-timeout", CLOSE, 0,   "one side was done, the other silent for too long")
REASON(DONE,                "done",                CLOSE, 0,   "the request was answered, all of it")
REASON(CLIENT_CUT,          "client-cut",          RESET, 0,   "the client ended in the middle of its request")
REASON(SERVER_CUT,          "server-cut",          RESET, 502, "the server ended before its response was whole")
REASON(BAD_REQUEST,         "bad-request",         CLOSE, 400, "the request is not HTTP as it must be; `note` says why")
REASON(BAD_RESPONSE,        "bad-response",        RESET, 502, "the response is not HTTP as it must be; `note` says why")
REASON(TOO_LARGE,           "too-large",           CLOSE, 413, "the body of the request is over `limit request-body`")
REASON(NON_HTTP,            "non-http",            CLOSE, 0,   "the first bytes were no request, and `non-http close` says so")
REASON(HEAD_TIMEOUT,        "head-timeout",        CLOSE, 408, "the head of the request did not come in time")
REASON(BODY_TIMEOUT,        "body-timeout",        CLOSE, 408, "the body of the request did not come in time")
REASON(RESPONSE_TIMEOUT,    "response-timeout",    RESET, 504, "the server did not answer the request in time")
REASON(KEEP_ALIVE_TIMEOUT,  "keep-alive-timeout",  CLOSE, 0,   "there was no other request in time")
REASON(TOTAL_TIMEOUT,       "total-timeout",       RESET, 504, "request and response together took too long")
REASON(NO_DESTINATION,      "no-destination",      RESET, 502, "it is not known where the client was going")
REASON(PROXY_HEADER,        "no-proxy-header",     RESET, 0,   "there was no PROXY header in time, or a wrong one")
REASON(TRACKER_TIMEOUT,     "tracker-timeout",     RESET, 503, "the tracker did not answer in time")
REASON(LIMIT,               "limit",               RESET, 503, "a limit of the service was reached")
REASON(DIRECT,              "direct",              RESET, 0,   "connected to a capture port without being redirected")
REASON(LOOP,                "loop",                RESET, 502, "the destination is proxyd itself")
REASON(FAMILY,              "family",              RESET, 503, "no node of the address family of the spoofed source")
REASON(NO_RETURN_PATH,      "no-return-path",      RESET, 503, "answers to a spoofed source would not come back; run netsetup apply")
REASON(NO_PORT,             "no-port",             RESET, 503, "no address or port is free to connect from")
REASON(RESOURCES,           "resources",           RESET, 503, "no descriptor or no memory was left")
REASON(DRAIN_TIMEOUT,       "drain-timeout",       RESET, 503, "proxyd was ending and the flow was not done in time")
REASON(STOPPED,             "stopped",             RESET, 0,   "proxyd was told to end at once")
REASON(INTERNAL,            "internal",            RESET, 500, "an error that proxyd did not expect")
