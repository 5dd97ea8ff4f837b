/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_state.h - what a flow of HTTP has beside what every flow has.
 *
 * One client's connection, and one request on it at a time, each with a
 * decision, a server and a record of its own. Values, and who owns them: what
 * is done with them is the business of the other http_*.c of this folder.
 */
#ifndef PROXYD_FLOW_HTTP_STATE_H
#define PROXYD_FLOW_HTTP_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/ctl/record.h"
#include "proxyd/http/bad.h"
#include "proxyd/http/body.h"
#include "proxyd/http/head.h"
#include "proxyd/http/reuse.h"
#include "proxyd/stream/inbox.h"
#include "proxyd/stream/relay.h"

enum {
	HTTP_TOLD_MAX = 2048, /* of each text, for the record */
	HTTP_BODY_RATE = 500, /* bytes a second; a slower client is cut */
};

/* What the record says of a request: texts, one behind another. */
struct http_told {
	const char *method; /* borrows from `text`, as do the others; or NULL */
	const char *host;
	const char *path;
	const char *referer;
	const char *user_agent;
	char text[];
};

struct http {
	struct link *link; /* owns: in use, or kept for this client only */
	struct inbox from_client;
	struct inbox from_server;
	struct body request;
	struct body response;
	struct http_told *told; /* owns: of this request, if it is recorded */
	char *again; /* owns: the head sent, while it may be sent again */
	uint32_t again_len;
	uint32_t requests;   /* that began on this connection */
	uint64_t began_ms;   /* this request: its first byte */
	uint64_t head_ms;    /* its head was whole */
	uint64_t stalled_ms; /* for so long its body was not let in */
	uint64_t stall_ms;   /* since when it is not */
	uint64_t first_ms;   /* first byte of the response; 0: none yet */
	uint64_t bytes_in;   /* of the request */
	uint64_t bytes_out;  /* of the response */
	uint64_t tunnel_in;  /* of the connection, when it became a tunnel */
	uint64_t tunnel_out;
	int64_t ms_connect;
	uint16_t status;   /* of the response */
	uint8_t method;	   /* enum http_method */
	uint8_t minor;	   /* of the client's HTTP/1.minor */
	enum http_bad bad; /* why the request, or its response, is refused */
	bool active;	   /* a request is there, and has no record yet */
	bool keep;	   /* the client's connection stays afterwards */
	bool keep_link;	   /* the server's does */
	bool bound;	   /* the link is authenticated for this client */
	bool upgrade;	   /* the request asks for it */
	bool tunnel;	   /* and has got it */
	bool answered;	   /* the head of the response went to the client */
	bool reused;	   /* the request went on a link that served before */
	struct endpoint local;	    /* our end; AF_UNSPEC: not asked */
	char client[ADDR_TEXT_LEN]; /* its address */
};

/* NULL if there is no memory. */
struct http *http_new(const struct addr *client);

/* Closes the link, if any; `reset`: not in the ordinary way. */
void http_free(struct http *h, struct relay *r, bool reset);

/* The link is not in use any more: close it, or have it kept. */
void http_close_link(struct http *h, struct relay *r, bool reset);
void http_keep_link(struct http *h);

/*
 * A request begins, with this head of the bytes at `buf`. `wanted`: there
 * will be a record. Without memory that has no texts.
 */
void http_begin(struct http *h, const struct http_head *head, const char *buf,
		bool wanted);

/* It is over: nothing of it is left, but for what goes on being read. */
void http_over(struct http *h);

/*
 * When the client is too slow with its request's body, which `timeout body`
 * and HTTP_BODY_RATE say: UINT64_MAX: never. Counts the time only in which
 * the body was let in.
 */
uint64_t http_body_due_ms(const struct http *h, uint32_t timeout_ms);

/*
 * Add what is known of the request that is active, if one is; `r` has the
 * bytes of all of the connection.
 */
void http_record(const struct http *h, uint64_t now_ms, struct record *r);

#endif
