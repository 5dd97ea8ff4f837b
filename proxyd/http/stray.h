/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stray.h - which reason does a byte give that may not stand where it does?
 *
 * One answer for all grammars: what CR, LF and NUL mean does not depend on
 * the place.
 */
#ifndef PROXYD_HTTP_STRAY_H
#define PROXYD_HTTP_STRAY_H

#include "proxyd/http/bad.h"

/*
 * The byte at `p` is not one that may come there; `otherwise` is the reason
 * unless it is a bare CR, a bare LF or NUL. HTTP_BAD_NONE: it needs more bytes
 * than there are before `end` to tell.
 */
enum http_bad stray(const char *p, const char *end, enum http_bad otherwise);

/*
 * Does CRLF stand at `p`? Returns what is behind it. NULL: no, and
 * *ret_bad says as stray() does why not.
 */
const char *stray_crlf(const char *p, const char *end, enum http_bad otherwise,
		       enum http_bad *ret_bad);

#endif
