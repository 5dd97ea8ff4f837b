/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_sandbox.c - what a process of each role can still ask the kernel for.
 * Every case runs in a child that enters the sandbox; a call that is made
 * and fails for want of something to work on was allowed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxyd/base/sandbox.h"

#include "tests/unit.h"

enum { NO_SANDBOX = 255, KILLED = 1000 };

/*
 * What becomes of a child that enters the sandbox of `role` and makes a
 * call: 0, the errno of the call, or KILLED + the signal.
 */
static int
outcome(enum priv_role role, long (*call)(void))
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0 ||
		    sandbox_enter(role) < 0)
			_exit(NO_SANDBOX);
		errno = 0;
		_exit(call() < 0 ? errno : 0);
	}
	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? KILLED + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

/* --- the calls ------------------------------------------------------------ */

static long
map(int protection)
{
	void *p;

	p = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? -1 : munmap(p, 4096);
}

#define CALL(name, ...)                                                        \
	static long call_##name(void)                                          \
	{                                                                      \
		return (long)(__VA_ARGS__);                                    \
	}

CALL(open, syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY))
CALL(openat2, syscall(SYS_openat2, AT_FDCWD, "/dev/null", NULL, 0))
CALL(mkdir, mkdir("/dev/null/x", 0700))
CALL(rename, rename("/dev/null/x", "/dev/null/y"))
CALL(unlink, syscall(SYS_unlinkat, AT_FDCWD, "/dev/null/x", 0))
CALL(stat, syscall(SYS_newfstatat, AT_FDCWD, "/", NULL, 0))
CALL(readlink, syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", NULL, 0))
CALL(chdir, chdir("/"))
CALL(execve, execve("/bin/true", (char *[]){"true", NULL}, NULL))
CALL(clone3, syscall(SYS_clone3, NULL, 0))
CALL(user_namespace, syscall(SYS_clone, CLONE_NEWUSER, 0, 0, 0, 0))
CALL(thread, syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0))
CALL(kill, kill(getppid(), 0))
CALL(tgkill, syscall(SYS_tgkill, getppid(), getppid(), 0))
CALL(ptrace, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL))
CALL(peek, syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0))
CALL(setns, setns(0, 0))
CALL(unshare, unshare(0))
CALL(mount, syscall(SYS_mount, NULL, NULL, NULL, 0, NULL))
CALL(chroot, chroot("/"))
CALL(bpf, syscall(SYS_bpf, 0, NULL, 0))
CALL(perf, syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0))
CALL(io_uring, syscall(SYS_io_uring_setup, 0, NULL))
CALL(keyctl, syscall(SYS_keyctl, 0, 0, 0, 0, 0))
CALL(capset, syscall(SYS_capset, NULL, NULL))
CALL(setuid, syscall(SYS_setresuid, -1, -1, -1))
CALL(prlimit, prlimit(0, RLIMIT_NOFILE, &(struct rlimit){1, 1}, NULL))
CALL(getrlimit, getrlimit(RLIMIT_NOFILE, &(struct rlimit){0}))
CALL(seccomp, syscall(SYS_seccomp, 0, 0, NULL))
CALL(dumpable, prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L))
CALL(ambient, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L))
CALL(packet, socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)))
CALL(raw, socket(AF_INET, SOCK_RAW, IPPROTO_ICMP))
CALL(ping, socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP))
CALL(sctp, socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP))
CALL(unix, socket(AF_UNIX, SOCK_STREAM, 0))
CALL(vsock, socket(AF_VSOCK, SOCK_STREAM, 0))
CALL(audit, socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT))
CALL(netfilter, socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER))
CALL(rtnetlink, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE))
CALL(tcp, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))
CALL(udp, socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP))
CALL(type_terminal, ioctl(0, TIOCSTI, "x"))
CALL(own_signal, fcntl(0, F_SETOWN, getppid()))
CALL(nonblock, fcntl(0, F_GETFL))
CALL(dup_fd, fcntl(0, F_DUPFD_CLOEXEC, 3))
CALL(unread, ioctl(-1, FIONREAD, NULL))
CALL(code, map(PROT_READ | PROT_EXEC))
CALL(write_code, map(PROT_READ | PROT_WRITE | PROT_EXEC))
CALL(memory, map(PROT_READ | PROT_WRITE))
CALL(accept, accept4(-1, NULL, NULL, 0))
CALL(connect, syscall(SYS_connect, -1, NULL, 0))
CALL(splice, splice(-1, NULL, -1, NULL, 0, 0))
CALL(recvmmsg, syscall(SYS_recvmmsg, -1, NULL, 0, 0, NULL))
CALL(sendmmsg, syscall(SYS_sendmmsg, -1, NULL, 0, 0))
CALL(recvmsg, syscall(SYS_recvmsg, -1, NULL, 0))
CALL(pipe, pipe2((int[2]){0}, O_CLOEXEC))
CALL(eventfd, eventfd(0, EFD_CLOEXEC))
CALL(epoll, epoll_create1(EPOLL_CLOEXEC))
CALL(wait, epoll_wait(-1, &(struct epoll_event){0}, 1, 0))
CALL(random, getrandom(&(int){0}, sizeof(int), 0))
CALL(pread, pread(-1, NULL, 0, 0))
CALL(abort, (abort(), 0))

/* --- who may ------------------------------------------------------------- */

/* clang-format off */

/* Sanitizers open files and start threads: `plain` rows do not hold there. */
static const struct row {
	const char *name;
	long (*call)(void);
	bool plain;
	int master, tracker, worker; /* errno, 0, or KILLED + signal */
} rows[] = {
#define NO ENOSYS
#define DEAD (KILLED + SIGSYS)
	/*                   plain   master   tracker  worker */
	{"open",     call_open,     true,  0,       NO,      NO},
	{"openat2",  call_openat2,  false, EINVAL,  NO,      NO},
	{"mkdir",    call_mkdir,    false, ENOTDIR, NO,      NO},
	{"rename",   call_rename,   false, ENOTDIR, NO,      NO},
	{"unlink",   call_unlink,   true,  ENOTDIR, NO,      NO},
	{"stat",     call_stat,     true,  EFAULT,  NO,      NO},
	{"readlink", call_readlink, true,  EINVAL,  NO,      NO},
	{"chdir",    call_chdir,    false, 0,       NO,      NO},
	{"execve",   call_execve,   false, 0,       DEAD,    DEAD},
	{"clone3",   call_clone3,   false, NO,      NO,      NO},
	{"clone(NEWUSER)", call_user_namespace, true, NO, NO, NO},
	{"clone(THREAD)",  call_thread, true, EINVAL, NO,    NO},
	{"kill",     call_kill,     true,  0,       NO,      NO},
	{"tgkill",   call_tgkill,   true,  0,       NO,      NO},
	{"ptrace",   call_ptrace,   true,  DEAD,    DEAD,    DEAD},
	{"process_vm_readv", call_peek, false, DEAD, DEAD,   DEAD},
	{"setns",    call_setns,    false, DEAD,    DEAD,    DEAD},
	{"unshare",  call_unshare,  false, DEAD,    DEAD,    DEAD},
	{"mount",    call_mount,    false, DEAD,    DEAD,    DEAD},
	{"chroot",   call_chroot,   false, DEAD,    DEAD,    DEAD},
	{"bpf",      call_bpf,      false, DEAD,    DEAD,    DEAD},
	{"perf_event_open", call_perf, false, DEAD, DEAD,    DEAD},
	{"io_uring", call_io_uring, false, DEAD,    DEAD,    DEAD},
	{"keyctl",   call_keyctl,   false, DEAD,    DEAD,    DEAD},
	{"capset",   call_capset,   false, EFAULT,  NO,      NO},
	{"setresuid", call_setuid,  false, NO,      NO,      NO},
	{"prlimit",  call_prlimit,  true,  0,       NO,      NO},
	{"getrlimit", call_getrlimit, false, 0,     0,       0},
	{"seccomp",  call_seccomp,  false, EINVAL,  NO,      NO},
	{"PR_SET_DUMPABLE", call_dumpable, true, 0, NO,      NO},
	{"PR_CAP_AMBIENT", call_ambient, false, 0,  NO,      NO},
	{"AF_PACKET", call_packet,  false, NO,      NO,      NO},
	{"SOCK_RAW", call_raw,      false, NO,      NO,      NO},
	{"ping",     call_ping,     false, NO,      NO,      NO},
	{"sctp",     call_sctp,     false, NO,      NO,      NO},
	{"AF_UNIX",  call_unix,     false, 0,       NO,      NO},
	{"AF_VSOCK", call_vsock,    false, NO,      NO,      NO},
	{"NETLINK_AUDIT", call_audit, false, NO,    NO,      NO},
	{"NETLINK_NETFILTER", call_netfilter, false, 0, 0,   NO},
	{"NETLINK_ROUTE", call_rtnetlink, false, 0, NO,      0},
	{"tcp",      call_tcp,      false, 0,       NO,      0},
	{"udp",      call_udp,      false, 0,       NO,      0},
	{"TIOCSTI",  call_type_terminal, true, NO,  NO,      NO},
	{"FIONREAD", call_unread,   false, EBADF,   EBADF,   EBADF},
	{"F_SETOWN", call_own_signal, false, NO,    NO,      NO},
	{"F_GETFL",  call_nonblock, false, 0,       0,       0},
	{"F_DUPFD_CLOEXEC", call_dup_fd, false, 0,  0,       0},
	{"code",     call_code,     true,  0,       NO,      NO},
	{"code to write", call_write_code, true, NO, NO,     NO},
	{"memory",   call_memory,   false, 0,       0,       0},
	{"accept4",  call_accept,   false, EBADF,   NO,      EBADF},
	{"connect",  call_connect,  false, EBADF,   NO,      EBADF},
	{"splice",   call_splice,   false, 0,       NO,      0},
	{"recvmmsg", call_recvmmsg, false, EBADF,   EBADF,   EBADF},
	{"sendmmsg", call_sendmmsg, false, EBADF,   EBADF,   EBADF},
	{"recvmsg",  call_recvmsg,  false, EBADF,   EBADF,   EBADF},
	{"pipe2",    call_pipe,     false, 0,       NO,      0},
	{"eventfd",  call_eventfd,  false, 0,       0,       0},
	{"epoll",    call_epoll,    false, 0,       0,       0},
	{"epoll_wait", call_wait,   false, EBADF,   EBADF,   EBADF},
	{"getrandom", call_random,  false, 0,       0,       0},
	{"pread",    call_pread,    false, EBADF,   EBADF,   EBADF},
	{"abort",    call_abort,    false, KILLED + SIGABRT,
	 KILLED + SIGABRT, KILLED + SIGABRT},
};

/* clang-format on */

static void
check_row(const struct row *row)
{
	static const char *const names[] = {"master", "tracker", "worker"};
	const int want[] = {row->master, row->tracker, row->worker};
	int role, got;

	for (role = PRIV_MASTER; role <= PRIV_WORKER; role++) {
		got = outcome((enum priv_role)role, row->call);
		UNIT_CHECK(got == want[role], "%s of the %s: %d and not %d",
			   row->name, names[role], got, want[role]);
	}
}

static void
test_calls(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
#ifdef __SANITIZE_ADDRESS__
		if (rows[i].plain)
			continue;
#endif
		check_row(&rows[i]);
	}
}

/* --- the filter itself ---------------------------------------------------- */

/* How many filters has this process? Only the master may look. */
static int
filters(void)
{
	static const char key[] = "Seccomp_filters:";
	char text[8192], *at;
	ssize_t n;
	int fd;

	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, key);
	return at ? atoi(at + strlen(key)) : -1;
}

/* After an exec() the master's filter is still there: one is enough. */
static long
enter_again(void)
{
	int before = filters();

	errno = before < 1 ? EDOM : sandbox_enter(PRIV_MASTER) ? EIO : ERANGE;
	return errno == ERANGE && filters() == before ? 0 : -1;
}

/* A child's comes on top of it, and is the one that counts. */
static long
become_worker(void)
{
	if (sandbox_enter(PRIV_WORKER) < 0) {
		errno = EIO;
		return -1;
	}
	return call_chdir();
}

static long
is_hidden(void)
{
#ifdef __SANITIZE_ADDRESS__
	return 0; /* it looks at itself */
#endif
	errno = EIO;
	return prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L) == 0 ? 0 : -1;
}

static void
test_filter(void)
{
	CU_ASSERT_EQUAL(outcome(PRIV_MASTER, enter_again), 0);
	CU_ASSERT_EQUAL(outcome(PRIV_MASTER, become_worker), ENOSYS);
	CU_ASSERT_EQUAL(outcome(PRIV_MASTER, is_hidden), 0);
	CU_ASSERT_EQUAL(outcome(PRIV_WORKER, is_hidden), 0);
}

static const struct unit_test tests[] = {
	{"calls", test_calls},
	{"filter", test_filter},
};

UNIT_MAIN("sandbox", tests)
