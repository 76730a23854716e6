/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger: who holds which payload.
 *
 * A *piece* is body payload that was shown to an instance of a function and is not answered
 * yet: the mbufs stay with the ledger, so that nothing an instance does (or dies of) can lose
 * them. A *lease* is the way back: a run of an instance's arena that the manager is to send.
 * It is wrapped into mbufs that refer to the arena; when the last of them is freed, after the
 * peer's acknowledgement, the lease's tag is due to the instance as a RELEASE, and the arena
 * is one lease nearer to being free.
 *
 * A *holder* is the account of one instance. It is embedded in the engine's own structure.
 * When the instance is gone (ledger_holder_close) its leases live on without an account:
 * their bytes are still being sent.
 *
 * Ownership: all memory is taken at creation. ledger_destroy may be called while mbufs of
 * leases are on their way (in a device's ring); the ledger goes with the last of them.
 *
 * Threads: that of the worker. Mbufs of leases may be freed by another one if the ledger has a home
 * (home.h).
 */
#ifndef CHAIN_LEDGER_LEDGER_H
#define CHAIN_LEDGER_LEDGER_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <sluice/abi.h>

#include "chain/ring/region.h"

struct ledger;
struct ledger_home;

struct ledger_conf {
	uint32_t pieces;
	uint32_t leases;
	uint32_t leases_each; /* most that one holder may have at a time */
};

int ledger_create(const struct ledger_conf *conf, struct ledger **out)
	__attribute__((warn_unused_result));
void ledger_destroy(struct ledger *ledger);
/* Its leases come back to that home (home.h), whoever frees their mbufs: before the first is taken.
 * NULL: nobody else does. */
void ledger_settle(struct ledger *ledger, struct ledger_home *home);

/* --- holders --------------------------------------------------------------------- */

struct lease;
LIST_HEAD(lease_list, lease);
STAILQ_HEAD(lease_queue, lease);

struct holder {
	struct ledger *ledger;
	struct lease_list sending;   /* leases that are not back yet */
	struct lease_queue released; /* back, their tags not told yet */
	uint32_t leases;             /* both together */
	uint32_t pieces;             /* pieces shown and not answered */
};

void ledger_holder_open(struct ledger *ledger, struct holder *holder);
/* The instance is gone. Pieces must have been taken back; tags that wait are forgotten. */
void ledger_holder_close(struct holder *holder);

/* How many more leases this holder may take now. */
uint32_t ledger_lease_room(const struct holder *holder);
/* The same asked for many: a holder that has fewer leases than this may take `more` now. */
uint32_t ledger_leases_below(const struct ledger *ledger, uint32_t more);

/* --- leases ---------------------------------------------------------------------- */

struct lease {
	struct rte_mbuf_ext_shared_info
		shared; /* counts the mbufs that refer to it, and its taker */
	struct ledger *ledger;
	struct holder *holder; /* NULL: gone */
	LIST_ENTRY(lease) of_holder;
	STAILQ_ENTRY(lease) queue; /* of an exchange's answer, of `released`, or free */
	uint8_t *data;
	uint32_t len, attached;
	uint32_t tag;
	uint16_t arena; /* region number */
};

/* `slice` was checked against `arena`. NULL when ledger_lease_room is 0. */
struct lease *ledger_lease_take(struct holder *holder, const struct region *arena,
				const struct sluice_slice *slice);
/* Its next bytes, `bytes` at most, as mbufs of at most `segment_bytes` each, from `pool` (mbufs
 * without room). NULL: no mbufs left; a shorter chain: not enough of them. `attached` tells how far
 * it got. */
struct rte_mbuf *ledger_lease_attach(struct lease *lease, struct rte_mempool *pool, uint32_t bytes,
				     uint32_t segment_bytes) __attribute__((warn_unused_result));
/* All of it, whatever was attached before. NULL: no mbufs left. */
struct rte_mbuf *ledger_lease_whole(struct lease *lease, struct rte_mempool *pool)
	__attribute__((warn_unused_result));
/* One more taker. */
void ledger_lease_share(struct lease *lease);
/* The taker is done with it: all was attached, or the rest will not be. It goes back with its last
 * mbuf. */
void ledger_lease_drop(struct lease *lease);

/* An mbuf of a lease (or one attached to it): its bytes are in an arena. */
bool ledger_is_lease(const struct rte_mbuf *m);

/* The next tag that is due to the holder's instance, if there is one. */
bool ledger_release_next(struct holder *holder, uint32_t *tag);
static inline bool ledger_release_due(const struct holder *holder)
{
	return !STAILQ_EMPTY(&holder->released);
}

/* --- pieces ---------------------------------------------------------------------- */

#define PIECE_NO_COPY UINT32_MAX

struct piece {
	TAILQ_ENTRY(piece) queue; /* of whom it was shown to, oldest first */
	struct holder *holder;
	struct rte_mbuf *chain; /* may be NULL: the bare end of a body */
	uint32_t bytes;
	uint32_t number;
	uint8_t direction;
	bool end;
	bool replaced;                     /* a part of its answer has come */
	uint32_t copy[SLUICE_DOWN_SLICES]; /* message slots that show what the instance cannot map;
					      PIECE_NO_COPY */
};
TAILQ_HEAD(piece_queue, piece);

/* A piece in the hands of `holder`, filled with zeros and PIECE_NO_COPY; NULL: none left. */
struct piece *ledger_piece_take(struct holder *holder);
/* Its account ends; the chain was taken out by the caller. */
void ledger_piece_end(struct piece *piece);

/* --- counts ---------------------------------------------------------------------- */

struct ledger_counts {
	uint32_t pieces, pieces_total;
	uint32_t leases, leases_total;
	uint64_t lease_bytes;
};
void ledger_counts(const struct ledger *ledger, struct ledger_counts *out);
/* Leases of one arena that are not back. */
uint32_t ledger_arena_leases(const struct ledger *ledger, uint16_t region);

#endif
