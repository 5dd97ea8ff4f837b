/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keywords_tbl.h - every statement of the policy language, as rows.
 *
 * A row says where a keyword may stand, how its arguments look, which member
 * of the model takes them, what the default and the limits are. Parser,
 * reader, printer, completion and the test of the manual all go by it, so a
 * new keyword is one row here; code exists only for what crosses statements
 * (check.c). Source: policy.conf(5).
 */
#ifndef POLICY_KEYWORDS_TBL_H
#define POLICY_KEYWORDS_TBL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct policy;

/* How a value is written; value.c reads and prints each. */
enum type {
	TYPE_END,     /* closes an array of arguments */
	TYPE_FLAG,    /* the word alone */
	TYPE_CHOICE,  /* one of `choices` */
	TYPE_YES_NO,  /* or the words of `choices` */
	TYPE_NUMBER,  /* or one of `choices` */
	TYPE_NUMBERS, /* list */
	TYPE_HEX,
	TYPE_DURATION, /* limits in ms */
	TYPE_SIZE,     /* limits in bytes */
	TYPE_VOLUME,   /* a size that may need 64 bits */
	TYPE_RATE,
	TYPE_NAME,
	TYPE_POOL,	  /* name of a pool, which may be defined later */
	TYPE_WORD,	  /* free text of min to max bytes */
	TYPE_WORDS,	  /* list */
	TYPE_NAMED,	  /* WORD and perhaps a list */
	TYPE_TEXT,	  /* with $variables */
	TYPE_REPLACEMENT, /* TEXT that may say $1 to $9 */
	TYPE_PATH,
	TYPE_IFACES,   /* list */
	TYPE_FAMILIES, /* list */
	TYPE_PREFIXES, /* list */
	TYPE_PORTS,    /* list */
	TYPE_RANGE,    /* of ports */
	TYPE_LISTEN,   /* [ADDR:]PORT */
	TYPE_NODE,     /* original | ADDR[:PORT] */
	TYPE_SOURCE,   /* gateway | client | client-port | ADDR */
	TYPE_LOG,      /* FILE | journal | none */
	TYPE_COUNT,
};

struct choice {
	const char *word; /* NULL closes the array */
	unsigned int value;
	bool unsupported; /* part of the language, not of this version */
};

enum {
	ARG_REQUIRED = 1 << 0, /* an option that must be there */
	ARG_OPTIONAL = 1 << 1, /* a positional one that may be missing */
	ARG_UNSUPPORTED = 1 << 2,
	ARG_ANY = 1 << 3, /* a list that may be `any` */
};

struct arg {
	const char *word; /* keyword of an option; NULL: by position */
	enum type type;
	unsigned int flags; /* ARG_* */
	const struct choice *choices;
	uint32_t min, max; /* both 0: no limits */
	size_t field;	   /* offset in the block or element; 0: none */
	size_t inherit;	   /* offset of its default in the gateway; 0: none */
	const char *def;   /* of an option */
	/* the same, where it depends on the element; the policy is NULL */
	const char *(*def_for)(const struct policy *p, const void *element);
};

enum {
	KEYWORD_BLOCK = 1 << 0,	  /* opens the block of its own name */
	KEYWORD_REPEATS = 1 << 1, /* adds up; else given twice is an error */
	KEYWORD_UNSUPPORTED = 1 << 2,
	KEYWORD_RESERVED = 1 << 3,   /* skipped with its block */
	KEYWORD_NEEDS_ONE = 1 << 4,  /* at least one option */
	KEYWORD_ONLY_ONE = 1 << 5,   /* exactly one option */
	KEYWORD_CONDITIONS = 1 << 6, /* `not` before options, any number */
	KEYWORD_ONE_OF = 1 << 7,     /* one value whatever the second word */
	KEYWORD_PARSER = 1 << 8,     /* define, include: parse.c does them */
	KEYWORD_INHERITS = 1 << 9,   /* elements of the gateway's count too */
	KEYWORD_HTTP = 1 << 10,	     /* in a service of mode http only */
	KEYWORD_PROXY = 1 << 11,     /* that, or with accept-proxy */
};

/* Where elements of a statement that repeats go; size 0: nowhere. */
struct keyword_list {
	size_t array; /* offset of the pointer */
	size_t count; /* offset of the size_t */
	size_t size;  /* of one element; struct place comes first in it */
	/* where several rows share a list: which of them an element is of */
	size_t kind;	    /* offset of an unsigned int in it; 0: not shared */
	unsigned int value; /* of that member */
};

struct keyword {
	const char *block; /* "" is the top; "*" is everywhere */
	const char *word;
	const char *sub;  /* second word, e.g. `timeout connect`; or NULL */
	const char *form; /* arguments as the manual writes them */
	const struct arg *args; /* never NULL; ends with TYPE_END */
	unsigned int flags;	/* KEYWORD_* */
	const char *def;	/* arguments that hold when it is not written */
	/* the same, where it depends on the block; NULL: what is inherited */
	const char *(*def_for)(const struct policy *p, const void *block);
	struct keyword_list list;
	size_t written; /* offset of a bool: it stands in the text; 0: none */
	size_t place;	/* offset of a struct place; 0: none */
	const char *help;
};

/* All rows; *ret_n is their number. */
const struct keyword *keywords(size_t *ret_n);

/*
 * The first row of `word` in `block`, also a reserved one; with `sub` not
 * NULL the row with that second word. NULL: none.
 */
const struct keyword *keyword_find(const char *block, const char *word,
				   const char *sub);

/* Does a keyword of this name have second words? `row` is the first one. */
bool keyword_has_sub(const struct keyword *row);

/* Which block other than `block` has this word? NULL: none. */
const char *keyword_elsewhere(const char *block, const char *word);

/* "timeout connect": the word, and the second one if it has any. */
enum { KEYWORD_NAME_LEN = 64 };
const char *keyword_name(const struct keyword *row, char buf[KEYWORD_NAME_LEN]);

/* The option of that word, or NULL. */
const struct arg *keyword_option(const struct keyword *row, const char *word);

/* The choice of that word, or NULL. */
const struct choice *choice_find(const struct choice *choices,
				 const char *word);

/* The word of a value; never NULL for a value of the enum. */
const char *choice_word(const struct choice *choices, unsigned int value);

/* A size in the largest unit that keeps it whole: "16k" "2m". */
enum { SIZE_TEXT_LEN = sizeof("18446744073709551615g") };
const char *size_format(uint64_t n, char buf[SIZE_TEXT_LEN]);

/* What the *_name() functions of policy.h and the printer share. */
extern const struct choice choices_proto[];
extern const struct choice choices_mode[];
extern const struct choice choices_via[];
extern const struct choice choices_on_failure[];
extern const struct choice choices_source[];
extern const struct choice choices_log_target[];
extern const struct choice choices_log_format[];
extern const struct choice choices_family[];
extern const struct choice choices_limit[];

#endif
