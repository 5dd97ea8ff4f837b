/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool_flood.c - sends so many packets as fast as it can.
 *
 *	tool_flood KIND PACKETS FROM TO PORT...
 *
 * Of IPv4, through a raw socket, to the ports in turn. KIND `udp` sends
 * datagrams of one flow for each port; `new-udp` and `new-tcp` first packets
 * of flows, each from another source port: datagrams, and SYNs. Prints how
 * long that took, on the clock and of its own processor time; the packets'
 * whole way through virtual interfaces is in both:
 *
 *	packets 60000 ns 412345678 cpu_ns 398765432
 *
 * What arrived is the receiver's to count. Ends with 1 when it cannot send.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
	BATCH = 64,
	PORTS_MAX = 16,
	DATA_LEN = 18, /* the smallest frame of Ethernet */
	FIRST_PORT = 1024,
	PACKETS_MAX = 10 * 1000 * 1000,
};

struct packet {
	struct iphdr ip;
	union {
		struct tcphdr tcp;
		struct {
			struct udphdr udp;
			uint8_t data[DATA_LEN];
		};
	};
} __attribute__((packed));

struct flood {
	uint8_t protocol;
	int new_flows;
	struct in_addr from;
	struct sockaddr_in to;
	uint16_t ports[PORTS_MAX];
	size_t n_ports;
	uint64_t made;
	struct packet packets[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH];
};

static uint64_t
now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint32_t
add_words(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	return sum;
}

/* Of a segment without data. Source: RFC 9293, section 3.1. */
static uint16_t
tcp_checksum(const struct packet *p)
{
	uint32_t sum = IPPROTO_TCP + sizeof(p->tcp);

	sum = add_words(sum, &p->ip.saddr, 2 * sizeof(p->ip.saddr));
	sum = add_words(sum, &p->tcp, sizeof(p->tcp));
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void
make_packet(struct flood *f, struct packet *p)
{
	uint64_t turn = f->made / f->n_ports;
	uint16_t from = FIRST_PORT, to = f->ports[f->made % f->n_ports];

	if (f->new_flows)
		from = (uint16_t)(from + turn % (65536 - FIRST_PORT));
	f->made++;
	if (f->protocol == IPPROTO_UDP) {
		p->udp.source = htons(from);
		p->udp.dest = htons(to);
		p->udp.len = htons(sizeof(p->udp) + DATA_LEN);
		return;
	}
	memset(&p->tcp, 0, sizeof(p->tcp));
	p->tcp.source = htons(from);
	p->tcp.dest = htons(to);
	p->tcp.doff = sizeof(p->tcp) / 4;
	p->tcp.syn = 1;
	p->tcp.window = htons(1024);
	p->tcp.check = tcp_checksum(p);
}

static void
prepare(struct flood *f)
{
	size_t len = sizeof(struct iphdr), i;

	len += f->protocol == IPPROTO_UDP ? sizeof(struct udphdr) + DATA_LEN
					  : sizeof(struct tcphdr);
	for (i = 0; i < BATCH; i++) {
		struct packet *p = &f->packets[i];

		p->ip.version = 4;
		p->ip.ihl = sizeof(p->ip) / 4;
		p->ip.ttl = 64;
		p->ip.protocol = f->protocol;
		p->ip.tot_len = htons((uint16_t)len);
		p->ip.saddr = f->from.s_addr;
		p->ip.daddr = f->to.sin_addr.s_addr;
		f->iov[i].iov_base = p;
		f->iov[i].iov_len = len;
		f->messages[i].msg_hdr.msg_iov = &f->iov[i];
		f->messages[i].msg_hdr.msg_iovlen = 1;
		f->messages[i].msg_hdr.msg_name = &f->to;
		f->messages[i].msg_hdr.msg_namelen = sizeof(f->to);
	}
}

static int
send_all(struct flood *f, int fd, uint64_t packets)
{
	uint64_t sent = 0;
	unsigned int i, n;
	int r;

	while (sent < packets) {
		n = packets - sent < BATCH ? (unsigned int)(packets - sent)
					   : BATCH;
		for (i = 0; i < n; i++)
			make_packet(f, &f->packets[i]);
		for (i = 0; i < n; i += (unsigned int)r) {
			r = sendmmsg(fd, &f->messages[i], n - i, 0);
			if (r < 0 && errno == ENOBUFS)
				r = 0; /* the queue is full: again */
			else if (r < 0)
				return -errno;
		}
		sent += n;
	}
	return 0;
}

static int
usage(void)
{
	fputs("usage: tool_flood udp|new-udp|new-tcp PACKETS FROM TO PORT...\n",
	      stderr);
	return 64;
}

/* 0, or what to exit with. */
static int
read_arguments(struct flood *f, int argc, char **argv)
{
	if (argc < 6 || argc - 5 > PORTS_MAX)
		return usage();
	f->new_flows = !strncmp(argv[1], "new-", 4);
	f->protocol = strstr(argv[1], "tcp") ? IPPROTO_TCP : IPPROTO_UDP;
	f->to.sin_family = AF_INET;
	if (inet_pton(AF_INET, argv[3], &f->from) != 1 ||
	    inet_pton(AF_INET, argv[4], &f->to.sin_addr) != 1)
		return usage();
	for (f->n_ports = 0; argv[5 + f->n_ports]; f->n_ports++)
		f->ports[f->n_ports] = (uint16_t)atoi(argv[5 + f->n_ports]);
	return 0;
}

int
main(int argc, char **argv)
{
	static const int size = 4 << 20;
	struct flood f = {0};
	uint64_t packets, began, began_cpu;
	int fd, r;

	r = read_arguments(&f, argc, argv);
	if (r != 0)
		return r;
	packets = strtoull(argv[2], NULL, 10);
	if (packets == 0 || packets > PACKETS_MAX)
		return usage();
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0) {
		perror("tool_flood: socket");
		return 1;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	prepare(&f);
	began = now_ns(CLOCK_MONOTONIC);
	began_cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	r = send_all(&f, fd, packets);
	if (r < 0) {
		fprintf(stderr, "tool_flood: %s\n", strerror(-r));
		return 1;
	}
	printf("packets %llu ns %llu cpu_ns %llu\n",
	       (unsigned long long)packets,
	       (unsigned long long)(now_ns(CLOCK_MONOTONIC) - began),
	       (unsigned long long)(now_ns(CLOCK_PROCESS_CPUTIME_ID) -
				    began_cpu));
	return 0;
}
