/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * from.h - which addresses do the clients of a tool have?
 *
 * Many connections of one address wear out its ports: what TIME_WAIT keeps
 * makes each new one dearer. So tools take several addresses in turn.
 */
#ifndef BENCH_FROM_H
#define BENCH_FROM_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/inet.h"

struct from {
	struct addr first;
	uint32_t count;
};

/* "10.1.1.1/32": so many from this one on. NULL: the kernel's choice. */
static inline int
from_parse(const char *text, struct from *ret_from)
{
	char first[ADDR_TEXT_LEN] = "0.0.0.0";
	unsigned int count = 1;

	if (text && sscanf(text, "%45[^/]/%u", first, &count) != 2)
		return -EINVAL;
	if (addr_parse(first, &ret_from->first) < 0)
		return -EINVAL;
	ret_from->count = count;
	return count >= 1 && count <= 256 ? 0 : -EINVAL;
}

/* The address whose turn it is, without a port. */
static inline struct endpoint
from_turn(const struct from *f, uint32_t turn)
{
	struct endpoint e = {.addr = f->first};

	e.addr.bytes[addr_bits(&e.addr) / 8 - 1] += (uint8_t)(turn % f->count);
	return e;
}

#endif
