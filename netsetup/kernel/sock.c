/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumps of sock_diag(7), one for each family. The kernel filters by state.
 */
#include "netsetup/kernel/sock.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>

struct dump {
	uint8_t protocol;
	bool (*see)(const struct sock_entry *entry, void *data);
	void *data;
	bool stopped;
};

static struct endpoint
read_endpoint(uint8_t family, const void *bytes, uint16_t port_be)
{
	union sockaddr_any sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa.sa_family = family;
	if (family == AF_INET) {
		memcpy(&sa.in.sin_addr, bytes, sizeof(sa.in.sin_addr));
		sa.in.sin_port = port_be;
	} else {
		memcpy(&sa.in6.sin6_addr, bytes, sizeof(sa.in6.sin6_addr));
		sa.in6.sin6_port = port_be;
	}
	return endpoint_from_sockaddr(&sa);
}

static int
take_attr(const struct nlattr *attr, void *data)
{
	struct sock_entry *e = data;
	size_t len = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY && len >= 1)
		e->ipv4_too = e->ipv4_too && mnl_attr_get_u8(attr) == 0;
	else if (mnl_attr_get_type(attr) == INET_DIAG_MARK && len >= 4)
		e->mark = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int
take_socket(const struct nlmsghdr *nlh, void *data)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	struct dump *d = data;
	struct sock_entry e = {.protocol = d->protocol};

	if (d->stopped || nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    nlh->nlmsg_len < mnl_nlmsg_size(sizeof(*m)))
		return MNL_CB_OK;
	e.state = m->idiag_state;
	e.local = read_endpoint(m->idiag_family, m->id.idiag_src,
				m->id.idiag_sport);
	e.remote = read_endpoint(m->idiag_family, m->id.idiag_dst,
				 m->id.idiag_dport);
	if (e.remote.port == 0)
		memset(&e.remote, 0, sizeof(e.remote));
	e.ifindex = m->id.idiag_if;
	e.uid = m->idiag_uid;
	e.inode = m->idiag_inode;
	e.ipv4_too =
		e.local.addr.family == AF_INET6 && addr_is_any(&e.local.addr);
	mnl_attr_parse(nlh, sizeof(*m), take_attr, &e);
	d->stopped = !d->see(&e, d->data);
	return MNL_CB_OK;
}

static uint32_t
states(uint8_t protocol, enum sock_kind kind)
{
	switch (kind) {
	case SOCK_KIND_BOUND: /* udp without a peer is "closed" */
		return 1U << (protocol == IPPROTO_UDP ? TCP_CLOSE : TCP_LISTEN);
	case SOCK_KIND_CONNECTED:
		return ~(1U << TCP_CLOSE | 1U << TCP_LISTEN |
			 1U << TCP_TIME_WAIT);
	}
	return 0;
}

int
sock_dump(struct nl *nl, uint8_t protocol, enum sock_kind kind,
	  bool (*see)(const struct sock_entry *entry, void *data), void *data)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct dump d = {.protocol = protocol, .see = see, .data = data};
	struct inet_diag_req_v2 *request;
	struct nlmsghdr *nlh;
	char buf[256];
	int r = 0;
	size_t i;

	for (i = 0; i < 2 && r == 0 && !d.stopped; i++) {
		nlh = mnl_nlmsg_put_header(buf);
		nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
		nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
		request = mnl_nlmsg_put_extra_header(nlh, sizeof(*request));
		request->sdiag_family = families[i];
		request->sdiag_protocol = protocol;
		request->idiag_states = states(protocol, kind);
		r = nl_dump(nl, nlh, take_socket, &d);
	}
	return r;
}

bool
sock_hears(const struct sock_entry *entry, const struct endpoint *to)
{
	const struct addr *at = &entry->local.addr;

	if (entry->local.port != to->port)
		return false;
	if (addr_is_any(at))
		return at->family == to->addr.family || entry->ipv4_too;
	return addr_equal(at, &to->addr);
}
