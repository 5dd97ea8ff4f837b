/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * why.h - from the errors of sockets to the reasons of reason_tbl.h.
 */
#ifndef PROXYD_FLOW_WHY_H
#define PROXYD_FLOW_WHY_H

#include "proxyd/base/reason.h"
#include "proxyd/stream/side.h"

/* Why connect() failed with this errno. Source: connect(2), tcp(7). */
enum reason why_not_connected(int error);

/* Why a flow with an error on at least one side ends. */
enum reason why_broken(const struct side *client, const struct side *server);

#endif
