/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/network.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/inet.h"
#include "policy/policy.h"

/* --- addresses ------------------------------------------------------------ */

/* Does the list say `any`? Only alone, and only where it may. */
static bool
is_any(const struct reading *r)
{
	return r->n == 1 && r->arg->flags & ARG_ANY && !r->list[0]->quoted &&
	       !strcmp(r->list[0]->text, "any");
}

/* An element that should not be the bare word `any`. */
static int
check_any(const struct reading *r, struct word *w)
{
	if (w->quoted || strcmp(w->text, "any") != 0)
		return 0;
	return reading_mistake(r, w, "'any' %s",
			       r->arg->flags & ARG_ANY ? "stands alone"
						       : "cannot stand here");
}

static int
read_iface_word(const struct reading *r, struct word *w,
		struct policy_iface *ret_iface)
{
	size_t len = strlen(w->text);
	char buf[SHOWN_LEN];

	*ret_iface = (struct policy_iface){0};
	if (check_any(r, w) < 0)
		return -EINVAL;
	if (len && w->text[len - 1] == '*') {
		ret_iface->wildcard = true;
		len--;
	}
	if (!len || len >= POLICY_IFACE_LEN ||
	    strcspn(w->text, "/ *\n\t:") < len || !strcmp(w->text, ".") ||
	    !strcmp(w->text, ".."))
		return reading_mistake(
			r, w,
			"'%s' is not an interface: 1-%d bytes, '*' only "
			"at the end",
			shown(w->text, buf), POLICY_IFACE_LEN - 1);
	memcpy(ret_iface->name, w->text, len);
	return 0;
}

int
network_ifaces(const struct reading *r)
{
	struct policy_ifaces value = {.n = r->n};
	struct policy_iface *list;
	int ret = 0;
	size_t i;

	if (is_any(r))
		return reading_store(r, &(struct policy_ifaces){0},
				     sizeof(value));
	list = arena_calloc(r->sources->keep, r->n, sizeof(*list));
	for (i = 0; i < r->n; i++)
		if (read_iface_word(r, r->list[i], &list[i]) < 0)
			ret = -EINVAL;
	value.list = list;
	return ret < 0 ? ret : reading_store(r, &value, sizeof(value));
}

int
network_families(const struct reading *r)
{
	const struct choice *choice;
	struct reading one = *r;
	unsigned int value = 0;
	int ret = 0;
	size_t i;

	for (i = 0; i < r->n; i++) {
		one.word = r->list[i];
		choice = choice_find(r->arg->choices, one.word->text);
		if (!choice)
			ret = reading_choice_mistake(&one, r->arg->choices);
		else if (value & choice->value)
			ret = reading_mistake(r, one.word,
					      "'%s' is given twice",
					      choice->word);
		else
			value |= choice->value;
	}
	return ret < 0 ? ret : reading_store(r, &value, sizeof(value));
}

/* ::ffff:0:0/96: never seen in a packet, packets of IPv4 carry IPv4. */
static bool
is_mapped(const struct addr *addr)
{
	static const uint8_t start[12] = {[10] = 0xff, [11] = 0xff};

	return addr->family == AF_INET6 &&
	       !memcmp(addr->bytes, start, sizeof(start));
}

static int
report_mapped(const struct reading *r, struct word *w)
{
	char buf[SHOWN_LEN];

	return reading_mistake(r, w,
			       "'%s' is an IPv4 address in the clothes of "
			       "IPv6: write it as IPv4",
			       shown(w->text, buf));
}

static int
read_prefix_word(const struct reading *r, struct word *w,
		 struct prefix *ret_prefix)
{
	char buf[SHOWN_LEN], right[PREFIX_TEXT_LEN];
	int ret;

	if (check_any(r, w) < 0)
		return -EINVAL;
	ret = prefix_parse(w->text, ret_prefix);
	if (ret == -ERANGE)
		return reading_mistake(
			r, w,
			"'%s' has bits set beyond its length, did you "
			"mean '%s'?",
			shown(w->text, buf), prefix_format(ret_prefix, right));
	if (ret < 0)
		return reading_mistake(r, w,
				       "'%s' is not an address or network",
				       shown(w->text, buf));
	if (is_mapped(&ret_prefix->addr) && ret_prefix->len >= 96)
		return report_mapped(r, w);
	return 0;
}

int
network_prefixes(const struct reading *r)
{
	struct policy_prefixes value = {.n = r->n};
	struct prefix *list;
	int ret = 0;
	size_t i;

	if (is_any(r))
		return reading_store(r, &(struct policy_prefixes){0},
				     sizeof(value));
	list = arena_calloc(r->sources->keep, r->n, sizeof(*list));
	for (i = 0; i < r->n; i++)
		if (read_prefix_word(r, r->list[i], &list[i]) < 0)
			ret = -EINVAL;
	value.list = list;
	return ret < 0 ? ret : reading_store(r, &value, sizeof(value));
}

static int
read_range_word(const struct reading *r, struct word *w,
		struct port_range *ret_range)
{
	char buf[SHOWN_LEN];

	if (check_any(r, w) < 0)
		return -EINVAL;
	if (port_range_parse(w->text, ret_range) < 0)
		return reading_mistake(
			r, w, "'%s' is not a port or LOW-HIGH, 1-65535",
			shown(w->text, buf));
	return 0;
}

/* Where ports must be given, `any` is a range like others. */
static int
read_any_port(const struct reading *r)
{
	static const struct port_range all = {1, 65535};
	struct policy_ports value = {0};

	if (r->arg->flags & ARG_REQUIRED) {
		value.list = arena_memdup(r->sources->keep, &all, sizeof(all));
		value.n = 1;
	}
	return reading_store(r, &value, sizeof(value));
}

int
network_ports(const struct reading *r)
{
	struct policy_ports value = {.n = r->n};
	struct port_range *list;
	int ret = 0;
	size_t i;

	if (is_any(r))
		return read_any_port(r);
	list = arena_calloc(r->sources->keep, r->n, sizeof(*list));
	for (i = 0; i < r->n; i++)
		if (read_range_word(r, r->list[i], &list[i]) < 0)
			ret = -EINVAL;
	value.list = list;
	return ret < 0 ? ret : reading_store(r, &value, sizeof(value));
}

int
network_range(const struct reading *r)
{
	struct port_range value;

	if (read_range_word(r, r->word, &value) < 0)
		return -EINVAL;
	return reading_store(r, &value, sizeof(value));
}

/* An address of the box or of a server: one that a socket can have. */
static int
check_unicast(const struct reading *r, const struct addr *addr)
{
	char buf[SHOWN_LEN];

	shown(r->word->text, buf);
	if (!addr_is_unicast(addr))
		return reading_mistake(r, r->word,
				       "'%s' is not a unicast address", buf);
	if (is_mapped(addr))
		return report_mapped(r, r->word);
	if (addr->family == AF_INET6 && addr_is_link_local(addr))
		return reading_mistake(r, r->word,
				       "'%s' is link-local: it would need an "
				       "interface, which has no place here",
				       buf);
	return 0;
}

int
network_listen(const struct reading *r)
{
	struct endpoint value = {0};
	struct port_range port;
	char buf[SHOWN_LEN];

	if (!port_range_parse(r->word->text, &port) && port.low == port.high) {
		value.port = port.low;
		return reading_store(r, &value, sizeof(value));
	}
	if (endpoint_parse(r->word->text, &value) < 0)
		return reading_mistake(
			r, r->word,
			"'%s' is not a port, ADDR:PORT or [ADDR]:PORT",
			shown(r->word->text, buf));
	if (!value.port)
		return reading_mistake(r, r->word, "'%s' has no port: %s",
				       shown(r->word->text, buf),
				       value.addr.family == AF_INET6
					       ? "[ADDR]:PORT"
					       : "ADDR:PORT");
	if (!addr_is_any(&value.addr) && check_unicast(r, &value.addr) < 0)
		return -EINVAL;
	return reading_store(r, &value, sizeof(value));
}

int
network_node(const struct reading *r)
{
	struct policy_node value = {0};
	struct policy_node *node;
	char buf[SHOWN_LEN];

	value.original = reading_choice(r, r->arg->choices);
	if (!value.original) {
		if (endpoint_parse(r->word->text, &value.endpoint) < 0)
			return reading_mistake(
				r, r->word,
				"'%s' is not ADDR, ADDR:PORT, "
				"[ADDR]:PORT or the word original; "
				"names are not looked up",
				shown(r->word->text, buf));
		if (check_unicast(r, &value.endpoint.addr) < 0)
			return -EINVAL;
	}
	if (!r->dst)
		return 0;
	node = (struct policy_node *)((char *)r->dst -
				      offsetof(struct policy_node, original));
	node->original = value.original;
	node->endpoint = value.endpoint;
	return 0;
}

int
network_source(const struct reading *r)
{
	const struct choice *choice;
	struct policy_pool *pool;
	struct addr addr = {0};
	char buf[SHOWN_LEN];

	choice = reading_choice(r, r->arg->choices);
	if (!choice && addr_parse(r->word->text, &addr) < 0)
		return reading_mistake(
			r, r->word,
			"'%s' is not an address or one of the words "
			"gateway, client, client-port",
			shown(r->word->text, buf));
	if (!choice && check_unicast(r, &addr) < 0)
		return -EINVAL;
	if (!r->dst)
		return 0;
	pool = (struct policy_pool *)((char *)r->dst -
				      offsetof(struct policy_pool, source));
	pool->source = choice ? choice->value : SOURCE_ADDRESS;
	pool->source_addr = addr;
	return 0;
}

int
network_log(const struct reading *r)
{
	const struct choice *choice;
	struct policy_log value = {0};
	char buf[SHOWN_LEN];

	choice = reading_choice(r, r->arg->choices);
	if (!choice && r->word->text[0] != '/')
		return reading_mistake(
			r, r->word,
			"'%s' is not a file, from '/' on, or one of the "
			"words journal, none",
			shown(r->word->text, buf));
	if (!r->dst)
		return 0;
	value.target = choice ? choice->value : LOG_TARGET_FILE;
	if (!choice)
		value.path = arena_strdup(r->sources->keep, r->word->text);
	return reading_store(r, &value, sizeof(value));
}
