/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * desk.c - one function a question, for desk.h.
 *
 * Counters of a service are added up over all crews that have one of its
 * name; a service that only former policies know is shown while it has
 * flows.
 */
#include "proxyd/desk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/json.h"

#include "proxyd/ctl/report.h"

enum {
	SILENT_MS = 1000, /* as the heartbeat sees it */
};

/* The crew that serves, then the others; NULL after the last. */
static struct crew *
crew_at(const struct desk *d, size_t i)
{
	const struct crews *cs = d->setup.crews;
	struct crew *c;

	if (cs->current && i-- == 0)
		return cs->current;
	TAILQ_FOREACH(c, &cs->list, link)
	if (c != cs->current && i-- == 0)
		return c;
	return NULL;
}

static void
send_or_drop(struct desk *d, uint64_t id, const struct str *doc)
{
	struct str *text = control_text(&d->control, id);

	if (!text)
		return;
	str_add(text, str_text(doc));
	control_send(&d->control, id);
}

/* --- status --------------------------------------------------------------- */

static const char *
worker_state(const struct desk *d, const struct crew *c,
	     const struct crew_worker *w)
{
	uint64_t tick_ms;

	if (!w->child.pid || !w->own)
		return "waiting";
	tick_ms = atomic_load(&w->own->tick_ms);
	if (!tick_ms)
		return "starting";
	if (d->setup.loop->now_ms >= tick_ms + SILENT_MS)
		return "silent";
	return c->state == CREW_STARTING  ? "starting"
	       : c->state == CREW_SERVING ? "serving"
					  : "draining";
}

static struct report_worker
worker_report(const struct desk *d, const struct crew *c, uint32_t i)
{
	const struct crew_worker *w = &c->workers[i];
	struct report_worker r = {
		.worker = i,
		.pid = w->child.pid,
		.state = worker_state(d, c, w),
	};

	if (w->own) {
		r.flows = atomic_load(&w->own->flows);
		r.accepted = atomic_load(&w->own->counts.accepted);
	}
	return r;
}

/* Those of former crews only while they run. The caller frees the list. */
static struct report_worker *
list_workers(struct desk *d, size_t *ret_n)
{
	struct report_worker *list;
	size_t i, n = 0;
	struct crew *c;
	uint32_t k;

	for (i = 0; (c = crew_at(d, i)); i++)
		n += c->n_workers;
	list = calloc(n + 1, sizeof(*list));
	n = 0;
	for (i = 0; list && (c = crew_at(d, i)); i++)
		for (k = 0; k < c->n_workers; k++)
			if (i == 0 || c->workers[k].child.pid)
				list[n++] = worker_report(d, c, k);
	*ret_n = n;
	return list;
}

static void
sum_all(const struct shm *shm, struct report_total *total)
{
	const struct shm_counts *c;
	uint32_t i, k;

	memset(total, 0, sizeof(*total));
	for (i = 0; i <= shm->n_slots; i++) {
		c = i < shm->n_slots ? &shm->slots[i].counts : &shm->past;
		total->accepted += atomic_load(&c->accepted);
		total->limited += atomic_load(&c->limited);
		total->tested += atomic_load(&c->tested);
		total->unplaced += atomic_load(&c->unplaced);
		total->paused += atomic_load(&c->paused);
		total->shed += atomic_load(&c->shed);
		total->requests += atomic_load(&c->requests);
		total->not_http += atomic_load(&c->not_http);
		for (k = 0; k < HTTP_BAD_COUNT; k++)
			total->bad[k] += atomic_load(&c->bad[k]);
		for (k = 0; k < REASON_COUNT; k++)
			total->ended[k] += atomic_load(&c->ended[k]);
		if (i < shm->n_slots)
			total->flows += atomic_load(&shm->slots[i].flows);
	}
}

static void
answer_status(struct desk *d, uint64_t id)
{
	const struct crew *c = crew_at(d, 0);
	struct report_worker *workers;
	struct report_total total;
	struct desk_view view = {0};
	struct report_status s;
	struct str doc = {0};
	size_t n;

	d->setup.view(d->setup.owner, &view);
	sum_all(d->setup.crews->shm, &total);
	workers = list_workers(d, &n);
	s = (struct report_status){
		.state = view.state,
		.pid = getpid(),
		.up_ms = d->setup.loop->now_ms - d->opened_ms,
		.policy = d->setup.policy,
		.digest = c->policy->digest,
		.since = c->since,
		.alive = view.alive,
		.spoofs = policy_spoofs(c->policy),
		.return_path = atomic_load(&d->setup.crews->shm->return_path),
		.level = log_level(),
		.flows = total.flows,
		.accepted = total.accepted,
		.workers = workers,
		.n_workers = n,
	};
	report_status(&s, &doc);
	send_or_drop(d, id, &doc);
	str_fini(&doc);
	free(workers);
}

/* --- services and stats --------------------------------------------------- */

/* The services of all crews, each once. */
struct services {
	struct report_service *list; /* owns */
	struct endpoint *sockets;    /* owns: of all of them */
	size_t n;
};

static const char *
rules_of(const struct crew *c, size_t i)
{
	if (!c->policy->services[i].n_intercepts)
		return "none";
	switch (c->pulse.rules[i]) {
	case PULSE_UNKNOWN:
		break;
	case PULSE_SEEN:
		return "seen";
	case PULSE_MISSING:
		return "missing";
	}
	return "unknown";
}

/* Endpoints of the service that are open, written at `at`. How many. */
static size_t
sockets_of(const struct crew *c, const struct policy_service *s,
	   struct endpoint *at)
{
	size_t i, n = 0;

	for (i = 0; i < c->listeners.n; i++)
		if (c->listeners.list[i].service == s &&
		    c->listeners.list[i].sockets)
			at[n++] = c->listeners.list[i].endpoint;
	return n;
}

static void
add_current(struct services *all, const struct crew *c)
{
	struct endpoint *at = all->sockets;
	struct report_service *r;
	size_t i;

	for (i = 0; i < c->policy->n_services; i++) {
		r = &all->list[all->n++];
		r->service = &c->policy->services[i];
		r->name = r->service->name;
		r->rules = rules_of(c, i);
		r->sockets = at;
		r->n_sockets = sockets_of(c, r->service, at);
		at += r->n_sockets;
		tally_add(c->tally, i, &r->sum);
	}
}

static struct report_service *
find_service(const struct services *all, const char *name, size_t guess)
{
	size_t i;

	if (guess < all->n && !strcmp(all->list[guess].name, name))
		return &all->list[guess];
	for (i = 0; i < all->n; i++)
		if (!strcmp(all->list[i].name, name))
			return &all->list[i];
	return NULL;
}

static void
add_former(struct services *all, const struct crew *c)
{
	struct report_service *r;
	struct tally_sum sum;
	const char *name;
	size_t i;

	for (i = 0; (name = tally_service(c->tally, i)); i++) {
		r = find_service(all, name, i);
		if (r) {
			tally_add(c->tally, i, &r->sum);
			continue;
		}
		memset(&sum, 0, sizeof(sum));
		tally_add(c->tally, i, &sum);
		if (!sum.flows)
			continue;
		r = &all->list[all->n++];
		r->name = name;
		r->rules = "none";
		r->sum = sum;
	}
}

/* False: there is no memory, and that was said. */
static bool
collect(struct desk *d, uint64_t id, struct services *ret_all)
{
	const struct crew *c = crew_at(d, 0);
	struct services all = {0};
	size_t i, room = 1;

	for (i = 0; crew_at(d, i); i++)
		room += crew_at(d, i)->policy->n_services;
	all.list = calloc(room, sizeof(*all.list));
	all.sockets = calloc(c->listeners.n + 1, sizeof(*all.sockets));
	if (!all.list || !all.sockets) {
		free(all.list);
		free(all.sockets);
		control_refuse(&d->control, id, CONTROL_FAILED,
			       strerror(ENOMEM));
		return false;
	}
	add_current(&all, c);
	for (i = 1; (c = crew_at(d, i)); i++)
		add_former(&all, c);
	*ret_all = all;
	return true;
}

static void
answer_services(struct desk *d, uint64_t id, bool counters_only)
{
	struct report_total total;
	struct services all;
	struct str doc = {0};

	if (!collect(d, id, &all))
		return;
	if (counters_only) {
		sum_all(d->setup.crews->shm, &total);
		report_stats(&total, all.list, all.n, &doc);
	} else {
		report_services(all.list, all.n, &doc);
	}
	send_or_drop(d, id, &doc);
	str_fini(&doc);
	free(all.list);
	free(all.sockets);
}

/* --- flows ---------------------------------------------------------------- */

/*
 * "None" would be a wrong answer to a name that nobody has: it was mistyped.
 * Also those of policies whose flows still drain.
 */
static void
ask_flows(struct desk *d, uint64_t id, const struct wire_filter *f)
{
	bool service = !f->service[0], pool = !f->pool[0];
	struct str why = {0};
	const struct crew *c;
	size_t i;

	for (i = 0; (c = crew_at(d, i)); i++) {
		service = service || policy_service(c->policy, f->service);
		pool = pool || policy_pool(c->policy, f->pool);
	}
	if (service && pool) {
		gather_ask(&d->gather, id, f);
		return;
	}
	str_addf(&why, "there is no %s '%s'; `proxyctl services` names them",
		 service ? "pool" : "service", service ? f->pool : f->service);
	control_refuse(&d->control, id, CONTROL_USAGE, str_text(&why));
	str_fini(&why);
}

static size_t
workers_to_ask(void *owner, struct gather_worker *list, size_t max)
{
	struct desk *d = owner;
	size_t i, n = 0;
	struct crew *c;
	uint32_t k;

	for (i = 0; (c = crew_at(d, i)); i++)
		for (k = 0; k < c->n_workers && n < max; k++)
			if (c->workers[k].child.pid)
				list[n++] = (struct gather_worker){
					&c->workers[k].child, k};
	return n;
}

/* --- what changes something ----------------------------------------------- */

static void
answer_done(struct desk *d, uint64_t id, const char *warnings)
{
	struct str doc = {0};
	struct json j;

	json_init(&j, &doc, true);
	json_object(&j, NULL);
	json_bool(&j, "done", true);
	if (warnings)
		json_string(&j, "warnings", warnings);
	json_end(&j);
	send_or_drop(d, id, &doc);
	str_fini(&doc);
}

/* Workers that are started later have it from the master. */
static void
set_level(struct desk *d, enum log_level level)
{
	struct worker_order order = {.kind = WORKER_LOG_LEVEL, .level = level};
	struct crew *c;
	uint32_t k;
	size_t i;

	log_set_level(level);
	for (i = 0; (c = crew_at(d, i)); i++)
		for (k = 0; k < c->n_workers; k++)
			crew_tell(c, k, &order, NULL, 0);
}

static void
on_reloaded(void *owner, enum reload_result result, const char *text)
{
	struct desk_wish *w = owner;
	struct desk *d = w->desk;
	uint64_t id = w->id;

	w->id = 0;
	switch (result) {
	case RELOAD_DONE:
		answer_done(d, id, text);
		break;
	case RELOAD_POLICY_WRONG:
		control_refuse(&d->control, id, CONTROL_POLICY, text);
		break;
	case RELOAD_FAILED:
		control_refuse(&d->control, id, CONTROL_FAILED, text);
		break;
	}
}

static void
reload(struct desk *d, uint64_t id)
{
	struct desk_view view = {0};
	struct desk_wish *w = d->wishes;

	d->setup.view(d->setup.owner, &view);
	while (w < d->wishes + DESK_WISHES && w->id)
		w++;
	if (view.ends || w == d->wishes + DESK_WISHES) {
		control_refuse(&d->control, id, CONTROL_FAILED,
			       view.ends ? "proxyd is ending"
					 : "too many others wait for a reload;"
					   " try again");
		return;
	}
	*w = (struct desk_wish){.desk = d, .id = id};
	w->wish.done = on_reloaded;
	w->wish.owner = w;
	reload_ask(d->setup.reload, &w->wish, d->setup.loop->now_ms);
}

/* --- the desk itself ------------------------------------------------------ */

static void
on_ask(void *owner, uint64_t id, const struct wire_request *r)
{
	struct desk *d = owner;

	if (!crew_at(d, 0)) {
		control_refuse(&d->control, id, CONTROL_FAILED,
			       "proxyd is ending");
		return;
	}
	switch (r->command) {
	case WIRE_STATUS:
		answer_status(d, id);
		break;
	case WIRE_FLOWS:
		ask_flows(d, id, &r->filter);
		break;
	case WIRE_SERVICES:
		answer_services(d, id, false);
		break;
	case WIRE_STATS:
		answer_services(d, id, true);
		break;
	case WIRE_RELOAD:
		reload(d, id);
		break;
	case WIRE_REOPEN:
		crews_reopen(d->setup.crews);
		answer_done(d, id, NULL);
		break;
	case WIRE_LOG_LEVEL:
		set_level(d, r->level);
		answer_done(d, id, NULL);
		break;
	case WIRE_COMMANDS:
		break;
	}
}

void
desk_open(struct desk *d, const struct desk_setup *setup, const char *path)
{
	struct control_owner owner = {on_ask, d};
	struct str why = {0};

	memset(d, 0, sizeof(*d));
	d->setup = *setup;
	d->opened_ms = setup->loop->now_ms;
	d->gather.loop = setup->loop;
	d->gather.control = &d->control;
	d->gather.workers = workers_to_ask;
	d->gather.owner = d;
	gather_init(&d->gather);
	if (control_open(&d->control, setup->loop, path, owner, &why) < 0)
		log_notice("%s", str_text(&why));
	str_fini(&why);
}

void
desk_withdraw(struct desk *d)
{
	control_withdraw(&d->control);
}

void
desk_close(struct desk *d)
{
	size_t i;

	if (!d->setup.loop)
		return;
	for (i = 0; i < DESK_WISHES; i++)
		reload_forget(d->setup.reload, &d->wishes[i].wish);
	gather_fini(&d->gather);
	control_close(&d->control);
}
