/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages are put together and read by libnetfilter_conntrack, and sent by
 * our own socket: so a mark can be changed under a mask, which the library's
 * own queries cannot.
 *
 * Entries are named by their original tuple. `ct original zone` gives that
 * tuple a zone and not the entry: the attribute must be the tuple's then, or
 * the kernel finds nothing.
 */
#include "netsetup/kernel/ct.h"

#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

enum { MESSAGE_LEN = 1024 };

struct dump {
	bool (*see)(const struct ct_entry *entry, void *data);
	void *data;
	bool stopped;
};

/* --- reading ------------------------------------------------------------- */

static struct endpoint
read_endpoint(const struct nf_conntrack *ct, enum nf_conntrack_attr attr4,
	      enum nf_conntrack_attr attr6, enum nf_conntrack_attr port)
{
	bool v6 = nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO) == AF_INET6;
	const void *bytes = nfct_get_attr(ct, v6 ? attr6 : attr4);
	struct endpoint e;

	memset(&e, 0, sizeof(e));
	if (!bytes)
		return e;
	e.addr.family = v6 ? AF_INET6 : AF_INET;
	memcpy(e.addr.bytes, bytes, addr_bits(&e.addr) / 8);
	if (nfct_attr_is_set(ct, port) > 0)
		e.port = ntohs(nfct_get_attr_u16(ct, port));
	return e;
}

static uint16_t
read_zone(const struct nf_conntrack *ct, enum nf_conntrack_attr direction)
{
	if (nfct_attr_is_set(ct, ATTR_ZONE) > 0)
		return nfct_get_attr_u16(ct, ATTR_ZONE);
	return nfct_get_attr_u16(ct, direction);
}

static bool
is_over(const struct nf_conntrack *ct)
{
	uint8_t state;

	if (nfct_attr_is_set(ct, ATTR_TCP_STATE) <= 0)
		return false;
	state = nfct_get_attr_u8(ct, ATTR_TCP_STATE);
	return state == TCP_CONNTRACK_TIME_WAIT || state == TCP_CONNTRACK_CLOSE;
}

static void
read_entry(const struct nf_conntrack *ct, struct ct_entry *e)
{
	memset(e, 0, sizeof(*e));
	e->protocol = nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO);
	e->original.from = read_endpoint(
		ct, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC, ATTR_ORIG_PORT_SRC);
	e->original.to = read_endpoint(ct, ATTR_ORIG_IPV4_DST,
				       ATTR_ORIG_IPV6_DST, ATTR_ORIG_PORT_DST);
	e->reply.from = read_endpoint(ct, ATTR_REPL_IPV4_SRC,
				      ATTR_REPL_IPV6_SRC, ATTR_REPL_PORT_SRC);
	e->reply.to = read_endpoint(ct, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_DST,
				    ATTR_REPL_PORT_DST);
	e->original.zone = read_zone(ct, ATTR_ORIG_ZONE);
	e->reply.zone = read_zone(ct, ATTR_REPL_ZONE);
	e->id = nfct_get_attr_u32(ct, ATTR_ID);
	e->mark = nfct_get_attr_u32(ct, ATTR_MARK);
	e->dnat = nfct_get_attr_u32(ct, ATTR_STATUS) & IPS_DST_NAT;
	e->over = is_over(ct);
}

static int
take_entry(const struct nlmsghdr *nlh, void *data)
{
	struct nf_conntrack *ct;
	struct dump *d = data;
	struct ct_entry e;

	if (d->stopped)
		return MNL_CB_OK;
	ct = nfct_new();
	if (!ct)
		return MNL_CB_ERROR;
	if (nfct_nlmsg_parse(nlh, ct) == 0) {
		read_entry(ct, &e);
		d->stopped = !d->see(&e, d->data);
	}
	nfct_destroy(ct);
	return MNL_CB_OK;
}

static struct nlmsghdr *
begin(char buf[MESSAGE_LEN], uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *h;

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	h = mnl_nlmsg_put_extra_header(nlh, sizeof(*h));
	h->nfgen_family = family;
	h->version = NFNETLINK_V0;
	h->res_id = 0;
	return nlh;
}

int
ct_dump(struct nl *nl, uint32_t mark, uint32_t mask,
	bool (*see)(const struct ct_entry *entry, void *data), void *data)
{
	struct dump d = {.see = see, .data = data};
	char buf[MESSAGE_LEN];
	struct nlmsghdr *nlh;

	nlh = begin(buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
	if (mask) { /* the kernel filters */
		mnl_attr_put_u32(nlh, CTA_MARK, htonl(mark));
		mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(mask));
	}
	return nl_dump(nl, nlh, take_entry, &d);
}

/* --- changing ------------------------------------------------------------ */

/* Put the name of an entry into a message: its original tuple. */
static int
put_name(struct nlmsghdr *nlh, const struct ct_entry *e)
{
	const struct ct_tuple *t = &e->original;
	bool v6 = t->from.addr.family == AF_INET6;
	struct nf_conntrack *ct;
	int r;

	ct = nfct_new();
	if (!ct)
		return -ENOMEM;
	nfct_set_attr_u8(ct, ATTR_ORIG_L3PROTO, t->from.addr.family);
	nfct_set_attr(ct, v6 ? ATTR_ORIG_IPV6_SRC : ATTR_ORIG_IPV4_SRC,
		      t->from.addr.bytes);
	nfct_set_attr(ct, v6 ? ATTR_ORIG_IPV6_DST : ATTR_ORIG_IPV4_DST,
		      t->to.addr.bytes);
	nfct_set_attr_u8(ct, ATTR_ORIG_L4PROTO, e->protocol);
	nfct_set_attr_u16(ct, ATTR_ORIG_PORT_SRC, htons(t->from.port));
	nfct_set_attr_u16(ct, ATTR_ORIG_PORT_DST, htons(t->to.port));
	if (t->zone && t->zone == e->reply.zone)
		nfct_set_attr_u16(ct, ATTR_ZONE, t->zone);
	else if (t->zone)
		nfct_set_attr_u16(ct, ATTR_ORIG_ZONE, t->zone);
	r = nfct_nlmsg_build(nlh, ct);
	nfct_destroy(ct);
	return r < 0 ? -EINVAL : 0;
}

int
ct_set_mark(struct nl *nl, const struct ct_entry *entry, uint32_t mark,
	    uint32_t mask)
{
	char buf[MESSAGE_LEN];
	struct nl_error e;
	struct nlmsghdr *nlh;
	int r;

	nlh = begin(buf, IPCTNL_MSG_CT_NEW, NLM_F_ACK,
		    entry->original.from.addr.family);
	r = put_name(nlh, entry);
	if (r < 0)
		return r;
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(mark));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(mask));
	return nl_request(nl, nlh, &e);
}

int
ct_delete(struct nl *nl, const struct ct_entry *entry)
{
	char buf[MESSAGE_LEN];
	struct nl_error e;
	struct nlmsghdr *nlh;
	int r;

	nlh = begin(buf, IPCTNL_MSG_CT_DELETE, NLM_F_ACK,
		    entry->original.from.addr.family);
	r = put_name(nlh, entry);
	if (r < 0)
		return r;
	mnl_attr_put_u32(nlh, CTA_ID, htonl(entry->id));
	return nl_request(nl, nlh, &e);
}
