/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp_life.h - what a flow of datagrams is; how it begins, waits and ends.
 *
 * Known to the files of this folder only: udp.c takes datagrams and passes
 * them on. Two tables find a flow: by client and the address it asked, as
 * the box sees both, which is how the kernel finds its socket; and, where it
 * keeps the client's port, by the source and the target of its leg to the
 * server, which no two flows may share.
 */
#ifndef PROXYD_FLOW_UDP_LIFE_H
#define PROXYD_FLOW_UDP_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "proxyd/flow/decide.h"
#include "proxyd/flow/flows.h"
#include "proxyd/flow/pairs.h"
#include "proxyd/net/datagram.h"

enum {
	UDP_MAGIC = 0x55445046, /* "UDPF" */
	UDP_WAIT_ITEMS = 16,	/* that a flow keeps while it asks */
	UDP_WAIT_BYTES = 128 * 1024,
	UDP_WAIT_ALL = 8 * 1024 * 1024, /* of all flows of a worker */
	UDP_NOTE_LEN = 64,
};

struct udp_flow;

TAILQ_HEAD(udp_list, udp_flow);

/* What all of them share. */
struct udp {
	struct datagram_batch *batch; /* owns */
	struct pairs clients;
	struct pairs sources;
	struct udp_list list;
	struct udp_flow *listed;     /* the next one of a listing; NULL: none */
	struct udp_list young;	     /* not answered yet; the oldest first */
	const struct udp_flow *busy; /* borrows: must not end now */
	uint32_t kept;		     /* bytes that wait, of all flows */
	bool draining;
	struct loop_source to;	 /* owns its descriptor: see udp_move.h */
	struct loop_source from; /* likewise */
	struct limiter said_full;
};

/* A datagram that waits until its flow knows where to. */
struct udp_item {
	void *data; /* owns */
	uint32_t len;
	uint16_t piece;
};

/* While the tracker is asked. */
struct udp_wait {
	struct question question;
	struct udp_item items[UDP_WAIT_ITEMS];
	unsigned int n;
	uint32_t bytes;
};

struct udp_flow {
	uint32_t magic;
	struct pair pair;   /* the client, and what it asked: as the box sees */
	struct pair source; /* of the leg to the server, and its target */
	TAILQ_ENTRY(udp_flow) link;
	TAILQ_ENTRY(udp_flow) young;
	struct flows *flows;		      /* borrows */
	const struct policy_service *service; /* borrows from the policy */
	enum listener_kind kind;
	enum record_via via;
	bool port_taken; /* the client's port could not be kept */
	bool tested;	 /* a limit with `test` would have refused it */
	bool answered;
	bool moves;    /* another worker has its listener: see udp_move.h */
	int client_fd; /* owns; -1 */
	int server_fd; /* owns; -1 */
	uint16_t client_join;
	uint16_t server_join;
	uint32_t serial;
	struct endpoint client; /* as conntrack knows it */
	struct endpoint destination;
	struct limit_hold hold;
	struct decision decision;
	struct loop_source client_source;
	struct loop_source server_source;
	struct timer timer;
	struct udp_wait *wait; /* owns; NULL: it relays */
	uint64_t opened_ms;
	uint64_t active_ms; /* when something was last passed */
	int64_t ms_answer;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t dropped;
	uint64_t owed; /* answers; with `responses` */
};

/*
 * A flow of `client`, whose datagrams to `at` are this service's. NULL if
 * there is no memory. Its timer calls on_timer(flow).
 */
struct udp_flow *udp_life_new(struct flows *fs, const struct policy_service *s,
			      enum listener_kind kind,
			      const struct endpoint *client,
			      const struct endpoint *at,
			      void (*on_timer)(void *flow));

/*
 * What is known of it so far; time, id and reason are left out. The note may
 * be put together in `note`.
 */
void udp_life_record(const struct udp_flow *f, char note[UDP_NOTE_LEN],
		     struct record *ret_record);

/* Write its record, close both legs, forget it and what it kept. */
void udp_life_end(struct udp_flow *f, enum reason reason);

/* Forget it here: another worker has it. */
void udp_life_leave(struct udp_flow *f);

/* Draining: something may move on now, or nothing any more. */
void udp_life_look(struct flows *fs);

/* It was answered for the first time. */
void udp_life_answered(struct udp_flow *f);

/* Let it be found by the leg to the server that it has now. */
void udp_life_sourced(struct udp_flow *f);

/* Keep a datagram until the tracker has answered, or drop it. */
void udp_life_keep(struct udp_flow *f, const void *data, uint32_t len,
		   uint16_t piece);

/* Forget what is kept. */
void udp_life_unwait(struct udp_flow *f);

#endif
