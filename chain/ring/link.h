/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worker's end of the pair of rings that joins it to one instance of a function, or to an
 * application (whose descriptors, of <sluice/app_abi.h>, have the same size).
 *
 * Ownership: a link is made by the control thread (link_create), handed to its worker, and
 * used by that worker alone until it gives it back. The down region is written here and
 * read by the instance; the up region is written by the instance and only read here.
 * Everything read from the up region is copied out first and then checked: an instance that
 * lies (an index that runs away, text outside the ring) makes link_poll return -EPROTO, and
 * the link is dead.
 *
 * Nothing blocks and nothing makes a syscall except link_publish and link_wake, which write the
 * instance's eventfd when it said that it sleeps.
 */
#ifndef CHAIN_RING_LINK_H
#define CHAIN_RING_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

struct link;

struct link_sizes {
	uint32_t entries;       /* of the down ring, a power of two */
	uint32_t up_entries;    /* of the up ring, a power of two */
	uint32_t up_text_bytes; /* a power of two; 0: its descriptors have no text */
};

/* Makes both regions as sealed memfds. `wake_nf_fd` is the instance's eventfd (not owned,
 * non-blocking). -EINVAL: a size that is no power of two, or less text than one verdict may have.
 */
int link_create(const struct link_sizes *sizes, int wake_nf_fd, struct link **out)
	__attribute__((warn_unused_result));
void link_destroy(struct link *link);

/* Descriptors to hand to the instance: `down` can only be mapped for reading, `up` for writing
 * (this process keeps a read-only mapping of it). Both belong to the link. */
int link_down_fd(const struct link *link);
int link_up_fd(const struct link *link);
uint64_t link_down_bytes(const struct link *link);
uint64_t link_up_bytes(const struct link *link);

/* Free entries of the down ring, as the instance's index stands now. 0 for a link that is dead. */
uint32_t link_room(struct link *link);
/* The next free entry, to be filled in place; NULL when the ring is full. Not visible before
 * link_publish. */
struct sluice_down *link_next(struct link *link);
/* Makes everything since the last call visible, once for each turn of the loop, and wakes a
 * sleeper. */
void link_publish(struct link *link);
/* Wakes a sleeper, also if nothing was made visible: room in its own ring is news, too. */
void link_wake(struct link *link);

/* Copies up to `max` descriptors out, going on where the last call ended; their text stays valid
 * until link_consume. Count, or -EPROTO. */
int link_poll(struct link *link, struct sluice_up *out, unsigned max);
/* Copies a descriptor's edits into private memory, having checked the range: 0 or -EPROTO. */
int link_text(const struct link *link, const struct sluice_up *up, void *dst, uint32_t size);
/* The first `n` polled descriptors, and their text, are done with. */
void link_consume(struct link *link, unsigned n);
bool link_pending(const struct link *link); /* something to poll; true for a link that is dead */

/* Before the worker sleeps, and after: while set, the instance writes the worker's eventfd. After
 * setting it, link_pending must be asked once more. */
void link_sleep(struct link *link, bool sleeps);

/* From the shared pages, for any thread. What the instance says is untrusted: it is for show and
 * for the heartbeat. */
uint64_t link_loops(const struct link *link);
uint64_t link_busy_ns(const struct link *link);
uint64_t link_counter(const struct link *link, unsigned i);
uint32_t link_depth(const struct link *link); /* descriptors the instance has not consumed */
/* Answers that the worker has not consumed. */
uint32_t link_up_depth(const struct link *link);
uint32_t link_down_consumed(const struct link *link); /* the instance's index, as it says */
bool link_nf_sleeps(const struct link *link);         /* it waits for its eventfd */
#endif
