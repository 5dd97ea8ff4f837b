/* SPDX-License-Identifier: GPL-2.0-or-later */
/* origdst.c - one getsockopt() behind origdst.h, and a look into /proc. */
#include "proxyd/net/origdst.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_V4 = 80, OPTION_V6 = 80 }; /* SO_, IP6T_SO_ORIGINAL_DST */

int
origdst_find(int fd, int family, struct endpoint *ret_destination)
{
	union sockaddr_any sa;
	socklen_t len;
	int r;

	sa.sa.sa_family = AF_UNSPEC;
	if (family == AF_INET6) {
		len = sizeof(sa.in6);
		r = getsockopt(fd, SOL_IPV6, OPTION_V6, &sa, &len);
	} else {
		len = sizeof(sa.in);
		r = getsockopt(fd, SOL_IP, OPTION_V4, &sa, &len);
	}
	if (r < 0)
		return errno == ENOPROTOOPT ? -ENOENT : -errno;
	*ret_destination = endpoint_from_sockaddr(&sa);
	return ret_destination->addr.family == family ? 0 : -ENOENT;
}

int
origdst_open_count(void)
{
	int fd;

	fd = open("/proc/sys/net/netfilter/nf_conntrack_count",
		  O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	/* the module is not there; or all of /proc/sys is hidden from us */
	return errno == ENOENT && access("/proc/sys/net/core", F_OK) == 0
		       ? -ENOENT
		       : -EACCES;
}

bool
origdst_untracked(int count_fd)
{
	char count[2] = "";

	if (count_fd < 0)
		return count_fd == -ENOENT;
	return pread(count_fd, count, sizeof(count), 0) == 2 &&
	       count[0] == '0' && count[1] == '\n';
}
