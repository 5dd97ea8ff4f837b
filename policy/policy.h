/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.h - what the administrator wants, as values. The only header of
 * policy/ that netsetup and proxyd include.
 *
 * A struct policy is made from text in one call, is complete (every default
 * and every inherited value is filled in) and never changes afterwards. The
 * two programs share nothing else: what rules and daemon must agree on, such
 * as capture ports and the digests of the heartbeat, is computed here.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"
#include "lib/inet.h"
#include "lib/names.h"
#include "lib/str.h"

struct arena;

#define POLICY_PATH "/etc/interpose/policy.conf"

/* Where proxyd is asked, unless it is told otherwise: proxyctl(8). */
#define POLICY_CONTROL_PATH "/run/interpose/proxyd/control"

enum proto {
	PROTO_TCP,
	PROTO_UDP,
};

enum mode {
	MODE_TCP,
	MODE_UDP,
	MODE_HTTP,
};

enum via {
	VIA_REDIRECT,
	VIA_TPROXY,
};

/* Conntrack of the leg to the server. */
enum tracking {
	TRACKING_ZONE, /* in a zone of its own */
	TRACKING_OFF,  /* none */
};

enum on_failure {
	ON_FAILURE_OPEN,
	ON_FAILURE_CLOSED,
};

/* What `netsetup watch` does about what others changed. */
enum on_drift {
	ON_DRIFT_WARN,
	ON_DRIFT_RESTORE,
};

enum source_kind {
	SOURCE_GATEWAY,	    /* the box's own address, as routing chooses */
	SOURCE_CLIENT,	    /* the client's address, any port */
	SOURCE_CLIENT_PORT, /* the client's address and port */
	SOURCE_ADDRESS,	    /* the one named */
};

enum timeout_kind {
	TIMEOUT_CONNECT,
	TIMEOUT_IDLE,
	TIMEOUT_HALF_CLOSED,
	/* of http */
	TIMEOUT_HEAD,	    /* of a request */
	TIMEOUT_BODY,	    /* between pieces of a request's */
	TIMEOUT_RESPONSE,   /* its head */
	TIMEOUT_KEEP_ALIVE, /* between requests */
	TIMEOUT_SNIFF,	    /* the first bytes of a connection */
	TIMEOUT_TOTAL,	    /* a request and its response; 0: no limit */
	TIMEOUT_COUNT,
};

enum limit_kind {
	LIMIT_CONNECTIONS, /* at a time */
	LIMIT_RATE,	   /* new ones, in a second */
};

enum log_target {
	LOG_TARGET_JOURNAL, /* standard error */
	LOG_TARGET_FILE,
	LOG_TARGET_NONE,
};

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
	LOG_FORMAT_COMBINED, /* of http: as web servers write it */
};

/* X-Forwarded-For of a request that goes on to the server. */
enum forwarded_for {
	FORWARDED_FOR_ADD,     /* the client's address behind what is there */
	FORWARDED_FOR_REPLACE, /* instead of what is there */
	FORWARDED_FOR_OFF,     /* as it came */
};

/* Of a connection whose first bytes are no request. */
enum non_http {
	NON_HTTP_TUNNEL,
	NON_HTTP_CLOSE,
};

/* Connections to servers, after a response. */
enum reuse {
	REUSE_SAFE, /* kept for requests that may travel on them */
	REUSE_NEVER,
};

/* The PROXY protocol to a node. */
enum send_proxy {
	SEND_PROXY_NONE,
	SEND_PROXY_V1,
	SEND_PROXY_V2,
};

/* Bits of policy_gateway.families and of other sets of families. */
enum {
	FAMILY_IPV4 = 1 << 0,
	FAMILY_IPV6 = 1 << 1,
	FAMILY_BOTH = FAMILY_IPV4 | FAMILY_IPV6,
};

enum { POLICY_IFACE_LEN = 16 }; /* IFNAMSIZ, with the NUL */

/* An interface name; with `wildcard` every name that begins so. */
struct policy_iface {
	char name[POLICY_IFACE_LEN];
	bool wildcard;
};

/* Lists keep the order of the text; n == 0 stands for `any`. */
struct policy_prefixes {
	const struct prefix *list;
	size_t n;
};

struct policy_ports {
	const struct port_range *list;
	size_t n;
};

struct policy_ifaces {
	const struct policy_iface *list;
	size_t n;
};

struct policy_except {
	struct place place;
	struct policy_prefixes from;
	struct policy_prefixes to;
	struct policy_ports ports;
};

struct policy_intercept {
	struct place place;
	enum proto proto;
	enum via via;
	struct policy_ports ports; /* never empty */
	struct policy_prefixes from;
	struct policy_prefixes to;
	struct policy_ifaces on; /* filled from `inside` if not given */
};

struct policy_listen {
	struct place place;
	enum proto proto;
	struct endpoint endpoint; /* family AF_UNSPEC: every address */
};

struct policy_log {
	enum log_target target;
	enum log_format format;
	const char *path; /* LOG_TARGET_FILE, else NULL */
};

/* A service has at most one of each kind, in all and per client. */
struct policy_limit {
	struct place place;
	enum limit_kind kind;
	uint32_t count;
	bool per_client; /* per IPv4 address or IPv6 /64 */
	bool test;	 /* count and log only */
};

/* The body of an answer of our own. */
struct policy_error_page {
	struct place place;
	uint32_t status;
	const char *path; /* of a file, which policy/ does not open */
};

struct policy_gateway {
	struct place place; /* line 0 when the policy has no gateway block */
	struct policy_ifaces inside;
	struct policy_ifaces outside; /* empty: any */
	unsigned int families;	      /* FAMILY_* bits */
	bool families_named;	      /* `family` was written */
	const struct policy_except *excepts;
	size_t n_excepts;
	enum on_failure on_failure;
	enum on_drift on_drift;
	uint32_t alive_timeout_ms;
	uint32_t mark_deliver; /* the bits `mark DELIVER UPSTREAM mask M` */
	uint32_t mark_upstream;
	uint32_t mark_mask; /* TPROXIED is deliver | upstream */
	uint32_t table;	    /* routing table */
	uint32_t priority;  /* of the ip rules: uses N-1 to N+1 */
	uint32_t zone;	    /* uses N to N+2 */
	struct port_range capture_ports;
	enum tracking upstream_tracking;
	bool forwarding;
	uint32_t workers; /* 0: one per core */
	const char *user;
	uint32_t max_flows; /* per worker; 0: from RLIMIT_NOFILE */
	uint32_t drain_timeout_ms;
	uint32_t timeout_ms[TIMEOUT_COUNT];
	bool idle_named; /* `timeout idle` was written */
	const struct policy_limit *limits;
	size_t n_limits;
	uint32_t request_head_max; /* bytes */
	uint64_t request_body_max; /* bytes; 0: any number */
	enum forwarded_for forwarded_for;
	struct policy_log log;
};

struct policy_node {
	struct place place;
	bool original; /* where the client was going; endpoint is unset */
	struct endpoint endpoint; /* port 0: the one the client asked for */
};

struct policy_pool {
	struct place place; /* line 0: the built-in `original` */
	const char *name;
	const struct policy_node *nodes;
	size_t n_nodes; /* at least 1 */
	enum source_kind source;
	struct addr source_addr;   /* SOURCE_ADDRESS, else AF_UNSPEC */
	struct place source_place; /* line 0: not written */
	enum reuse reuse;
	uint32_t reuse_idle_ms;
	uint32_t reuse_max;	  /* per worker and node; 0: keep none */
	struct place reuse_place; /* of any of these; line 0: not written */
	enum send_proxy send_proxy;
	struct place send_proxy_place; /* line 0: not written */
};

struct policy_service {
	struct place place;
	const char *name;
	enum proto proto;
	enum mode mode;
	struct place mode_place; /* line 0: not written */
	const struct policy_intercept *intercepts;
	size_t n_intercepts;
	const struct policy_except *excepts;
	size_t n_excepts;
	const struct policy_listen *listens;
	size_t n_listens;
	const struct policy_pool *pool; /* borrows from the policy */
	enum on_failure on_failure;
	uint16_t capture_port; /* 0: no intercept */
	uint32_t timeout_ms[TIMEOUT_COUNT];
	uint32_t responses;		   /* of udp; 0: any number */
	struct place responses_place;	   /* line 0: not written */
	const struct policy_limit *limits; /* the gateway's among them */
	size_t n_limits;
	struct policy_log log;
	struct place log_place; /* line 0: not written */
	bool accept_proxy;
	struct place accept_proxy_place; /* line 0: not written */
	/* of http */
	uint32_t request_head_max; /* bytes */
	uint64_t request_body_max; /* bytes; 0: any number */
	enum forwarded_for forwarded_for;
	bool cluster_client_ip;
	enum non_http non_http;
	const struct policy_error_page *error_pages; /* a status once */
	size_t n_error_pages;
};

struct policy {
	struct arena *arena; /* owns; all below lives in it */
	struct policy_gateway gateway;
	const struct policy_service *services; /* in the order of the text */
	size_t n_services;
	const struct policy_pool *pools; /* [0] is `original` */
	size_t n_pools;
	uint64_t digest; /* of the canonical text */
};

/*
 * Read, parse and check the policy at `path`. Returns it, or NULL with at
 * least one error in `diags`; warnings may be added in both cases. A file
 * that cannot be read is an error too. `diags` borrows file names from the
 * policy or, on failure, from its own arena. The caller frees the policy.
 */
struct policy *policy_load(const char *path, struct diags *diags);

/*
 * The same from text in memory; `path` names it in messages and is what
 * includes are relative to.
 */
struct policy *policy_load_text(const char *path, const char *text, size_t len,
				struct diags *diags);

/* NULL is allowed. */
void policy_free(struct policy *p);

/*
 * The canonical text: loading it gives the same model again. Comments,
 * defines and includes are gone, values that equal their default are left
 * out. Source: policy.conf(5).
 */
void policy_print(const struct policy *p, struct str *out);

/*
 * Do both mean the same? Places are not compared.
 */
bool policy_equal(const struct policy *a, const struct policy *b);

/*
 * Which service captures a new flow that arrives on `iface` from `client`
 * to `destination`, to leave by `outside`? NULL for that says that the
 * destination is an address of the box itself. NULL: none. Mirrors what
 * netsetup's rules do.
 */
const struct policy_service *policy_match(const struct policy *p,
					  enum proto proto, const char *iface,
					  const char *outside,
					  const struct endpoint *client,
					  const struct endpoint *destination);

/* The same, and by which of its statements: *ret_intercept. */
const struct policy_service *
policy_match_by(const struct policy *p, enum proto proto, const char *iface,
		const char *outside, const struct endpoint *client,
		const struct endpoint *destination,
		const struct policy_intercept **ret_intercept);

/* Does `iface` belong to the list? An empty list matches every name. */
bool policy_iface_matches(const struct policy_ifaces *list, const char *iface);

/* Is it in the list? An empty list matches all. */
bool policy_prefixes_match(const struct policy_prefixes *list,
			   const struct addr *addr);
bool policy_ports_match(const struct policy_ports *list, uint16_t port);

/* Does `to` name this very address, and not only a network around it? */
bool policy_prefixes_name(const struct policy_prefixes *to,
			  const struct addr *addr);

/* The service or pool of that name, or NULL. */
const struct policy_service *policy_service(const struct policy *p,
					    const char *name);
const struct policy_pool *policy_pool(const struct policy *p, const char *name);

/* Does this pool send from an address that is not the box's own? */
bool policy_pool_spoofs(const struct policy_pool *pool);

/* Does a pool that some service uses spoof? Then a return path is needed. */
bool policy_spoofs(const struct policy *p);

/* Bits TPROXIED of `mark`: deliver and upstream together. */
uint32_t policy_mark_tproxied(const struct policy *p);

enum { POLICY_ALIVE_SET_LEN = sizeof("alive__65535") + NAME_MAX_LEN };

/*
 * The name of the nftables set that holds the families in which proxyd is
 * alive for this service: "alive_web_18023". Returns `buf`.
 */
const char *policy_alive_set(const struct policy_service *s,
			     char buf[POLICY_ALIVE_SET_LEN]);

/*
 * Pairs of client and destination that are routed unproxied, each for its
 * time: one set for each family, key `ip saddr . ip daddr`, flags timeout,
 * with a counter. The name of that of AF_INET or AF_INET6.
 */
const char *policy_bypass_set(int family);

enum {
	POLICY_BYPASS_SIZE = 65536,	   /* pairs in a set */
	POLICY_BYPASS_MS = 10 * 60 * 1000, /* unless a time is named */
};

/*
 * What a heartbeat of this service carries, as 8 bytes in network order: a
 * digest of name, protocol, via and capture port. Rules and daemon that
 * disagree about any of these never meet.
 */
uint64_t policy_alive_digest(const struct policy_service *s);

/*
 * What the probe of the return path carries, likewise: a digest of marks,
 * mask, table, priority and zone. Installed rules drop it in output, so its
 * sender reads EPERM; success means that this return path is not there.
 */
uint64_t policy_return_path_digest(const struct policy *p);

/* Words of the contract for enum values: "tcp", "client-port", "open"... */
const char *proto_name(enum proto proto);
const char *mode_name(enum mode mode);
const char *via_name(enum via via);
const char *source_kind_name(enum source_kind kind);
const char *on_failure_name(enum on_failure action);
const char *limit_kind_name(enum limit_kind kind);

/*
 * Every keyword that may stand in `block` ("", "gateway", "service",
 * "pool"), for completion: the n-th word, or NULL after the last.
 */
const char *policy_keyword(const char *block, size_t n);

#endif
