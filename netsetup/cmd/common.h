/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common.h - what the commands of netsetup share: options, the policy, and
 * the ways to fail. Only commands print and choose an exit status.
 */
#ifndef NETSETUP_CMD_COMMON_H
#define NETSETUP_CMD_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/diag.h"
#include "policy/policy.h"

#include "netsetup/change/journal.h"

/* Exit statuses: netsetup(8). */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_DIFFERENCES = 2,
	EXIT_GUARD = 3,
	EXIT_USAGE = 64,
	EXIT_POLICY = 65,
	EXIT_NOT_PERMITTED = 77,
};

/* Options that a command may take. */
enum {
	OPTION_FILE = 1 << 0, /* -f POLICY */
	OPTION_JSON = 1 << 1,
	OPTION_PRINT = 1 << 2,
	OPTION_FORCE = 1 << 3,
	OPTION_CONFIRM = 1 << 4,  /* --confirm DURATION */
	OPTION_EXISTING = 1 << 5, /* --existing keep|reset */
	OPTION_DRAIN = 1 << 6,	  /* --drain DURATION */
	OPTION_IFACE = 1 << 7,	  /* -i INTERFACE */
};

struct options {
	const char *policy; /* POLICY_PATH unless -f */
	bool named;	    /* -f was given */
	bool json;
	bool print;
	bool force;
	uint64_t confirm_ms; /* 0: not given */
	uint64_t drain_ms;   /* 0: not given */
	bool reset_existing;
	const char *iface; /* NULL: not given */
	char **words;	   /* what is no option, in order */
	int n_words;
};

/*
 * Parse what follows a command's name, argv[0]. `allowed` are OPTION_* bits.
 * Options may stand before, between and after words. `words` describes those
 * in the usage line: "client[:port] destination:port"; NULL where none are
 * taken. Returns -1 to go on, or the exit status: the rest was said.
 */
int common_options(int argc, char **argv, unsigned int allowed,
		   const char *words, struct options *ret_options);

/* Everything that was noted goes to standard error. */
void common_print(const struct diags *d);

/* Only what is an error does. */
void common_print_errors(const struct diags *d);

/*
 * Say that `what` failed with `error`, a negative errno, and return the exit
 * status: EXIT_NOT_PERMITTED names the missing capability.
 */
int common_fail(const char *what, int error);

/* Open the journal and lock it. -1, or the exit status: the rest was said. */
int common_lock(struct journal *j);

#endif
