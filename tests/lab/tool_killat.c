/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool_killat N COMMAND... - runs a program and kills it (SIGKILL) before the
 * Nth system call by which it could change something: the exit status is 137
 * then, else that of the program.
 *
 * What counts: messages to the kernel but for dumps, writing, files that are
 * made, renamed, removed or made durable, locks, new processes, signals.
 * Processes that it starts run on by themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The flags of the netlink message at that address: a dump only reads. */
static bool
is_dump(pid_t pid, uint64_t at)
{
	struct nlmsghdr head;
	long words[2];
	int i;

	for (i = 0; i < 2; i++) {
		errno = 0;
		words[i] =
			ptrace(PTRACE_PEEKDATA, pid,
			       (void *)(uintptr_t)(at + 8 * (uint64_t)i), NULL);
		if (errno)
			return false;
	}
	memcpy(&head, words, sizeof(head));
	return (head.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
}

static bool
is_lock(uint64_t command)
{
	return command == F_SETLK || command == F_SETLKW;
}

static bool
changes(pid_t pid, uint64_t nr, const uint64_t *args)
{
	switch (nr) {
	case SYS_sendto:
		return !is_dump(pid, args[1]);
	case SYS_openat:
		return args[2] & (O_CREAT | O_TRUNC);
	case SYS_fcntl:
		return is_lock(args[1]);
	case SYS_sendmsg:
	case SYS_write:
	case SYS_fsync:
	case SYS_renameat:
	case SYS_renameat2:
	case SYS_unlinkat:
	case SYS_mkdirat:
	case SYS_clone:
	case SYS_clone3:
	case SYS_pidfd_send_signal:
#ifdef SYS_rename
	case SYS_rename:
	case SYS_unlink:
	case SYS_mkdir:
#endif
		return true;
	default:
		return false;
	}
}

/* Stopped at the beginning or the end of a call: does one begin that counts? */
static bool
begins_change(pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	return changes(pid, info.entry.nr, info.entry.args);
}

static int
follow(pid_t pid, long count)
{
	int status, sig;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return 1;
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (sig = 0;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(uintptr_t)sig);
		if (waitpid(pid, &status, 0) != pid)
			return 1;
		if (!WIFSTOPPED(status))
			break;
		sig = WSTOPSIG(status);
		if (sig == SIGTRAP)
			sig = 0;
		if (sig != (SIGTRAP | 0x80))
			continue;
		sig = 0;
		if (begins_change(pid) && --count == 0)
			kill(pid, SIGKILL);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
main(int argc, char **argv)
{
	pid_t pid;

	if (argc < 3) {
		fputs("usage: tool_killat N COMMAND...\n", stderr);
		return 64;
	}
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	return pid < 0 ? 1 : follow(pid, strtol(argv[1], NULL, 10));
}
