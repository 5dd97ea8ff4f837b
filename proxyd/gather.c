/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gather.c - a file and a pipe for each worker, for gather.h.
 *
 * A worker that is done writes how many there were into the pipe; its end
 * alone says that the worker is gone, or could not write.
 */
#include "proxyd/gather.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json.h"

#include "proxyd/worker.h"

enum { WORKERS_MAX = 1024 };

struct gather_part {
	struct gather *gather; /* borrows */
	pid_t pid;
	int fd;	     /* owns: what the worker writes; -1 */
	int done_fd; /* owns: -1: it ended */
	struct loop_source source;
	off_t size; /* when we last looked */
	bool whole;
	struct listing_end end;
};

static void begin(struct gather *g);

/* --- one worker ----------------------------------------------------------- */

static void
end_part(struct gather_part *p)
{
	if (p->done_fd < 0)
		return;
	loop_remove(p->gather->loop, &p->source);
	close(p->done_fd);
	p->done_fd = -1;
	p->gather->n_open--;
}

/* Has it written more since we last looked? */
static bool
goes_on(struct gather_part *p)
{
	struct stat st;
	off_t before = p->size;

	if (fstat(p->fd, &st) == 0)
		p->size = st.st_size;
	return p->size > before;
}

static void
tell_worker(struct gather_part *p, const struct gather_worker *w, int answer_fd)
{
	struct worker_order order = {
		.kind = WORKER_LIST,
		.listing = {p->gather->now.filter, w->worker},
	};
	const int fds[] = {p->fd, answer_fd};

	child_tell(w->child, &order, sizeof(order), fds, 2);
}

static void on_done(void *owner, uint32_t events);

static int
open_part(struct gather *g, struct gather_part *p,
	  const struct gather_worker *w)
{
	int ends[2], r;

	*p = (struct gather_part){.gather = g, .fd = -1, .done_fd = -1};
	p->pid = w->child->pid;
	p->fd = memfd_create("flows", MFD_CLOEXEC);
	if (p->fd < 0)
		return -errno;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	r = loop_add(g->loop, &p->source, ends[0], EPOLLIN, on_done, p);
	if (r < 0) {
		close(ends[0]);
	} else {
		p->done_fd = ends[0];
		g->n_open++;
		tell_worker(p, w, ends[1]);
	}
	close(ends[1]);
	return r;
}

/* --- the answer ----------------------------------------------------------- */

static void
forget_parts(struct gather *g)
{
	size_t i;

	for (i = 0; i < g->n; i++) {
		end_part(&g->parts[i]);
		if (g->parts[i].fd >= 0)
			close(g->parts[i].fd);
	}
	free(g->parts);
	g->parts = NULL;
	g->n = 0;
}

/* The files, as they are, are the middle of the array. */
static void
add_files(struct gather *g)
{
	struct gather_part *p;
	const char *gap = "";
	struct str *text;

	for (p = g->parts; p < g->parts + g->n; p++) {
		if (!p->whole || !p->end.listed)
			continue;
		text = control_text(g->control, g->now.id);
		if (!text)
			return;
		str_add(text, gap);
		gap = ",\n";
		control_file(g->control, g->now.id, p->fd);
		p->fd = -1;
	}
}

static void
add_missing(struct gather *g, struct json *j)
{
	uint64_t left_out = 0;
	size_t i;

	json_array(j, "silent");
	for (i = 0; i < g->n; i++) {
		if (!g->parts[i].whole)
			json_uint(j, NULL, (uint64_t)g->parts[i].pid);
		left_out += g->parts[i].end.left_out;
	}
	json_end(j);
	json_uint(j, "left_out", left_out);
}

static void
answer(struct gather *g)
{
	struct str *text = control_text(g->control, g->now.id);
	struct json j;

	if (!text)
		return;
	json_init(&j, text, false);
	json_object(&j, NULL);
	json_array(&j, "flows");
	add_files(g);
	text = control_text(g->control, g->now.id);
	if (!text)
		return;
	j.out = text;
	json_end(&j);
	add_missing(g, &j);
	json_end(&j);
	control_send(g->control, g->now.id);
}

static void
finish(struct gather *g)
{
	timer_clear(&g->loop->timers, &g->timer);
	answer(g);
	forget_parts(g);
	g->now.id = 0;
	if (!g->n_next)
		return;
	g->now = g->next[0];
	memmove(g->next, g->next + 1, --g->n_next * sizeof(g->next[0]));
	begin(g);
}

static void
on_done(void *owner, uint32_t events)
{
	struct gather_part *p = owner;
	struct gather *g = p->gather;

	(void)events;
	p->whole = read(p->done_fd, &p->end, sizeof(p->end)) ==
		   (ssize_t)sizeof(p->end);
	end_part(p);
	if (g->n_open == 0)
		finish(g);
}

/* Who wrote nothing since the last time is not waited for. */
static void
on_timer(void *owner)
{
	struct gather *g = owner;
	bool late = g->loop->now_ms >= g->until_ms;
	size_t i;

	for (i = 0; i < g->n; i++)
		if (g->parts[i].done_fd >= 0 &&
		    (late || !goes_on(&g->parts[i])))
			end_part(&g->parts[i]);
	if (g->n_open)
		timer_set(&g->loop->timers, &g->timer,
			  g->loop->now_ms + GATHER_SILENT_MS);
	else
		finish(g);
}

/* --- the question --------------------------------------------------------- */

static int
ask_workers(struct gather *g)
{
	struct gather_worker *list;
	size_t i, n;
	int r = 0;

	list = calloc(WORKERS_MAX, sizeof(*list));
	if (!list)
		return -ENOMEM;
	n = g->workers(g->owner, list, WORKERS_MAX);
	g->parts = calloc(n + 1, sizeof(*g->parts));
	if (!g->parts)
		r = -ENOMEM;
	for (i = 0; i < n && r == 0; i++) {
		r = open_part(g, &g->parts[i], &list[i]);
		g->n++;
	}
	free(list);
	return r;
}

static void
begin(struct gather *g)
{
	int r;

	g->until_ms = g->loop->now_ms + GATHER_LONGEST_MS;
	timer_set(&g->loop->timers, &g->timer,
		  g->loop->now_ms + GATHER_SILENT_MS);
	r = ask_workers(g);
	if (r < 0) {
		forget_parts(g);
		control_refuse(g->control, g->now.id, CONTROL_FAILED,
			       strerror(-r));
	}
	if (g->n_open == 0)
		finish(g);
}

void
gather_init(struct gather *g)
{
	timer_init(&g->timer, on_timer, g);
}

void
gather_fini(struct gather *g)
{
	if (!g->loop)
		return;
	timer_clear(&g->loop->timers, &g->timer);
	forget_parts(g);
	g->now.id = 0;
	g->n_next = 0;
}

void
gather_ask(struct gather *g, uint64_t id, const struct wire_filter *f)
{
	struct gather_question q = {id, *f};

	if (!g->now.id) {
		g->now = q;
		begin(g);
	} else if (g->n_next < CONTROL_CLIENTS) {
		g->next[g->n_next++] = q;
	} else {
		/* they all hung up, and their questions are not asked yet */
		control_refuse(g->control, id, CONTROL_FAILED,
			       "too many others are asking; try again");
	}
}
