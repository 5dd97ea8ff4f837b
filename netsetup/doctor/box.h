/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * box.h - what is true of this box beside ours, as plain values: interfaces,
 * settings, others' rules and routes, who listens, files that matter.
 *
 * Filled by change/survey; looked at by doctor's checks, which read nothing
 * else. Lists live in the arena of whoever fills them.
 */
#ifndef NETSETUP_DOCTOR_BOX_H
#define NETSETUP_DOCTOR_BOX_H

#include "lib/inet.h"
#include "policy/policy.h"

#include "netsetup/doctor/foreign.h"

struct box_iface {
	char name[POLICY_IFACE_LEN];
	uint32_t index;
	uint32_t mtu;
	bool up;     /* and with a carrier */
	bool bridge; /* others are ports of it */
	bool loopback;
	struct prefix *nets; /* of its addresses, without link-local ones */
	size_t n_nets;
};

/* An ip rule that is not ours. */
struct box_iprule {
	uint8_t family;
	uint8_t action; /* FR_ACT_* */
	uint32_t priority;
	uint32_t mark;
	uint32_t mask; /* 0: marks do not matter */
	uint32_t table;
	bool narrow; /* not for every packet, whatever its mark */
};

/* Default routes of any table, and all that is in ours but not ours. */
struct box_route {
	uint8_t family;
	uint8_t protocol;
	uint32_t table;
	uint32_t metric;
	struct prefix to;
	char iface[POLICY_IFACE_LEN]; /* "": none, or several */
};

/* The interface by which the box would send to an address. */
struct box_way {
	struct addr to;
	char iface[POLICY_IFACE_LEN]; /* "": no route */
};

struct box_listener {
	uint8_t protocol; /* IPPROTO_* */
	uint16_t port;
	uint32_t uid;
};

/* A kernel setting; path below /proc/sys. */
struct box_setting {
	const char *path;
	const char *value;
};

/* A file that is there; text "" if it cannot be read. */
struct box_file {
	const char *path;
	const char *text;
};

struct box {
	struct box_iface *ifaces;
	size_t n_ifaces;
	struct box_iprule *iprules;
	size_t n_iprules;
	struct box_route *routes;
	size_t n_routes;
	struct box_way *ways;
	size_t n_ways;
	struct box_listener *listeners;
	size_t n_listeners;
	struct box_setting *settings;
	size_t n_settings;
	struct box_file *files;
	size_t n_files;
	struct foreign foreign;
	uint32_t proxy_uid;  /* of the policy's user; UINT32_MAX: unknown */
	uint32_t processors; /* as many workers has `workers auto` */
};

/* By name or path; NULL if there is none. */
const struct box_iface *box_iface(const struct box *b, const char *name);
const char *box_setting(const struct box *b, const char *path);
const struct box_file *box_file(const struct box *b, const char *path);

/* The setting as a number; `otherwise` where it is not there. */
long box_number(const struct box *b, long otherwise, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
