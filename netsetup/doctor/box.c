/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking things up in a box. Lists are short: they are searched from the
 * front.
 */
#include "netsetup/doctor/box.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct box_iface *
box_iface(const struct box *b, const char *name)
{
	size_t i;

	for (i = 0; i < b->n_ifaces; i++) {
		if (!strcmp(b->ifaces[i].name, name))
			return &b->ifaces[i];
	}
	return NULL;
}

const char *
box_setting(const struct box *b, const char *path)
{
	size_t i;

	for (i = 0; i < b->n_settings; i++) {
		if (!strcmp(b->settings[i].path, path))
			return b->settings[i].value;
	}
	return NULL;
}

const struct box_file *
box_file(const struct box *b, const char *path)
{
	size_t i;

	for (i = 0; i < b->n_files; i++) {
		if (!strcmp(b->files[i].path, path))
			return &b->files[i];
	}
	return NULL;
}

long
box_number(const struct box *b, long otherwise, const char *fmt, ...)
{
	const char *value;
	char path[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	value = box_setting(b, path);
	return value ? strtol(value, NULL, 10) : otherwise;
}
