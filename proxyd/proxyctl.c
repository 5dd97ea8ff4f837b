/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proxyctl - asks a proxyd that runs, and tells it what to do.
 *
 * One command, one request, one answer, one exit status. What the answer
 * says goes to standard output, what is to be said about it to standard
 * error, and whatever fails says what to do. Source: proxyctl(8).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/names.h"
#include "lib/str.h"
#include "policy/policy.h"

#include "proxyd/ctl/local.h"
#include "proxyd/ctl/show.h"
#include "proxyd/ctl/wire.h"

enum {
	STATUS_USAGE = 64,
	STATUS_POLICY = 65,
	STATUS_NOT_PERMITTED = 77,
};

enum {
	WAIT_MS = 15000,
	WAIT_RELOAD_MS = 300000,
	PATIENCE_MS = 1000, /* while proxyd replaces itself */
	PATIENCE_TURN_MS = 50,
};

/* Options that a command may take. */
enum {
	TAKES_JSON = 1 << 0,
	TAKES_FILTER = 1 << 1, /* --service --pool --client */
	TAKES_LEVEL = 1 << 2,  /* a word */
};

/* clang-format off */
static const struct row {
	unsigned int takes;
	const char *help;
} rows[WIRE_COMMANDS] = {
	/*                   takes         help */
	[WIRE_STATUS]    = { TAKES_JSON,
		"is it well, and with which policy?" },
	[WIRE_FLOWS]     = { TAKES_JSON | TAKES_FILTER,
		"the flows that live now" },
	[WIRE_SERVICES]  = { TAKES_JSON,
		"each service: its sockets, its rules, its flows" },
	[WIRE_STATS]     = { TAKES_JSON,
		"what became of flows, counted" },
	[WIRE_RELOAD]    = { 0,
		"read the policy anew, and wait until it is in force" },
	[WIRE_REOPEN]    = { 0,
		"open the log files anew" },
	[WIRE_LOG_LEVEL] = { TAKES_LEVEL,
		"say more, or less" },
};
/* clang-format on */

struct options {
	const char *socket;
	struct wire_request request;
	bool json;
};

/* --- the command line ----------------------------------------------------- */

static void
print_help(FILE *out)
{
	size_t i;

	fputs("usage: proxyctl command [options]\n", out);
	for (i = 0; i < WIRE_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", wire_word(i), rows[i].help);
	fputs("proxyd listens at " POLICY_CONTROL_PATH
	      " unless -s says otherwise.\n",
	      out);
}

/* One line: completion reads it too. */
static void
print_usage(enum wire_command command, FILE *out)
{
	unsigned int takes = rows[command].takes;

	fprintf(out, "usage: proxyctl %s [-s socket]", wire_word(command));
	if (takes & TAKES_FILTER)
		fputs(" [--service name] [--pool name] [--client address]",
		      out);
	if (takes & TAKES_JSON)
		fputs(" [--json]", out);
	if (takes & TAKES_LEVEL)
		fputs(" error|warning|notice|info|debug", out);
	fputc('\n', out);
}

static int
usage_error(enum wire_command command, const char *why)
{
	log_error("%s", why);
	print_usage(command, stderr);
	return STATUS_USAGE;
}

/* The command of that name, or WIRE_COMMANDS, and then it was said. */
static enum wire_command
find_command(const char *word)
{
	const char *names[WIRE_COMMANDS], *near;
	size_t i;

	for (i = 0; i < WIRE_COMMANDS; i++) {
		names[i] = wire_word(i);
		if (!strcmp(word, names[i]))
			return i;
	}
	near = name_nearest(word, names, WIRE_COMMANDS);
	if (word[0] == '-')
		log_error("options come after the command; try `proxyctl -h`");
	else if (near)
		log_error("unknown command '%s', did you mean '%s'?", word,
			  near);
	else
		log_error("unknown command '%s'; try `proxyctl -h`", word);
	return WIRE_COMMANDS;
}

static int
unexpected(enum wire_command command, const char *word)
{
	log_error("%s takes no '%s'", wire_word(command), word);
	print_usage(command, stderr);
	return STATUS_USAGE;
}

/* "--service", what is a part of the filter */
static int
take_filter(struct options *o, const char *option)
{
	const char *key = option + strlen("--");
	struct str why = {0};
	int status = -1;

	if (!(rows[o->request.command].takes & TAKES_FILTER))
		return unexpected(o->request.command, option);
	if (wire_set_filter(&o->request.filter, key, optarg, &why) < 0)
		status = usage_error(o->request.command, str_text(&why));
	str_fini(&why);
	return status;
}

static int
take_level(struct options *o, int argc, char **argv)
{
	int level = optind < argc ? log_level_parse(argv[optind]) : -EINVAL;

	if (level < 0)
		return usage_error(o->request.command,
				   "a level is " LOG_LEVEL_NAMES);
	o->request.level = (enum log_level)level;
	optind++;
	return -1;
}

/* Options that only some commands take, by the letter of getopt_long(3). */
static int
take_option(struct options *o, int letter)
{
	unsigned int takes = rows[o->request.command].takes;

	switch (letter) {
	case 'j':
		if (!(takes & TAKES_JSON))
			return unexpected(o->request.command, "--json");
		o->json = true;
		return -1;
	case 'S':
	case 'P':
	case 'C':
		return take_filter(o, letter == 'S'   ? "--service"
				      : letter == 'P' ? "--pool"
						      : "--client");
	default: /* getopt has said what is wrong */
		print_usage(o->request.command, stderr);
		return STATUS_USAGE;
	}
}

/* Returns an exit status, or -1 to go on. argv[0] is the command. */
static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{"json", no_argument, 0, 'j'},
		{"service", required_argument, 0, 'S'},
		{"pool", required_argument, 0, 'P'},
		{"client", required_argument, 0, 'C'},
		{"help", no_argument, 0, 'h'},
		{"version", no_argument, 0, 'V'},
		{0},
	};
	int c, status = -1;

	while (status < 0 &&
	       (c = getopt_long(argc, argv, "s:hV", names, NULL)) != -1) {
		if (c == 's') {
			o->socket = optarg;
		} else if (c == 'h') {
			print_usage(o->request.command, stdout);
			status = EXIT_SUCCESS;
		} else if (c == 'V') {
			puts("proxyctl " INTERPOSE_VERSION);
			status = EXIT_SUCCESS;
		} else {
			status = take_option(o, c);
		}
	}
	if (status < 0 && rows[o->request.command].takes & TAKES_LEVEL)
		status = take_level(o, argc, argv);
	if (status < 0 && optind < argc)
		status = unexpected(o->request.command, argv[optind]);
	return status;
}

/* --- asking --------------------------------------------------------------- */

/* For people who may not: whose group is it? */
static int
not_permitted(const char *path)
{
	const char *name = "interpose";
	struct group group, *found = NULL;
	char buf[4096];
	struct stat st;

	if (stat(path, &st) == 0)
		(void)getgrgid_r(st.st_gid, &group, buf, sizeof(buf), &found);
	if (found)
		name = found->gr_name;
	log_error("%s is for root and group %s; `adduser USER %s` lets a user"
		  " in, from the next login on",
		  path, name, name);
	return STATUS_NOT_PERMITTED;
}

static int
cannot_connect(const char *path, int error)
{
	if (error == -EACCES || error == -EPERM)
		return not_permitted(path);
	if (error == -ENOENT || error == -ECONNREFUSED)
		log_error("no proxyd listens at %s; `systemctl start"
			  " interpose` starts one, -s names another socket",
			  path);
	else if (error == -EAGAIN)
		log_error("proxyd does not answer at %s; `systemctl restart"
			  " interpose` starts another",
			  path);
	else
		log_error("cannot connect to %s: %s", path, strerror(-error));
	return EXIT_FAILURE;
}

/* Where a proxyd was a moment ago, another may be about to listen. */
static int
connect_patiently(const char *path, unsigned int ms, int *ret_fd)
{
	static const struct timespec turn = {
		.tv_nsec = PATIENCE_TURN_MS * 1000000L,
	};
	uint64_t until_ms = clock_now_ms() + PATIENCE_MS;
	int r;

	while ((r = local_connect(path, ms, ret_fd)) == -ECONNREFUSED &&
	       clock_now_ms() < until_ms)
		nanosleep(&turn, NULL);
	return r;
}

/* Until its end, however it ends: what came says whether it is whole. */
static int
receive(int fd, struct str *doc)
{
	char buf[65536];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		str_add_bytes(doc, buf, (size_t)n);
	return n < 0 && errno == EAGAIN ? -EAGAIN : 0;
}

/* 0 and the answer, or an exit status and it was said why. */
static int
ask(const struct options *o, struct str *doc)
{
	bool reload = o->request.command == WIRE_RELOAD;
	struct str line = {0};
	int fd, r;

	r = connect_patiently(o->socket, reload ? WAIT_RELOAD_MS : WAIT_MS,
			      &fd);
	if (r < 0)
		return cannot_connect(o->socket, r);
	wire_format(&o->request, &line);
	/* who refuses at once does not wait for the request */
	(void)send(fd, line.data, line.len, MSG_NOSIGNAL);
	str_fini(&line);
	r = receive(fd, doc);
	close(fd);
	return r < 0 ? cannot_connect(o->socket, r) : 0;
}

/* --- answering ------------------------------------------------------------ */

/* Each line of it is one message. */
static void
say(const struct str *note)
{
	char *line = note->data, *rest = line;

	while (rest && *rest) {
		line = strsep(&rest, "\n");
		log_error("%s", line);
	}
}

static int
tell(const struct options *o, const struct str *doc)
{
	struct str text = {0}, note = {0};
	int status = EXIT_FAILURE;
	enum show_result result;

	result = show_answer(o->request.command, doc, &text, &note);
	if (result == SHOW_DONE || result == SHOW_PART)
		fputs(str_text(o->json ? doc : &text), stdout);
	switch (result) {
	case SHOW_DONE:
		status = EXIT_SUCCESS;
		break;
	case SHOW_PART:
	case SHOW_FAILED:
	case SHOW_BROKEN:
		break;
	case SHOW_USAGE:
		status = STATUS_USAGE;
		break;
	case SHOW_POLICY:
		status = STATUS_POLICY;
		break;
	case SHOW_NOT_PERMITTED:
		status = STATUS_NOT_PERMITTED;
		break;
	}
	/* places of the policy stand first in their lines */
	if (o->request.command == WIRE_RELOAD &&
	    (result == SHOW_DONE || result == SHOW_POLICY))
		fprintf(stderr, "%s%s", str_text(&note), note.len ? "\n" : "");
	else
		say(&note);
	str_fini(&text);
	str_fini(&note);
	return status;
}

static int
run(int argc, char **argv)
{
	struct options o = {.socket = POLICY_CONTROL_PATH};
	struct str doc = {0};
	int status;

	if (argc < 2) {
		print_help(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
		print_help(stdout);
		return EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version")) {
		puts("proxyctl " INTERPOSE_VERSION);
		return EXIT_SUCCESS;
	}
	o.request.command = find_command(argv[1]);
	if (o.request.command == WIRE_COMMANDS)
		return STATUS_USAGE;
	/* getopt names it in what it says */
	argv[1] = argv[0];
	status = read_options(argc - 1, argv + 1, &o);
	if (status >= 0)
		return status;
	status = ask(&o, &doc);
	if (status == 0)
		status = tell(&o, &doc);
	str_fini(&doc);
	return status;
}

/* A socket that is opened later must not become where the output goes. */
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

int
main(int argc, char **argv)
{
	int status;

	fill_standard_files();
	log_init("proxyctl", LOG_LEVEL_NOTICE);
	status = run(argc, argv);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	log_error("standard output takes no more: what was written is not "
		  "complete");
	return status == EXIT_SUCCESS ? EXIT_FAILURE : status;
}
