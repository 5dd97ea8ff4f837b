/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * onward.h - a flow whose server was chosen connects to it.
 */
#ifndef PROXYD_FLOW_ONWARD_H
#define PROXYD_FLOW_ONWARD_H

#include "proxyd/flow/life.h"

/*
 * Connect as f->decision says; where the client's port is not free, from
 * another. The flow may have ended when this returns.
 */
void onward_connect(struct flow *f);

#endif
