/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages.c - a memfd with a head, behind pages.h.
 *
 * It is sealed to its size, so that nobody who has the descriptor can take
 * away from under others what they have mapped.
 */
#include "proxyd/base/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW };

/* Comes first; the rest keeps the alignment of a cache line. */
struct head {
	_Alignas(64) char magic[16];
	uint64_t layout;
	uint64_t size;
};

static const char magic[16] = "proxyd-pages";

/* Map head and bytes. 0 or -errno. */
static int
map(struct pages *p, int fd, size_t size, struct head **ret_head)
{
	void *at;

	at = mmap(NULL, sizeof(struct head) + size, PROT_READ | PROT_WRITE,
		  MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	*ret_head = at;
	p->at = (char *)at + sizeof(struct head);
	p->size = size;
	p->fd = fd;
	return 0;
}

static void
unmap(struct pages *p)
{
	munmap((char *)p->at - sizeof(struct head),
	       sizeof(struct head) + p->size);
	*p = (struct pages){0};
}

int
pages_new(struct pages *p, const char *name, size_t size, uint64_t layout)
{
	struct head *head = NULL;
	int fd, r = 0;

	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)(sizeof(*head) + size)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		r = -errno;
	if (r == 0)
		r = map(p, fd, size, &head);
	if (r < 0) {
		close(fd);
		return r;
	}
	memcpy(head->magic, magic, sizeof(magic));
	head->layout = layout;
	head->size = size;
	return 0;
}

/* As large as it says, and of this layout? */
static bool
is_right(const struct pages *p, const struct head *head, uint64_t layout)
{
	return !memcmp(head->magic, magic, sizeof(magic)) &&
	       head->size == p->size && head->layout == layout;
}

int
pages_take(struct pages *p, int fd, uint64_t layout)
{
	struct pages found = {0};
	struct head *head = NULL;
	struct stat st;
	int seals, r;

	if (fstat(fd, &st) < 0)
		return -errno;
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS ||
	    st.st_size <= (off_t)sizeof(*head))
		return -EPROTOTYPE;
	r = map(&found, fd, (size_t)st.st_size - sizeof(*head), &head);
	if (r < 0)
		return r;
	if (!is_right(&found, head, layout))
		r = -EPROTOTYPE;
	else if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		r = -errno;
	if (r < 0)
		unmap(&found);
	else
		*p = found;
	return r;
}

void
pages_let_go(struct pages *p)
{
	if (p->at)
		unmap(p);
}

void
pages_free(struct pages *p)
{
	int fd = p->fd;

	if (!p->at)
		return;
	unmap(p);
	close(fd);
}
