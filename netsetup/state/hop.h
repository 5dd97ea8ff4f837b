/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hop.h - a question to the kernel's routing, and its answer, as values.
 */
#ifndef NETSETUP_STATE_HOP_H
#define NETSETUP_STATE_HOP_H

#include "netsetup/state/kstate.h"

/* Which way would such a packet go? */
struct hop_query {
	struct addr from;   /* AF_UNSPEC: as routing chooses */
	struct addr to;	    /* its family is that of the question */
	const char *iif;    /* where it came in; NULL: it is the box's own */
	uint32_t mark;	    /* 0: none */
	uint8_t protocol;   /* IPPROTO_*; 0: ports do not count */
	uint16_t from_port; /* 0: any */
	uint16_t to_port;
};

struct hop {
	int error;    /* 0, or the kernel's negative errno: no way */
	uint8_t type; /* RTN_* */
	uint32_t table;
	char oif[16];	     /* "": none */
	struct addr gateway; /* AF_UNSPEC: on the link */
	struct addr source;  /* what the box would send from, or AF_UNSPEC */
};

/* It stays on this box. */
bool hop_is_local(const struct hop *r);

/* It goes on by some interface. */
bool hop_is_forward(const struct hop *r);

/*
 * "by out0 via 10.2.0.254", "to this box (table 9061)", "nowhere: Network is
 * unreachable"
 */
void hop_format(const struct hop *r, struct str *out);

#endif
