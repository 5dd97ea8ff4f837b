/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * web.h - for tests of mode http: clients that keep their connection, and a
 * server that says whom it saw.
 */
#ifndef TESTS_LAB_WEB_H
#define TESTS_LAB_WEB_H

#include "tests/lab/lab.h"

/*
 * nginx on the server, on ports 80 to 85 of every address, which never
 * counts requests. "/who" answers with a line as web_who() reads it; "/NAME"
 * is the file LAB_DIR/www/NAME, and PUT writes it; "/chunked/NAME" the same
 * in chunks; "/slow/NAME" at 100 kB/s.
 */
void web_nginx(struct lab *lab);

/* A connection of the client's, which must stand. */
int web_open(struct lab *lab, const char *from, const char *to);

/* Begin a GET; `fields` are whole lines. False: the connection has ended. */
bool web_get(int fd, const char *path, const char *fields);

/*
 * Receive the answer to it, all of it: its status, and its body is added to
 * `body`. 0: the connection ended before a byte; -EPIPE: in the middle;
 * -EPROTO: that is no answer, or more than one; else -errno. *ret_close: it
 * is the last one of this connection. Both may be NULL.
 */
int web_answer(int fd, struct str *body, bool *ret_close);

/*
 * The same where several answers may come: `held` has what was received and
 * is not used yet. Answers 1xx before it are skipped.
 */
int web_next(int fd, struct str *held, struct str *body, bool *ret_close);

/* Ask and receive the answer. */
int web_ask(int fd, const char *path, const char *fields, struct str *body);

/* What the server says of a request for "/who": addresses as text. */
struct web_who {
	char address[64]; /* who asks */
	unsigned int port;
	char server[64];     /* the address of its own that was asked */
	unsigned int serial; /* of the connection */
	char forwarded[128]; /* X-Forwarded-For, "-": none */
	char marker[64];     /* X-Who */
	char host[128];	     /* Host */
};

bool web_who(const char *body, struct web_who *ret_who);

/*
 * Ask who: false, and the test has failed, unless the server answered and
 * the connection stays.
 */
bool web_ask_who(int fd, const char *fields, struct web_who *ret_who);

/*
 * The usual test: rules, proxyd and nginx; a service `web` of mode http at
 * port 80. Each text is further statements; `pool` those of `original`, of
 * which the node is said.
 */
struct lab *web_begin(const char *gateway, const char *pool,
		      const char *service, pid_t *ret_proxyd);

/* The same without nginx. */
struct lab *web_proxyd(const char *gateway, const char *pool,
		       const char *service, pid_t *ret_proxyd);

/* Give the client these further addresses: 10.1.0.(10 + i), fd01::(10 + i). */
void web_crowd(struct lab *lab, size_t n);

/* The i-th of them. Returns `buf`. */
const char *web_address(int family, size_t i, char buf[ADDR_TEXT_LEN]);

#endif
