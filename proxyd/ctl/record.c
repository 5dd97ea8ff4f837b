/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.c - text of record.h.
 *
 * The fields are a list that is walked for either format, so that both have
 * the same fields in the same order. A missing value is "-", or null. The
 * format of web servers is no list of ours, and stands apart.
 */
#include "proxyd/ctl/record.h"

#include <inttypes.h>
#include <string.h>

#include "lib/json.h"

/* Where fields go: `json` is NULL for key=value. */
struct writer {
	struct str *out;
	struct json *json;
	size_t begin; /* of the line, in `out` */
};

const char *
record_via_name(enum record_via via)
{
	static const char *const names[] = {
		[RECORD_VIA_NONE] = "-",
		[RECORD_VIA_SOCKET] = "socket",
		[RECORD_VIA_NAT] = "nat",
		[RECORD_VIA_CONNTRACK] = "conntrack",
		[RECORD_VIA_LOCAL] = "local",
		[RECORD_VIA_PROXY] = "proxy",
	};

	return names[via];
}

/* Inline: the lengths of keys are known when this is compiled. */
static inline void
put_key(struct writer *w, const char *key)
{
	if (w->out->len != w->begin)
		str_add_char(w->out, ' ');
	str_add(w->out, key);
	str_add_char(w->out, '=');
}

/* Printable in ASCII, and no mark of a quoted text. */
static bool
is_safe(unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* Needs no quotes: printable, not empty, nothing that ends a value. */
static bool
is_plain(const char *text)
{
	/* all but space, '"', '=' and '\\' */
	static const bool plain[256] = {
		['!'] = true,
		['#' ... '<'] = true,
		['>' ... '['] = true,
		[']' ... '~'] = true,
	};
	const unsigned char *s;

	if (text[0] == '-' && !text[1])
		return false; /* it stands for a missing value */
	for (s = (const unsigned char *)text; plain[*s]; s++)
		;
	return !*s && s != (const unsigned char *)text;
}

/* What needs no escape at the beginning; returns where that ends. */
static const char *
add_safe(struct str *out, const char *text)
{
	const char *end = text;

	while (is_safe((unsigned char)*end))
		end++;
	str_add_bytes(out, text, (size_t)(end - text));
	return end;
}

static void
put_quoted(struct str *out, const char *text)
{
	str_add_char(out, '"');
	for (text = add_safe(out, text); *text; text = add_safe(out, text + 1))
		if (*text == '"' || *text == '\\')
			str_addf(out, "\\%c", *text);
		else
			str_addf(out, "\\x%02x", (unsigned char)*text);
	str_add_char(out, '"');
}

/* A text that never needs quotes. */
static inline void
put_plain(struct writer *w, const char *key, const char *text)
{
	if (w->json) {
		json_string(w->json, key, text);
		return;
	}
	put_key(w, key);
	str_add(w->out, text);
}

static inline void
put_text(struct writer *w, const char *key, const char *text)
{
	if (w->json && text) {
		json_string(w->json, key, text);
	} else if (w->json) {
		json_null(w->json, key);
	} else {
		put_key(w, key);
		if (!text || is_plain(text))
			str_add(w->out, text ? text : "-");
		else
			put_quoted(w->out, text);
	}
}

/* `text` if it is short enough, or a shorter one in `buf`; see record.h. */
static const char *
cut(const char *text, size_t max, char buf[RECORD_PATH_MAX + sizeof("...")])
{
	size_t n, used = 0;

	if (strnlen(text, max / 4 + 1) <= max / 4)
		return text; /* as nearly all are */
	for (n = 0; text[n]; n++) {
		used += is_safe((unsigned char)text[n]) ? 1 : 4;
		if (used > max)
			break;
	}
	if (!text[n])
		return text;
	memcpy(buf, text, n);
	memcpy(buf + n, "...", sizeof("..."));
	return buf;
}

/* A text of a client's. */
static void
put_cut(struct writer *w, const char *key, const char *text, size_t max)
{
	char buf[RECORD_PATH_MAX + sizeof("...")];

	put_text(w, key, text ? cut(text, max, buf) : NULL);
}

static inline void
put_bool(struct writer *w, const char *key, bool value)
{
	if (w->json)
		json_bool(w->json, key, value);
	else
		put_plain(w, key, value ? "yes" : "no");
}

static inline void
put_number(struct writer *w, const char *key, uint64_t value)
{
	if (w->json) {
		json_uint(w->json, key, value);
		return;
	}
	put_key(w, key);
	str_add_uint(w->out, value);
}

static inline void
put_ms(struct writer *w, const char *key, int64_t ms)
{
	if (ms >= 0)
		put_number(w, key, (uint64_t)ms);
	else
		put_text(w, key, NULL);
}

static inline void
put_endpoint(struct writer *w, const char *key, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_LEN];

	if (e->addr.family)
		put_plain(w, key, endpoint_format(e, text));
	else
		put_text(w, key, NULL);
}

/* What a flow has from its beginning to its end. */
static void
put_flow(struct writer *w, const struct record *r)
{
	put_plain(w, "id", r->id);
	put_text(w, "service", r->service);
	put_plain(w, "mode", mode_name(r->mode));
	put_endpoint(w, "client", &r->client);
	put_endpoint(w, "local", &r->local);
	put_endpoint(w, "destination", &r->destination);
	put_text(w, "dst_via", r->via ? record_via_name(r->via) : NULL);
	put_endpoint(w, "source", &r->source);
	put_text(w, "pool", r->pool);
	put_endpoint(w, "node", &r->node);
	put_number(w, "bytes_in", r->bytes_in);
	put_number(w, "bytes_out", r->bytes_out);
	put_ms(w, "ms_connect", r->ms_connect);
	put_ms(w, "ms_total", r->ms_total);
}

/* What a request has beside that. */
static void
put_request(struct writer *w, const struct record *r)
{
	if (r->mode != MODE_HTTP)
		return;
	put_cut(w, "method", r->method, RECORD_NAME_MAX);
	put_cut(w, "host", r->host, RECORD_NAME_MAX);
	put_cut(w, "path", r->path, RECORD_PATH_MAX);
	if (r->status)
		put_number(w, "status", r->status);
	else
		put_text(w, "status", NULL);
	put_ms(w, "ms_first", r->ms_first);
	put_bool(w, "reused", r->reused);
}

static void
put_fields(struct writer *w, const struct record *r)
{
	put_plain(w, "time", r->time);
	put_flow(w, r);
	put_request(w, r);
	put_plain(w, "close", reason_word(r->close));
	put_text(w, "note", r->note);
}

/* --- as web servers write it ---------------------------------------------- */

static void
add_escaped(struct str *out, const char *text, size_t max)
{
	char buf[RECORD_PATH_MAX + sizeof("...")];

	text = cut(text && *text ? text : "-", max, buf);
	for (text = add_safe(out, text); *text; text = add_safe(out, text + 1))
		str_addf(out, "\\x%02X", (unsigned char)*text);
}

/* The request line as it was, or "-". */
static void
add_request_line(struct str *out, const struct record *r)
{
	add_escaped(out, r->method, RECORD_NAME_MAX);
	if (!r->method)
		return;
	str_add_char(out, ' ');
	add_escaped(out, r->path, RECORD_PATH_MAX);
	str_add_char(out, ' ');
	add_escaped(out, r->version, RECORD_NAME_MAX);
}

static void
add_combined(struct str *out, const struct record *r)
{
	char client[ADDR_TEXT_LEN], stamp[CLOCK_WEB_STAMP_LEN];
	bool known = r->client.addr.family;

	str_addf(out, "%s - - [%s] \"",
		 known ? addr_format(&r->client.addr, client) : "-",
		 clock_web_stamp(r->time, stamp));
	add_request_line(out, r);
	str_addf(out, "\" %03u %" PRIu64 " \"", r->status, r->bytes_out);
	add_escaped(out, r->referer, RECORD_FIELD_MAX);
	str_add(out, "\" \"");
	add_escaped(out, r->user_agent, RECORD_FIELD_MAX);
	str_add(out, "\"\n");
}

void
record_format(const struct record *r, enum log_format format, struct str *out)
{
	struct writer w = {.out = out, .begin = out->len};
	struct json json;

	if (format == LOG_FORMAT_JSON) {
		json_init(&json, out, false);
		w.json = &json;
		json_object(&json, NULL);
		put_fields(&w, r);
		json_end(&json);
	} else if (format == LOG_FORMAT_COMBINED) {
		add_combined(out, r);
	} else {
		put_fields(&w, r);
		str_add_char(out, '\n');
	}
}

void
record_format_live(const struct record *r, const char *step, uint32_t worker,
		   struct str *out)
{
	struct writer w = {.out = out, .begin = out->len};
	struct json json;

	json_init(&json, out, false);
	w.json = &json;
	json_object(&json, NULL);
	put_flow(&w, r);
	put_request(&w, r);
	put_text(&w, "step", step);
	put_number(&w, "worker", worker);
	put_text(&w, "note", r->note);
	json_end(&json);
	/* it stands among others: who puts it there says how it ends */
	while (out->len && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
}
