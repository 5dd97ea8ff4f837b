/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_error_page.c - files that can be pages, and some that cannot. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxyd/http/error_page.h"

#include "tests/unit.h"

/* A directory of files, and the services that show them. */
struct bench {
	char dir[64];
	char *paths[8]; /* owns */
	size_t n_paths;
	struct policy_error_page pages[8];
	struct policy_service services[3];
	struct policy policy;
	struct error_pages loaded;
};

static void
bench_init(struct bench *b)
{
	*b = (struct bench){.dir = "/tmp/error-page.XXXXXX"};
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(b->dir));
	b->policy.services = b->services;
	b->policy.n_services = 3;
}

static void
bench_fini(struct bench *b)
{
	size_t i;

	error_pages_fini(&b->loaded);
	for (i = 0; i < b->n_paths; i++) {
		if (unlink(b->paths[i]) < 0)
			rmdir(b->paths[i]);
		free(b->paths[i]);
	}
	rmdir(b->dir);
}

static const char *
path_of(struct bench *b, const char *name)
{
	char **path = &b->paths[b->n_paths++];

	CU_ASSERT_FATAL(asprintf(path, "%s/%s", b->dir, name) > 0);
	return *path;
}

/* A file of `len` times this letter. */
static const char *
make_file(struct bench *b, const char *name, char letter, size_t len)
{
	const char *path = path_of(b, name);
	FILE *f = fopen(path, "we");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (len--)
		fputc(letter, f);
	fclose(f);
	return path;
}

/* The next page of service `s`; those of one service one after the other. */
static void
add_page(struct bench *b, size_t s, unsigned int status, const char *path)
{
	struct policy_service *service = &b->services[s];
	size_t i, n = 0;

	for (i = 0; i < 3; i++)
		n += b->services[i].n_error_pages;
	if (!service->n_error_pages)
		service->error_pages = &b->pages[n];
	b->pages[n] = (struct policy_error_page){
		.place = {"policy.conf", (uint32_t)n + 10, 5, 0},
		.status = status,
		.path = path,
	};
	service->n_error_pages++;
}

/* What service `s` shows is `len` times this letter. */
static void
check_page(const struct bench *b, size_t s, unsigned int status, char letter,
	   size_t len, const char *type)
{
	const char *body, *is;
	size_t i, n;

	body = error_pages_find(&b->loaded, &b->services[s], status, &n, &is);
	CU_ASSERT_EQUAL(n, len);
	UNIT_STRINGS(is, type);
	for (i = 0; i < n; i++)
		if (body[i] != letter)
			break;
	CU_ASSERT_EQUAL(i, n);
}

static void
test_files(void)
{
	struct diags diags;
	struct bench b;

	bench_init(&b);
	diags_init(&diags);
	add_page(&b, 0, 503, make_file(&b, "a.html", 'a', 10));
	add_page(&b, 0, 400, make_file(&b, "b.json", 'b', 0));
	add_page(&b, 2, 503, make_file(&b, "c.htm", 'c', ERROR_PAGE_MAX));
	add_page(&b, 2, 400, make_file(&b, "html", 'd', 4096));
	CU_ASSERT_EQUAL(error_pages_load(&b.policy, &diags, &b.loaded), 0);
	CU_ASSERT_EQUAL(diags.n, 0);
	check_page(&b, 0, 503, 'a', 10, "text/html");
	check_page(&b, 0, 400, 'b', 0, "application/json");
	check_page(&b, 2, 503, 'c', ERROR_PAGE_MAX, "text/plain");
	check_page(&b, 2, 400, 'd', 4096, "text/plain");
	CU_ASSERT_EQUAL(error_pages_check(&b.policy, &diags), 0);
	diags_fini(&diags);
	bench_fini(&b);
}

static void
check_ours(const struct error_pages *pages, const struct policy_service *s,
	   unsigned int status, const char *title)
{
	const char *body, *type;
	char want[128];
	size_t len;

	body = error_pages_find(pages, s, status, &len, &type);
	CU_ASSERT_EQUAL(len, strlen(body));
	UNIT_STRINGS(type, "text/html");
	snprintf(want, sizeof(want),
		 "<!DOCTYPE html>\n<html lang=\"en\">\n<title>%s</title>\n",
		 title);
	UNIT_CHECK(!strncmp(body, want, strlen(want)) &&
			   !strcmp(body + len - 8, "</html>\n"),
		   "%u: %s", status, body);
}

/* Each status that a policy can name, and whatever else there may be. */
static void
test_ours(void)
{
	static const struct {
		unsigned int status;
		const char *title;
	} rows[] = {
		{400, "400 Bad Request"},
		{403, "403 Forbidden"},
		{408, "408 Request Timeout"},
		{413, "413 Content Too Large"},
		{414, "414 URI Too Long"},
		{429, "429 Too Many Requests"},
		{431, "431 Request Header Fields Too Large"},
		{500, "500 Internal Server Error"},
		{502, "502 Bad Gateway"},
		{503, "503 Service Unavailable"},
		{504, "504 Gateway Timeout"},
		{599, "Error"},
	};
	struct error_pages none = {0};
	struct bench b;
	struct diags diags;
	size_t i;

	bench_init(&b);
	diags_init(&diags);
	add_page(&b, 1, 404, make_file(&b, "a", 'a', 1));
	CU_ASSERT_EQUAL(error_pages_load(&b.policy, &diags, &b.loaded), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_ours(&b.loaded, &b.services[0], rows[i].status,
			   rows[i].title);
		check_ours(&b.loaded, &b.services[1], rows[i].status,
			   rows[i].title);
		check_ours(NULL, &b.services[1], rows[i].status, rows[i].title);
		check_ours(&none, &b.services[1], rows[i].status,
			   rows[i].title);
	}
	diags_fini(&diags);
	bench_fini(&b);
}

/* Each is said with its place, all at once, and none is kept. */
static void
test_unreadable(void)
{
	struct str text = {0}, want = {0};
	const char *large, *fifo, *dir, *gone;
	struct diags diags;
	struct bench b;

	bench_init(&b);
	diags_init(&diags);
	large = make_file(&b, "large", 'x', ERROR_PAGE_MAX + 1);
	fifo = path_of(&b, "fifo");
	dir = path_of(&b, "dir");
	gone = path_of(&b, "gone");
	CU_ASSERT_EQUAL(mkfifo(fifo, 0600), 0);
	CU_ASSERT_EQUAL(mkdir(dir, 0700), 0);
	add_page(&b, 0, 400, large);
	add_page(&b, 0, 408, make_file(&b, "good", 'x', 5));
	add_page(&b, 0, 413, fifo);
	add_page(&b, 1, 400, dir);
	add_page(&b, 2, 400, gone);
	CU_ASSERT_EQUAL(error_pages_load(&b.policy, &diags, &b.loaded),
			-EINVAL);
	CU_ASSERT_PTR_NULL(b.loaded.list);
	diags_format(&diags, false, &text);
	str_addf(&want,
		 "policy.conf:10:5: error: cannot read '%s': more than 60 kB\n"
		 "policy.conf:12:5: error: cannot read '%s': not a regular "
		 "file\n"
		 "policy.conf:13:5: error: cannot read '%s': Is a directory\n"
		 "policy.conf:14:5: error: cannot read '%s': No such file or "
		 "directory\n",
		 large, fifo, dir, gone);
	UNIT_STRINGS(str_text(&text), str_text(&want));
	CU_ASSERT_EQUAL(error_pages_check(&b.policy, &diags), -EINVAL);
	str_fini(&text);
	str_fini(&want);
	diags_fini(&diags);
	bench_fini(&b);
}

static const struct unit_test tests[] = {
	{"files", test_files},
	{"ours", test_ours},
	{"unreadable", test_unreadable},
};

UNIT_MAIN("error_page", tests)
