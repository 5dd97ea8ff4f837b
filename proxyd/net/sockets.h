/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockets.h - the sockets of one endpoint, one for each worker.
 *
 * The kernel spreads clients among them, and each is a worker's slot. Only
 * the first is bound without SO_REUSEPORT: so another proxyd, started by
 * mistake, is refused like anybody else and does not get a share of the
 * clients. Generations of workers share them: an endpoint that stays keeps
 * its sockets, and who waits in their queues does not notice a reload. Who
 * arrives there, and why, is not known here.
 */
#ifndef PROXYD_NET_SOCKETS_H
#define PROXYD_NET_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/inet.h"

#include "policy/policy.h"

struct sockets_what {
	enum proto proto;
	struct endpoint at;
	bool transparent; /* takes packets for any destination */
	uint32_t mark;	  /* of it and of what it accepts; 0: none */
};

struct sockets {
	struct sockets_what what;
	unsigned int users;
	uint32_t n;
	int *fds;	    /* owns: of each slot; -1: not in this process */
	const void *latest; /* who took it last; never followed */
};

/*
 * Open `n` of them, for one user. 0; -EADDRINUSE if anybody else has the
 * endpoint; other -errno.
 */
int sockets_open(const struct sockets_what *what, uint32_t n,
		 struct sockets **ret_sockets);

/* Has this box such a family at all? 0 or -errno: -EAFNOSUPPORT. */
int sockets_possible(int family);

/* Have at least `n`: open those that are missing. 0 or -errno. */
int sockets_grow(struct sockets *s, uint32_t n);

/* Have at most `n`: close the last ones. Who waits there is refused. */
void sockets_shrink(struct sockets *s, uint32_t n);

/* None is open yet in this process: for one user, who gives them later. */
struct sockets *sockets_new(const struct sockets_what *what);

/* `fd`, from now on ours, is that of this slot. 0 or -ENOMEM. */
int sockets_put(struct sockets *s, uint32_t slot, int fd);

/* That of this slot, borrowed; -1: there is none. NULL is allowed. */
int sockets_fd(const struct sockets *s, uint32_t slot);

/* One user less; the last one closes them. NULL is allowed. */
void sockets_let_go(struct sockets *s);

bool sockets_what_equal(const struct sockets_what *a,
			const struct sockets_what *b);

#endif
