/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes where only others may write. The MMU must end each of these. */
#include "hostile.h"

static enum sluice_verdict write_to(const volatile void *at)
{
	*(volatile uint8_t *)(uintptr_t)at = 'X';
	return SLUICE_PASS;
}

static enum sluice_verdict write_body(const struct prey *prey)
{
	return write_to(prey->bytes);
}

static enum sluice_verdict write_head(const struct prey *prey)
{
	return write_to(sluice_head(prey->x));
}

/* The text of a head lies where the NIC put it. */
static enum sluice_verdict write_text(const struct prey *prey)
{
	return write_to(sluice_path(prey->x).ptr);
}

static enum sluice_verdict write_upstreams(const struct prey *prey)
{
	return write_to(sluice_upstreams(sluice_of(prey->x)));
}

/* The ring that the manager writes and it only reads. */
static enum sluice_verdict write_ring(const struct prey *prey)
{
	return write_to(host_of(prey)->link[prey->x->worker].ring);
}

/* How far the manager has read the other ring: the index of another. */
static enum sluice_verdict write_index(const struct prey *prey)
{
	return write_to(&host_of(prey)->link[prey->x->worker].down->up_consumed);
}

/* The memory of a function with which it shares its path. */
static enum sluice_verdict write_arena(const struct prey *prey)
{
	const struct host *host = host_of(prey);

	for (unsigned id = 0; id < NF_REGIONS_MAX; id++) {
		const struct host_region *r = &host->region[id];

		if (r->base && r->kind == SLUICE_REGION_ARENA && !r->own)
			return write_to(r->base);
	}
	return SLUICE_RESET; /* it has none to write to: the test fails */
}

const struct attack memory_attacks[] = {
	{"write-head", ON_REQUEST_HEAD, write_head},
	{"write-text", ON_REQUEST_HEAD, write_text},
	{"write-upstreams", ON_REQUEST_HEAD, write_upstreams},
	{"write-request-body", ON_REQUEST_BODY, write_body},
	{"write-response-body", ON_RESPONSE_BODY, write_body},
	{"write-ring", ON_REQUEST_HEAD, write_ring},
	{"write-index", ON_REQUEST_HEAD, write_index},
	{"write-arena", ON_REQUEST_HEAD, write_arena},
	{0},
};
