/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - the listening sockets that the service manager keeps for us.
 *
 * So that they outlive a crash: clients that wait in their queues are served
 * by the next proxyd. The manager may be busy, so what is kept follows what
 * should be kept with a delay, and nobody waits. When proxyd ends as it was
 * told to, nothing is kept: a client must not wait where nobody will come.
 */
#ifndef PROXYD_STORE_H
#define PROXYD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/base/notify.h"
#include "proxyd/net/listener.h"

struct stored {
	char name[NOTIFY_NAME_LEN];
	uint32_t n; /* sockets that the manager has under this name */
	bool wanted;
};

/* Zeroed: nothing is kept. */
struct store {
	struct stored *list; /* owns */
	size_t n;
};

void store_fini(struct store *s);

/*
 * The manager may have these already: of a former process of ours. What is
 * not wanted at the next store_sync() is then forgotten. 0 or -ENOMEM.
 */
int store_assume(struct store *s, const struct listeners *ls);

/*
 * Have the sockets of these kept, and no others; NULL: none at all. 0: so it
 * is, or there is no manager; -EAGAIN: not yet, ask again; -ENOMEM; other
 * -errno: it cannot be told.
 */
int store_sync(struct store *s, const struct listeners *ls);

/*
 * The name for sockets: "tcp-10.0.0.1-80", "udp-0.0.0.0-16001-mark-3000". No
 * colon may be in it. Returns `buf`.
 */
const char *store_name(const struct sockets_what *what,
		       char buf[NOTIFY_NAME_LEN]);

#endif
