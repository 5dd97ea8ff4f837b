/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/fit.h"

static void
fit_mode(struct sources *sources, const struct policy_service *s)
{
	if (!s->mode_place.line ||
	    (s->mode == MODE_UDP) == (s->proto == PROTO_UDP))
		return;
	report(sources, DIAG_ERROR, s->mode_place,
	       "service '%s' is %s: 'mode %s' does not fit", s->name,
	       proto_name(s->proto), mode_name(s->mode));
}

static void
fit_responses(struct sources *sources, const struct policy_service *s)
{
	if (s->responses_place.line && s->proto != PROTO_UDP)
		report(sources, DIAG_ERROR, s->responses_place,
		       "service '%s' is %s: 'responses' is for udp", s->name,
		       proto_name(s->proto));
}

/* The PROXY protocol stands at the beginning of a stream. */
static void
fit_proxy(struct sources *sources, const struct policy_service *s)
{
	if (s->proto != PROTO_UDP)
		return;
	if (s->accept_proxy)
		report(sources, DIAG_ERROR, s->accept_proxy_place,
		       "service '%s' is udp: 'accept-proxy' is for tcp",
		       s->name);
	if (!s->pool->send_proxy)
		return;
	report(sources, DIAG_ERROR, s->pool->send_proxy_place,
	       "'send-proxy' is for tcp, and service '%s' is udp and uses "
	       "pool '%s'",
	       s->name, s->pool->name);
	report(sources, DIAG_NOTE, s->place, "that service");
}

static void
fit_log(struct sources *sources, struct policy_service *s)
{
	if (s->mode == MODE_HTTP || s->log.format != LOG_FORMAT_COMBINED)
		return;
	if (s->log_place.line)
		report(sources, DIAG_ERROR, s->log_place,
		       "service '%s' is of mode %s: 'format combined' needs "
		       "'mode http'",
		       s->name, mode_name(s->mode));
	s->log.format = LOG_FORMAT_TEXT;
}

/* --- error pages ---------------------------------------------------------- */

/* What a proxy has to say itself. */
static bool
has_page(uint32_t status)
{
	static const uint32_t statuses[] = {400, 408, 413, 414, 429,
					    431, 500, 502, 503, 504};
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i] == status)
			return true;
	return false;
}

static void
fit_error_page(struct sources *sources, const struct policy_service *s,
	       size_t n)
{
	const struct policy_error_page *page = &s->error_pages[n];
	size_t i;

	if (!page->status)
		return; /* a mistake that was reported */
	if (!has_page(page->status))
		report(sources, DIAG_ERROR, page->place,
		       "proxyd never answers with status %u; it does with 400, "
		       "408, 413, 414, 429, 431, 500, 502, 503 and 504",
		       page->status);
	for (i = 0; i < n; i++) {
		if (s->error_pages[i].status != page->status)
			continue;
		report(sources, DIAG_ERROR, page->place,
		       "'error-page %u' is given twice", page->status);
		report(sources, DIAG_NOTE, s->error_pages[i].place,
		       "the first one");
		return;
	}
}

void
fit_service(struct sources *sources, struct policy_service *s)
{
	size_t i;

	fit_mode(sources, s);
	fit_responses(sources, s);
	fit_proxy(sources, s);
	fit_log(sources, s);
	for (i = 0; i < s->n_error_pages; i++)
		fit_error_page(sources, s, i);
}
