/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fds.c - divides RLIMIT_NOFILE, for fds.h. */
#include "proxyd/base/fds.h"

#include <sys/resource.h>

enum {
	SPARE_FDS = 64, /* not for flows: logs, netlink, pipes... */
	FLOWS_MAX = 1000000,
};

uint32_t
fds_flows(uint32_t wanted, size_t others)
{
	uint64_t most = FLOWS_MAX, spare = SPARE_FDS + others;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < 2 * most + spare)
		most = limit.rlim_cur > spare + 2 ? (limit.rlim_cur - spare) / 2
						  : 1;
	return wanted && wanted < most ? wanted : (uint32_t)most;
}
