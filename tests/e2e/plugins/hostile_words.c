/* SPDX-License-Identifier: BSD-3-Clause */
/* Forged descriptors, in a ring that is used as it should be. */
#include "hostile.h"

#define NOISE_COUNT  500
#define SLICES_COUNT 10000

static struct sluice_up word(const struct sluice_exchange *x, enum sluice_up_kind kind)
{
	return (struct sluice_up){.exchange = x->slot,
				  .generation = x->generation,
				  .kind = (uint8_t)kind,
				  .group = SLUICE_NONE16,
				  .server = SLUICE_NONE16};
}

static void say(const struct prey *prey, const struct sluice_up *up)
{
	const struct sluice_nf *nf = sluice_of(prey->x);

	nf->env->put(nf->env_ctx, prey->x->worker, up, NULL, true);
}

static enum sluice_verdict noise(const struct prey *prey)
{
	uint64_t seed = 88172645463325252u;

	for (unsigned n = 0; n < NOISE_COUNT; n++) {
		struct sluice_up up;
		uint8_t *bytes = (uint8_t *)&up;

		for (unsigned i = 0; i < sizeof(up); i++) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			bytes[i] = (uint8_t)seed;
		}
		up.text_len = 0; /* the ring's keeper would copy that much */
		say(prey, &up);
	}
	return SLUICE_PASS;
}

/* --- whose exchange it is ------------------------------------------------------------ */

static struct sluice_up remembered; /* an exchange that it has left */

static enum sluice_verdict remember(const struct prey *prey)
{
	remembered = word(prey->x, SLUICE_UP_VERDICT);
	return SLUICE_LEAVE;
}

static enum sluice_verdict end_another(const struct prey *prey)
{
	struct sluice_up up = remembered;

	up.verdict = SLUICE_RESET;
	say(prey, &up);
	return SLUICE_PASS;
}

static enum sluice_verdict release_another(const struct prey *prey)
{
	struct sluice_up up = remembered;

	up.kind = SLUICE_UP_PIECE;
	say(prey, &up);
	return SLUICE_PASS;
}

static enum sluice_verdict answer_the_future(const struct prey *prey)
{
	struct sluice_up up = word(prey->x, SLUICE_UP_VERDICT);

	up.generation += 1000;
	say(prey, &up);
	return SLUICE_PASS;
}

static enum sluice_verdict answer_twice(const struct prey *prey)
{
	struct sluice_up up = word(prey->x, SLUICE_UP_VERDICT);

	say(prey, &up);
	return SLUICE_PASS;
}

static enum sluice_verdict release_twice(const struct prey *prey)
{
	struct sluice_up up = word(prey->x, SLUICE_UP_PIECE);

	up.piece = prey->piece;
	say(prey, &up);
	return SLUICE_PASS;
}

/* --- slices ------------------------------------------------------------------------ */

/* An answer whose body is that slice. */
static enum sluice_verdict respond_with(const struct prey *prey, uint64_t ref, uint32_t len)
{
	struct sluice_up up = word(prey->x, SLUICE_UP_VERDICT);

	up.verdict = SLUICE_RESPOND;
	up.status = 200;
	up.flags = SLUICE_UP_END;
	up.slices = 1;
	up.respond.body_bytes = len;
	up.respond.slice = (struct sluice_slice){ref, len, 1};
	say(prey, &up);
	return SLUICE_HOLD;
}

static uint64_t mine(const struct prey *prey, uint64_t offset)
{
	return sluice_ref(host_of(prey)->arena, offset);
}

/* The request's own head, which it was shown and does not own. */
static enum sluice_verdict respond_received(const struct prey *prey)
{
	return respond_with(prey, sluice_head(prey->x)->base[1], 16);
}

static enum sluice_verdict respond_another(const struct prey *prey)
{
	const struct host *host = host_of(prey);
	uint16_t id = 1;

	while (id < NF_REGIONS_MAX - 1 &&
	       (host->region[id].kind != SLUICE_REGION_ARENA || host->region[id].own))
		id++;
	return respond_with(prey, sluice_ref(id, 0), 16);
}

static enum sluice_verdict respond_nowhere(const struct prey *prey)
{
	return respond_with(prey, sluice_ref(UINT16_MAX - 1, 0), 16);
}

static enum sluice_verdict overflow_offset(const struct prey *prey)
{
	return respond_with(prey, mine(prey, (UINT64_C(1) << SLUICE_REF_BITS) - 16), 32);
}

static enum sluice_verdict overflow_length(const struct prey *prey)
{
	return respond_with(prey, mine(prey, 16), UINT32_MAX);
}

static enum sluice_verdict count_wrong(const struct prey *prey)
{
	struct sluice_up up = word(prey->x, SLUICE_UP_PIECE);

	up.kind = SLUICE_UP_VERDICT;
	up.verdict = SLUICE_RESPOND;
	up.status = 200;
	up.slices = UINT8_MAX;
	up.respond.body_bytes = SLUICE_LENGTH_UNKNOWN;
	say(prey, &up);
	return SLUICE_HOLD;
}

static enum sluice_verdict slices_without_end(const struct prey *prey)
{
	struct sluice_up up = word(prey->x, SLUICE_UP_VERDICT);

	up.verdict = SLUICE_RESPOND;
	up.status = 200;
	up.respond.body_bytes = SLUICE_LENGTH_UNKNOWN;
	say(prey, &up);
	up = word(prey->x, SLUICE_UP_EMIT);
	up.slices = SLUICE_UP_SLICES;
	for (unsigned i = 0; i < SLICES_COUNT / SLUICE_UP_SLICES; i++) {
		for (unsigned s = 0; s < SLUICE_UP_SLICES; s++)
			up.slice[s] = (struct sluice_slice){mine(prey, 0), 1 << 16, 1 + i};
		say(prey, &up);
	}
	return SLUICE_HOLD;
}

const struct attack word_attacks[] = {
	{"noise", ON_REQUEST_HEAD, noise},
	{"remember", ON_REQUEST_HEAD, remember},
	{"end-another", ON_REQUEST_HEAD, end_another},
	{"release-another", ON_REQUEST_HEAD, release_another},
	{"answer-the-future", ON_REQUEST_HEAD, answer_the_future},
	{"answer-twice", ON_REQUEST_HEAD, answer_twice},
	{"release-twice", ON_REQUEST_BODY, release_twice},
	{"respond-received", ON_REQUEST_HEAD, respond_received},
	{"respond-another", ON_REQUEST_HEAD, respond_another},
	{"respond-nowhere", ON_REQUEST_HEAD, respond_nowhere},
	{"overflow-offset", ON_REQUEST_HEAD, overflow_offset},
	{"overflow-length", ON_REQUEST_HEAD, overflow_length},
	{"count-wrong", ON_REQUEST_HEAD, count_wrong},
	{"10000-slices", ON_REQUEST_HEAD, slices_without_end},
	{0},
};
