/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One function for each kind of expression, in a table. The bytecode is that
 * of nft for the same rule: `nft --debug=netlink list ruleset` shows it.
 */
#include "netsetup/kernel/nft_expr.h"

#include <libnftnl/chain.h> /* for FILE, which expr.h misses */
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>

static void
meta(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, e->key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

static void
meta_set(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, e->key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

static void
ct_direction(struct nftnl_expr *x, const struct kexpr *e)
{
	if (e->code != KEXPR_DIR_NONE)
		nftnl_expr_set_u8(x, NFTNL_EXPR_CT_DIR,
				  e->code == KEXPR_DIR_REPLY);
}

static void
ct(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_KEY, e->key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	ct_direction(x, e);
}

static void
ct_set(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_KEY, e->key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_SREG, NFT_REG_1);
	ct_direction(x, e);
}

static void
payload(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG,
			   e->reg == KEXPR_REG_FIRST ? NFT_REG_1 : e->reg);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE, e->key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET, e->offset);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, e->len);
}

static void
fib(struct nftnl_expr *x, const struct kexpr *e)
{
	(void)e;
	nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_RESULT, e->key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
}

static void
socket_of(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_SOCKET_KEY, e->key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_SOCKET_DREG, NFT_REG_1);
}

static void
bitwise(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_LEN, e->len);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_MASK, e->data, e->len);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_XOR, e->flip, e->len);
}

static void
cmp(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_OP, e->key);
	nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, e->data, e->len);
}

static void
lookup(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(x, NFTNL_EXPR_LOOKUP_SET, e->name);
}

static void
vmap(struct nftnl_expr *x, const struct kexpr *e)
{
	lookup(x, e);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

static void
dynset(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_str(x, NFTNL_EXPR_DYNSET_SET_NAME, e->name);
	nftnl_expr_set_u64(x, NFTNL_EXPR_DYNSET_TIMEOUT, e->ms);
}

static void
immediate(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	nftnl_expr_set(x, NFTNL_EXPR_IMM_DATA, e->data, e->len);
}

static void
counter(struct nftnl_expr *x, const struct kexpr *e)
{
	(void)e;
	nftnl_expr_set_u64(x, NFTNL_EXPR_CTR_PACKETS, 0);
	nftnl_expr_set_u64(x, NFTNL_EXPR_CTR_BYTES, 0);
}

static void
verdict(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_VERDICT, e->key);
	if (e->name)
		nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, e->name);
}

static void
reject(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_REJECT_TYPE, e->key);
	nftnl_expr_set_u8(x, NFTNL_EXPR_REJECT_CODE, (uint8_t)e->code);
}

static void
redirect(struct nftnl_expr *x, const struct kexpr *e)
{
	(void)e;
	nftnl_expr_set_u32(x, NFTNL_EXPR_REDIR_REG_PROTO_MIN, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_REDIR_FLAGS,
			   NF_NAT_RANGE_PROTO_SPECIFIED);
}

static void
tproxy(struct nftnl_expr *x, const struct kexpr *e)
{
	(void)e;
	nftnl_expr_set_u32(x, NFTNL_EXPR_TPROXY_FAMILY, NFPROTO_UNSPEC);
	nftnl_expr_set_u32(x, NFTNL_EXPR_TPROXY_REG_PORT, NFT_REG_1);
}

static void
notrack(struct nftnl_expr *x, const struct kexpr *e)
{
	(void)x;
	(void)e;
}

static void
objref(struct nftnl_expr *x, const struct kexpr *e)
{
	nftnl_expr_set_u32(x, NFTNL_EXPR_OBJREF_IMM_TYPE, e->key);
	nftnl_expr_set_str(x, NFTNL_EXPR_OBJREF_IMM_NAME, e->name);
}

static const struct {
	const char *name; /* the kernel's */
	void (*fill)(struct nftnl_expr *x, const struct kexpr *e);
} kinds[] = {
	[KEXPR_META] = {"meta", meta},
	[KEXPR_META_SET] = {"meta", meta_set},
	[KEXPR_CT] = {"ct", ct},
	[KEXPR_CT_SET] = {"ct", ct_set},
	[KEXPR_PAYLOAD] = {"payload", payload},
	[KEXPR_FIB] = {"fib", fib},
	[KEXPR_SOCKET] = {"socket", socket_of},
	[KEXPR_BITWISE] = {"bitwise", bitwise},
	[KEXPR_CMP] = {"cmp", cmp},
	[KEXPR_LOOKUP] = {"lookup", lookup},
	[KEXPR_VMAP] = {"lookup", vmap},
	[KEXPR_DYNSET] = {"dynset", dynset},
	[KEXPR_IMMEDIATE] = {"immediate", immediate},
	[KEXPR_COUNTER] = {"counter", counter},
	[KEXPR_VERDICT] = {"immediate", verdict},
	[KEXPR_REJECT] = {"reject", reject},
	[KEXPR_REDIRECT] = {"redir", redirect},
	[KEXPR_TPROXY] = {"tproxy", tproxy},
	[KEXPR_NOTRACK] = {"notrack", notrack},
	[KEXPR_OBJREF] = {"objref", objref},
};

struct nftnl_expr *
nft_expr(const struct kexpr *e)
{
	struct nftnl_expr *x = nftnl_expr_alloc(kinds[e->kind].name);

	if (x)
		kinds[e->kind].fill(x, e);
	return x;
}
