/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Former values of settings: what is recorded, in which order it is put
 * back, and what is left alone. On a directory that plays /proc/sys; what
 * the kernel overwrites by itself is played by the tests.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/arena.h"
#include "netsetup/change/intent.h"
#include "netsetup/kernel/sysctl.h"
#include "tests/unit.h"

#define ALL4 "net/ipv4/conf/all/forwarding"
#define ALL6 "net/ipv6/conf/all/forwarding"

static const char *const files[] = {
	ALL4,
	"net/ipv4/conf/all/accept_redirects",
	"net/ipv4/conf/default/forwarding",
	"net/ipv4/conf/eth0.5/forwarding",
	"net/ipv4/conf/eth1/forwarding",
	ALL6,
	"net/ipv6/conf/default/forwarding",
	"net/ipv6/conf/eth0.5/forwarding",
};

enum { N_FILES = sizeof(files) / sizeof(files[0]) };

struct fake {
	char root[32];
	struct arena *arena;
	struct sysctl_record rec;
};

static void
put(struct fake *f, const char *path, const char *value)
{
	char full[256], *slash;
	FILE *out;

	snprintf(full, sizeof(full), "%s/%s", f->root, path);
	for (slash = full + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	out = fopen(full, "we");
	UNIT_CHECK(out != NULL, "%s", full);
	if (!out)
		return;
	fprintf(out, "%s\n", value);
	fclose(out);
}

static void
check(struct fake *f, const char *path, const char *want)
{
	char value[SYSCTL_VALUE_LEN] = "";

	UNIT_CHECK(sysctl_read(f->root, path, value) == 0, "%s", path);
	UNIT_CHECK(!strcmp(value, want), "%s is %s, not %s", path, value, want);
}

/* Every file holds "0", accept_redirects "1". */
static void
fake_init(struct fake *f)
{
	size_t i;

	memset(f, 0, sizeof(*f));
	strcpy(f->root, "/tmp/sysctl.XXXXXX");
	UNIT_CHECK(mkdtemp(f->root) != NULL, "%s", f->root);
	f->arena = arena_new();
	for (i = 0; i < N_FILES; i++)
		put(f, files[i], i == 1 ? "1" : "0");
}

static void
fake_fini(struct fake *f)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", f->root);
	UNIT_CHECK(system(command) == 0, "%s", command);
	arena_free(f->arena);
}

/* What the kernel does when ALL4 becomes 1. */
static void
forward_all(struct fake *f)
{
	size_t i;

	for (i = 0; i < 5; i++)
		put(f, files[i], i == 1 ? "0" : "1");
}

static void
test_record(void)
{
	struct fake f;
	size_t i;

	fake_init(&f);
	UNIT_CHECK(!sysctl_recorded(&f.rec, ALL4), "nothing yet");
	UNIT_CHECK(sysctl_record_forwarding(f.root, ALL4, f.arena, &f.rec) == 0,
		   "record");
	UNIT_CHECK(f.rec.n == 5, "%zu", f.rec.n);
	for (i = 0; i < f.rec.n; i++)
		UNIT_STRINGS(f.rec.list[i].path, files[i]);
	UNIT_STRINGS(f.rec.list[1].before, "1");
	UNIT_STRINGS(f.rec.list[1].ours, "0");
	UNIT_CHECK(sysctl_recorded(&f.rec, ALL4) &&
			   !sysctl_recorded(&f.rec, ALL6),
		   "one family");
	UNIT_CHECK(sysctl_record_forwarding(f.root, ALL6, f.arena, &f.rec) == 0,
		   "record");
	UNIT_CHECK(f.rec.n == N_FILES, "%zu", f.rec.n);
	fake_fini(&f);
}

static void
test_restore(void)
{
	struct fake f;
	size_t i;

	fake_init(&f);
	put(&f, "net/ipv4/conf/eth1/forwarding", "1"); /* before us */
	sysctl_record_forwarding(f.root, ALL4, f.arena, &f.rec);
	forward_all(&f);
	UNIT_CHECK(sysctl_restore(f.root, &f.rec, ALL4) == 0, "restore");
	for (i = 0; i < 4; i++)
		check(&f, files[i], i == 1 ? "1" : "0");
	check(&f, files[4], "1");
	fake_fini(&f);
}

/* What somebody else has set since is his. */
static void
test_not_ours(void)
{
	struct fake f;

	fake_init(&f);
	put(&f, "net/ipv4/conf/default/forwarding", "1");
	sysctl_record_forwarding(f.root, ALL4, f.arena, &f.rec);
	forward_all(&f);
	put(&f, "net/ipv4/conf/default/forwarding", "0");
	put(&f, "net/ipv4/conf/all/accept_redirects", "2");
	UNIT_CHECK(sysctl_restore(f.root, &f.rec, ALL4) == 0, "restore");
	check(&f, "net/ipv4/conf/default/forwarding", "0");
	check(&f, "net/ipv4/conf/all/accept_redirects", "2");
	check(&f, "net/ipv4/conf/eth1/forwarding", "0");
	fake_fini(&f);
}

/* Killed after the first value was put back: the second try ends it. */
static void
test_interrupted(void)
{
	struct sysctl_record settled;
	struct fake f;

	fake_init(&f);
	put(&f, "net/ipv4/conf/eth1/forwarding", "1"); /* before us */
	sysctl_record_forwarding(f.root, ALL4, f.arena, &f.rec);
	forward_all(&f);
	put(&f, "net/ipv4/conf/all/accept_redirects", "2"); /* his */
	UNIT_CHECK(!sysctl_settled(&f.rec), "nothing is settled yet");
	settled = sysctl_settle(f.root, &f.rec, ALL4, f.arena);
	UNIT_CHECK(settled.n == 5 && sysctl_settled(&settled), "settled");
	/* what the kernel does when ALL4 becomes 0 */
	forward_all(&f);
	put(&f, ALL4, "0");
	put(&f, "net/ipv4/conf/eth1/forwarding", "0");
	put(&f, "net/ipv4/conf/all/accept_redirects", "1");
	UNIT_CHECK(sysctl_restore(f.root, &settled, ALL4) == 0, "again");
	check(&f, ALL4, "0");
	check(&f, "net/ipv4/conf/all/accept_redirects", "2");
	check(&f, "net/ipv4/conf/eth1/forwarding", "1");
	fake_fini(&f);
}

/* An interface that came meanwhile gets what it would have had without us. */
static void
test_newcomer(void)
{
	static const char path[] = "net/ipv4/conf/new/forwarding";
	struct sysctl_record settled;
	struct fake f;

	fake_init(&f);
	put(&f, "net/ipv4/conf/default/forwarding", "1"); /* before us */
	sysctl_record_forwarding(f.root, ALL4, f.arena, &f.rec);
	forward_all(&f);
	put(&f, path, "1");
	settled = sysctl_settle(f.root, &f.rec, ALL4, f.arena);
	put(&f, path, "0"); /* the kernel, when ALL4 becomes 0 */
	UNIT_CHECK(sysctl_restore(f.root, &settled, ALL4) == 0, "restore");
	check(&f, path, "1");
	/* somebody has ended forwarding, and wants it here */
	put(&f, ALL4, "0");
	put(&f, "net/ipv4/conf/default/forwarding", "0");
	put(&f, path, "1");
	settled = sysctl_settle(f.root, &f.rec, ALL4, f.arena);
	UNIT_CHECK(sysctl_restore(f.root, &settled, ALL4) == 0, "restore");
	check(&f, path, "1");
	fake_fini(&f);
}

/* An interface that went away meanwhile is no error. */
static void
test_gone(void)
{
	char path[256];
	struct fake f;

	fake_init(&f);
	sysctl_record_forwarding(f.root, ALL4, f.arena, &f.rec);
	forward_all(&f);
	snprintf(path, sizeof(path), "%s/net/ipv4/conf/eth1/forwarding",
		 f.root);
	unlink(path);
	UNIT_CHECK(sysctl_restore(f.root, &f.rec, ALL4) == 0, "restore");
	check(&f, ALL4, "0");
	UNIT_CHECK(access(path, F_OK) < 0, "not made");
	fake_fini(&f);
}

static void
test_families(void)
{
	struct sysctl_record left;
	struct fake f;

	fake_init(&f);
	sysctl_record_forwarding(f.root, ALL4, f.arena, &f.rec);
	sysctl_record_forwarding(f.root, ALL6, f.arena, &f.rec);
	forward_all(&f);
	put(&f, ALL6, "1");
	UNIT_CHECK(sysctl_restore(f.root, &f.rec, ALL6) == 0, "restore");
	check(&f, ALL6, "0");
	check(&f, ALL4, "1"); /* another family's */
	left = sysctl_record_without(&f.rec, ALL6, f.arena);
	UNIT_CHECK(left.n == 5 && !sysctl_recorded(&left, ALL6), "%zu", left.n);
	fake_fini(&f);
}

static void
test_errors(void)
{
	char value[SYSCTL_VALUE_LEN];
	struct fake f;

	fake_init(&f);
	UNIT_CHECK(sysctl_read(f.root, "net/no", value) == -ENOENT, "read");
	UNIT_CHECK(sysctl_write("/proc/version", "x", "1") == -ENOTDIR,
		   "write");
	UNIT_CHECK(sysctl_record_forwarding("/nowhere", ALL4, f.arena,
					    &f.rec) == -ENOENT &&
			   f.rec.n == 0,
		   "record");
	fake_fini(&f);
}

/* Through the file and back. */
static void
test_journal(void)
{
	struct sysctl_record loaded, empty = {0};
	struct journal j;
	struct fake f;
	size_t i;

	fake_init(&f);
	UNIT_CHECK(journal_open(&j, f.root) == 0 && j.netns != 0, "open");
	UNIT_CHECK(journal_load(&j, f.arena, &loaded) == 0 && loaded.n == 0,
		   "no file");
	sysctl_record_forwarding(f.root, ALL4, f.arena, &f.rec);
	UNIT_CHECK(journal_store(&j, &f.rec) == 0, "store");
	UNIT_CHECK(journal_load(&j, f.arena, &loaded) == 0, "load");
	UNIT_CHECK(loaded.n == f.rec.n, "%zu", loaded.n);
	for (i = 0; i < loaded.n && i < f.rec.n; i++) {
		UNIT_STRINGS(loaded.list[i].path, f.rec.list[i].path);
		UNIT_STRINGS(loaded.list[i].before, f.rec.list[i].before);
		UNIT_STRINGS(loaded.list[i].ours, f.rec.list[i].ours);
	}
	UNIT_CHECK(journal_store(&j, &empty) == 0, "forget");
	UNIT_CHECK(journal_store(&j, &empty) == 0, "forget again");
	UNIT_CHECK(journal_load(&j, f.arena, &loaded) == 0 && loaded.n == 0,
		   "forgotten");
	journal_close(&j);
	fake_fini(&f);
}

/* Lines that we would not have written are not written to /proc/sys. */
static void
test_journal_garbage(void)
{
	struct sysctl_record loaded;
	struct journal j;
	struct fake f;
	char name[64];

	fake_init(&f);
	journal_open(&j, f.root);
	snprintf(name, sizeof(name), "netsetup.sysctl.%llu",
		 (unsigned long long)j.netns);
	put(&f, name,
	    "kernel/panic 0 1\nnet/ipv4/../../kernel/panic 0 1\nhalf\n\n"
	    "net/ipv4/conf/all/forwarding 0 1\nnet/ipv4/two words\n"
	    "net/ipv4/conf/a..b/forwarding 0 1\n");
	UNIT_CHECK(journal_load(&j, f.arena, &loaded) == 0 && loaded.n == 2,
		   "%zu", loaded.n);
	journal_close(&j);
	fake_fini(&f);
}

/* The policy in force, through its file and back. */
static void
test_journal_policy(void)
{
	struct journal_policy p;
	struct intent intent;
	struct journal j;
	struct fake f;

	fake_init(&f);
	journal_open(&j, f.root);
	UNIT_CHECK(journal_load_policy(&j, f.arena, &p) == 0 && !p.path,
		   "none");
	UNIT_CHECK(intent_begin(&j, "/a b", "x\n") == 0, "begin");
	UNIT_CHECK(journal_load_policy(&j, f.arena, &p) == 0 && !p.path,
		   "not yet");
	UNIT_CHECK(intent_load(&j, f.arena, &intent) == 0 && intent.there,
		   "intent");
	UNIT_STRINGS(intent.policy.path, "/a b");
	UNIT_CHECK(intent_finish(&j) == 0, "finish");
	UNIT_CHECK(intent_load(&j, f.arena, &intent) == 0 && !intent.there,
		   "no intent");
	UNIT_CHECK(journal_load_policy(&j, f.arena, &p) == 0, "load");
	UNIT_STRINGS(p.path, "/a b");
	UNIT_STRINGS(p.text, "# /a b\nx\n");
	UNIT_CHECK(p.len == strlen(p.text), "%zu", p.len);
	UNIT_CHECK(access(p.copy, R_OK) == 0, "%s", p.copy);
	UNIT_CHECK(intent_begin(&j, NULL, NULL) == 0, "begin");
	UNIT_CHECK(intent_load(&j, f.arena, &intent) == 0 && intent.there &&
			   !intent.policy.path,
		   "intent");
	UNIT_CHECK(intent_drop(&j) == 0 && intent_drop(&j) == 0, "drop");
	UNIT_CHECK(journal_load_policy(&j, f.arena, &p) == 0 && p.path,
		   "still there");
	UNIT_CHECK(intent_begin(&j, NULL, NULL) == 0, "begin");
	UNIT_CHECK(intent_finish(&j) == 0, "forget");
	UNIT_CHECK(journal_load_policy(&j, f.arena, &p) == 0 && !p.path,
		   "forgotten");
	journal_close(&j);
	fake_fini(&f);
}

/* A lock belongs to a process: a child finds its parent's. */
static void
test_lock(void)
{
	struct journal j, other;
	struct fake f;
	pid_t holder;
	int r;

	fake_init(&f);
	journal_open(&j, f.root);
	UNIT_CHECK(journal_lock(&j, &holder) == 0, "lock");
	if (fork() == 0) {
		journal_open(&other, f.root);
		r = journal_lock(&other, &holder);
		_exit(r == -EAGAIN && holder == getppid() ? 0 : 1);
	}
	UNIT_CHECK(wait(&r) > 0 && r == 0, "the child sees who holds it");
	journal_close(&j);
	if (fork() == 0) {
		journal_open(&other, f.root);
		_exit(journal_lock(&other, &holder) == 0 ? 0 : 1);
	}
	UNIT_CHECK(wait(&r) > 0 && r == 0, "it is free again");
	fake_fini(&f);
}

/* Nobody else may write what we put into /proc/sys, or where we write. */
static void
test_not_alone(void)
{
	char link[96], victim[96], text[SYSCTL_VALUE_LEN];
	struct journal j;
	struct fake f;
	pid_t holder;

	fake_init(&f);
	journal_open(&j, f.root);
	UNIT_CHECK(chmod(f.root, 0777) == 0 &&
			   journal_lock(&j, &holder) == -ENOTUNIQ,
		   "all may write to it");
	UNIT_CHECK(chmod(f.root, 0700) == 0, "chmod");
	if (geteuid() == 0 && chown(f.root, 65534, 65534) == 0) {
		UNIT_CHECK(journal_lock(&j, &holder) == -ENOTUNIQ,
			   "it is another's");
		UNIT_CHECK(chown(f.root, 0, 0) == 0, "chown");
	}
	UNIT_CHECK(journal_lock(&j, &holder) == 0, "it is ours");
	put(&f, "victim", "0");
	snprintf(victim, sizeof(victim), "%s/victim", f.root);
	snprintf(link, sizeof(link), "%s/netsetup.new.%llu", f.root,
		 (unsigned long long)j.netns);
	UNIT_CHECK(symlink(victim, link) == 0, "link");
	UNIT_CHECK(intent_begin(&j, "/p", "x\n") == 0, "store");
	UNIT_CHECK(sysctl_read(f.root, "victim", text) == 0, "read");
	UNIT_STRINGS(text, "0");
	journal_close(&j);
	fake_fini(&f);
}

static const struct unit_test tests[] = {
	{"record", test_record},
	{"restore", test_restore},
	{"not_ours", test_not_ours},
	{"interrupted", test_interrupted},
	{"newcomer", test_newcomer},
	{"gone", test_gone},
	{"families", test_families},
	{"errors", test_errors},
	{"journal_policy", test_journal_policy},
	{"journal", test_journal},
	{"journal_garbage", test_journal_garbage},
	{"lock", test_lock},
	{"not_alone", test_not_alone},
};

UNIT_MAIN("sysctl", tests)
