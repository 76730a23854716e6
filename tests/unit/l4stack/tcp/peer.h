/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack and its peer, which is the test: it says segments and hears what the stack says.
 *
 * Sequence numbers are counted from each side's SYN, which is 0: the first byte is 1. The
 * stack is 10.0.0.1 and listens on port 80; the peer is 10.0.0.2, port 4000, its window is
 * 60000. A conversation:
 *
 *	say(SYN, 0, 0, 0);
 *	hear(SYN | ACK, 0, 1, 0);
 *	say(ACK, 1, 1, 0);
 *
 * `say` lets the stack have its turn: deliver, then flush. After each test no mbuf may be in use.
 */
#ifndef TESTS_UNIT_L4STACK_TCP_PEER_H
#define TESTS_UNIT_L4STACK_TCP_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "l4stack/base/counters.h"
#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "l4stack/tcp/tcp_options.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };

#define PEER_OUT_MAX     2048
#define PEER_SERVER_PORT 80
#define PEER_PORT        4000

struct segment {
	uint16_t src, dst;
	uint8_t flags;
	uint32_t seq, ack; /* relative, if the connection is the usual one */
	uint32_t window;   /* as on the wire */
	uint32_t len;
	uint8_t ecn;
	uint8_t payload[70000];
	struct tcp_options options;
	uint16_t tso_segsz;
	unsigned pieces; /* mbufs */
};

struct peer {
	struct stack *stack;
	const struct stack_counters *counters;
	struct rte_mempool *header, *control, *ref, *rx, *payload;
	uint64_t now_us;
	uint32_t offloads;
	/* What the peer says with each segment. */
	uint32_t iss, stack_iss;
	uint16_t port, stack_port;
	uint32_t window;
	struct tcp_options options; /* of SYN */
	bool timestamps;            /* of all others: */
	uint32_t tsval, tsecr;
	struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX];
	uint8_t sack_blocks;
	uint8_t ecn;           /* the two bits of their IP headers */
	uint16_t user_timeout; /* RFC 5482's field, in all segments; 0: no option */
	uint16_t rx_cut;       /* segments come in mbufs of so many bytes */
	bool ip6;              /* peer_speak_ip6 */
	bool tagged;           /* its frames carry a tag of VLAN 0, which says a priority only */
	bool sums;             /* they carry checksums, and the device has not looked at them */
	void (*spoil)(uint8_t *frame, uint32_t *len); /* called with each, when set */
	/* What the stack did. */
	struct rte_mbuf *out[PEER_OUT_MAX];
	unsigned out_count;
	bool asked;          /* for the peer's hardware address */
	struct segment last; /* what was heard last */
	struct tcp_listener *listener;
	struct tcp_conn *conn;
	unsigned accepted, opened, readable, writable, closed;
	enum tcp_close_reason reason;
	/* Called from the handlers, when set. */
	void (*on_accepted)(struct tcp_conn *conn);
	void (*on_readable)(struct tcp_conn *conn);
	void (*on_closed)(struct tcp_conn *conn);
};
extern struct peer peer;

/* cmocka's. */
int peer_group_setup(void **state);
int peer_setup(void **state);
int peer_teardown(void **state);

/* Begins anew, with other offloads or settings of the stack. */
void peer_restart(uint32_t offloads, const struct stack_conf *conf);

/* Both speak IPv6 from now on: fd10::1 is the stack, fd10::2 the peer. */
void peer_speak_ip6(void);

void peer_listen(const struct tcp_conf *conf);
int peer_connect(const struct tcp_conf *conf);

/* The whole handshake: the stack as server or as client. The peer's MSS is 1460; peer.options says
 * what else it offers. */
void open_passive(const struct tcp_conf *conf);
void open_active(const struct tcp_conf *conf);

/* The peer's segment; payload is the peer's pattern at `seq`. */
void say(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len);
void say_bytes(unsigned flags, uint32_t seq, uint32_t ack, const void *bytes, uint32_t len);
void say_quietly(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len); /* no turn */
void turn(void);

/* The stack's next segment, which has to be this. */
void hear(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len);
void hear_any(void); /* whatever it is: peer.last */
void hear_nothing(void);
void ignore_all(void);

/* Time passes, in steps of a millisecond with a turn in each. */
void wait_ms(uint32_t ms);

/* The peer's pattern, and the owner's. */
uint8_t peer_byte(uint32_t seq);
uint8_t owner_byte(uint32_t seq);

/* What waits is `len` bytes of the peer's pattern from `seq` on; it is taken. */
void expect_received(uint32_t seq, uint32_t len);

/* The owner sends the pattern from `seq` on: one mbuf for each piece. */
void send_bytes(uint32_t seq, uint32_t len);
void send_pieces(uint32_t seq, uint32_t len, uint32_t piece);

const char *conn_state(void);

/* A row of main's table. */
#define PEER_TEST(fn) cmocka_unit_test_setup_teardown(fn, peer_setup, peer_teardown)

#endif
