/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/json.h"

#include "tests/unit.h"

static void
write_sample(struct str *out, bool indent)
{
	struct json j;

	json_init(&j, out, indent);
	json_object(&j, NULL);
	json_string(&j, "s", "a");
	json_array(&j, "list");
	json_uint(&j, NULL, UINT64_MAX);
	json_int(&j, NULL, -1);
	json_end(&j);
	json_array(&j, "empty");
	json_end(&j);
	json_bool(&j, "yes", true);
	json_null(&j, "nothing");
	json_end(&j);
}

static void
values_have_commas_and_keys(void)
{
	struct str out = {0};

	write_sample(&out, false);
	UNIT_STRINGS(str_text(&out),
		     "{\"s\":\"a\",\"list\":[18446744073709551615,-1],"
		     "\"empty\":[],\"yes\":true,\"nothing\":null}\n");
	str_clear(&out);
	write_sample(&out, true);
	UNIT_STRINGS(str_text(&out), "{\n"
				     "  \"s\": \"a\",\n"
				     "  \"list\": [\n"
				     "    18446744073709551615,\n"
				     "    -1\n"
				     "  ],\n"
				     "  \"empty\": [],\n"
				     "  \"yes\": true,\n"
				     "  \"nothing\": null\n"
				     "}\n");
	str_fini(&out);
}

static void
strings_are_escaped(void)
{
	/* in, out */
	static const char *const rows[][2] = {
		{"\"\\\n\t\x01\x7f", "\"\\\"\\\\\\n\\u0009\\u0001\\u007f\"\n"},
		{"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"\n"},
		{"\xff", "\"\xef\xbf\xbd\"\n"},
		/* cut off, overlong, surrogate, beyond the last plane */
		{"a\xc3", "\"a\xef\xbf\xbd\"\n"},
		{"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"\n"},
		{"\xe0\x9f\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\n"},
		{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\n"},
		{"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"\n"},
		{"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd"
				     "\xef\xbf\xbd\xef\xbf\xbd\"\n"},
	};
	struct str out = {0};
	struct json j;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		str_clear(&out);
		json_init(&j, &out, false);
		json_array(&j, NULL);
		json_string(&j, NULL, rows[i][0]);
		json_end(&j);
		/* between the brackets */
		out.data[out.len - 2] = '\n';
		out.data[out.len - 1] = '\0';
		UNIT_STRINGS(str_text(&out) + 1, rows[i][1]);
	}
	str_fini(&out);
}

static const struct unit_test tests[] = {
	{"values_have_commas_and_keys", values_have_commas_and_keys},
	{"strings_are_escaped", strings_are_escaped},
};

UNIT_MAIN("json", tests)
