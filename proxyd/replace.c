/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replace.c - trying, describing, executing, behind replace.h. */
#include "proxyd/replace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#include "proxyd/base/notify.h"
#include "proxyd/baton.h"

void
replace_init(struct replace *r, struct crews *crews, struct loop *loop,
	     char *const *argv)
{
	*r = (struct replace){
		.crews = crews,
		.loop = loop,
		.argv = argv,
		.path = baton_path(),
	};
}

void
replace_fini(struct replace *r, bool leave)
{
	if (leave)
		tryout_leave(&r->tryout);
	else
		tryout_fini(&r->tryout);
	free(r->path);
	*r = (struct replace){0};
}

static void
give_up(struct replace *r)
{
	r->wanted = r->approved = false;
	log_error("not replaced, all stays as it was");
	notify_send("READY=1");
}

static void
begin(struct replace *r)
{
	int error = -ENOENT;

	notify_reloading();
	if (r->path)
		error = tryout_start(&r->tryout, r->loop, r->path, r->argv);
	if (error == 0)
		return;
	log_error("cannot run %s: %s", r->path ? r->path : r->argv[0],
		  strerror(-error));
	give_up(r);
}

void
replace_ask(struct replace *r)
{
	if (r->wanted) {
		log_notice("a replacement is under way already");
		return;
	}
	r->wanted = true;
	replace_mind(r);
}

void
replace_mind(struct replace *r)
{
	bool good;

	if (!r->wanted || r->approved)
		return;
	if (!r->tryout.pid) {
		if (!r->crews->next)
			begin(r);
		return;
	}
	if (!tryout_ended(&r->tryout, &good))
		return;
	if (r->tryout.said.len)
		log_lines(good ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERROR,
			  str_text(&r->tryout.said));
	r->approved = good;
	if (good)
		return;
	log_error("%s would not start", r->path);
	give_up(r);
}

void
replace_stop(struct replace *r)
{
	if (!r->wanted)
		return;
	tryout_fini(&r->tryout);
	log_error("proxyd is ending");
	give_up(r);
}

bool
replace_is_due(const struct replace *r)
{
	return r->approved && !r->crews->next && r->crews->current;
}

void
replace_now(struct replace *r)
{
	struct handover h;
	int error;

	handover_init(&h);
	error = crews_describe(r->crews, &h);
	if (error == 0)
		error = baton_pass(r->path, r->argv, &h);
	crews_forget(&h);
	handover_fini(&h);
	log_error("cannot execute %s: %s", r->path, strerror(-error));
	give_up(r);
}
