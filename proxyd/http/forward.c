/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forward.c - copies what forward.h lets pass, in runs as long as can be.
 *
 * Fields that Connection names are dropped, but none that this version knows
 * as meant for the end: a client could otherwise have Host, or the framing,
 * taken out of its request on the way (RFC 9110, 7.6.1, forbids to name
 * them).
 */
#include "proxyd/http/forward.h"

#include <string.h>
#include <strings.h>

#include "proxyd/http/known.h"

enum { OPTIONS_MAX = 16 };

/* What is being written. */
struct writer {
	const struct http_head *head;
	const char *buf;
	const struct forward *how;
	char *out;
	size_t size;
	size_t len; /* beyond `size`: it did not fit */
	/* fields to drop, as Connection names them */
	struct http_text options[OPTIONS_MAX];
	unsigned int n_options;
};

static void
put(struct writer *w, const char *data, size_t len)
{
	if (len <= w->size && w->len <= w->size - len)
		memcpy(w->out + w->len, data, len);
	w->len += len;
}

static void
put_text(struct writer *w, const char *text)
{
	put(w, text, strlen(text));
}

static void
put_field(struct writer *w, const char *name, const char *value)
{
	put_text(w, name);
	put(w, ": ", 2);
	put_text(w, value);
	put(w, "\r\n", 2);
}

/* --- what Connection names ------------------------------------------------ */

/* These say something of the connection, and name no field to be dropped. */
static bool
is_plain_option(const char *at, size_t len)
{
	return (len == 5 && !strncasecmp(at, "close", 5)) ||
	       (len == 10 && !strncasecmp(at, "keep-alive", 10)) ||
	       (len == 7 && !strncasecmp(at, "upgrade", 7)) ||
	       (len == 2 && !strncasecmp(at, "te", 2));
}

static bool
add_options(struct writer *w, const struct http_text *list)
{
	const char *at = w->buf + list->at, *end = at + list->len;
	size_t len;

	while (at < end) {
		for (len = 0; at + len < end && at[len] != ','; len++)
			;
		while (len && (*at == ' ' || *at == '\t'))
			at++, len--;
		while (len && (at[len - 1] == ' ' || at[len - 1] == '\t'))
			len--;
		if (len && !is_plain_option(at, len)) {
			if (w->n_options == OPTIONS_MAX)
				return false;
			w->options[w->n_options++] = (struct http_text){
				.at = (uint32_t)(at - w->buf),
				.len = (uint32_t)len,
			};
		}
		at += len;
		while (at < end && *at != ',')
			at++;
		at++;
	}
	return true;
}

static bool
find_options(struct writer *w)
{
	unsigned int i;

	if (!w->head->names)
		return true;
	for (i = 0; i < w->head->n_fields; i++)
		if (w->head->fields[i].id == HTTP_FIELD_CONNECTION &&
		    !add_options(w, &w->head->fields[i].value))
			return false;
	return true;
}

static bool
is_named(const struct writer *w, const struct http_text *name)
{
	unsigned int i;

	for (i = 0; i < w->n_options; i++)
		if (w->options[i].len == name->len &&
		    !strncasecmp(w->buf + w->options[i].at, w->buf + name->at,
				 name->len))
			return true;
	return false;
}

/* --- the fields ----------------------------------------------------------- */

static bool
is_dropped(const struct writer *w, const struct http_field *f)
{
	switch ((enum http_field_id)f->id) {
	case HTTP_FIELD_OTHER:
		return w->n_options && is_named(w, &f->name);
	case HTTP_FIELD_UPGRADE:
		return !w->how->upgrade;
	case HTTP_FIELD_TRANSFER_ENCODING:
		return w->how->strip;
	case HTTP_FIELD_X_FORWARDED_FOR:
		return w->how->forwarded_for && w->how->forwarded_replace;
	case HTTP_FIELD_X_CLUSTER_CLIENT_IP:
		return w->how->cluster_ip;
	default:
		return known_hop((enum http_field_id)f->id);
	}
}

/* Where the line of the i-th field begins; that of one too many: its end. */
static size_t
line_of(const struct http_head *h, unsigned int i)
{
	return i < h->n_fields ? h->fields[i].name.at : h->size - 2;
}

/* The last one gets another element, and the others none. */
static bool
is_extended(const struct writer *w, unsigned int i)
{
	const struct http_head *h = w->head;

	if (h->fields[i].id != HTTP_FIELD_X_FORWARDED_FOR ||
	    !w->how->forwarded_for)
		return false;
	for (i++; i < h->n_fields; i++)
		if (h->fields[i].id == HTTP_FIELD_X_FORWARDED_FOR)
			return false;
	return true;
}

static void
put_fields(struct writer *w)
{
	const struct http_head *h = w->head;
	size_t run = line_of(h, 0), end;
	unsigned int i;

	for (i = 0; i < h->n_fields; i++) {
		if (is_dropped(w, &h->fields[i])) {
			end = h->fields[i].name.at;
			put(w, w->buf + run, end - run);
			run = line_of(h, i + 1);
		} else if (is_extended(w, i)) {
			end = h->fields[i].value.at + h->fields[i].value.len;
			put(w, w->buf + run, end - run);
			put_text(w, h->fields[i].value.len ? ", " : " ");
			put_text(w, w->how->forwarded_for);
			run = line_of(h, i + 1) - 2;
		}
	}
	put(w, w->buf + run, line_of(h, h->n_fields) - run);
}

/* --- the two heads -------------------------------------------------------- */

/* Up to here the first line is kept: 1.1 is said whatever was said to us. */
static void
put_version(struct writer *w)
{
	put(w, "HTTP/1.1", 8);
}

/* One field of that name, whatever there is to say. */
static void
put_connection(struct writer *w)
{
	const struct forward *how = w->how;
	bool te = !w->head->status && w->head->trailers;
	bool upgrade = how->upgrade && http_has(w->head, HTTP_FIELD_UPGRADE);

	if (te)
		put_field(w, "TE", "trailers");
	if (!how->close && !how->keep_alive && !te && !upgrade)
		return;
	put_text(w, "Connection:");
	put_text(w, how->close ? " close," : "");
	put_text(w, how->keep_alive ? " keep-alive," : "");
	put_text(w, te ? " TE," : "");
	put_text(w, upgrade ? " upgrade," : "");
	/* the last comma */
	w->len--;
	put(w, "\r\n", 2);
}

static size_t
finish(struct writer *w, enum http_bad *ret_bad)
{
	put_connection(w);
	put(w, "\r\n", 2);
	*ret_bad = HTTP_BAD_NONE;
	if (w->len <= w->size)
		return w->len;
	*ret_bad = HTTP_BAD_HEAD_TOO_LARGE;
	return 0;
}

/*
 * Servers are asked for paths, however the client put it: some believe the
 * host of a whole URL, and some Host. Source: RFC 9112, sections 3.2.1, 3.2.4.
 */
static void
put_request_line(struct writer *w)
{
	const struct http_head *h = w->head;
	const char *method = w->buf + h->method_text.at;
	const char *path = w->buf + h->path.at;

	if (h->path.len == h->target.len) {
		put(w, method, h->method_text.len + 1 + h->path.len + 1);
	} else {
		put(w, method, h->method_text.len + 1);
		if (!h->path.len)
			put_text(w,
				 h->method == HTTP_METHOD_OPTIONS ? "*" : "/");
		else if (*path != '/')
			put_text(w, "/");
		put(w, path, h->path.len);
		put_text(w, " ");
	}
	put_version(w);
	put(w, "\r\n", 2);
}

/* HTTP/1.0 need not say a host; a whole URL has one. */
static void
put_host(struct writer *w)
{
	const struct http_head *h = w->head;

	if (http_has(h, HTTP_FIELD_HOST))
		return;
	if (h->host.len) {
		put_text(w, "Host: ");
		put(w, w->buf + h->host.at, h->host.len);
		put(w, "\r\n", 2);
	} else if (w->how->host) {
		put_field(w, "Host", w->how->host);
	}
}

size_t
forward_request(const struct http_head *h, const char *buf,
		const struct forward *how, char *out, size_t size,
		enum http_bad *ret_bad)
{
	struct writer w = {
		.head = h, .buf = buf, .how = how, .out = out, .size = size};

	if (!find_options(&w)) {
		*ret_bad = HTTP_BAD_CONNECTION;
		return 0;
	}
	put_request_line(&w);
	put_fields(&w);
	put_host(&w);
	if (how->forwarded_for && (how->forwarded_replace ||
				   !http_has(h, HTTP_FIELD_X_FORWARDED_FOR)))
		put_field(&w, "X-Forwarded-For", how->forwarded_for);
	if (how->cluster_ip)
		put_field(&w, "X-Cluster-Client-Ip", how->cluster_ip);
	return finish(&w, ret_bad);
}

size_t
forward_response(const struct http_head *h, const char *buf,
		 const struct forward *how, char *out, size_t size,
		 enum http_bad *ret_bad)
{
	struct writer w = {
		.head = h, .buf = buf, .how = how, .out = out, .size = size};
	const size_t version = sizeof("HTTP/1.1") - 1;

	if (!find_options(&w)) {
		*ret_bad = HTTP_BAD_CONNECTION;
		return 0;
	}
	put_version(&w);
	put(&w, buf + version, line_of(h, 0) - version);
	put_fields(&w);
	return finish(&w, ret_bad);
}
