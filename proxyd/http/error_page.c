/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * error_page.c - files and a table, behind error_page.h.
 *
 * A page of ours says no more than its status does: neither what runs here
 * nor what the client has sent, which could be made to say anything.
 */
#include "proxyd/http/error_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- pages of ours -------------------------------------------------------- */

#define PAGE(status, title, text)                                              \
	{                                                                      \
		status, title,                                                 \
			"<!DOCTYPE html>\n<html lang=\"en\">\n"                \
			"<title>" #status " " title "</title>\n"               \
			"<h1>" title "</h1>\n<p>" text "</p>\n</html>\n"       \
	}

/* clang-format off */
static const struct {
	unsigned int status;
	const char *phrase;
	const char *body;
} ours[] = {
	/*   status title, text */
	PAGE(400, "Bad Request",
	     "The request was malformed."),
	PAGE(403, "Forbidden",
	     "The request is not allowed."),
	PAGE(408, "Request Timeout",
	     "The request did not arrive in time."),
	PAGE(413, "Content Too Large",
	     "The content of the request is too large."),
	PAGE(414, "URI Too Long",
	     "The address of the request is too long."),
	PAGE(429, "Too Many Requests",
	     "There were too many requests. Please try again later."),
	PAGE(431, "Request Header Fields Too Large",
	     "The header of the request is too large."),
	PAGE(500, "Internal Server Error",
	     "The request could not be handled."),
	PAGE(502, "Bad Gateway",
	     "The server did not give a valid answer."),
	PAGE(503, "Service Unavailable",
	     "No server can be reached. Please try again later."),
	PAGE(504, "Gateway Timeout",
	     "The server did not answer in time."),
};
/* clang-format on */

const char *
error_page_phrase(unsigned int status)
{
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (ours[i].status == status)
			return ours[i].phrase;
	return "";
}

static const char *
our_page(unsigned int status)
{
	static const char other[] = "<!DOCTYPE html>\n<html lang=\"en\">\n"
				    "<title>Error</title>\n"
				    "<p>The request was not answered.</p>\n"
				    "</html>\n";
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (ours[i].status == status)
			return ours[i].body;
	return other;
}

/* --- files ---------------------------------------------------------------- */

/* 0; -EFBIG, or another -errno. A growing file is cut where it is too long. */
static int
read_all(int fd, struct error_page *page)
{
	ssize_t n;

	page->body = malloc(ERROR_PAGE_MAX + 1);
	if (!page->body)
		return -ENOMEM;
	do {
		n = read(fd, page->body + page->len,
			 ERROR_PAGE_MAX + 1 - page->len);
		if (n > 0)
			page->len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		return -errno;
	return page->len > ERROR_PAGE_MAX ? -EFBIG : 0;
}

/* It takes no more memory than it needs. */
static void
shrink(struct error_page *page)
{
	char *body = realloc(page->body, page->len ? page->len : 1);

	if (body)
		page->body = body;
}

static int
read_file(const char *path, struct error_page *page)
{
	struct stat st;
	int fd, r;

	/* NONBLOCK: a FIFO is refused, and not waited for */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0 && !S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (r == 0)
		r = read_all(fd, page);
	close(fd);
	if (r == 0)
		shrink(page);
	return r;
}

static void
explain(const struct policy_error_page *from, int error, struct diags *diags)
{
	const char *why = strerror(-error);

	if (error == -EFBIG)
		why = "more than 60 kB";
	else if (error == -EINVAL)
		why = "not a regular file";
	if (error == -EACCES)
		diag_add(diags, DIAG_ERROR, from->place, NULL,
			 "cannot read '%s': %s; it is read by user %u",
			 from->path, why, (unsigned int)geteuid());
	else
		diag_add(diags, DIAG_ERROR, from->place, NULL,
			 "cannot read '%s': %s", from->path, why);
}

static size_t
count_pages(const struct policy *p)
{
	size_t i, n = 0;

	for (i = 0; i < p->n_services; i++)
		n += p->services[i].n_error_pages;
	return n;
}

int
error_pages_load(const struct policy *p, struct diags *diags,
		 struct error_pages *ret)
{
	struct error_pages pages = {.policy = p};
	const struct policy_service *s;
	int error, r = 0;
	size_t i;

	pages.list = calloc(count_pages(p) + 1, sizeof(*pages.list));
	if (!pages.list)
		return -ENOMEM;
	for (s = p->services; s < p->services + p->n_services; s++)
		for (i = 0; i < s->n_error_pages; i++) {
			error = read_file(s->error_pages[i].path,
					  &pages.list[pages.n++]);
			if (error == 0)
				continue;
			explain(&s->error_pages[i], error, diags);
			r = -EINVAL;
		}
	if (r < 0)
		error_pages_fini(&pages);
	else
		*ret = pages;
	return r;
}

void
error_pages_fini(struct error_pages *pages)
{
	size_t i;

	for (i = 0; i < pages->n; i++)
		free(pages->list[i].body);
	free(pages->list);
	*pages = (struct error_pages){0};
}

int
error_pages_check(const struct policy *p, struct diags *diags)
{
	struct error_pages pages = {0};
	int r;

	r = error_pages_load(p, diags, &pages);
	error_pages_fini(&pages);
	return r;
}

/* --- finding one ---------------------------------------------------------- */

static const char *
type_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot && !strcmp(dot, ".html"))
		return "text/html";
	if (dot && !strcmp(dot, ".json"))
		return "application/json";
	return "text/plain";
}

/* Pages of a service, and of those before it. */
static const struct error_page *
pages_of(const struct error_pages *pages, const struct policy_service *s)
{
	const struct policy_service *before = pages->policy->services;
	const struct error_page *at = pages->list;

	for (; before < s; before++)
		at += before->n_error_pages;
	return at;
}

const char *
error_pages_find(const struct error_pages *pages,
		 const struct policy_service *s, unsigned int status,
		 size_t *ret_len, const char **ret_type)
{
	const char *body;
	size_t i;

	for (i = 0; pages && pages->list && i < s->n_error_pages; i++) {
		if (s->error_pages[i].status != status)
			continue;
		*ret_len = pages_of(pages, s)[i].len;
		*ret_type = type_of(s->error_pages[i].path);
		return pages_of(pages, s)[i].body;
	}
	body = our_page(status);
	*ret_len = strlen(body);
	*ret_type = "text/html";
	return body;
}
