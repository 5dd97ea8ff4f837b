/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_export.c - what `netsetup export` writes, loaded by nft and ip, is
 * what `netsetup apply` makes, to the last expression.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>

#include "tests/lab/command.h"

/* Elements of a hash have no order; a rule's handle is not its meaning. */
static void
listing(struct lab *lab, struct str *out)
{
	str_clear(out);
	lab_run(lab, LAB_GATEWAY, out,
		"nft --debug=netlink list table inet interpose |"
		" sed 's/ expires [0-9hms]*//g' >" LAB_DIR
		"/listing; grep -v element " LAB_DIR "/listing |"
		" sed 's/^\\(inet interpose [a-z_]*\\) .*/\\1/';"
		" grep element " LAB_DIR "/listing | sort;"
		" ip rule; ip -6 rule; ip route show table 9061;"
		" ip -6 route show table 9061; sysctl net.ipv4.ip_forward"
		" net.ipv6.conf.all.forwarding");
}

/* Every way of capturing, and no conntrack of the legs to the servers. */
#define MODES                                                                  \
	"gateway {\n inside in0, wg*\n on-failure closed\n"                    \
	" upstream-tracking off\n except to 192.0.2.1 port 53, 443\n}\n"       \
	"service web {\n intercept tcp port 80-89 via tproxy\n"                \
	" except to 10.1.2.0/24\n}\n"                                          \
	"service rest {\n intercept tcp port 1-65535\n}\n"                     \
	"service dns {\n intercept udp port 53\n}\n"                           \
	"service ntp {\n intercept udp port 123 via redirect\n"                \
	" on-failure open\n}\n"                                                \
	"service snmp {\n intercept udp port 161 via redirect\n}\n"            \
	"service late {\n intercept tcp port 1-65535 to 10.2.0.2 via tproxy"   \
	"\n}\n"

static void
same(struct lab *lab, const char *policy)
{
	struct str ours = {0}, theirs = {0};

	lab_policy(lab, "%s", policy);
	lab_apply(lab);
	listing(lab, &ours);
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	lab_must(lab, LAB_GATEWAY,
		 "netsetup export -f " LAB_DIR "/policy.conf >" LAB_DIR
		 "/export.sh; sh -e " LAB_DIR "/export.sh");
	listing(lab, &theirs);
	UNIT_STRINGS(str_text(&theirs), str_text(&ours));
	command_silent(lab, "plan");
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	str_fini(&ours);
	str_fini(&theirs);
}

/*
 * So many services that maps lead to them, and to their heartbeats. Not too
 * many for nft, which may not have a larger buffer in a user namespace.
 */
static void
same_many(struct lab *lab)
{
	struct str policy = {0};
	int i;

	str_add(&policy, "gateway {\n inside in0, out0\n}\n");
	for (i = 0; i < 12; i++)
		str_addf(&policy,
			 "service s%d {\n intercept tcp port %d%s"
			 " to 10.%d.0.0/16, fd00:%d::/32%s\n}\n",
			 i, i % 2 ? 443 : 1000 + i, i == 6 ? "-65535" : "", i,
			 i, i ? "" : ", 255.0.0.0/8, ff00::/8");
	for (i = 0; i < 18; i++)
		str_addf(&policy,
			 "service t%d {\n intercept %s port %d via tproxy\n"
			 "}\n",
			 i, i % 2 ? "udp" : "tcp", 30 + i);
	same(lab, str_text(&policy));
	lab_must(lab, LAB_GATEWAY,
		 "netsetup export -f " LAB_DIR "/policy.conf >" LAB_DIR
		 "/export.sh; for map in 'tcp dport vmap @tproxied.tcp ' 'udp"
		 " dport vmap' 'ip daddr vmap' 'th,64,64 vmap'; do"
		 " grep -q \"$map\" " LAB_DIR "/export.sh || exit 1; done");
	str_fini(&policy);
}

static void
export_is_apply(void)
{
	struct lab *lab = lab_up(NULL);

	same(lab, COMMAND_POLICY);
	same(lab, "gateway {\n inside in0\n outside out0, ppp*\n"
		  " mark 0x10000 0x20000 mask 0xf0000\n table 77\n"
		  " priority 500\n zone 12\n except from 10.128.0.0/9,"
		  " 0.0.0.0/8\n}\n"
		  "service web {\n intercept tcp port 1-65535 from"
		  " 10.0.0.0/12\n except to 10.1.2.0/24, 10.2.0.0/15\n}\n");
	same(lab, "pool near {\n node 10.2.0.2:80\n source client\n}\n"
		  "service web {\n listen tcp 80\n use near\n}\n");
	same(lab, MODES);
	same_many(lab);
	lab_down(lab);
}

/* It looks at nothing that needs a right, and a wrong policy is no script. */
static void
export_refuses(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, COMMAND_POLICY);
	UNIT_CHECK(lab_run(lab, LAB_GATEWAY, NULL,
			   "setpriv --bounding-set=-all --inh-caps=-all "
			   "netsetup export -f " LAB_DIR "/policy.conf") == 0,
		   "without rights");
	lab_policy(lab, "nonsense\n");
	command_check(lab, "export", 65, "policy.conf:1:1: error: ");
	lab_policy(lab, COMMAND_POLICY);
	lab_must(lab, LAB_GATEWAY, "ip -4 addr flush dev in0");
	command_check(lab, "export", 1, "has no IPv4");
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"export_is_apply", export_is_apply},
	{"export_refuses", export_refuses},
};

LAB_MAIN("export", tests)
