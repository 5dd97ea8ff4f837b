/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alive.h - datagrams by which netsetup's rules learn that proxyd is alive.
 *
 * Each carries a digest and never arrives: the rule that knows the digest
 * renews its set and drops the datagram, which the sender reads as EPERM. So
 * one call says both "I am alive" and "the rules are there". Who is alive,
 * and how often to say so, is the master's business.
 */
#ifndef PROXYD_NET_ALIVE_H
#define PROXYD_NET_ALIVE_H

#include <stdint.h>

struct alive {
	int fd4; /* owns; -1: none */
	int fd6; /* owns; -1: the box has no IPv6 */
};

enum alive_answer {
	ALIVE_SEEN,   /* a rule took it */
	ALIVE_UNSEEN, /* no rule knows this digest */
	ALIVE_UNSENT, /* it could not be sent: the family is switched off */
};

/* `mark` is TPROXIED. 0 or -errno. */
int alive_open(struct alive *a, uint32_t mark);
void alive_close(struct alive *a);

/* Send one digest by loopback of this family. */
enum alive_answer alive_send(struct alive *a, int family, uint64_t digest);

#endif
