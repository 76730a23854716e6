/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/ledger/ledger.h"

#include <errno.h>
#include <stdlib.h>

#include "chain/ledger/ledger_internal.h"

static int pools_create(struct ledger *ledger)
{
	const struct ledger_conf *conf = &ledger->conf;

	ledger->piece = calloc(conf->pieces, sizeof(*ledger->piece));
	ledger->lease = calloc(conf->leases, sizeof(*ledger->lease));
	if (!ledger->piece || !ledger->lease)
		return -ENOMEM;
	for (uint32_t i = conf->pieces; i-- > 0;)
		TAILQ_INSERT_HEAD(&ledger->free_pieces, &ledger->piece[i], queue);
	for (uint32_t i = conf->leases; i-- > 0;)
		STAILQ_INSERT_HEAD(&ledger->free_leases, &ledger->lease[i], queue);
	return 0;
}

void ledger_free(struct ledger *ledger)
{
	free(ledger->piece);
	free(ledger->lease);
	free(ledger);
}

int ledger_create(const struct ledger_conf *conf, struct ledger **out)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	ledger->conf = *conf;
	TAILQ_INIT(&ledger->free_pieces);
	STAILQ_INIT(&ledger->free_leases);
	if (pools_create(ledger)) {
		ledger_free(ledger);
		return -ENOMEM;
	}
	*out = ledger;
	return 0;
}

void ledger_destroy(struct ledger *ledger)
{
	if (!ledger)
		return;
	ledger->ended = true;
	if (!ledger->leases)
		ledger_free(ledger);
}

void ledger_settle(struct ledger *ledger, struct ledger_home *home)
{
	ledger->home = home;
}

void ledger_holder_open(struct ledger *ledger, struct holder *holder)
{
	*holder = (struct holder){.ledger = ledger};
	LIST_INIT(&holder->sending);
	STAILQ_INIT(&holder->released);
}

void ledger_holder_close(struct holder *holder)
{
	struct lease *lease;
	uint32_t tag;

	while (ledger_release_next(holder, &tag))
		;
	while ((lease = LIST_FIRST(&holder->sending))) {
		LIST_REMOVE(lease, of_holder);
		lease->holder = NULL;
	}
	holder->leases = 0;
}

struct piece *ledger_piece_take(struct holder *holder)
{
	struct ledger *ledger = holder->ledger;
	struct piece *piece = TAILQ_FIRST(&ledger->free_pieces);

	if (!piece)
		return NULL;
	TAILQ_REMOVE(&ledger->free_pieces, piece, queue);
	*piece = (struct piece){.holder = holder};
	for (unsigned i = 0; i < SLUICE_DOWN_SLICES; i++)
		piece->copy[i] = PIECE_NO_COPY;
	ledger->pieces++;
	holder->pieces++;
	return piece;
}

void ledger_piece_end(struct piece *piece)
{
	struct ledger *ledger = piece->holder->ledger;

	piece->holder->pieces--;
	ledger->pieces--;
	TAILQ_INSERT_HEAD(&ledger->free_pieces, piece, queue);
}

void ledger_counts(const struct ledger *ledger, struct ledger_counts *out)
{
	*out = (struct ledger_counts){
		.pieces = ledger->pieces,
		.pieces_total = ledger->conf.pieces,
		.leases = ledger->leases,
		.leases_total = ledger->conf.leases,
		.lease_bytes = ledger->lease_bytes,
	};
}

uint32_t ledger_arena_leases(const struct ledger *ledger, uint16_t region)
{
	return region < REGIONS_MAX ? ledger->arena_leases[region] : 0;
}
