/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A home: where leases come back to, whoever frees their last mbuf.
 *
 * A ledger belongs to one thread, that of its worker, but a packet may end with another one: a
 * worker that has no queue of its own in a port sends through one that has. If the connection is
 * gone by then, that one frees the last mbuf of a lease. Such leases wait here until their worker
 * collects them; the first of them wakes it.
 *
 * Ownership: a home belongs to whom the workers belong, and outlives every mbuf of its ledgers.
 *
 * Threads: the worker's enters and collects. Before that, and after ledger_home_leave, nobody else
 * runs, and whoever frees an mbuf may do all there is to do.
 */
#ifndef CHAIN_LEDGER_HOME_H
#define CHAIN_LEDGER_HOME_H

#include <stdatomic.h>

struct lease;

struct ledger_home {
	_Atomic(struct lease *) returned; /* by others; the last one comes first */
	unsigned lcore;                   /* the worker's; LCORE_ID_ANY: it does not run */
	int wake_fd;                      /* an eventfd. Not owned */
};

void ledger_home_open(struct ledger_home *home, int wake_fd);
/* The worker's thread, before it takes the first lease. */
void ledger_home_enter(struct ledger_home *home);
/* All workers have stopped. */
void ledger_home_leave(struct ledger_home *home);

void ledger_home_take_back(struct ledger_home *home);
/* Takes back what others have freed: once in each turn of the worker. */
static inline void ledger_home_collect(struct ledger_home *home)
{
	if (atomic_load_explicit(&home->returned, memory_order_relaxed))
		ledger_home_take_back(home);
}

#endif
