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

#include "lib/log.h"

/* Values of options that have no letter. */
enum {
	LETTER_JSON = 256,
	LETTER_PRINT,
	LETTER_FORCE,
	LETTER_LATER, /* of the contract, but not of this version */
};

/* clang-format off */
static const struct option long_options[] = {
	/* name      argument           -  letter */
	{ "json",     no_argument,       0, LETTER_JSON },
	{ "print",    no_argument,       0, LETTER_PRINT },
	{ "force",    no_argument,       0, LETTER_FORCE },
	{ "confirm",  required_argument, 0, LETTER_LATER },
	{ "existing", required_argument, 0, LETTER_LATER },
	{ "drain",    required_argument, 0, LETTER_LATER },
	{ "help",     no_argument,       0, 'h' },
	{ "version",  no_argument,       0, 'V' },
	{ 0 },
};
/* clang-format on */

static int
usage_error(const char *command, const char *why, const char *what)
{
	log_error("%s: %s %s; try `netsetup %s -h`", command, why, what,
		  command);
	return EXIT_USAGE;
}

static void
print_usage(const char *command, unsigned int allowed)
{
	printf("usage: netsetup %s%s%s%s%s\n", command,
	       allowed & OPTION_FILE ? " [-f policy]" : "",
	       allowed & OPTION_PRINT ? " [--print]" : "",
	       allowed & OPTION_FORCE ? " [--force]" : "",
	       allowed & OPTION_JSON ? " [--json]" : "");
}

/* Which OPTION_* a letter of getopt stands for; 0: none. */
static unsigned int
option_bit(int letter)
{
	switch (letter) {
	case 'f':
		return OPTION_FILE;
	case LETTER_JSON:
		return OPTION_JSON;
	case LETTER_PRINT:
		return OPTION_PRINT;
	case LETTER_FORCE:
		return OPTION_FORCE;
	default:
		return 0;
	}
}

static int
take_option(int letter, const char *command, const char *word,
	    unsigned int allowed, struct options *o)
{
	unsigned int bit = option_bit(letter);

	if (letter == 'h') {
		print_usage(command, allowed);
		return EXIT_DONE;
	}
	if (letter == 'V') {
		printf("netsetup %s\n", INTERPOSE_VERSION);
		return EXIT_DONE;
	}
	if (letter == LETTER_LATER) {
		log_error("%s: %s is not supported by this version", command,
			  word);
		return EXIT_USAGE;
	}
	if (letter == ':')
		return usage_error(command, "a value is missing after", word);
	if (!(bit & allowed))
		return usage_error(command, "unknown option", word);
	if (bit == OPTION_FILE)
		o->policy = optarg;
	o->json = o->json || bit == OPTION_JSON;
	o->print = o->print || bit == OPTION_PRINT;
	o->force = o->force || bit == OPTION_FORCE;
	return -1;
}

int
common_options(int argc, char **argv, unsigned int allowed,
	       struct options *ret_options)
{
	struct options o = {.policy = POLICY_PATH};
	int letter, status, word;

	opterr = 0;
	optind = 1;
	for (;;) {
		word = optind;
		letter = getopt_long(argc, argv, "+:f:hV", long_options, NULL);
		if (letter < 0)
			break;
		status = take_option(letter, argv[0], argv[word], allowed, &o);
		if (status >= 0)
			return status;
	}
	if (optind < argc && allowed & OPTION_FILE) {
		log_error("%s: unexpected %s; a policy is named with -f",
			  argv[0], argv[optind]);
		return EXIT_USAGE;
	}
	if (optind < argc)
		return usage_error(argv[0], "unexpected", argv[optind]);
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
	if (r == -ENOTUNIQ) {
		log_error(JOURNAL_DIR " belongs to somebody else, or others "
				      "may write to it; take it away");
		return EXIT_FAILED;
	}
	if (r == -EACCES || r == -EPERM || r == -EROFS) {
		log_error("cannot write to " JOURNAL_DIR ": %s", strerror(-r));
		return EXIT_NOT_PERMITTED;
	}
	if (r < 0)
		return common_fail(JOURNAL_DIR, r);
	return -1;
}
