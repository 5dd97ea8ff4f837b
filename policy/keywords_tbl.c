/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows stand in the order in which the printer writes and the manual
 * explains them. Arguments that several statements share come first. What
 * the language has and this version does not is here too, so that its form
 * is checked and the message is not "unknown".
 */
#include "policy/keywords_tbl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/policy.h"

#define G(member) offsetof(struct policy_gateway, member)
#define S(member) offsetof(struct policy_service, member)
#define P(member) offsetof(struct policy_pool, member)
#define E(member) offsetof(struct policy_except, member)
#define I(member) offsetof(struct policy_intercept, member)
#define L(member) offsetof(struct policy_listen, member)
#define N(member) offsetof(struct policy_node, member)
#define M(member) offsetof(struct policy_limit, member)
#define W(member) offsetof(struct policy_error_page, member)

enum {
	SECOND = 1000,
	HOUR = 3600 * SECOND,
	DAY = 24 * HOUR,
	MONTH = 30 * 24 * 3600, /* in seconds: milliseconds need 32 bits */
};

/* --- words for values ----------------------------------------------------- */

const struct choice choices_proto[] = {
	{"tcp", PROTO_TCP, false},
	{"udp", PROTO_UDP, false},
	{NULL, 0, false},
};

const struct choice choices_mode[] = {
	{"tcp", MODE_TCP, false},
	{"udp", MODE_UDP, false},
	{"http", MODE_HTTP, false},
	{NULL, 0, false},
};

const struct choice choices_via[] = {
	{"redirect", VIA_REDIRECT, false},
	{"tproxy", VIA_TPROXY, false},
	{NULL, 0, false},
};

const struct choice choices_on_failure[] = {
	{"open", ON_FAILURE_OPEN, false},
	{"closed", ON_FAILURE_CLOSED, false},
	{NULL, 0, false},
};

/* SOURCE_ADDRESS has no word: it is written as the address */
const struct choice choices_source[] = {
	{"gateway", SOURCE_GATEWAY, false},
	{"client", SOURCE_CLIENT, false},
	{"client-port", SOURCE_CLIENT_PORT, false},
	{NULL, 0, false},
};

/* LOG_TARGET_FILE has no word: it is written as the file */
const struct choice choices_log_target[] = {
	{"journal", LOG_TARGET_JOURNAL, false},
	{"none", LOG_TARGET_NONE, false},
	{NULL, 0, false},
};

const struct choice choices_log_format[] = {
	{"text", LOG_FORMAT_TEXT, false},
	{"json", LOG_FORMAT_JSON, false},
	{"combined", LOG_FORMAT_COMBINED, false},
	{NULL, 0, false},
};

const struct choice choices_family[] = {
	{"ipv4", FAMILY_IPV4, false},
	{"ipv6", FAMILY_IPV6, false},
	{NULL, 0, false},
};

const struct choice choices_limit[] = {
	{"connections", LIMIT_CONNECTIONS, false},
	{"rate", LIMIT_RATE, false},
	{NULL, 0, false},
};

#define CHOICES(name, ...)                                                     \
	static const struct choice name[] = {__VA_ARGS__, {NULL, 0, false}}

CHOICES(choices_original, {"original", 0, false});
CHOICES(choices_tracking, {"zone", TRACKING_ZONE, false},
	{"off", TRACKING_OFF, false});
CHOICES(choices_auto, {"auto", 0, false});
CHOICES(choices_drift, {"warn", ON_DRIFT_WARN, false},
	{"restore", ON_DRIFT_RESTORE, false});
CHOICES(choices_forwarded, {"add", FORWARDED_FOR_ADD, false},
	{"replace", FORWARDED_FOR_REPLACE, false},
	{"off", FORWARDED_FOR_OFF, false});
CHOICES(choices_on_off, {"on", true, false}, {"off", false, false});
CHOICES(choices_non_http, {"tunnel", NON_HTTP_TUNNEL, false},
	{"close", NON_HTTP_CLOSE, false});
CHOICES(choices_persist_failure, {"new", 0, false}, {"close", 1, false});
CHOICES(choices_reuse, {"safe", REUSE_SAFE, false},
	{"never", REUSE_NEVER, false});
/* SEND_PROXY_NONE has no word: it is not written */
CHOICES(choices_proxy, {"v1", SEND_PROXY_V1, false},
	{"v2", SEND_PROXY_V2, false});
CHOICES(choices_client, {"client", 1, false});
CHOICES(choices_client_network, {"client-network", 0, false});
CHOICES(choices_message, {"request", 0, false}, {"response", 1, false});
CHOICES(choices_header, {"header", 0, false});
CHOICES(choices_path, {"path", 0, false});

/* --- defaults that depend on other statements -----------------------------
 */

/* A client that keeps its port would keep a dead redirection for ever. */
static const char *
via_for(const struct policy *p, const void *element)
{
	const struct policy_intercept *i = element;

	(void)p;
	return i->proto == PROTO_UDP ? "tproxy" : "redirect";
}

static const char *
mode_for(const struct policy *p, const void *block)
{
	const struct policy_service *s = block;

	(void)p;
	return proto_name(s->proto);
}

/* NULL: what the gateway says. */
static const char *
idle_for(const struct policy *p, const void *block)
{
	const struct policy_service *s = block;

	return s->proto == PROTO_UDP && !p->gateway.idle_named ? "1m" : NULL;
}

/* What was captured was going somewhere else, whatever it speaks. */
static const char *
non_http_for(const struct policy *p, const void *block)
{
	const struct policy_service *s = block;

	(void)p;
	return s->n_intercepts ? "tunnel" : "close";
}

/* --- arguments ------------------------------------------------------------ */

#define ARGS(name, ...)                                                        \
	static const struct arg name[] = {__VA_ARGS__, {.type = TYPE_END}}

/* by position, with limits */
#define VALUE(t, ...)                                                          \
	{                                                                      \
		.type = TYPE_##t, __VA_ARGS__                                  \
	}
/* a keyword and its value */
#define OPTION(w, t, ...)                                                      \
	{                                                                      \
		.word = (w), .type = TYPE_##t, __VA_ARGS__                     \
	}
#define LIMITS(low, high) .min = (low), .max = (high)
#define ONE_OF(table) .choices = (table)

static const struct arg args_none[] = {{.type = TYPE_END}};

ARGS(args_name, VALUE(NAME, .field = S(name)));
ARGS(args_pool_name, VALUE(NAME, .field = P(name)));
ARGS(args_define, VALUE(NAME), VALUE(WORDS));
ARGS(args_path, VALUE(PATH));
ARGS(args_pool, VALUE(POOL));
ARGS(args_text, VALUE(TEXT));

ARGS(args_except, OPTION("from", PREFIXES, .field = E(from), .flags = ARG_ANY),
     OPTION("to", PREFIXES, .field = E(to), .flags = ARG_ANY),
     OPTION("port", PORTS, .field = E(ports), .flags = ARG_ANY));

/* gateway */
ARGS(args_inside, VALUE(IFACES, .field = G(inside)));
ARGS(args_outside, VALUE(IFACES, .field = G(outside), .flags = ARG_ANY));
ARGS(args_family,
     VALUE(FAMILIES, ONE_OF(choices_family), .field = G(families)));
ARGS(args_g_on_failure,
     VALUE(CHOICE, ONE_OF(choices_on_failure), .field = G(on_failure)));
ARGS(args_alive,
     VALUE(DURATION, LIMITS(300, HOUR), .field = G(alive_timeout_ms)));
ARGS(args_drift, VALUE(CHOICE, ONE_OF(choices_drift), .field = G(on_drift)));
ARGS(args_tracking,
     VALUE(CHOICE, ONE_OF(choices_tracking), .field = G(upstream_tracking)));
ARGS(args_mark, VALUE(HEX, LIMITS(1, UINT32_MAX), .field = G(mark_deliver)),
     VALUE(HEX, LIMITS(1, UINT32_MAX), .field = G(mark_upstream)),
     OPTION("mask", HEX, LIMITS(1, UINT32_MAX), .field = G(mark_mask),
	    .flags = ARG_REQUIRED));
ARGS(args_table, VALUE(NUMBER, LIMITS(1, UINT32_MAX), .field = G(table)));
/* the rule of table main stands at 32766: ours come before it */
ARGS(args_priority, VALUE(NUMBER, LIMITS(2, 32764), .field = G(priority)));
ARGS(args_zone, VALUE(NUMBER, LIMITS(1, 65533), .field = G(zone)));
ARGS(args_ports, VALUE(RANGE, .field = G(capture_ports)));
ARGS(args_forwarding, VALUE(YES_NO, .field = G(forwarding)));
ARGS(args_workers,
     VALUE(NUMBER, LIMITS(1, 1024), ONE_OF(choices_auto), .field = G(workers)));
ARGS(args_user, VALUE(WORD, LIMITS(1, 31), .field = G(user)));
ARGS(args_max_flows, VALUE(NUMBER, LIMITS(1, 1048576), .field = G(max_flows)));
ARGS(args_drain, VALUE(DURATION, LIMITS(0, DAY), .field = G(drain_timeout_ms)));

/* gateway and service: each has its own, and the service's inherits */
#define SHORTEST 10
#define LONGEST ((uint32_t)MONTH * 1000)
#define TIMEOUT(name, kind, shortest)                                          \
	ARGS(args_g_##name, VALUE(DURATION, LIMITS(shortest, LONGEST),         \
				  .field = G(timeout_ms[kind])));              \
	ARGS(args_s_##name, VALUE(DURATION, LIMITS(shortest, LONGEST),         \
				  .field = S(timeout_ms[kind]),                \
				  .inherit = G(timeout_ms[kind])))
TIMEOUT(connect, TIMEOUT_CONNECT, SHORTEST);
TIMEOUT(idle, TIMEOUT_IDLE, SHORTEST);
TIMEOUT(half_closed, TIMEOUT_HALF_CLOSED, SHORTEST);
TIMEOUT(head, TIMEOUT_HEAD, SHORTEST);
TIMEOUT(body, TIMEOUT_BODY, SHORTEST);
TIMEOUT(response, TIMEOUT_RESPONSE, SHORTEST);
TIMEOUT(keep_alive, TIMEOUT_KEEP_ALIVE, SHORTEST);
TIMEOUT(sniff, TIMEOUT_SNIFF, SHORTEST);
TIMEOUT(total, TIMEOUT_TOTAL, 0);

#define LOG(name, X, ...)                                                      \
	ARGS(name,                                                             \
	     VALUE(LOG, ONE_OF(choices_log_target), .field = X(log),           \
		   __VA_ARGS__),                                               \
	     OPTION("format", CHOICE, ONE_OF(choices_log_format),              \
		    .field = X(log.format), .def = "text"))
LOG(args_g_log, G, );
LOG(args_s_log, S, .inherit = G(log));

#define LIMIT_OPTIONS                                                          \
	OPTION("per", YES_NO, ONE_OF(choices_client), .field = M(per_client)), \
		OPTION("test", FLAG, .field = M(test))
ARGS(args_limit, VALUE(NUMBER, LIMITS(1, 1048576), .field = M(count)),
     LIMIT_OPTIONS);
ARGS(args_rate, VALUE(RATE, LIMITS(1, 1000000), .field = M(count)),
     LIMIT_OPTIONS);
/* 64k is what the parser's offsets and a worker's buffers are made for */
#define HEAD LIMITS(1024, 60 * 1024)
ARGS(args_g_head_max, VALUE(SIZE, HEAD, .field = G(request_head_max)));
ARGS(args_s_head_max, VALUE(SIZE, HEAD, .field = S(request_head_max),
			    .inherit = G(request_head_max)));
ARGS(args_g_body_max, VALUE(VOLUME, .field = G(request_body_max)));
ARGS(args_s_body_max, VALUE(VOLUME, .field = S(request_body_max),
			    .inherit = G(request_body_max)));
ARGS(args_g_forwarded,
     VALUE(CHOICE, ONE_OF(choices_forwarded), .field = G(forwarded_for)));
ARGS(args_s_forwarded,
     VALUE(CHOICE, ONE_OF(choices_forwarded), .field = S(forwarded_for),
	   .inherit = G(forwarded_for)));

/* service */
ARGS(args_intercept, VALUE(CHOICE, ONE_OF(choices_proto), .field = I(proto)),
     OPTION("port", PORTS, .field = I(ports), .flags = ARG_REQUIRED | ARG_ANY),
     OPTION("from", PREFIXES, .field = I(from), .flags = ARG_ANY),
     OPTION("to", PREFIXES, .field = I(to), .flags = ARG_ANY),
     OPTION("on", IFACES, .field = I(on), .inherit = G(inside)),
     OPTION("via", CHOICE, ONE_OF(choices_via), .field = I(via),
	    .def_for = via_for));
ARGS(args_listen, VALUE(CHOICE, ONE_OF(choices_proto), .field = L(proto)),
     VALUE(LISTEN, .field = L(endpoint)));
ARGS(args_mode, VALUE(CHOICE, ONE_OF(choices_mode), .field = S(mode)));
ARGS(args_use, VALUE(POOL, .field = S(pool)));
ARGS(args_s_on_failure,
     VALUE(CHOICE, ONE_OF(choices_on_failure), .field = S(on_failure),
	   .inherit = G(on_failure)));
ARGS(args_cluster,
     VALUE(YES_NO, ONE_OF(choices_on_off), .field = S(cluster_client_ip)));
ARGS(args_non_http,
     VALUE(CHOICE, ONE_OF(choices_non_http), .field = S(non_http)));
ARGS(args_responses, VALUE(NUMBER, LIMITS(1, 65535), .field = S(responses)));
ARGS(args_error_page, VALUE(NUMBER, LIMITS(400, 599), .field = W(status)),
     VALUE(PATH, .field = W(path)));
ARGS(args_match, OPTION("from", PREFIXES, .flags = ARG_ANY),
     OPTION("to", PREFIXES, .flags = ARG_ANY),
     OPTION("port", PORTS, .flags = ARG_ANY), OPTION("sni", WORDS),
     OPTION("host", WORDS), OPTION("path", WORDS), OPTION("method", WORDS),
     OPTION("header", NAMED), OPTION("cookie", NAMED), OPTION("query", NAMED),
     OPTION("response-status", NUMBERS, LIMITS(100, 599)));

/* pool */
ARGS(args_node, VALUE(NODE, ONE_OF(choices_original), .field = N(original)),
     OPTION("weight", NUMBER, LIMITS(1, 256), .flags = ARG_UNSUPPORTED),
     OPTION("priority", NUMBER, LIMITS(1, 256), .flags = ARG_UNSUPPORTED),
     OPTION("max", NUMBER, LIMITS(1, 1048576), .flags = ARG_UNSUPPORTED),
     OPTION("draining", FLAG, .flags = ARG_UNSUPPORTED),
     OPTION("disabled", FLAG, .flags = ARG_UNSUPPORTED));
ARGS(args_source, VALUE(SOURCE, ONE_OF(choices_source), .field = P(source)));
ARGS(args_hash, OPTION("client", FLAG), OPTION("destination", FLAG),
     OPTION("host", FLAG), OPTION("path", FLAG), OPTION("header", WORD),
     OPTION("cookie", WORD));
ARGS(args_persist_client, OPTION("prefix", NUMBER, LIMITS(1, 128)));
ARGS(args_persist_cookie, VALUE(WORD, .flags = ARG_OPTIONAL));
ARGS(args_app_cookie, VALUE(WORD));
ARGS(args_persist_failure, VALUE(CHOICE, ONE_OF(choices_persist_failure)));
#define MONITOR_OPTIONS                                                        \
	OPTION("every", DURATION, LIMITS(100, HOUR)),                          \
		OPTION("timeout", DURATION, LIMITS(SHORTEST, HOUR)),           \
		OPTION("rise", NUMBER, LIMITS(1, 1000)),                       \
		OPTION("fall", NUMBER, LIMITS(1, 1000)),                       \
		OPTION("from", CHOICE, ONE_OF(choices_client_network))
ARGS(args_monitor, MONITOR_OPTIONS);
ARGS(args_monitor_http, VALUE(WORD), OPTION("host", WORD),
     OPTION("status", NUMBERS, LIMITS(100, 599)), OPTION("body", WORD),
     MONITOR_OPTIONS);
ARGS(args_monitor_program, VALUE(PATH), MONITOR_OPTIONS);
ARGS(args_passive, VALUE(NUMBER, LIMITS(1, 1000000)),
     OPTION("within", DURATION, LIMITS(SHORTEST, DAY), .flags = ARG_REQUIRED),
     OPTION("retry", DURATION, LIMITS(SHORTEST, DAY)));
ARGS(args_reuse, VALUE(CHOICE, ONE_OF(choices_reuse), .field = P(reuse)));
ARGS(args_reuse_idle,
     VALUE(DURATION, LIMITS(SHORTEST, DAY), .field = P(reuse_idle_ms)));
ARGS(args_reuse_max, VALUE(NUMBER, LIMITS(0, 1048576), .field = P(reuse_max)));
ARGS(args_queue, VALUE(NUMBER, LIMITS(0, 1048576)),
     OPTION("timeout", DURATION, LIMITS(SHORTEST, DAY)));
ARGS(args_slow_start, VALUE(DURATION, LIMITS(0, DAY)));
ARGS(args_send_proxy,
     VALUE(CHOICE, ONE_OF(choices_proxy), .field = P(send_proxy)));

/* match */
ARGS(args_deny, VALUE(NUMBER, LIMITS(400, 599), .flags = ARG_OPTIONAL));
ARGS(args_bypass, VALUE(DURATION, LIMITS(SECOND, DAY), .flags = ARG_OPTIONAL));
ARGS(args_redirect, VALUE(TEXT),
     VALUE(NUMBER, LIMITS(300, 399), .flags = ARG_OPTIONAL));
ARGS(args_respond, VALUE(NUMBER, LIMITS(200, 599)),
     VALUE(TEXT, .flags = ARG_OPTIONAL));
ARGS(args_set_header, VALUE(CHOICE, ONE_OF(choices_message)),
     VALUE(CHOICE, ONE_OF(choices_header)), VALUE(WORD), VALUE(TEXT));
ARGS(args_remove_header, VALUE(CHOICE, ONE_OF(choices_message)),
     VALUE(CHOICE, ONE_OF(choices_header)), VALUE(WORD));
ARGS(args_rewrite, VALUE(CHOICE, ONE_OF(choices_path)), VALUE(WORD),
     VALUE(REPLACEMENT));
ARGS(args_match_source, VALUE(SOURCE, ONE_OF(choices_source)));
ARGS(args_tos, VALUE(NUMBER, LIMITS(0, 255)));

/* --- statements ----------------------------------------------------------- */

#define BLOCK .flags = KEYWORD_BLOCK
#define LATER .flags = KEYWORD_UNSUPPORTED
#define HTTP .flags = KEYWORD_HTTP
#define LATER_AND(f) .flags = KEYWORD_UNSUPPORTED | KEYWORD_##f
#define INTO(X, member, type)                                                  \
	.list = {X(member), X(n_##member), sizeof(struct type)}
#define LIMITS_INTO(X, one)                                                    \
	.list = {X(limits), X(n_limits), sizeof(struct policy_limit), M(kind), \
		 one}
#define ROW(b, w, s, f, a, ...)                                                \
	{                                                                      \
		.block = (b), .word = (w), .sub = (s), .form = (f),            \
		.args = (a), __VA_ARGS__                                       \
	}
#define TOP(w, ...) ROW("", w, NULL, __VA_ARGS__)
#define GATEWAY(w, ...) ROW("gateway", w, NULL, __VA_ARGS__)
#define SERVICE(w, ...) ROW("service", w, NULL, __VA_ARGS__)
#define POOL(w, ...) ROW("pool", w, NULL, __VA_ARGS__)
#define ACTION(w, f, a, h)                                                     \
	ROW("match", w, NULL, f, a, .help = (h), LATER_AND(REPEATS))
#define RESERVED(w)                                                            \
	ROW("*", w, NULL, "", args_none, .flags = KEYWORD_RESERVED, .help = "")

static const struct keyword rows[] = {
	TOP("gateway", "{ ... }", args_none, BLOCK,
	    .help = "the box: interfaces, marks, defaults of all services"),
	TOP("service", "NAME { ... }", args_name,
	    .flags = KEYWORD_BLOCK | KEYWORD_REPEATS,
	    .help = "which flows are proxied, and how"),
	TOP("pool", "NAME { ... }", args_pool_name,
	    .flags = KEYWORD_BLOCK | KEYWORD_REPEATS,
	    .help = "servers, and the address that they see"),
	TOP("define", "NAME LIST", args_define,
	    .flags = KEYWORD_PARSER | KEYWORD_REPEATS,
	    .help = "a name for a list, used as $NAME"),
	TOP("include", "GLOB", args_path,
	    .flags = KEYWORD_PARSER | KEYWORD_REPEATS,
	    .help = "reads other files in this place"),

	/* gateway */
	GATEWAY("inside", "IFACE, ...", args_inside,
		.help = "where clients arrive"),
	GATEWAY("outside", "IFACE, ...", args_outside,
		.help = "where servers are reached"),
	GATEWAY("family", "ipv4, ipv6", args_family, .def = "ipv4, ipv6",
		.written = G(families_named), .help = "families to capture"),
	GATEWAY("except", "[from LIST] [to LIST] [port LIST]", args_except,
		INTO(G, excepts, policy_except),
		.flags = KEYWORD_REPEATS | KEYWORD_NEEDS_ONE,
		.help = "never captured by any service"),
	GATEWAY("on-failure", "open|closed", args_g_on_failure, .def = "open",
		.help = "what happens to flows while proxyd is not alive"),
	GATEWAY("alive-timeout", "DUR", args_alive, .def = "3s",
		.help = "silence after which proxyd counts as dead"),
	GATEWAY("on-drift", "warn|restore", args_drift, .def = "warn",
		.help = "when somebody changed what netsetup installed"),
	GATEWAY("upstream-tracking", "zone|off", args_tracking, .def = "zone",
		.help = "conntrack of the leg to the server"),
	GATEWAY("mark", "DELIVER UPSTREAM mask MASK", args_mark,
		.def = "0x1000 0x2000 mask 0x3000",
		.help = "mark bits used, in packets and in connections"),
	GATEWAY("table", "N", args_table, .def = "9061",
		.help = "routing table"),
	GATEWAY("priority", "N", args_priority, .def = "9061",
		.help = "of the ip rules, N-1 to N+1"),
	GATEWAY("zone", "N", args_zone, .def = "9061",
		.help = "conntrack zones, N to N+2"),
	GATEWAY("capture-ports", "LOW-HIGH", args_ports, .def = "16000-23999",
		.help = "local ports that captured flows are sent to"),
	GATEWAY("forwarding", "yes|no", args_forwarding, .def = "yes",
		.help = "netsetup sets the forwarding sysctls"),
	GATEWAY("workers", "auto|N", args_workers, .def = "auto",
		.help = "worker processes"),
	GATEWAY("user", "NAME", args_user, .def = "interpose",
		.help = "whom proxyd becomes"),
	GATEWAY("max-flows", "N", args_max_flows, .help = "per worker"),
	GATEWAY("drain-timeout", "DUR", args_drain, .def = "1m",
		.help = "how long an old worker may finish its flows"),
	GATEWAY("cookie-key", "FILE", args_path, LATER,
		.help = "secret for inserted cookies"),
	ROW("gateway", "timeout", "connect", "DUR", args_g_connect,
	    .def = "10s", .help = "for the server to answer a connect"),
	ROW("gateway", "timeout", "idle", "DUR", args_g_idle, .def = "1h",
	    .written = G(idle_named),
	    .help = "without a byte in either direction"),
	ROW("gateway", "timeout", "half-closed", "DUR", args_g_half_closed,
	    .def = "1m", .help = "idle, after one side has closed"),
	ROW("gateway", "timeout", "head", "DUR", args_g_head, .def = "10s",
	    .help = "for a request head"),
	ROW("gateway", "timeout", "body", "DUR", args_g_body, .def = "30s",
	    .help = "between pieces of a request body"),
	ROW("gateway", "timeout", "response", "DUR", args_g_response,
	    .def = "1m", .help = "for a response head"),
	ROW("gateway", "timeout", "keep-alive", "DUR", args_g_keep_alive,
	    .def = "1m", .help = "between requests"),
	ROW("gateway", "timeout", "sniff", "DUR", args_g_sniff, .def = "1s",
	    .help = "for the first bytes"),
	ROW("gateway", "timeout", "total", "DUR", args_g_total, .def = "0",
	    .help = "for a request and its response"),
	ROW("gateway", "limit", "connections", "N [per client] [test]",
	    args_limit, LIMITS_INTO(G, LIMIT_CONNECTIONS),
	    .flags = KEYWORD_REPEATS, .help = "connections at a time"),
	ROW("gateway", "limit", "rate", "N/s [per client] [test]", args_rate,
	    LIMITS_INTO(G, LIMIT_RATE), .flags = KEYWORD_REPEATS,
	    .help = "new connections or requests"),
	ROW("gateway", "limit", "request-head", "SIZE", args_g_head_max,
	    .def = "16k", .help = "size of a request head"),
	ROW("gateway", "limit", "request-body", "SIZE", args_g_body_max,
	    .help = "size of a request body"),
	ROW("gateway", "log", "access",
	    "FILE|journal|none [format text|json|combined]", args_g_log,
	    .def = "journal", .help = "one record per flow"),
	GATEWAY("forwarded-for", "add|replace|off", args_g_forwarded,
		.def = "add", .help = "X-Forwarded-For"),

	/* service */
	SERVICE("intercept",
		"tcp|udp port LIST [from LIST] [to LIST] [on IFACES] "
		"[via redirect|tproxy]",
		args_intercept, INTO(S, intercepts, policy_intercept),
		.flags = KEYWORD_REPEATS, .help = "capture"),
	SERVICE("except", "[from LIST] [to LIST] [port LIST]", args_except,
		INTO(S, excepts, policy_except),
		.flags = KEYWORD_REPEATS | KEYWORD_NEEDS_ONE,
		.help = "not captured by this service"),
	SERVICE("listen", "tcp|udp [ADDR:]PORT", args_listen,
		INTO(S, listens, policy_listen), .flags = KEYWORD_REPEATS,
		.help = "accept on an ordinary socket"),
	SERVICE("mode", "tcp|udp|http", args_mode, .def_for = mode_for,
		.place = S(mode_place), .help = "how to proxy"),
	SERVICE("use", "POOL", args_use, .def = "original",
		.help = "default pool"),
	SERVICE("match", "COND... { ACTION... }", args_match,
		.flags = KEYWORD_BLOCK | KEYWORD_REPEATS | KEYWORD_NEEDS_ONE |
			 KEYWORD_CONDITIONS | KEYWORD_UNSUPPORTED,
		.help = "other actions for flows or requests that match"),
	SERVICE("script", "FILE", args_path, LATER, .help = "rules in Lua"),
	SERVICE("on-failure", "open|closed", args_s_on_failure,
		.help = "overrides the gateway's"),
	ROW("service", "timeout", "connect", "DUR", args_s_connect,
	    .help = "for the server to answer a connect"),
	ROW("service", "timeout", "idle", "DUR", args_s_idle,
	    .def_for = idle_for, .help = "without a byte in either direction"),
	ROW("service", "timeout", "half-closed", "DUR", args_s_half_closed,
	    .help = "idle, after one side has closed"),
	ROW("service", "timeout", "head", "DUR", args_s_head,
	    .flags = KEYWORD_PROXY, .help = "for a request head"),
	ROW("service", "timeout", "body", "DUR", args_s_body, HTTP,
	    .help = "between pieces of a request body"),
	ROW("service", "timeout", "response", "DUR", args_s_response, HTTP,
	    .help = "for a response head"),
	ROW("service", "timeout", "keep-alive", "DUR", args_s_keep_alive, HTTP,
	    .help = "between requests"),
	ROW("service", "timeout", "sniff", "DUR", args_s_sniff, HTTP,
	    .help = "for the first bytes"),
	ROW("service", "timeout", "total", "DUR", args_s_total, HTTP,
	    .help = "for a request and its response"),
	SERVICE("accept-proxy", "", args_none, .written = S(accept_proxy),
		.place = S(accept_proxy_place),
		.help = "clients send PROXY protocol"),
	SERVICE("forwarded-for", "add|replace|off", args_s_forwarded, HTTP,
		.help = "X-Forwarded-For"),
	SERVICE("cluster-client-ip", "on|off", args_cluster, HTTP, .def = "off",
		.help = "X-Cluster-Client-Ip"),
	SERVICE("non-http", "tunnel|close", args_non_http, HTTP,
		.def_for = non_http_for,
		.help = "first bytes that are no request"),
	SERVICE("responses", "N", args_responses, .place = S(responses_place),
		.help = "answers to one datagram"),
	ROW("service", "limit", "connections", "N [per client] [test]",
	    args_limit, LIMITS_INTO(S, LIMIT_CONNECTIONS),
	    .flags = KEYWORD_REPEATS | KEYWORD_INHERITS,
	    .help = "connections at a time"),
	ROW("service", "limit", "rate", "N/s [per client] [test]", args_rate,
	    LIMITS_INTO(S, LIMIT_RATE),
	    .flags = KEYWORD_REPEATS | KEYWORD_INHERITS,
	    .help = "new connections or requests"),
	ROW("service", "limit", "request-head", "SIZE", args_s_head_max, HTTP,
	    .help = "size of a request head"),
	ROW("service", "limit", "request-body", "SIZE", args_s_body_max, HTTP,
	    .help = "size of a request body"),
	SERVICE("error-page", "STATUS FILE", args_error_page,
		INTO(S, error_pages, policy_error_page),
		.flags = KEYWORD_HTTP | KEYWORD_REPEATS,
		.help = "body of an answer of our own"),
	ROW("service", "log", "access",
	    "FILE|journal|none [format text|json|combined]", args_s_log,
	    .place = S(log_place), .help = "one record per flow"),

	/* pool */
	POOL("node",
	     "original | ADDR[:PORT] [weight N] [priority N] [max N] "
	     "[draining|disabled]",
	     args_node, INTO(P, nodes, policy_node), .flags = KEYWORD_REPEATS,
	     .help = "a server, or the one the client asked for"),
	POOL("source", "gateway|client|client-port|ADDR", args_source,
	     .def = "gateway", .place = P(source_place),
	     .help = "whose address the server sees"),
	ROW("pool", "balance", "round-robin", "", args_none,
	    .flags = KEYWORD_ONE_OF, .help = "one node after the other"),
	ROW("pool", "balance", "least-connections", "", args_none,
	    LATER_AND(ONE_OF), .help = "the node with fewest connections"),
	ROW("pool", "balance", "fastest", "", args_none, LATER_AND(ONE_OF),
	    .help = "the node that answers soonest"),
	ROW("pool", "balance", "random", "", args_none, LATER_AND(ONE_OF),
	    .help = "any node"),
	ROW("pool", "balance", "hash", "KEY", args_hash,
	    .flags = KEYWORD_UNSUPPORTED | KEYWORD_ONE_OF | KEYWORD_ONLY_ONE,
	    .help = "the same node for the same key"),
	ROW("pool", "persist", "client", "[prefix N]", args_persist_client,
	    LATER_AND(ONE_OF), .help = "the same node for the same client"),
	ROW("pool", "persist", "cookie", "[NAME]", args_persist_cookie,
	    LATER_AND(ONE_OF), .help = "by a cookie of our own"),
	ROW("pool", "persist", "app-cookie", "NAME", args_app_cookie,
	    LATER_AND(ONE_OF), .help = "by a cookie of the server's"),
	ROW("pool", "persist", "key", "", args_none, LATER_AND(ONE_OF),
	    .help = "by what persist-key says"),
	POOL("persist-failure", "new|close", args_persist_failure, LATER,
	     .help = "when that node is gone"),
	ROW("pool", "monitor", "connect",
	    "[every DUR] [timeout DUR] [rise N] [fall N] "
	    "[from client-network]",
	    args_monitor, LATER_AND(ONE_OF), .help = "health check"),
	ROW("pool", "monitor", "http",
	    "PATH [host H] [status LIST] [body REGEX] [every DUR] "
	    "[timeout DUR] [rise N] [fall N] [from client-network]",
	    args_monitor_http, LATER_AND(ONE_OF), .help = "health check"),
	ROW("pool", "monitor", "ping",
	    "[every DUR] [timeout DUR] [rise N] [fall N] "
	    "[from client-network]",
	    args_monitor, LATER_AND(ONE_OF), .help = "health check"),
	ROW("pool", "monitor", "program",
	    "FILE [every DUR] [timeout DUR] [rise N] [fall N] "
	    "[from client-network]",
	    args_monitor_program, LATER_AND(ONE_OF), .help = "health check"),
	POOL("passive", "N within DUR [retry DUR]", args_passive, LATER,
	     .help = "errors of real traffic take a node down"),
	POOL("failure-pool", "POOL", args_pool, LATER,
	     .help = "used when no node is usable"),
	POOL("reuse", "safe|never", args_reuse, .def = "safe",
	     .place = P(reuse_place), .help = "keep connections to servers"),
	POOL("reuse-idle", "DUR", args_reuse_idle, .def = "1m",
	     .place = P(reuse_place), .help = "how long they are kept"),
	POOL("reuse-max", "N", args_reuse_max, .def = "64",
	     .place = P(reuse_place), .help = "how many are kept"),
	POOL("queue", "N [timeout DUR]", args_queue, LATER,
	     .help = "wait for a node at its max"),
	POOL("slow-start", "DUR", args_slow_start, LATER,
	     .help = "ramp of a node that returns"),
	POOL("send-proxy", "v1|v2", args_send_proxy,
	     .place = P(send_proxy_place),
	     .help = "PROXY protocol to the node"),

	/* match */
	ACTION("use", "POOL", args_pool, "another pool"),
	ACTION("deny", "[STATUS]", args_deny, "refuse"),
	ACTION("reset", "", args_none, "reset the connection"),
	ACTION("bypass", "[DUR]", args_bypass, "let the kernel route it"),
	ACTION("redirect", "URL [STATUS]", args_redirect, "send elsewhere"),
	ACTION("respond", "STATUS [TEXT]", args_respond, "answer ourselves"),
	ACTION("set", "request|response header NAME VALUE", args_set_header,
	       "set a header"),
	ACTION("add", "request|response header NAME VALUE", args_set_header,
	       "add a header"),
	ACTION("remove", "request|response header NAME", args_remove_header,
	       "remove a header"),
	ACTION("rewrite", "path REGEX TO", args_rewrite, "change the path"),
	ACTION("source", "gateway|client|client-port|ADDR", args_match_source,
	       "whose address the server sees"),
	ACTION("persist-key", "VALUE", args_text, "key of persist key"),
	ACTION("mark-tos", "N", args_tos, "TOS of packets to the server"),
	ACTION("log", "TEXT", args_text, "a note in the record"),

	RESERVED("tls"),
	RESERVED("cache"),
	RESERVED("compress"),
	RESERVED("class"),
	RESERVED("bandwidth"),
	RESERVED("traffic-address"),
	RESERVED("cluster"),
	RESERVED("last-hop"),
	RESERVED("resolver"),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* --- look-ups ------------------------------------------------------------- */

const struct keyword *
keywords(size_t *ret_n)
{
	*ret_n = ROWS;
	return rows;
}

/* `define` and `include` may stand in any block. */
static bool
stands_in(const struct keyword *row, const char *block)
{
	return !strcmp(row->block, block) || !strcmp(row->block, "*") ||
	       row->flags & KEYWORD_PARSER;
}

const struct keyword *
keyword_find(const char *block, const char *word, const char *sub)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].word, word) && stands_in(&rows[i], block) &&
		    (!sub || (rows[i].sub && !strcmp(rows[i].sub, sub))))
			return &rows[i];
	return NULL;
}

bool
keyword_has_sub(const struct keyword *row)
{
	return row->sub;
}

const char *
keyword_elsewhere(const char *block, const char *word)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].word, word) &&
		    strcmp(rows[i].block, block) != 0)
			return rows[i].block;
	return NULL;
}

const char *
keyword_name(const struct keyword *row, char buf[KEYWORD_NAME_LEN])
{
	snprintf(buf, KEYWORD_NAME_LEN, "%s%s%s", row->word,
		 row->sub ? " " : "", row->sub ? row->sub : "");
	return buf;
}

const struct arg *
keyword_option(const struct keyword *row, const char *word)
{
	const struct arg *arg;

	for (arg = row->args; arg->type != TYPE_END; arg++)
		if (arg->word && !strcmp(arg->word, word))
			return arg;
	return NULL;
}

const struct choice *
choice_find(const struct choice *choices, const char *word)
{
	for (; choices && choices->word; choices++)
		if (!strcmp(choices->word, word))
			return choices;
	return NULL;
}

const char *
choice_word(const struct choice *choices, unsigned int value)
{
	for (; choices->word; choices++)
		if (choices->value == value)
			return choices->word;
	assert(!"a value without a word");
	return "";
}

const char *
size_format(uint64_t n, char buf[SIZE_TEXT_LEN])
{
	static const char *const units[] = {"", "k", "m", "g"};
	size_t i;

	for (i = 0; i < 3 && n && n % 1024 == 0; i++)
		n /= 1024;
	snprintf(buf, SIZE_TEXT_LEN, "%" PRIu64 "%s", n, units[i]);
	return buf;
}

const char *
policy_keyword(const char *block, size_t n)
{
	size_t i, j;

	for (i = 0; i < ROWS; i++) {
		if (!stands_in(&rows[i], block) ||
		    rows[i].flags & (KEYWORD_UNSUPPORTED | KEYWORD_RESERVED))
			continue;
		for (j = 0; j < i; j++)
			if (!strcmp(rows[j].word, rows[i].word) &&
			    stands_in(&rows[j], block))
				break;
		if (j == i && !n--)
			return rows[i].word;
	}
	return NULL;
}
