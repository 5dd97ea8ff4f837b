/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netsetup - from a policy to nftables rules, ip rules, routes and sysctls.
 *
 * Finds the command and hands over to it. Output that did not arrive is a
 * failure, for half a script or half a policy looks like a whole one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "netsetup/cmd/apply.h"
#include "netsetup/cmd/bypass.h"
#include "netsetup/cmd/check.h"
#include "netsetup/cmd/common.h"
#include "netsetup/cmd/confirm.h"
#include "netsetup/cmd/doctor.h"
#include "netsetup/cmd/explain.h"
#include "netsetup/cmd/export.h"
#include "netsetup/cmd/plan.h"
#include "netsetup/cmd/remove.h"
#include "netsetup/cmd/status.h"
#include "netsetup/cmd/watch.h"

/* clang-format off */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	/* name     runs        help */
	{ "check",  cmd_check,  "is the policy sound?" },
	{ "plan",   cmd_plan,   "what would apply change?" },
	{ "apply",  cmd_apply,  "make the kernel do what the policy says" },
	{ "confirm", cmd_confirm, "keep what apply --confirm did" },
	{ "watch", cmd_watch, "stay, and act when others change it" },
	{ "status", cmd_status, "what is installed, and who is alive?" },
	{ "remove", cmd_remove, "take away all that apply has made" },
	{ "explain", cmd_explain, "which way would this flow go, and why?" },
	{ "doctor", cmd_doctor, "what on this box would break it?" },
	{ "export", cmd_export, "the same as a script of nft and ip" },
	{ "bypass",  cmd_bypass,  "route these two unproxied for a while" },
};
/* clang-format on */

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void
print_help(FILE *out)
{
	size_t i;

	fputs("usage: netsetup command [options]\n", out);
	for (i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("The policy is " POLICY_PATH " unless -f says otherwise.\n", out);
}

static int
unknown_command(const char *word)
{
	const char *names[N_COMMANDS];
	const char *near;
	size_t i;

	if (word[0] == '-') {
		log_error("options come after the command; try `netsetup -h`");
		return EXIT_USAGE;
	}
	for (i = 0; i < N_COMMANDS; i++)
		names[i] = commands[i].name;
	near = name_nearest(word, names, N_COMMANDS);
	if (near)
		log_error("unknown command '%s', did you mean '%s'?", word,
			  near);
	else
		log_error("unknown command '%s'; try `netsetup -h`", word);
	return EXIT_USAGE;
}

/* A file that is opened later must not become where the output goes. */
static void
fill_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int
run(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
		print_help(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version")) {
		printf("netsetup %s\n", INTERPOSE_VERSION);
		return EXIT_DONE;
	}
	for (i = 0; i < N_COMMANDS; i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	}
	return unknown_command(argv[1]);
}

int
main(int argc, char **argv)
{
	int status;

	fill_standard_files();
	log_init("netsetup", LOG_LEVEL_NOTICE);
	status = run(argc, argv);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	log_error("standard output takes no more: what was written is not "
		  "complete");
	return status == EXIT_DONE || status == EXIT_DIFFERENCES ? EXIT_FAILED
								 : status;
}
