/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http_servers.c - five servers understand what proxyd understood.
 *
 * Requests that are allowed, but that programs are known to read in different
 * ways, go through proxyd to nginx, apache2, lighttpd, node and uvicorn on
 * h11. Each says which method, target, host and body it has seen, and how
 * often it was asked. All of them follow one another on the same connections,
 * so that a byte too many or too few would be the beginning of the next.
 *
 * A server may refuse what it does not like, but not take it for another.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/web.h"

enum { PORT = 81, LATE_MS = 10000 };

/* --- the servers ---------------------------------------------------------- */

static const char nginx_conf[] =
	"daemon off;\n"
	"user root root;\n"
	"pid " LAB_DIR "/nginx.pid;\n"
	"events { worker_connections 256; }\n"
	"http {\n"
	"	access_log off;\n"
	"	client_body_temp_path " LAB_DIR "/nginx-body;\n"
	"	proxy_temp_path " LAB_DIR "/nginx-proxy;\n"
	"	fastcgi_temp_path " LAB_DIR "/nginx-fastcgi;\n"
	"	uwsgi_temp_path " LAB_DIR "/nginx-uwsgi;\n"
	"	scgi_temp_path " LAB_DIR "/nginx-scgi;\n"
	"	server {\n"
	"		listen 81;\n"
	"		location / {\n"
	"			proxy_pass http://127.0.0.1:8099;\n"
	"			proxy_method POST;\n"
	"			proxy_pass_request_headers off;\n"
	"			proxy_set_header X-Seen "
	"'$request_method|$request_uri|$http_host|';\n"
	"		}\n"
	"	}\n"
	"}\n";

#define MODULE(name)                                                           \
	"LoadModule " name "_module /usr/lib/apache2/modules/mod_" name ".so"  \
	"\n"

static const char apache_conf[] =
	"ServerRoot " LAB_DIR "\n"
	"ServerName lab\n"
	"Listen 82\n"
	"User nobody\n"
	"Group nogroup\n"
	"PidFile " LAB_DIR "/apache.pid\n"
	"ErrorLog /dev/stderr\n" MODULE("mpm_prefork") MODULE("authz_core")
		MODULE("alias") MODULE("cgi")
			MODULE("env") "AllowEncodedSlashes On\n"
				      "StartServers 2\n"
				      "SetEnv ap_trust_cgilike_cl yes\n"
				      "SetEnv SEEN " LAB_DIR "/seen.apache2\n"
				      "ScriptAliasMatch .* " LAB_DIR
				      "/echo.cgi\n";

/* Its own way of writing targets, which it has by default, is put off. */
static const char lighttpd_conf[] =
	"server.port = 83\n"
	"server.document-root = \"" LAB_DIR "\"\n"
	"server.modules = (\"mod_rewrite\", \"mod_setenv\", \"mod_cgi\")\n"
	"server.http-parseopts = (\"url-normalize\" => \"disable\")\n"
	"url.rewrite-once = (\".*\" => \"/echo.cgi\")\n"
	"setenv.set-environment = (\"SEEN\" => \"" LAB_DIR "/seen.lighttpd\")\n"
	"cgi.assign = (\".cgi\" => \"\")\n";

/* clang-format off */

static const struct {
	const char *name;
	const char *command;
} servers[] = {
	{"nginx",    "nginx -c " LAB_DIR "/nginx.conf -e stderr"},
	{"apache2",  "apache2 -D FOREGROUND -f " LAB_DIR "/apache.conf"},
	{"lighttpd", "lighttpd -D -f " LAB_DIR "/lighttpd.conf"},
	{"node",     "node tests/lab/fixtures/echo.js 84 " LAB_DIR
		     "/seen.node"},
	{"uvicorn",  "env SEEN=" LAB_DIR "/seen.uvicorn "
		     "PYTHONDONTWRITEBYTECODE=1 uvicorn --http h11 "
		     "--no-access-log --log-level warning --host 0.0.0.0 "
		     "--port 85 --app-dir tests/lab/fixtures echo:app"},
};

/* clang-format on */

enum { SERVERS = sizeof(servers) / sizeof(servers[0]) };

/* apache2 insists on being somebody else than root. */
static bool
can_run(size_t i)
{
	return strcmp(servers[i].name, "apache2") || strcmp(lab_user(), "root");
}

static void
start_servers(struct lab *lab)
{
	size_t i, n = 1;

	lab_write_file(LAB_DIR "/nginx.conf", nginx_conf);
	lab_write_file(LAB_DIR "/apache.conf", apache_conf);
	lab_write_file(LAB_DIR "/lighttpd.conf", lighttpd_conf);
	lab_must(lab, LAB_SERVER,
		 "cp tests/lab/fixtures/echo.cgi " LAB_DIR "; "
		 "cd " LAB_DIR "; chmod 755 . echo.cgi; "
		 "for s in nginx apache2 lighttpd node uvicorn; do "
		 ">seen.$s; chmod 666 seen.$s; done");
	lab_spawn(lab, LAB_SERVER, "behind",
		  "node tests/lab/fixtures/echo.js 8099 " LAB_DIR
		  "/seen.nginx");
	for (i = 0; i < SERVERS; i++) {
		if (!can_run(i))
			continue;
		lab_spawn(lab, LAB_SERVER, servers[i].name, "%s",
			  servers[i].command);
		n++;
	}
	UNIT_CHECK(
		LAB_WAIT(lab_sockets(lab, LAB_SERVER, "state listening") >= n,
			 LATE_MS),
		"not all servers are there");
}

/* --- the requests --------------------------------------------------------- */

#define HOST "Host: a.example\r\n"
#define EVIL "GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n" /* 38 bytes */

struct request {
	const char *bytes;
	const char *method;
	const char *target;
	const char *body;
};

/* clang-format off */

static const struct request requests[] = {
{"GET / HTTP/1.1\r\n" HOST "\r\n",
	"GET", "/", ""},
/* lines and spaces */
{"\r\nGET /empty-line-before HTTP/1.1\r\n" HOST "\r\n",
	"GET", "/empty-line-before", ""},
{"GET /spaces HTTP/1.1\r\nhOsT: \t a.example\t \r\nX-A:\r\nX-B: \t\r\n\r\n",
	"GET", "/spaces", ""},
{"GET /no-space HTTP/1.1\r\nHost:a.example\r\nX-A:b\r\n\r\n",
	"GET", "/no-space", ""},
/* targets */
{"GET http://a.example/absolute?x=y HTTP/1.1\r\n" HOST "\r\n",
	"GET", "/absolute?x=y", ""},
{"GET /a//b/./%2e%2E/c;d=%41?a=b&c=%20+'()*!$,;:@/? HTTP/1.1\r\n" HOST "\r\n",
	"GET", "/a//b/./%2e%2E/c;d=%41?a=b&c=%20+'()*!$,;:@/?", ""},
{"GET /?a= HTTP/1.1\r\n" HOST "\r\n",
	"GET", "/?a=", ""},
{"GET /http://evil/ HTTP/1.1\r\n" HOST "\r\n",
	"GET", "/http://evil/", ""},
{"GET //evil/x HTTP/1.1\r\n" HOST "\r\n",
	"GET", "//evil/x", ""},
/* methods */
{"DELETE /d HTTP/1.1\r\n" HOST "\r\n",
	"DELETE", "/d", ""},
{"PATCH /p HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
	"PATCH", "/p", "abc"},
{"OPTIONS /o HTTP/1.1\r\n" HOST "\r\n",
	"OPTIONS", "/o", ""},
{"M-SEARCH /m HTTP/1.1\r\n" HOST "\r\n",
	"M-SEARCH", "/m", ""},
/* lengths */
{"POST /empty HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
	"POST", "/empty", ""},
{"POST /length HTTP/1.1\r\n" HOST "Content-Length:\t38 \r\n\r\n" EVIL,
	"POST", "/length", EVIL},
{"POST /zeros HTTP/1.1\r\n" HOST "Content-Length: 0038\r\n\r\n" EVIL,
	"POST", "/zeros", EVIL},
{"GET /get-with-body HTTP/1.1\r\n" HOST "Content-Length: 38\r\n\r\n" EVIL,
	"GET", "/get-with-body", EVIL},
{"DELETE /with-body HTTP/1.1\r\n" HOST "Content-Length: 38\r\n\r\n" EVIL,
	"DELETE", "/with-body", EVIL},
/* chunks */
{"POST /chunks HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	"3\r\nabc\r\n26\r\n" EVIL "\r\n0\r\n\r\n",
	"POST", "/chunks", "abc" EVIL},
{"POST /coding HTTP/1.1\r\n" HOST "Transfer-Encoding:\t cHuNkEd \r\n\r\n"
	"1\r\na\r\n0\r\n\r\n",
	"POST", "/coding", "a"},
{"POST /digits HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	"000A\r\n0123456789\r\n0e\r\n0\r\n\r\nGET / H\r\n\r\n000\r\n\r\n",
	"POST", "/digits", "01234567890\r\n\r\nGET / H\r\n"},
{"POST /extension HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	"3;a=b;c=\"d;e\"\r\nabc\r\n0;last\r\n\r\n",
	"POST", "/extension", "abc"},
{"POST /trailer HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
	"Trailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: GET /smuggled\r\n\r\n",
	"POST", "/trailer", "abc"},
{"GET /get-with-chunks HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	"26\r\n" EVIL "\r\n0\r\n\r\n",
	"GET", "/get-with-chunks", EVIL},
/* what others may take for something else */
{"POST /underscore HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
	"X_Host: evil\r\nContent_Length: 99\r\nTransfer_Encoding: chunked\r\n"
	"\r\nabc",
	"POST", "/underscore", "abc"},
{"POST /names HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
	"X-Content-Length: 99\r\nContent-Lengths: 9\r\nXTransfer-Encoding: "
	"chunked\r\nX-Host: evil\r\n\r\nabc",
	"POST", "/names", "abc"},
{"POST /values HTTP/1.1\r\n" HOST "X-A: Content-Length: 99\r\n"
	"X-B: Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
	"POST", "/values", "abc"},
{"POST /not-named HTTP/1.1\r\n" HOST "Connection: Content-Length, Host\r\n"
	"Content-Length: 38\r\n\r\n" EVIL,
	"POST", "/not-named", EVIL},
{"POST /nor-that HTTP/1.1\r\n" HOST "Connection: Transfer-Encoding\r\n"
	"Transfer-Encoding: chunked\r\n\r\n26\r\n" EVIL "\r\n0\r\n\r\n",
	"POST", "/nor-that", EVIL},
{"GET /named HTTP/1.1\r\n" HOST "Connection: X-A, keep-alive\r\nX-A: b\r\n"
	"Keep-Alive: timeout=9\r\nProxy-Connection: close\r\n\r\n",
	"GET", "/named", ""},
{"GET /upgrade HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\n"
	"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
	"GET", "/upgrade", ""},
{"GET /te HTTP/1.1\r\n" HOST "TE: trailers, deflate;q=0.5\r\n"
	"Connection: TE\r\n\r\n",
	"GET", "/te", ""},
{"POST /expect HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
	"Content-Length: 38\r\n\r\n" EVIL,
	"POST", "/expect", EVIL},
{"GET /bytes HTTP/1.1\r\n" HOST "X-A: \x80\xff\t\"\\\r\nCookie: a=b; c=d\r\n"
	"Cookie: e=f\r\n\r\n",
	"GET", "/bytes", ""},
/* the last one: would there be more? */
{"GET /end HTTP/1.1\r\n" HOST "\r\n",
	"GET", "/end", ""},
};

/* clang-format on */

enum { REQUESTS = sizeof(requests) / sizeof(requests[0]) };

/* --- what was understood -------------------------------------------------- */

/* An answer: right, or a refusal of the server's. Counts the right ones. */
static void
check_answer(const char *server, const struct request *r, int status,
	     const struct str *body, size_t *right)
{
	struct str want = {0};

	str_addf(&want, "%s|%s|a.example|%s", r->method, r->target, r->body);
	if (status == 200) {
		++*right;
		UNIT_CHECK(!strcmp(str_text(body), str_text(&want)),
			   "%s, %s: %s", server, r->target, str_text(body));
	} else {
		UNIT_CHECK(status == 400 || status == 403 || status == 404 ||
				   status == 405 || status == 501,
			   "%s, %s: status %d", server, r->target, status);
		printf("%s refuses %s %s with %d\n", server, r->method,
		       r->target, status);
	}
	str_fini(&want);
}

/* One after the other; who is refused may have to come anew. */
static size_t
ask_all(struct lab *lab, const char *server, const char *to)
{
	struct str body = {0};
	size_t i, right = 0;
	int fd = -1, status;
	bool last = true;

	for (i = 0; i < REQUESTS; i++) {
		if (last && fd >= 0)
			close(fd);
		if (last)
			fd = web_open(lab, NULL, to);
		last = false;
		lab_send(fd, requests[i].bytes);
		str_clear(&body);
		status = web_answer(fd, &body, &last);
		check_answer(server, &requests[i], status, &body, &right);
		last |= status != 200;
	}
	close(fd);
	str_fini(&body);
	return right;
}

/* All at once, and the answers come in their order. */
static size_t
ask_at_once(struct lab *lab, const char *server, const char *to)
{
	struct str held = {0}, body = {0}, all = {0};
	int fd = web_open(lab, NULL, to), status = 200;
	size_t i, right = 0;
	bool last = false;

	for (i = 0; i < REQUESTS; i++)
		str_add(&all, requests[i].bytes);
	lab_send(fd, str_text(&all));
	for (i = 0; i < REQUESTS && !last; i++) {
		str_clear(&body);
		status = web_next(fd, &held, &body, &last);
		check_answer(server, &requests[i], status, &body, &right);
	}
	UNIT_CHECK(last || !held.len, "%s: more answers than requests", server);
	close(fd);
	str_fini(&held);
	str_fini(&body);
	str_fini(&all);
	return right;
}

/* proxyd's own words for them; a target that has to be quoted is left out. */
static void
check_records(size_t times)
{
	const char *plain = "/abcdefghijklmnopqrstuvwxyz-";
	char text[256];
	size_t i;

	for (i = 0; i < REQUESTS; i++) {
		const struct request *r = &requests[i];

		if (r->target[strspn(r->target, plain)])
			continue;
		snprintf(text, sizeof(text),
			 " method=%s host=a.example path=%s status=", r->method,
			 r->target);
		UNIT_CHECK(lab_log_count("proxyd", text) >= times,
			   "%zu records with%s", lab_log_count("proxyd", text),
			   text);
	}
}

static void
check_server(struct lab *lab, size_t i)
{
	char to[ENDPOINT_TEXT_LEN], path[64];
	const char *name = servers[i].name, *at;
	struct str seen = {0};
	size_t right, lines = 0;

	snprintf(to, sizeof(to), LAB_SERVER4 ":%zu", PORT + i);
	snprintf(path, sizeof(path), LAB_DIR "/seen.%s", name);
	right = ask_all(lab, name, to);
	UNIT_CHECK(right > REQUESTS * 3 / 4, "%s: only %zu of %d", name, right,
		   REQUESTS);
	right += ask_at_once(lab, name, to);
	lab_read_file(path, &seen);
	for (at = str_text(&seen); (at = strchr(at, '\n')); at++)
		lines++;
	UNIT_CHECK(lines == right && !strstr(str_text(&seen), "smuggled"),
		   "%s: %zu answers, and %zu requests: %s", name, right, lines,
		   str_text(&seen));
	str_fini(&seen);
}

static void
understood(void)
{
	struct lab *lab;
	pid_t pid;
	size_t i, n = 0;

	lab = web_proxyd("\tworkers 1\n", "\tsource gateway\n",
			 "\tintercept tcp port 81-85\n", &pid);
	start_servers(lab);
	for (i = 0; i < SERVERS; i++) {
		if (!can_run(i))
			continue;
		check_server(lab, i);
		n++;
	}
	/* one after another, each server has had all of them */
	check_records(n);
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"understood", understood},
};

LAB_MAIN("http_servers", tests)
