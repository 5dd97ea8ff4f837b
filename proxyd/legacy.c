/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * legacy.c - crews to lines, and lines to crews, for legacy.h.
 *
 * The policy goes over as its own canonical text: what the file says now may
 * be another one. Where the shared memory is of another layout, the ticks of
 * these workers cannot be read; then they are believed to tick while they
 * live, which is not long.
 */
#include "proxyd/legacy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/diag.h"

enum { POLICY_MAX = 64 << 20 }; /* bytes of text */

/* --- writing -------------------------------------------------------------- */

/* A file with this text, read from its beginning. */
static int
make_file(const struct str *text, int *ret_fd)
{
	int fd = memfd_create("proxyd-policy", MFD_CLOEXEC);
	size_t at = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (at < text->len) {
		n = pwrite(fd, text->data + at, text->len - at, (off_t)at);
		if (n < 0) {
			close(fd);
			return -EIO;
		}
		at += (size_t)n;
	}
	*ret_fd = fd;
	return 0;
}

static enum handover_state
state_of(const struct crew *c)
{
	switch (c->state) {
	case CREW_STARTING:
	case CREW_SERVING:
		return HANDOVER_SERVING;
	case CREW_DRAINING:
		return HANDOVER_DRAINING;
	case CREW_ENDING:
	case CREW_OVER:
		break;
	}
	return HANDOVER_ENDING;
}

static int
write_head(const struct crew *c, struct handover *h)
{
	struct handover_crew crew = {
		.generation = c->generation,
		.state = state_of(c),
		.followed = c->followed,
		.n_workers = c->n_workers,
		.n_slots = c->rota.n_slots,
		.n_listeners = (uint32_t)c->listeners.n,
		.shut_ms = c->shut_ms,
		.kill_ms = c->kill_ms,
		.tally_fd = tally_fd(c->tally),
	};
	struct str text = {0};
	int r;

	policy_print(c->policy, &text);
	r = make_file(&text, &crew.policy_fd);
	str_fini(&text);
	if (r < 0)
		return r;
	r = handover_add_crew(h, &crew);
	if (r < 0)
		close(crew.policy_fd);
	return r;
}

static bool
has_socket(const struct handover *h, int fd)
{
	size_t i;

	for (i = 0; i < h->n_sockets; i++)
		if (h->sockets[i] == fd)
			return true;
	return false;
}

static int
write_sockets(const struct crew *c, struct handover *h)
{
	const struct sockets *s;
	uint32_t k;
	size_t i;
	int r = 0;

	for (i = 0; i < c->listeners.n && r == 0; i++) {
		s = c->listeners.list[i].sockets;
		for (k = 0; s && k < s->n && r == 0; k++)
			if (!has_socket(h, s->fds[k]))
				r = handover_add_socket(h, s->fds[k]);
	}
	return r;
}

static int
write_worker(const struct crew *c, uint32_t i, struct handover *h)
{
	const struct crew_worker *w = &c->workers[i];
	struct handover_child child = {
		.generation = c->generation,
		.index = i,
		.pair_fds = {w->talk[0], w->talk[1]},
	};

	/* one that ends has no talk any more */
	if (w->child.pid && w->child.talk_fd >= 0) {
		child.pid = w->child.pid;
		child.talk_fd = w->child.talk_fd;
		child.place = (uint32_t)(w->own - c->shm->slots);
	}
	return handover_add_child(h, &child);
}

static int
write_tracker(const struct crew *c, struct handover *h)
{
	struct handover_child child = {
		.generation = c->generation,
		.is_tracker = true,
	};

	if (!c->tracker.pid || c->tracker.talk_fd < 0)
		return 0;
	child.pid = c->tracker.pid;
	child.talk_fd = c->tracker.talk_fd;
	return handover_add_child(h, &child);
}

int
legacy_write(const struct crew *c, struct handover *h)
{
	struct handover_slot slot = {.generation = c->generation};
	uint32_t i;
	int r;

	r = write_head(c, h);
	if (r == 0)
		r = write_sockets(c, h);
	if (r == 0)
		r = write_tracker(c, h);
	for (i = 0; i < c->n_workers && r == 0; i++)
		r = write_worker(c, i, h);
	for (i = 0; i < c->rota.n_slots && r == 0; i++) {
		slot.slot = i;
		slot.index = c->rota.server[i];
		if (slot.index != ROTA_NOBODY)
			r = handover_add_slot(h, &slot);
	}
	return r;
}

void
legacy_forget(struct handover *h)
{
	size_t i;

	for (i = 0; i < h->n_crews; i++)
		close(h->crews[i].policy_fd);
}

/* --- reading -------------------------------------------------------------- */

/* The policy in a file that the former proxyd wrote. NULL, and `why`. */
static struct policy *
read_policy(int fd, struct str *why)
{
	struct policy *p = NULL;
	struct diags diags;
	struct stat st;
	char *text;

	if (fstat(fd, &st) < 0 || st.st_size > POLICY_MAX)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return NULL;
	diags_init(&diags);
	if (pread(fd, text, (size_t)st.st_size, 0) == st.st_size)
		p = policy_load_text("former policy", text, (size_t)st.st_size,
				     &diags);
	if (!p)
		diags_format(&diags, false, why);
	diags_fini(&diags);
	free(text);
	return p;
}

/* A process of it that runs: its place in the memory, or a new one there. */
static struct shm_worker *
find_place(const struct legacy *l, struct crew *c,
	   const struct handover_child *child)
{
	struct shm_worker *own;

	if (!l->is_their_shm) {
		c->blind = true;
		return shm_take(c->shm, c->generation, child->index);
	}
	if (child->place >= c->shm->n_slots)
		return NULL;
	own = &c->shm->slots[child->place];
	return own->taken && own->generation == c->generation ? own : NULL;
}

static void
read_running(struct child *to, const struct handover_child *from,
	     uint64_t now_ms)
{
	to->pid = from->pid;
	to->talk_fd = from->talk_fd;
	to->started_ms = now_ms;
}

static void
read_child(const struct legacy *l, struct crew *c,
	   const struct handover_child *child)
{
	struct crew_worker *w = &c->workers[child->index];
	int i;

	if (child->is_tracker) {
		if (child->pid)
			read_running(&c->tracker, child, l->now_ms);
		return;
	}
	for (i = 0; i < 2; i++) {
		close(w->talk[i]);
		w->talk[i] = child->pair_fds[i];
	}
	if (!child->pid)
		return;
	w->own = find_place(l, c, child);
	if (w->own)
		read_running(&w->child, child, l->now_ms);
	else
		close(child->talk_fd);
}

/*
 * One of a crew of which nothing is made. If that one was `followed`, the
 * alive sets are another's, and its tracker leaves them alone.
 */
static void
close_child(const struct handover_child *child, bool followed)
{
	struct child tracker = {.pid = child->pid, .talk_fd = child->talk_fd};

	if (child->pid && child->is_tracker)
		crew_let_tracker_go(&tracker, followed);
	else if (child->pid)
		close(child->talk_fd);
	if (!child->is_tracker) {
		close(child->pair_fds[0]);
		close(child->pair_fds[1]);
	}
}

static void
read_slots(struct crew *c, const struct handover *h)
{
	size_t i;

	for (i = 0; i < h->n_slots; i++)
		if (h->slots[i].generation == c->generation)
			c->rota.server[h->slots[i].slot] = h->slots[i].index;
}

static void
read_tally(struct crew *c, int fd)
{
	struct tally *t = tally_find_again(fd, c->policy, c->n_workers);

	if (!t)
		return;
	tally_free(c->tally);
	c->tally = t;
}

static void
read_state(struct crew *c, const struct handover_crew *from)
{
	switch (from->state) {
	case HANDOVER_SERVING:
		c->state = CREW_SERVING;
		break;
	case HANDOVER_DRAINING:
		c->state = CREW_DRAINING;
		break;
	case HANDOVER_ENDING:
		c->state = CREW_ENDING;
		break;
	}
	c->followed = from->followed;
	c->shut_ms = from->shut_ms;
	c->kill_ms = from->kill_ms;
}

/* All but its processes. NULL, and `why`. */
static struct crew *
make_crew(const struct legacy *l, const struct handover_crew *from,
	  struct str *why)
{
	struct crew_plan plan = {
		.generation = from->generation,
		.n_workers = from->n_workers,
		.n_slots = from->n_slots,
		.shm = l->shm,
		.places = l->places,
		.count_fd = -1,
		.former = &l->sockets,
		.n_former = 1,
		.only_former = true,
	};
	struct crew *c;

	plan.policy = read_policy(from->policy_fd, why);
	if (!plan.policy)
		return NULL;
	c = crew_new(&plan, why);
	if (!c) {
		policy_free(plan.policy);
		return NULL;
	}
	/* its workers know listeners by their number */
	if (c->listeners.n == from->n_listeners)
		return c;
	str_addf(why, "%zu listeners, and not %u", c->listeners.n,
		 from->n_listeners);
	crew_free(c);
	return NULL;
}

struct crew *
legacy_read(const struct legacy *l, size_t i, struct str *why)
{
	const struct handover *h = l->handover;
	const struct handover_crew *from = &h->crews[i];
	struct crew *c;
	size_t k;

	c = make_crew(l, from, why);
	close(from->policy_fd);
	for (k = 0; k < h->n_children; k++) {
		if (h->children[k].generation != from->generation)
			continue;
		if (c)
			read_child(l, c, &h->children[k]);
		else
			close_child(&h->children[k], from->followed);
	}
	if (!c) {
		close(from->tally_fd);
		return NULL;
	}
	read_slots(c, h);
	read_tally(c, from->tally_fd);
	read_state(c, from);
	return c;
}
