/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wide.h - the loops of scan.h, 32 or 64 bytes at a time.
 *
 * For processors with AVX2, which is asked when the program runs; elsewhere
 * scan.h does the work. Both say the same of all bytes, and neither reads
 * outside of the buffer: what is left at its end is looked at together with
 * bytes before it. What is inline here would cost more to call than to do.
 */
#ifndef PROXYD_HTTP_WIDE_H
#define PROXYD_HTTP_WIDE_H

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "proxyd/http/scan.h"

/* Which loops? All give the same answers. */
enum wide_kind {
	WIDE_NOT,  /* those of scan.h */
	WIDE_AVX2, /* only where wide_best() says so */
};

/* The fastest that this processor has. */
enum wide_kind wide_best(void);

/*
 * scan_over() of SCAN_PATH or SCAN_QUERY, by `kind`. The buffer begins at
 * `buf`, which is before `p` or there.
 */
const char *wide_over(enum wide_kind kind, enum scan_class class,
		      const char *buf, const char *p, const char *end);

#if defined(__x86_64__)
#define WIDE_HAS_AVX2
#define WIDE_TARGET __attribute__((target("avx2")))

enum {
	WIDE_BYTES = 32, /* of one register */
	WIDE_BLOCK = 64, /* whose answers are the bits of a word */
};

/*
 * An ASCII class as bits: byte `low` has a bit for each high half of a byte
 * with that low half that is of the class.
 */
struct wide_class {
	uint8_t halves[16];
};

WIDE_TARGET static inline __m256i
wide_load(const void *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

/* A bit for each of 32 bytes that is not of the class. */
WIDE_TARGET static inline uint32_t
wide_stops(const struct wide_class *class, __m256i bytes)
{
	const __m256i bits = _mm256_setr_epi8(
		1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4,
		8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
	__m256i rows, low, high;

	rows = _mm256_broadcastsi128_si256(
		_mm_loadu_si128((const __m128i *)class->halves));
	/* of a byte from 0x80 on: 0 */
	low = _mm256_shuffle_epi8(rows, bytes);
	high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4),
				_mm256_set1_epi8(0xf));
	high = _mm256_shuffle_epi8(bits, high);
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(
		_mm256_and_si256(low, high), _mm256_setzero_si256()));
}

/* A bit for each of 32 bytes that is a control character, tabs included. */
WIDE_TARGET static inline uint32_t
wide_controls_of(__m256i bytes)
{
	__m256i low, del;

	low = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)),
				bytes);
	del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
	return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(low, del));
}

/*
 * The same of up to 64 bytes from `p` on: none for those that are not there,
 * because they are behind `end`. The buffer has 64 bytes before `end`.
 */
WIDE_TARGET static inline uint64_t
wide_controls(const char *p, const char *end)
{
	unsigned int lacks = 0;
	uint64_t low, high;

	if (end - p < WIDE_BLOCK) {
		lacks = WIDE_BLOCK - (unsigned int)(end - p);
		p -= lacks;
	}
	low = wide_controls_of(wide_load(p));
	high = wide_controls_of(wide_load(p + WIDE_BYTES));
	return (low | high << WIDE_BYTES) >> lacks;
}

#endif
#endif
