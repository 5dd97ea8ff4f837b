/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_policy - any bytes as a policy.
 *
 * They end in messages or in a policy; a policy, printed and loaded again,
 * is the same. `make fuzz` runs it under libFuzzer; with -DFUZZ_STANDALONE it
 * is, by any compiler, a program that takes the files of its command line,
 * one after the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/diag.h"
#include "lib/str.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What was printed must be good, and mean what it was printed from. */
static void
print_again(const struct policy *p)
{
	struct str text = {0}, again = {0};
	struct diags diags;
	struct policy *q;

	diags_init(&diags);
	policy_print(p, &text);
	q = policy_load_text("printed", str_text(&text), text.len, &diags);
	if (!q || !policy_equal(p, q) || p->digest != q->digest) {
		diags_format(&diags, false, &again);
		fprintf(stderr, "lost by printing:\n%s%s", str_text(&text),
			str_text(&again));
		abort();
	}
	policy_print(q, &again);
	if (strcmp(str_text(&text), str_text(&again)) != 0)
		abort();
	policy_free(q);
	str_fini(&text);
	str_fini(&again);
	diags_fini(&diags);
}

/* Questions that need no file; any answer will do. */
static void
ask(const struct policy *p)
{
	struct endpoint client = {{AF_INET, {10, 0, 0, 1}}, 1000};
	struct endpoint destination = {{AF_INET, {10, 0, 0, 2}}, 80};
	char set[POLICY_ALIVE_SET_LEN];
	size_t i;

	policy_match(p, PROTO_TCP, "eth1", "eth0", &client, &destination);
	policy_return_path_digest(p);
	policy_spoofs(p);
	for (i = 0; i < p->n_services; i++) {
		policy_alive_digest(&p->services[i]);
		policy_alive_set(&p->services[i], set);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str messages = {0};
	struct diags diags;
	struct policy *p;

	diags_init(&diags);
	/* of a directory that is not there: includes find nothing */
	p = policy_load_text("/nonexistent/policy.conf", (const char *)data,
			     len, &diags);
	if (!p != (diags.n_errors > 0))
		abort();
	diags_format(&diags, false, &messages);
	if (p) {
		print_again(p);
		ask(p);
	}
	policy_free(p);
	str_fini(&messages);
	diags_fini(&diags);
	return 0;
}

#ifdef FUZZ_STANDALONE
static int
run_file(const char *path)
{
	struct str text = {0};
	char buf[4096];
	size_t n;
	FILE *f;

	f = fopen(path, "re");
	if (!f) {
		perror(path);
		return 1;
	}
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add_bytes(&text, buf, n);
	fclose(f);
	LLVMFuzzerTestOneInput((const uint8_t *)str_text(&text), text.len);
	str_fini(&text);
	return 0;
}

int
main(int argc, char **argv)
{
	int i, failed = 0;

	for (i = 1; i < argc; i++)
		failed |= run_file(argv[i]);
	return failed;
}
#endif
