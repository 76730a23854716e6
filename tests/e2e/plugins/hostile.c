/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hostile: a function that attacks the platform. The field X-Attack of a request names what it
 * tries; without one it passes everything on.
 */
#include <signal.h>
#include <string.h>

#include "hostile.h"

static const struct attack *const tables[] = {memory_attacks, word_attacks, ring_attacks,
					      system_attacks, fault_attacks};

/* The context of an exchange: the attack that it asked for. */
struct hostile_exchange {
	const struct attack *attack;
	uint32_t pieces;
};

static const struct attack *attack_find(struct sluice_str name)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct attack *a = tables[t]; a->name; a++)
			if (name.len == strlen(a->name) && !memcmp(name.ptr, a->name, name.len))
				return a;
	return NULL;
}

static enum sluice_verdict strike(struct sluice_exchange *x, enum moment moment,
				  const struct sluice_span *spans, unsigned n)
{
	struct hostile_exchange *seen = sluice_ctx(x);
	struct prey prey = {.x = x, .piece = seen->pieces};

	if (moment != ON_REQUEST_HEAD)
		seen->pieces++;
	if (!seen->attack || seen->attack->moment != moment)
		return SLUICE_PASS;
	if (n)
		prey.bytes = spans[0].ptr;
	else if (moment != ON_REQUEST_HEAD)
		return SLUICE_PASS;
	return seen->attack->run(&prey);
}

/* It is to die of the fault itself, also in a build whose sanitizer would report it and exit. */
static int hostile_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	(void)nf;
	(void)config;
	signal(SIGSEGV, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
	return 0;
}

static enum sluice_verdict hostile_request_head(struct sluice_exchange *x)
{
	struct hostile_exchange *seen = sluice_ctx(x);
	struct sluice_str name;

	if (!sluice_field_named(x, "x-attack", &name))
		seen->attack = attack_find(name);
	return strike(x, ON_REQUEST_HEAD, NULL, 0);
}

static enum sluice_verdict hostile_request_body(struct sluice_exchange *x,
						const struct sluice_span *spans, unsigned n,
						bool end)
{
	(void)end;
	return strike(x, ON_REQUEST_BODY, spans, n);
}

/* So that it has the response, too, when it dies. */
static enum sluice_verdict hostile_response_head(struct sluice_exchange *x)
{
	(void)x;
	return SLUICE_PASS;
}

static enum sluice_verdict hostile_response_body(struct sluice_exchange *x,
						 const struct sluice_span *spans, unsigned n,
						 bool end)
{
	(void)end;
	return strike(x, ON_RESPONSE_BODY, spans, n);
}

static const struct sluice_nf_hooks hostile_hooks = {
	SLUICE_HOOKS,
	.name = "hostile",
	.summary = "attacks the platform, for the tests",
	.ctx_bytes = sizeof(struct hostile_exchange),
	.init = hostile_init,
	.request_head = hostile_request_head,
	.request_body = hostile_request_body,
	.response_head = hostile_response_head,
	.response_body = hostile_response_body,
};

SLUICE_FUNCTION(hostile_hooks);
