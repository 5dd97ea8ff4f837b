/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tuple.h - a flow as it is typed: [tcp|udp] client[:port] destination:port.
 */
#ifndef NETSETUP_EXPLAIN_TUPLE_H
#define NETSETUP_EXPLAIN_TUPLE_H

#include "lib/str.h"
#include "policy/policy.h"

enum { TUPLE_EXAMPLE_PORT = 40000 };

struct tuple {
	enum proto proto;	/* tcp, if none was given */
	struct endpoint client; /* port: an example, if none was given */
	struct endpoint server;
	bool example_port;
};

/*
 * Names are not looked up. 0; -EINVAL, and what is wrong and what to type
 * instead is in *ret_error.
 */
int tuple_parse(char *const *words, int n, struct tuple *ret_tuple,
		struct str *ret_error);

#endif
