/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreign.h - the rules of other tables: what they do with marks and zones,
 * and whether a packet like ours would get past them.
 *
 * They are not decompiled. Of each expression its kind, key and constants are
 * kept; what is not understood makes an answer uncertain, never wrong. Pure.
 */
#ifndef NETSETUP_DOCTOR_FOREIGN_H
#define NETSETUP_DOCTOR_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"
#include "netsetup/state/kstate.h"

/* One expression, by the name that the kernel gives it. */
struct fexpr {
	const char *name;
	const char *text; /* chain, set, or extension of xtables; or NULL */
	uint32_t key;	  /* of meta and ct; OP of cmp; verdict */
	bool sets;	  /* meta and ct: writes */
	bool verdict;	  /* immediate: key is a verdict */
	uint32_t base;	  /* payload; ct: 1 + direction, 0: both */
	uint32_t offset;
	uint32_t len;	   /* bytes of data, or of what payload loads */
	uint8_t data[16];  /* constant; mask of bitwise */
	uint8_t other[16]; /* xor of bitwise; end of range */
};

struct frule {
	uint8_t family; /* of its table: NFPROTO_* */
	const char *table;
	const char *chain;
	uint64_t handle;
	const struct fexpr *exprs;
	size_t n_exprs;
};

/* Packets of flows in it pass by all hooks. */
struct fflowtable {
	uint8_t family;
	const char *table;
	const char *name;
	const char *const *devices;
	size_t n_devices;
};

struct foreign {
	const struct kforeign_chain *chains; /* base chains */
	size_t n_chains;
	const struct frule *rules; /* a chain's rules keep their order */
	size_t n_rules;
	const struct fflowtable *flowtables;
	size_t n_flowtables;
};

/* Bits of packet marks and of connection marks. */
struct fmarks {
	uint32_t set;	 /* given a new value */
	uint32_t tested; /* asked to be 1 */
	uint32_t ct_set;
	uint32_t ct_tested;
};

/* What does this rule do with marks? */
struct fmarks frule_marks(const struct frule *r);

/* Does it ask for packets that have just this mark under this mask? */
bool frule_asks_mark(const struct frule *r, uint32_t mark, uint32_t mask);

/*
 * Does it choose a conntrack zone? *ret_zone is UINT32_MAX if not constant;
 * *ret_replies says whether for replies as well.
 */
bool frule_zone(const struct frule *r, uint32_t *ret_zone, bool *ret_replies);

/* The base chain that it is in, or NULL: it is called by others. */
const struct kforeign_chain *foreign_base(const struct foreign *f,
					  const struct frule *r);

/* Does it keep packets from being tracked? */
bool frule_untracks(const struct frule *r);

/* Does it change the source of what leaves? */
bool frule_translates(const struct frule *r);

/* The first packet of a flow, as others' chains see it. */
struct fpacket {
	uint8_t family;	 /* AF_INET, AF_INET6 */
	uint8_t l4proto; /* IPPROTO_* */
	uint16_t port;	 /* where it goes, host order */
	const char *iif;
	const char *oif;    /* NULL: none */
	uint32_t iif_index; /* 0: not known */
	uint32_t oif_index;
	uint32_t mark;
	bool dnat;	/* ct status */
	bool untracked; /* conntrack leaves it alone */
};

/* Could this packet meet all of the rule's matches? */
bool frule_may_match(const struct frule *r, const struct fpacket *packet);

enum fverdict {
	FVERDICT_ACCEPT,
	FVERDICT_DROP,
	FVERDICT_UNSURE, /* it would be dropped, but for what we cannot see */
};

/* What becomes of this packet in that base chain, and what it calls? */
enum fverdict foreign_walk(const struct foreign *f,
			   const struct kforeign_chain *base,
			   const struct fpacket *packet);

/* "inet filter input" */
void frule_format(const struct frule *r, struct str *out);

#endif
