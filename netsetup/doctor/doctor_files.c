/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor_files.c - checks of files: networkd's settings, units of systemd,
 * scripts that flush.
 *
 * Lines are read as their programs read them, as far as it matters here:
 * a comment says nothing, and of two lines for one thing the last counts.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/doctor/doctor_check.h"

#define UNITS "/etc/systemd/system/"
#define RULES "interpose-rules.service"
#define PROXY "interpose.service"

/* Descriptors that proxyd has beside those of its flows. */
enum { SPARE_FDS = 64 };

static bool
begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Call `see` for each line that is no comment, without what it is led by. */
static void
each_line(const char *text,
	  void (*see)(const char *line, size_t len, void *data), void *data)
{
	const char *end;

	for (; *text; text = *end ? end + 1 : end) {
		text += strspn(text, " \t");
		end = strchrnul(text, '\n');
		if (*text != '#' && *text != ';')
			see(text, (size_t)(end - text), data);
	}
}

/* A line KEY=VALUE that is looked for. */
struct wanted {
	const char *key;
	const char *value; /* of the last one; NULL: none */
	size_t len;
};

static void
see_value(const char *line, size_t len, void *data)
{
	struct wanted *w = data;
	size_t n = strlen(w->key);

	if (len <= n || strncmp(line, w->key, n) != 0)
		return;
	line += n;
	len -= n;
	while (len > 0 && *line == ' ')
		line++, len--;
	if (len == 0 || *line != '=')
		return;
	line++, len--;
	while (len > 0 && *line == ' ')
		line++, len--;
	w->value = line;
	w->len = len;
}

/* --- networkd ------------------------------------------------------------ */

/* Later files count more: by name, whatever the directory. */
static bool
comes_before(const struct box_file *a, const struct box_file *b)
{
	bool drop_in_a = strstr(a->path, ".d/"),
	     drop_in_b = strstr(b->path, ".d/");

	if (drop_in_a != drop_in_b)
		return drop_in_b;
	return strcmp(base_name(a->path), base_name(b->path)) < 0;
}

/* A drop-in is hidden by one of the same name in a directory listed later. */
static bool
is_hidden(const struct box *b, size_t n, const char *what)
{
	size_t i;

	for (i = n + 1; i < b->n_files; i++) {
		if (strstr(b->files[i].path, what) &&
		    strstr(b->files[i].path, ".d/") &&
		    !strcmp(base_name(b->files[i].path),
			    base_name(b->files[n].path)))
			return true;
	}
	return false;
}

/* What all files whose path contains `what` together say of `key`. */
static struct wanted
last_value(const struct box *b, const char *what, const char *key)
{
	struct wanted best = {0}, w;
	const struct box_file *from = NULL;
	size_t i;

	for (i = 0; i < b->n_files; i++) {
		const struct box_file *f = &b->files[i];

		if (!strstr(f->path, what) || is_hidden(b, i, what) ||
		    (from && comes_before(f, from)))
			continue;
		w = (struct wanted){.key = key};
		each_line(f->text, see_value, &w);
		if (!w.value)
			continue;
		best = w;
		from = f;
	}
	return best;
}

static bool
says_no(const struct box *b, const char *key)
{
	static const char *const words[] = {"no", "false", "off", "0"};
	struct wanted w = last_value(b, "/networkd.conf", key);
	size_t i;

	for (i = 0; w.value && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) == w.len &&
		    !strncmp(w.value, words[i], w.len))
			return true;
	}
	return false;
}

/* What systemd starts at boot, by the name of its unit. */
static const struct box_file *
enabled(const struct box *b, const char *unit)
{
	size_t i;

	for (i = 0; i < b->n_files; i++) {
		if (begins(b->files[i].path, UNITS) &&
		    strstr(b->files[i].path, ".wants/") &&
		    !strcmp(base_name(b->files[i].path), unit))
			return &b->files[i];
	}
	return NULL;
}

void
check_networkd(struct doctor *d)
{
	if (!enabled(d->box, "systemd-networkd.service") &&
	    !box_file(d->box, "/run/systemd/netif/state"))
		return;
	if (!says_no(d->box, "ManageForeignRoutingPolicyRules") ||
	    !says_no(d->box, "ManageForeignRoutes"))
		doctor_found(d, NULL);
}

/* --- who flushes --------------------------------------------------------- */

static bool
contains(const char *line, size_t len, const char *text)
{
	return memmem(line, len, text, strlen(text));
}

static void
see_flush(const char *line, size_t len, void *data)
{
	bool *ret = data;

	if (contains(line, len, "flush ruleset"))
		*ret = true;
}

static bool
flushes(const char *text)
{
	bool yes = false;

	each_line(text, see_flush, &yes);
	return yes;
}

/* A unit's commands; those of nft may name a file. */
struct commands {
	const struct box *box;
	bool flush;
};

static void
see_command(const char *line, size_t len, void *data)
{
	struct commands *c = data;
	size_t i;

	if (len < 4 || strncmp(line, "Exec", 4) != 0)
		return;
	if (contains(line, len, "flush ruleset"))
		c->flush = true;
	if (!contains(line, len, "nft"))
		return;
	for (i = 0; i < c->box->n_files; i++) {
		if (contains(line, len, c->box->files[i].path) &&
		    flushes(c->box->files[i].text))
			c->flush = true;
	}
}

static bool
unit_flushes(const struct box *b, const struct box_file *unit)
{
	struct commands c = {.box = b};

	if (begins(base_name(unit->path), "interpose"))
		return false;
	each_line(unit->text, see_command, &c);
	return c.flush;
}

/* Call `see` once for every enabled unit that flushes. */
static void
each_flusher(struct doctor *d, void (*see)(struct doctor *d, const char *unit))
{
	size_t i;

	for (i = 0; i < d->box->n_files; i++) {
		const struct box_file *f = &d->box->files[i];

		if (enabled(d->box, base_name(f->path)) == f &&
		    unit_flushes(d->box, f))
			see(d, base_name(f->path));
	}
}

static void
found_unit(struct doctor *d, const char *unit)
{
	doctor_found(d, "unit", unit, NULL);
}

/* Harmless where somebody watches and restores. */
static bool
is_restored(const struct doctor *d)
{
	return !d->policy || d->policy->gateway.on_drift == ON_DRIFT_RESTORE;
}

void
check_flush_unit(struct doctor *d)
{
	if (!is_restored(d))
		each_flusher(d, found_unit);
}

/* The units that one comes after: all such lines add up. */
struct after {
	const char *unit;
	bool found;
};

static void
see_after(const char *line, size_t len, void *data)
{
	struct after *a = data;

	if (len > 6 && begins(line, "After=") && contains(line, len, a->unit))
		a->found = true;
}

static void
want_order(struct doctor *d, const char *unit)
{
	struct after a = {.unit = unit};
	bool installed = false;
	size_t i;

	for (i = 0; i < d->box->n_files; i++) {
		const struct box_file *f = &d->box->files[i];

		if (!strstr(f->path, "/" RULES) || strstr(f->path, ".wants/"))
			continue;
		installed = true;
		each_line(f->text, see_after, &a);
	}
	if (installed && !a.found)
		doctor_found(d, "unit", unit, NULL);
}

void
check_flush_order(struct doctor *d)
{
	each_flusher(d, want_order);
}

void
check_flush_script(struct doctor *d)
{
	static const char *const scripts[] = {
		"/etc/rc.local",	"/etc/network/",
		"/etc/NetworkManager/", "/etc/networkd-dispatcher/",
		"/etc/cron.d/",
	};
	size_t i, j;

	for (i = 0; !is_restored(d) && i < d->box->n_files; i++) {
		const struct box_file *f = &d->box->files[i];

		for (j = 0; j < sizeof(scripts) / sizeof(scripts[0]); j++) {
			if (begins(f->path, scripts[j]) && flushes(f->text))
				doctor_found(d, "file", f->path, NULL);
		}
	}
}

/* --- descriptors --------------------------------------------------------- */

static void
few(struct doctor *d, const char *where, uint64_t have, uint64_t want,
    const char *mend)
{
	if (have >= want)
		return;
	doctor_found(d, "where", where, "have", doctor_number(d, have), "want",
		     doctor_number(d, want), "flows",
		     doctor_number(d, d->policy->gateway.max_flows), "mend",
		     mend, NULL);
}

void
check_descriptors(struct doctor *d)
{
	struct wanted limit = last_value(d->box, "/" PROXY, "LimitNOFILE");
	uint64_t want;

	if (!d->policy || d->policy->gateway.max_flows == 0)
		return;
	want = 2 * (uint64_t)d->policy->gateway.max_flows + SPARE_FDS;
	if (limit.value && *limit.value >= '0' && *limit.value <= '9')
		few(d, PROXY, strtoull(limit.value, NULL, 10), want,
		    arena_printf(d->arena,
				 "mkdir -p " UNITS PROXY ".d && printf "
				 "'[Service]\\nLimitNOFILE=%s\\n' >" UNITS PROXY
				 ".d/descriptors.conf && systemctl "
				 "daemon-reload",
				 doctor_number(d, want)));
	few(d, "fs.nr_open",
	    (uint64_t)box_number(d->box, INT64_MAX, "%s", "fs/nr_open"), want,
	    arena_printf(d->arena, "sysctl -w fs.nr_open=%s",
			 doctor_number(d, want)));
	few(d, "fs.file-max",
	    (uint64_t)box_number(d->box, INT64_MAX, "%s", "fs/file-max"), want,
	    arena_printf(d->arena, "sysctl -w fs.file-max=%s",
			 doctor_number(d, 2 * want)));
}
