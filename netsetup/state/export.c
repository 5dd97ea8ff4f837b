/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the order of `apply`: what does nothing by itself comes first, then the
 * table, whose old content goes and whose new one comes in one transaction.
 */
#include "netsetup/state/export.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

static const char *
ip_option(uint8_t family)
{
	return family == AF_INET6 ? " -6" : "";
}

static void
export_iprule(const struct kiprule *r, struct str *out)
{
	str_addf(out, "ip%s rule add pref %u", ip_option(r->family),
		 r->priority);
	if (r->iif)
		str_addf(out, " iif %s", r->iif);
	if (r->mask)
		str_addf(out, " fwmark %#x/%#x", r->mark, r->mask);
	if (r->action == FR_ACT_TO_TBL)
		str_addf(out, " lookup %u", r->table);
	else if (r->action == FR_ACT_GOTO)
		str_addf(out, " goto %u", r->target);
	else
		str_add(out, " nop");
	str_addf(out, " protocol %u\n", RTPROT_INTERPOSE);
}

static void
export_route(const struct kroute *r, struct str *out)
{
	char text[PREFIX_TEXT_LEN];

	str_addf(out, "ip%s route add %s%s", ip_option(r->family),
		 r->type == RTN_LOCAL ? "local " : "",
		 r->to.len ? prefix_format(&r->to, text) : "default");
	if (r->iface)
		str_addf(out, " dev %s", r->iface);
	str_addf(out, " table %u protocol %u\n", r->table, RTPROT_INTERPOSE);
}

static void
export_elements(const struct kset *s, struct str *out)
{
	size_t i;

	str_add(out, "\t\telements = {");
	for (i = 0; i < s->n_elems; i++) {
		str_add(out, i ? ",\n\t\t\t" : "\n\t\t\t");
		kelem_format(&s->elems[i], s, out);
	}
	str_add(out, "\n\t\t}\n");
}

static void
export_set(const struct kset *s, struct str *out)
{
	/* as nft calls them */
	static const char *const types[] = {
		[KSET_IPV4] = "ipv4_addr",
		[KSET_IPV6] = "ipv6_addr",
		[KSET_PORT] = "inet_service",
		[KSET_IFNAME] = "ifname",
		[KSET_FAMILY] = "nf_proto",
		[KSET_OTHER] = "?",
		[KSET_HEARTBEAT] = "@th,64,64",
		[KSET_IPV4_PAIR] = "ipv4_addr . ipv4_addr",
		[KSET_IPV6_PAIR] = "ipv6_addr . ipv6_addr",
	};

	str_addf(out, "\t%s %s {\n\t\t%s %s%s\n", kset_word(s), s->name,
		 s->type == KSET_HEARTBEAT ? "typeof" : "type", types[s->type],
		 s->flags & NFT_SET_MAP ? " : verdict" : "");
	if (s->size)
		str_addf(out, "\t\tsize %u\n", s->size);
	if (kset_is_dynamic(s))
		str_addf(out, "\t\tflags %stimeout\n",
			 s->flags & NFT_SET_EVAL ? "dynamic," : "");
	else
		str_addf(out, "\t\tflags constant%s\n",
			 s->flags & NFT_SET_INTERVAL ? ",interval" : "");
	if (s->counts)
		str_add(out, "\t\tcounter\n");
	if (s->n_elems)
		export_elements(s, out);
	str_add(out, "\t}\n");
}

static void
export_timeout(const struct ktimeout *t, struct str *out)
{
	str_addf(out,
		 "\tct timeout %s {\n"
		 "\t\tprotocol udp\n"
		 "\t\tpolicy = { unreplied: %u, replied: %u }\n"
		 "\t}\n",
		 t->name, t->seconds, t->seconds);
}

static void
export_rule(const struct krule *r, struct str *out)
{
	struct str comment = {0};
	size_t i;

	kstate_rule_comment(r, &comment);
	for (i = 0; i < comment.len; i++)
		/* nft has no way to write a quote inside of quotes */
		if (strchr("\"\n", comment.data[i]))
			comment.data[i] = '?';
	str_addf(out, "\t\t%s comment \"%s\"\n", r->text, str_text(&comment));
	str_fini(&comment);
}

static void
export_chain(const struct kstate *s, const struct kchain *c, struct str *out)
{
	const char *hook;
	struct str text = {0};
	size_t i;

	/* "NAME type TYPE hook HOOK priority N" */
	kchain_format(c, &text);
	hook = str_text(&text) + strlen(c->name);
	str_addf(out, "\tchain %s {\n", c->name);
	if (c->base)
		str_addf(out, "\t\t%s; policy accept;\n", hook + 1);
	str_fini(&text);
	for (i = 0; i < s->n_rules; i++)
		if (!strcmp(s->rules[i].chain, c->name))
			export_rule(&s->rules[i], out);
	str_add(out, "\t}\n");
}

static void
export_table(const struct kstate *s, struct str *out)
{
	size_t i;

	str_add(out, "nft -f - <<'END'\n"
		     "table inet " KSTATE_TABLE "\n"
		     "delete table inet " KSTATE_TABLE "\n"
		     "table inet " KSTATE_TABLE " {\n");
	for (i = 0; i < s->n_sets; i++)
		export_set(&s->sets[i], out);
	for (i = 0; i < s->n_timeouts; i++)
		export_timeout(&s->timeouts[i], out);
	for (i = 0; i < s->n_chains; i++)
		export_chain(s, &s->chains[i], out);
	str_add(out, "}\nEND\n");
}

void
export_script(const struct kstate *s, const char *title, struct str *out)
{
	size_t i;

	str_addf(out,
		 "#!/bin/sh -e\n"
		 "# What `netsetup apply` does for %s.\n",
		 title);
	for (i = 0; i < s->n_sysctls; i++)
		str_addf(out, "sysctl -q -w %s=%s\n", s->sysctls[i].path,
			 s->sysctls[i].value);
	for (i = 0; i < s->n_routes; i++)
		export_route(&s->routes[i], out);
	for (i = 0; i < s->n_iprules; i++)
		export_iprule(&s->iprules[i], out);
	if (s->table)
		export_table(s, out);
}
