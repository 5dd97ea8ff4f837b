/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fields_tbl.h - the fields that proxyd knows by name, as rows.
 *
 * HOP: for the next hop only (RFC 9110 7.6.1), never forwarded as it is; END:
 * passed on. Transfer-Encoding and Trailer are END because the framing is
 * passed on as it is, and Proxy-Auth*, because proxyd is not the proxy that
 * the client speaks to. HEAD: changes framing, routing, authentication or what
 * the message means, so that it is refused in a trailer (RFC 9110 6.5.1); ANY:
 * allowed there. Names are lower-case; there may be 63. Included with FIELD
 * defined as a macro of four arguments, several times.
 */

/* clang-format off */

/*    id                         name                         hop  where */
FIELD(HOST,                      "host",                      END, HEAD)
FIELD(CONNECTION,                "connection",                HOP, HEAD)
FIELD(CONTENT_LENGTH,            "content-length",            END, HEAD)
FIELD(TRANSFER_ENCODING,         "transfer-encoding",         END, HEAD)
FIELD(TE,                        "te",                        HOP, HEAD)
FIELD(TRAILER,                   "trailer",                   END, HEAD)
FIELD(UPGRADE,                   "upgrade",                   HOP, HEAD)
FIELD(EXPECT,                    "expect",                    END, HEAD)
FIELD(KEEP_ALIVE,                "keep-alive",                HOP, HEAD)
FIELD(PROXY_CONNECTION,          "proxy-connection",          HOP, HEAD)
FIELD(HTTP2_SETTINGS,            "http2-settings",            HOP, HEAD)
FIELD(PROXY_AUTHENTICATE,        "proxy-authenticate",        END, HEAD)
FIELD(PROXY_AUTHORIZATION,       "proxy-authorization",       END, HEAD)
FIELD(AUTHORIZATION,             "authorization",             END, HEAD)
FIELD(WWW_AUTHENTICATE,          "www-authenticate",          END, HEAD)
FIELD(COOKIE,                    "cookie",                    END, HEAD)
FIELD(SET_COOKIE,                "set-cookie",                END, HEAD)
FIELD(FORWARDED,                 "forwarded",                 END, HEAD)
FIELD(VIA,                       "via",                       END, HEAD)
FIELD(X_FORWARDED_FOR,           "x-forwarded-for",           END, HEAD)
FIELD(X_FORWARDED_HOST,          "x-forwarded-host",          END, HEAD)
FIELD(X_FORWARDED_PROTO,         "x-forwarded-proto",         END, HEAD)
FIELD(X_FORWARDED_PORT,          "x-forwarded-port",          END, HEAD)
FIELD(X_CLUSTER_CLIENT_IP,       "x-cluster-client-ip",       END, HEAD)
FIELD(X_REAL_IP,                 "x-real-ip",                 END, HEAD)
FIELD(USER_AGENT,                "user-agent",                END, ANY)
FIELD(REFERER,                   "referer",                   END, ANY)
FIELD(CACHE_CONTROL,             "cache-control",             END, HEAD)
FIELD(PRAGMA,                    "pragma",                    END, HEAD)
FIELD(VARY,                      "vary",                      END, HEAD)
FIELD(EXPIRES,                   "expires",                   END, HEAD)
FIELD(LOCATION,                  "location",                  END, HEAD)
FIELD(RANGE,                     "range",                     END, HEAD)
FIELD(MAX_FORWARDS,              "max-forwards",              END, HEAD)
FIELD(CONTENT_TYPE,              "content-type",              END, HEAD)
FIELD(CONTENT_ENCODING,          "content-encoding",          END, HEAD)
FIELD(CONTENT_RANGE,             "content-range",             END, HEAD)
FIELD(IF_MATCH,                  "if-match",                  END, HEAD)
FIELD(IF_NONE_MATCH,             "if-none-match",             END, HEAD)
FIELD(IF_MODIFIED_SINCE,         "if-modified-since",         END, HEAD)
FIELD(IF_UNMODIFIED_SINCE,       "if-unmodified-since",       END, HEAD)
FIELD(IF_RANGE,                  "if-range",                  END, HEAD)
FIELD(ACCEPT,                    "accept",                    END, ANY)
FIELD(ACCEPT_ENCODING,           "accept-encoding",           END, ANY)
