/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * way.h - the way of one flow through the box, there and back: the question,
 * who answers it, and the answer, as steps in words.
 */
#ifndef NETSETUP_EXPLAIN_WAY_H
#define NETSETUP_EXPLAIN_WAY_H

#include "lib/json.h"
#include "policy/policy.h"

#include "netsetup/state/desired.h"
#include "netsetup/state/hop.h"
#include "netsetup/state/kstate.h"

/* Who answers questions about the box. All return 0 or -errno. */
struct way_box {
	void *data;
	int (*route)(void *data, const struct hop_query *q,
		     struct hop *ret_hop);
	/* the number in a setting below /proc/sys; *ret -1: there is none */
	int (*setting)(void *data, const char *path, int *ret);
	/* does anybody listen there? *ret 1, 0, or -1: not known */
	int (*listens)(void *data, enum proto proto, const struct endpoint *at,
		       int *ret);
};

struct way_question {
	const struct policy *policy; /* or NULL: none */
	const struct facts *facts;
	const struct kstate *rules;    /* to walk: with expressions */
	const struct kstate *observed; /* others' chains, what sets hold */
	bool installed;		       /* the box routes as these rules want */
	enum proto proto;
	struct endpoint client;
	struct endpoint server; /* where the client wants to go */
	const char *iface;	/* where the client is */
	uint64_t bypass_ms;	/* for which these two bypass the proxy; 0 */
};

/* What becomes of the flow. */
enum way_fate {
	WAY_FATE_PROXIED,
	WAY_FATE_ROUTED,  /* passes through the box, or would */
	WAY_FATE_LOCAL,	  /* ends on this box */
	WAY_FATE_REFUSED, /* reset, or an ICMP error */
	WAY_FATE_DROPPED,
	WAY_FATE_UNREACHABLE, /* no route, or the kernel refuses the source */
};

struct way_step {
	const char *leg;   /* "from the client"; steps of one stand together */
	const char *where; /* "prerouting -100" */
	const char *what;  /* "capture: on to service_web" */
	const char **notes;
	size_t n_notes;
};

struct way {
	struct way_step *steps;
	size_t n_steps;
	const struct policy_service *service; /* would capture it, or NULL */
	bool alive;			      /* and proxyd is alive for it */
	enum way_fate now;		      /* what happens now */
	enum way_fate down;		      /* and without proxyd */
	bool broken;	      /* proxied, but the server's answer goes astray */
	const char *upstream; /* "10.2.0.2:80"; NULL unless captured */
	const char *source;   /* "10.1.0.2 (any port)"; likewise */
	const char *reason;   /* not captured: why; else NULL */
	const char **summary; /* the last lines */
	size_t n_summary;
};

/* A line of text, broken between words where it is too long. */
void way_wrap(const char *text, struct str *out);

/* For people: 80 columns, one line a step, its reasons below it. */
void way_text(const struct way *w, struct str *out);

/* The members of an object that is open, for machines. */
void way_json(const struct way *w, struct json *j);

/* "proxied", "routed", ... */
const char *way_fate_name(enum way_fate fate);

#endif
