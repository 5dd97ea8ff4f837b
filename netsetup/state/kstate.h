/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kstate.h - kernel state as plain values: what is wanted, what is there.
 *
 * One type for both, so that the difference between them is a pure function.
 * It knows the vocabulary of the kernel (uapi constants) but neither netlink
 * nor a policy. Rules that we want carry their expressions; rules that were
 * read back carry none: they are known by chain, order and the digest in
 * their comment, and are never decompiled.
 */
#ifndef NETSETUP_STATE_KSTATE_H
#define NETSETUP_STATE_KSTATE_H

#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"
#include "lib/inet.h"
#include "lib/str.h"

struct arena;

/* The one table, family inet, that is ours. */
#define KSTATE_TABLE "interpose"

enum {
	/*
	 * The protocol of our ip rules and routes. Not one that iproute2 or
	 * a routing daemon gives out: `remove` deletes all that carry it.
	 */
	RTPROT_INTERPOSE = 161,
	KRULE_COMMENT_MAX = 127, /* what nft accepts */
};

/* Their numbers are part of the digests of rules: new ones come last. */
enum kexpr_kind {
	KEXPR_META,	 /* load meta key */
	KEXPR_META_SET,	 /* meta key := register */
	KEXPR_CT,	 /* load conntrack key, of a direction */
	KEXPR_CT_SET,	 /* conntrack key := register, in a direction */
	KEXPR_PAYLOAD,	 /* load len bytes at offset of base key */
	KEXPR_FIB,	 /* load the result `key` for the destination address */
	KEXPR_SOCKET,	 /* load socket key */
	KEXPR_BITWISE,	 /* register := register & data ^ flip */
	KEXPR_CMP,	 /* go on if register OP data; key is the OP */
	KEXPR_LOOKUP,	 /* go on if the register is in set `name` */
	KEXPR_DYNSET,	 /* renew the register in set `name` for `ms` */
	KEXPR_IMMEDIATE, /* register := data */
	KEXPR_COUNTER,
	KEXPR_VERDICT,	/* key is a verdict, `name` its chain */
	KEXPR_REJECT,	/* key is its type, code its code */
	KEXPR_REDIRECT, /* to the port in the register */
	KEXPR_VMAP,	/* do what map `name` has for it; go on if nothing */
	KEXPR_TPROXY,	/* to a socket, by the port in the register, or break */
	KEXPR_NOTRACK,
	KEXPR_OBJREF, /* run the object `name` of type key */
};

/* Direction of KEXPR_CT and KEXPR_CT_SET: none stands for both. */
enum {
	KEXPR_DIR_NONE = 0,
	KEXPR_DIR_ORIGINAL = 1,
	KEXPR_DIR_REPLY = 2,
};

/*
 * Where a value is loaded to. A set of pairs has its second part right after
 * the first: an IPv4 address takes one of the small registers, an IPv6
 * address one of the four large ones, which are the same bytes.
 */
enum {
	KEXPR_REG_FIRST = 0,	  /* NFT_REG_1 */
	KEXPR_REG_AFTER_IPV4 = 9, /* NFT_REG32_01 */
	KEXPR_REG_AFTER_IPV6 = 2, /* NFT_REG_2 */
};

/*
 * One expression. All of them work on register 1, which holds 16 bytes, but
 * for the load of the second part of a pair. Values are in the byte order in
 * which the kernel compares them.
 */
struct kexpr {
	enum kexpr_kind kind;
	uint32_t key;
	uint32_t code; /* reject code, or direction */
	uint32_t offset;
	uint32_t len; /* bytes of data, or of the load */
	uint32_t reg; /* PAYLOAD: KEXPR_REG_* */
	uint8_t data[16];
	uint8_t flip[16]; /* what BITWISE turns after masking */
	const char *name; /* borrows from the state's arena */
	uint32_t ms;
};

struct krule {
	const char *chain;
	struct place place; /* wanted: what asks for it */
	const char *label;  /* "policy.conf:14 web"; read back: the comment */
	const char *text;   /* wanted: as nft lists it */
	const struct kexpr *exprs; /* wanted */
	size_t n_exprs;
	uint64_t digest;  /* of the expressions; 0: not one of ours */
	uint64_t handle;  /* read back */
	uint64_t packets; /* read back: its counter */
	uint64_t raw;	  /* read back: fingerprint of its bytes */
	bool edited;	  /* read back: they are not those we have made */
};

struct kchain {
	const char *name;
	struct place place;
	bool base;	  /* hooked; the next three count only then */
	const char *type; /* "filter", "nat" */
	uint32_t hook;	  /* NF_INET_* */
	int32_t priority;
	bool drops; /* policy drop; never wanted */
};

/* Read back: a base chain of a table that is not ours. */
struct kforeign_chain {
	uint8_t family; /* of its table: NFPROTO_* */
	const char *table;
	const char *name;
	const char *type; /* "filter", "nat", "route" */
	uint32_t hook;	  /* NF_INET_*, or the family's own */
	int32_t priority;
	bool drops; /* policy drop */
};

/* What the elements of a set are. */
enum kset_type {
	KSET_IPV4,
	KSET_IPV6,
	KSET_PORT,
	KSET_IFNAME,
	KSET_FAMILY,
	KSET_HEARTBEAT, /* the first 8 bytes of a datagram of UDP */
	KSET_IPV4_PAIR, /* source and destination; made by others than us */
	KSET_IPV6_PAIR,
	KSET_OTHER, /* read back: not a type of ours */
};

enum { KELEM_LEN = 16 };

/*
 * Values from low to high, both inside; equal where flags lack INTERVAL. In a
 * map (NFT_SET_MAP) also what to do with a packet that has such a value.
 */
struct kelem {
	uint8_t low[KELEM_LEN];
	uint8_t high[KELEM_LEN];
	int verdict;	   /* NF_*, NFT_JUMP, NFT_GOTO, ... */
	const char *chain; /* of NFT_JUMP and NFT_GOTO, else NULL */
};

struct kset {
	const char *name;
	struct place place;
	const char *label;
	enum kset_type type;
	uint32_t flags; /* NFT_SET_* */
	uint32_t size;	/* 0: any */
	bool counts;	/* each element has a counter */
	uint32_t ms;	/* wanted: how long elements stay; 0: always */
	const struct kelem *elems; /* sorted, disjoint; none of pairs */
	size_t n_elems;
};

/* How long conntrack remembers a silent flow of UDP: a ct timeout object. */
struct ktimeout {
	const char *name;
	struct place place;
	uint32_t seconds; /* read back: 0 when it is not one of ours */
};

/* An ip rule by mark. */
struct kiprule {
	uint8_t family;
	struct place place;
	uint32_t priority;
	uint32_t mark;
	uint32_t mask;
	uint8_t action;	 /* FR_ACT_TO_TBL, FR_ACT_GOTO, FR_ACT_NOP */
	uint32_t table;	 /* FR_ACT_TO_TBL */
	uint32_t target; /* FR_ACT_GOTO */
	const char *iif; /* or NULL */
};

/* A route `type PREFIX dev IFACE table TABLE`. */
struct kroute {
	uint8_t family;
	struct place place;
	uint8_t type; /* RTN_* */
	struct prefix to;
	uint32_t table;
	uint32_t metric;   /* read back */
	const char *iface; /* or NULL */
	uint32_t ifindex;  /* read back */
};

/*
 * A kernel setting, path below /proc/sys. Wanted: value. Read back: what it
 * is, and, if a former value of its family is on record, `recorded`.
 */
struct ksysctl {
	const char *path;
	struct place place;
	const char *value;
	bool recorded;
};

/* Everything. Lists live in an arena that the maker names. */
struct kstate {
	bool table; /* is the table there? */
	uint32_t table_flags;
	uint32_t generation; /* read back: of the whole ruleset */
	struct kchain *chains;
	size_t n_chains;
	struct kset *sets;
	size_t n_sets;
	struct ktimeout *timeouts;
	size_t n_timeouts;
	struct krule *rules; /* a chain's rules keep their order */
	size_t n_rules;
	struct kiprule *iprules;
	size_t n_iprules;
	struct kroute *routes;
	size_t n_routes;
	struct ksysctl *sysctls;
	size_t n_sysctls;
	struct kforeign_chain *foreign; /* read back; in the kernel's order */
	size_t n_foreign;
};

/* Digest of the meaning of a rule, never 0: its place does not count. */
uint64_t kstate_rule_digest(const struct kexpr *exprs, size_t n);

/* "policy.conf:14 web 0123456789abcdef", cut to what nft accepts. */
void kstate_rule_comment(const struct krule *rule, struct str *out);

/* The digest that a comment ends with, or 0. */
uint64_t kstate_comment_digest(const char *comment);

/* Does this rule look into set, or jump to chain, `name`? */
bool kstate_rule_uses(const struct krule *rule, const char *name);

/* Does an element of this map lead to chain `name`? */
bool kset_leads_to(const struct kset *set, const char *name);

/* By name; NULL if there is none. */
const struct kset *kstate_set(const struct kstate *s, const char *name);
const struct kchain *kstate_chain(const struct kstate *s, const char *name);

const struct ktimeout *kstate_timeout(const struct kstate *s, const char *name);

/* Does it see packets of AF_INET or AF_INET6 at this NF_INET_* hook? */
bool kforeign_sees(const struct kforeign_chain *c, int family, uint32_t hook);

/* The word by which nft knows a table's family, NFPROTO_*: "inet", "ip"... */
const char *kstate_table_family(uint8_t family);

/* Does another table drop by default what the box forwards? */
bool kstate_forward_drops(const struct kstate *s);

/* Bytes in an element of this type; 0 for KSET_OTHER. */
size_t kset_type_len(enum kset_type type);

/* A set whose elements come and go, and which we therefore never compare. */
bool kset_is_dynamic(const struct kset *set);

/* Do both have the same elements, in maps with the same verdicts? */
bool kset_same_elems(const struct kset *a, const struct kset *b);

/* Is AF_INET or AF_INET6 in this set of families? */
bool kset_has_family(const struct kset *set, int family);

/*
 * Sort elements and join those that overlap or touch; returns how many. Those
 * of a map must not overlap, and are joined if they lead to the same.
 */
size_t kset_normalise(struct kelem *elems, size_t n, enum kset_type type);

/* "set" or "map". */
const char *kset_word(const struct kset *set);

/* "prerouting", "input"...: NF_INET_* in the words of nft; "?": another. */
const char *kchain_hook_name(uint32_t hook);

/* One line each, in the words of nft and ip, without place. */
void kchain_format(const struct kchain *c, struct str *out);
/* "table ip filter chain FORWARD (priority 0, policy drop)" */
void kforeign_format(const struct kforeign_chain *c, struct str *out);
void kelem_format(const struct kelem *e, const struct kset *set,
		  struct str *out);
void kset_format(const struct kset *s, struct str *out);
void ktimeout_format(const struct ktimeout *t, struct str *out);
void kiprule_format(const struct kiprule *r, struct str *out);
void kroute_format(const struct kroute *r, struct str *out);

/* The whole state, for tests and for people. */
void kstate_format(const struct kstate *s, struct str *out);

#endif
