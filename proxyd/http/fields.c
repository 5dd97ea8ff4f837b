/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fields.c - see fields.h. */
#include "proxyd/http/fields.h"

#include "proxyd/http/known.h"
#include "proxyd/http/stray.h"
#include "proxyd/http/wide.h"

static inline bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What stands behind a name must be its colon. */
static const char *
no_colon(const char *name, const char *p, const char *end,
	 enum http_bad *ret_bad)
{
	enum http_bad bad = HTTP_BAD_FIELD_NAME;

	if (p < end && blank(*p))
		bad = p == name ? HTTP_BAD_OBS_FOLD
				: HTTP_BAD_SPACE_BEFORE_COLON;
	*ret_bad = stray(p, end, bad);
	return NULL;
}

/* The value, without blanks at its end. */
static inline void
set_value(const char *buf, const char *value, const char *end,
	  struct http_field *f)
{
	while (end > value && blank(end[-1]))
		end--;
	f->value.at = (uint32_t)(value - buf);
	f->value.len = (uint32_t)(end - value);
}

/* The value from `p` on, and CRLF. Returns what is behind that, or NULL. */
static inline const char *
value_end(const char *buf, const char *value, const char *p, const char *end,
	  struct http_field *f, enum http_bad *ret_bad)
{
	if (end - p < 2 || p[0] != '\r' || p[1] != '\n')
		return stray_crlf(p, end, HTTP_BAD_FIELD_VALUE, ret_bad);
	set_value(buf, value, p, f);
	return p + 2;
}

static inline void
set_name(const char *buf, const char *name, const char *colon,
	 enum http_field_id id, struct http_field *f)
{
	f->name.at = (uint32_t)(name - buf);
	f->name.len = (uint32_t)(colon - name);
	f->id = (uint8_t)id;
}

const char *
fields_line(const char *buf, const char *p, const char *end,
	    struct http_field *ret_field, enum http_bad *ret_bad)
{
	const char *name = p, *value;

	p = scan_over(SCAN_TOKEN, name, end);
	if (p == name || p == end || *p != ':')
		return no_colon(name, p, end, ret_bad);
	set_name(buf, name, p, known_find(name, (size_t)(p - name)), ret_field);
	for (value = p + 1; value < end && blank(*value); value++)
		;
	p = scan_over(SCAN_VALUE, value, end);
	return value_end(buf, value, p, end, ret_field, ret_bad);
}

/* Is there one more line, and room for it? Where not, *ret_bad may say why. */
static inline bool
another(const char *p, const char *end, const struct http_head *h,
	enum http_bad *ret_bad)
{
	if (p == end || *p == '\r')
		return false;
	if (h->n_fields < HTTP_FIELDS_MAX)
		return true;
	*ret_bad = HTTP_BAD_TOO_MANY_FIELDS;
	return false;
}

/* A field was read: count it, and tell who understands it. */
static inline bool
take(const char *buf, struct framing *s, struct http_head *h,
     enum http_bad *ret_bad)
{
	const struct http_field *f = &h->fields[h->n_fields];

	if (FRAMING_FIELDS >> f->id & 1) {
		*ret_bad = framing_field(s, buf, f, h);
		if (*ret_bad != HTTP_BAD_NONE)
			return false;
	}
	h->seen |= (1ULL << f->id) & ~(1ULL << HTTP_FIELD_OTHER);
	h->n_fields++;
	return true;
}

static const char *
lines_scalar(const char *buf, const char *p, const char *end, struct framing *s,
	     struct http_head *h, enum http_bad *ret_bad)
{
	while (another(p, end, h, ret_bad)) {
		p = fields_line(buf, p, end, &h->fields[h->n_fields], ret_bad);
		if (!p || !take(buf, s, h, ret_bad))
			return NULL;
	}
	return p;
}

#ifdef WIDE_HAS_AVX2
/* scan_classes once more; tests compare both for every byte */
static const struct wide_class token = {{0xe8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc,
					 0xfc, 0xfc, 0xf8, 0xf8, 0xf4, 0x54,
					 0xd0, 0x54, 0xf4, 0x70}};

/* Which field has the name of `len` bytes that `bytes` begin with? */
WIDE_TARGET static inline enum http_field_id
find_avx2(const char *name, unsigned int len, __m256i bytes)
{
	enum http_field_id id;
	uint32_t same;

	if (len < 2)
		return HTTP_FIELD_OTHER;
	id = known_guess(name, len);
	bytes = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
	same = (uint32_t)_mm256_movemask_epi8(
		_mm256_cmpeq_epi8(bytes, wide_load(known_names[id])));
	if (known_lens[id] != len || ~same << (WIDE_BYTES - len) != 0)
		return HTTP_FIELD_OTHER;
	return id;
}

/*
 * The line at `p`, whose value ends at `cr`, with CRLF. False: it is not a
 * good one, or too near the end of the buffer.
 */
WIDE_TARGET static inline bool
line_avx2(const char *buf, const char *p, const char *cr, const char *end,
	  struct http_field *f)
{
	const char *value;
	unsigned int len;
	uint32_t stops;
	__m256i bytes;

	if (end - p < WIDE_BYTES)
		return false;
	bytes = wide_load(p);
	stops = wide_stops(&token, bytes);
	if (stops == 0)
		return false;
	len = (unsigned int)__builtin_ctz(stops);
	if (len == 0 || p[len] != ':')
		return false;
	set_name(buf, p, p + len, find_avx2(p, len, bytes), f);
	for (value = p + len + 1; blank(*value); value++)
		;
	set_value(buf, value, cr, f);
	return true;
}

/*
 * The good lines from `line` on whose value ends where `stops` says, of the
 * bytes from `block` on; they are counted in *n. Returns where the next line
 * begins; *ret_done: it is not for us.
 */
WIDE_TARGET static inline const char *
lines_of_block(const char *buf, const char *line, const char *block,
	       const char *end, uint64_t stops, struct http_head *h,
	       unsigned int *n, bool *ret_done)
{
	const char *cr;

	for (; stops; stops &= stops - 1) {
		cr = block + __builtin_ctzll(stops);
		/* the line feed of the line before; one inside of a value */
		if (cr < line || *cr == '\t')
			continue;
		*ret_done = end - cr < 2 || cr[0] != '\r' || cr[1] != '\n' ||
			    *n == HTTP_FIELDS_MAX ||
			    !line_avx2(buf, line, cr, end, &h->fields[*n]);
		if (*ret_done)
			break;
		++*n;
		line = cr + 2;
	}
	return line;
}

/*
 * The good lines at `p`, by the bits of their control characters, which are
 * CR and LF. Whatever else there is, lines_scalar() judges.
 */
WIDE_TARGET static const char *
lines_avx2(const char *buf, const char *p, const char *end, struct framing *s,
	   struct http_head *h, enum http_bad *ret_bad)
{
	const char *block = p;
	bool done = end - buf < WIDE_BLOCK;
	unsigned int n = 0;

	for (; block < end && !done; block += WIDE_BLOCK)
		p = lines_of_block(buf, p, block, end,
				   wide_controls(block, end), h, &n, &done);
	/* what they mean, in their order */
	while (h->n_fields < n)
		if (!take(buf, s, h, ret_bad))
			return NULL;
	return p;
}
#endif

const char *
fields_read(enum wide_kind kind, const char *buf, const char *p,
	    const char *end, struct framing *s, struct http_head *h,
	    enum http_bad *ret_bad)
{
	*ret_bad = HTTP_BAD_NONE;
#ifdef WIDE_HAS_AVX2
	if (kind == WIDE_AVX2)
		p = lines_avx2(buf, p, end, s, h, ret_bad);
#else
	(void)kind;
#endif
	if (p)
		p = lines_scalar(buf, p, end, s, h, ret_bad);
	if (!p || *ret_bad != HTTP_BAD_NONE)
		return NULL;
	return stray_crlf(p, end, HTTP_BAD_NONE, ret_bad);
}
