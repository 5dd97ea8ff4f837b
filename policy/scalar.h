/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scalar.h - readers of numbers, durations, words and text.
 *
 * One for each type of the keyword table; see reading.h for what they share.
 */
#ifndef POLICY_SCALAR_H
#define POLICY_SCALAR_H

#include "policy/reading.h"

int scalar_number(const struct reading *r);
int scalar_numbers(const struct reading *r);
int scalar_hex(const struct reading *r);
int scalar_duration(const struct reading *r);
int scalar_size(const struct reading *r);
int scalar_volume(const struct reading *r);
int scalar_rate(const struct reading *r);
int scalar_flag(const struct reading *r);
int scalar_choice(const struct reading *r);
int scalar_yes_no(const struct reading *r);
int scalar_name(const struct reading *r);
int scalar_pool(const struct reading *r);
int scalar_word(const struct reading *r);
int scalar_words(const struct reading *r);
int scalar_path(const struct reading *r);
int scalar_text(const struct reading *r);

#endif
