/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sandbox.c - tables of system calls, and libseccomp behind sandbox.h.
 *
 * There are three answers. Calls on the list of the role are made. Those
 * that no program of ours or of libc makes by itself end the process: better
 * lose a worker that somebody else commands than let him go on looking. All
 * others answer ENOSYS, as a kernel would that does not have them: libc then
 * takes an older way, and a call that we forgot costs one flow and not all
 * of them. With -vv the kernel's log names each call that was refused.
 *
 * The master is what reads files and starts programs, and a newer version of
 * it lives on under its filter: that list is wide, those of the children,
 * which meet the clients' bytes, are short.
 */
#include "proxyd/base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/hash.h"
#include "lib/log.h"

/* Of prctl() and ioctl(), where the headers may be older than the kernel. */
enum {
	SET_VMA = 0x53564d41, /* PR_SET_VMA: malloc names its memory */
	PROBE = 0x494e5450,   /* nobody's: the filter itself answers it */
};
#define GETS2 0x802c542a /* TCGETS2 */

#define SOCKET_TYPE (0xffffffff & ~(scmp_datum_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))
#define NAMESPACES                                                             \
	(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS |         \
	 CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS)

enum {
	ANSWERS_FROM = 1000, /* no errno of the kernel's */
	ANSWERS = 3000,	     /* seccomp(2): errno is at most 4095 */
	LISTS_MAX = 6,
	ARGS_MAX = 3,
};

/* A call that is allowed where all of these hold for its arguments. */
struct rule {
	const char *call;
	struct scmp_arg_cmp args[ARGS_MAX];
	unsigned int n;
};

struct rules {
	const struct rule *list;
	size_t n;
};

struct role {
	const char *const *allow[LISTS_MAX]; /* ends with NULL, as each list */
	struct rules where[LISTS_MAX];	     /* ends with zeroes */
	const char *const *kill[LISTS_MAX];
};

/* An int: the kernel looks at no more than 32 bits of it, nor do we. */
#define IS(arg, value)                                                         \
	{                                                                      \
		arg, SCMP_CMP_MASKED_EQ, 0xffffffff, (scmp_datum_t)(value)     \
	}
/* Of these bits, just `value`. */
#define BITS(arg, mask, value)                                                 \
	{                                                                      \
		arg, SCMP_CMP_MASKED_EQ, mask, value                           \
	}
#define RULES(table)                                                           \
	{                                                                      \
		table, sizeof(table) / sizeof((table)[0])                      \
	}

/* --- what the lists allow ------------------------------------------------- */

/* clang-format off */

/* libc cannot live without; several names are one call's older and newer */
static const char *const base_calls[] = {
	/* memory; mmap and mprotect are below */
	"brk", "madvise", "mremap", "munmap",
	/* time */
	"clock_getres", "clock_gettime", "clock_gettime64", "clock_nanosleep",
	"clock_nanosleep_time64", "gettimeofday", "nanosleep",
	"restart_syscall", "time",
	/* signals to oneself */
	"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
	"rt_sigtimedwait", "sigaltstack", "sigreturn",
	/* who and where am I */
	"getcpu", "getegid", "geteuid", "getgid", "getpid", "getppid",
	"getresgid", "getresuid", "getrlimit", "getrusage", "gettid", "getuid",
	"sched_getaffinity", "sysinfo", "times", "ugetrlimit", "uname",
	/* threads, of which there is one */
	"futex", "futex_time64", "get_robust_list", "membarrier", "rseq",
	"sched_yield", "set_robust_list", "set_tid_address",
	/* the end */
	"exit", "exit_group",
	/* descriptors that are open */
	"close", "close_range", "dup", "dup2", "dup3", "fstat", "pread64",
	"read", "readv", "write", "writev",
	/* chance */
	"getrandom",
	NULL,
};

/* waiting, and talking over sockets that are there */
static const char *const talk_calls[] = {
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait",
	"epoll_pwait2", "epoll_wait", "eventfd2", "poll", "ppoll",
	"ppoll_time64", "pselect6", "select",
	"bind", "getpeername", "getsockname", "getsockopt", "recvfrom",
	"recvmmsg", "recvmmsg_time64", "recvmsg", "sendmmsg", "sendmsg",
	"sendto", "setsockopt", "shutdown",
	NULL,
};

/* flows */
static const char *const relay_calls[] = {
	"accept", "accept4", "connect", "listen", "pipe", "pipe2", "splice",
	"tee", "timerfd_create", "timerfd_gettime", "timerfd_settime",
	NULL,
};

/* the master: files, processes, and what its successor may think of */
static const char *const master_calls[] = {
	/* files */
	"_llseek", "access", "chdir", "chmod", "copy_file_range", "creat",
	"faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod",
	"fchmodat", "fchmodat2", "fdatasync", "flock", "fstat64", "fstatat64",
	"fstatfs", "fsync", "ftruncate", "futimesat", "getcwd", "getdents",
	"getdents64", "getxattr", "inotify_add_watch", "inotify_init",
	"inotify_init1", "inotify_rm_watch", "link", "linkat", "lseek", "lstat",
	"memfd_create", "mkdir", "mkdirat", "msync", "newfstatat", "open",
	"openat", "openat2", "pread64", "preadv", "preadv2", "pwrite64",
	"pwritev", "pwritev2", "readahead", "readlink", "readlinkat", "rename",
	"renameat", "renameat2", "rmdir", "sendfile", "stat", "statfs", "statx",
	"symlink", "symlinkat", "truncate", "umask", "unlink", "unlinkat",
	"utimensat",
	/* processes */
	"alarm", "arch_prctl", "capget", "capset", "execve", "execveat", "fork",
	"getgroups", "getitimer", "getpgid", "getpgrp", "getpriority", "getsid",
	"kill", "mseal", "pause", "pidfd_open", "pidfd_send_signal",
	"prlimit64", "rt_sigqueueinfo", "rt_sigsuspend", "rt_tgsigqueueinfo",
	"sched_get_priority_max", "sched_get_priority_min", "sched_getattr",
	"sched_getparam", "sched_getscheduler", "seccomp", "set_thread_area",
	"setitimer", "setpgid", "setsid", "signalfd", "signalfd4", "tgkill",
	"vfork", "wait4", "waitid", "waitpid",
	NULL,
};

/* what a sanitizer does at its start and at its end, to look at leaks */
#ifdef __SANITIZE_ADDRESS__
static const char *const sanitizer_calls[] = {
	"access", "arch_prctl", "clone", "fork", "getcwd", "getdents",
	"getdents64", "ioctl", "kill", "lseek", "lstat", "mprotect", "mmap",
	"newfstatat", "open", "openat", "personality", "prlimit64", "ptrace",
	"readlink", "readlinkat", "sched_setaffinity", "setrlimit", "stat",
	"statx", "tgkill", "unlink", "unlinkat", "wait4", "waitid",
	NULL,
};
#else
static const char *const sanitizer_calls[] = {NULL};
#endif

/* --- what ends a process -------------------------------------------------- */

/* another process, another kernel, another root */
static const char *const kill_all[] = {
	"process_vm_readv", "process_vm_writev", "process_madvise",
	"pidfd_getfd", "kcmp",
#ifndef __SANITIZE_ADDRESS__
	"ptrace",
#endif
	"bpf", "create_module", "delete_module", "finit_module",
	"init_module", "io_uring_enter", "io_uring_register",
	"io_uring_setup", "ioperm", "iopl", "kexec_file_load", "kexec_load",
	"perf_event_open", "reboot", "userfaultfd",
	"add_key", "keyctl", "request_key",
	"chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount",
	"mount_setattr", "move_mount", "open_by_handle_at", "open_tree",
	"pivot_root", "setns", "swapoff", "swapon", "umount", "umount2",
	"unshare",
	NULL,
};

/* other programs */
static const char *const kill_child[] = {
	"execve", "execveat",
	NULL,
};

/* --- what depends on arguments -------------------------------------------- */

/* all roles: what concerns this process alone, and descriptors it has */
static const struct rule any_rules[] = {
	{"prctl", {IS(0, PR_SET_NAME)}, 1},
	{"prctl", {IS(0, PR_GET_NAME)}, 1},
	{"prctl", {IS(0, PR_GET_DUMPABLE)}, 1},
	{"prctl", {IS(0, PR_GET_NO_NEW_PRIVS)}, 1},
	{"prctl", {IS(0, PR_GET_SECCOMP)}, 1},
#ifdef __SANITIZE_ADDRESS__
	{"prctl", {IS(0, PR_SET_DUMPABLE)}, 1},
	{"prctl", {IS(0, PR_SET_PTRACER)}, 1},
#endif
	{"prctl", {IS(0, SET_VMA)}, 1},
	{"ioctl", {IS(1, FIONBIO)}, 1},
	{"ioctl", {IS(1, FIONREAD)}, 1},
	{"ioctl", {IS(1, SIOCOUTQ)}, 1},
	{"fcntl", {IS(1, F_DUPFD)}, 1},
	{"fcntl", {IS(1, F_DUPFD_CLOEXEC)}, 1},
	{"fcntl", {IS(1, F_GETFD)}, 1},
	{"fcntl", {IS(1, F_SETFD)}, 1},
	{"fcntl", {IS(1, F_GETFL)}, 1},
	{"fcntl", {IS(1, F_SETFL)}, 1},
	{"fcntl", {IS(1, F_GETPIPE_SZ)}, 1},
	{"fcntl", {IS(1, F_SETPIPE_SZ)}, 1},
};

/* no code but what was there, no larger limits than there were */
static const struct rule child_rules[] = {
	{"mmap", {BITS(2, PROT_EXEC, 0)}, 1},
	{"mprotect", {BITS(2, PROT_EXEC, 0)}, 1},
	{"prlimit64", {IS(0, 0), {2, SCMP_CMP_EQ, 0, 0}}, 2},
};

#define INET(family, type, protocol)                                           \
	{                                                                      \
		"socket",                                                      \
			{IS(0, family),                                        \
			 BITS(1, SOCKET_TYPE, type),                           \
			 IS(2, protocol)},                                     \
			3                                                      \
	}

/* no AF_PACKET, no raw sockets: the capability alone would allow them */
static const struct rule flow_rules[] = {
	INET(AF_INET, SOCK_STREAM, 0),
	INET(AF_INET, SOCK_STREAM, IPPROTO_TCP),
	INET(AF_INET, SOCK_DGRAM, 0),
	INET(AF_INET, SOCK_DGRAM, IPPROTO_UDP),
	INET(AF_INET6, SOCK_STREAM, 0),
	INET(AF_INET6, SOCK_STREAM, IPPROTO_TCP),
	INET(AF_INET6, SOCK_DGRAM, 0),
	INET(AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
	{"socket", {IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE)}, 2},
};

static const struct rule tracker_rules[] = {
	{"socket", {IS(0, AF_NETLINK), IS(2, NETLINK_NETFILTER)}, 2},
};

/* a successor is linked anew, by a libc that may be newer as well */
static const struct rule master_rules[] = {
	{"mmap", {BITS(2, PROT_EXEC, 0)}, 1},
	{"mmap", {BITS(2, PROT_WRITE, 0)}, 1},
	{"mprotect", {BITS(2, PROT_EXEC, 0)}, 1},
	{"mprotect", {BITS(2, PROT_WRITE, 0)}, 1},
	{"clone", {BITS(0, NAMESPACES, 0)}, 1},
	{"socket", {IS(0, AF_UNIX)}, 1},
	{"socketpair", {IS(0, AF_UNIX)}, 1},
	{"ioctl", {IS(1, TCGETS)}, 1}, /* isatty() */
	{"ioctl", {IS(1, GETS2)}, 1},
	{"prctl", {IS(0, PR_CAPBSET_DROP)}, 1},
	{"prctl", {IS(0, PR_CAPBSET_READ)}, 1},
	{"prctl", {IS(0, PR_CAP_AMBIENT)}, 1},
	{"prctl", {IS(0, PR_GET_KEEPCAPS)}, 1},
	{"prctl", {IS(0, PR_GET_SECUREBITS)}, 1},
	{"prctl", {IS(0, PR_SET_DUMPABLE)}, 1},
	{"prctl", {IS(0, PR_SET_KEEPCAPS)}, 1},
	{"prctl", {IS(0, PR_SET_NO_NEW_PRIVS)}, 1},
	{"prctl", {IS(0, PR_SET_PDEATHSIG)}, 1},
	{"prctl", {IS(0, PR_SET_SECCOMP)}, 1},
	{"fcntl", {IS(1, F_ADD_SEALS)}, 1},
	{"fcntl", {IS(1, F_GET_SEALS)}, 1},
	{"fcntl", {IS(1, F_GETLK)}, 1},
	{"fcntl", {IS(1, F_SETLK)}, 1},
	{"fcntl", {IS(1, F_SETLKW)}, 1},
	{"fcntl", {IS(1, F_OFD_GETLK)}, 1},
	{"fcntl", {IS(1, F_OFD_SETLK)}, 1},
	{"fcntl", {IS(1, F_OFD_SETLKW)}, 1},
};

/* clang-format on */

static const struct role roles[] = {
	[PRIV_MASTER] = {.allow = {base_calls, talk_calls, relay_calls,
				   master_calls, sanitizer_calls},
			 .where = {RULES(any_rules), RULES(flow_rules),
				   RULES(tracker_rules), RULES(master_rules)},
			 .kill = {kill_all}},
	[PRIV_TRACKER] = {.allow = {base_calls, talk_calls, sanitizer_calls},
			  .where = {RULES(any_rules), RULES(child_rules),
				    RULES(tracker_rules)},
			  .kill = {kill_all, kill_child}},
	[PRIV_WORKER] = {.allow = {base_calls, talk_calls, relay_calls,
				   sanitizer_calls},
			 .where = {RULES(any_rules), RULES(child_rules),
				   RULES(flow_rules)},
			 .kill = {kill_all, kill_child}},
};

/* --- making a filter of it ------------------------------------------------ */

/* A filter as it grows. */
struct draft {
	scmp_filter_ctx filter;
	uint64_t digest; /* of all that was put into it */
};

/* What this machine, or this libseccomp, does not have needs no rule. */
static int
put(struct draft *d, uint32_t action, const struct rule *rule)
{
	int nr = seccomp_syscall_resolve_name(rule->call), r;

	d->digest = hash64(rule->call, strlen(rule->call), d->digest);
	d->digest = hash64(rule->args, rule->n * sizeof(rule->args[0]),
			   d->digest + action);
	if (nr < 0)
		return 0;
	r = seccomp_rule_add_array(d->filter, action, nr, rule->n, rule->args);
	/* two lists may name one call */
	return r == -EEXIST ? 0 : r;
}

static int
put_lists(struct draft *d, uint32_t action, const char *const *const *lists)
{
	struct rule rule = {0};
	size_t i, j;
	int r = 0;

	for (i = 0; i < LISTS_MAX && lists[i]; i++)
		for (j = 0; lists[i][j] && r == 0; j++) {
			rule.call = lists[i][j];
			r = put(d, action, &rule);
		}
	return r;
}

static int
put_rules(struct draft *d, const struct rules *rules)
{
	size_t i, j;
	int r = 0;

	for (i = 0; i < LISTS_MAX && rules[i].n; i++)
		for (j = 0; j < rules[i].n && r == 0; j++)
			r = put(d, SCMP_ACT_ALLOW, &rules[i].list[j]);
	return r;
}

static int
draft_role(struct draft *d, const struct role *role)
{
	/* abort() does it; nobody else's thread */
	struct rule own = {"tgkill", {IS(0, getpid())}, 1};
	int r;

	r = put_lists(d, SCMP_ACT_KILL_PROCESS, role->kill);
	if (r == 0)
		r = put_lists(d, SCMP_ACT_ALLOW, role->allow);
	if (r == 0)
		r = put_rules(d, role->where);
	if (r < 0)
		return r;
	return put(d, SCMP_ACT_ALLOW, &own);
}

/* Is the filter that answers so the one that decides now? */
static bool
is_on(int answer)
{
	return prctl(PR_GET_SECCOMP, 0L, 0L, 0L, 0L) == SECCOMP_MODE_FILTER &&
	       prctl(PROBE, 0L, 0L, 0L, 0L) < 0 && errno == answer;
}

static void
set_attributes(scmp_filter_ctx filter)
{
	/* other ABIs of this machine have other numbers: none of them */
	seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
			 SCMP_ACT_KILL_PROCESS);
	/* priv_limit() has done it, and checked it */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG,
			 log_level() >= LOG_LEVEL_DEBUG);
	/* nobody else's code runs here that could speculate past it */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* errno, and not ECANCELED for everything */
	seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
}

static int
load(struct draft *d)
{
	const int answer = ANSWERS_FROM + (int)(d->digest % ANSWERS);
	static const struct rule probe = {"prctl", {IS(0, PROBE)}, 1};
	int r;

	if (is_on(answer))
		return 0;
	r = put(d, SCMP_ACT_ERRNO(answer), &probe);
	if (r == 0)
		r = seccomp_load(d->filter);
	if (r < 0)
		return r;
	return is_on(answer) ? 0 : -EPERM;
}

/* Source: seccomp(2): EFAULT if there are filters, for NULL is none. */
static bool
has_seccomp(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0L, 0L) == 0 ||
	       errno != EINVAL;
}

/* Source: ptrace(2): of a process that leaves no core dump, only root. */
static int
hide(void)
{
#ifndef __SANITIZE_ADDRESS__
	if (prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) < 0)
		return -errno;
	if (prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L) != 0)
		return -EPERM;
#endif
	return 0;
}

int
sandbox_enter(enum priv_role role)
{
	struct draft d = {0};
	int r;

	r = hide();
	if (r < 0)
		return r;
	if (!has_seccomp())
		return -ENOSYS;
	d.filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!d.filter)
		return -ENOMEM;
	set_attributes(d.filter);
	r = draft_role(&d, &roles[role]);
	if (r == 0)
		r = load(&d);
	seccomp_release(d.filter);
	return r;
}
