/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rota.c - workers come and go, hang and come back. */
#include "proxyd/rota.h"

#include <string.h>

#include "tests/unit.h"

/* Letters for how workers are, "TTG"; carries out all moves: "1:0>2 ". */
static const char *
moves(struct rota *r, const char *how, char *buf)
{
	static const char letters[] = "GFTH";
	enum rota_health workers[8];
	struct rota_move m;
	uint32_t i, n = (uint32_t)strlen(how);
	char *at = buf;

	for (i = 0; i < n; i++)
		workers[i] =
			(enum rota_health)(strchr(letters, how[i]) - letters);
	*at = '\0';
	while (rota_next(r, workers, n, &m) && at - buf < 60) {
		*at++ = (char)('0' + m.slot);
		*at++ = ':';
		*at++ = m.from == ROTA_NOBODY ? '-' : (char)('0' + m.from);
		*at++ = '>';
		*at++ = (char)('0' + m.to);
		*at++ = ' ';
		*at = '\0';
	}
	return buf;
}

static bool
served(const struct rota *r, const char *how)
{
	enum rota_health workers[8];
	uint32_t i, n = (uint32_t)strlen(how);

	for (i = 0; i < n; i++)
		workers[i] = how[i] == 'T' ? ROTA_TICKS : ROTA_HANGS;
	return rota_is_served(r, workers, n);
}

/* All serve from their start, and nothing has to move. */
static void
beginning(void)
{
	struct rota r;
	char buf[64];

	CU_ASSERT_EQUAL_FATAL(rota_init(&r, 2), 0);
	UNIT_STRINGS(moves(&r, "GG", buf), "");
	CU_ASSERT(rota_begin(&r, 0));
	CU_ASSERT(rota_begin(&r, 1));
	CU_ASSERT(!rota_begin(&r, 1));
	UNIT_STRINGS(moves(&r, "FF", buf), "");
	UNIT_STRINGS(moves(&r, "TF", buf), "");
	CU_ASSERT(!served(&r, "TH"));
	UNIT_STRINGS(moves(&r, "TT", buf), "");
	CU_ASSERT(served(&r, "TT"));
	rota_fini(&r);
}

/* Those who begin later take what is theirs when they tick. */
static void
later(void)
{
	struct rota r;
	char buf[64];

	CU_ASSERT_EQUAL_FATAL(rota_init(&r, 3), 0);
	UNIT_STRINGS(moves(&r, "FFF", buf), "");
	UNIT_STRINGS(moves(&r, "TTT", buf), "0:->0 1:->1 2:->2 ");
	CU_ASSERT(served(&r, "TTT"));
	rota_fini(&r);
}

static void
adoption(void)
{
	struct rota r;
	char buf[64];

	CU_ASSERT_EQUAL_FATAL(rota_init(&r, 3), 0);
	moves(&r, "TTT", buf);
	/* one dies: the next serves its slot, until its successor ticks */
	rota_forget(&r, 1);
	UNIT_STRINGS(moves(&r, "TGT", buf), "1:->2 ");
	CU_ASSERT(served(&r, "THT"));
	CU_ASSERT(!rota_begin(&r, 1));
	UNIT_STRINGS(moves(&r, "TFT", buf), "");
	UNIT_STRINGS(moves(&r, "TTT", buf), "1:2>1 ");
	/* one hangs, then the one that stood in: the last has all */
	UNIT_STRINGS(moves(&r, "HTT", buf), "0:0>1 ");
	UNIT_STRINGS(moves(&r, "HHT", buf), "0:1>2 1:1>2 ");
	CU_ASSERT(served(&r, "HHT"));
	/* it hangs too: nothing gets better by moving */
	UNIT_STRINGS(moves(&r, "HHH", buf), "");
	CU_ASSERT(!served(&r, "HHH"));
	UNIT_STRINGS(moves(&r, "HTH", buf), "0:2>1 1:2>1 2:2>1 ");
	UNIT_STRINGS(moves(&r, "TTT", buf), "0:1>0 2:1>2 ");
	rota_fini(&r);
}

/* A worker that is alone: its successor serves from the start. */
static void
alone(void)
{
	struct rota r;
	char buf[64];

	CU_ASSERT_EQUAL_FATAL(rota_init(&r, 1), 0);
	CU_ASSERT(rota_begin(&r, 0));
	rota_forget(&r, 0);
	UNIT_STRINGS(moves(&r, "G", buf), "");
	CU_ASSERT(!served(&r, "H"));
	CU_ASSERT(rota_begin(&r, 0));
	UNIT_STRINGS(moves(&r, "T", buf), "");
	CU_ASSERT(served(&r, "T"));
	rota_fini(&r);
}

/* More slots than workers: those left over are served all the same. */
static void
fewer(void)
{
	struct rota r;
	char buf[64];

	CU_ASSERT_EQUAL_FATAL(rota_init(&r, 4), 0);
	UNIT_STRINGS(moves(&r, "TT", buf), "0:->0 1:->1 2:->1 3:->0 ");
	CU_ASSERT(served(&r, "TT"));
	CU_ASSERT(!rota_begin(&r, 4));
	rota_fini(&r);
}

static const struct unit_test tests[] = {
	{"beginning", beginning}, {"later", later}, {"adoption", adoption},
	{"alone", alone},	  {"fewer", fewer},
};

UNIT_MAIN("rota", tests)
