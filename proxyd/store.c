/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.c - compares what is kept with what should be, behind store.h. */
#include "proxyd/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
store_fini(struct store *s)
{
	free(s->list);
	memset(s, 0, sizeof(*s));
}

const char *
store_name(const struct sockets_what *what, char buf[NOTIFY_NAME_LEN])
{
	char text[ADDR_TEXT_LEN], mark[sizeof("-mark-ffffffff")] = "";
	char *at;

	if (what->transparent)
		snprintf(mark, sizeof(mark), "-mark-%" PRIx32, what->mark);
	snprintf(buf, NOTIFY_NAME_LEN, "%s-%s-%u%s",
		 what->proto == PROTO_UDP ? "udp" : "tcp",
		 addr_format(&what->at.addr, text), what->at.port, mark);
	while ((at = strchr(buf, ':')))
		*at = '_';
	return buf;
}

/* The entry of that name; NULL: no memory for a new one. */
static struct stored *
find(struct store *s, const char *name)
{
	struct stored *more;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (!strcmp(s->list[i].name, name))
			return &s->list[i];
	more = realloc(s->list, (s->n + 1) * sizeof(*more));
	if (!more)
		return NULL;
	s->list = more;
	more += s->n++;
	*more = (struct stored){0};
	snprintf(more->name, sizeof(more->name), "%s", name);
	return more;
}

/* Send those that it does not have yet, as many in a message as it takes. */
static int
keep(struct stored *e, const struct sockets *sockets)
{
	uint32_t n;
	int r;

	e->wanted = true;
	while (e->n < sockets->n) {
		n = sockets->n - e->n;
		if (n > NOTIFY_FDS_MAX)
			n = NOTIFY_FDS_MAX;
		r = notify_store(e->name, sockets->fds + e->n, n);
		if (r < 0)
			return r;
		e->n += n;
	}
	return 0;
}

static int
forget_unwanted(struct store *s)
{
	size_t i = 0;
	int r;

	while (i < s->n) {
		if (s->list[i].wanted) {
			i++;
			continue;
		}
		r = notify_forget(s->list[i].name);
		if (r < 0)
			return r;
		s->list[i] = s->list[--s->n];
	}
	return 0;
}

int
store_assume(struct store *s, const struct listeners *ls)
{
	char name[NOTIFY_NAME_LEN];
	const struct sockets *sockets;
	size_t i;

	for (i = 0; i < ls->n; i++) {
		sockets = ls->list[i].sockets;
		if (sockets && !find(s, store_name(&sockets->what, name)))
			return -ENOMEM;
	}
	return 0;
}

int
store_sync(struct store *s, const struct listeners *ls)
{
	char name[NOTIFY_NAME_LEN];
	const struct sockets *sockets;
	struct stored *e;
	size_t i;
	int r;

	for (i = 0; i < s->n; i++)
		s->list[i].wanted = false;
	for (i = 0; ls && i < ls->n; i++) {
		sockets = ls->list[i].sockets;
		if (!sockets)
			continue;
		e = find(s, store_name(&sockets->what, name));
		if (!e)
			return -ENOMEM;
		r = keep(e, sockets);
		if (r < 0)
			return r;
	}
	return forget_unwanted(s);
}
