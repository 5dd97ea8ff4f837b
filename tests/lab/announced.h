/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announced.h - clients and servers that speak the PROXY protocol, for the
 * lab. The headers are what proxyproto_build() makes, which has its own test.
 */
#ifndef TESTS_LAB_ANNOUNCED_H
#define TESTS_LAB_ANNOUNCED_H

#include "proxyd/stream/proxyproto.h"

#include "tests/lab/lab.h"

/* Who is said to come, by family. Nobody has these addresses. */
extern const char *const announced_clients[2];

/* The header for "ADDR:PORT" and "ADDR:PORT" in `buf`: its length. */
size_t announced_header(enum proxyproto_version version, const char *client,
			const char *destination,
			char buf[PROXYPROTO_BUILD_MAX]);

/* Send all of it. */
void announced_send(int fd, const char *buf, size_t len);

/* A client's connection to `to` that begins with such a header. */
int announced_connect(struct lab *lab, const char *to,
		      enum proxyproto_version version, const char *client,
		      const char *destination);

/* This header is what comes, byte by byte. */
void announced_expect(int fd, enum proxyproto_version version,
		      const char *client, const char *destination);

/* "request" one way, "response" the other, and both ends; closes. */
void announced_talk(int client, int server);

/* Wait for a record with `text`: it says `want` of `key`. */
void announced_recorded(const char *text, const char *key, const char *want);

/*
 * Lab and proxyd, with these lines in its gateway and its service, which
 * listens on port 8080 with accept-proxy, and uses `node original` unless the
 * lines say `use app`: LAB_SERVER4, port 80.
 */
struct lab *announced_begin(const char *gateway, const char *service,
			    pid_t *ret_pid);

/* The same policy, written again. */
void announced_policy(struct lab *lab, const char *gateway,
		      const char *service);

/* Not lab_end(): there are no rules. */
void announced_end(struct lab *lab, pid_t pid);

#endif
