/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_control.c - clients of all kinds, in one process with the loop. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxyd/ctl/control.h"
#include "proxyd/ctl/local.h"

#include "tests/unit.h"

/* A socket, and an owner who notes what it is asked. */
struct desk {
	struct loop loop;
	struct control control;
	char dir[32];
	char path[64];
	uint64_t id; /* of the last who asked */
	unsigned int asked;
	struct wire_request request;
};

static void
on_ask(void *owner, uint64_t id, const struct wire_request *r)
{
	struct desk *d = owner;

	d->id = id;
	d->request = *r;
	d->asked++;
}

static void
set_up(struct desk *d)
{
	struct control_owner owner = {.ask = on_ask};
	struct str why = {0};

	*d = (struct desk){.asked = 0};
	owner.owner = d;
	strcpy(d->dir, "/tmp/control.XXXXXX");
	CU_ASSERT_FATAL(mkdtemp(d->dir) != NULL);
	snprintf(d->path, sizeof(d->path), "%s/control", d->dir);
	CU_ASSERT_EQUAL_FATAL(loop_init(&d->loop), 0);
	CU_ASSERT_EQUAL_FATAL(
		control_open(&d->control, &d->loop, d->path, owner, &why), 0);
	str_fini(&why);
}

static void
tear_down(struct desk *d)
{
	control_withdraw(&d->control);
	control_close(&d->control);
	loop_fini(&d->loop);
	/* nothing was left in it */
	CU_ASSERT_EQUAL(rmdir(d->dir), 0);
}

/* Let the server do what it has to do now, but never wait. */
static void
turn(struct desk *d)
{
	struct pollfd fd = {.fd = d->loop.epfd, .events = POLLIN};

	while (poll(&fd, 1, 5) == 1)
		CU_ASSERT_EQUAL(loop_turn(&d->loop), 0);
}

/* Time goes on: the last thing in a test. */
static void
later(struct desk *d, uint64_t ms)
{
	timers_run(&d->loop.timers, d->loop.now_ms + ms);
}

static int
come(struct desk *d)
{
	int fd = -1;

	CU_ASSERT_EQUAL_FATAL(local_connect(d->path, 1000, &fd), 0);
	turn(d);
	return fd;
}

static void
say(struct desk *d, int fd, const char *text)
{
	CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL),
			(ssize_t)strlen(text));
	turn(d);
}

/* All that comes until the end; true if the end has come. */
static bool
take(struct desk *d, int fd, struct str *out)
{
	char buf[65536];
	ssize_t n;

	str_clear(out);
	do {
		turn(d);
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n > 0)
			str_add_bytes(out, buf, (size_t)n);
	} while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

static void
answer(struct desk *d, const char *text)
{
	struct str *to = control_text(&d->control, d->id);

	if (to)
		str_add(to, text);
	control_send(&d->control, d->id);
}

/* It comes in pieces of any size, and is one request. */
static void
test_split(void)
{
	static const char line[] = "flows service=web\n";
	struct str out = {0};
	struct desk d;
	size_t i;
	int fd;

	set_up(&d);
	for (i = 1; i < sizeof(line) - 1; i++) {
		fd = come(&d);
		CU_ASSERT_EQUAL(send(fd, line, i, 0), (ssize_t)i);
		turn(&d);
		CU_ASSERT_EQUAL(d.asked, i - 1);
		say(&d, fd, line + i);
		CU_ASSERT_EQUAL(d.asked, i);
		CU_ASSERT_EQUAL(d.request.command, WIRE_FLOWS);
		UNIT_STRINGS(d.request.filter.service, "web");
		answer(&d, "{}\n");
		CU_ASSERT(take(&d, fd, &out));
		UNIT_STRINGS(str_text(&out), "{}\n");
		close(fd);
	}
	str_fini(&out);
	tear_down(&d);
}

static int
file_with(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

/* Texts and files arrive in their order, empty ones too. */
static void
test_pieces(void)
{
	struct str out = {0};
	struct desk d;
	int fd;

	set_up(&d);
	fd = come(&d);
	say(&d, fd, "status\n");
	str_add(control_text(&d.control, d.id), "a");
	str_add(control_text(&d.control, d.id), "b");
	control_file(&d.control, d.id, file_with("c"));
	control_file(&d.control, d.id, file_with(""));
	control_file(&d.control, d.id, file_with("d"));
	str_add(control_text(&d.control, d.id), "e");
	control_send(&d.control, d.id);
	/* it was sent: nothing more can be added */
	CU_ASSERT_PTR_NULL(control_text(&d.control, d.id));
	CU_ASSERT(take(&d, fd, &out));
	UNIT_STRINGS(str_text(&out), "abcde");
	close(fd);
	str_fini(&out);
	tear_down(&d);
}

/* More than any buffer takes: neither lost nor waited for. */
static void
test_large(void)
{
	struct str big = {0}, out = {0};
	struct desk d;
	size_t i;
	int fd;

	for (i = 0; i < 400000; i++)
		str_addf(&big, "line %zu\n", i);
	set_up(&d);
	fd = come(&d);
	say(&d, fd, "status\n");
	control_file(&d.control, d.id, file_with(str_text(&big)));
	answer(&d, str_text(&big));
	CU_ASSERT(take(&d, fd, &out));
	CU_ASSERT_EQUAL(out.len, 2 * big.len);
	CU_ASSERT(!memcmp(out.data, big.data, big.len));
	CU_ASSERT(!memcmp(out.data + big.len, big.data, big.len));
	close(fd);
	str_fini(&big);
	str_fini(&out);
	tear_down(&d);
}

static void
check_refused(struct desk *d, const char *line, size_t len, const char *error)
{
	struct str out = {0};
	int fd = come(d);

	CU_ASSERT_EQUAL(send(fd, line, len, MSG_NOSIGNAL), (ssize_t)len);
	CU_ASSERT(take(d, fd, &out));
	UNIT_CHECK(strstr(str_text(&out), error) != NULL, "%s", str_text(&out));
	close(fd);
	str_fini(&out);
}

static void
test_garbage(void)
{
	char line[2 * WIRE_REQUEST_MAX];
	struct desk d;
	size_t i;

	set_up(&d);
	check_refused(&d, "\n", 1, "\"usage\"");
	check_refused(&d, "GET / HTTP/1.1\r\n\r\n", 18, "\"usage\"");
	memset(line, 'x', sizeof(line));
	check_refused(&d, line, sizeof(line), "at most 512 bytes");
	for (i = 0; i < sizeof(line); i++)
		line[i] = (char)(i * 37);
	check_refused(&d, line, sizeof(line), "printable");
	CU_ASSERT_EQUAL(d.asked, 0);
	tear_down(&d);
}

/* Silent, or slow to take what it asked for: cut off, and others are not. */
static void
test_silent(void)
{
	struct str out = {0};
	struct desk d;
	int fd;

	set_up(&d);
	fd = come(&d);
	say(&d, fd, "stat");
	later(&d, CONTROL_ASK_MS - 100);
	CU_ASSERT(recv(fd, &(char){0}, 1, MSG_DONTWAIT) < 0);
	later(&d, CONTROL_ASK_MS + 10);
	CU_ASSERT(recv(fd, &(char){0}, 1, MSG_DONTWAIT) == 0 ||
		  errno == ECONNRESET);
	close(fd);
	str_fini(&out);
	tear_down(&d);
}

static void
test_unread(void)
{
	struct desk d;
	struct str *to;
	int fd, i;

	set_up(&d);
	fd = come(&d);
	say(&d, fd, "status\n");
	to = control_text(&d.control, d.id);
	for (i = 0; i < 100000; i++)
		str_add(to, "0123456789");
	control_send(&d.control, d.id);
	turn(&d);
	CU_ASSERT(send(fd, "x", 1, MSG_NOSIGNAL) == 1);
	later(&d, CONTROL_TAKE_MS + 10);
	/* nobody is there any more */
	CU_ASSERT(send(fd, "x", 1, MSG_NOSIGNAL) < 0);
	close(fd);
	tear_down(&d);
}

static void
test_too_many(void)
{
	int fds[CONTROL_CLIENTS], fd;
	struct str out = {0};
	struct desk d;
	size_t i;

	set_up(&d);
	for (i = 0; i < CONTROL_CLIENTS; i++)
		fds[i] = come(&d);
	fd = come(&d);
	CU_ASSERT(take(&d, fd, &out));
	CU_ASSERT(strstr(str_text(&out), "too many others") != NULL);
	close(fd);
	/* one goes, one may come */
	close(fds[0]);
	turn(&d);
	fds[0] = come(&d);
	say(&d, fds[0], "stats\n");
	CU_ASSERT_EQUAL(d.asked, 1);
	for (i = 0; i < CONTROL_CLIENTS; i++)
		close(fds[i]);
	turn(&d);
	str_fini(&out);
	tear_down(&d);
}

/* The answer comes when nobody waits for it any more. */
static void
test_gone(void)
{
	struct str out = {0};
	struct desk d;
	uint64_t id;
	int fd, other;

	set_up(&d);
	fd = come(&d);
	say(&d, fd, "reload\n");
	id = d.id;
	close(fd);
	turn(&d);
	CU_ASSERT_PTR_NULL(control_text(&d.control, id));
	/* whoever has its place now does not get its answer */
	other = come(&d);
	say(&d, other, "status\n");
	CU_ASSERT(d.id != id);
	control_refuse(&d.control, id, CONTROL_FAILED, "not yours");
	control_file(&d.control, id, file_with("not yours"));
	control_send(&d.control, id);
	answer(&d, "mine");
	CU_ASSERT(take(&d, other, &out));
	UNIT_STRINGS(str_text(&out), "mine");
	close(other);
	str_fini(&out);
	tear_down(&d);
}

/* One that ended its half of the talk still waits for the answer. */
static void
test_half_closed(void)
{
	struct str out = {0};
	struct desk d;
	int fd;

	set_up(&d);
	fd = come(&d);
	say(&d, fd, "status\n");
	shutdown(fd, SHUT_WR);
	turn(&d);
	answer(&d, "{}");
	CU_ASSERT(take(&d, fd, &out));
	UNIT_STRINGS(str_text(&out), "{}");
	close(fd);
	str_fini(&out);
	tear_down(&d);
}

/* --- the name ------------------------------------------------------------- */

static void
test_name(void)
{
	struct str why = {0};
	struct stat st;
	struct desk d;
	mode_t mask;
	int fd = -1;

	mask = umask(0077);
	set_up(&d);
	umask(mask);
	CU_ASSERT_EQUAL(stat(d.path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0660);
	/* it is in use: a second one leaves it alone */
	CU_ASSERT_EQUAL(local_listen(d.path, &fd), -EADDRINUSE);
	local_explain(d.path, -EADDRINUSE, &why);
	CU_ASSERT(strstr(str_text(&why), "another one listens") != NULL);
	CU_ASSERT_EQUAL(stat(d.path, &st), 0);
	/* killed: the name stays, and the next one takes it */
	control_close(&d.control);
	CU_ASSERT_EQUAL(stat(d.path, &st), 0);
	CU_ASSERT_EQUAL(local_connect(d.path, 100, &fd), -ECONNREFUSED);
	CU_ASSERT_EQUAL(local_listen(d.path, &fd), 0);
	close(fd);
	unlink(d.path);
	CU_ASSERT_EQUAL(local_connect(d.path, 100, &fd), -ENOENT);
	/* what is no socket is not ours to replace */
	fd = open(d.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	CU_ASSERT_EQUAL(local_listen(d.path, &fd), -EEXIST);
	CU_ASSERT_EQUAL(unlink(d.path), 0);
	CU_ASSERT_EQUAL(local_listen("/nonexistent/control", &fd), -ENOENT);
	str_fini(&why);
	tear_down(&d);
}

/* Without a socket, all is quiet. */
static void
test_none(void)
{
	struct control_owner owner = {on_ask, NULL};
	struct control c = {0};
	struct str why = {0};
	struct loop l;

	CU_ASSERT_EQUAL_FATAL(loop_init(&l), 0);
	CU_ASSERT_EQUAL(control_open(&c, &l, "/nonexistent/c", owner, &why),
			-ENOENT);
	UNIT_STRINGS(str_text(&why),
		     "proxyctl will not find this proxyd: cannot listen at"
		     " /nonexistent/c: No such file or directory");
	CU_ASSERT_PTR_NULL(control_text(&c, 1));
	control_send(&c, 1);
	control_refuse(&c, 1, CONTROL_FAILED, "x");
	control_withdraw(&c);
	control_close(&c);
	loop_fini(&l);
	str_fini(&why);
}

static const struct unit_test tests[] = {
	{"split", test_split},
	{"pieces", test_pieces},
	{"large", test_large},
	{"garbage", test_garbage},
	{"silent", test_silent},
	{"unread", test_unread},
	{"too_many", test_too_many},
	{"gone", test_gone},
	{"half_closed", test_half_closed},
	{"name", test_name},
	{"none", test_none},
};

UNIT_MAIN("control", tests)
