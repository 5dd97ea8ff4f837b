/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * error_page.h - the bodies of answers of our own.
 *
 * A service's `error-page` files are read by the master, once for each
 * policy, because workers may open none; they inherit what was read. For
 * what no file stands for there is a page here. What a file has in it is the
 * administrator's affair and is never looked at.
 */
#ifndef PROXYD_HTTP_ERROR_PAGE_H
#define PROXYD_HTTP_ERROR_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"

#include "policy/policy.h"

/* Bytes of a file: with its head it waits for a client in one chunk. */
enum { ERROR_PAGE_MAX = 60 * 1024 };

struct error_page {
	char *body; /* owns */
	size_t len;
};

/* Zeroed: none was read, and each page is ours. */
struct error_pages {
	const struct policy *policy; /* borrows */
	/* owns: of each error-page of the first service, then of the next */
	struct error_page *list;
	size_t n;
};

/*
 * Read the files that `p` names, which outlives `ret`. 0; -EINVAL, and
 * nothing was kept, with an error in `diags` for each file that cannot be
 * read or is too large, at its place in the policy; -ENOMEM.
 */
int error_pages_load(const struct policy *p, struct diags *diags,
		     struct error_pages *ret);

/* A zeroed one is fine. */
void error_pages_fini(struct error_pages *pages);

/* Can they be read? The same, and nothing is kept. */
int error_pages_check(const struct policy *p, struct diags *diags);

/* "Bad Request"; "" for a status that is none of ours. */
const char *error_page_phrase(unsigned int status);

/*
 * The page that service `s` shows with this status: *ret_len bytes of the
 * media type *ret_type. They live as long as the pages, which may be NULL,
 * and the policy. Never NULL.
 */
const char *error_pages_find(const struct error_pages *pages,
			     const struct policy_service *s,
			     unsigned int status, size_t *ret_len,
			     const char **ret_type);

#endif
