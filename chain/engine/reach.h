/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A server, reached: what exchanges (origin.c) and functions' own requests (ask_answer.c) have in
 * common. One of a group is connected; one that cannot be is followed by the next healthy one, as
 * often as the group's `retries` allow.
 *
 * The owner's ops hear of the connection; from its `closed` the owner calls reach_closed. Threads:
 * the worker's.
 */
#ifndef CHAIN_ENGINE_REACH_H
#define CHAIN_ENGINE_REACH_H

#include "chain/engine/source.h"
#include "chain/upstream/pool.h"

#define REACH_TRIES_MAX 8

struct engine;

struct reach {
	struct upstream_conn *conn; /* NULL: none, or gone */
	struct payload rest;        /* of one that is gone: what was left to read */
	uint16_t group;
	uint8_t tries;
	bool active; /* counted at `server` */
	bool fresh;  /* a kept connection died under it: the next one is to be new */
	bool reused; /* it had been used before */
	bool sent;   /* the request's head was */
	bool heard;  /* a byte of the answer came */
	bool gone;   /* closed by the server's side */
	bool ended;  /* gone, after both sides had ended in order */
	uint32_t server;
	uint32_t tried[REACH_TRIES_MAX];
	uint32_t unacked; /* bytes of ours that were not acknowledged when it closed */
	uint64_t asked_us;
};

/* Another server than those that were tried; UPSTREAM_NONE: none is left. */
uint32_t reach_next(struct engine *engine, const struct reach *reach);
/* Begins with `server` and goes on until one can at least be tried. False: none was left. */
bool reach_connect(struct engine *engine, struct reach *reach, uint32_t server,
		   const struct upstream_user_ops *ops, void *user);
/* What counts for the server: it has failed; nothing of ours is under way there any more. */
void reach_failed(const struct engine *engine, const struct reach *reach);
void reach_inactive(const struct engine *engine, struct reach *reach);

/* What can be read of its answer. */
struct source reach_source(const struct engine *engine, struct reach *reach);
void reach_closed(struct reach *reach, struct upstream_conn *conn, enum tcp_close_reason reason);
/* It has said all that it will say, and that was not enough. */
void reach_abort(struct reach *reach);
/* `complete`: all of its answer was read; `reusable`: and another request may follow it. */
void reach_release(const struct engine *engine, struct reach *reach, bool complete, bool reusable);

#endif
