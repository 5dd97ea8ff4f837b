/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tell.c - the two texts of tell.h, and where they go. */
#include "proxyd/flow/tell.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/log.h"

/* At least so many digits; returns where they end. */
static char *
put_hex(char *at, uint32_t n, unsigned int least)
{
	static const char hex[] = "0123456789abcdef";
	unsigned int digits = 8;

	while (digits > least && !(n >> (4 * (digits - 1))))
		digits--;
	while (digits--)
		*at++ = hex[n >> (4 * digits) & 15];
	return at;
}

void
tell_id(const struct flows *fs, uint32_t serial, struct record *r)
{
	char *at = r->id;

	at = put_hex(at, fs->epoch, 8);
	*at++ = '-';
	at = put_hex(at, serial, 1);
	*at = '\0';
}

void
tell_end(struct flows *fs, const struct policy_service *s, uint32_t serial,
	 struct record *r)
{
	if (!access_wanted(fs->access, s))
		return;
	clock_stamp(r->time);
	tell_id(fs, serial, r);
	access_write(fs->access, s, r);
}

void
tell_refusal(struct flows *fs, const struct policy_service *s,
	     const struct endpoint *client, const struct endpoint *destination,
	     enum reason reason)
{
	static const bool said[REASON_COUNT] = {
		[REASON_NO_DESTINATION] = true, [REASON_TRACKER_TIMEOUT] = true,
		[REASON_LIMIT] = true,		[REASON_DIRECT] = true,
		[REASON_LOOP] = true,		[REASON_FAMILY] = true,
		[REASON_NO_RETURN_PATH] = true, [REASON_NO_PORT] = true,
		[REASON_RESOURCES] = true,	[REASON_PROXY_HEADER] = true,
	};
	char from[ENDPOINT_TEXT_LEN], to[ENDPOINT_TEXT_LEN], more[64] = "";
	uint64_t held;

	if (!said[reason] ||
	    !limiter_pass(&fs->said[reason], fs->loop->now_ms, &held))
		return;
	if (held)
		snprintf(more, sizeof(more), " (and %" PRIu64 " before)", held);
	log_warn("service %s: flow from %s to %s refused, %s: %s%s", s->name,
		 endpoint_format(client, from),
		 endpoint_format(destination, to), reason_word(reason),
		 reason_meaning(reason), more);
}
