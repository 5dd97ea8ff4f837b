/* SPDX-License-Identifier: GPL-2.0-or-later */
/* why.c - two translations, as why.h has them. */
#include "proxyd/flow/why.h"

#include <errno.h>

enum reason
why_not_connected(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return REASON_REFUSED;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return REASON_SERVER_RESET;
	case ETIMEDOUT:
		return REASON_CONNECT_TIMEOUT;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
	case ENODEV:
	case ENONET:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EPROTO:
	case EAFNOSUPPORT:
	case EINVAL:
		return REASON_UNREACHABLE;
	case EPERM:
	case EACCES:
		return REASON_DENIED;
	case EADDRNOTAVAIL:
	case EADDRINUSE:
		return REASON_NO_PORT;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case ENOSPC:
	case EAGAIN:
		return REASON_RESOURCES;
	default:
		return REASON_INTERNAL;
	}
}

static bool
means_reset(int error)
{
	/* EPIPE: a reset that came after the peer's end; `ss -K` aborts */
	return error == ECONNRESET || error == EPIPE || error == ECONNABORTED;
}

enum reason
why_broken(const struct side *client, const struct side *server)
{
	if (client->error == ENOMEM || server->error == ENOMEM)
		return REASON_RESOURCES;
	if (client->error)
		return means_reset(client->error) ? REASON_CLIENT_RESET
						  : REASON_CLIENT_LOST;
	return means_reset(server->error) ? REASON_SERVER_RESET
					  : REASON_SERVER_LOST;
}
