/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names, digests and text of kernel state. Pure: no system calls.
 */
#include "netsetup/state/kstate.h"

#include <inttypes.h>
#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/hash.h"

enum {
	DIGEST_DIGITS = 16,
	ELEMS_SHOWN_MAX = 12, /* of a set, in one line */
};

static void
add_u32(struct str *s, uint32_t value)
{
	uint8_t bytes[4] = {
		(uint8_t)(value >> 24),
		(uint8_t)(value >> 16),
		(uint8_t)(value >> 8),
		(uint8_t)value,
	};

	str_add_bytes(s, bytes, sizeof(bytes));
}

uint64_t
kstate_rule_digest(const struct kexpr *exprs, size_t n)
{
	struct str s = {0};
	uint64_t digest;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct kexpr *e = &exprs[i];

		add_u32(&s, (uint32_t)e->kind | e->reg << 16);
		add_u32(&s, e->key);
		add_u32(&s, e->code);
		add_u32(&s, e->offset);
		add_u32(&s, e->len);
		add_u32(&s, e->ms);
		str_add_bytes(&s, e->data, sizeof(e->data));
		str_add_bytes(&s, e->flip, sizeof(e->flip));
		if (e->name)
			str_add(&s, e->name);
		str_add_bytes(&s, "", 1);
	}
	digest = hash64(str_text(&s), s.len, 0);
	str_fini(&s);
	return digest ? digest : 1;
}

void
kstate_rule_comment(const struct krule *rule, struct str *out)
{
	size_t room = KRULE_COMMENT_MAX - DIGEST_DIGITS - 1;
	size_t len = strlen(rule->label);

	str_add_bytes(out, rule->label, len < room ? len : room);
	str_addf(out, " %016" PRIx64, rule->digest);
}

uint64_t
kstate_comment_digest(const char *comment)
{
	size_t len = strlen(comment);
	const char *digits;
	char *end;
	uint64_t digest;

	if (len <= DIGEST_DIGITS)
		return 0;
	digits = comment + len - DIGEST_DIGITS;
	if (digits[-1] != ' ' ||
	    strspn(digits, "0123456789abcdef") != DIGEST_DIGITS)
		return 0;
	digest = strtoull(digits, &end, 16);
	return digest;
}

bool
kstate_rule_uses(const struct krule *rule, const char *name)
{
	size_t i;

	for (i = 0; i < rule->n_exprs; i++) {
		if (rule->exprs[i].name && !strcmp(rule->exprs[i].name, name))
			return true;
	}
	return false;
}

bool
kset_leads_to(const struct kset *set, const char *name)
{
	size_t i;

	for (i = 0; i < set->n_elems; i++) {
		if (set->elems[i].chain && !strcmp(set->elems[i].chain, name))
			return true;
	}
	return false;
}

const struct kset *
kstate_set(const struct kstate *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_sets; i++) {
		if (!strcmp(s->sets[i].name, name))
			return &s->sets[i];
	}
	return NULL;
}

const struct kchain *
kstate_chain(const struct kstate *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_chains; i++) {
		if (!strcmp(s->chains[i].name, name))
			return &s->chains[i];
	}
	return NULL;
}

size_t
kset_type_len(enum kset_type type)
{
	switch (type) {
	case KSET_IPV4:
		return 4;
	case KSET_IPV6:
	case KSET_IFNAME:
		return 16;
	case KSET_PORT:
		return 2;
	case KSET_FAMILY:
		return 1;
	case KSET_HEARTBEAT:
	case KSET_IPV4_PAIR:
		return 8;
	case KSET_IPV6_PAIR:
		return 32;
	case KSET_OTHER:
		break;
	}
	return 0;
}

bool
kset_is_dynamic(const struct kset *set)
{
	return set->flags & (NFT_SET_EVAL | NFT_SET_TIMEOUT);
}

/* Do both lead to the same? Elements of plain sets lead nowhere. */
static bool
same_way(const struct kelem *a, const struct kelem *b)
{
	return a->verdict == b->verdict && !a->chain == !b->chain &&
	       (!a->chain || !strcmp(a->chain, b->chain));
}

bool
kset_same_elems(const struct kset *a, const struct kset *b)
{
	size_t i;

	if (a->n_elems != b->n_elems)
		return false;
	for (i = 0; i < a->n_elems; i++) {
		const struct kelem *x = &a->elems[i], *y = &b->elems[i];

		if (memcmp(x->low, y->low, sizeof(x->low)) != 0 ||
		    memcmp(x->high, y->high, sizeof(x->high)) != 0 ||
		    !same_way(x, y))
			return false;
	}
	return true;
}

bool
kset_has_family(const struct kset *set, int family)
{
	uint8_t want = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
	size_t i;

	for (i = 0; i < set->n_elems; i++) {
		if (set->type == KSET_FAMILY && set->elems[i].low[0] == want)
			return true;
	}
	return false;
}

static int
compare_elems(const void *a, const void *b)
{
	const struct kelem *x = a, *y = b;
	int r = memcmp(x->low, y->low, sizeof(x->low));

	return r ? r : memcmp(x->high, y->high, sizeof(x->high));
}

/* Is `next` at most one above the number `high` of `len` bytes? */
static bool
touches(const uint8_t *high, const uint8_t *next, size_t len)
{
	uint8_t above[16];
	size_t i = len;

	memcpy(above, high, len);
	while (i > 0 && ++above[i - 1] == 0)
		i--;
	if (i == 0)
		return true; /* high was the last number there is */
	return memcmp(next, above, len) <= 0;
}

size_t
kset_normalise(struct kelem *elems, size_t n, enum kset_type type)
{
	size_t len = kset_type_len(type), i, kept = 0;
	bool number =
		type == KSET_IPV4 || type == KSET_IPV6 || type == KSET_PORT;

	if (n == 0)
		return 0;
	qsort(elems, n, sizeof(*elems), compare_elems);
	for (i = 1; i < n; i++) {
		struct kelem *last = &elems[kept];

		if (!same_way(last, &elems[i]) ||
		    (number ? !touches(last->high, elems[i].low, len)
			    : memcmp(last->low, elems[i].low, len) != 0))
			elems[++kept] = elems[i];
		else if (memcmp(elems[i].high, last->high, len) > 0)
			memcpy(last->high, elems[i].high, len);
	}
	return kept + 1;
}

const char *
kchain_hook_name(uint32_t hook)
{
	switch (hook) {
	case NF_INET_PRE_ROUTING:
		return "prerouting";
	case NF_INET_LOCAL_IN:
		return "input";
	case NF_INET_FORWARD:
		return "forward";
	case NF_INET_LOCAL_OUT:
		return "output";
	case NF_INET_POST_ROUTING:
		return "postrouting";
	default:
		return "?";
	}
}

void
kchain_format(const struct kchain *c, struct str *out)
{
	str_addf(out, "%s", c->name);
	if (c->base)
		str_addf(out, " type %s hook %s priority %d%s", c->type,
			 kchain_hook_name(c->hook), c->priority,
			 c->drops ? " policy drop" : "");
}

bool
kforeign_sees(const struct kforeign_chain *c, int family, uint32_t hook)
{
	uint8_t own = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	return c->hook == hook &&
	       (c->family == NFPROTO_INET || c->family == own);
}

bool
kstate_forward_drops(const struct kstate *s)
{
	const struct kforeign_chain *c;

	for (c = s->foreign; c < s->foreign + s->n_foreign; c++) {
		if (c->drops && (kforeign_sees(c, AF_INET, NF_INET_FORWARD) ||
				 kforeign_sees(c, AF_INET6, NF_INET_FORWARD)))
			return true;
	}
	return false;
}

const char *
kstate_table_family(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return "?";
	}
}

void
kforeign_format(const struct kforeign_chain *c, struct str *out)
{
	str_addf(out, "table %s %s chain %s (priority %d, policy %s)",
		 kstate_table_family(c->family), c->table, c->name, c->priority,
		 c->drops ? "drop" : "accept");
}

static struct addr
elem_addr(const uint8_t *bytes, enum kset_type type)
{
	struct addr a = {0};

	a.family = type == KSET_IPV4 ? AF_INET : AF_INET6;
	memcpy(a.bytes, bytes, kset_type_len(type));
	return a;
}

/* Is low to high a network? Then *ret_prefix is it. */
static bool
is_network(const struct addr *low, const struct addr *high,
	   struct prefix *ret_prefix)
{
	struct prefix p = {.addr = *low};
	struct addr last;
	unsigned int len, bits = addr_bits(low);

	for (len = bits + 1; len-- > 0;) {
		if (len < bits && low->bytes[len / 8] & 0x80 >> len % 8)
			return false; /* host bits are set */
		p.len = (uint8_t)len;
		last = prefix_last(&p);
		if (!addr_equal(&last, high))
			continue;
		*ret_prefix = p;
		return true;
	}
	return false;
}

static void
format_addrs(const struct kelem *e, enum kset_type type, struct str *out)
{
	char text[ADDR_TEXT_LEN], prefix_text[PREFIX_TEXT_LEN];
	struct addr low = elem_addr(e->low, type);
	struct addr high = elem_addr(e->high, type);
	struct prefix p;

	if (is_network(&low, &high, &p)) {
		str_add(out, prefix_format(&p, prefix_text));
		return;
	}
	str_addf(out, "%s-", addr_format(&low, text));
	str_add(out, addr_format(&high, text));
}

static void
format_digest(const uint8_t *bytes, struct str *out)
{
	uint64_t digest = 0;
	int i;

	for (i = 0; i < 8; i++)
		digest = digest << 8 | bytes[i];
	str_addf(out, "0x%" PRIx64, digest);
}

static void
format_way(const struct kelem *e, struct str *out)
{
	switch (e->verdict) {
	case NFT_JUMP:
		str_addf(out, " : jump %s", e->chain);
		break;
	case NFT_GOTO:
		str_addf(out, " : goto %s", e->chain);
		break;
	case NF_ACCEPT:
		str_add(out, " : accept");
		break;
	case NF_DROP:
		str_add(out, " : drop");
		break;
	default:
		str_add(out, " : ?");
		break;
	}
}

static void
format_key(const struct kelem *e, enum kset_type type, struct str *out)
{
	struct port_range range;
	char ports[PORTS_TEXT_LEN];

	switch (type) {
	case KSET_IPV4:
	case KSET_IPV6:
		format_addrs(e, type, out);
		break;
	case KSET_PORT:
		range.low = (uint16_t)(e->low[0] << 8 | e->low[1]);
		range.high = (uint16_t)(e->high[0] << 8 | e->high[1]);
		str_add(out, port_range_format(&range, ports));
		break;
	case KSET_IFNAME:
		str_addf(out, "\"%.16s\"", (const char *)e->low);
		break;
	case KSET_FAMILY:
		str_add(out, e->low[0] == NFPROTO_IPV4 ? "ipv4" : "ipv6");
		break;
	case KSET_HEARTBEAT:
		format_digest(e->low, out);
		break;
	case KSET_IPV4_PAIR:
	case KSET_IPV6_PAIR:
	case KSET_OTHER:
		str_add(out, "?");
		break;
	}
}

void
kelem_format(const struct kelem *e, const struct kset *set, struct str *out)
{
	char time[CLOCK_DURATION_LEN];

	format_key(e, set->type, out);
	if (set->ms)
		str_addf(out, " timeout %s", clock_duration(set->ms, time));
	if (set->flags & NFT_SET_MAP)
		format_way(e, out);
}

const char *
kset_word(const struct kset *set)
{
	return set->flags & NFT_SET_MAP ? "map" : "set";
}

void
kset_format(const struct kset *s, struct str *out)
{
	size_t i;

	str_add(out, s->name);
	if (kset_is_dynamic(s) && !s->ms)
		return; /* its elements come and go */
	str_add(out, " { ");
	for (i = 0; i < s->n_elems; i++) {
		if (i == ELEMS_SHOWN_MAX && s->n_elems > ELEMS_SHOWN_MAX + 1) {
			str_addf(out, ", and %zu more", s->n_elems - i);
			break;
		}
		if (i > 0)
			str_add(out, ", ");
		kelem_format(&s->elems[i], s, out);
	}
	str_add(out, " }");
}

const struct ktimeout *
kstate_timeout(const struct kstate *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_timeouts; i++) {
		if (!strcmp(s->timeouts[i].name, name))
			return &s->timeouts[i];
	}
	return NULL;
}

void
ktimeout_format(const struct ktimeout *t, struct str *out)
{
	str_addf(out, "%s udp %us", t->name, t->seconds);
}

void
kiprule_format(const struct kiprule *r, struct str *out)
{
	str_addf(out, "%s %u:", inet_family_name(r->family), r->priority);
	if (r->iif)
		str_addf(out, " iif %s", r->iif);
	if (r->mark || r->mask)
		str_addf(out, " fwmark %#x/%#x", r->mark, r->mask);
	if (r->action == FR_ACT_TO_TBL)
		str_addf(out, " lookup %u", r->table);
	else if (r->action == FR_ACT_GOTO)
		str_addf(out, " goto %u", r->target);
	else if (r->action == FR_ACT_NOP)
		str_add(out, " nop");
	else
		str_addf(out, " action %u", r->action);
}

void
kroute_format(const struct kroute *r, struct str *out)
{
	char text[PREFIX_TEXT_LEN];

	str_addf(out, "%s ", inet_family_name(r->family));
	if (r->type == RTN_LOCAL)
		str_add(out, "local ");
	else if (r->type != RTN_UNICAST)
		str_addf(out, "type %u ", r->type);
	str_add(out, r->to.len ? prefix_format(&r->to, text) : "default");
	if (r->iface)
		str_addf(out, " dev %s", r->iface);
	str_addf(out, " table %u", r->table);
}

static void
format_label(const char *label, struct str *out)
{
	if (label)
		str_addf(out, "  # %s", label);
	str_add_char(out, '\n');
}

static void
format_chain_rules(const struct kstate *s, const char *chain, struct str *out)
{
	size_t i;

	for (i = 0; i < s->n_rules; i++) {
		const struct krule *r = &s->rules[i];

		if (strcmp(r->chain, chain) != 0)
			continue;
		str_addf(out, "\t%s", r->text ? r->text : "?");
		format_label(r->label, out);
	}
}

void
kstate_format(const struct kstate *s, struct str *out)
{
	size_t i;

	if (s->table)
		str_add(out, "table inet " KSTATE_TABLE "\n");
	for (i = 0; i < s->n_sets; i++) {
		str_addf(out, "%s ", kset_word(&s->sets[i]));
		kset_format(&s->sets[i], out);
		format_label(s->sets[i].label, out);
	}
	for (i = 0; i < s->n_timeouts; i++) {
		str_add(out, "ct timeout ");
		ktimeout_format(&s->timeouts[i], out);
		str_add_char(out, '\n');
	}
	for (i = 0; i < s->n_chains; i++) {
		str_add(out, "chain ");
		kchain_format(&s->chains[i], out);
		str_add_char(out, '\n');
		format_chain_rules(s, s->chains[i].name, out);
	}
	for (i = 0; i < s->n_iprules; i++) {
		str_add(out, "ip rule ");
		kiprule_format(&s->iprules[i], out);
		str_add_char(out, '\n');
	}
	for (i = 0; i < s->n_routes; i++) {
		str_add(out, "route ");
		kroute_format(&s->routes[i], out);
		str_add_char(out, '\n');
	}
	for (i = 0; i < s->n_sysctls; i++)
		str_addf(out, "sysctl %s = %s\n", s->sysctls[i].path,
			 s->sysctls[i].value);
}
