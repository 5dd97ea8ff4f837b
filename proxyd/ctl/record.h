/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h - one flow, told in one line.
 *
 * A record is plain values; making text of it is a pure function. Where the
 * line goes is access.h's. Source of the fields: proxyd(8).
 */
#ifndef PROXYD_CTL_RECORD_H
#define PROXYD_CTL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/inet.h"
#include "lib/str.h"

#include "policy/policy.h"

#include "proxyd/base/reason.h"

/* How the destination was found; `dst_via`. */
enum record_via {
	RECORD_VIA_NONE,      /* it was not */
	RECORD_VIA_SOCKET,    /* its own name, under tproxy */
	RECORD_VIA_NAT,	      /* SO_ORIGINAL_DST */
	RECORD_VIA_CONNTRACK, /* the tracker */
	RECORD_VIA_LOCAL,     /* nobody redirected it */
	RECORD_VIA_PROXY,     /* a PROXY header */
};

enum { RECORD_NO_TIME = -1, RECORD_ID_LEN = 24 };

/*
 * What a client may make as long as it likes is cut after so many bytes, of
 * which one that has to be escaped counts as four, and then ends in "...".
 * So a line is shorter than PIPE_BUF.
 */
enum {
	RECORD_NAME_MAX = 256, /* method, host */
	RECORD_PATH_MAX = 1024,
	RECORD_FIELD_MAX = 512, /* referer, user_agent */
};

/* Endpoints of family AF_UNSPEC and texts that are NULL are not known. */
struct record {
	char time[CLOCK_STAMP_LEN]; /* of the end */
	char id[RECORD_ID_LEN];
	const char *service;
	enum mode mode;
	struct endpoint client;
	struct endpoint local;	     /* the client's connection, our end */
	struct endpoint destination; /* what the client asked for */
	enum record_via via;
	struct endpoint source; /* the server's connection, our end */
	const char *pool;
	struct endpoint node; /* whom we connected to */
	uint64_t bytes_in;    /* from the client */
	uint64_t bytes_out;   /* to the client */
	int64_t ms_connect;   /* RECORD_NO_TIME: no connection was made */
	int64_t ms_total;
	/* of MODE_HTTP, where a record is of a request */
	const char *method;
	const char *host;
	const char *path;	/* with its query */
	const char *version;	/* "HTTP/1.1" */
	const char *referer;	/* of LOG_FORMAT_COMBINED only */
	const char *user_agent; /* likewise */
	uint16_t status;	/* 0: there was no response */
	int64_t ms_first;	/* from the head to the response's first byte */
	bool reused;		/* the server's connection */
	enum reason close;
	const char *note; /* NULL: nothing to say */
};

/*
 * Add the record to `out` in this format, with one newline, which is its
 * end. The texts may be of any bytes. Source of LOG_FORMAT_COMBINED:
 * mod_log_config, escaped as nginx does it.
 */
void record_format(const struct record *r, enum log_format format,
		   struct str *out);

/*
 * Add what is known of a flow that has not ended, as JSON and without a
 * newline: `step` is what it does now, `worker` who has it.
 */
void record_format_live(const struct record *r, const char *step,
			uint32_t worker, struct str *out);

/* "nat", "conntrack", "local", "proxy"...; "-". */
const char *record_via_name(enum record_via via);

#endif
