/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * authority.h - host and port, as Host and absolute-form have them.
 *
 * Stricter than RFC 3986: a name has letters, digits and "-._~" (no user, no
 * %HH, no other punctuation), an address in brackets is one of IPv6, a port
 * is 1 to 65535 or empty. Resolves nothing.
 */
#ifndef PROXYD_HTTP_AUTHORITY_H
#define PROXYD_HTTP_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>

/* Is it host [":" port], of which the host is not empty? */
bool authority_good(const char *text, size_t len);

/*
 * Do two good ones mean the same of "http"? Case-blind; without a port it is
 * 80. An empty one is only the same as another empty one.
 */
bool authority_same(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
