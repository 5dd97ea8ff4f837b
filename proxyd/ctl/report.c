/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - members and their order, for report.h. */
#include "proxyd/ctl/report.h"

#include <inttypes.h>

#include "lib/json.h"

static void
put_digest(struct json *j, uint64_t digest)
{
	struct str text = {0};

	str_addf(&text, "%016" PRIx64, digest);
	json_string(j, "digest", str_text(&text));
	str_fini(&text);
}

static void
put_families(struct json *j, const char *key, unsigned int families)
{
	json_array(j, key);
	if (families & FAMILY_IPV4)
		json_string(j, NULL, inet_family_name(AF_INET));
	if (families & FAMILY_IPV6)
		json_string(j, NULL, inet_family_name(AF_INET6));
	json_end(j);
}

static void
put_worker(struct json *j, const struct report_worker *w)
{
	json_object(j, NULL);
	json_uint(j, "worker", w->worker);
	if (w->pid)
		json_uint(j, "pid", (uint64_t)w->pid);
	else
		json_null(j, "pid");
	json_string(j, "state", w->state);
	json_uint(j, "flows", w->flows);
	json_uint(j, "accepted", w->accepted);
	json_end(j);
}

void
report_status(const struct report_status *s, struct str *out)
{
	struct json j;
	size_t i;

	json_init(&j, out, true);
	json_object(&j, NULL);
	json_string(&j, "version", INTERPOSE_VERSION);
	json_uint(&j, "pid", (uint64_t)s->pid);
	json_string(&j, "state", s->state);
	json_uint(&j, "ms_up", s->up_ms);
	json_object(&j, "policy");
	json_string(&j, "path", s->policy);
	put_digest(&j, s->digest);
	json_string(&j, "since", s->since);
	json_end(&j);
	json_bool(&j, "alive", s->alive);
	json_bool(&j, "return_path_needed", s->spoofs);
	put_families(&j, "return_path", s->return_path);
	json_string(&j, "log_level", log_level_name(s->level));
	json_uint(&j, "flows", s->flows);
	json_uint(&j, "accepted", s->accepted);
	json_array(&j, "workers");
	for (i = 0; i < s->n_workers; i++)
		put_worker(&j, &s->workers[i]);
	json_end(&j);
	json_end(&j);
}

/* --- services ------------------------------------------------------------- */

static uint64_t
ended_in_all(const struct tally_sum *sum)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < REASON_COUNT; i++)
		n += sum->ended[i];
	return n;
}

static void
put_counters(struct json *j, const struct tally_sum *sum)
{
	json_uint(j, "flows", sum->flows);
	json_uint(j, "accepted", sum->accepted);
	json_uint(j, "lost", sum->lost);
	json_uint(j, "bytes_in", sum->bytes_in);
	json_uint(j, "bytes_out", sum->bytes_out);
}

/* What the policy says of it; nothing is known of one that is gone. */
static void
put_meaning(struct json *j, const struct policy_service *s)
{
	json_bool(j, "former", !s);
	if (!s)
		return;
	json_string(j, "mode", mode_name(s->mode));
	json_string(j, "pool", s->pool->name);
	if (!s->n_intercepts)
		return;
	json_string(j, "via", via_name(s->intercepts[0].via));
	json_uint(j, "capture_port", s->capture_port);
}

void
report_services(const struct report_service *list, size_t n, struct str *out)
{
	char text[ENDPOINT_TEXT_LEN];
	struct json j;
	size_t i, k;

	json_init(&j, out, true);
	json_object(&j, NULL);
	json_array(&j, "services");
	for (i = 0; i < n; i++) {
		json_object(&j, NULL);
		json_string(&j, "service", list[i].name);
		put_meaning(&j, list[i].service);
		json_string(&j, "rules", list[i].rules);
		json_array(&j, "sockets");
		for (k = 0; k < list[i].n_sockets; k++)
			json_string(&j, NULL,
				    endpoint_format(&list[i].sockets[k], text));
		json_end(&j);
		put_counters(&j, &list[i].sum);
		json_uint(&j, "ended", ended_in_all(&list[i].sum));
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
}

/* --- stats ---------------------------------------------------------------- */

/* All of them, or only those that happened. */
static void
put_reasons(struct json *j, const uint64_t *ended, bool all)
{
	size_t i;

	json_object(j, "ended");
	for (i = REASON_NONE + 1; i < REASON_COUNT; i++)
		if (all || ended[i])
			json_uint(j, reason_word((enum reason)i), ended[i]);
	json_end(j);
}

/* By the word that a record would have as its note. */
static void
put_refused(struct json *j, const uint64_t *bad)
{
	size_t i;

	json_object(j, "refused");
	for (i = HTTP_BAD_NONE + 1; i < HTTP_BAD_COUNT; i++)
		json_uint(j, http_bad_word((enum http_bad)i), bad[i]);
	json_end(j);
}

static void
put_sum_of_bytes(struct json *j, const struct report_service *list, size_t n)
{
	uint64_t in = 0, out = 0, lost = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		in += list[i].sum.bytes_in;
		out += list[i].sum.bytes_out;
		lost += list[i].sum.lost;
	}
	json_uint(j, "lost", lost);
	json_uint(j, "bytes_in", in);
	json_uint(j, "bytes_out", out);
}

void
report_stats(const struct report_total *total,
	     const struct report_service *list, size_t n, struct str *out)
{
	struct json j;
	size_t i;

	json_init(&j, out, true);
	json_object(&j, NULL);
	json_uint(&j, "flows", total->flows);
	json_uint(&j, "accepted", total->accepted);
	put_sum_of_bytes(&j, list, n);
	json_uint(&j, "limited", total->limited);
	json_uint(&j, "tested", total->tested);
	json_uint(&j, "unplaced", total->unplaced);
	json_uint(&j, "paused", total->paused);
	json_uint(&j, "shed", total->shed);
	json_uint(&j, "requests", total->requests);
	json_uint(&j, "not_http", total->not_http);
	put_refused(&j, total->bad);
	put_reasons(&j, total->ended, true);
	json_array(&j, "services");
	for (i = 0; i < n; i++) {
		json_object(&j, NULL);
		json_string(&j, "service", list[i].name);
		put_counters(&j, &list[i].sum);
		put_reasons(&j, list[i].sum.ended, false);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
}
