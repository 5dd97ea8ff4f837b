/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * show.c - one function an answer, for show.h.
 *
 * Members that are missing are shown as "-" or 0: what proxyd does not say,
 * proxyctl does not invent.
 */
#include "proxyd/ctl/show.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "proxyd/ctl/table.h"

static const char *
text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int64_t
number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Texts of an array, one after the other; "" if there are none. */
static const char *
list_of(const json_t *object, const char *key, const char *gap, struct str *s)
{
	const char *between = "";
	const json_t *one;
	size_t i;

	str_clear(s);
	json_array_foreach(json_object_get(object, key), i, one)
	{
		if (!json_is_string(one))
			continue;
		str_add(s, between);
		str_add(s, json_string_value(one));
		between = gap;
	}
	return str_text(s);
}

static const char *
or_dash(const char *text)
{
	return text && *text ? text : "-";
}

/* --- status --------------------------------------------------------------- */

static void
show_workers(const json_t *doc, struct str *out)
{
	static const char *const heads[] = {"worker", "process",  "state",
					    "flows",  "accepted", NULL};
	struct table t = {.heads = heads};
	const json_t *w;
	size_t i;

	json_array_foreach(json_object_get(doc, "workers"), i, w)
	{
		table_number(&t, number_of(w, "worker"));
		table_number(&t, number_of(w, "pid"));
		table_text(&t, text_of(w, "state"));
		table_number(&t, number_of(w, "flows"));
		table_number(&t, number_of(w, "accepted"));
	}
	table_print(&t, out);
	table_fini(&t);
}

static const char *
return_path_of(const json_t *doc, struct str *s)
{
	const char *families = list_of(doc, "return_path", ", ", s);

	if (!json_is_true(json_object_get(doc, "return_path_needed")))
		return "not needed";
	return *families ? families : "missing; run `netsetup apply`";
}

static void
show_status(const json_t *doc, struct str *out)
{
	const json_t *policy = json_object_get(doc, "policy");
	struct str list = {0};

	str_addf(out, "proxyd %s, process %" PRId64 ", %s, up ",
		 or_dash(text_of(doc, "version")), number_of(doc, "pid"),
		 or_dash(text_of(doc, "state")));
	table_add_ms(out, number_of(doc, "ms_up"));
	str_addf(out, "\npolicy       %s\n", or_dash(text_of(policy, "path")));
	str_addf(out, "digest       %s, since %s\n",
		 or_dash(text_of(policy, "digest")),
		 or_dash(text_of(policy, "since")));
	str_addf(out, "alive        %s\n",
		 json_is_true(json_object_get(doc, "alive")) ? "yes" : "no");
	str_addf(out, "return path  %s\n", return_path_of(doc, &list));
	str_addf(out, "log level    %s\n", or_dash(text_of(doc, "log_level")));
	str_addf(out, "flows        %" PRId64 ", of %" PRId64 " accepted\n\n",
		 number_of(doc, "flows"), number_of(doc, "accepted"));
	show_workers(doc, out);
	str_fini(&list);
}

/* --- flows ---------------------------------------------------------------- */

static void
show_flows(const json_t *doc, struct str *out)
{
	static const char *const heads[] = {
		"id",	  "service", "step", "client", "destination", "node",
		"source", "in",	     "out",  "age",    NULL};
	struct table t = {.heads = heads};
	const json_t *f;
	size_t i;

	json_array_foreach(json_object_get(doc, "flows"), i, f)
	{
		table_text(&t, text_of(f, "id"));
		table_text(&t, text_of(f, "service"));
		table_text(&t, text_of(f, "step"));
		table_text(&t, text_of(f, "client"));
		table_text(&t, text_of(f, "destination"));
		table_text(&t, text_of(f, "node"));
		table_text(&t, text_of(f, "source"));
		table_bytes(&t, number_of(f, "bytes_in"));
		table_bytes(&t, number_of(f, "bytes_out"));
		table_ms(&t, number_of(f, "ms_total"));
	}
	table_print(&t, out);
	table_fini(&t);
}

/* Who did not answer, and what was too much: the list is not complete. */
static enum show_result
note_missing(const json_t *doc, struct str *note)
{
	int64_t more = number_of(doc, "left_out");
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(doc, "silent"), i, one) str_addf(
		note,
		"%sworker process %" PRId64
		" did not answer: its flows are not in the list",
		note->len ? "\n" : "", (int64_t)json_integer_value(one));
	if (more)
		str_addf(note,
			 "%s%" PRId64 " more flows do not fit: ask for those of"
			 " a --service, --pool or --client",
			 note->len ? "\n" : "", more);
	return note->len ? SHOW_PART : SHOW_DONE;
}

/* --- services and stats --------------------------------------------------- */

static void
show_services(const json_t *doc, struct str *out)
{
	static const char *const heads[] = {
		"service", "mode",     "pool", "rules", "sockets",
		"flows",   "accepted", "in",   "out",	NULL};
	struct table t = {.heads = heads};
	struct str list = {0};
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(doc, "services"), i, s)
	{
		table_text(&t, text_of(s, "service"));
		table_text(&t, text_of(s, "mode"));
		table_text(&t, text_of(s, "pool"));
		table_text(&t, text_of(s, "rules"));
		table_text(&t, list_of(s, "sockets", " ", &list));
		table_number(&t, number_of(s, "flows"));
		table_number(&t, number_of(s, "accepted"));
		table_bytes(&t, number_of(s, "bytes_in"));
		table_bytes(&t, number_of(s, "bytes_out"));
	}
	table_print(&t, out);
	table_fini(&t);
	str_fini(&list);
}

static void
add_counters(struct table *t, const char *name, const json_t *s)
{
	table_text(t, name);
	table_number(t, number_of(s, "accepted"));
	table_number(t, number_of(s, "flows"));
	table_number(t, number_of(s, "lost"));
	table_bytes(t, number_of(s, "bytes_in"));
	table_bytes(t, number_of(s, "bytes_out"));
}

static void
add_reasons(struct table *t, const char *name, const json_t *s)
{
	const char *reason;
	json_t *n;

	json_object_foreach(json_object_get(s, "ended"), reason, n)
	{
		if (json_integer_value(n) == 0)
			continue;
		table_text(t, name);
		table_text(t, reason);
		table_number(t, json_integer_value(n));
	}
}

/* What was refused or had to wait, if anything was, and how much of HTTP. */
static void
show_others(const json_t *doc, struct str *out)
{
	static const char *const names[] = {"limited", "tested", "unplaced",
					    "paused",  "shed",	 "requests",
					    "not_http"};
	size_t i, n = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (number_of(doc, names[i]) <= 0)
			continue;
		str_addf(out, "%s%-12s %" PRId64 "\n", n++ ? "" : "\n",
			 names[i], number_of(doc, names[i]));
	}
}

/* Messages of HTTP, by what is wrong with them. */
static void
show_refused(const json_t *doc, struct str *out)
{
	static const char *const heads[] = {"refused", "messages", NULL};
	struct table t = {.heads = heads};
	const char *word;
	json_t *n;

	json_object_foreach(json_object_get(doc, "refused"), word, n)
	{
		if (json_integer_value(n) == 0)
			continue;
		table_text(&t, word);
		table_number(&t, json_integer_value(n));
	}
	if (t.n)
		str_add_char(out, '\n');
	table_print(&t, out);
	table_fini(&t);
}

static void
show_stats(const json_t *doc, struct str *out)
{
	static const char *const heads[] = {
		"service", "accepted", "flows", "lost", "in", "out", NULL};
	static const char *const why[] = {"service", "close", "flows", NULL};
	struct table counters = {.heads = heads}, reasons = {.heads = why};
	const json_t *s;
	size_t i;

	add_counters(&counters, "(all)", doc);
	add_reasons(&reasons, "(all)", doc);
	json_array_foreach(json_object_get(doc, "services"), i, s)
	{
		add_counters(&counters, text_of(s, "service"), s);
		add_reasons(&reasons, text_of(s, "service"), s);
	}
	table_print(&counters, out);
	if (reasons.n)
		str_add_char(out, '\n');
	table_print(&reasons, out);
	show_others(doc, out);
	show_refused(doc, out);
	table_fini(&counters);
	table_fini(&reasons);
}

/* --- any of them ---------------------------------------------------------- */

static void
add_trimmed(struct str *note, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	while (len && text[len - 1] == '\n')
		len--;
	if (len)
		str_add_bytes(note, text, len);
}

static enum show_result
show_refusal(const json_t *doc, const char *error, struct str *note)
{
	/* clang-format off */
	static const struct {
		const char *error;
		enum show_result result;
	} rows[] = {
		{ "usage",	   SHOW_USAGE },
		{ "not-permitted", SHOW_NOT_PERMITTED },
		{ "policy",	   SHOW_POLICY },
	};
	/* clang-format on */
	size_t i;

	add_trimmed(note, text_of(doc, "why"));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(error, rows[i].error))
			return rows[i].result;
	return SHOW_FAILED;
}

static enum show_result
show_done(enum wire_command command, const json_t *doc, struct str *out,
	  struct str *note)
{
	switch (command) {
	case WIRE_STATUS:
		show_status(doc, out);
		break;
	case WIRE_FLOWS:
		show_flows(doc, out);
		return note_missing(doc, note);
	case WIRE_SERVICES:
		show_services(doc, out);
		break;
	case WIRE_STATS:
		show_stats(doc, out);
		break;
	case WIRE_RELOAD:
		add_trimmed(note, text_of(doc, "warnings"));
		break;
	case WIRE_REOPEN:
	case WIRE_LOG_LEVEL:
	case WIRE_COMMANDS:
		break;
	}
	return SHOW_DONE;
}

enum show_result
show_answer(enum wire_command command, const struct str *doc, struct str *out,
	    struct str *note)
{
	enum show_result result;
	const char *error;
	json_error_t why;
	json_t *root;

	root = json_loadb(str_text(doc), doc->len, 0, &why);
	if (!json_is_object(root)) {
		str_add(note, doc->len ? "what proxyd said is not understood"
				       : "proxyd ended before it answered");
		json_decref(root);
		return SHOW_BROKEN;
	}
	error = text_of(root, "error");
	if (error)
		result = show_refusal(root, error, note);
	else
		result = show_done(command, root, out, note);
	json_decref(root);
	return result;
}
