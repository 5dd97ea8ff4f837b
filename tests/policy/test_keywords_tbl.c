/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/keywords_tbl.h"

#include "lib/names.h"
#include "tests/policy/texts.h"
#include "tests/unit.h"

/* --- a statement for each row ----------------------------------------------
 */

/* Values by type: none of them is a default. */
static const char *const samples[TYPE_COUNT] = {
	[TYPE_FLAG] = "",
	[TYPE_NUMBERS] = "201, 204",
	[TYPE_HEX] = "0x10",
	[TYPE_VOLUME] = "3g",
	[TYPE_RATE] = "100/s",
	[TYPE_NAME] = "sample",
	[TYPE_POOL] = "sample-pool",
	[TYPE_WORD] = "word",
	[TYPE_WORDS] = "one, two",
	[TYPE_NAMED] = "X-Name one*, two",
	[TYPE_TEXT] = "\"text of $client\"",
	[TYPE_REPLACEMENT] = "/$1",
	[TYPE_PATH] = "/file",
	[TYPE_IFACES] = "eth5, wg*",
	[TYPE_PREFIXES] = "10.0.0.0/8, fd00::/8",
	[TYPE_PORTS] = "80, 8000-8010",
	[TYPE_RANGE] = "20000-20999",
	[TYPE_LISTEN] = "10.0.0.1:99",
	[TYPE_NODE] = "10.0.0.2:80",
	[TYPE_SOURCE] = "client-port",
	[TYPE_LOG] = "/var/log/x",
};

/* The last word that this version has, which is not the default of any. */
static const char *
sample_choice(const struct arg *arg)
{
	const char *word = arg->choices->word;
	size_t i;

	/* the policy around most samples is of TCP by redirect */
	if (arg->choices == choices_proto || arg->choices == choices_mode)
		return "tcp";
	if (arg->choices == choices_via)
		return "redirect";
	if (arg->choices == choices_log_format)
		return "json";
	for (i = 0; arg->choices[i].word; i++)
		if (!arg->choices[i].unsupported)
			word = arg->choices[i].word;
	return word;
}

static void
add_sample(const struct keyword *row, const struct arg *arg, struct str *out)
{
	uint32_t n;

	str_addf(out, "%s%s ", arg->word ? arg->word : "",
		 arg->word ? " " : "");
	switch (arg->type) {
	case TYPE_CHOICE:
		str_add(out, sample_choice(arg));
		break;
	case TYPE_YES_NO:
		str_add(out, arg->choices ? arg->choices->word : "no");
		break;
	case TYPE_NUMBER:
	case TYPE_SIZE:
		n = arg->min + (arg->max > arg->min);
		if (!strcmp(row->word, "error-page"))
			n = 503; /* there are but some */
		str_addf(out, "%u", n);
		break;
	case TYPE_DURATION:
		str_addf(out, "%ums", arg->min + 1);
		break;
	case TYPE_FAMILIES:
		str_add(out, "ipv6");
		break;
	case TYPE_HEX: /* marks must not overlap */
		str_add(out, arg == row->args	    ? "0x10"
			     : arg == row->args + 1 ? "0x20"
						    : "0x30");
		break;
	default:
		CU_ASSERT_PTR_NOT_NULL(samples[arg->type]);
		str_add(out, samples[arg->type]);
	}
	str_add(out, " ");
}

/* With every option it has; `match` gets its block. */
static void
add_statement(const struct keyword *row, struct str *out)
{
	bool one = row->flags & KEYWORD_ONLY_ONE;
	const struct arg *arg;

	str_addf(out, "%s %s ", row->word, row->sub ? row->sub : "");
	for (arg = row->args; arg->type != TYPE_END; arg++) {
		if (arg->flags & ARG_UNSUPPORTED)
			continue;
		add_sample(row, arg, out);
		if (one)
			break;
	}
	if (row->flags & KEYWORD_BLOCK)
		str_add(out, "{ }");
}

/* Is it without effect, or a mistake, where no service is of http? */
static bool
needs_http(const struct keyword *row)
{
	return row->flags & KEYWORD_HTTP ||
	       (!strcmp(row->block, "pool") && !strncmp(row->word, "reuse", 5));
}

/* Does this version have the mode? If not there is one error for it. */
static bool
has_http(void)
{
	return !choice_find(choices_mode, "http")->unsupported;
}

/*
 * A policy that has `statement` in the block of `row`, with what the block
 * needs. What is written twice must be so in the same block.
 */
static void
add_policy(const struct keyword *row, const char *statement, struct str *out)
{
	const char *block = strcmp(row->block, "*") ? row->block : "service";
	const char *mode = needs_http(row)		? "mode http; "
			   : row->flags & KEYWORD_PROXY ? "accept-proxy; "
							: "";
	bool inside = strncmp(statement, "inside", 6) == 0;
	bool node = strncmp(statement, "node", 4) == 0;
	bool udp = strncmp(statement, "responses", 9) == 0;
	const char *proto = udp ? "udp" : "tcp";

	str_addf(out, "gateway { %s; %s }\n", inside ? "" : "inside eth1",
		 !strcmp(block, "gateway") ? statement : "");
	str_add(out, "pool sample-pool { node 10.0.0.9 }\n");
	str_addf(out, "pool p { %s; %s }\n", node ? "" : "node 10.0.0.1",
		 !strcmp(block, "pool") ? statement : "");
	str_addf(out, "service s { listen %s 81; intercept %s port 81; %s",
		 proto, proto, strcmp(block, "service") ? "" : mode);
	if (!strcmp(block, "match"))
		str_addf(out, "match port 80 { %s }", statement);
	else if (!strcmp(block, "service"))
		str_add(out, statement);
	str_add(out, " }\n");
	str_addf(out, "service uses { listen tcp 82; use p; %s}\n",
		 strcmp(block, "pool") ? "" : mode);
	str_add(out, "service more { listen tcp 83; use sample-pool }\n");
}

/* Errors in the policy that has this statement; they go to `messages`. */
static size_t
count_errors(const struct keyword *row, const char *statement,
	     struct str *messages, struct str *printed)
{
	struct str text = {0};
	struct diags diags;
	struct policy *p;
	size_t n;

	diags_init(&diags);
	add_policy(row, statement, &text);
	p = policy_load_text("p", str_text(&text), text.len, &diags);
	str_clear(messages);
	diags_format(&diags, false, messages);
	str_clear(printed);
	if (p)
		policy_print(p, printed);
	policy_free(p);
	n = diags.n_errors;
	diags_fini(&diags);
	str_fini(&text);
	return n;
}

static bool
is_supported(const struct keyword *row)
{
	return !(row->flags & (KEYWORD_UNSUPPORTED | KEYWORD_RESERVED));
}

/* --- each row works --------------------------------------------------------
 */

static bool
has_one_value(const struct keyword *row)
{
	const char *def = row->def;

	if (row->args->choices == choices_mode)
		def = "tcp";
	return row->args->type == TYPE_CHOICE && def &&
	       !strcmp(sample_choice(row->args), def);
}

static void
check_supported(const struct keyword *row, const char *statement)
{
	struct str messages = {0}, printed = {0};
	char name[KEYWORD_NAME_LEN], line[KEYWORD_NAME_LEN + 8];

	size_t errors = count_errors(row, statement, &messages, &printed);
	bool refused = needs_http(row) && !has_http();

	CU_ASSERT_EQUAL(errors, refused ? 1 : 0);
	UNIT_CHECK(
		refused ? strstr(str_text(&messages),
				 "'http' is not supported by this version") !=
				  NULL
			: !messages.len,
		"%s: %s", statement, str_text(&messages));
	snprintf(line, sizeof(line), "\n    %s%s", keyword_name(row, name),
		 row->args->field ? " " : "\n");
	/* some have but one value in this version, the default */
	if (!refused && (row->args->field || row->written) &&
	    !has_one_value(row))
		UNIT_CHECK(strstr(str_text(&printed), line) != NULL,
			   "'%s' is not printed: %s", statement,
			   str_text(&printed));
	str_fini(&messages);
	str_fini(&printed);
}

/* One error, at the keyword, and no other. */
static void
check_unsupported(const struct keyword *row, const char *statement)
{
	struct str messages = {0}, printed = {0};
	char want[KEYWORD_NAME_LEN + 64], name[KEYWORD_NAME_LEN];
	const char *word = keyword_name(row, name);

	if (!strcmp(row->block, "match"))
		word = "match"; /* one error for all of it */
	snprintf(want, sizeof(want),
		 "error: '%s' is not supported by this version\n", word);
	UNIT_CHECK(count_errors(row, statement, &messages, &printed) == 1 &&
			   strstr(str_text(&messages), want),
		   "%s: %s", statement, str_text(&messages));
	str_fini(&messages);
	str_fini(&printed);
}

static void
test_rows(void)
{
	const struct keyword *rows;
	size_t i, n, supported = 0;
	struct str statement = {0};

	rows = keywords(&n);
	for (i = 0; i < n; i++) {
		if (rows[i].flags & KEYWORD_PARSER || !*rows[i].block)
			continue;
		str_clear(&statement);
		add_statement(&rows[i], &statement);
		supported += is_supported(&rows[i]);
		if (is_supported(&rows[i]))
			check_supported(&rows[i], str_text(&statement));
		else
			check_unsupported(&rows[i], str_text(&statement));
	}
	CU_ASSERT(supported >= 30);
	str_fini(&statement);
}

/* Given twice: a mistake, or they add up; but one limit of a sort. */
static void
test_twice(void)
{
	struct str statement = {0}, messages = {0}, printed = {0};
	const struct keyword *rows;
	size_t i, n;
	bool twice, repeats;

	rows = keywords(&n);
	for (i = 0; i < n; i++) {
		if (rows[i].flags & (KEYWORD_PARSER | KEYWORD_RESERVED) ||
		    !*rows[i].block || !strcmp(rows[i].block, "match"))
			continue;
		str_clear(&statement);
		add_statement(&rows[i], &statement);
		str_add(&statement, "; ");
		add_statement(&rows[i], &statement);
		count_errors(&rows[i], str_text(&statement), &messages,
			     &printed);
		twice = strstr(str_text(&messages), "is given twice\n") &&
			strstr(str_text(&messages), "note: the first one\n");
		repeats = rows[i].flags & KEYWORD_REPEATS &&
			  !rows[i].list.kind && /* and each status once: */
			  strcmp(rows[i].word, "error-page") != 0;
		UNIT_CHECK(twice != repeats, "%s: %s", str_text(&statement),
			   str_text(&messages));
	}
	str_fini(&statement);
	str_fini(&messages);
	str_fini(&printed);
}

/* A statement cut short at any word, or with one too many, is a mistake. */
static void
test_extra_word(void)
{
	struct str statement = {0}, messages = {0}, printed = {0};
	const struct keyword *rows;
	size_t i, n;

	rows = keywords(&n);
	for (i = 0; i < n; i++) {
		if (rows[i].flags & (KEYWORD_PARSER | KEYWORD_RESERVED |
				     KEYWORD_BLOCK) ||
		    !*rows[i].block)
			continue;
		str_clear(&statement);
		add_statement(&rows[i], &statement);
		str_add(&statement, " xyzzyx");
		count_errors(&rows[i], str_text(&statement), &messages,
			     &printed);
		UNIT_CHECK(strstr(str_text(&messages), "xyzzyx'") != NULL,
			   "%s: %s", str_text(&statement), str_text(&messages));
	}
	str_fini(&statement);
	str_fini(&messages);
	str_fini(&printed);
}

/* --- the table itself ------------------------------------------------------
 */

/* A default is written as the printer would, and so is never printed. */
static void
test_defaults(void)
{
	struct str statement = {0}, messages = {0}, printed = {0};
	const struct keyword *rows;
	size_t i, n, defaults = 0;
	char name[KEYWORD_NAME_LEN], line[2 * KEYWORD_NAME_LEN];

	rows = keywords(&n);
	for (i = 0; i < n; i++) {
		if (!rows[i].def)
			continue;
		defaults++;
		str_clear(&statement);
		str_addf(&statement, "%s %s", keyword_name(&rows[i], name),
			 rows[i].def);
		CU_ASSERT_EQUAL(count_errors(&rows[i], str_text(&statement),
					     &messages, &printed),
				needs_http(&rows[i]) && !has_http() ? 1 : 0);
		snprintf(line, sizeof(line), "\n    %s %s\n", name,
			 rows[i].def);
		UNIT_CHECK(rows[i].written || !strstr(str_text(&printed), line),
			   "%s is printed: %s", str_text(&statement),
			   str_text(&printed));
	}
	CU_ASSERT(defaults >= 15);
	str_fini(&statement);
	str_fini(&messages);
	str_fini(&printed);
}

/* Limits hold at both ends, and the message names them. */
static void
test_limits(void)
{
	struct str statement = {0}, messages = {0}, printed = {0};
	const struct keyword *rows;
	size_t i, n, limits = 0;
	char name[KEYWORD_NAME_LEN];

	rows = keywords(&n);
	for (i = 0; i < n; i++) {
		const struct arg *arg = rows[i].args;
		const char *unit = arg->type == TYPE_DURATION ? "ms" : "";
		uint64_t values[4] = {arg->min, arg->max,
				      (uint64_t)arg->min - 1,
				      (uint64_t)arg->max + 1};
		size_t j;

		if (!is_supported(&rows[i]) || !arg->max ||
		    (arg->type != TYPE_NUMBER && arg->type != TYPE_DURATION &&
		     arg->type != TYPE_SIZE))
			continue;
		limits++;
		for (j = 0; j < 4; j++) {
			bool wrong = j >= 2;

			if (j == 2 && !arg->min)
				continue;
			str_clear(&statement);
			str_addf(&statement, "%s %llu%s",
				 keyword_name(&rows[i], name),
				 (unsigned long long)values[j], unit);
			count_errors(&rows[i], str_text(&statement), &messages,
				     &printed);
			UNIT_CHECK(wrong == (strstr(str_text(&messages),
						    "is outside") != NULL),
				   "%s: %s", str_text(&statement),
				   str_text(&messages));
		}
	}
	CU_ASSERT(limits >= 8);
	str_fini(&statement);
	str_fini(&messages);
	str_fini(&printed);
}

static void
check_row(const struct keyword *row)
{
	const struct arg *arg, *other;
	bool options = false;

	UNIT_CHECK(!row->flags || !(row->flags & KEYWORD_RESERVED) ||
			   !strcmp(row->block, "*"),
		   "%s: reserved in one block only", row->word);
	UNIT_CHECK(row->flags & KEYWORD_RESERVED || *row->help, "%s: no help",
		   row->word);
	UNIT_CHECK(!row->def || !(row->flags & KEYWORD_REPEATS),
		   "%s: a default of a list", row->word);
	for (arg = row->args; arg->type != TYPE_END; arg++) {
		CU_ASSERT(arg->type > TYPE_END && arg->type < TYPE_COUNT);
		UNIT_CHECK(arg->min <= arg->max, "%s: limits", row->word);
		UNIT_CHECK(arg->type != TYPE_CHOICE || arg->choices,
			   "%s: choices", row->word);
		UNIT_CHECK(arg->word || !options, "%s: options come last",
			   row->word);
		options |= arg->word != NULL;
		if (!arg->word)
			continue;
		UNIT_CHECK(
			row->flags & (KEYWORD_CONDITIONS | KEYWORD_ONLY_ONE) ||
				strstr(row->form, arg->word),
			"%s: the form lacks %s", row->word, arg->word);
		for (other = row->args; other < arg; other++)
			UNIT_CHECK(!other->word ||
					   strcmp(other->word, arg->word) != 0,
				   "%s: %s twice", row->word, arg->word);
	}
}

static void
test_table(void)
{
	const struct keyword *rows;
	size_t i, j, n;

	rows = keywords(&n);
	for (i = 0; i < n; i++) {
		check_row(&rows[i]);
		for (j = 0; j < i; j++)
			UNIT_CHECK(strcmp(rows[i].block, rows[j].block) != 0 ||
					   strcmp(rows[i].word, rows[j].word) !=
						   0 ||
					   (rows[i].sub && rows[j].sub &&
					    strcmp(rows[i].sub, rows[j].sub)),
				   "two rows for %s", rows[i].word);
	}
}

/* Every word of the contract has its row: the list is written by hand. */
static const char *const contract[][2] = {
	/* block       words */
	{"", "gateway service pool define include"},
	{"gateway",
	 "inside outside family except on-failure alive-timeout on-drift "
	 "upstream-tracking mark table priority zone capture-ports forwarding "
	 "workers user max-flows drain-timeout cookie-key timeout limit log "
	 "forwarded-for"},
	{"service",
	 "intercept except listen mode use match script on-failure timeout "
	 "accept-proxy forwarded-for cluster-client-ip non-http responses "
	 "limit error-page log"},
	{"pool", "node source balance persist persist-failure monitor passive "
		 "failure-pool reuse reuse-idle reuse-max queue slow-start "
		 "send-proxy"},
	{"match", "use deny reset bypass redirect respond set add remove "
		  "rewrite source persist-key mark-tos log"},
	{"service",
	 "tls cache compress class bandwidth traffic-address cluster last-hop "
	 "resolver"},
};

static void
test_contract(void)
{
	size_t i, words = 0;
	char text[512], *save, *word;

	for (i = 0; i < sizeof(contract) / sizeof(contract[0]); i++) {
		snprintf(text, sizeof(text), "%s", contract[i][1]);
		for (word = strtok_r(text, " ", &save); word;
		     word = strtok_r(NULL, " ", &save)) {
			UNIT_CHECK(keyword_find(contract[i][0], word, NULL) !=
					   NULL,
				   "no '%s' in '%s'", word, contract[i][0]);
			words++;
		}
	}
	CU_ASSERT_EQUAL(words, 5 + 23 + 17 + 14 + 14 + 9);
}

/* --- look-ups --------------------------------------------------------------
 */

static void
completion(const char *block, struct str *out)
{
	const char *word;
	size_t n;

	str_clear(out);
	for (n = 0; (word = policy_keyword(block, n)); n++)
		str_addf(out, "%s%s", n ? " " : "", word);
}

static void
test_completion(void)
{
	struct str out = {0};

	completion("", &out);
	UNIT_STRINGS(str_text(&out), "gateway service pool define include");
	completion("gateway", &out);
	UNIT_STRINGS(str_text(&out),
		     "define include inside outside family except on-failure "
		     "alive-timeout on-drift upstream-tracking mark table "
		     "priority zone "
		     "capture-ports forwarding workers user max-flows "
		     "drain-timeout timeout limit log forwarded-for");
	completion("service", &out);
	UNIT_STRINGS(str_text(&out),
		     "define include intercept except listen mode use "
		     "on-failure timeout accept-proxy forwarded-for "
		     "cluster-client-ip "
		     "non-http responses limit error-page log");
	completion("pool", &out);
	UNIT_STRINGS(str_text(&out),
		     "define include node source balance reuse reuse-idle "
		     "reuse-max send-proxy");
	completion("nonsense", &out);
	UNIT_STRINGS(str_text(&out), "define include");
	str_fini(&out);
}

static void
test_find(void)
{
	char name[KEYWORD_NAME_LEN];
	const struct keyword *row;

	CU_ASSERT_PTR_NULL(keyword_find("pool", "inside", NULL));
	CU_ASSERT_PTR_NULL(keyword_find("gateway", "timeout", "nothing"));
	row = keyword_find("gateway", "timeout", "idle");
	CU_ASSERT_PTR_NOT_NULL_FATAL(row);
	UNIT_STRINGS(keyword_name(row, name), "timeout idle");
	CU_ASSERT(keyword_has_sub(row));
	row = keyword_find("gateway", "mark", NULL);
	CU_ASSERT(!keyword_has_sub(row));
	UNIT_STRINGS(keyword_option(row, "mask")->word, "mask");
	CU_ASSERT_PTR_NULL(keyword_option(row, "mark"));
	UNIT_STRINGS(keyword_elsewhere("gateway", "node"), "pool");
	UNIT_STRINGS(keyword_elsewhere("gateway", "pool"), "");
	CU_ASSERT_PTR_NULL(keyword_elsewhere("pool", "node"));
	CU_ASSERT(keyword_find("pool", "cache", NULL)->flags &
		  KEYWORD_RESERVED);
	CU_ASSERT(keyword_find("pool", "include", NULL)->flags &
		  KEYWORD_PARSER);
	CU_ASSERT_PTR_NULL(choice_find(NULL, "x"));
	UNIT_STRINGS(choice_word(choices_log_format, LOG_FORMAT_TEXT), "text");
}

static const struct unit_test tests[] = {
	{"rows", test_rows},
	{"twice", test_twice},
	{"extra_word", test_extra_word},
	{"defaults", test_defaults},
	{"limits", test_limits},
	{"table", test_table},
	{"contract", test_contract},
	{"completion", test_completion},
	{"find", test_find},
};

UNIT_MAIN("keywords_tbl", tests)
