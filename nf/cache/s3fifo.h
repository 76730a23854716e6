/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which object goes when room is needed: S3-FIFO (Yang and others, SOSP 2023), counted in
 * bytes. New objects enter a small queue; those that were used twice until they reach its
 * head go on to the main queue, the others leave, and a ghost of them stays behind: an
 * object that comes back while its ghost is there enters the main queue at once. In the
 * main queue an object goes round as often as it was used, three times at most.
 *
 * A use costs one increment: no list is touched by a hit.
 *
 * Ownership: items are the caller's, inside of the objects. Pure, but for the memory of the
 * ghosts that the caller gives. One thread.
 */
#ifndef NF_CACHE_S3FIFO_H
#define NF_CACHE_S3FIFO_H

#include <stdbool.h>
#include <stdint.h>

struct s3_item {
	struct s3_item *newer, *older;
	uint64_t hash; /* what its ghost is known by */
	uint64_t bytes;
	uint8_t uses; /* 0 to 3 */
	bool main;
};

struct s3_queue {
	struct s3_item *newest, *oldest;
	uint64_t bytes;
	uint64_t count;
};

/* Four to a row; a ghost is alive while no more than `count` of the main queue came after it. */
struct s3_ghost {
	uint32_t mark, born;
};
#define S3_GHOSTS_PER_ROW 4

struct s3fifo {
	struct s3_queue small, main;
	uint64_t small_bytes; /* what the small queue may hold before it is the one that gives */
	struct s3_ghost *ghost;
	uint64_t rows; /* a power of two */
	uint32_t births;
};

/* `ghosts`: zeroed, rows * S3_GHOSTS_PER_ROW of them. `bytes`: what all objects may take. */
void s3_init(struct s3fifo *s3, uint64_t bytes, struct s3_ghost *ghosts, uint64_t rows);

/* hash and bytes of the item are set; it is in no queue. True: its ghost was there. */
bool s3_insert(struct s3fifo *s3, struct s3_item *item);
void s3_remove(struct s3fifo *s3, struct s3_item *item);
void s3_resize(struct s3fifo *s3, struct s3_item *item, uint64_t bytes);

static inline void s3_use(struct s3_item *item)
{
	if (item->uses < 3)
		item->uses++;
}

/* Takes the one that has to go out of its queue; NULL: there is none. */
struct s3_item *s3_victim(struct s3fifo *s3);

#endif
