/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Goes through the table, the most severe rows first.
 */
#include "netsetup/doctor/doctor.h"

#include <string.h>

#define ROW(ident, name, severity, text, mend)                                 \
	{name, DOCTOR_SEVERITY_##severity, text, mend, check_##ident},
static const struct doctor_row rows[] = {DOCTOR_TABLE(ROW)};
#undef ROW

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

/* The same words twice help nobody: two families, two services. */
static void
drop_repeated(struct findings *f)
{
	size_t i, j, n = 0;

	for (i = 0; i < f->n; i++) {
		for (j = 0; j < n; j++) {
			if (!strcmp(f->list[i].text, f->list[j].text))
				break;
		}
		if (j == n)
			f->list[n++] = f->list[i];
	}
	f->n = n;
}

/* Of several that are mended by the same, one is told, the others counted. */
static void
join(struct findings *f)
{
	size_t i, j, n = 0;

	for (i = 0; i < f->n; i++) {
		for (j = 0; j < n; j++) {
			if (!strcmp(f->list[i].name, f->list[j].name) &&
			    !strcmp(f->list[i].mend, f->list[j].mend))
				break;
		}
		if (j == n)
			f->list[n++] = f->list[i];
		else
			f->list[j].more++;
	}
	f->n = n;
}

struct findings
doctor(const struct doctor_facts *facts, struct arena *arena)
{
	struct doctor d = {
		.arena = arena,
		.facts = facts,
		.policy = facts->policy,
		.box = facts->box,
	};
	enum doctor_severity s;
	size_t i;

	for (s = DOCTOR_SEVERITY_ERROR; s <= DOCTOR_SEVERITY_NOTE; s++) {
		for (i = 0; i < N_ROWS; i++) {
			d.row = &rows[i];
			if (d.row->severity == s)
				d.row->check(&d);
		}
	}
	drop_repeated(&d.found);
	join(&d.found);
	return d.found;
}

void
doctor_text(const struct findings *f, struct str *out)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		str_addf(out, "%s: %s",
			 doctor_severity_name(f->list[i].severity),
			 f->list[i].text);
		if (f->list[i].more)
			str_addf(out, " (and %zu more)", f->list[i].more);
		str_addf(out, " [%s]\n    %s\n", f->list[i].name,
			 f->list[i].mend);
	}
}

void
doctor_json(const struct findings *f, struct json *j)
{
	uint64_t count[DOCTOR_SEVERITY_NOTE + 1] = {0};
	size_t i;

	json_array(j, "findings");
	for (i = 0; i < f->n; i++) {
		json_object(j, NULL);
		json_string(j, "name", f->list[i].name);
		json_string(j, "severity",
			    doctor_severity_name(f->list[i].severity));
		json_string(j, "text", f->list[i].text);
		json_string(j, "mend", f->list[i].mend);
		json_uint(j, "more", f->list[i].more);
		json_end(j);
		count[f->list[i].severity]++;
	}
	json_end(j);
	json_object(j, "summary");
	json_uint(j, "errors", count[DOCTOR_SEVERITY_ERROR]);
	json_uint(j, "warnings", count[DOCTOR_SEVERITY_WARNING]);
	json_uint(j, "notes", count[DOCTOR_SEVERITY_NOTE]);
	json_end(j);
}

const char *
doctor_name(size_t n)
{
	return n < N_ROWS ? rows[n].name : NULL;
}

enum doctor_severity
doctor_severity(size_t n)
{
	return rows[n].severity;
}

const char *
doctor_severity_name(enum doctor_severity severity)
{
	switch (severity) {
	case DOCTOR_SEVERITY_ERROR:
		return "error";
	case DOCTOR_SEVERITY_WARNING:
		return "warning";
	case DOCTOR_SEVERITY_NOTE:
		return "note";
	}
	return "?";
}
