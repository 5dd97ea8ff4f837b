/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handover.c - writes and reads the text of handover.h.
 *
 * A line is a word and as many decimal numbers as the word wants. The last
 * line is `end`, so that half a text is not taken for a whole one.
 */
#include "proxyd/handover.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"

#define FIRST_LINE "proxyd-handover 1"

enum { NUMBERS_MAX = 5 };

/* --- lists ---------------------------------------------------------------- */

void
handover_init(struct handover *h)
{
	*h = (struct handover){.shm_fd = -1};
}

void
handover_fini(struct handover *h)
{
	free(h->sockets);
	free(h->crews);
	free(h->children);
	free(h->beats);
	handover_init(h);
}

/* Make room for one more at the end of `list`; there is room for 2^k. */
static int
grow(void **list, size_t n, size_t size)
{
	void *more;

	if (n >= HANDOVER_LIST_MAX)
		return -E2BIG;
	if (n & (n - 1))
		return 0;
	more = realloc(*list, (n ? 2 * n : 1) * size);
	if (!more)
		return -ENOMEM;
	*list = more;
	return 0;
}

int
handover_add_socket(struct handover *h, int fd)
{
	void *list = h->sockets;
	int r;

	r = grow(&list, h->n_sockets, sizeof(fd));
	h->sockets = list;
	if (r == 0)
		h->sockets[h->n_sockets++] = fd;
	return r;
}

int
handover_add_crew(struct handover *h, const struct handover_crew *c)
{
	void *list = h->crews;
	int r;

	r = grow(&list, h->n_crews, sizeof(*c));
	h->crews = list;
	if (r == 0)
		h->crews[h->n_crews++] = *c;
	return r;
}

int
handover_add_child(struct handover *h, const struct handover_child *c)
{
	void *list = h->children;
	int r;

	r = grow(&list, h->n_children, sizeof(*c));
	h->children = list;
	if (r == 0)
		h->children[h->n_children++] = *c;
	return r;
}

int
handover_add_beat(struct handover *h, const struct handover_beat *b)
{
	void *list = h->beats;
	int r;

	r = grow(&list, h->n_beats, sizeof(*b));
	h->beats = list;
	if (r == 0)
		h->beats[h->n_beats++] = *b;
	return r;
}

/* --- writing -------------------------------------------------------------- */

static void
write_child(const struct handover_child *c, struct str *text)
{
	if (c->is_tracker)
		str_addf(text, "tracker %d %d %" PRIu32 "\n", (int)c->pid,
			 c->talk_fd, c->crew);
	else
		str_addf(text,
			 "worker %d %d %" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
			 (int)c->pid, c->talk_fd, c->crew, c->slot, c->place);
}

void
handover_write(const struct handover *h, struct str *text)
{
	size_t i;

	str_add(text, FIRST_LINE "\n");
	if (h->shm_fd >= 0)
		str_addf(text, "shm %d\n", h->shm_fd);
	for (i = 0; i < h->n_sockets; i++)
		str_addf(text, "socket %d\n", h->sockets[i]);
	for (i = 0; i < h->n_crews; i++)
		str_addf(text, "crew %" PRIu32 " %" PRIu32 " %" PRIu64 "\n",
			 h->crews[i].id, h->crews[i].drain_ms,
			 h->crews[i].drains_until_ms);
	for (i = 0; i < h->n_children; i++)
		write_child(&h->children[i], text);
	for (i = 0; i < h->n_beats; i++)
		str_addf(text, "beat %" PRIu64 " %" PRIu32 "\n",
			 h->beats[i].digest, h->beats[i].families);
	str_add(text, "end\n");
}

/* --- reading -------------------------------------------------------------- */

static int
read_shm(struct handover *h, const uint64_t *n)
{
	if (h->shm_fd >= 0)
		return -EBADMSG;
	h->shm_fd = (int)n[0];
	return 0;
}

static int
read_socket(struct handover *h, const uint64_t *n)
{
	return handover_add_socket(h, (int)n[0]);
}

static bool
has_crew(const struct handover *h, uint64_t id)
{
	size_t i;

	for (i = 0; i < h->n_crews; i++)
		if (h->crews[i].id == id)
			return true;
	return false;
}

static int
read_crew(struct handover *h, const uint64_t *n)
{
	const struct handover_crew c = {
		.id = (uint32_t)n[0],
		.drain_ms = (uint32_t)n[1],
		.drains_until_ms = n[2],
	};

	return has_crew(h, n[0]) ? -EBADMSG : handover_add_crew(h, &c);
}

static int
add_child(struct handover *h, const struct handover_child *c)
{
	if (c->pid <= 1 || !has_crew(h, c->crew))
		return -EBADMSG;
	return handover_add_child(h, c);
}

static int
read_tracker(struct handover *h, const uint64_t *n)
{
	const struct handover_child c = {
		.pid = (pid_t)n[0],
		.talk_fd = (int)n[1],
		.crew = (uint32_t)n[2],
		.is_tracker = true,
	};

	return add_child(h, &c);
}

static int
read_worker(struct handover *h, const uint64_t *n)
{
	const struct handover_child c = {
		.pid = (pid_t)n[0],
		.talk_fd = (int)n[1],
		.crew = (uint32_t)n[2],
		.slot = (uint32_t)n[3],
		.place = (uint32_t)n[4],
	};

	return add_child(h, &c);
}

static int
read_beat(struct handover *h, const uint64_t *n)
{
	const struct handover_beat b = {
		.digest = n[0],
		.families = (uint32_t)n[1],
	};

	return handover_add_beat(h, &b);
}

static const struct word {
	const char *name;
	int (*read)(struct handover *h, const uint64_t *n);
	size_t n;		   /* numbers */
	uint64_t max[NUMBERS_MAX]; /* of each */
} words[] = {
	/* name      read          n  largest */
	{"shm", read_shm, 1, {INT_MAX}},
	{"socket", read_socket, 1, {INT_MAX}},
	{"crew", read_crew, 3, {UINT32_MAX, UINT32_MAX, UINT64_MAX}},
	{"tracker", read_tracker, 3, {INT_MAX, INT_MAX, UINT32_MAX}},
	{"worker",
	 read_worker,
	 5,
	 {INT_MAX, INT_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}},
	{"beat", read_beat, 2, {UINT64_MAX, FAMILY_BOTH}},
};

/* One number at *at, at most `max`, behind one space; *at goes behind it. */
static bool
read_number(const char **at, const char *end, uint64_t max, uint64_t *ret_n)
{
	const char *p = *at;
	uint64_t n = 0;

	if (p == end || *p++ != ' ' || p == end)
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *p - '0', &n))
			return false;
	}
	if (p == *at + 1 || n > max)
		return false;
	*at = p;
	*ret_n = n;
	return true;
}

static int
read_line(struct handover *h, const char *line, const char *end)
{
	uint64_t n[NUMBERS_MAX];
	const struct word *w;
	size_t i, k, len;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		w = &words[i];
		len = strlen(w->name);
		if ((size_t)(end - line) <= len || line[len] != ' ' ||
		    memcmp(line, w->name, len))
			continue;
		line += len;
		for (k = 0; k < w->n; k++)
			if (!read_number(&line, end, w->max[k], &n[k]))
				return -EBADMSG;
		return line == end ? w->read(h, n) : -EBADMSG;
	}
	return -EBADMSG;
}

static bool
line_is(const char *line, const char *end, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(end - line) == len && !memcmp(line, text, len);
}

/* The end of the line at `line`, NULL: it has none. */
static const char *
find_eol(const char *line, const char *end)
{
	return line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;
}

static int
read_lines(struct handover *h, const char *line, const char *end,
	   unsigned int *ret_number)
{
	const char *eol = find_eol(line, end);
	int r;

	*ret_number = 1;
	if (!eol || !line_is(line, eol, FIRST_LINE))
		return -EBADMSG;
	for (;;) {
		line = eol + 1;
		++*ret_number;
		eol = find_eol(line, end);
		if (!eol)
			return -EBADMSG;
		if (line_is(line, eol, "end"))
			return eol + 1 == end ? 0 : -EBADMSG;
		r = read_line(h, line, eol);
		if (r < 0)
			return r;
	}
}

int
handover_read(struct handover *h, const char *text, size_t len,
	      unsigned int *ret_line)
{
	unsigned int number;
	int r;

	handover_init(h);
	r = read_lines(h, text, text + len, &number);
	if (r == 0)
		return 0;
	handover_fini(h);
	*ret_line = number;
	return r == -ENOMEM ? r : -EBADMSG;
}
