/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.c - words to values, for wire.h.
 *
 * Strict: one space between words, each part once, nothing left over. Who
 * writes requests by hand is told what is wrong with them.
 */
#include "proxyd/ctl/wire.h"

#include <errno.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *word;
	bool changes;
} rows[WIRE_COMMANDS] = {
	/*                   word         changes */
	[WIRE_STATUS]    = { "status",    false },
	[WIRE_FLOWS]     = { "flows",     false },
	[WIRE_SERVICES]  = { "services",  false },
	[WIRE_STATS]     = { "stats",     false },
	[WIRE_RELOAD]    = { "reload",    true },
	[WIRE_REOPEN]    = { "reopen",    true },
	[WIRE_LOG_LEVEL] = { "log-level", true },
};
/* clang-format on */

const char *
wire_word(enum wire_command command)
{
	return command < WIRE_COMMANDS ? rows[command].word : NULL;
}

bool
wire_changes(enum wire_command command)
{
	return command < WIRE_COMMANDS && rows[command].changes;
}

/* --- the parts of a filter ------------------------------------------------ */

static int
set_name(char name[NAME_MAX_LEN + 1], const char *key, const char *value,
	 struct str *why)
{
	if (!name_valid(value)) {
		str_addf(why, "'%s' is not the name of a %s", value, key);
		return -EINVAL;
	}
	strcpy(name, value);
	return 0;
}

/* Host bits do no harm here: 10.1.0.1/16 means its network. */
static int
set_client(struct wire_filter *f, const char *value, struct str *why)
{
	int r = prefix_parse(value, &f->client);

	if (r != -EINVAL)
		return 0;
	str_addf(why, "'%s' is not an address or a network", value);
	return -EINVAL;
}

int
wire_set_filter(struct wire_filter *f, const char *key, const char *value,
		struct str *why)
{
	if (!strcmp(key, "service"))
		return set_name(f->service, key, value, why);
	if (!strcmp(key, "pool"))
		return set_name(f->pool, key, value, why);
	if (!strcmp(key, "client"))
		return set_client(f, value, why);
	return -ENOENT;
}

/* --- writing -------------------------------------------------------------- */

static void
format_filter(const struct wire_filter *f, struct str *out)
{
	char text[PREFIX_TEXT_LEN];

	if (f->service[0])
		str_addf(out, " service=%s", f->service);
	if (f->pool[0])
		str_addf(out, " pool=%s", f->pool);
	if (f->client.addr.family)
		str_addf(out, " client=%s", prefix_format(&f->client, text));
}

void
wire_format(const struct wire_request *r, struct str *out)
{
	str_add(out, rows[r->command].word);
	if (r->command == WIRE_FLOWS)
		format_filter(&r->filter, out);
	if (r->command == WIRE_LOG_LEVEL)
		str_addf(out, " %s", log_level_name(r->level));
	str_add_char(out, '\n');
}

/* --- reading -------------------------------------------------------------- */

/* The next word, cut off from what follows. NULL: there is none. */
static char *
next_word(char **rest)
{
	char *word = *rest;

	if (!word)
		return NULL;
	*rest = strchr(word, ' ');
	if (*rest)
		*(*rest)++ = '\0';
	return word;
}

static int
parse_command(const char *word, struct wire_request *r, struct str *why)
{
	size_t i;

	for (i = 0; i < WIRE_COMMANDS; i++) {
		if (strcmp(word, rows[i].word) != 0)
			continue;
		r->command = (enum wire_command)i;
		return 0;
	}
	str_addf(why, "proxyd does not know '%s'", word);
	return -EINVAL;
}

static bool
is_set(const struct wire_filter *f, const char *key)
{
	if (!strcmp(key, "service"))
		return f->service[0] != '\0';
	if (!strcmp(key, "pool"))
		return f->pool[0] != '\0';
	return !strcmp(key, "client") && f->client.addr.family;
}

/* "service=web" */
static int
parse_part(char *word, struct wire_filter *f, struct str *why)
{
	char *value = strchr(word, '=');
	int r = -ENOENT;

	if (value) {
		*value++ = '\0';
		if (is_set(f, word)) {
			str_addf(why, "%s is given twice", word);
			return -EINVAL;
		}
		r = wire_set_filter(f, word, value, why);
	}
	if (r == -ENOENT)
		str_addf(why, "flows cannot be asked for by '%s'", word);
	return r < 0 ? -EINVAL : 0;
}

static int
parse_level(const char *word, enum log_level *ret_level, struct str *why)
{
	int level = word ? log_level_parse(word) : -EINVAL;

	if (level < 0) {
		str_add(why, "a level is " LOG_LEVEL_NAMES);
		return -EINVAL;
	}
	*ret_level = (enum log_level)level;
	return 0;
}

static int
parse_words(char *line, struct wire_request *q, struct str *why)
{
	char *word, *rest = line;
	int r;

	r = parse_command(next_word(&rest), q, why);
	if (r == 0 && q->command == WIRE_LOG_LEVEL)
		r = parse_level(next_word(&rest), &q->level, why);
	while (r == 0 && q->command == WIRE_FLOWS && (word = next_word(&rest)))
		r = parse_part(word, &q->filter, why);
	if (r == 0 && rest) {
		str_addf(why, "%s takes no '%s'", rows[q->command].word, rest);
		r = -EINVAL;
	}
	return r;
}

int
wire_parse(const char *line, size_t len, struct wire_request *ret_request,
	   struct str *why)
{
	struct wire_request q = {0};
	char text[WIRE_REQUEST_MAX];
	size_t i;
	int r;

	for (i = 0; i < len; i++) {
		if (line[i] >= ' ' && line[i] < 0x7f)
			continue;
		str_add(why, "a request is a line of printable characters");
		return -EINVAL;
	}
	if (len >= sizeof(text)) {
		str_addf(why, "a request has at most %d bytes",
			 WIRE_REQUEST_MAX);
		return -EINVAL;
	}
	memcpy(text, line, len);
	text[len] = '\0';
	r = parse_words(text, &q, why);
	if (r == 0)
		*ret_request = q;
	return r;
}
