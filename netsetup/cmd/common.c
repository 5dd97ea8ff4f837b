/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options by getopt_long(3), errors to standard error, and the one place where
 * a missing right becomes a sentence and a status.
 */
#include "netsetup/cmd/common.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

/* getopt's values for options that have no letter. */
enum { LETTER_FIRST = 256, DURATION_MAX_MS = 24 * 3600 * 1000 };

/* clang-format off */
static const struct row {
	const char *word;  /* after --; or NULL */
	char letter;	   /* after -; or 0 */
	unsigned int bit;
	const char *value; /* what it takes; NULL: nothing */
} rows[] = {
	/* word       letter bit              value */
	{ NULL,       'f',   OPTION_FILE,     "policy" },
	{ "print",    0,     OPTION_PRINT,    NULL },
	{ NULL,       'i',   OPTION_IFACE,    "interface" },
	{ "confirm",  0,     OPTION_CONFIRM,  "duration" },
	{ "existing", 0,     OPTION_EXISTING, "keep|reset" },
	{ "drain",    0,     OPTION_DRAIN,    "duration" },
	{ "force",    0,     OPTION_FORCE,    NULL },
	{ "json",     0,     OPTION_JSON,     NULL },
};
/* clang-format on */

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]), N_LONG = N_ROWS + 3 };

/* The rows as getopt_long(3) wants them, and help and version. */
static void
fill_long_options(struct option list[N_LONG])
{
	size_t i, n = 0;

	memset(list, 0, N_LONG * sizeof(list[0]));
	for (i = 0; i < N_ROWS; i++) {
		if (!rows[i].word)
			continue;
		list[n].name = rows[i].word;
		list[n].has_arg =
			rows[i].value ? required_argument : no_argument;
		list[n++].val = LETTER_FIRST + (int)i;
	}
	list[n].name = "help";
	list[n++].val = 'h';
	list[n].name = "version";
	list[n++].val = 'V';
}

static int
usage_error(const char *command, const char *why, const char *what)
{
	log_error("%s: %s %s; try `netsetup %s -h`", command, why, what,
		  command);
	return EXIT_USAGE;
}

/* One line: completion reads it too. */
static void
print_usage(const char *command, unsigned int allowed, const char *words)
{
	size_t i;

	printf("usage: netsetup %s", command);
	for (i = 0; i < N_ROWS; i++) {
		if (!(allowed & rows[i].bit))
			continue;
		if (rows[i].word)
			printf(" [--%s", rows[i].word);
		else
			printf(" [-%c", rows[i].letter);
		if (rows[i].value)
			printf(" %s", rows[i].value);
		putchar(']');
	}
	if (words)
		printf(" %s", words);
	putchar('\n');
}

/* The row that getopt's value stands for, or NULL. */
static const struct row *
find_row(int letter)
{
	size_t i;

	if (letter >= LETTER_FIRST)
		return &rows[letter - LETTER_FIRST];
	for (i = 0; i < N_ROWS; i++) {
		if (rows[i].letter && rows[i].letter == letter)
			return &rows[i];
	}
	return NULL;
}

/* A duration that is worth waiting for. */
static int
take_duration(const char *command, const char *word, uint64_t *ret_ms)
{
	uint64_t ms;
	int r = clock_parse_duration(optarg, &ms);

	if (r == 0 && ms > 0 && ms <= DURATION_MAX_MS) {
		*ret_ms = ms;
		return -1;
	}
	log_error("%s: %s takes a duration from 1ms to 24h, such as 60s or "
		  "5m, not '%s'",
		  command, word, optarg);
	return EXIT_USAGE;
}

static int
take_existing(const char *command, struct options *o)
{
	if (strcmp(optarg, "keep") != 0 && strcmp(optarg, "reset") != 0) {
		log_error("%s: --existing is keep or reset, not '%s'", command,
			  optarg);
		return EXIT_USAGE;
	}
	o->reset_existing = !strcmp(optarg, "reset");
	return -1;
}

static int
take_row(const struct row *row, const char *command, struct options *o)
{
	switch (row->bit) {
	case OPTION_FILE:
		o->policy = optarg;
		o->named = true;
		break;
	case OPTION_JSON:
		o->json = true;
		break;
	case OPTION_PRINT:
		o->print = true;
		break;
	case OPTION_FORCE:
		o->force = true;
		break;
	case OPTION_IFACE:
		o->iface = optarg;
		break;
	case OPTION_CONFIRM:
		return take_duration(command, "--confirm", &o->confirm_ms);
	case OPTION_DRAIN:
		return take_duration(command, "--drain", &o->drain_ms);
	case OPTION_EXISTING:
		return take_existing(command, o);
	}
	return -1;
}

/* What to say to a word that no option starts. */
static int
unexpected(const char *command, const char *word, unsigned int allowed)
{
	if (!(allowed & OPTION_FILE))
		return usage_error(command, "unexpected", word);
	log_error("%s: unexpected %s; a policy is named with -f", command,
		  word);
	return EXIT_USAGE;
}

/* The next option in argv, as it was typed: getopt_long(3) passes by words. */
static const char *
next_option(int argc, char **argv)
{
	int i = optind > 0 ? optind : 1;

	while (i < argc - 1 && argv[i][0] != '-')
		i++;
	return argv[i];
}

static int
take_letter(int letter, const char *typed, const char *command,
	    unsigned int allowed, struct options *o)
{
	const struct row *row;

	if (letter == 'V') {
		printf("netsetup %s\n", INTERPOSE_VERSION);
		return EXIT_DONE;
	}
	row = find_row(letter == ':' ? optopt : letter);
	if (!row || !(row->bit & allowed))
		return usage_error(command, "unknown option", typed);
	if (letter == ':')
		return usage_error(command, "a value is missing after", typed);
	return take_row(row, command, o);
}

int
common_options(int argc, char **argv, unsigned int allowed, const char *words,
	       struct options *ret_options)
{
	struct options o = {.policy = POLICY_PATH};
	struct option long_options[N_LONG];
	const char *typed;
	int letter, status;

	fill_long_options(long_options);
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	for (;;) {
		typed = next_option(argc, argv);
		/* '+': the first word ends them, unless words are taken */
		letter = getopt_long(argc, argv, words ? ":f:i:hV" : "+:f:i:hV",
				     long_options, NULL);
		if (letter < 0)
			break;
		if (letter == 'h') {
			print_usage(argv[0], allowed, words);
			return EXIT_DONE;
		}
		status = take_letter(letter, typed, argv[0], allowed, &o);
		if (status >= 0)
			return status;
	}
	if (optind < argc && !words)
		return unexpected(argv[0], argv[optind], allowed);
	o.words = argv + optind;
	o.n_words = argc - optind;
	*ret_options = o;
	return -1;
}

void
common_print(const struct diags *d)
{
	bool colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
	struct str text = {0};

	diags_format(d, colour, &text);
	fputs(str_text(&text), stderr);
	str_fini(&text);
}

void
common_print_errors(const struct diags *d)
{
	if (d->n_errors > 0)
		common_print(d);
}

int
common_fail(const char *what, int error)
{
	if (error == -EPERM || error == -EACCES) {
		log_error("%s: not permitted: CAP_NET_ADMIN is missing%s", what,
			  geteuid() == 0 ? "" : "; run it as root");
		return EXIT_NOT_PERMITTED;
	}
	if (error == -ENOTUNIQ) { /* see journal.h */
		log_error(JOURNAL_DIR ", or a file in it, belongs to somebody "
				      "else, or others may write to it; take "
				      "it away");
		return EXIT_FAILED;
	}
	if (error == -EAGAIN) { /* never twice the same, see observe.h */
		log_error("%s: another program changes the ruleset all the "
			  "time; try again",
			  what);
		return EXIT_FAILED;
	}
	log_error("%s: %s", what, strerror(-error));
	return EXIT_FAILED;
}

int
common_lock(struct journal *j)
{
	pid_t holder;
	int r;

	r = journal_open(j, JOURNAL_DIR);
	if (r < 0)
		return common_fail("cannot tell the network namespace", r);
	r = journal_lock(j, &holder);
	if (r == -EAGAIN) {
		log_error("another netsetup is at work, process %d",
			  (int)holder);
		return EXIT_FAILED;
	}
	if (r == -ENOTUNIQ && geteuid() != 0) {
		log_error("cannot write to " JOURNAL_DIR "; run it as root");
		return EXIT_NOT_PERMITTED;
	}
	if (r == -EACCES || r == -EPERM || r == -EROFS) {
		log_error("cannot write to " JOURNAL_DIR ": %s", strerror(-r));
		return EXIT_NOT_PERMITTED;
	}
	if (r < 0)
		return common_fail(JOURNAL_DIR, r);
	return -1;
}
