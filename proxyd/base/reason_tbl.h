/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reason_tbl.h - every way in which a flow can end, as rows.
 *
 * The word is what `close=` of the access record says and what proxyd(8)
 * lists. RESET: whoever is still connected gets a reset, because what it was
 * told so far is not the whole; CLOSE: an ordinary end. Included with REASON
 * defined as a macro of four arguments, several times.
 */

/* clang-format off */

/*     name                 word                   end    meaning */
REASON(CLIENT_CLOSED,       "client-closed",       CLOSE, "both sides were done; the client was first")
REASON(SERVER_CLOSED,       "server-closed",       CLOSE, "both sides were done; the server was first")
REASON(CLIENT_RESET,        "client-reset",        RESET, "the client sent a reset")
REASON(SERVER_RESET,        "server-reset",        RESET, "the server sent a reset")
REASON(CLIENT_LOST,         "client-lost",         RESET, "the client no longer answers or cannot be reached")
REASON(SERVER_LOST,         "server-lost",         RESET, "the server no longer answers or cannot be reached")
REASON(REFUSED,             "refused",             RESET, "the server refused the connection")
REASON(UNREACHABLE,         "unreachable",         RESET, "no route, or a router answered with ICMP unreachable")
REASON(DENIED,              "denied",              RESET, "a firewall of this box forbade the connection")
REASON(CONNECT_TIMEOUT,     "connect-timeout",     RESET, "the server did not answer in time")
REASON(IDLE_TIMEOUT,        "idle-timeout",        CLOSE, "nothing was sent for too long")
REASON(ANSWERED,            "answered",             CLOSE, "every datagram got the answers that `responses` says")
REASON(NAT_EXPIRED,         "nat-expired",          RESET, "conntrack forgot the redirection, so an answer would come from elsewhere")
REASON(CROWDED_OUT,         "crowded-out",          RESET, "it was never answered, and another client needed the room")
REASON(HALF_CLOSED_TIMEOUT, "half-closed-timeout", CLOSE, "one side was done, the other silent for too long")
REASON(NO_DESTINATION,      "no-destination",      RESET, "it is not known where the client was going")
REASON(PROXY_HEADER,        "no-proxy-header",     RESET, "there was no PROXY header in time, or a wrong one")
REASON(TRACKER_TIMEOUT,     "tracker-timeout",     RESET, "the tracker did not answer in time")
REASON(LIMIT,               "limit",               RESET, "a limit of the service was reached")
REASON(DIRECT,              "direct",              RESET, "connected to a capture port without being redirected")
REASON(LOOP,                "loop",                RESET, "the destination is proxyd itself")
REASON(FAMILY,              "family",              RESET, "no node of the address family of the spoofed source")
REASON(NO_RETURN_PATH,      "no-return-path",      RESET, "answers to a spoofed source would not come back; run netsetup apply")
REASON(NO_PORT,             "no-port",             RESET, "no address or port is free to connect from")
REASON(RESOURCES,           "resources",           RESET, "no descriptor or no memory was left")
REASON(DRAIN_TIMEOUT,       "drain-timeout",       RESET, "proxyd was ending and the flow was not done in time")
REASON(STOPPED,             "stopped",             RESET, "proxyd was told to end at once")
REASON(INTERNAL,            "internal",            RESET, "an error that proxyd did not expect")
