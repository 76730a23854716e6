/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include "chain/ledger/ledger_internal.h"

/* The longest an mbuf can say, kept a multiple of a cache line. */
#define SEGMENT_BYTES_MAX 65472u

uint32_t ledger_lease_room(const struct holder *holder)
{
	const struct ledger *ledger = holder->ledger;
	uint32_t each = ledger->conf.leases_each;
	uint32_t free = ledger->conf.leases - ledger->leases;
	uint32_t own = holder->leases < each ? each - holder->leases : 0;

	return own < free ? own : free;
}

uint32_t ledger_leases_below(const struct ledger *ledger, uint32_t more)
{
	uint32_t each = ledger->conf.leases_each;

	if (each < more || ledger->conf.leases - ledger->leases < more)
		return 0;
	return each - more + 1;
}

static void lease_free(struct lease *lease)
{
	struct ledger *ledger = lease->ledger;

	STAILQ_INSERT_HEAD(&ledger->free_leases, lease, queue);
	if (--ledger->leases == 0 && ledger->ended)
		ledger_free(ledger);
}

void lease_back(struct lease *lease)
{
	struct ledger *ledger = lease->ledger;
	struct holder *holder = lease->holder;

	ledger->arena_leases[lease->arena]--;
	ledger->lease_bytes -= lease->len;
	if (!holder) {
		lease_free(lease);
		return;
	}
	LIST_REMOVE(lease, of_holder);
	STAILQ_INSERT_TAIL(&holder->released, lease, queue);
}

static bool at_home(const struct ledger_home *home)
{
	return !home || home->lcore == LCORE_ID_ANY || home->lcore == rte_lcore_id();
}

static void lease_unreferenced(void *addr, void *opaque)
{
	struct lease *lease = opaque;
	struct ledger_home *home = lease->ledger->home;

	(void)addr;
	if (at_home(home))
		lease_back(lease);
	else
		home_return(home, lease);
}

bool ledger_is_lease(const struct rte_mbuf *m)
{
	return RTE_MBUF_HAS_EXTBUF(m) && m->shinfo->free_cb == lease_unreferenced;
}

struct lease *ledger_lease_take(struct holder *holder, const struct region *arena,
				const struct sluice_slice *slice)
{
	struct ledger *ledger = holder->ledger;
	struct lease *lease = STAILQ_FIRST(&ledger->free_leases);

	if (!lease || !ledger_lease_room(holder))
		return NULL;
	STAILQ_REMOVE_HEAD(&ledger->free_leases, queue);
	*lease = (struct lease){
		.shared = {.free_cb = lease_unreferenced, .fcb_opaque = lease, .refcnt = 1},
		.ledger = ledger,
		.holder = holder,
		.data = arena->base + sluice_ref_offset(slice->ref),
		.len = slice->len,
		.tag = slice->tag,
		.arena = arena->id,
	};
	LIST_INSERT_HEAD(&holder->sending, lease, of_holder);
	holder->leases++;
	ledger->leases++;
	ledger->lease_bytes += lease->len;
	ledger->arena_leases[lease->arena]++;
	return lease;
}

void ledger_lease_drop(struct lease *lease)
{
	if (rte_mbuf_ext_refcnt_update(&lease->shared, -1) == 0)
		lease_back(lease);
}

bool ledger_release_next(struct holder *holder, uint32_t *tag)
{
	struct lease *lease = STAILQ_FIRST(&holder->released);

	if (!lease)
		return false;
	STAILQ_REMOVE_HEAD(&holder->released, queue);
	holder->leases--;
	*tag = lease->tag;
	lease_free(lease);
	return true;
}

/* Where a device finds `addr`, and how many bytes from there on lie together for it. */
static rte_iova_t device_address(const uint8_t *addr, uint32_t *run)
{
	const struct rte_memseg *seg;
	uint64_t offset;

	if (rte_eal_iova_mode() == RTE_IOVA_VA)
		return (uintptr_t)addr;
	seg = rte_mem_virt2memseg(addr, NULL);
	if (!seg || seg->iova == RTE_BAD_IOVA)
		return (uintptr_t)addr;
	offset = (uint64_t)(addr - (const uint8_t *)seg->addr);
	if (seg->len - offset < *run)
		*run = (uint32_t)(seg->len - offset);
	return seg->iova + offset;
}

static struct rte_mbuf *segment_attach(struct lease *lease, struct rte_mempool *pool, uint8_t *data,
				       uint32_t *run)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	rte_iova_t iova;

	if (!m)
		return NULL;
	iova = device_address(data, run);
	rte_pktmbuf_attach_extbuf(m, data, iova, (uint16_t)*run, &lease->shared);
	m->data_len = (uint16_t)*run;
	m->pkt_len = *run;
	return m;
}

/* `*bytes` from `at` on, as mbufs of at most `most` bytes; there, how many it came to. */
static struct rte_mbuf *run_attach(struct lease *lease, struct rte_mempool *pool, uint8_t *at,
				   uint32_t most, uint32_t *bytes)
{
	struct rte_mbuf *first = NULL, **end = &first;
	uint32_t done = 0, run;

	for (; done < *bytes; done += run) {
		run = *bytes - done < most ? *bytes - done : most;
		*end = segment_attach(lease, pool, at + done, &run);
		if (!*end)
			break;
		rte_mbuf_ext_refcnt_update(&lease->shared, 1);
		end = &(*end)->next;
	}
	*bytes = done;
	return first;
}

struct rte_mbuf *ledger_lease_attach(struct lease *lease, struct rte_mempool *pool, uint32_t bytes,
				     uint32_t segment_bytes)
{
	uint32_t most = segment_bytes < SEGMENT_BYTES_MAX ? segment_bytes : SEGMENT_BYTES_MAX;
	uint32_t left = lease->len - lease->attached, done = left < bytes ? left : bytes;
	struct rte_mbuf *first =
		run_attach(lease, pool, lease->data + lease->attached, most, &done);

	lease->attached += done;
	return first;
}

struct rte_mbuf *ledger_lease_whole(struct lease *lease, struct rte_mempool *pool)
{
	uint32_t done = lease->len;
	struct rte_mbuf *chain = run_attach(lease, pool, lease->data, SEGMENT_BYTES_MAX, &done);

	if (done == lease->len)
		return chain;
	rte_pktmbuf_free(chain);
	return NULL;
}

void ledger_lease_share(struct lease *lease)
{
	rte_mbuf_ext_refcnt_update(&lease->shared, 1);
}
