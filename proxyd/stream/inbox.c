/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inbox.c - the memory of inbox.h: as much as is needed, while it is. */
#include "proxyd/stream/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { INBOX_LEAST = 1024 };

size_t
inbox_held(const struct inbox *in)
{
	return in->end - in->at;
}

void
inbox_fini(struct inbox *in)
{
	free(in->data);
	memset(in, 0, sizeof(*in));
}

/* Make it hold `size` bytes in all. */
static int
grow(struct inbox *in, size_t size)
{
	size_t room = INBOX_LEAST;
	char *data;

	if (in->at) {
		memmove(in->data, in->data + in->at, inbox_held(in));
		in->end -= in->at;
		in->at = 0;
	}
	while (room < size)
		room *= 2;
	if (room <= in->size)
		return 0;
	data = realloc(in->data, room);
	if (!data)
		return -ENOMEM;
	in->data = data;
	in->size = (uint32_t)room;
	return 0;
}

/* Behind what it holds already. */
static void
receive(struct inbox *in, struct side *from, size_t most)
{
	size_t room;

	/* a peer that sends a byte at a time is not worth all of it at once */
	room = inbox_held(in) * 2;
	if (room < INBOX_LEAST)
		room = INBOX_LEAST;
	if (room > most)
		room = most;
	if (grow(in, room) < 0) {
		side_fail(from, ENOMEM);
		return;
	}
	in->end += (uint32_t)side_receive(from, in->data + in->end,
					  room - in->end);
}

struct inbox_view
inbox_look(struct inbox *in, struct side *from, struct side_chunk *scratch,
	   size_t most)
{
	const size_t room = sizeof(scratch->data) - INBOX_HEADROOM;
	struct inbox_view v = {
		.data = scratch->data + INBOX_HEADROOM,
		.before = INBOX_HEADROOM,
	};

	if (most > room)
		most = room;
	if (in->data) {
		if (from->readable && inbox_held(in) < most)
			receive(in, from, most);
		v.data = in->data + in->at;
		v.len = inbox_held(in);
		v.before = in->at;
	} else if (from->readable) {
		v.len = side_receive(from, v.data, room);
	}
	return v;
}

char *
inbox_prepend(const struct inbox_view *v, size_t at, const char *head,
	      size_t head_len)
{
	char *begin;

	if (head_len > v->before + at)
		return NULL;
	begin = v->data + at - head_len;
	memcpy(begin, head, head_len);
	return begin;
}

void
inbox_keep(struct inbox *in, struct side *from, const struct inbox_view *v,
	   size_t used)
{
	size_t left = v->len - used;

	if (in->data) {
		in->at += (uint32_t)used;
		if (!left)
			inbox_fini(in);
		return;
	}
	if (!left)
		return;
	if (grow(in, left) < 0) {
		side_fail(from, ENOMEM);
		return;
	}
	memcpy(in->data, v->data + used, left);
	in->end = (uint32_t)left;
}
