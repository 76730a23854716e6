/* SPDX-License-Identifier: BSD-3-Clause */
/* What ledger.c, lease.c and home.c share. */
#ifndef CHAIN_LEDGER_LEDGER_INTERNAL_H
#define CHAIN_LEDGER_LEDGER_INTERNAL_H

#include "chain/ledger/home.h"
#include "chain/ledger/ledger.h"

struct ledger {
	struct ledger_conf conf;
	struct ledger_home *home; /* NULL: none */
	struct piece *piece;
	struct lease *lease;
	struct piece_queue free_pieces;
	struct lease_queue free_leases;
	uint32_t pieces, leases; /* in use */
	uint64_t lease_bytes;
	bool ended; /* ledger_destroy was called: goes with the last lease */
	uint32_t arena_leases[REGIONS_MAX];
};

void ledger_free(struct ledger *ledger);
/* The last byte was acknowledged, or will never be sent. */
void lease_back(struct lease *lease);
/* The same was found by another thread: it waits until it is collected. */
void home_return(struct ledger_home *home, struct lease *lease);

#endif
