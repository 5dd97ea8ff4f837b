/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Works on the sets that an applied policy has made; reads no policy, and
 * takes no lock: one element comes or goes by itself.
 */
#include "netsetup/cmd/bypass.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "netsetup/cmd/common.h"
#include "netsetup/kernel/nft_pair.h"

enum { TIME_MIN_MS = 1000, TIME_MAX_MS = 24 * 3600 * 1000 };

/* Is there a set that pairs of this family could be in? */
static bool
has_set(struct nl *nl, int family)
{
	struct arena *arena = arena_new();
	struct bypass_pair *pairs = NULL;
	size_t n = 0;
	int r = nft_pair_list(nl, family, arena, &pairs, &n);

	arena_free(arena);
	return r != -ENOENT;
}

/* There is no set for `family`; why? */
static int
not_installed(struct nl *nl, int family)
{
	if (has_set(nl, family == AF_INET ? AF_INET6 : AF_INET))
		log_error("bypass: %s is not captured",
			  inet_family_name(family));
	else
		log_error("bypass: nothing is installed; `netsetup apply` "
			  "first");
	return EXIT_FAILED;
}

/* --- list ---------------------------------------------------------------- */

static void
pair_text(const struct bypass_pair *p, struct str *out)
{
	char client[ADDR_TEXT_LEN], destination[ADDR_TEXT_LEN];
	char left[CLOCK_DURATION_LEN];

	/* whole seconds, and never 0 for one that is still there */
	str_addf(out, "%s to %s, %s left, met %" PRIu64 " time%s\n",
		 addr_format(&p->client, client),
		 addr_format(&p->destination, destination),
		 clock_duration((p->left_ms + 999) / 1000 * 1000, left),
		 p->packets, p->packets == 1 ? "" : "s");
}

static void
pair_json(const struct bypass_pair *p, struct json *j)
{
	char text[ADDR_TEXT_LEN];

	json_object(j, NULL);
	json_string(j, "client", addr_format(&p->client, text));
	json_string(j, "destination", addr_format(&p->destination, text));
	json_uint(j, "timeout_ms", p->timeout_ms);
	json_uint(j, "left_ms", p->left_ms);
	json_uint(j, "met", p->packets);
	json_end(j);
}

static int
compare(const void *a, const void *b)
{
	const struct bypass_pair *x = a, *y = b;
	int r = addr_compare(&x->client, &y->client);

	return r ? r : addr_compare(&x->destination, &y->destination);
}

/* The kernel has them in no order. */
static void
print(struct bypass_pair *pairs, size_t n, bool as_json)
{
	struct str text = {0};
	struct json j;
	size_t i;

	if (n > 0)
		qsort(pairs, n, sizeof(*pairs), compare);
	if (!as_json) {
		for (i = 0; i < n; i++)
			pair_text(&pairs[i], &text);
	} else {
		json_init(&j, &text, true);
		json_object(&j, NULL);
		json_array(&j, "bypass");
		for (i = 0; i < n; i++)
			pair_json(&pairs[i], &j);
		json_end(&j);
		json_end(&j);
	}
	fputs(str_text(&text), stdout);
	str_fini(&text);
}

/* A family that is not captured has no set. */
static int
list(struct nl *nl, const struct options *o)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct arena *arena = arena_new();
	struct bypass_pair *pairs = NULL;
	size_t n = 0, i, missing = 0;
	int r = 0, status = EXIT_DONE;

	for (i = 0; i < 2 && r == 0; i++) {
		r = nft_pair_list(nl, families[i], arena, &pairs, &n);
		if (r == -ENOENT) {
			missing++;
			r = 0;
		}
	}
	if (r < 0)
		status = common_fail("bypass", r);
	else if (missing == 2)
		status = not_installed(nl, AF_INET);
	else
		print(pairs, n, o->json);
	arena_free(arena);
	return status;
}

/* --- add and del --------------------------------------------------------- */

/* What the kernel said to a change of one pair. */
static int
refused(int error, const struct nl_error *e)
{
	if (error == -ENFILE) {
		log_error("bypass: no room: %d pairs are there; take one out "
			  "with `netsetup bypass del`, or name networks in "
			  "an `except` of the policy",
			  POLICY_BYPASS_SIZE);
		return EXIT_FAILED;
	}
	if (e->text[0] == '\0' || error == -EPERM)
		return common_fail("bypass", error);
	log_error("bypass: %s (%s)", strerror(-error), e->text);
	return EXIT_FAILED;
}

static int
add(struct nl *nl, const struct bypass_pair *pair)
{
	struct nl_error e;
	int r = nft_pair_renew(nl, pair, &e);

	if (r == -ENOENT)
		return not_installed(nl, pair->client.family);
	return r < 0 ? refused(r, &e) : EXIT_DONE;
}

static int
del(struct nl *nl, const struct bypass_pair *pair, const struct options *o)
{
	struct nl_error e;
	int r = nft_pair_delete(nl, pair, &e);

	if (r == -ENOENT && !has_set(nl, pair->client.family))
		return not_installed(nl, pair->client.family);
	if (r == -ENOENT) {
		log_error("bypass: %s to %s is not there; `netsetup bypass "
			  "list` shows what is",
			  o->words[1], o->words[2]);
		return EXIT_FAILED;
	}
	return r < 0 ? refused(r, &e) : EXIT_DONE;
}

/* --- words --------------------------------------------------------------- */

static bool
parse_one(const char *text, const char *what, struct addr *ret_addr)
{
	struct prefix network;

	if (addr_parse(text, ret_addr) == 0)
		return true;
	if (prefix_parse(text, &network) != -EINVAL)
		log_error("bypass: %s is one address, not a network; for "
			  "networks there is `except` in the policy: %s",
			  what, text);
	else
		log_error("bypass: %s is an address such as 192.0.2.1 or "
			  "2001:db8::1, without a port, not '%s'",
			  what, text);
	return false;
}

static bool
parse_time(const char *text, uint64_t *ret_ms)
{
	if (clock_parse_duration(text, ret_ms) == 0 && *ret_ms >= TIME_MIN_MS &&
	    *ret_ms <= TIME_MAX_MS)
		return true;
	log_error("bypass: the time is a duration from 1s to 24h, such as "
		  "90s or 10m, not '%s'; for ever is `except` in the policy",
		  text);
	return false;
}

/* client, destination and perhaps a duration after the first word. */
static bool
parse_pair(const struct options *o, struct bypass_pair *ret_pair)
{
	struct bypass_pair p = {.timeout_ms = POLICY_BYPASS_MS};

	if (!parse_one(o->words[1], "the client", &p.client) ||
	    !parse_one(o->words[2], "the destination", &p.destination))
		return false;
	if (p.client.family != p.destination.family) {
		log_error("bypass: %s is %s and %s is %s; both must be of one "
			  "family",
			  o->words[1], inet_family_name(p.client.family),
			  o->words[2], inet_family_name(p.destination.family));
		return false;
	}
	if (o->n_words == 4 && !parse_time(o->words[3], &p.timeout_ms))
		return false;
	*ret_pair = p;
	return true;
}

static int
run(const struct options *o, bool lists, bool adds)
{
	struct bypass_pair pair = {0};
	struct nl nl;
	int status, r;

	if (!lists && !parse_pair(o, &pair))
		return EXIT_USAGE;
	r = nl_open(&nl, NETLINK_NETFILTER);
	if (r < 0)
		return common_fail("bypass", r);
	if (lists)
		status = list(&nl, o);
	else if (adds)
		status = add(&nl, &pair);
	else
		status = del(&nl, &pair, o);
	nl_close(&nl);
	return status;
}

int
cmd_bypass(int argc, char **argv)
{
	struct options o;
	const char *word;
	int status;

	status = common_options(argc, argv, OPTION_JSON,
				"list | add client destination [duration] | "
				"del client destination",
				&o);
	if (status >= 0)
		return status;
	word = o.n_words > 0 ? o.words[0] : "";
	if (!strcmp(word, "list") && o.n_words == 1)
		return run(&o, true, false);
	if (!o.json && !strcmp(word, "add") &&
	    (o.n_words == 3 || o.n_words == 4))
		return run(&o, false, true);
	if (!o.json && !strcmp(word, "del") && o.n_words == 3)
		return run(&o, false, false);
	log_error("bypass: type `netsetup bypass list`, `netsetup bypass add "
		  "client destination [duration]` or `netsetup bypass del "
		  "client destination`");
	return EXIT_USAGE;
}
