/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hostile: a function that attacks the platform. The field X-Attack of a request names what it
 * tries; without one it passes everything on. Each attack is one row of the table.
 */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sluice/nf.h>

#include "nf/sdk/host.h" /* where to strike: a plugin could find it in memory */

/* What an attack works on: the bytes that it was shown. */
struct prey {
	struct sluice_exchange *x;
	const uint8_t *bytes;
};

static void overwrite(const struct prey *prey)
{
	*(volatile uint8_t *)(uintptr_t)prey->bytes = 'X';
}

static void overwrite_head(const struct prey *prey)
{
	*(volatile uint8_t *)(uintptr_t)sluice_path(prey->x).ptr = 'X';
}

static void overwrite_upstreams(const struct prey *prey)
{
	*(volatile uint8_t *)(uintptr_t)sluice_upstreams(sluice_of(prey->x)) = 'X';
}

/* What it says next stands far beyond what its ring can hold. */
static void spoil_ring(const struct prey *prey)
{
	struct host *host = sluice_of(prey->x)->env_ctx;

	for (unsigned i = 0; i < host->links; i++)
		host->link[i].out.produced += 2 * host->link[i].out.entries;
}

enum moment { ON_REQUEST_HEAD, ON_REQUEST_BODY, ON_RESPONSE_BODY };

static const struct attack {
	const char *name;
	enum moment moment;
	void (*run)(const struct prey *prey);
} attacks[] = {
	{"write-head", ON_REQUEST_HEAD, overwrite_head},
	{"write-upstreams", ON_REQUEST_HEAD, overwrite_upstreams},
	{"spoil-ring", ON_REQUEST_HEAD, spoil_ring},
	{"write-request-body", ON_REQUEST_BODY, overwrite},
	{"write-response-body", ON_RESPONSE_BODY, overwrite},
};

/* The context of an exchange: the attack that it asked for. */
struct hostile_exchange {
	const struct attack *attack;
};

static const struct attack *attack_find(struct sluice_str name)
{
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
		if (name.len == strlen(attacks[i].name) &&
		    !memcmp(name.ptr, attacks[i].name, name.len))
			return &attacks[i];
	return NULL;
}

static void strike(struct sluice_exchange *x, enum moment moment, const uint8_t *bytes)
{
	const struct hostile_exchange *seen = sluice_ctx(x);
	struct prey prey = {.x = x, .bytes = bytes};

	if (seen->attack && seen->attack->moment == moment)
		seen->attack->run(&prey);
}

/* It is to die of the fault itself, also in a build whose sanitizer would report it and exit. */
static int hostile_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	(void)nf;
	(void)config;
	signal(SIGSEGV, SIG_DFL);
	return 0;
}

static enum sluice_verdict hostile_request_head(struct sluice_exchange *x)
{
	struct hostile_exchange *seen = sluice_ctx(x);
	struct sluice_str name;

	if (!sluice_field_named(x, "x-attack", &name))
		seen->attack = attack_find(name);
	strike(x, ON_REQUEST_HEAD, NULL);
	return SLUICE_PASS;
}

static enum sluice_verdict hostile_request_body(struct sluice_exchange *x,
						const struct sluice_span *spans, unsigned n,
						bool end)
{
	(void)end;
	if (n)
		strike(x, ON_REQUEST_BODY, spans[0].ptr);
	return SLUICE_PASS;
}

static enum sluice_verdict hostile_response_body(struct sluice_exchange *x,
						 const struct sluice_span *spans, unsigned n,
						 bool end)
{
	(void)end;
	if (n)
		strike(x, ON_RESPONSE_BODY, spans[0].ptr);
	return SLUICE_PASS;
}

static const struct sluice_nf_hooks hostile_hooks = {
	SLUICE_HOOKS,
	.name = "hostile",
	.summary = "attacks the platform, for the tests",
	.ctx_bytes = sizeof(struct hostile_exchange),
	.init = hostile_init,
	.request_head = hostile_request_head,
	.request_body = hostile_request_body,
	.response_body = hostile_response_body,
};

SLUICE_FUNCTION(hostile_hooks);
