/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/ledger/home.h"

#include <rte_lcore.h>
#include <sys/eventfd.h>

#include "chain/ledger/ledger_internal.h"

void ledger_home_open(struct ledger_home *home, int wake_fd)
{
	*home = (struct ledger_home){.lcore = LCORE_ID_ANY, .wake_fd = wake_fd};
}

void ledger_home_enter(struct ledger_home *home)
{
	home->lcore = rte_lcore_id();
}

void ledger_home_leave(struct ledger_home *home)
{
	home->lcore = LCORE_ID_ANY;
	ledger_home_collect(home);
}

void ledger_home_take_back(struct ledger_home *home)
{
	struct lease *lease, *next;

	lease = atomic_exchange_explicit(&home->returned, NULL, memory_order_acquire);
	for (; lease; lease = next) {
		next = STAILQ_NEXT(lease, queue);
		lease_back(lease);
	}
}

/* Who finds it empty wakes the worker; who comes after knows that it is awake. */
void home_return(struct ledger_home *home, struct lease *lease)
{
	struct lease *first = atomic_load_explicit(&home->returned, memory_order_relaxed);

	do {
		STAILQ_NEXT(lease, queue) = first;
	} while (!atomic_compare_exchange_weak_explicit(
		&home->returned, &first, lease, memory_order_release, memory_order_relaxed));
	if (!first)
		eventfd_write(home->wake_fd, 1); /* EAGAIN: it is as awake as it can be */
}
