/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wide.c - see wide.h. */
#include "proxyd/http/wide.h"

#ifdef WIDE_HAS_AVX2
/* scan_classes once more; tests compare both for every byte */
static const struct wide_class path = {{0xf8, 0xfc, 0xfc, 0xf8, 0xfc, 0xf8,
					0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc,
					0xdc, 0xfc, 0xfc, 0x74}};
static const struct wide_class query = {{0xf8, 0xfc, 0xfc, 0xf8, 0xfc, 0xfc,
					 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc,
					 0xfc, 0xfc, 0xfc, 0x7c}};

WIDE_TARGET static const char *
over_avx2(enum scan_class class, const char *buf, const char *p,
	  const char *end)
{
	const struct wide_class *wide = class == SCAN_PATH ? &path : &query;
	uint64_t stops;

	for (; end - p >= WIDE_BYTES; p += WIDE_BYTES) {
		stops = wide_stops(wide, wide_load(p));
		if (stops)
			return p + __builtin_ctzll(stops);
	}
	if (end - buf < WIDE_BYTES)
		return scan_over(class, p, end);
	stops = wide_stops(wide, wide_load(end - WIDE_BYTES));
	stops >>= WIDE_BYTES - (end - p);
	return stops ? p + __builtin_ctzll(stops) : end;
}

enum wide_kind
wide_best(void)
{
	return __builtin_cpu_supports("avx2") ? WIDE_AVX2 : WIDE_NOT;
}

const char *
wide_over(enum wide_kind kind, enum scan_class class, const char *buf,
	  const char *p, const char *end)
{
	if (kind == WIDE_AVX2)
		return over_avx2(class, buf, p, end);
	return scan_over(class, p, end);
}
#else
enum wide_kind
wide_best(void)
{
	return WIDE_NOT;
}

const char *
wide_over(enum wide_kind kind, enum scan_class class, const char *buf,
	  const char *p, const char *end)
{
	(void)kind, (void)buf;
	return scan_over(class, p, end);
}
#endif
