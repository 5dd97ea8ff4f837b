/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_peers.c - the programs under test, and nginx to serve them.
 */
#include "tests/lab/lab.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NOTIFY_PATH LAB_DIR "/notify"

static const char nginx_conf[] =
	"daemon off;\n"
	"worker_processes 1;\n"
	"%s"
	"pid " LAB_DIR "/nginx.pid;\n"
	"events { worker_connections 4096; }\n"
	"http {\n"
	"	log_format who '$remote_addr $remote_port $status '\n"
	"		'$body_bytes_sent $request';\n"
	"	access_log " LAB_DIR "/access.log who;\n"
	"	client_body_temp_path " LAB_DIR "/nginx-body;\n"
	"	proxy_temp_path " LAB_DIR "/nginx-proxy;\n"
	"	fastcgi_temp_path " LAB_DIR "/nginx-fastcgi;\n"
	"	uwsgi_temp_path " LAB_DIR "/nginx-uwsgi;\n"
	"	scgi_temp_path " LAB_DIR "/nginx-scgi;\n"
	"	map $remote_addr $who {\n"
	"		~: [$remote_addr]:$remote_port;\n"
	"		default $remote_addr:$remote_port;\n"
	"	}\n"
	"	server {\n"
	"		listen 80;\n"
	"		listen [::]:80;\n"
	"		listen 81;\n"
	"		listen [::]:81;\n"
	"		root " LAB_DIR "/www;\n"
	"		location = / { return 200 \"$who\\n\"; }\n"
	"		location /slow/ {\n"
	"			alias " LAB_DIR "/www/;\n"
	"			limit_rate 100k;\n"
	"		}\n"
	"	}\n"
	"}\n";

void
lab_policy(struct lab *lab, const char *fmt, ...)
{
	struct str text = {0};
	va_list ap;

	(void)lab;
	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	lab_write_file(LAB_DIR "/policy.conf", str_text(&text));
	str_fini(&text);
}

int
lab_netsetup(struct lab *lab, struct str *out, const char *command)
{
	bool reads = strncmp(command, "status", 6) != 0 &&
		     strncmp(command, "remove", 6) != 0 &&
		     strncmp(command, "confirm", 7) != 0 &&
		     strncmp(command, "watch", 5) != 0;

	return lab_run(lab, LAB_GATEWAY, out, "netsetup %s%s", command,
		       reads ? " -f " LAB_DIR "/policy.conf" : "");
}

void
lab_apply(struct lab *lab)
{
	lab_must(lab, LAB_GATEWAY, "netsetup apply -f " LAB_DIR "/policy.conf");
}

static void
close_notify(struct lab *lab)
{
	if (lab->notify >= 0)
		close(lab->notify);
	lab->notify = -1;
	unlink(NOTIFY_PATH);
}

static void
open_notify(struct lab *lab)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	close_notify(lab);
	snprintf(sa.sun_path, sizeof(sa.sun_path), NOTIFY_PATH);
	lab->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (lab->notify < 0 ||
	    bind(lab->notify, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    chmod(NOTIFY_PATH, 0777) < 0)
		lab_die(NOTIFY_PATH ": %s", strerror(errno));
}

/* Has READY=1 come, in one of the messages that wait? */
static bool
notified(int fd)
{
	char buf[1024];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT)) >= 0) {
		buf[n] = '\0';
		if (strstr(buf, "READY=1"))
			return true;
	}
	return false;
}

pid_t
lab_proxyd(struct lab *lab)
{
	return lab_proxyd_at(lab, "proxyd", "");
}

pid_t
lab_proxyd_at(struct lab *lab, const char *program, const char *options)
{
	uint64_t end = clock_now_ms() + 10000;
	struct pollfd p;
	pid_t pid;

	open_notify(lab);
	pid = lab_spawn(lab, LAB_GATEWAY, "proxyd",
			"env NOTIFY_SOCKET=" NOTIFY_PATH " %s -f " LAB_DIR
			"/policy.conf %s",
			program, options);
	while (clock_now_ms() < end) {
		p = (struct pollfd){.fd = lab->notify, .events = POLLIN};
		poll(&p, 1, 20);
		/* sockets that wait in there to be kept would stay open */
		if (notified(lab->notify)) {
			close_notify(lab);
			return pid;
		}
		if (!lab_alive(pid))
			return -ECHILD;
	}
	return -ETIMEDOUT;
}

pid_t
lab_proxyd_up(struct lab *lab)
{
	struct str log = {0};
	pid_t pid = lab_proxyd(lab);

	if (pid < 0) {
		lab_read_file(LAB_DIR "/proxyd.log", &log);
		lab_read_file(LAB_DIR "/policy.conf", &log);
		lab_die("proxyd: %s:\n%s", strerror(-pid), str_text(&log));
	}
	return pid;
}

void
lab_stop_proxyd(struct lab *lab, pid_t pid)
{
	int r = lab_stop(lab, pid, SIGINT, 10000);

	UNIT_CHECK(r == 0, "proxyd's end: %s (%d)",
		   r < 0 ? strerror(-r) : "exit status", r);
	UNIT_CHECK(!lab_logged("proxyd", "was killed by signal"),
		   "a process of proxyd was killed");
}

/*
 * `nft list table` shows "elements = { ipv4 expires 2s, ipv6 ... }" in each
 * armed set. Every set must have the families whose addresses exist.
 */
bool
lab_armed(struct lab *lab)
{
	struct str out = {0};
	size_t sets = 0, full = 0;
	const char *at, *end;

	lab_run(lab, LAB_GATEWAY, &out, "nft list table inet interpose");
	for (at = str_text(&out); (at = strstr(at, "set alive_")); at++) {
		end = strstr(at, "\n\t}");
		sets++;
		if (end && memmem(at, (size_t)(end - at), "ipv4", 4) &&
		    (lab->options.no_ipv6 ||
		     memmem(at, (size_t)(end - at), "ipv6", 4)))
			full++;
	}
	str_fini(&out);
	return sets && sets == full;
}

void
lab_www(struct lab *lab, const char *name, size_t size)
{
	char path[256];
	uint32_t x = 2463534242u; /* xorshift32 */
	FILE *f;
	size_t i;

	(void)lab;
	mkdir(LAB_DIR "/www", 0777);
	snprintf(path, sizeof(path), LAB_DIR "/www/%s", name);
	f = fopen(path, "we");
	if (!f)
		lab_die("%s: %s", path, strerror(errno));
	for (i = 0; i < size; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		putc((int)(x & 0xff), f);
	}
	if (fclose(f))
		lab_die("%s: %s", path, strerror(errno));
}

static bool
answers(struct lab *lab)
{
	const char *to =
		lab->options.router ? LAB_FAR4 ":80" : LAB_SERVER4 ":80";
	int fd;

	fd = lab_connect(lab, LAB_SERVER, NULL, to, 100);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void
lab_nginx(struct lab *lab)
{
	struct str conf = {0};

	mkdir(LAB_DIR "/www", 0777);
	str_addf(&conf, nginx_conf, geteuid() == 0 ? "user root root;\n" : "");
	lab_write_file(LAB_DIR "/nginx.conf", str_text(&conf));
	str_fini(&conf);
	lab_spawn(lab, LAB_SERVER, "nginx",
		  "nginx -c " LAB_DIR "/nginx.conf -e stderr");
	if (!LAB_WAIT(answers(lab), 5000)) {
		lab_read_file(LAB_DIR "/nginx.log", &conf);
		lab_die("nginx does not start: %s", str_text(&conf));
	}
}
