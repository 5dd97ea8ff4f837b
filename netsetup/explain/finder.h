/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finder.h - a way while it is being found: asks the box, walks hooks, and
 * writes down both as steps. What is walked and asked, way.c decides.
 */
#ifndef NETSETUP_EXPLAIN_FINDER_H
#define NETSETUP_EXPLAIN_FINDER_H

#include "netsetup/explain/walk.h"
#include "netsetup/explain/way.h"

struct finder {
	const struct way_question *q;
	const struct way_box *box;
	struct arena *arena;
	struct way *way;
	const char *leg;
	int error; /* the first that the box returned */
};

/* Begin a step; notes belong to the one begun last. */
void finder_step(struct finder *f, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void finder_note(struct finder *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A line at the end. */
void finder_sum_up(struct finder *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Errors are kept in f->error; then there is no way. */
struct hop finder_route(struct finder *f, const struct hop_query *q);

/* The number, or -1. */
int finder_setting(struct finder *f, const char *path);

/*
 * The greater of a setting of all interfaces and of this one: what counts
 * for the likes of rp_filter. -1: there is none.
 */
int finder_effective(struct finder *f, const char *name, const char *iface);

/* IPPROTO_TCP or IPPROTO_UDP */
uint8_t finder_protocol(const struct finder *f);

/* The question how packet `p`, which came in, goes on. */
struct hop_query finder_onward(const struct packet *p);

/* If the kernel does not accept the source of `p`: why, where that is known. */
void finder_note_filter(struct finder *f, const struct packet *p,
			const struct hop *hop);

/* Text of a hop, in the arena. */
const char *finder_hop_text(struct finder *f, const struct hop *hop);

/* What the box makes of the packet's destination. */
void finder_ask_destination(struct finder *f, struct packet *p);

/*
 * Walk a hook and write it down, others' base chains after ours. `since`
 * NULL, or a trace whose beginning is known and need not be told again.
 */
enum walk_end finder_hook(struct finder *f, uint32_t hook,
			  enum walk_alive alive, struct packet *p,
			  const struct walk_trace *since);

/* The same without a word. */
enum walk_end finder_try(struct finder *f, uint32_t hook, enum walk_alive alive,
			 struct packet *p, struct walk_trace *ret_trace);

#endif
