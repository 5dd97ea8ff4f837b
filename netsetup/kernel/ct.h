/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ct.h - the connections that the kernel tracks.
 *
 * The one door to libnetfilter_conntrack here. Looks, marks and deletes;
 * whose connection an entry is, it does not know.
 */
#ifndef NETSETUP_KERNEL_CT_H
#define NETSETUP_KERNEL_CT_H

#include "lib/inet.h"
#include "netsetup/kernel/nl.h"

/* The two ends of a connection, as packets of one direction name them. */
struct ct_tuple {
	struct endpoint from;
	struct endpoint to;
	uint16_t zone; /* of this direction */
};

struct ct_entry {
	uint8_t protocol; /* IPPROTO_*; ports only of tcp and udp */
	struct ct_tuple original;
	struct ct_tuple reply;
	uint32_t id;
	uint32_t mark;
	bool dnat; /* its destination was translated */
	bool over; /* tcp that has ended: only the memory of it is left */
};

/*
 * Call `see` for every entry whose mark is `mark` under `mask` (0: for all),
 * until it returns false. `nl` is a netfilter socket, and not the one that
 * `see` may change entries by. Entries may come and go meanwhile; one
 * that stays is seen once. 0; -EPERM without CAP_NET_ADMIN; else -errno.
 */
int ct_dump(struct nl *nl, uint32_t mark, uint32_t mask,
	    bool (*see)(const struct ct_entry *entry, void *data), void *data);

/*
 * Change the bits `mask` of an entry's mark to `mark`. 0; -ENOENT if it is
 * gone, else -errno.
 */
int ct_set_mark(struct nl *nl, const struct ct_entry *entry, uint32_t mark,
		uint32_t mask);

/* Delete it, unless it is another one by now. Errors as above. */
int ct_delete(struct nl *nl, const struct ct_entry *entry);

#endif
