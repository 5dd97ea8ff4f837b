/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rule.h - puts one nftables rule together, as expressions and as text.
 *
 * Each call adds a match or a statement to the draft: what the kernel shall
 * run, and beside it the words in which `nft list ruleset` shows just that.
 * The order of the calls is the order in the rule. It decides nothing.
 */
#ifndef NETSETUP_STATE_RULE_H
#define NETSETUP_STATE_RULE_H

#include "lib/inet.h"
#include "netsetup/state/expr.h"

/* Which end of a packet a match looks at. */
enum rule_end {
	RULE_SOURCE,
	RULE_DESTINATION,
};

/*
 * Matches. A family is AF_INET or AF_INET6; a mark is looked at under mask.
 * With _vmap: do what the map says, and go on where it says nothing.
 */
void rule_iifname(struct rule *r, const char *name, bool wildcard);
void rule_iifname_in(struct rule *r, const char *set);
void rule_iifname_vmap(struct rule *r, const char *map);
void rule_oifname(struct rule *r, const char *name);
void rule_family(struct rule *r, int family);
void rule_family_in(struct rule *r, const char *set);
void rule_addr(struct rule *r, enum rule_end end, const struct prefix *prefix);
void rule_addr_in(struct rule *r, enum rule_end end, int family,
		  const char *set);
void rule_addr_vmap(struct rule *r, enum rule_end end, int family,
		    const char *map);
/* Source and destination together, in a set of KSET_IPV4_PAIR or IPV6_PAIR. */
void rule_pair_in(struct rule *r, int family, const char *set);
void rule_destination_is(struct rule *r, uint32_t rtn_type);
/* The main table's route to the destination; not for the box's own. */
void rule_route_leaves_by(struct rule *r, const char *name, bool wildcard);
/* `l4` is IPPROTO_TCP or IPPROTO_UDP. */
void rule_l4(struct rule *r, uint8_t l4);
void rule_port(struct rule *r, uint8_t l4, enum rule_end end,
	       const struct port_range *range);
void rule_port_in(struct rule *r, uint8_t l4, enum rule_end end,
		  const char *set);
void rule_port_vmap(struct rule *r, uint8_t l4, enum rule_end end,
		    const char *map);
void rule_not_rst(struct rule *r);
void rule_syn(struct rule *r);	   /* of TCP, the first of a connection */
void rule_not_syn(struct rule *r); /* of TCP, any other */
void rule_mark_is(struct rule *r, uint32_t mask, uint32_t value);
void rule_mark_is_not(struct rule *r, uint32_t mask, uint32_t value);
/* Of the socket that gets the packet, if it is one with a mark. */
void rule_socket_mark(struct rule *r, bool wanted, uint32_t mask,
		      uint32_t value);
void rule_ct_mark_is(struct rule *r, uint32_t mask, uint32_t value);
void rule_ct_direction(struct rule *r, bool reply);
void rule_ct_reply_zone(struct rule *r, uint16_t zone);
void rule_ct_dnat(struct rule *r, bool wanted);
void rule_transparent(struct rule *r);
void rule_wildcard(struct rule *r);
/* A datagram of UDP that begins with the 8 bytes of `digest`. */
void rule_heartbeat(struct rule *r, uint64_t digest);
void rule_heartbeat_vmap(struct rule *r, const char *map);

/* Statements. Setting a mark leaves the bits outside of mask alone. */
void rule_renew(struct rule *r, const char *set, uint32_t timeout_ms);
void rule_set_mark(struct rule *r, uint32_t mask, uint32_t value);
void rule_set_ct_mark(struct rule *r, uint32_t mask, uint32_t value);
/* Before conntrack sees the packet; `direction` is one of KEXPR_DIR_*. */
void rule_set_zone(struct rule *r, uint32_t direction, uint16_t zone);
void rule_notrack(struct rule *r);
/* Of a connection that is new, by the object of that name. */
void rule_ct_timeout(struct rule *r, const char *name);
void rule_counter(struct rule *r);
void rule_accept(struct rule *r);
void rule_drop(struct rule *r);
void rule_return(struct rule *r);
void rule_jump(struct rule *r, const char *chain);
void rule_goto(struct rule *r, const char *chain);
void rule_reject_tcp(struct rule *r);
void rule_reject(struct rule *r); /* ICMP port unreachable, either family */
void rule_redirect(struct rule *r, uint16_t port);
/* To the socket at this port, or one that is connected; else no match. */
void rule_tproxy(struct rule *r, uint16_t port);

#endif
