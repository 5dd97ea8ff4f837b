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

#define FIRST_LINE "proxyd-handover 1"

enum { NUMBERS_MAX = 10 };

/* --- lists ---------------------------------------------------------------- */

void
handover_init(struct handover *h)
{
	*h = (struct handover){.shm_fd = -1, .limits_fd = -1};
}

void
handover_fini(struct handover *h)
{
	free(h->sockets);
	free(h->crews);
	free(h->children);
	free(h->slots);
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
handover_add_slot(struct handover *h, const struct handover_slot *s)
{
	void *list = h->slots;
	int r;

	r = grow(&list, h->n_slots, sizeof(*s));
	h->slots = list;
	if (r == 0)
		h->slots[h->n_slots++] = *s;
	return r;
}

const struct handover_crew *
handover_crew(const struct handover *h, uint64_t generation)
{
	size_t i;

	for (i = 0; i < h->n_crews; i++)
		if (h->crews[i].generation == generation)
			return &h->crews[i];
	return NULL;
}

/* --- writing -------------------------------------------------------------- */

static void
write_crew(const struct handover_crew *c, struct str *text)
{
	str_addf(text,
		 "crew %" PRIu32 " %d %d %" PRIu32 " %" PRIu32 " %" PRIu32,
		 c->generation, (int)c->state, (int)c->followed, c->n_workers,
		 c->n_slots, c->n_listeners);
	str_addf(text, " %" PRIu64 " %" PRIu64 " %d %d\n", c->shut_ms,
		 c->kill_ms, c->policy_fd, c->tally_fd);
}

static void
write_child(const struct handover_child *c, struct str *text)
{
	str_addf(text, "%s %" PRIu32 " %d %d",
		 c->is_tracker ? "tracker" : "worker", c->generation,
		 (int)c->pid, c->talk_fd);
	if (!c->is_tracker)
		str_addf(text, " %" PRIu32 " %" PRIu32 " %d %d", c->index,
			 c->place, c->pair_fds[0], c->pair_fds[1]);
	str_add_char(text, '\n');
}

void
handover_write(const struct handover *h, struct str *text)
{
	size_t i;

	str_add(text, FIRST_LINE "\n");
	if (h->shm_fd >= 0)
		str_addf(text, "shm %d\n", h->shm_fd);
	if (h->limits_fd >= 0)
		str_addf(text, "limits %d\n", h->limits_fd);
	for (i = 0; i < h->n_sockets; i++)
		str_addf(text, "socket %d\n", h->sockets[i]);
	for (i = 0; i < h->n_crews; i++)
		write_crew(&h->crews[i], text);
	for (i = 0; i < h->n_children; i++)
		write_child(&h->children[i], text);
	for (i = 0; i < h->n_slots; i++)
		str_addf(text, "slot %" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
			 h->slots[i].generation, h->slots[i].slot,
			 h->slots[i].index);
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
read_limits(struct handover *h, const uint64_t *n)
{
	if (h->limits_fd >= 0)
		return -EBADMSG;
	h->limits_fd = (int)n[0];
	return 0;
}

static int
read_socket(struct handover *h, const uint64_t *n)
{
	return handover_add_socket(h, (int)n[0]);
}

static int
read_crew(struct handover *h, const uint64_t *n)
{
	const struct handover_crew c = {
		.generation = (uint32_t)n[0],
		.state = (enum handover_state)n[1],
		.followed = n[2] != 0,
		.n_workers = (uint32_t)n[3],
		.n_slots = (uint32_t)n[4],
		.n_listeners = (uint32_t)n[5],
		.shut_ms = n[6],
		.kill_ms = n[7],
		.policy_fd = (int)n[8],
		.tally_fd = (int)n[9],
	};

	if (handover_crew(h, n[0]) || !c.n_workers || !c.n_slots)
		return -EBADMSG;
	return handover_add_crew(h, &c);
}

static int
read_tracker(struct handover *h, const uint64_t *n)
{
	const struct handover_child c = {
		.generation = (uint32_t)n[0],
		.is_tracker = true,
		.pid = (pid_t)n[1],
		.talk_fd = (int)n[2],
	};

	if (!handover_crew(h, n[0]) || c.pid == 1)
		return -EBADMSG;
	return handover_add_child(h, &c);
}

static int
read_worker(struct handover *h, const uint64_t *n)
{
	const struct handover_crew *crew = handover_crew(h, n[0]);
	const struct handover_child c = {
		.generation = (uint32_t)n[0],
		.pid = (pid_t)n[1],
		.talk_fd = (int)n[2],
		.index = (uint32_t)n[3],
		.place = (uint32_t)n[4],
		.pair_fds = {(int)n[5], (int)n[6]},
	};

	if (!crew || c.index >= crew->n_workers || c.pid == 1)
		return -EBADMSG;
	return handover_add_child(h, &c);
}

static int
read_slot(struct handover *h, const uint64_t *n)
{
	const struct handover_crew *crew = handover_crew(h, n[0]);
	const struct handover_slot s = {
		.generation = (uint32_t)n[0],
		.slot = (uint32_t)n[1],
		.index = (uint32_t)n[2],
	};

	if (!crew || s.slot >= crew->n_slots || s.index >= crew->n_workers)
		return -EBADMSG;
	return handover_add_slot(h, &s);
}

#define FD INT_MAX
#define MAX32 UINT32_MAX

/* clang-format off */
static const struct word {
	const char *name;
	int (*read)(struct handover *h, const uint64_t *n);
	size_t n;		   /* numbers */
	uint64_t max[NUMBERS_MAX]; /* of each */
} words[] = {
	/* name      read          n  largest */
	{"shm",      read_shm,     1, {FD}},
	{"limits",   read_limits,  1, {FD}},
	{"socket",   read_socket,  1, {FD}},
	{"crew",     read_crew,   10, {MAX32, HANDOVER_ENDING, 1,
		HANDOVER_CREW_MAX, HANDOVER_CREW_MAX, HANDOVER_LIST_MAX,
		UINT64_MAX, UINT64_MAX, FD, FD}},
	{"tracker",  read_tracker, 3, {MAX32, INT_MAX, FD}},
	{"worker",   read_worker,  7, {MAX32, INT_MAX, FD, MAX32, MAX32, FD,
		FD}},
	{"slot",     read_slot,    3, {MAX32, MAX32, MAX32}},
};
/* clang-format on */

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
