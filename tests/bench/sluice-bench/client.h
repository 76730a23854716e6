/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many clients of one server: a TCP that can do what they need and no more. A connection is a cache
 * line. Segments are taken in order; what is lost is asked for by a duplicate ACK, what is not
 * answered is sent again after a while and counted. The frame that brought an answer carries the
 * next request: nothing is allocated in between.
 *
 * Every answer is checked: its first words, its length, its last byte; while `every_byte` is set,
 * all of its body.
 */
#ifndef TESTS_BENCH_SLUICE_BENCH_CLIENT_H
#define TESTS_BENCH_SLUICE_BENCH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/sluice-bench/frame.h"
#include "tests/bench/sluice-bench/hist.h"
#include "tests/bench/sluice-bench/wire.h"

#define CLIENT_HOSTS_MOST 32
#define CLIENT_PORTS      65536
#define CLIENT_PORT_FIRST 1024
#define CLIENT_CONNS_MOST (CLIENT_HOSTS_MOST * (CLIENT_PORTS - CLIENT_PORT_FIRST))
#define CLIENT_ASK_MOST   448

enum client_mode {
	CLIENT_CLOSED, /* each connection asks again as soon as it is answered */
	CLIENT_OPEN,   /* requests come at a fixed rate, whoever is free asks */
	CLIENT_ONCE,   /* one request for each connection, which the server then closes */
};

enum conn_state {
	CONN_NONE,
	CONN_OPENING,
	CONN_IDLE,
	CONN_ASKED,
	CONN_CLOSING, /* ours is sent, the server's end is awaited */
	CONN_LAST,    /* the server's end came: what ours is acknowledged with is awaited */
};

struct conn {
	uint32_t snd_nxt, snd_una, rcv_nxt;
	uint32_t got;     /* of the answer */
	uint32_t unacked; /* bytes received and not yet acknowledged */
	uint16_t port;    /* in host order */
	uint8_t host, state;
	uint64_t due_tsc;  /* when the request was to be sent: latency is counted from there */
	uint64_t sent_tsc; /* of what awaits an answer */
} __attribute__((aligned(64)));

struct client_conf {
	enum client_mode mode;
	uint32_t conns;
	double rate;     /* a second; CLIENT_OPEN */
	uint32_t active; /* so many ask at a time, at most; CLIENT_OPEN */
	uint32_t server; /* in network order */
	uint16_t port;   /* in host order */
	uint32_t size;   /* of the body that is expected */
	uint8_t last;    /* its last byte */
	char path[128];
	uint32_t paths; /* so many targets in turns, "PATH?0000", …; 0: only the path */
	uint32_t from;  /* the first of our addresses, in network order */
	uint32_t hosts; /* how many addresses we use */
};

struct client_counts {
	uint64_t begun, answered, opened, closed;
	uint64_t wrong_head, wrong_length, wrong_byte; /* answers that are not as they must be */
	uint64_t refused;                              /* reset by the server, or ended too early */
	uint64_t resent;                               /* requests, SYNs and FINs */
	uint64_t gaps;                                 /* segments that were not the next ones */
	uint64_t strays;                               /* of no connection of ours */
};

struct client {
	struct client_conf conf;
	struct wire *wire;
	struct rte_ether_addr server_mac;
	uint32_t answer_bytes; /* head and body; 0: no answer was seen yet */
	uint32_t head_bytes;   /* of it */
	bool every_byte;       /* is looked at */
	uint32_t isn;
	uint32_t next_port, next_host;
	uint32_t begun;      /* connections that were opened once */
	uint32_t swept;      /* where the next sweep begins */
	uint32_t open_count; /* connections that are not CONN_NONE */
	bool ending;         /* nothing is asked any more */
	uint64_t now;        /* of this turn */
	double rate_start, rate_cycles;
	uint64_t issued; /* CLIENT_OPEN: requests since rate_start */
	uint32_t idle_count;
	uint32_t *idle; /* CLIENT_OPEN: connections that can ask */
	uint32_t ask_len;
	uint32_t digits_at; /* of a target's number; `paths` */
	uint8_t ask[CLIENT_HOSTS_MOST][sizeof(struct frame) + CLIENT_ASK_MOST];
	struct frame bare[CLIENT_HOSTS_MOST];
	struct client_counts counts;
	struct hist latency;
	struct conn *conn;
	uint32_t *slot; /* of a port of a host: number of the connection + 1; 0: none */
};

/* Takes the configuration: learns the server's hardware address and lays out the frames. 0, or -1
 * and a sentence in `error`. */
int client_start(struct client *client, const struct client_conf *conf, struct wire *wire,
		 const char **error) __attribute__((warn_unused_result));
void client_stop(struct client *client);

/* One turn: takes what has come, asks what is due. True if anything came. */
bool client_turn(struct client *client);

/* Sends again what has not been answered for too long, of some connections at a time. Every few
 * milliseconds. */
void client_sweep(struct client *client);

/* No new requests; what is open is closed when its answer is there. */
void client_end(struct client *client);

#endif
