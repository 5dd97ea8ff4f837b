/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reload.c - what reload.h says, step by step. */
#include "proxyd/reload.h"

#include <string.h>

#include "lib/diag.h"
#include "lib/log.h"

#include "proxyd/base/notify.h"
#include "proxyd/http/error_page.h"

void
reload_init(struct reload *r, struct crews *crews, const char *path,
	    uint32_t workers)
{
	*r = (struct reload){
		.crews = crews,
		.path = path,
		.workers = workers,
		/* as one program follows another */
		.replaces = crews->next != NULL,
	};
	TAILQ_INIT(&r->wishes);
}

void
reload_fini(struct reload *r)
{
	str_fini(&r->warnings);
}

void
reload_forget(struct reload *r, struct reload_wish *wish)
{
	if (wish->waits)
		TAILQ_REMOVE(&r->wishes, wish, link);
	wish->waits = false;
}

const char *
reload_obstacle(const struct policy *now, const struct policy *wanted)
{
	const struct policy_gateway *a = &now->gateway, *b = &wanted->gateway;

	if (a->workers != b->workers)
		return "workers";
	if (strcmp(a->user, b->user))
		return "user";
	if (a->capture_ports.low != b->capture_ports.low ||
	    a->capture_ports.high != b->capture_ports.high)
		return "capture-ports";
	if (a->mark_deliver != b->mark_deliver ||
	    a->mark_upstream != b->mark_upstream ||
	    a->mark_mask != b->mark_mask)
		return "mark";
	if (a->table != b->table)
		return "table";
	return a->zone != b->zone ? "zone" : NULL;
}

/* --- saying so ------------------------------------------------------------ */

/* The next one who waits for this outcome. */
static struct reload_wish *
next_wish(struct reload *r)
{
	struct reload_wish *wish;

	TAILQ_FOREACH(wish, &r->wishes, link)
	if (!wish->later)
		return wish;
	return NULL;
}

static void
tell(struct reload *r, enum reload_result result, const char *text)
{
	const char *what = r->replaces ? "replaced" : "reloaded";
	struct reload_wish *wish;

	if (result != RELOAD_DONE) {
		log_lines(LOG_LEVEL_ERROR, text);
		log_error("not %s, all stays as it was", what);
	} else {
		log_notice("%s", what);
	}
	r->replaces = false;
	notify_send("READY=1");
	while ((wish = next_wish(r))) {
		reload_forget(r, wish);
		wish->done(wish->owner, result, text);
	}
}

/* From now on all who wait, wait for the next outcome. */
static void
promote_wishes(struct reload *r)
{
	struct reload_wish *wish;

	r->again = false;
	TAILQ_FOREACH(wish, &r->wishes, link)
	wish->later = false;
}

/* --- reloading ------------------------------------------------------------ */

/* NULL, and why not in `text`; else the policy's warnings. */
static struct policy *
load(struct reload *r, enum reload_result *ret_result, struct str *text)
{
	struct policy *p;
	struct diags diags;
	const char *word;
	bool bad;

	diags_init(&diags);
	p = policy_load(r->path, &diags);
	bad = p && error_pages_check(p, &diags) < 0;
	diags_format(&diags, false, text);
	diags_fini(&diags);
	if (bad) {
		policy_free(p);
		p = NULL;
	}
	*ret_result = p ? RELOAD_FAILED : RELOAD_POLICY_WRONG;
	if (!p)
		return NULL;
	log_lines(LOG_LEVEL_WARN, str_text(text));
	if (r->workers)
		p->gateway.workers = r->workers;
	word = reload_obstacle(r->crews->current->policy, p);
	if (!word)
		return p;
	str_clear(text);
	str_addf(text, "'%s' changes only by %s", word,
		 strcmp(word, "user")
			 ? "restart or SIGUSR2: `pkill -USR2 -x proxyd`"
			 : "restart: `systemctl restart interpose`");
	policy_free(p);
	return NULL;
}

static void
attempt(struct reload *r, uint64_t now_ms)
{
	enum reload_result result;
	struct str why = {0};
	struct policy *p;
	int done = -1;

	notify_reloading();
	str_clear(&r->warnings);
	p = load(r, &result, &r->warnings);
	if (p)
		done = crews_follow(r->crews, p, now_ms, &why);
	if (!p)
		tell(r, result, str_text(&r->warnings));
	else if (done < 0)
		tell(r, result, str_text(&why));
	else if (why.len)
		log_notice("%s", str_text(&why));
	str_fini(&why);
}

void
reload_ask(struct reload *r, struct reload_wish *wish, uint64_t now_ms)
{
	bool under_way = r->crews->next != NULL;

	if (wish) {
		wish->waits = true;
		wish->later = under_way;
		TAILQ_INSERT_TAIL(&r->wishes, wish, link);
	}
	if (under_way)
		r->again = true;
	else
		attempt(r, now_ms);
}

void
reload_outcome(struct reload *r, enum crews_outcome outcome, uint64_t now_ms)
{
	switch (outcome) {
	case CREWS_SAME:
		return;
	case CREWS_FOLLOWED:
		tell(r, RELOAD_DONE, str_text(&r->warnings));
		break;
	case CREWS_FAILED:
		tell(r, RELOAD_FAILED, "the new processes did not get ready");
		break;
	}
	if (!r->again)
		return;
	promote_wishes(r);
	attempt(r, now_ms);
}

void
reload_stop(struct reload *r)
{
	bool under_way = r->crews->next != NULL;

	promote_wishes(r);
	if (under_way)
		tell(r, RELOAD_FAILED, "proxyd is ending");
}
