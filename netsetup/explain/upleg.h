/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * upleg.h - what follows capture: proxyd's connection to the server, the
 * server's answer, and proxyd's answer to the client.
 */
#ifndef NETSETUP_EXPLAIN_UPLEG_H
#define NETSETUP_EXPLAIN_UPLEG_H

#include "netsetup/explain/finder.h"

/*
 * Write down the way on from proxyd, which took `taken` for f->way->service,
 * and sum it up. Fills upstream, source and broken of f->way.
 */
void upleg_follow(struct finder *f, const struct packet *taken);

#endif
