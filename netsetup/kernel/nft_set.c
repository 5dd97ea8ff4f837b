/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes are those of nft, also in what the kernel only keeps for it: how
 * to list the elements, and which of them are open intervals. An interval is
 * two elements, its first number and the one after its last.
 */
#include "netsetup/kernel/nft_set.h"

#include <errno.h>
#include <libnftnl/chain.h> /* for FILE, which expr.h misses */
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <string.h>

enum { UDATA_MAX = 256 }; /* NFT_USERDATA_MAXLEN */

/* How nft knows what the elements are: its own numbers, and byte orders. */
static const struct {
	uint32_t key_type;
	uint32_t byteorder; /* 1: of this machine, 2: of the network */
} set_types[] = {
	[KSET_IPV4] = {7, 2},	     [KSET_IPV6] = {8, 2},
	[KSET_PORT] = {13, 2},	     [KSET_IFNAME] = {41, 1},
	[KSET_FAMILY] = {2, 1},	     [KSET_HEARTBEAT] = {4, 2},
	[KSET_IPV4_PAIR] = {455, 0}, [KSET_IPV6_PAIR] = {520, 0},
};

/*
 * For nft, which has no name for a piece of payload: that the key is
 * `@th,64,64`, and the data a verdict. Numbers of nft's own: of its
 * expressions (7: payload, 1: verdict), of the attributes of one, of protocols
 * and of headers. Source: nftables 1.0.6, src/payload.c,
 * payload_expr_build_udata().
 */
static void
say_heartbeat(struct nftnl_udata_buf *udata)
{
	static const struct {
		uint8_t attr;
		uint32_t value;
	} parts[] = {
		{0, 0},	 /* description: of no known protocol */
		{1, 2},	 /* its field: unknown */
		{2, 3},	 /* base: transport header */
		{3, 64}, /* offset, in bits */
		{4, 64}, /* length, in bits */
	};
	struct nftnl_udata *key, *data, *way;
	size_t i;

	key = nftnl_udata_nest_start(udata, NFTNL_UDATA_SET_KEY_TYPEOF);
	nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_TYPEOF_EXPR, 7);
	data = nftnl_udata_nest_start(udata, NFTNL_UDATA_SET_TYPEOF_DATA);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		nftnl_udata_put_u32(udata, parts[i].attr, parts[i].value);
	nftnl_udata_nest_end(udata, data);
	nftnl_udata_nest_end(udata, key);
	way = nftnl_udata_nest_start(udata, NFTNL_UDATA_SET_DATA_TYPEOF);
	nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_TYPEOF_EXPR, 1);
	data = nftnl_udata_nest_start(udata, NFTNL_UDATA_SET_TYPEOF_DATA);
	nftnl_udata_nest_end(udata, data);
	nftnl_udata_nest_end(udata, way);
}

static void
add_counter(struct nftnl_set *x)
{
	struct nftnl_expr *e = nftnl_expr_alloc("counter");

	if (!e)
		return; /* the kernel's set differs then, and plan says so */
	nftnl_expr_set_u64(e, NFTNL_EXPR_CTR_PACKETS, 0);
	nftnl_expr_set_u64(e, NFTNL_EXPR_CTR_BYTES, 0);
	nftnl_set_add_expr(x, e);
}

void
nft_set_fill(struct nftnl_set *x, const struct kset *s, uint32_t id)
{
	struct nftnl_udata_buf *udata;

	nftnl_set_set_u32(x, NFTNL_SET_FLAGS, s->flags);
	nftnl_set_set_u32(x, NFTNL_SET_KEY_TYPE, set_types[s->type].key_type);
	nftnl_set_set_u32(x, NFTNL_SET_KEY_LEN,
			  (uint32_t)kset_type_len(s->type));
	nftnl_set_set_u32(x, NFTNL_SET_ID, id);
	if (s->flags & NFT_SET_MAP)
		nftnl_set_set_u32(x, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	if (s->size > 0)
		nftnl_set_set_u32(x, NFTNL_SET_DESC_SIZE, s->size);
	if (s->counts)
		add_counter(x);
	udata = nftnl_udata_buf_alloc(UDATA_MAX);
	if (!udata)
		return; /* only listings suffer */
	nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_KEYBYTEORDER,
			    set_types[s->type].byteorder);
	if (s->type == KSET_HEARTBEAT)
		say_heartbeat(udata);
	nftnl_set_set_data(x, NFTNL_SET_USERDATA, nftnl_udata_buf_data(udata),
			   nftnl_udata_buf_len(udata));
	nftnl_udata_buf_free(udata);
}

struct nftnl_set *
nft_set_named(const struct kset *s)
{
	struct nftnl_set *x = nftnl_set_alloc();

	if (!x)
		return NULL;
	nftnl_set_set_str(x, NFTNL_SET_TABLE, KSTATE_TABLE);
	nftnl_set_set_str(x, NFTNL_SET_NAME, s->name);
	return x;
}

/* An element of no map yet; NULL once memory has run out. */
static struct nftnl_set_elem *
add_elem(struct nftnl_set *x, const uint8_t *key, size_t len)
{
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();

	if (!e)
		return NULL;
	nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, (uint32_t)len);
	nftnl_set_elem_add(x, e);
	return e;
}

static int
add_end(struct nftnl_set *x, const uint8_t *key, size_t len)
{
	struct nftnl_set_elem *e = add_elem(x, key, len);

	if (!e)
		return -ENOMEM;
	nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_FLAGS,
			       NFT_SET_ELEM_INTERVAL_END);
	return 0;
}

/* nft notes of an interval without an end that it is one. */
static int
say_open(struct nftnl_set_elem *e)
{
	struct nftnl_udata_buf *udata = nftnl_udata_buf_alloc(UDATA_MAX);

	if (!udata)
		return -ENOMEM;
	nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_ELEM_FLAGS,
			    NFTNL_SET_ELEM_F_INTERVAL_OPEN);
	nftnl_set_elem_set(e, NFTNL_SET_ELEM_USERDATA,
			   nftnl_udata_buf_data(udata),
			   nftnl_udata_buf_len(udata));
	nftnl_udata_buf_free(udata);
	return 0;
}

/* An interval ends where the next number begins, if there is one. */
static int
end_interval(struct nftnl_set *x, struct nftnl_set_elem *begin,
	     const struct kelem *e, size_t len)
{
	uint8_t end[KELEM_LEN];
	size_t i = len;

	memcpy(end, e->high, len);
	while (i > 0 && ++end[i - 1] == 0)
		i--;
	return i == 0 ? say_open(begin) : add_end(x, end, len);
}

static int
add_kelem(struct nftnl_set *x, const struct kset *s, const struct kelem *e)
{
	size_t len = kset_type_len(s->type);
	struct nftnl_set_elem *elem = add_elem(x, e->low, len);

	if (!elem)
		return -ENOMEM;
	if (s->ms)
		nftnl_set_elem_set_u64(elem, NFTNL_SET_ELEM_TIMEOUT, s->ms);
	if (s->flags & NFT_SET_MAP)
		nftnl_set_elem_set_u32(elem, NFTNL_SET_ELEM_VERDICT,
				       (uint32_t)e->verdict);
	if (e->chain)
		nftnl_set_elem_set_str(elem, NFTNL_SET_ELEM_CHAIN, e->chain);
	return s->flags & NFT_SET_INTERVAL ? end_interval(x, elem, e, len) : 0;
}

int
nft_set_fill_elems(struct nftnl_set *x, const struct kset *s, size_t from,
		   size_t to)
{
	size_t len = kset_type_len(s->type), i;
	static const uint8_t zero[KELEM_LEN];
	int r = 0;

	/* nft says so too: what is below the first interval is in none */
	if (from == 0 && to > 0 && s->flags & NFT_SET_INTERVAL &&
	    memcmp(s->elems[0].low, zero, len) != 0)
		r = add_end(x, zero, len);
	for (i = from; i < to && r == 0; i++)
		r = add_kelem(x, s, &s->elems[i]);
	return r;
}
