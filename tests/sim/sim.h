/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two stacks against each other, in virtual time. A scenario follows from its seed alone:
 * the link, the devices, the connections and what their owners do.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "tests/sim/box.h"
#include "tests/sim/check.h"
#include "tests/sim/link.h"
#include "tests/sim/nic.h"

#define SIM_PAIRS_MAX   24
#define SIM_SERVER_PORT 80
#define SIM_MTU         1500
#define SIM_HEADERS     4095 /* mbufs of the pools, shared by both stacks */
#define SIM_REFS        8191

struct sim;

/* ---- owners ---- */

enum sim_kind {
	SIM_BULK,       /* both send all at once */
	SIM_REQUESTS,   /* request, response, and again */
	SIM_HALF_CLOSE, /* the client sends and shuts down; the server answers then */
	SIM_ECHO,       /* the server returns what it receives, by reference */
	SIM_ABORT,      /* as bulk; one aborts */
	SIM_CLOSE,      /* as bulk; one closes, finished or not */
	SIM_KINDS,
};

struct sim_end {
	struct sim *sim;
	struct sim_pair *pair;
	unsigned side;         /* 0: the client */
	struct tcp_conn *conn; /* NULL: not yet, or no more */
	uint32_t send_stream, recv_stream;
	uint64_t send_total, sent, received;
	uint32_t piece_most;               /* bytes of one mbuf of payload */
	uint32_t read_bytes, read_each_us; /* a slow reader; 0: reads at once */
	uint64_t read_at_us;
	uint64_t leave_at_us; /* aborts or closes; UINT64_MAX: never */
	uint64_t whole_us;    /* when the last byte came */
	bool opened, shut, ended, closed;
	enum tcp_close_reason reason;
};

struct sim_pair {
	enum sim_kind kind;
	uint32_t request_bytes, response_bytes, rounds;
	uint64_t begin_us;
	bool begun;
	struct tcp_conf conf; /* the client's */
	uint16_t client_port;
	struct sim_end end[2];
};

/* ---- a host ---- */

struct sim_host {
	struct sim *sim;
	unsigned side;
	struct stack *stack;
	uint64_t clock_us; /* its clock is ahead of the world's by so much */
	struct nic_rx rx;
	struct rng device_rng;
	uint32_t takes, takes_us; /* new packets in that time, at most; 0: all at once */
	uint64_t takes_at_us;
	struct tcp_listener *listener;
};

struct sim_pools {
	struct rte_mempool *header, *control, *ref, *rx[2], *payload;
};

/* Mbufs taken away from the stacks, to make them few. */
struct sim_hoard {
	unsigned n;
	struct rte_mbuf *mbufs[SIM_HEADERS + SIM_REFS];
};

/* How far a sender is ahead of its pacing rate. */
struct sim_pace {
	uint64_t at_us, bytes, ahead_us;
};

struct sim_course;

struct sim {
	uint64_t seed, now_us;
	bool ip6;
	bool fast; /* Fast Open, on both sides */
	bool slow; /* devices slower than their stacks */
	struct rng rng;
	const struct sim_pools *pools;
	struct sim_host host[2];
	struct link link[2]; /* by sender */
	struct box box[2];   /* before them */
	struct check check;
	unsigned pair_count;
	struct sim_pair pair[SIM_PAIRS_MAX];
	struct tcp_conf server_conf;
	uint32_t offloads, copy_below;
	uint64_t memory_bytes; /* the budget of each stack */
	uint32_t headers_left; /* mbufs that the stacks find in their pools */
	uint32_t refs_left;
	struct sim_hoard hoard;
	const struct sim_course *course; /* NULL: all follows from the seed */
	struct sim_pace pace;
	uint64_t steady_us, steady_bytes; /* what had arrived by then, of a course */
	bool wraps;                       /* sequence numbers and clocks pass their ends */
	char error[512];
};

struct sim_stats {
	uint64_t scenarios, connections, segments, lost, payload_bytes, virtual_us;
	uint64_t fast_retransmits, rtos, spurious, marks, copied, referenced;
	uint64_t cut, reassembled, mtu_lowered, fast_opens, waits;
};

/* 0, or -1 when there is no memory. Once for a process. */
int sim_pools_make(struct sim_pools *pools);

struct sim_what {
	uint64_t seed;
	const struct sim_course *course; /* NULL: none */
	bool ip6, fast, slow, trace;
};

/* Runs the scenario of a seed. False: `error` says what went wrong. */
bool sim_run(const struct sim_pools *pools, const struct sim_what *what, struct sim_stats *stats,
	     char *error, size_t error_size);

/* Where a host is. */
struct addr sim_addr(const struct sim *sim, unsigned side);

/* scenario.c: everything that follows from the seed. */
void sim_scenario(struct sim *sim);

/* owner.c */
void sim_pair_begin(struct sim *sim, struct sim_pair *pair);
void sim_end_work(struct sim_end *end);              /* its turn */
uint64_t sim_end_next_us(const struct sim_end *end); /* when it wants one by itself */
bool sim_pair_done(const struct sim_pair *pair);
bool sim_pair_verdict(const struct sim_pair *pair, char *error, size_t size);
void sim_accepted(struct tcp_conn *conn, void *host);

void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
