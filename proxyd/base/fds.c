/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fds.c - divides RLIMIT_NOFILE, for fds.h. */
#include "proxyd/base/fds.h"

#include <sys/resource.h>

enum {
	SPARE_FDS = 64, /* not for flows: logs, netlink... */
	FDS_A_PIPE = 64,
	FLOWS_MAX = 1000000,
};

unsigned int
fds_pipes(uint64_t limit)
{
	uint64_t n = limit / FDS_A_PIPE;

	return n < FDS_PIPES_MAX ? (unsigned int)n : FDS_PIPES_MAX;
}

uint32_t
fds_flows(uint32_t wanted, size_t others)
{
	uint64_t most = FLOWS_MAX, spare = SPARE_FDS + others;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		limit.rlim_cur = RLIM_INFINITY;
	spare += 2 * fds_pipes(limit.rlim_cur);
	if (limit.rlim_cur < 2 * most + spare)
		most = limit.rlim_cur > spare + 2 ? (limit.rlim_cur - spare) / 2
						  : 1;
	return wanted && wanted < most ? wanted : (uint32_t)most;
}
