/* SPDX-License-Identifier: GPL-2.0-or-later */
/* web.c - bytes of HTTP, written and read by hand, for web.h. */
#include "tests/lab/web.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_MS = 5000, CROWD_FIRST = 10 };

/* --- the server ----------------------------------------------------------- */

static const char nginx_conf[] =
	"daemon off;\n"
	"worker_processes 1;\n"
	"%s"
	"pid " LAB_DIR "/nginx.pid;\n"
	"events { worker_connections 8192; }\n"
	"http {\n"
	"	log_format who '$remote_addr $connection $http_x_who "
	"$http_x_forwarded_for $status $request';\n"
	"	access_log " LAB_DIR "/access.log who;\n"
	"	client_body_temp_path " LAB_DIR "/nginx-body;\n"
	"	proxy_temp_path " LAB_DIR "/nginx-proxy;\n"
	"	fastcgi_temp_path " LAB_DIR "/nginx-fastcgi;\n"
	"	uwsgi_temp_path " LAB_DIR "/nginx-uwsgi;\n"
	"	scgi_temp_path " LAB_DIR "/nginx-scgi;\n"
	"	keepalive_requests 1000000;\n"
	"	client_max_body_size 0;\n"
	"	server {\n"
	"		listen *:80-85 backlog=4096;\n"
	"		listen [::]:80-85 backlog=4096;\n"
	"		root " LAB_DIR "/www;\n"
	"		location = /who {\n"
	"			return 200 \"$remote_addr $remote_port "
	"$server_addr $connection|$http_x_forwarded_for|$http_x_who|"
	"$http_host\\n\";\n"
	"		}\n"
	"		location / { dav_methods PUT; }\n"
	"		location /chunked/ {\n"
	"			alias " LAB_DIR "/www/;\n"
	"			sub_filter_types *;\n"
	"			sub_filter_once off;\n"
	"			sub_filter 'what is nowhere' '';\n"
	"		}\n"
	"		location /slow/ {\n"
	"			alias " LAB_DIR "/www/;\n"
	"			limit_rate 100k;\n"
	"		}\n"
	"	}\n"
	"}\n";

static bool
answers(struct lab *lab)
{
	int fd;

	fd = lab_connect(lab, LAB_SERVER, NULL, LAB_SERVER4 ":80", 100);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void
web_nginx(struct lab *lab)
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

/* --- a client ------------------------------------------------------------- */

int
web_open(struct lab *lab, const char *from, const char *to)
{
	int fd = lab_connect(lab, LAB_CLIENT, from, to, ANSWER_MS);

	if (fd < 0)
		lab_die("%s to %s: %s", from ? from : "any", to, strerror(-fd));
	return fd;
}

bool
web_get(int fd, const char *path, const char *fields)
{
	struct str s = {0};
	bool ok;

	str_addf(&s, "GET %s HTTP/1.1\r\n%s%s\r\n", path,
		 strcasestr(fields, "Host:") ? "" : "Host: lab.example\r\n",
		 fields);
	ok = send(fd, s.data, s.len, MSG_NOSIGNAL) == (ssize_t)s.len;
	str_fini(&s);
	return ok;
}

/* The value of a field of a head; NULL: it is not there. */
static const char *
value_of(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);

	return at ? at + strlen(name) : NULL;
}

/* Answers that are not the last: 1xx. How many bytes of them? */
static size_t
interim(const char *text)
{
	const char *at = text, *end;

	while (!strncmp(at, "HTTP/1.1 1", 10) && (end = strstr(at, "\r\n\r\n")))
		at = end + 4;
	return (size_t)(at - text);
}

/* The status of the first answer in `s`, and its size; 0: it is not whole. */
static int
look(const struct str *s, size_t *ret_size, struct str *body, bool *ret_close)
{
	const char *text = str_text(s) + interim(str_text(s)), *at, *end;
	size_t length, have;
	char connection[32];
	int status;

	at = strstr(text, "\r\n\r\n");
	if (!at)
		return 0;
	at += 4;
	if (sscanf(text, "HTTP/1.1 %d ", &status) != 1)
		return -EPROTO;
	end = value_of(text, "\r\nContent-Length:");
	if (!end || end > at)
		return -EPROTO;
	length = strtoul(end, NULL, 10);
	have = s->len - (size_t)(at - str_text(s));
	if (have < length)
		return 0;
	end = value_of(text, "\r\nConnection:");
	snprintf(connection, sizeof(connection), "%.31s",
		 end && end < at ? end : "");
	if (ret_close)
		*ret_close = !strncmp(connection, " close", 6);
	if (body)
		str_add_bytes(body, at, length);
	*ret_size = (size_t)(at - str_text(s)) + length;
	return status;
}

int
web_next(int fd, struct str *held, struct str *body, bool *ret_close)
{
	struct str rest = {0};
	char buf[65536];
	size_t size;
	ssize_t n;
	int r;

	while ((r = look(held, &size, body, ret_close)) == 0) {
		n = lab_recv(fd, buf, sizeof(buf), ANSWER_MS);
		if (n <= 0)
			return held->len ? -EPIPE : (int)n;
		str_add_bytes(held, buf, (size_t)n);
	}
	if (r > 0) {
		str_add_bytes(&rest, held->data + size, held->len - size);
		str_fini(held);
		*held = rest;
	}
	return r;
}

int
web_answer(int fd, struct str *body, bool *ret_close)
{
	struct str held = {0};
	int r;

	r = web_next(fd, &held, body, ret_close);
	if (r > 0 && held.len)
		r = -EPROTO;
	str_fini(&held);
	return r;
}

int
web_ask(int fd, const char *path, const char *fields, struct str *body)
{
	return web_get(fd, path, fields) ? web_answer(fd, body, NULL) : 0;
}

/* --- who ------------------------------------------------------------------ */

/* Up to `end`, or "-". */
static const char *
cut(const char *at, char end, char *out, size_t size)
{
	size_t len = strcspn(at, (char[]){end, '\n', '\0'});

	snprintf(out, size, "%.*s", len ? (int)len : 1, len ? at : "-");
	at += len;
	return *at ? at + 1 : at;
}

bool
web_who(const char *body, struct web_who *ret_who)
{
	struct web_who w = {.port = 0};

	if (sscanf(body, "%63s %u %63s %u", w.address, &w.port, w.server,
		   &w.serial) != 4)
		return false;
	body += strcspn(body, "|");
	if (*body)
		body++;
	body = cut(body, '|', w.forwarded, sizeof(w.forwarded));
	body = cut(body, '|', w.marker, sizeof(w.marker));
	cut(body, '\n', w.host, sizeof(w.host));
	*ret_who = w;
	return true;
}

bool
web_ask_who(int fd, const char *fields, struct web_who *ret_who)
{
	struct str body = {0};
	bool close = true, ok;
	int status = 0;

	if (web_get(fd, "/who", fields))
		status = web_answer(fd, &body, &close);
	ok = status == 200 && !close && web_who(str_text(&body), ret_who);
	UNIT_CHECK(ok, "/who: status %d%s: %s", status,
		   close ? ", the last" : "", str_text(&body));
	str_fini(&body);
	return ok;
}

/* --- the usual test ------------------------------------------------------- */

struct lab *
web_proxyd(const char *gateway, const char *pool, const char *service,
	   pid_t *ret_proxyd)
{
	struct str policy = {0};
	struct lab *lab;

	str_addf(&policy,
		 "gateway {\n\tinside in0\n\toutside out0\n\tuser %%s\n%s\n}\n"
		 "pool original {\n\tnode original\n%s\n}\n"
		 "service web {\n\tmode http\n%s%s\n}\n",
		 gateway, pool,
		 strstr(service, "intercept") ? ""
					      : "\tintercept tcp port 80\n",
		 service);
	lab = lab_begin(NULL, str_text(&policy), ret_proxyd);
	str_fini(&policy);
	return lab;
}

struct lab *
web_begin(const char *gateway, const char *pool, const char *service,
	  pid_t *ret_proxyd)
{
	struct lab *lab = web_proxyd(gateway, pool, service, ret_proxyd);

	web_nginx(lab);
	return lab;
}

const char *
web_address(int family, size_t i, char buf[ADDR_TEXT_LEN])
{
	if (family == AF_INET)
		snprintf(buf, ADDR_TEXT_LEN, "10.1.0.%zu", CROWD_FIRST + i);
	else
		snprintf(buf, ADDR_TEXT_LEN, "fd01::%zx", CROWD_FIRST + i);
	return buf;
}

void
web_crowd(struct lab *lab, size_t n)
{
	struct str batch = {0};
	char buf[ADDR_TEXT_LEN];
	size_t i;

	for (i = 0; i < n; i++) {
		str_addf(&batch, "addr add %s/24 dev eth0\n",
			 web_address(AF_INET, i, buf));
		str_addf(&batch, "addr add %s/64 dev eth0 nodad\n",
			 web_address(AF_INET6, i, buf));
	}
	lab_write_file(LAB_DIR "/crowd.batch", str_text(&batch));
	str_fini(&batch);
	lab_must(lab, LAB_CLIENT, "ip -batch " LAB_DIR "/crowd.batch");
}
