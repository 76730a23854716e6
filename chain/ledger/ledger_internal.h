/* SPDX-License-Identifier: BSD-3-Clause */
/* What ledger.c and lease.c share. */
#ifndef CHAIN_LEDGER_LEDGER_INTERNAL_H
#define CHAIN_LEDGER_LEDGER_INTERNAL_H

#include "chain/ledger/ledger.h"

struct ledger {
	struct ledger_conf conf;
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

#endif
