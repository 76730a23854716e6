/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections that carry no HTTP: of `tcp` chains, and those that leave it by 101 or CONNECT. */
#ifndef CHAIN_ENGINE_STREAM_H
#define CHAIN_ENGINE_STREAM_H

#include "chain/engine/model.h"

/* --- stream.c -------------------------------------------------------------------- */
void stream_begin(struct client *client, struct sluice_head *head);
/* It is not open yet. */
void stream_run(struct exchange *x);
void stream_connected(struct exchange *x);

/* --- open.c ---------------------------------------------------------------------- */
/* Opens it for one function after the other; ends in origin_begin. */
void open_walk(struct exchange *x);
bool open_allowed(const struct sluice_up *up);
/* What the function at `hop` has answered; it is allowed. */
void open_answered(struct instance *instance, struct hop *hop, const struct sluice_up *up);

/* --- early.c --------------------------------------------------------------------- */
/* More that may be read for a function to see. */
uint32_t early_room(const struct exchange *x);
/* Shows what has come past the functions before. True: there is more than was shown. */
bool early_show(struct exchange *x);
/* Nothing follows what is shown. */
bool early_complete(const struct exchange *x);
bool early_full(const struct exchange *x);
/* What waits is not what was shown. */
void early_forget(struct exchange *x);
/* Takes away the first bytes that are shown. False: there are not so many. */
bool early_cut(struct exchange *x, uint32_t bytes);
/* Puts payload before all that has come. */
void early_prefix(struct exchange *x, struct payload payload);

/* --- upgrade.c ------------------------------------------------------------------- */
/* -EINVAL: more protocols, or longer ones, than there is room for. */
int upgrade_conf(struct chain *chain, const struct engine_chain *from);
/* The client offers to change the protocol, and its chain has nothing against it. */
bool upgrade_offered(const struct exchange *x);
/* The origin's 101 is an answer to that offer. */
bool upgrade_agreed(const struct exchange *x, const struct sluice_head *answer);
/* The head says what the connection becomes, whatever functions made of it. False: it does not. */
bool upgrade_consistent(const struct exchange *x);

/* --- tunnel.c -------------------------------------------------------------------- */
/* Both bodies end with their connections from here on. */
void tunnel_prepare(struct exchange *x);
/* Both sides are there: bytes go both ways. */
void tunnel_open(struct exchange *x);
void tunnel_run(struct exchange *x);
void tunnel_timeout(struct exchange *x);

#endif
