/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c - proxyd's command line, its policy and its rights.
 *
 * Everything that an administrator can have got wrong is found here, before
 * a socket is opened: usage, policy, missing rights, each with its exit
 * status. Source: proxyd(8).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/diag.h"
#include "lib/log.h"
#include "lib/str.h"

#include "policy/policy.h"

#include "proxyd/base/fdcheck.h"
#include "proxyd/base/notify.h"
#include "proxyd/base/priv.h"
#include "proxyd/base/sandbox.h"
#include "proxyd/baton.h"
#include "proxyd/ctl/local.h"
#include "proxyd/http/error_page.h"
#include "proxyd/master.h"
#include "proxyd/net/inherited.h"

enum {
	STATUS_USAGE = 64,
	STATUS_POLICY = 65,
	STATUS_NOT_PERMITTED = 77,
	WORKERS_MAX = 1024,
};

struct options {
	const char *policy;
	uint32_t workers; /* 0: as the policy says */
	const char *control;
	int verbose;
	bool check_only;
};

static void
print_usage(FILE *out)
{
	fputs("usage: proxyd [-f POLICY] [-c SOCKET] [-n] [-v]..."
	      " [-w WORKERS] | -h | -V\n"
	      "  -f POLICY   read this file, not " POLICY_PATH "\n"
	      "  -c SOCKET   have proxyctl ask here, not at\n"
	      "              " POLICY_CONTROL_PATH "\n"
	      "  -n          check the policy and exit\n"
	      "  -v          say more; twice: even more\n"
	      "  -w WORKERS  so many, whatever the policy says\n"
	      "  -h, -V      this text; the version\n",
	      out);
}

/* As `workers` in a policy. */
static bool
read_workers(const char *text, uint32_t *ret_workers)
{
	char *end;
	long n;

	n = strtol(text, &end, 10);
	if (end == text || *end || n < 1 || n > WORKERS_MAX) {
		fprintf(stderr,
			"proxyd: -w wants a number, 1 to %d, not '%s'\n",
			WORKERS_MAX, text);
		return false;
	}
	*ret_workers = (uint32_t)n;
	return true;
}

/* Returns an exit status, or -1 to go on. */
static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{"help", no_argument, 0, 'h'},
		{"version", no_argument, 0, 'V'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "f:c:nvw:hV", names, NULL)) != -1) {
		switch (c) {
		case 'f':
			o->policy = optarg;
			break;
		case 'c':
			o->control = optarg;
			break;
		case 'n':
			o->check_only = true;
			break;
		case 'v':
			o->verbose++;
			break;
		case 'w':
			if (!read_workers(optarg, &o->workers))
				return STATUS_USAGE;
			break;
		case 'h':
			print_usage(stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("proxyd " INTERPOSE_VERSION);
			return EXIT_SUCCESS;
		default:
			print_usage(stderr);
			return STATUS_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "proxyd: unexpected argument '%s'\n", argv[optind]);
	print_usage(stderr);
	return STATUS_USAGE;
}

static struct policy *
load_policy(const char *path)
{
	bool colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
	struct str text = {0};
	struct diags diags;
	struct policy *p;
	bool bad;

	diags_init(&diags);
	p = policy_load(path, &diags);
	bad = p && error_pages_check(p, &diags) < 0;
	diags_format(&diags, colour, &text);
	fputs(str_text(&text), stderr);
	str_fini(&text);
	diags_fini(&diags);
	if (!bad)
		return p;
	policy_free(p);
	return NULL;
}

/* From now on, only the system calls of the master. 0 or an exit status. */
static int
shut_in(void)
{
	int r;

	/* gmtime_r() reads a file, once: not in a worker, which may not */
	tzset();
	r = sandbox_enter(PRIV_MASTER);
	if (r == -ENOSYS)
		log_notice("this kernel has no seccomp; system calls are not"
			   " filtered");
	if (r == 0 || r == -ENOSYS)
		return 0;
	log_error("cannot filter system calls: %s", strerror(-r));
	return STATUS_NOT_PERMITTED;
}

/*
 * Have the rights of the master, and no others; `succeeds` a former proxyd.
 * 0 or an exit status.
 */
static int
take_rights(const struct policy *p, bool succeeds)
{
	struct str missing = {0};
	int r;

	r = priv_missing(PRIV_MASTER, &missing);
	if (r > 0)
		log_error("missing %s; %s", str_text(&missing),
			  geteuid() == 0 ? "see proxyd(8)" : "run it as root");
	str_fini(&missing);
	if (r > 0)
		return STATUS_NOT_PERMITTED;
	/* where it cannot be, who listens there says so */
	if (!succeeds && geteuid() == 0)
		(void)local_prepare(p->gateway.user);
	/* a former proxyd has done that, and nobody can do it again */
	if (r == 0 && !succeeds)
		r = priv_become(p->gateway.user);
	if (r == -ENOENT)
		log_error("there is no user '%s'; create it, or name another "
			  "with 'user' in gateway",
			  p->gateway.user);
	else if (r < 0)
		log_error("cannot become user '%s': %s", p->gateway.user,
			  strerror(-r));
	if (r < 0)
		return r == -EPERM ? STATUS_NOT_PERMITTED : EXIT_FAILURE;
	r = priv_limit(PRIV_MASTER);
	if (r == 0)
		return shut_in();
	log_error("cannot give up capabilities: %s", strerror(-r));
	return STATUS_NOT_PERMITTED;
}

/* Descriptors 0 to 2 must be taken, or a socket becomes standard error. */
static bool
have_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Sockets that the service manager kept. */
static void
take_kept(struct listeners *ls)
{
	unsigned int n = notify_take_fds(), i;
	int fd, r;

	for (i = 0; i < n; i++) {
		fd = NOTIFY_FIRST_FD + (int)i;
		r = inherited_add(ls, fd);
		if (r == 0)
			continue;
		log_notice("descriptor %d of the service manager is not ours:"
			   " %s",
			   fd, strerror(-r));
		close(fd);
	}
}

/* 0 or an exit status. */
static int
prepare(const struct options *o, struct master_setup *setup)
{
	bool succeeds = setup->handover->n_crews > 0;

	setup->policy = load_policy(o->policy);
	/* it was right a moment ago: the former crews have one of their own */
	if (!setup->policy && !succeeds)
		return STATUS_POLICY;
	if (setup->policy && o->workers)
		setup->policy->gateway.workers = o->workers;
	if (o->check_only)
		return EXIT_SUCCESS;
	return take_rights(setup->policy, succeeds);
}

/* Be proxyd, in the place of a former one if there was one. */
static int
run(const struct options *o, char *const *argv)
{
	struct listeners sockets = {0};
	struct handover handover;
	struct master_setup setup = {
		.path = o->policy,
		.workers = o->workers,
		.argv = argv,
		.handover = &handover,
		.sockets = &sockets,
		.control = o->control,
	};
	int status;

	take_kept(&sockets);
	baton_take(&handover, &sockets);
	status = prepare(o, &setup);
	if (status == 0 && !o->check_only)
		status = master_run(&setup);
	else
		policy_free(setup.policy);
	listeners_close(&sockets);
	handover_fini(&handover);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = {.policy = POLICY_PATH,
			    .control = POLICY_CONTROL_PATH};
	struct fdcheck fds;
	int status;

	if (!have_standard_fds())
		return EXIT_FAILURE;
	fdcheck_init(&fds);
	status = read_options(argc, argv, &o);
	if (status >= 0)
		return status;
	log_init("proxyd", o.verbose > 1   ? LOG_LEVEL_DEBUG
			   : o.verbose > 0 ? LOG_LEVEL_INFO
					   : LOG_LEVEL_NOTICE);
	status = run(&o, argv);
	if (fdcheck_count(&fds))
		status = EXIT_FAILURE;
	return status;
}
