/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From child to parent through /proc/PID/stat. Both the number of parents
 * and what is read of each are bounded.
 */
#include "netsetup/kernel/environ.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum {
	PARENTS_MAX = 64,
	VALUE_MAX = 4096,
	READ_MAX = 4 * 1024 * 1024, /* of one environment */
};

static FILE *
open_file(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

/* 0 if it is not known. */
static pid_t
parent_of(pid_t pid)
{
	char text[512] = "";
	FILE *f = open_file(pid, "stat");
	int parent = 0;
	size_t n;
	char *at;

	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	at = strrchr(text, ')'); /* a name may hold anything */
	if (!at || sscanf(at + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

/* Read up to the next NUL; what does not fit is lost. false at the end. */
static bool
next_variable(FILE *f, char line[VALUE_MAX], size_t *budget)
{
	size_t n = 0;
	int c = EOF;

	while (*budget > 0 && (c = getc(f)) != EOF && c != '\0') {
		--*budget;
		if (n < VALUE_MAX - 1)
			line[n++] = (char)c;
	}
	line[n] = '\0';
	return *budget > 0 && (c != EOF || n > 0);
}

static bool
take_value(const char *line, const char *name, char *buf, size_t size)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) != 0 || line[len] != '=' ||
	    strlen(line + len + 1) >= size)
		return false;
	strcpy(buf, line + len + 1);
	return true;
}

static bool
find_in(pid_t pid, const char *name, char *buf, size_t size)
{
	size_t budget = READ_MAX;
	char line[VALUE_MAX];
	bool found = false;
	FILE *f = open_file(pid, "environ");

	if (!f)
		return false;
	while (!found && next_variable(f, line, &budget))
		found = take_value(line, name, buf, size);
	fclose(f);
	return found;
}

bool
environ_find(const char *name, char *buf, size_t size)
{
	const char *own = getenv(name);
	pid_t pid = getppid();
	int i;

	if (own && strlen(own) < size) {
		strcpy(buf, own);
		return true;
	}
	for (i = 0; i < PARENTS_MAX && pid > 0; i++) {
		if (find_in(pid, name, buf, size))
			return true;
		pid = parent_of(pid);
	}
	return false;
}
