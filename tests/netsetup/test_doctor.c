/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings from facts, above all those that the lab cannot make; the words
 * of the manual; files below a root of the test's own.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netsetup/change/survey.h"
#include "netsetup/doctor/doctor.h"
#include "tests/netsetup/states.h"

/* A box, and a policy for it. */
struct patient {
	struct arena *arena;
	struct policy *policy;
	struct facts facts;
	struct kstate observed;
	struct kdiff drift;
	struct box box;
	struct diags diags;
};

static const char usual[] = "gateway {\n inside in0\n max-flows 1000\n}\n"
			    "service web {\n intercept tcp port 80\n}\n";

static const char vlan[] = "gateway {\n inside in0.100\n outside in0.100\n}\n"
			   "service web {\n intercept tcp port 80\n}\n";

static void
begin(struct patient *p, const char *text)
{
	memset(p, 0, sizeof(*p));
	p->arena = arena_new();
	diags_init(&p->diags);
	p->facts = states_facts(p->arena);
	p->policy = policy_load_text("p.conf", text, strlen(text), &p->diags);
	UNIT_CHECK(p->policy != NULL, "%s", text);
	p->box.ifaces = arena_calloc(p->arena, 2, sizeof(*p->box.ifaces));
	strcpy(p->box.ifaces[0].name, "in0");
	strcpy(p->box.ifaces[1].name, "out0");
	p->box.ifaces[0].up = true;
	p->box.ifaces[0].mtu = 1500;
	p->box.ifaces[1].mtu = 1500;
	p->box.n_ifaces = 2;
	p->box.processors = 3;
}

static void
end(struct patient *p)
{
	policy_free(p->policy);
	diags_fini(&p->diags);
	arena_free(p->arena);
}

static void
set(struct patient *p, const char *path, const char *value)
{
	struct box_setting *s;

	p->box.settings = arena_push(p->arena, p->box.settings,
				     p->box.n_settings, sizeof(*s));
	s = &p->box.settings[p->box.n_settings++];
	s->path = path;
	s->value = value;
}

static void
file(struct patient *p, const char *path, const char *text)
{
	struct box_file *f;

	p->box.files =
		arena_push(p->arena, p->box.files, p->box.n_files, sizeof(*f));
	f = &p->box.files[p->box.n_files++];
	f->path = path;
	f->text = text;
}

static struct findings
examine(struct patient *p)
{
	struct doctor_facts f = {
		.policy = p->policy,
		.path = "p.conf",
		.facts = &p->facts,
		.observed = &p->observed,
		.drift = &p->drift,
		.box = &p->box,
	};

	return doctor(&f, p->arena);
}

/* The finding of that name; false if there is none. */
static bool
find(struct patient *p, const char *name, struct finding *ret)
{
	struct findings found = examine(p);
	size_t i;

	for (i = 0; i < found.n; i++) {
		if (strcmp(found.list[i].name, name) != 0)
			continue;
		*ret = found.list[i];
		return true;
	}
	return false;
}

static void
expect(struct patient *p, const char *name, const char *text, const char *mend)
{
	struct finding f = {0};

	UNIT_CHECK(find(p, name, &f), "no %s", name);
	if (!f.text)
		return;
	UNIT_STRINGS(f.text, text);
	UNIT_STRINGS(f.mend, mend);
}

static void
expect_some(struct patient *p, const char *name)
{
	struct finding f;

	UNIT_CHECK(find(p, name, &f), "no %s", name);
}

static void
expect_none(struct patient *p, const char *name)
{
	struct finding f;

	UNIT_CHECK(!find(p, name, &f), "%s", name);
}

/* --- one by one ----------------------------------------------------------- */

/* Full is 80 of 100; room is two entries a flow, of each worker. */
static void
test_conntrack(void)
{
	struct patient p;

	begin(&p, usual);
	set(&p, "net/netfilter/nf_conntrack_max", "6000");
	set(&p, "net/netfilter/nf_conntrack_count", "4799");
	expect_none(&p, "conntrack-full");
	expect_none(&p, "conntrack-room");
	end(&p);
	begin(&p, usual);
	set(&p, "net/netfilter/nf_conntrack_max", "1999");
	set(&p, "net/netfilter/nf_conntrack_count", "1600");
	expect(&p, "conntrack-full",
	       "the conntrack table is nearly full: 1600 of 1999; when it is, "
	       "connections are dropped",
	       "sysctl -w net.netfilter.nf_conntrack_max=3998");
	expect(&p, "conntrack-room",
	       "max-flows is 1000 for each of 3 workers, and each flow takes "
	       "two entries of conntrack, which has room for 1999",
	       "sysctl -w net.netfilter.nf_conntrack_max=7500");
	end(&p);
	begin(&p, "gateway {\n inside in0\n max-flows 1000\n workers 1\n}\n"
		  "service web {\n intercept tcp port 80\n}\n");
	set(&p, "net/netfilter/nf_conntrack_max", "2000");
	expect_none(&p, "conntrack-room");
	end(&p);
}

static void
test_bridge(void)
{
	struct patient p;

	begin(&p, usual);
	set(&p, "net/bridge/bridge-nf-call-iptables", "1");
	set(&p, "net/bridge/bridge-nf-call-ip6tables", "0");
	expect_none(&p, "bridge-netfilter");
	p.box.ifaces[0].bridge = true;
	expect(&p, "bridge-netfilter",
	       "net.bridge.bridge-nf-call-iptables is on, and in0 is a "
	       "bridge: frames that it only passes on are captured too",
	       "sysctl -w net.bridge.bridge-nf-call-iptables=0");
	end(&p);
}

static void
test_flowtable(void)
{
	static const char *const devices[] = {"out0", "in0"};
	static const struct fflowtable table = {NFPROTO_INET, "fw", "fast",
						devices, 2};
	struct patient p;

	begin(&p, usual);
	p.box.foreign.flowtables = &table;
	p.box.foreign.n_flowtables = 1;
	expect(&p, "flowtable",
	       "flowtable inet fw fast is on in0: connections that are in it "
	       "already pass by all rules",
	       "nft list flowtable inet fw fast");
	end(&p);
}

#define PROXY "/usr/lib/systemd/system/interpose.service"
#define DROP_IN "/etc/systemd/system/interpose.service.d/"

/* 2064 descriptors are needed: two a flow, and some. */
static void
test_descriptors(void)
{
	struct patient p;

	begin(&p, usual);
	file(&p, PROXY, "[Service]\nLimitNOFILE=2064\n");
	set(&p, "fs/nr_open", "2064");
	set(&p, "fs/file-max", "2064");
	expect_none(&p, "descriptors");
	file(&p, DROP_IN "a.conf",
	     "[Service]\n#LimitNOFILE=1\nLimitNOFILE = 5");
	expect(&p, "descriptors",
	       "interpose.service allows proxyd 5 descriptors, and max-flows "
	       "1000 needs 2064",
	       "mkdir -p /etc/systemd/system/interpose.service.d && "
	       "printf '[Service]\\nLimitNOFILE=2064\\n' "
	       ">" DROP_IN "descriptors.conf && systemctl daemon-reload");
	file(&p, DROP_IN "b.conf", "LimitNOFILE=infinity");
	expect_none(&p, "descriptors");
	end(&p);
	begin(&p, usual);
	set(&p, "fs/nr_open", "2063");
	expect(&p, "descriptors",
	       "fs.nr_open allows proxyd 2063 descriptors, and max-flows 1000 "
	       "needs 2064",
	       "sysctl -w fs.nr_open=2064");
	end(&p);
}

/* As networkd reads them: by name, and what hides what. */
static void
test_networkd(void)
{
	static const char no[] = "[Network]\n"
				 "ManageForeignRoutingPolicyRules=no\n"
				 "ManageForeignRoutes=no\n";
	static const char yes[] = "[Network]\n"
				  "ManageForeignRoutingPolicyRules=yes\n"
				  "ManageForeignRoutes=yes\n";
	struct patient p;

	begin(&p, usual);
	expect_none(&p, "networkd"); /* it is not here */
	file(&p, "/run/systemd/netif/state", "");
	expect_some(&p, "networkd");
	file(&p, "/etc/systemd/networkd.conf", no);
	expect_none(&p, "networkd");
	file(&p, "/usr/lib/systemd/networkd.conf.d/50-a.conf", yes);
	expect_some(&p, "networkd");
	file(&p, "/run/systemd/networkd.conf.d/60-b.conf", no);
	expect_none(&p, "networkd");
	file(&p, "/etc/systemd/networkd.conf.d/40-c.conf", yes);
	expect_none(&p, "networkd"); /* 60 counts more */
	file(&p, "/etc/systemd/networkd.conf.d/60-b.conf", "");
	expect_some(&p, "networkd"); /* hides that */
	end(&p);
}

/* Who has only one of two interfaces in sight is left alone. */
static void
test_other_interfaces(void)
{
	struct patient p;

	begin(&p, usual);
	set(&p, "net/ipv4/conf/in0/forwarding", "1");
	set(&p, "net/ipv4/conf/out0/forwarding", "0");
	set(&p, "net/ipv6/conf/all/forwarding", "1");
	expect_none(&p, "forwarding");
	end(&p);
	begin(&p, "gateway {\n inside in0\n outside out0\n}\n"
		  "service web {\n intercept tcp port 80\n}\n");
	set(&p, "net/ipv4/conf/all/forwarding", "1");
	set(&p, "net/ipv4/conf/in0/forwarding", "1");
	set(&p, "net/ipv4/conf/out0/forwarding", "0");
	set(&p, "net/ipv6/conf/all/forwarding", "1");
	expect(&p, "forwarding",
	       "out0 does not forward IPv4: what is not captured does not get "
	       "through",
	       "sysctl -w net.ipv4.conf.out0.forwarding=1");
	end(&p);
}

/* sysctl(8) takes a dot for a slash, unless it is written as one. */
static void
test_vlan(void)
{
	struct patient p;

	begin(&p, usual);
	strcpy(p.box.ifaces[0].name, "in0.100");
	policy_free(p.policy);
	p.policy = policy_load_text("p.conf", vlan, strlen(vlan), &p.diags);
	set(&p, "net/ipv4/conf/all/forwarding", "1");
	set(&p, "net/ipv4/conf/in0.100/forwarding", "0");
	set(&p, "net/ipv6/conf/all/forwarding", "1");
	expect(&p, "forwarding",
	       "in0.100 does not forward IPv4: what is not captured does not "
	       "get through",
	       "sysctl -w net.ipv4.conf.in0/100.forwarding=1");
	p.facts.ifaces[0] = (struct facts_iface){
		.name = "in0.100", .ra_route = true, .accept_ra = 1};
	p.facts.forwards_ipv6 = false;
	expect(&p, "router-advertisements",
	       "forwarding of IPv6 would end the default route on in0.100, "
	       "which comes from router advertisements",
	       "sysctl -w net.ipv6.conf.in0/100.accept_ra=2");
	end(&p);
}

/* --- servers, routes, rules ----------------------------------------------- */

static void
own_server(const char *service, const char *pool, const char *what)
{
	struct str policy = {0};
	struct addr own;
	struct patient p;

	str_addf(&policy,
		 "gateway {\n inside in0\n}\npool p {\n %s\n}\n"
		 "service web {\n intercept tcp port 80 %s\n use p\n}\n",
		 pool, service);
	begin(&p, str_text(&policy));
	addr_parse("10.1.0.1", &own);
	p.facts.addrs = &own;
	p.facts.n_addrs = 1;
	if (!what)
		expect_none(&p, "own-server");
	else
		expect(&p, "own-server", what, "pool p { source gateway }");
	expect_none(&p, "same-subnet");
	str_fini(&policy);
	end(&p);
}

/* This box as a server does not send what is for clients to proxyd. */
static void
test_own_server(void)
{
#define PAST                                                                   \
	", which is this box itself, from addresses of clients: its answers "  \
	"go to them directly, past proxyd"
	own_server("", "node 127.0.0.1:8080; source client",
		   "service 'web' connects to node 127.0.0.1" PAST);
	own_server("", "node 10.1.0.1:8080; source client-port",
		   "service 'web' connects to node 10.1.0.1" PAST);
	own_server("to 10.1.0.1", "node original; source client",
		   "service 'web' connects to destination 10.1.0.1" PAST);
	own_server("to 10.1.0.0/24", "node original; source client", NULL);
	own_server("", "node 127.0.0.1:8080; source gateway", NULL);
	own_server("", "node 127.0.0.1:8080; source 10.1.0.1", NULL);
#undef PAST
}

/* The clients' leg of tproxy needs the ip rule, whatever the source is. */
static void
test_tproxy_return(void)
{
	static const struct box_iprule rule = {.family = AF_INET,
					       .priority = 9061};
	struct patient p;

	begin(&p, "gateway {\n inside in0\n}\npool p {\n node original\n "
		  "source gateway\n}\nservice web {\n intercept tcp port 80 "
		  "via tproxy\n use p\n}\n");
	p.box.iprules = arena_memdup(p.arena, &rule, sizeof(rule));
	p.box.n_iprules = 1;
	expect(&p, "priority-used",
	       "ip rule 9061 is somebody else's, where ours are",
	       "gateway { priority 9063 }");
	end(&p);
}

/* "udp dport 53 notrack", as where many ask a name server. */
static void
test_untracked(void)
{
	static const struct fexpr exprs[] = {
		{.name = "meta", .key = NFT_META_L4PROTO},
		{.name = "cmp", .key = NFT_CMP_EQ, .len = 1, .data = {17}},
		{.name = "payload",
		 .base = NFT_PAYLOAD_TRANSPORT_HEADER,
		 .offset = 2,
		 .len = 2},
		{.name = "cmp", .key = NFT_CMP_EQ, .len = 2, .data = {0, 53}},
		{.name = "notrack"},
	};
	static const struct frule rule = {NFPROTO_IPV4, "raw", "PREROUTING", 7,
					  exprs,	5};
	struct patient p;

	begin(&p, "gateway {\n inside in0\n}\nservice dns {\n intercept udp "
		  "port 500, 53 via redirect\n}\n");
	p.box.foreign.rules = &rule;
	p.box.foreign.n_rules = 1;
	expect(&p, "untracked",
	       "chain ip raw PREROUTING keeps connections from being tracked: "
	       "what is not tracked is not redirected",
	       "nft delete rule ip raw PREROUTING handle 7");
	end(&p);
	begin(&p, "gateway {\n inside in0\n}\nservice dns {\n intercept tcp "
		  "port 53\n}\n");
	p.box.foreign.rules = &rule;
	p.box.foreign.n_rules = 1;
	expect_none(&p, "untracked");
	end(&p);
}

/* --- the frame ------------------------------------------------------------ */

/* Many that are mended by the same are told once. */
static void
test_joined(void)
{
	struct str policy = {0}, text = {0};
	struct findings found;
	struct patient p;
	struct json j;
	int i;

	str_add(&policy, "gateway {\n inside in0, in7, in8\n}\n");
	for (i = 0; i < 3; i++)
		str_addf(&policy, "service s%d {\n intercept tcp port 8%d\n}\n",
			 i, i);
	begin(&p, str_text(&policy));
	set(&p, "net/ipv4/conf/in0/forwarding", "1");
	set(&p, "net/ipv6/conf/all/forwarding", "1");
	found = examine(&p);
	doctor_text(&found, &text);
	UNIT_STRINGS(str_text(&text),
		     "warning: there is no interface in7: nothing is captured "
		     "there until it comes (and 1 more) [no-interface]\n"
		     "    ip -brief link\n"
		     "note: p.conf is not applied [not-applied]\n"
		     "    netsetup apply -f p.conf\n");
	str_clear(&text);
	json_init(&j, &text, true);
	json_object(&j, NULL);
	doctor_json(&found, &j);
	json_end(&j);
	str_add_char(&text, '\n');
	unit_golden("netsetup/doctor.json", str_text(&text));
	str_fini(&policy);
	str_fini(&text);
	end(&p);
}

/* Without a policy, nothing that depends on one. */
static void
test_no_policy(void)
{
	struct findings found;
	struct patient p;

	begin(&p, usual);
	policy_free(p.policy);
	p.policy = NULL;
	set(&p, "net/netfilter/nf_conntrack_max", "100");
	set(&p, "net/netfilter/nf_conntrack_count", "99");
	set(&p, "net/ipv4/conf/all/rp_filter", "1");
	found = examine(&p);
	CU_ASSERT_EQUAL(found.n, 1);
	if (found.n == 1)
		UNIT_STRINGS(found.list[0].name, "conntrack-full");
	end(&p);
}

/* The manual lists every finding, with its severity, and no other. */
static void
test_manual(void)
{
	struct str page = {0}, row = {0};
	const char *at;
	char buf[4096];
	size_t n, rows = 0;
	FILE *f = fopen("man/netsetup.8", "re");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add_bytes(&page, buf, n);
	fclose(f);
	for (n = 0; doctor_name(n); n++) {
		str_clear(&row);
		str_addf(&row, "\n.It Li %s Ta %s Ta\n", doctor_name(n),
			 doctor_severity_name(doctor_severity(n)));
		UNIT_CHECK(strstr(str_text(&page), str_text(&row)) != NULL,
			   "not in the manual: %s", str_text(&row));
	}
	for (at = str_text(&page); (at = strstr(at, " Ta\n")); at++)
		rows++;
	UNIT_CHECK(rows == n, "%zu rows in the manual, %zu findings", rows, n);
	str_fini(&page);
	str_fini(&row);
}

/* --- files ---------------------------------------------------------------- */

static void
put(const char *root, const char *path, const char *text)
{
	char full[256], *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (slash = full + strlen(root) + 1; (slash = strchr(slash, '/'));
	     *slash++ = '/') {
		*slash = '\0';
		mkdir(full, 0700);
	}
	f = fopen(full, "we");
	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

/* Read below a root, with a unit's link that leads nowhere. */
static void
test_files(void)
{
	static const char wants[] =
		"/etc/systemd/system/multi-user.target.wants/";
	char root[] = "/tmp/doctor.XXXXXX", link[128], command[64];
	const struct box_file *f;
	struct patient p;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
	begin(&p, usual);
	put(root, "/etc/nftables.conf", "#!/usr/sbin/nft -f\nflush ruleset\n");
	put(root, "/etc/cron.d/other", "# flush ruleset\n");
	put(root, arena_printf(p.arena, "%snftables.service", wants),
	    "[Service]\nExecStart=/usr/sbin/nft -f /etc/nftables.conf\n");
	snprintf(link, sizeof(link), "%s%ssystemd-networkd.service", root,
		 wants);
	CU_ASSERT_EQUAL(symlink("/nonexistent", link), 0);
	survey_files(root, p.arena, &p.box);
	f = box_file(&p.box, "/etc/nftables.conf");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_PTR_NOT_NULL(strstr(f->text, "flush ruleset"));
	expect(&p, "flush-unit",
	       "nftables.service flushes the whole ruleset, and ours with it, "
	       "when it is restarted or reloaded",
	       "gateway { on-drift restore }");
	expect_some(&p, "networkd");
	expect_none(&p, "flush-script");
	expect_none(&p, "flush-order"); /* our unit is not installed */
	put(root, "/usr/lib/systemd/system/interpose-rules.service",
	    "[Unit]\nAfter=ufw.service\n");
	survey_files(root, p.arena, &p.box);
	expect_some(&p, "flush-order");
	snprintf(command, sizeof(command), "rm -r %s", root);
	CU_ASSERT_EQUAL(system(command), 0);
	end(&p);
}

static const struct unit_test tests[] = {
	{"conntrack", test_conntrack},
	{"bridge", test_bridge},
	{"flowtable", test_flowtable},
	{"descriptors", test_descriptors},
	{"networkd", test_networkd},
	{"other_interfaces", test_other_interfaces},
	{"vlan", test_vlan},
	{"own_server", test_own_server},
	{"tproxy_return", test_tproxy_return},
	{"untracked", test_untracked},
	{"joined", test_joined},
	{"no_policy", test_no_policy},
	{"manual", test_manual},
	{"files", test_files},
};

UNIT_MAIN("doctor", tests)
