/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network.h - readers of interfaces, addresses, networks, ports, and of what
 * is an address or a word: nodes, sources, log files.
 *
 * One for each type of the keyword table; see reading.h for what they share.
 */
#ifndef POLICY_NETWORK_H
#define POLICY_NETWORK_H

#include "policy/reading.h"

int network_ifaces(const struct reading *r);
int network_families(const struct reading *r);
int network_prefixes(const struct reading *r);
int network_ports(const struct reading *r);
int network_range(const struct reading *r);
int network_listen(const struct reading *r);
int network_node(const struct reading *r);
int network_source(const struct reading *r);
int network_log(const struct reading *r);

#endif
