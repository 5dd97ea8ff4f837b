/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fit.h - do the statements of a service fit its protocol and its mode?
 *
 * What a row of the keyword table cannot say: a statement that is right by
 * itself, and wrong, or another one, beside the others.
 */
#ifndef POLICY_FIT_H
#define POLICY_FIT_H

#include "policy/policy.h"
#include "policy/source.h"

/*
 * Report what does not fit in `s`, whose pool is known. A format of records
 * that only the gateway named, and that is not for its mode, becomes text.
 */
void fit_service(struct sources *sources, struct policy_service *s);

#endif
