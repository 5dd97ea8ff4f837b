/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan.h - how far do bytes of one kind reach?
 *
 * What a name, a value, a target may be made of, as a table of bytes, and a
 * loop over it, one byte at a time. wide.h has faster ones.
 */
#ifndef PROXYD_HTTP_SCAN_H
#define PROXYD_HTTP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scan_class {
	SCAN_TOKEN = 1 << 0, /* RFC 9110 5.6.2 */
	SCAN_VALUE = 1 << 1, /* of a field: tab, 0x20 to 0x7e, 0x80 to 0xff */
	SCAN_PATH = 1 << 2,  /* of a target, before '?' and without '%' */
	SCAN_QUERY = 1 << 3, /* of a target, from '?' on */
	SCAN_HOST = 1 << 4,  /* letters, digits, "-._~" */
	SCAN_HEX = 1 << 5,
	SCAN_DIGIT = 1 << 6,
};

extern const uint8_t scan_classes[256];

static inline bool
scan_is(enum scan_class class, char c)
{
	return scan_classes[(unsigned char)c] & class;
}

/* The first byte from `p` on that is not of the class; `end` if all are. */
static inline const char *
scan_over(enum scan_class class, const char *p, const char *end)
{
	while (p < end && scan_is(class, *p))
		p++;
	return p;
}

/* "0f": the value of a byte of SCAN_HEX. */
static inline unsigned int
scan_hex(char c)
{
	return ((unsigned char)c & 0xf) + (c > '9' ? 9 : 0);
}

#endif
