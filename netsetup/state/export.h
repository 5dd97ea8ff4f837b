/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export.h - a state as the commands that would bring it about by hand.
 *
 * For those who review before they trust, and for boxes that are set up by
 * other means: a shell script of sysctl, ip and nft. Rules carry the same
 * comments, so netsetup knows what was loaded this way as its own.
 */
#ifndef NETSETUP_STATE_EXPORT_H
#define NETSETUP_STATE_EXPORT_H

#include "lib/str.h"
#include "netsetup/state/kstate.h"

/* Add the script for a wanted state to `out`. `title` goes into its head. */
void export_script(const struct kstate *s, const char *title, struct str *out);

#endif
