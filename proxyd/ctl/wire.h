/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - what proxyctl says to proxyd, as a line and as a value.
 *
 * A request is one line of words, "flows service=web client=10.0.0.0/8\n";
 * the answer is one JSON object, and then the end. Both programs read and
 * write requests here. Makes no system call.
 */
#ifndef PROXYD_CTL_WIRE_H
#define PROXYD_CTL_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/inet.h"
#include "lib/log.h"
#include "lib/names.h"
#include "lib/str.h"

enum {
	WIRE_REQUEST_MAX = 512, /* bytes of a line, with its newline */
};

enum wire_command {
	WIRE_STATUS,
	WIRE_FLOWS,
	WIRE_SERVICES,
	WIRE_STATS,
	WIRE_RELOAD,
	WIRE_REOPEN,
	WIRE_LOG_LEVEL,
	WIRE_COMMANDS,
};

/* Which flows: all that is given must hold. */
struct wire_filter {
	char service[NAME_MAX_LEN + 1]; /* "": any */
	char pool[NAME_MAX_LEN + 1];	/* likewise */
	struct prefix client;		/* AF_UNSPEC: any */
};

struct wire_request {
	enum wire_command command;
	struct wire_filter filter; /* WIRE_FLOWS */
	enum log_level level;	   /* WIRE_LOG_LEVEL */
};

/* "log-level"; NULL for WIRE_COMMANDS and above. */
const char *wire_word(enum wire_command command);

/* Does it change something, so that not everybody may? */
bool wire_changes(enum wire_command command);

/*
 * Set the part of the filter that `key` names, "service", "pool" or
 * "client". 0; -ENOENT: there is no such part; -EINVAL: not what stands
 * there, and `why` says what does.
 */
int wire_set_filter(struct wire_filter *f, const char *key, const char *value,
		    struct str *why);

/* Add the line to `out`, newline included. */
void wire_format(const struct wire_request *r, struct str *out);

/*
 * Read a line, without its newline, that may hold any bytes. 0, or -EINVAL
 * with the reason in `why`; *ret_request is then untouched.
 */
int wire_parse(const char *line, size_t len, struct wire_request *ret_request,
	       struct str *why);

#endif
