/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fields_tbl.h - the fields that proxyd knows by name, as rows.
 *
 * HOP: for the next hop only (RFC 9110 7.6.1), never forwarded as it is; END:
 * passed on. Transfer-Encoding and Trailer are END because the framing is
 * passed on as it is, and Proxy-Auth*, because proxyd is not the proxy that
 * the client speaks to. HEAD: changes framing, routing, authentication or what
 * the message means, so that it is refused in a trailer (RFC 9110 6.5.1); ANY:
 * allowed there. Names are lower-case; there may be 63, of at most 31 bytes.
 * The key is the first letter and the last but one, which C cannot take out of
 * the name itself; see known.c. Included with FIELD defined as a macro of six
 * arguments, several times.
 */

/* clang-format off */

/*    id                         name                        key       hop  where */
FIELD(HOST,                      "host",                     'h', 's', END, HEAD)
FIELD(CONNECTION,                "connection",               'c', 'o', HOP, HEAD)
FIELD(CONTENT_LENGTH,            "content-length",           'c', 't', END, HEAD)
FIELD(TRANSFER_ENCODING,         "transfer-encoding",        't', 'n', END, HEAD)
FIELD(TE,                        "te",                       't', 't', HOP, HEAD)
FIELD(TRAILER,                   "trailer",                  't', 'e', END, HEAD)
FIELD(UPGRADE,                   "upgrade",                  'u', 'd', HOP, HEAD)
FIELD(EXPECT,                    "expect",                   'e', 'c', END, HEAD)
FIELD(KEEP_ALIVE,                "keep-alive",               'k', 'v', HOP, HEAD)
FIELD(PROXY_CONNECTION,          "proxy-connection",         'p', 'o', HOP, HEAD)
FIELD(HTTP2_SETTINGS,            "http2-settings",           'h', 'g', HOP, HEAD)
FIELD(PROXY_AUTHENTICATE,        "proxy-authenticate",       'p', 't', END, HEAD)
FIELD(PROXY_AUTHORIZATION,       "proxy-authorization",      'p', 'o', END, HEAD)
FIELD(AUTHORIZATION,             "authorization",            'a', 'o', END, HEAD)
FIELD(WWW_AUTHENTICATE,          "www-authenticate",         'w', 't', END, HEAD)
FIELD(COOKIE,                    "cookie",                   'c', 'i', END, HEAD)
FIELD(SET_COOKIE,                "set-cookie",               's', 'i', END, HEAD)
FIELD(FORWARDED,                 "forwarded",                'f', 'e', END, HEAD)
FIELD(VIA,                       "via",                      'v', 'i', END, HEAD)
FIELD(X_FORWARDED_FOR,           "x-forwarded-for",          'x', 'o', END, HEAD)
FIELD(X_FORWARDED_HOST,          "x-forwarded-host",         'x', 's', END, HEAD)
FIELD(X_FORWARDED_PROTO,         "x-forwarded-proto",        'x', 't', END, HEAD)
FIELD(X_FORWARDED_PORT,          "x-forwarded-port",         'x', 'r', END, HEAD)
FIELD(X_CLUSTER_CLIENT_IP,       "x-cluster-client-ip",      'x', 'i', END, HEAD)
FIELD(X_REAL_IP,                 "x-real-ip",                'x', 'i', END, HEAD)
FIELD(USER_AGENT,                "user-agent",               'u', 'n', END, ANY)
FIELD(REFERER,                   "referer",                  'r', 'e', END, ANY)
FIELD(CACHE_CONTROL,             "cache-control",            'c', 'o', END, HEAD)
FIELD(PRAGMA,                    "pragma",                   'p', 'm', END, HEAD)
FIELD(VARY,                      "vary",                     'v', 'r', END, HEAD)
FIELD(EXPIRES,                   "expires",                  'e', 'e', END, HEAD)
FIELD(LOCATION,                  "location",                 'l', 'o', END, HEAD)
FIELD(RANGE,                     "range",                    'r', 'g', END, HEAD)
FIELD(MAX_FORWARDS,              "max-forwards",             'm', 'd', END, HEAD)
FIELD(CONTENT_TYPE,              "content-type",             'c', 'p', END, HEAD)
FIELD(CONTENT_ENCODING,          "content-encoding",         'c', 'n', END, HEAD)
FIELD(CONTENT_RANGE,             "content-range",            'c', 'g', END, HEAD)
FIELD(IF_MATCH,                  "if-match",                 'i', 'c', END, HEAD)
FIELD(IF_NONE_MATCH,             "if-none-match",            'i', 'c', END, HEAD)
FIELD(IF_MODIFIED_SINCE,         "if-modified-since",        'i', 'c', END, HEAD)
FIELD(IF_UNMODIFIED_SINCE,       "if-unmodified-since",      'i', 'c', END, HEAD)
FIELD(IF_RANGE,                  "if-range",                 'i', 'g', END, HEAD)
FIELD(ACCEPT,                    "accept",                   'a', 'p', END, ANY)
FIELD(ACCEPT_ENCODING,           "accept-encoding",          'a', 'n', END, ANY)
