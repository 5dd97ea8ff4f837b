/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/names.h"

#include <string.h>

enum { WORD_MAX = 32 };

bool
name_valid(const char *name)
{
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t len = strlen(name);

	return len >= 1 && len <= NAME_MAX_LEN && name[0] >= 'a' &&
	       name[0] <= 'z' && strspn(name, rest) == len;
}

static unsigned int
least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * Damerau-Levenshtein, neighbours swapped counting one (the "optimal string
 * alignment" form), of two words of at most WORD_MAX bytes.
 */
static unsigned int
distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned int d[WORD_MAX + 1][WORD_MAX + 1];
	unsigned int cost;
	size_t i, j;

	for (i = 0; i <= na; i++)
		d[i][0] = (unsigned int)i;
	for (j = 0; j <= nb; j++)
		d[0][j] = (unsigned int)j;
	for (i = 1; i <= na; i++) {
		for (j = 1; j <= nb; j++) {
			cost = a[i - 1] != b[j - 1];
			d[i][j] = least(d[i - 1][j - 1] + cost,
					least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[na][nb];
}

const char *
name_nearest(const char *word, const char *const *candidates, size_t n)
{
	size_t i, len, word_len = strlen(word);
	const char *nearest = NULL;
	unsigned int d, best = 0;

	if (word_len > WORD_MAX)
		return NULL;
	for (i = 0; i < n; i++) {
		len = strlen(candidates[i]);
		if (len > WORD_MAX)
			continue;
		d = distance(word, word_len, candidates[i], len);
		if (3 * d > (len > word_len ? len : word_len))
			continue;
		if (!nearest || d < best) {
			nearest = candidates[i];
			best = d;
		}
	}
	return nearest;
}
