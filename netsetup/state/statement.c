/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a rule does with a packet that its matches let through.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/state/rule.h"

/* "1m30s500ms": as nft writes it. */
static void
add_duration(struct str *out, uint32_t ms)
{
	static const struct {
		uint32_t ms;
		const char *unit;
	} units[] = {
		{86400000, "d"}, {3600000, "h"}, {60000, "m"},
		{1000, "s"},	 {1, "ms"},
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ms >= units[i].ms)
			str_addf(out, "%u%s", ms / units[i].ms, units[i].unit);
		ms %= units[i].ms;
	}
}

void
rule_renew(struct rule *r, const char *set, uint32_t timeout_ms)
{
	struct kexpr *e;

	expr_say(r, "update @%s { meta nfproto timeout ", set);
	add_duration(&r->text, timeout_ms);
	expr_say(r, "}");
	expr_load(r, KEXPR_META, NFT_META_NFPROTO);
	e = expr_add(r, KEXPR_DYNSET);
	e->name = arena_strdup(r->arena, set);
	e->ms = timeout_ms;
}

/* register := register & ~mask | value */
static void
replace_bits(struct rule *r, uint32_t mask, uint32_t value)
{
	uint32_t keep = ~mask;

	expr_bitwise(r, &keep, &value, sizeof(keep));
}

void
rule_set_mark(struct rule *r, uint32_t mask, uint32_t value)
{
	/* nft shows the mask with the bits that are set anyway */
	expr_say(r, "meta mark set meta mark & 0x%08x | 0x%08x", ~mask | value,
		 value);
	expr_load(r, KEXPR_META, NFT_META_MARK);
	replace_bits(r, mask, value);
	expr_load(r, KEXPR_META_SET, NFT_META_MARK);
}

void
rule_set_ct_mark(struct rule *r, uint32_t mask, uint32_t value)
{
	expr_say(r, "ct mark set ct mark & 0x%08x | 0x%08x", ~mask | value,
		 value);
	expr_load(r, KEXPR_CT, NFT_CT_MARK);
	replace_bits(r, mask, value);
	expr_load(r, KEXPR_CT_SET, NFT_CT_MARK);
}

static void
immediate_u16(struct rule *r, uint16_t value)
{
	struct kexpr *e = expr_add(r, KEXPR_IMMEDIATE);

	e->len = sizeof(value);
	memcpy(e->data, &value, sizeof(value));
}

void
rule_set_zone(struct rule *r, uint32_t direction, uint16_t zone)
{
	static const char *const words[] = {
		[KEXPR_DIR_NONE] = "",
		[KEXPR_DIR_ORIGINAL] = "original ",
		[KEXPR_DIR_REPLY] = "reply ",
	};
	struct kexpr *e;

	expr_say(r, "ct %szone set %u", words[direction], zone);
	immediate_u16(r, zone);
	e = expr_add(r, KEXPR_CT_SET);
	e->key = NFT_CT_ZONE;
	e->code = direction;
}

void
rule_notrack(struct rule *r)
{
	expr_say(r, "notrack");
	expr_add(r, KEXPR_NOTRACK);
}

void
rule_ct_timeout(struct rule *r, const char *name)
{
	struct kexpr *e = expr_add(r, KEXPR_OBJREF);

	expr_say(r, "ct timeout set \"%s\"", name);
	e->key = NFT_OBJECT_CT_TIMEOUT;
	e->name = arena_strdup(r->arena, name);
}

void
rule_counter(struct rule *r)
{
	expr_say(r, "counter");
	expr_add(r, KEXPR_COUNTER);
}

void
rule_accept(struct rule *r)
{
	expr_say(r, "accept");
	expr_verdict(r, NF_ACCEPT, NULL);
}

void
rule_drop(struct rule *r)
{
	expr_say(r, "drop");
	expr_verdict(r, NF_DROP, NULL);
}

void
rule_return(struct rule *r)
{
	expr_say(r, "return");
	expr_verdict(r, NFT_RETURN, NULL);
}

void
rule_jump(struct rule *r, const char *chain)
{
	expr_say(r, "jump %s", chain);
	expr_verdict(r, NFT_JUMP, chain);
}

void
rule_goto(struct rule *r, const char *chain)
{
	expr_say(r, "goto %s", chain);
	expr_verdict(r, NFT_GOTO, chain);
}

void
rule_reject_tcp(struct rule *r)
{
	expr_say(r, "reject with tcp reset");
	expr_add(r, KEXPR_REJECT)->key = NFT_REJECT_TCP_RST;
}

void
rule_reject(struct rule *r)
{
	struct kexpr *e = expr_add(r, KEXPR_REJECT);

	expr_say(r, "reject");
	e->key = NFT_REJECT_ICMPX_UNREACH;
	e->code = NFT_REJECT_ICMPX_PORT_UNREACH;
}

void
rule_redirect(struct rule *r, uint16_t port)
{
	expr_say(r, "redirect to :%u", port);
	immediate_u16(r, htons(port));
	expr_add(r, KEXPR_REDIRECT);
}

void
rule_tproxy(struct rule *r, uint16_t port)
{
	expr_say(r, "tproxy to :%u", port);
	immediate_u16(r, htons(port));
	expr_add(r, KEXPR_TPROXY);
}
