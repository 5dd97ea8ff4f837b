/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab.h - a small internet of network namespaces, for tests of what the
 * kernel really does.
 *
 *	client -------- in0 gateway out0 -------- eth0 server
 *	10.1.0.2        10.1.0.1  10.2.0.1        10.2.0.2, 10.2.0.3
 *	fd01::2         fd01::1   fd02::1         fd02::2, fd02::3
 *
 * A lab program enters user, mount, pid and network namespaces of its own
 * before its first test: nothing of the machine is touched, an ordinary user
 * may run it, several may run at once, and all of it ends with the program.
 * /run is a tmpfs of its own; LAB_DIR in it holds policy, logs and files.
 *
 * A test calls lab_up() first and lab_down() last. lab_down() kills what
 * still runs, shows the logs if the test failed, and fails the test if a
 * sanitizer had something to say in any process. What the harness itself
 * cannot do ends the test at once.
 *
 * Programs are found beside the test: O/bin/ and O/tests/lab/ come first in
 * the PATH of all commands.
 */
#ifndef TESTS_LAB_LAB_H
#define TESTS_LAB_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/clock.h"
#include "lib/inet.h"
#include "lib/str.h"
#include "tests/unit.h"

#define LAB_DIR "/run/lab"

/* Addresses; `6` for IPv6. LAB_ANY4/6 is routed but nobody has it. */
#define LAB_CLIENT4 "10.1.0.2"
#define LAB_CLIENT6 "fd01::2"
#define LAB_GATEWAY4 "10.1.0.1" /* its inside */
#define LAB_GATEWAY6 "fd01::1"
#define LAB_OUTSIDE4 "10.2.0.1" /* the gateway's outside */
#define LAB_OUTSIDE6 "fd02::1"
#define LAB_SERVER4 "10.2.0.2"
#define LAB_SERVER6 "fd02::2"
#define LAB_OTHER4 "10.2.0.3" /* a second server, same machine */
#define LAB_OTHER6 "fd02::3"
#define LAB_FAR4 "10.3.0.2" /* the server behind a router */
#define LAB_FAR6 "fd03::2"

enum lab_where {
	LAB_CLIENT,
	LAB_GATEWAY,
	LAB_SERVER,
	LAB_ROUTER, /* only with options.router */
	LAB_WHERE_COUNT,
};

struct lab_options {
	bool masquerade; /* another tool masquerades on out0, both families */
	bool forwarding; /* on from the start; else left to netsetup */
	bool no_ipv6;	 /* IPv6 addresses are left out */
	/*
	 * A router stands between gateway and server: the server has only
	 * LAB_FAR4/6, the router 10.2.0.254, fd02::fe and 10.3.0.1, fd03::1
	 * on `near0` and `far0`.
	 */
	bool router;
};

struct lab {
	struct lab_options options;
	int ns[LAB_WHERE_COUNT]; /* owns: network namespaces, or -1 */
	int home;		 /* owns: the program's own namespace, empty */
	int notify;		 /* owns: where proxyd says READY=1, or -1 */
	unsigned int failures;	 /* of CUnit, at lab_up() */
};

/* --- the program (lab_enter.c) ------------------------------------------ */

/* As UNIT_MAIN, in namespaces; all tests are skipped where it may not. */
#define LAB_MAIN(suite, tests)                                                 \
	int main(int argc, char **argv)                                        \
	{                                                                      \
		return lab_main(argc, argv, suite, tests,                      \
				sizeof(tests) / sizeof((tests)[0]));           \
	}

int lab_main(int argc, char **argv, const char *suite,
	     const struct unit_test *tests, size_t n);

/*
 * Whom proxyd shall become: "nobody" where all user ids are mapped, "root"
 * where only one is. For `user` in policies.
 */
const char *lab_user(void);

/* --- the network (lab.c) ------------------------------------------------ */

/* NULL options: all off. Never NULL; lab_down() ends and frees it. */
struct lab *lab_up(const struct lab_options *options);
void lab_down(struct lab *lab);

/* The harness could not do its work: say so and end the test. */
void lab_die(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/*
 * Go into a namespace, and home again. Sockets keep the namespace they were
 * made in; /proc/sys/net and /proc/net are those of where one is.
 */
void lab_enter(struct lab *lab, enum lab_where where);
void lab_leave(struct lab *lab);

/* "net/ipv4/ip_forward" and its new value. */
void lab_sysctl(struct lab *lab, enum lab_where where, const char *path,
		const char *value);

/*
 * Wait until `cond` holds; false if it did not within `ms`. Asks every 5 ms.
 */
#define LAB_WAIT(cond, ms)                                                     \
	__extension__({                                                        \
		uint64_t lab_end_ = clock_now_ms() + (ms);                     \
		bool lab_ok_;                                                  \
		while (!(lab_ok_ = (cond)) && clock_now_ms() < lab_end_)       \
			lab_sleep(5);                                          \
		lab_ok_;                                                       \
	})

void lab_sleep(unsigned int ms);

/* --- commands and processes (lab_proc.c) -------------------------------- */

/*
 * Run a shell command; its output, both streams, is added to `out` (NULL:
 * thrown away). Returns its exit status, 128 + signal. At most 60 s.
 */
int lab_run(struct lab *lab, enum lab_where where, struct str *out,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same, but any status other than 0 ends the test with its output. */
void lab_must(struct lab *lab, enum lab_where where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* `nft -f -` with this text; must work. */
void lab_nft(struct lab *lab, enum lab_where where, const char *text);

/*
 * Start a command (`exec` stands before it: one program, with arguments)
 * whose output goes to LAB_DIR/`name`.log. Returns its pid.
 */
pid_t lab_spawn(struct lab *lab, enum lab_where where, const char *name,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Wait for a process to end; sends `sig` first unless it is 0. Returns exit
 * status or 128 + signal, -ETIMEDOUT after `ms`.
 */
int lab_stop(struct lab *lab, pid_t pid, int sig, unsigned int ms);

/* Is this process still there (and not a zombie)? */
bool lab_alive(pid_t pid);

/* Ticks of processor time that a process has used. */
unsigned long lab_ticks(pid_t pid);

/*
 * The pids of the direct children of `pid` whose name contains `name` (NULL:
 * all); returns how many, at most `max`.
 */
size_t lab_children(pid_t pid, const char *name, pid_t *ret_pids, size_t max);

/* Descriptors that a process has open, and how many of them are pipes'. */
struct lab_descriptors {
	size_t n;
	size_t pipes;
};

struct lab_descriptors lab_descriptors(pid_t pid);

/* Does the log of `name` contain `text`? How often? */
bool lab_logged(const char *name, const char *text);
size_t lab_log_count(const char *name, const char *text);
/* Add a file to `out`; nothing if it is not there. */
void lab_read_file(const char *path, struct str *out);
void lab_write_file(const char *path, const char *text);

/* --- Interpose and peers (lab_peers.c) ---------------------------------- */

/* Write LAB_DIR/policy.conf. */
void lab_policy(struct lab *lab, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * `netsetup COMMAND` in the gateway, with -f LAB_DIR/policy.conf for commands
 * that read a policy; exit status.
 */
int lab_netsetup(struct lab *lab, struct str *out, const char *command);

/* apply, which must work. */
void lab_apply(struct lab *lab);

/*
 * Start proxyd in the gateway with LAB_DIR/policy.conf and wait until it is
 * ready. Its log is "proxyd". Returns its pid; -ECHILD if it ended, in which
 * case the log says why, -ETIMEDOUT after 10 s.
 */
pid_t lab_proxyd(struct lab *lab);

/*
 * The same, of another path, and with these further options. `program` may
 * be a command that becomes it, or that starts it.
 */
pid_t lab_proxyd_at(struct lab *lab, const char *program, const char *options);

/* The same, and it must work. */
pid_t lab_proxyd_up(struct lab *lab);

/*
 * SIGINT, which ends it at once; it must exit with 0, and none of its
 * processes may have been killed before.
 */
void lab_stop_proxyd(struct lab *lab, pid_t pid);

/* netsetup's rules see proxyd: every alive set holds both families. */
bool lab_armed(struct lab *lab);

/*
 * Start nginx in the server's namespace on port 80 and 81 of every address.
 * "/" answers "ADDR:PORT\n" (IPv6 in brackets) of who asks; "/NAME" is the
 * file LAB_DIR/www/NAME; "/slow/NAME" the same at 100 kB/s. Access log in
 * LAB_DIR/access.log: addr port status bytes request.
 */
void lab_nginx(struct lab *lab);

/* Make LAB_DIR/www/`name` of `size` bytes that differ from place to place. */
void lab_www(struct lab *lab, const char *name, size_t size);

/* --- sockets and counters (lab_net.c) ----------------------------------- */

/* A socket of that namespace, CLOEXEC. */
int lab_socket(struct lab *lab, enum lab_where where, int family, int type);

/* Listen on "ADDR:PORT" (SO_REUSEADDR). */
int lab_listen(struct lab *lab, enum lab_where where, const char *at);

/*
 * Connect from `from` ("ADDR:PORT", "ADDR" or NULL) to `to`. Returns the
 * blocking descriptor, -errno, -ETIMEDOUT after `ms`.
 */
int lab_connect(struct lab *lab, enum lab_where where, const char *from,
		const char *to, unsigned int ms);

/* Accept one connection; -ETIMEDOUT after `ms`. `ret_peer` may be NULL. */
int lab_accept(int fd, unsigned int ms, struct endpoint *ret_peer);

/* Send all, or end the test. */
void lab_send(int fd, const char *text);

/* Send until the way is full; how many bytes. Does not wait for readers. */
size_t lab_stuff(int fd);

/*
 * Receive once: bytes, 0 at the end, -errno (-ECONNRESET...), -ETIMEDOUT
 * after `ms`.
 */
ssize_t lab_recv(int fd, void *buf, size_t size, unsigned int ms);

/* Receive until `text` has come; false on end, error or after `ms`. */
bool lab_expect(int fd, const char *text, unsigned int ms);

/*
 * `fd` is what lab_connect() gave: expect a reset, by then or at the first
 * read, within `ms`. Closes it.
 */
void lab_expect_reset(int fd, unsigned int ms);

/* Is it told, within `ms`, that nothing more comes: an end or an error? */
bool lab_ended(int fd, unsigned int ms);

/* Close with a reset. */
void lab_reset(int fd);

/* This end of the socket, that end of it; "" if there is none. */
const char *lab_name(int fd, char buf[ENDPOINT_TEXT_LEN]);
const char *lab_peer(int fd, char buf[ENDPOINT_TEXT_LEN]);

/*
 * One HTTP/1.0 GET of `path` over a connection of its own; body in `body`.
 * Returns the status code, or -errno. Fast where curl would be slow.
 */
int lab_get(struct lab *lab, enum lab_where where, const char *from,
	    const char *to, const char *path, struct str *body);

/* "TcpExtTCPSynRetrans", "TcpRetransSegs"...; ends the test if unknown. */
uint64_t lab_counter(struct lab *lab, enum lab_where where, const char *name);

/* "insert_failed", "drop"... of conntrack, summed over the processors. */
uint64_t lab_conntrack_stat(struct lab *lab, enum lab_where where,
			    const char *name);

/*
 * Watch for packets that reach the client from the server without going
 * through proxyd: proxyd's leave the gateway with a full TTL, routed ones
 * have lost a hop. lab_direct() counts those since lab_watch_direct().
 */
void lab_watch_direct(struct lab *lab);
uint64_t lab_direct(struct lab *lab);

/* How many TCP sockets of that namespace match an `ss` filter? */
size_t lab_sockets(struct lab *lab, enum lab_where where, const char *filter);

/* --- flows (lab_flow.c) -------------------------------------------------- */

enum lab_host {
	LAB_HOST_CLIENT,
	LAB_HOST_GATEWAY, /* its inside */
	LAB_HOST_OUTSIDE, /* the gateway's outside */
	LAB_HOST_SERVER,  /* behind the router where there is one */
	LAB_HOST_OTHER,
};

/* The two families, for tests that do everything twice. */
extern const int lab_families[2];

/* "10.2.0.2:80", "[fd02::2]:80"; port 0 leaves it out. Returns `buf`. */
const char *lab_at(const struct lab *lab, int family, enum lab_host host,
		   unsigned int port, char buf[ENDPOINT_TEXT_LEN]);

/* Both ends of a connection between client and server. */
struct lab_flow {
	int client;			/* owns, or -1 */
	int server;			/* owns, or -1 */
	char source[ENDPOINT_TEXT_LEN]; /* the client's end */
	char seen[ENDPOINT_TEXT_LEN];	/* what the server sees as its peer */
};

/* Listen on the server's port; connect to it from the client's `from`
 * (NULL: any); what goes wrong ends the test. */
int lab_serve(struct lab *lab, int family, unsigned int port);
void lab_flow_open(struct lab *lab, int family, int listener, const char *from,
		   unsigned int port, struct lab_flow *ret_flow);
void lab_flow_close(struct lab_flow *flow);

/* Does text pass both ways, within a second each? */
bool lab_flow_works(struct lab_flow *flow);

/*
 * The last record of proxyd's log that contains `text`, added to `out`;
 * false if there is none.
 */
bool lab_record(const char *text, struct str *out);

/* Wait until proxyd's log has `n` records that end with `close` ("loop"). */
bool lab_closed(const char *close, size_t n);

/* The value of `key` in a record; "" if it is not there. Returns `buf`. */
const char *lab_value(const char *record, const char *key, char buf[256]);

/*
 * The usual test: lab, policy (its %s is lab_user()), rules, a proxyd that
 * is alive. lab_end() stops proxyd and expects that no packet came to the
 * client directly.
 */
struct lab *lab_begin(const struct lab_options *options, const char *policy,
		      pid_t *ret_proxyd);
void lab_end(struct lab *lab, pid_t proxyd);

#endif
