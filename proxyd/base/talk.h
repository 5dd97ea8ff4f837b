/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * talk.h - messages between two processes, with descriptors.
 *
 * A pair of SOCK_SEQPACKET: what is sent as one message arrives as one, or
 * not at all, and its end says that nobody holds the other end any more.
 * Never blocks and keeps nothing: who wants to send more than fits has to
 * queue it himself. What the messages mean is not known here.
 */
#ifndef PROXYD_BASE_TALK_H
#define PROXYD_BASE_TALK_H

#include <stddef.h>
#include <sys/types.h>

enum {
	TALK_MAX = 4096, /* bytes in a message */
	TALK_FDS = 4,	 /* descriptors with it */
};

/* Descriptors that came with a message. */
struct talk_fds {
	int fd[TALK_FDS]; /* the first `n` are whoever's received them */
	size_t n;
};

/* Both ends, the caller's, close-on-exec. 0 or -errno. */
int talk_pair(int ret_ends[2]);

/*
 * Send one message of 1 to TALK_MAX bytes with `n_fds` descriptors, which
 * stay the caller's. 0; -EAGAIN: no room now, nothing was sent (wait for
 * EPOLLOUT); -EPIPE: nobody holds the other end; -EINVAL: too long, or too
 * many; other -errno. Source: unix(7), SCM_RIGHTS.
 */
int talk_send(int fd, const void *data, size_t len, const int *fds,
	      size_t n_fds);

/*
 * Receive one message. How many bytes of `buf` it fills; 0: nobody holds the
 * other end; -EAGAIN: nothing is there now; -EMSGSIZE: it was longer than
 * `size`; -EMFILE: there was no room for its descriptors. In the last two
 * cases the message is gone. Descriptors are close-on-exec and the caller's;
 * with NULL for `ret_fds` none are taken.
 */
ssize_t talk_receive(int fd, void *buf, size_t size, struct talk_fds *ret_fds);

/* Close what came with a message and was not taken. */
void talk_close(struct talk_fds *fds);

#endif
