/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of clients, and what they send until an exchange begins with it. */
#ifndef CHAIN_ENGINE_CLIENT_H
#define CHAIN_ENGINE_CLIENT_H

#include "chain/engine/model.h"

/* --- client.c -------------------------------------------------------------------- */
int clients_create(struct engine *engine, uint32_t count);
void clients_destroy(struct engine *engine);
void client_accept(struct listener *listener, struct tcp_conn *conn);
/* The client's exchange is over. */
void client_exchange_over(struct client *client, enum client_fate fate);
void client_idle_end(struct client *client, uint32_t within_ms);
/* Its next request may come, or is there. */
void client_idle(struct client *client);
/* It waits no longer for an exchange to be free. */
void client_unqueue(struct client *client);
/* Both end it; lingering, it sees first what was sent. */
void client_end(struct client *client);
void client_linger(struct client *client);

/* --- request.c ------------------------------------------------------------------- */
/* Something came, or there is an exchange for it now. */
void request_read(struct client *client);
/* Answers, and ends the connection. */
void request_refuse(struct client *client, uint16_t status, enum sluice_ending why);
void client_addresses(const struct client *client, struct sluice_head *head);

/* --- refused.c ------------------------------------------------------------------- */
/* An exchange for what is refused, so that functions hear of it; NULL: none wants to, or there is
 * no room. It is to be answered, and ended. */
struct exchange *refused_begin(struct client *client, enum sluice_ending why);

/* --- limits.c -------------------------------------------------------------------- */
/* With so many requests more it has had as many, or is as old, as its chain allows. */
bool limits_spent(const struct client *client, uint32_t more);
/* How long it may still be idle. */
uint32_t limits_idle_ms(const struct client *client);
/* When the client's rate is to be looked at; UINT64_MAX: never. */
uint64_t limits_rate_us(const struct exchange *x);
/* True: its client has been slower than its chain allows for a whole window. */
bool limits_too_slow(struct exchange *x);

#endif
