/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool_steps.c - counts the instructions of processes, one by one.
 *
 *	tool_steps FILE PID...
 *
 * Steps through all their threads (ptrace), in user mode: what the kernel does
 * for them is not counted, nor does it matter how busy the machine is. FILE
 * holds two numbers of 64 bits, instructions and system calls so far; it is
 * there when all threads are under way. A repeated instruction counts once.
 * Those that are started later are not seen. On SIGTERM it lets all of them
 * go, writes FILE.profile, a line "COUNT ADDRESS" for each instruction that
 * was executed, and ends.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	THREADS_MAX = 64,
	PLACES =
		1 << 16, /* different instructions, twice as many as expected */
	TRAP_US = 20000, /* time for a trap that is due */
	SYSCALL = 0x050f, /* what the instruction looks like */
};

struct place {
	uint64_t address;
	uint64_t count;
	bool enters_kernel;
};

struct counted {
	uint64_t instructions;
	uint64_t syscalls;
};

struct thread {
	pid_t tid;
	uint64_t at; /* where it stood before the step */
};

struct steps {
	struct thread threads[THREADS_MAX];
	int n;
	struct counted *counted; /* shared with who reads the file */
	struct place places[PLACES];
	size_t n_places;
};

static void
fail(const char *what)
{
	fprintf(stderr, "tool_steps: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- counting ------------------------------------------------------------- */

#ifdef __x86_64__
static uint64_t
position(pid_t tid)
{
	return (uint64_t)ptrace(PTRACE_PEEKUSER, tid,
				offsetof(struct user_regs_struct, rip), NULL);
}
#else
static uint64_t
position(pid_t tid)
{
	(void)tid;
	errno = EOPNOTSUPP;
	fail("the program counter of this machine");
	return 0;
}
#endif

static struct place *
place_at(struct steps *s, pid_t tid, uint64_t address)
{
	size_t i = (address * 0x9e3779b97f4a7c15) >> 48;
	struct place *p;
	long word;

	for (; s->places[i % PLACES].address; i++)
		if (s->places[i % PLACES].address == address)
			return &s->places[i % PLACES];
	if (++s->n_places == PLACES / 2) {
		fputs("tool_steps: too many instructions\n", stderr);
		exit(1);
	}
	word = ptrace(PTRACE_PEEKTEXT, tid, address, NULL);
	p = &s->places[i % PLACES];
	p->address = address;
	p->enters_kernel = (word & 0xffff) == SYSCALL;
	return p;
}

static void
count(struct steps *s, struct thread *t)
{
	uint64_t now = position(t->tid);
	struct place *p;

	if (now == t->at)
		return;
	p = place_at(s, t->tid, t->at);
	p->count++;
	s->counted->instructions++;
	s->counted->syscalls += p->enters_kernel;
	t->at = now;
}

static struct thread *
find(struct steps *s, pid_t tid)
{
	int i;

	for (i = 0; i < s->n; i++)
		if (s->threads[i].tid == tid)
			return &s->threads[i];
	return NULL;
}

/* One stop of one thread, and on. False: nobody is left, or it was told so. */
static bool
step(struct steps *s)
{
	struct thread *t;
	long pass_on = 0;
	int status;
	pid_t tid;

	tid = waitpid(-1, &status, __WALL);
	if (tid < 0)
		return false;
	t = find(s, tid);
	if (!t || !WIFSTOPPED(status))
		return true;
	if (status >> 16 == PTRACE_EVENT_STOP)
		t->at = position(tid);
	else if (WSTOPSIG(status) == SIGTRAP)
		count(s, t);
	else
		pass_on = WSTOPSIG(status);
	ptrace(PTRACE_SINGLESTEP, tid, NULL, pass_on);
	return true;
}

/* --- beginning and end ---------------------------------------------------- */

/*
 * A step is two changes of who runs: they are cheap on one processor, and
 * before others. Where that is not permitted it takes longer, no more.
 */
static void
hurry(pid_t tid)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(tid, sizeof(one), &one);
	setpriority(PRIO_PROCESS, (id_t)tid, -15);
}

static void
take(struct steps *s, const char *pid)
{
	char path[64];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	d = opendir(path);
	if (!d)
		fail(path);
	while ((e = readdir(d)) && s->n < THREADS_MAX) {
		pid_t tid = atoi(e->d_name);

		if (tid <= 0)
			continue;
		if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 ||
		    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0)
			fail(pid);
		hurry(tid);
		s->threads[s->n++].tid = tid;
	}
	closedir(d);
}

static void
stop(pid_t tid)
{
	int status;

	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0)
		waitpid(tid, &status, __WALL);
}

/*
 * Who is left in the middle of a step dies of its trap: after the first stop
 * that may still come, and is what the second one swallows.
 */
static void
release(struct steps *s)
{
	int i;

	for (i = 0; i < s->n; i++) {
		stop(s->threads[i].tid);
		ptrace(PTRACE_CONT, s->threads[i].tid, NULL, NULL);
	}
	usleep(TRAP_US);
	for (i = 0; i < s->n; i++) {
		stop(s->threads[i].tid);
		ptrace(PTRACE_DETACH, s->threads[i].tid, NULL, NULL);
	}
}

static void
share(struct steps *s, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, sizeof(*s->counted)) < 0)
		fail(path);
	s->counted = mmap(NULL, sizeof(*s->counted), PROT_READ | PROT_WRITE,
			  MAP_SHARED, fd, 0);
	if (s->counted == MAP_FAILED)
		fail(path);
	close(fd);
}

static void
write_profile(const struct steps *s, const char *path)
{
	char name[4096];
	FILE *out;
	size_t i;

	snprintf(name, sizeof(name), "%s.profile", path);
	out = fopen(name, "we");
	if (!out)
		fail(name);
	for (i = 0; i < PLACES; i++)
		if (s->places[i].count)
			fprintf(out, "%" PRIu64 " %" PRIx64 "\n",
				s->places[i].count, s->places[i].address);
	fclose(out);
}

static void
on_signal(int signo)
{
	/* waitpid() returns, that is all */
	(void)signo;
}

int
main(int argc, char **argv)
{
	struct sigaction interrupt = {.sa_handler = on_signal};
	struct steps *s;
	int i;

	if (argc < 3) {
		fputs("usage: tool_steps FILE PID...\n", stderr);
		return 64;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		fail("memory");
	sigaction(SIGTERM, &interrupt, NULL);
	hurry(getpid());
	for (i = 2; i < argc; i++)
		take(s, argv[i]);
	share(s, argv[1]);
	while (step(s))
		continue;
	release(s);
	write_profile(s, argv[1]);
	free(s);
	return 0;
}
