/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * priv.c - capabilities through libcap, behind priv.h.
 *
 * Bounding and ambient sets matter only to programs that a process executes.
 * The master executes its successor, and raises them for that alone; no
 * other process does. Until then they are empty where the kernel lets us.
 */
#include "proxyd/base/priv.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { ROLE_CAPS_MAX = 3 };

struct role {
	int n;
	cap_value_t caps[ROLE_CAPS_MAX];
};

static const struct role roles[] = {
	[PRIV_MASTER] = {3, {CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE}},
	[PRIV_TRACKER] = {1, {CAP_NET_ADMIN}},
	[PRIV_WORKER] = {2, {CAP_NET_RAW, CAP_NET_BIND_SERVICE}},
};

static bool
role_has(const struct role *role, cap_value_t cap)
{
	int i;

	for (i = 0; i < role->n; i++)
		if (role->caps[i] == cap)
			return true;
	return false;
}

static void
add_name(struct str *names, cap_value_t cap)
{
	char *name = cap_to_name(cap);

	if (names->len)
		str_add(names, ", ");
	str_add(names, name ? name : "?");
	cap_free(name);
}

int
priv_missing(enum priv_role role, struct str *names)
{
	const struct role *r = &roles[role];
	cap_flag_value_t have;
	int i, missing = 0;
	cap_t caps;

	caps = cap_get_proc();
	if (!caps)
		return -errno;
	for (i = 0; i < r->n; i++) {
		have = CAP_CLEAR;
		cap_get_flag(caps, r->caps[i], CAP_PERMITTED, &have);
		if (have == CAP_SET)
			continue;
		add_name(names, r->caps[i]);
		missing++;
	}
	cap_free(caps);
	return missing;
}

/* Needs CAP_SETPCAP, so it is for the master that was started as root. */
static void
shrink_bound(const struct role *role)
{
	cap_value_t cap;

	for (cap = 0; cap < cap_max_bits(); cap++)
		if (!role_has(role, cap))
			(void)cap_drop_bound(cap);
}

static int
change_ids(const char *user, const struct passwd *pw)
{
	uid_t r, e, s;

	if (initgroups(user, pw->pw_gid) < 0)
		return -errno;
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0)
		return -errno;
	if (setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return -errno;
	if (getresuid(&r, &e, &s) < 0)
		return -errno;
	if (r != pw->pw_uid || e != pw->pw_uid || s != pw->pw_uid)
		return -EPERM;
	return 0;
}

int
priv_become(const char *user)
{
	struct passwd pw, *found;
	char buf[4096];
	int r;

	if (geteuid() != 0)
		return 0;
	shrink_bound(&roles[PRIV_MASTER]);
	r = getpwnam_r(user, &pw, buf, sizeof(buf), &found);
	if (!found)
		return r ? -r : -ENOENT;
	if (pw.pw_uid == 0)
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	r = change_ids(user, &pw);
	prctl(PR_SET_KEEPCAPS, 0L, 0L, 0L, 0L);
#ifdef __SANITIZE_ADDRESS__
	/* the leak checker must be able to look at its own process */
	prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L);
#endif
	return r;
}

static bool
ambient_empty(void)
{
	cap_value_t cap;

	for (cap = 0; cap < cap_max_bits(); cap++)
		if (cap_get_ambient(cap) > 0)
			return false;
	return true;
}

static int
set_and_compare(cap_t want, const struct role *role)
{
	cap_t got;
	int r;

	if (cap_set_flag(want, CAP_PERMITTED, role->n, role->caps, CAP_SET) ||
	    cap_set_flag(want, CAP_EFFECTIVE, role->n, role->caps, CAP_SET) ||
	    cap_set_proc(want))
		return -errno;
	got = cap_get_proc();
	if (!got)
		return -errno;
	r = cap_compare(want, got) == 0 ? 0 : -EPERM;
	cap_free(got);
	return r;
}

int
priv_limit(enum priv_role role)
{
	cap_t want;
	int r;

	if (cap_reset_ambient() < 0 && errno != EINVAL)
		return -errno;
	want = cap_init();
	if (!want)
		return -errno;
	r = set_and_compare(want, &roles[role]);
	cap_free(want);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L) != 1 || !ambient_empty())
		return -EPERM;
	return 0;
}

int
priv_pass_on(enum priv_role role)
{
	const struct role *r = &roles[role];
	int i, ret = 0;
	cap_t caps;

	caps = cap_get_proc();
	if (!caps)
		return -errno;
	/* ambient is what is permitted and inheritable, and never more */
	if (cap_set_flag(caps, CAP_INHERITABLE, r->n, r->caps, CAP_SET) ||
	    cap_set_proc(caps))
		ret = -errno;
	cap_free(caps);
	for (i = 0; i < r->n && ret == 0; i++)
		if (cap_set_ambient(r->caps[i], CAP_SET) < 0)
			ret = -errno;
	for (i = 0; i < r->n && ret == 0; i++)
		if (cap_get_ambient(r->caps[i]) != CAP_SET)
			ret = -EPERM;
	return ret;
}
