/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.h - a packet that is described, not seen: what rules can read of it,
 * and these values in words.
 */
#ifndef NETSETUP_EXPLAIN_PACKET_H
#define NETSETUP_EXPLAIN_PACKET_H

#include "netsetup/state/kstate.h"

enum {
	PACKET_STATUS_DNAT = 1 << 5, /* IPS_DST_NAT, nf_conntrack_common.h */
	PACKET_VALUE_LEN = 32,	     /* two IPv6 addresses */
};

struct packet {
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	struct endpoint from;
	struct endpoint to;
	uint8_t tcp_flags; /* TH_* */
	const char *iif;   /* where it comes in, or NULL */
	const char *oif;   /* where it goes out, or NULL */
	uint32_t mark;
	bool first;	    /* of its connection: nat chains see it */
	bool reply;	    /* the direction of it in its connection */
	uint32_t ct_mark;   /* of its connection */
	uint32_t ct_status; /* IPS_* */
	uint16_t zone;	    /* of the original direction */
	uint16_t zone_reply;
	bool untracked;
	bool socket; /* one is found that it belongs to; then: */
	bool transparent;
	bool wildcard; /* that one is bound to no address */
	uint32_t socket_mark;
	uint32_t fib_type;   /* RTN_*: what its destination is to this box */
	const char *fib_oif; /* the route to its destination leaves by; NULL */
	struct addr local;   /* where a redirection sends it */
	bool listens;	     /* tproxy finds a socket on its port */
	uint16_t tproxied;   /* and that is the port it was given to; or 0 */
};

/* What was loaded last. */
struct packet_value {
	uint8_t bytes[PACKET_VALUE_LEN];
	const struct kexpr *load;    /* of the first part; or NULL */
	const struct kexpr *second;  /* of the second, of a pair; or NULL */
	const struct kexpr *bitwise; /* what it was put through; or NULL */
};

/*
 * Do what a loading expression does. false if there is nothing to load, such
 * as a socket: the rule ends there.
 */
bool packet_load(const struct packet *p, const struct kexpr *e,
		 struct packet_value *value);

/* The value as nft writes it: "10.1.0.2", "tcp", "0x00001000". */
const char *packet_value_text(struct arena *arena, const struct packet_value *v,
			      const struct packet *p);

/*
 * Why the match `e` does not hold: "tcp dport 443 is not 80". NULL where it is
 * for the first packet of a connection only that it does not: nobody asks.
 */
const char *packet_why(struct arena *arena, const struct packet_value *v,
		       const struct kexpr *e, const struct packet *p);

/* Why there was nothing to load. */
const char *packet_missing(const struct kexpr *e);

#endif
