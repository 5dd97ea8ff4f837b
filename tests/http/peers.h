/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peers.h - other parsers of HTTP, as Debian's packages have them.
 *
 * picohttpparser is in libh2o-evloop0.13, and so it was built by Debian. Of
 * llhttp the package node-llhttp has the sources, which are compiled into a
 * library before these programs run. Both are loaded when the programs start;
 * none of this is part of Interpose.
 */
#ifndef TESTS_HTTP_PEERS_H
#define TESTS_HTTP_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peers_span {
	const char *at;
	size_t len;
};

/* as picohttpparser 2.2.5 has it */
struct peers_header {
	struct peers_span name, value;
};

struct peers_chunks {
	size_t bytes_left;
	char consume_trailer;
	char hex_count;
	char state;
};

enum { PEERS_HEADERS = 128, PEERS_BODY = 4096 };

/* What llhttp said of a request. */
struct peers_llhttp {
	int error;	  /* 0: none so far */
	const char *name; /* of the error */
	bool head;	  /* was whole */
	bool message;	  /* was whole, its body included */
	const char *end;  /* where it stopped */
	size_t n_spans;
	struct peers_span spans[2 * PEERS_HEADERS + 1];
	size_t body_len;
	char body[PEERS_BODY];
};

struct peers {
	int (*phr_request)(const char *buf, size_t len, const char **method,
			   size_t *method_len, const char **path,
			   size_t *path_len, int *minor,
			   struct peers_header *headers, size_t *n_headers,
			   size_t last_len);
	long (*phr_chunked)(struct peers_chunks *d, char *buf, size_t *len);
	void *pico;   /* owns; the library of these */
	void *llhttp; /* owns; the functions of its library */
};

/*
 * Load both; `llhttp` is the library's file. Says on stderr what is missing;
 * close it in any case.
 */
bool peers_open(struct peers *p, const char *llhttp);
void peers_close(struct peers *p);

/*
 * Let llhttp parse a request; `head_only`: stop behind the head, whatever
 * follows. *ret holds where its parts are.
 */
void peers_llhttp(const struct peers *p, const char *buf, size_t len,
		  bool head_only, struct peers_llhttp *ret);

#endif
