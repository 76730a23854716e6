/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The attacks of the function "hostile", by what they strike at: memory, the rings (by words
 * in them, and by how they are used), the system. It reaches into sluice-nf as a plugin could that
 * looked for it in its own memory.
 */
#ifndef TESTS_E2E_PLUGINS_HOSTILE_H
#define TESTS_E2E_PLUGINS_HOSTILE_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/sdk/host.h"

/* What an attack works on. */
struct prey {
	struct sluice_exchange *x;
	const uint8_t *bytes; /* of the body it was shown */
	uint32_t piece;       /* the number of that piece */
};

enum moment { ON_REQUEST_HEAD, ON_REQUEST_BODY, ON_RESPONSE_BODY };

struct attack {
	const char *name;
	enum moment moment;
	enum sluice_verdict (*run)(const struct prey *prey); /* what its hook answers afterwards */
};

/* Each ended by a row without name. */
extern const struct attack memory_attacks[], word_attacks[], ring_attacks[], system_attacks[],
	fault_attacks[];

static inline struct host *host_of(const struct prey *prey)
{
	return sluice_of(prey->x)->env_ctx;
}

#endif
