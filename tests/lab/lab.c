/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab.c - the lab's network: namespaces, links, addresses, routes.
 *
 * One lab at a time in a program. The test's own process stays in an empty
 * namespace and visits the others; they live as long as their descriptors
 * and processes.
 */
#include "tests/lab/lab.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/if_addr.h>
#include <linux/ipv6_route.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const where_names[LAB_WHERE_COUNT] = {
	[LAB_CLIENT] = "client",
	[LAB_GATEWAY] = "gateway",
	[LAB_SERVER] = "server",
	[LAB_ROUTER] = "router",
};

/* One address or route of the lab. */
struct line {
	enum lab_where where;
	const char *dev;  /* NULL: a route */
	const char *text; /* address, or route */
};

static const struct line near_lines[] = {
	{LAB_CLIENT, "eth0", LAB_CLIENT4 "/24"},
	{LAB_CLIENT, "eth0", LAB_CLIENT6 "/64"},
	{LAB_CLIENT, NULL, "default via " LAB_GATEWAY4},
	{LAB_CLIENT, NULL, "default via " LAB_GATEWAY6},
	{LAB_GATEWAY, "in0", LAB_GATEWAY4 "/24"},
	{LAB_GATEWAY, "in0", LAB_GATEWAY6 "/64"},
	{LAB_GATEWAY, "out0", LAB_OUTSIDE4 "/24"},
	{LAB_GATEWAY, "out0", LAB_OUTSIDE6 "/64"},
};

static const struct line direct_lines[] = {
	{LAB_SERVER, "eth0", LAB_SERVER4 "/24"},
	{LAB_SERVER, "eth0", LAB_SERVER6 "/64"},
	{LAB_SERVER, "eth0", LAB_OTHER4 "/24"},
	{LAB_SERVER, "eth0", LAB_OTHER6 "/64"},
	{LAB_SERVER, NULL, "default via " LAB_OUTSIDE4},
	{LAB_SERVER, NULL, "default via " LAB_OUTSIDE6},
};

static const struct line router_lines[] = {
	{LAB_ROUTER, "near0", "10.2.0.254/24"},
	{LAB_ROUTER, "near0", "fd02::fe/64"},
	{LAB_ROUTER, "far0", "10.3.0.1/24"},
	{LAB_ROUTER, "far0", "fd03::1/64"},
	{LAB_ROUTER, NULL, "default via " LAB_OUTSIDE4},
	{LAB_ROUTER, NULL, "default via " LAB_OUTSIDE6},
	{LAB_GATEWAY, NULL, "default via 10.2.0.254"},
	{LAB_GATEWAY, NULL, "default via fd02::fe"},
	{LAB_SERVER, "eth0", LAB_FAR4 "/24"},
	{LAB_SERVER, "eth0", LAB_FAR6 "/64"},
	{LAB_SERVER, NULL, "default via 10.3.0.1"},
	{LAB_SERVER, NULL, "default via fd03::1"},
};

void
lab_die(const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("lab: %s\n", text);
	CU_assertImplementation(CU_FALSE, 0, text, "lab", "", CU_TRUE);
	abort(); /* CUnit has jumped out of the test */
}

void
lab_sleep(unsigned int ms)
{
	struct timespec t = {.tv_sec = ms / 1000,
			     .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

void
lab_enter(struct lab *lab, enum lab_where where)
{
	if (lab->ns[where] < 0 || setns(lab->ns[where], CLONE_NEWNET) < 0)
		lab_die("enter %s: %s", where_names[where], strerror(errno));
}

void
lab_leave(struct lab *lab)
{
	if (setns(lab->home, CLONE_NEWNET) < 0)
		lab_die("leave: %s", strerror(errno));
}

void
lab_sysctl(struct lab *lab, enum lab_where where, const char *path,
	   const char *value)
{
	char full[256];
	ssize_t n;
	int fd;

	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	lab_enter(lab, where);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : write(fd, value, strlen(value));
	if (n < 0)
		lab_die("sysctl %s: %s", path, strerror(errno));
	close(fd);
	lab_leave(lab);
}

/* A new namespace, with a name that `ip netns` knows. */
static void
add_namespace(struct lab *lab, enum lab_where where)
{
	char path[64];
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		lab_die("unshare: %s", strerror(errno));
	lab->ns[where] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/run/netns/%s", where_names[where]);
	fd = open(path, O_CREAT | O_CLOEXEC, 0444);
	if (fd < 0 ||
	    mount("/proc/self/ns/net", path, "none", MS_BIND, NULL) < 0)
		lab_die("%s: %s", path, strerror(errno));
	close(fd);
	lab_sysctl(lab, where, "net/ipv6/conf/default/accept_dad", "0");
	lab_sysctl(lab, where, "net/ipv6/conf/default/accept_ra", "0");
	lab_must(lab, where, "ip link set lo up");
}

static void
add_link(struct lab *lab, enum lab_where a, const char *a_dev, enum lab_where b,
	 const char *b_dev)
{
	lab_must(lab, a, "ip link add %s type veth peer name %s netns %s",
		 a_dev, b_dev, where_names[b]);
	lab_must(lab, a, "ip link set %s up", a_dev);
	lab_must(lab, b, "ip link set %s up", b_dev);
}

/* All lines of one namespace in one `ip` process. */
static void
add_lines(struct lab *lab, enum lab_where where, const struct line *lines,
	  size_t n)
{
	struct str s = {0};
	size_t i;

	for (i = 0; i < n; i++) {
		if (lines[i].where != where)
			continue;
		if (lab->options.no_ipv6 && strchr(lines[i].text, ':'))
			continue;
		if (lines[i].dev)
			str_addf(&s, "addr add %s dev %s\n", lines[i].text,
				 lines[i].dev);
		else
			str_addf(&s, "route add %s\n", lines[i].text);
	}
	if (s.len)
		lab_must(lab, where, "ip -batch - <<'END'\n%sEND\n",
			 str_text(&s));
	str_fini(&s);
}

static void
set_forwarding(struct lab *lab, enum lab_where where)
{
	lab_sysctl(lab, where, "net/ipv4/ip_forward", "1");
	lab_sysctl(lab, where, "net/ipv6/conf/all/forwarding", "1");
}

static void
connect_server(struct lab *lab)
{
	size_t n = sizeof(router_lines) / sizeof(router_lines[0]);

	if (!lab->options.router) {
		add_link(lab, LAB_GATEWAY, "out0", LAB_SERVER, "eth0");
		add_lines(lab, LAB_SERVER, direct_lines,
			  sizeof(direct_lines) / sizeof(direct_lines[0]));
		return;
	}
	add_namespace(lab, LAB_ROUTER);
	add_link(lab, LAB_GATEWAY, "out0", LAB_ROUTER, "near0");
	add_link(lab, LAB_ROUTER, "far0", LAB_SERVER, "eth0");
	set_forwarding(lab, LAB_ROUTER);
	add_lines(lab, LAB_ROUTER, router_lines, n);
	add_lines(lab, LAB_SERVER, router_lines, n);
}

static void
build(struct lab *lab)
{
	size_t n = sizeof(near_lines) / sizeof(near_lines[0]);

	add_namespace(lab, LAB_CLIENT);
	add_namespace(lab, LAB_GATEWAY);
	add_namespace(lab, LAB_SERVER);
	add_link(lab, LAB_GATEWAY, "in0", LAB_CLIENT, "eth0");
	connect_server(lab);
	add_lines(lab, LAB_CLIENT, near_lines, n);
	add_lines(lab, LAB_GATEWAY, near_lines, n);
	if (lab->options.router)
		add_lines(lab, LAB_GATEWAY, router_lines,
			  sizeof(router_lines) / sizeof(router_lines[0]));
	if (lab->options.forwarding)
		set_forwarding(lab, LAB_GATEWAY);
	if (lab->options.masquerade)
		lab_nft(lab, LAB_GATEWAY,
			"table inet other {\n"
			"	chain out {\n"
			"		type nat hook postrouting "
			"priority srcnat;\n"
			"		oifname out0 masquerade\n"
			"	}\n"
			"}\n");
}

/* Each neighbour of the gateway, and the gateway's address there. */
static const struct line neighbours[] = {
	{LAB_CLIENT, NULL, LAB_GATEWAY4 ":9"},
	{LAB_CLIENT, NULL, "[" LAB_GATEWAY6 "]:9"},
	{LAB_SERVER, NULL, LAB_OUTSIDE4 ":9"},
	{LAB_SERVER, NULL, "[" LAB_OUTSIDE6 "]:9"},
};

static const struct line far_neighbours[] = {
	{LAB_CLIENT, NULL, LAB_GATEWAY4 ":9"},
	{LAB_CLIENT, NULL, "[" LAB_GATEWAY6 "]:9"},
	{LAB_ROUTER, NULL, LAB_OUTSIDE4 ":9"},
	{LAB_ROUTER, NULL, "[" LAB_OUTSIDE6 "]:9"},
	{LAB_SERVER, NULL, "10.3.0.1:9"},
	{LAB_SERVER, NULL, "[fd03::1]:9"},
};

/*
 * The kernel makes an IPv6 address usable some time after it was added, in a
 * work queue: until then it is tentative, and has no local route.
 */
static bool
ipv6_settled(void)
{
	unsigned int flags, addresses = 0, settled = 0, routes = 0;
	char line[256];
	FILE *f;

	f = fopen("/proc/net/if_inet6", "re");
	while (f && fgets(line, sizeof(line), f)) {
		addresses++;
		if (sscanf(line, "%*s %*s %*s %*s %x", &flags) == 1 &&
		    !(flags & IFA_F_TENTATIVE))
			settled++;
	}
	if (f)
		fclose(f);
	f = fopen("/proc/net/ipv6_route", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %x",
			   &flags) == 1 &&
		    flags & RTF_LOCAL)
			routes++;
	if (f)
		fclose(f);
	return addresses == settled && addresses <= routes;
}

static void
wait_for_addresses(struct lab *lab)
{
	bool settled;
	int i;

	for (i = 0; i < LAB_WHERE_COUNT; i++) {
		if (lab->ns[i] < 0)
			continue;
		lab_enter(lab, i);
		settled = LAB_WAIT(ipv6_settled(), 5000);
		lab_leave(lab);
		if (!settled)
			lab_die("%s: no IPv6", where_names[i]);
	}
}

/* A link that is just up may drop packets on a busy machine: wait. */
static void
wait_for_links(struct lab *lab)
{
	const struct line *l =
		lab->options.router ? far_neighbours : neighbours;
	size_t i, n = lab->options.router ? 6 : 4;

	for (i = 0; i < n; i++) {
		if (lab->options.no_ipv6 && l[i].text[0] == '[')
			continue;
		if (!LAB_WAIT(lab_connect(lab, l[i].where, NULL, l[i].text,
					  100) == -ECONNREFUSED,
			      5000))
			lab_die("%s does not reach %s", where_names[l[i].where],
				l[i].text);
	}
}

/* What an earlier test left behind goes; /run begins empty. */
static void
clean(void)
{
	if (getppid() != 1) /* never outside of our own pid namespace */
		lab_die("not in the lab's namespaces: use LAB_MAIN");
	kill(-1, SIGKILL);
	while (wait(NULL) > 0)
		continue;
	umount2("/run", MNT_DETACH);
	if (mount("lab", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") <
		    0 ||
	    mkdir("/run/netns", 0755) < 0 || mkdir(LAB_DIR, 0777) < 0 ||
	    chmod(LAB_DIR, 01777) < 0)
		lab_die("/run: %s", strerror(errno));
}

struct lab *
lab_up(const struct lab_options *options)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	int i;

	if (!lab)
		abort();
	clean();
	if (options)
		lab->options = *options;
	for (i = 0; i < LAB_WHERE_COUNT; i++)
		lab->ns[i] = -1;
	lab->notify = -1;
	lab->failures = CU_get_number_of_failures();
	lab->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (lab->home < 0)
		lab_die("/proc: %s", strerror(errno));
	build(lab);
	wait_for_addresses(lab);
	wait_for_links(lab);
	return lab;
}

static void
show_files(const char *pattern, const char *fail)
{
	struct str s = {0};
	glob_t g;
	size_t i;

	if (glob(pattern, 0, NULL, &g))
		return;
	for (i = 0; i < g.gl_pathc; i++) {
		str_clear(&s);
		lab_read_file(g.gl_pathv[i], &s);
		if (fail)
			UNIT_CHECK(0, "%s %s:\n%s", fail, g.gl_pathv[i],
				   str_text(&s));
		else
			printf("--- %s\n%s", g.gl_pathv[i], str_text(&s));
	}
	str_fini(&s);
	globfree(&g);
}

void
lab_down(struct lab *lab)
{
	int i;

	kill(-1, SIGKILL);
	while (wait(NULL) > 0)
		continue;
	if (CU_get_number_of_failures() > lab->failures) {
		show_files(LAB_DIR "/policy.conf", NULL);
		show_files(LAB_DIR "/*.log", NULL);
	}
	show_files(LAB_DIR "/sanitizer.*", "a sanitizer complains in");
	if (lab->notify >= 0)
		close(lab->notify);
	for (i = 0; i < LAB_WHERE_COUNT; i++)
		if (lab->ns[i] >= 0)
			close(lab->ns[i]);
	close(lab->home);
	free(lab);
}
