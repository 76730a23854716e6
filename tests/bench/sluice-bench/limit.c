/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench-limit DEVICE CPU ADDRESS LOADFILE: what a server could do at most on this wire.
 *
 * It answers each segment for itself, without a connection, a parser or a timer: a SYN with a
 * SYN-ACK, a request with the answer of the size in its path, a FIN with a FIN. The frame that came
 * goes back, its ends exchanged. Bodies that fit stand behind the head; longer ones are referred
 * to. An answer is sent in frames of the MTU; or, with "?tso" behind its path, in one that the
 * device cuts. LOADFILE is filled with two 64-bit numbers: busy and idle cycles.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#include "tests/bench/sluice-bench/content.h"
#include "tests/bench/sluice-bench/frame.h"
#include "tests/bench/sluice-bench/wire.h"

#define MEMORY_MB    96
#define BUFFERS      16383
#define BUFFER_BYTES 2048
#define BODY_MOST    (CONTENT_PIECE_MOST - CONTENT_HEAD_MOST) /* an answer is one piece */

struct load {
	volatile uint64_t busy_cycles, idle_cycles;
};

struct limit {
	struct wire wire;
	struct content content;
	uint32_t ip;
};
static struct limit limit;
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* --- answers ----------------------------------------------------------------------------- */

static bool asks_to_close(const char *text, uint32_t len)
{
	return len > 9 && !memcmp(text + len - 9, "close\r\n\r\n", 9);
}

static uint32_t answer_bytes(const struct limit *l)
{
	return l->content.head_len + l->content.size;
}

/* The path ends in it. */
static bool asks_for_tso(const char *text, uint32_t len)
{
	return memmem(text, len, "?tso ", 5);
}

/* Behind the head goes that part of the answer, more than a frame holds for the device to cut. */
static void send_part(struct limit *l, struct rte_mbuf *m, uint32_t at, uint32_t len)
{
	struct frame *f = rte_pktmbuf_mtod(m, struct frame *);

	m->data_len = sizeof(*f);
	m->pkt_len = m->data_len;
	frame_offload(m);
	if (!content_append(&l->content, m, at, len)) {
		rte_pktmbuf_free(m);
		return;
	}
	frame_length(f, (uint16_t)(sizeof(f->tcp) + len));
	if (len > FRAME_MSS) {
		m->tso_segsz = FRAME_MSS;
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		f->tcp.cksum = rte_ipv4_phdr_cksum(&f->ip, m->ol_flags);
	}
	wire_send(&l->wire, m);
}

/* All but the last part of an answer, whose head and flags are in `m`. Returns where that begins.
 */
static uint32_t send_first_parts(struct limit *l, const struct rte_mbuf *m)
{
	const struct frame *last = rte_pktmbuf_mtod(m, const struct frame *);
	uint32_t seq = rte_be_to_cpu_32(last->tcp.sent_seq), at = 0;

	for (; answer_bytes(l) - at > FRAME_MSS; at += FRAME_MSS) {
		struct rte_mbuf *part = rte_pktmbuf_alloc(l->wire.pool);
		struct frame *f;

		if (!part)
			break;
		f = rte_pktmbuf_mtod(part, struct frame *);
		*f = *last;
		f->tcp.tcp_flags = RTE_TCP_ACK_FLAG;
		f->tcp.sent_seq = rte_cpu_to_be_32(seq + at);
		send_part(l, part, at, FRAME_MSS);
	}
	return at;
}

/* --- frames ------------------------------------------------------------------------------ */

static void turn_around(struct frame *f)
{
	struct rte_ether_addr mac = f->eth.dst_addr;
	uint32_t ip = f->ip.dst_addr, seq = f->tcp.sent_seq;
	uint16_t port = f->tcp.dst_port;

	f->eth.dst_addr = f->eth.src_addr;
	f->eth.src_addr = mac;
	f->ip.dst_addr = f->ip.src_addr;
	f->ip.src_addr = ip;
	f->tcp.dst_port = f->tcp.src_port;
	f->tcp.src_port = port;
	f->tcp.sent_seq = f->tcp.recv_ack;
	f->tcp.recv_ack = seq;
	f->tcp.data_off = sizeof(f->tcp) / 4 << 4;
}

static void acknowledge(struct frame *f, uint32_t bytes)
{
	f->tcp.recv_ack = rte_cpu_to_be_32(rte_be_to_cpu_32(f->tcp.recv_ack) + bytes);
}

static void on_syn(struct limit *l, struct rte_mbuf *m, struct frame *f)
{
	turn_around(f);
	acknowledge(f, 1);
	f->tcp.sent_seq = 0;
	f->tcp.tcp_flags = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG;
	m->data_len = (uint16_t)(sizeof(*f) + frame_syn_options(f));
	m->pkt_len = m->data_len;
	frame_offload(m);
	wire_send(&l->wire, m);
}

/* Our numbers begin at 0, and all answers are equally long: if one more byte is acknowledged, it
 * was a FIN that we have sent. */
static bool has_ended(const struct limit *l, const struct frame *f)
{
	uint32_t answers = rte_be_to_cpu_32(f->tcp.recv_ack) - 1;

	return answers % answer_bytes(l) == 1;
}

static void on_fin(struct limit *l, struct rte_mbuf *m, struct frame *f)
{
	uint8_t flags = has_ended(l, f) ? RTE_TCP_ACK_FLAG : RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG;

	turn_around(f);
	acknowledge(f, 1);
	f->tcp.tcp_flags = flags;
	m->data_len = sizeof(*f);
	m->pkt_len = m->data_len;
	frame_length(f, sizeof(f->tcp));
	frame_offload(m);
	wire_send(&l->wire, m);
}

static void on_request(struct limit *l, struct rte_mbuf *m, struct frame *f, const char *text,
		       uint32_t len)
{
	uint32_t size = content_asked(text, len, BODY_MOST), at = 0;
	uint8_t flags = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG;

	if (asks_to_close(text, len))
		flags |= RTE_TCP_FIN_FLAG;
	content_size(&l->content, size);
	turn_around(f);
	acknowledge(f, len);
	f->tcp.tcp_flags = flags;
	if (answer_bytes(l) > FRAME_MSS && !asks_for_tso(text, len))
		at = send_first_parts(l, m);
	f->tcp.sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(f->tcp.sent_seq) + at);
	send_part(l, m, at, answer_bytes(l) - at);
}

static void on_frame(struct limit *l, struct rte_mbuf *m)
{
	struct frame *f = rte_pktmbuf_mtod(m, struct frame *);
	uint32_t offset, len;

	if (m->data_len < sizeof(*f) ||
	    f->eth.ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)) {
		wire_arp(&l->wire, m, l->ip, 1, NULL);
		return;
	}
	len = frame_payload(m, f, &offset);
	if (len)
		on_request(l, m, f, rte_pktmbuf_mtod_offset(m, const char *, offset), len);
	else if (f->tcp.tcp_flags & RTE_TCP_SYN_FLAG)
		on_syn(l, m, f);
	else if (f->tcp.tcp_flags & RTE_TCP_FIN_FLAG)
		on_fin(l, m, f);
	else
		rte_pktmbuf_free(m);
}

static bool turn(struct limit *l)
{
	struct rte_mbuf *frames[WIRE_BURST];
	uint16_t n = wire_receive(&l->wire, frames);

	for (uint16_t i = 0; i < n; i++) {
		if (i + 4 < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 4], void *));
		on_frame(l, frames[i]);
	}
	if (l->wire.waiting)
		wire_flush(&l->wire);
	return n > 0;
}

static void loop(struct limit *l, struct load *load)
{
	uint64_t since = rte_rdtsc(), now;

	while (!stopped) {
		bool work = turn(l);

		now = rte_rdtsc();
		if (work)
			load->busy_cycles += now - since;
		else
			load->idle_cycles += now - since;
		since = now;
	}
}

/* --- the beginning ----------------------------------------------------------------------- */

static struct load *load_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *map;

	if (fd < 0 || ftruncate(fd, sizeof(struct load)))
		return NULL;
	map = mmap(NULL, sizeof(struct load), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return map == MAP_FAILED ? NULL : map;
}

int main(int argc, char **argv)
{
	struct load *load;

	if (argc != 5 || inet_pton(AF_INET, argv[3], &limit.ip) != 1) {
		fprintf(stderr, "usage: bench-limit DEVICE CPU ADDRESS LOADFILE\n");
		return 2;
	}
	load = load_map(argv[4]);
	if (!load) {
		perror(argv[4]);
		return 1;
	}
	if (wire_eal("bench-limit", (unsigned)atoi(argv[2]), MEMORY_MB) ||
	    wire_open(&limit.wire, argv[1], BUFFERS, BUFFER_BYTES) ||
	    content_create(&limit.content, "refs"))
		return 1;
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	puts("ready");
	fflush(stdout);
	loop(&limit, load);
	wire_close(&limit.wire);
	rte_eal_cleanup();
	return 0;
}
