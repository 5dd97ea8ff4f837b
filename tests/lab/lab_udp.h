/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_udp.h - clients and servers of datagrams, for the lab.
 */
#ifndef TESTS_LAB_LAB_UDP_H
#define TESTS_LAB_LAB_UDP_H

#include "tests/lab/lab.h"

enum {
	LAB_UDP_PORT = 53, /* of services and servers */
	LAB_UDP_CLIENT_PORT = 45678,
	LAB_UDP_WAIT_MS = 2000,
	LAB_UDP_QUIET_MS = 100,
};

/* "tproxy", "redirect": for tests that do everything twice. */
extern const char *const lab_vias[2];

/*
 * lab_begin() with one service `dns` of udp port 53, captured by `via`, with
 * more statements in it, and `source` in its pool.
 */
struct lab *lab_udp_begin(const struct lab_options *options, const char *via,
			  const char *source, const char *more,
			  pid_t *ret_proxyd);

/* A socket bound to `at` ("ADDR:PORT") and connected to `to`, if not NULL. */
int lab_udp_socket(struct lab *lab, enum lab_where where, const char *at,
		   const char *to);

/* One at that host's port 53; one of the client's towards it, port 0: any. */
int lab_udp_serve(struct lab *lab, int family, enum lab_host host);
int lab_udp_client(struct lab *lab, int family, unsigned int port,
		   enum lab_host host);

/*
 * Receive one datagram: its length, -ETIMEDOUT, other -errno. `ret_from` may
 * be NULL.
 */
ssize_t lab_udp_receive(int fd, void *buf, size_t size,
			struct endpoint *ret_from);

/* Is the next one this text? */
bool lab_udp_receives(int fd, const char *text, struct endpoint *ret_from);

/* Does nothing come for a moment? */
bool lab_udp_quiet(int fd);

/* Send to somebody; it must work. */
void lab_udp_send(int fd, const struct endpoint *to, const char *text);

/*
 * A process that sends every datagram back, in full, until it is stopped.
 * Returns its pid.
 */
pid_t lab_udp_echo(struct lab *lab, int family, enum lab_host host);

/* A question of the client's, and its answer. Whom did the server see? */
bool lab_udp_asks(int client, int server, const char *text,
		  struct endpoint *ret_seen);

#endif
