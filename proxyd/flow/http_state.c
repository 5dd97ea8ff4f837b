/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http_state.c - beginnings and ends of http_state.h. */
#include "proxyd/flow/http_state.h"

#include <stdlib.h>
#include <string.h>

struct http *
http_new(const struct addr *client)
{
	struct http *h;

	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	addr_format(client, h->client);
	h->ms_connect = RECORD_NO_TIME;
	return h;
}

void
http_close_link(struct http *h, struct relay *r, bool reset)
{
	if (!h->link)
		return;
	/* what was not sent makes it no ordinary end */
	reset |= relay_holds(&h->link->side);
	relay_release(r, &h->link->side);
	link_close(h->link, reset);
	h->link = NULL;
	h->bound = false;
	inbox_fini(&h->from_server);
}

void
http_keep_link(struct http *h)
{
	reuse_put(h->link);
	h->link = NULL;
}

void
http_free(struct http *h, struct relay *r, bool reset)
{
	if (!h)
		return;
	http_close_link(h, r, reset);
	inbox_fini(&h->from_client);
	inbox_fini(&h->from_server);
	free(h->told);
	free(h->again);
	free(h);
}

/* --- what the record will say --------------------------------------------- */

static uint32_t
told_len(const struct http_text *t)
{
	return t->len < HTTP_TOLD_MAX ? t->len : HTTP_TOLD_MAX;
}

/* Returns where it stands now; *at moves on. */
static const char *
tell(char **at, const char *buf, const struct http_text *t)
{
	uint32_t len = told_len(t);
	char *begin = *at;

	memcpy(begin, buf + t->at, len);
	begin[len] = '\0';
	*at += len + 1;
	return begin;
}

static const struct http_text *
value_of(const struct http_head *head, enum http_field_id id)
{
	static const struct http_text none = {0, 0};
	unsigned int i;

	for (i = 0; http_has(head, id) && i < head->n_fields; i++)
		if (head->fields[i].id == id)
			return &head->fields[i].value;
	return &none;
}

static struct http_told *
told_new(const struct http_head *head, const char *buf)
{
	const struct http_text *referer, *agent;
	struct http_told *told;
	char *at;

	referer = value_of(head, HTTP_FIELD_REFERER);
	agent = value_of(head, HTTP_FIELD_USER_AGENT);
	told = malloc(sizeof(*told) + told_len(&head->method_text) +
		      told_len(&head->host) + told_len(&head->target) +
		      told_len(referer) + told_len(agent) + 5);
	if (!told)
		return NULL;
	at = told->text;
	told->method = tell(&at, buf, &head->method_text);
	told->host = tell(&at, buf, &head->host);
	told->path = tell(&at, buf, &head->target);
	told->referer = tell(&at, buf, referer);
	told->user_agent = tell(&at, buf, agent);
	return told;
}

/* --- one request ---------------------------------------------------------- */

void
http_begin(struct http *h, const struct http_head *head, const char *buf,
	   bool wanted)
{
	h->active = true;
	h->requests++;
	h->method = head->method;
	h->minor = head->minor;
	h->keep = head->keep;
	h->upgrade = head->upgrade;
	body_init(&h->request, head, false);
	if (wanted)
		h->told = told_new(head, buf);
}

void
http_over(struct http *h)
{
	free(h->told);
	free(h->again);
	h->told = NULL;
	h->again = NULL;
	h->began_ms = h->head_ms = h->first_ms = 0;
	h->stalled_ms = h->stall_ms = 0;
	h->bytes_in = h->bytes_out = 0;
	h->status = 0;
	h->method = HTTP_METHOD_OTHER;
	h->ms_connect = RECORD_NO_TIME;
	h->bad = HTTP_BAD_NONE;
	h->active = h->answered = h->reused = h->upgrade = false;
}

uint64_t
http_body_due_ms(const struct http *h, uint32_t timeout_ms)
{
	if (!timeout_ms)
		return UINT64_MAX;
	return h->head_ms + h->stalled_ms + timeout_ms +
	       h->request.content * 1000 / HTTP_BODY_RATE;
}

static const char *
text_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

void
http_record(const struct http *h, uint64_t now_ms, struct record *r)
{
	const struct http_told *told = h->told;

	r->ms_first = RECORD_NO_TIME;
	if (!h->active)
		return;
	r->bytes_in =
		h->bytes_in + (h->tunnel ? r->bytes_in - h->tunnel_in : 0);
	r->bytes_out =
		h->bytes_out + (h->tunnel ? r->bytes_out - h->tunnel_out : 0);
	r->ms_connect = h->ms_connect;
	r->ms_total = (int64_t)(now_ms - h->began_ms);
	if (h->first_ms)
		r->ms_first = (int64_t)(h->first_ms - h->head_ms);
	r->status = h->status;
	r->reused = h->reused;
	r->version = h->minor ? "HTTP/1.1" : "HTTP/1.0";
	if (!told)
		return;
	r->method = text_or_null(told->method);
	r->host = text_or_null(told->host);
	r->path = text_or_null(told->path);
	r->referer = text_or_null(told->referer);
	r->user_agent = text_or_null(told->user_agent);
}
