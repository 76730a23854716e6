/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * noop: passes everything on. The template for a function of your own: README.md tells
 * what each part is for. It counts what it sees, and can say so in a header field; or it only
 * watches.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/nf.h>

/* What the whole instance knows. */
struct noop {
	const char *field; /* NULL: no field is added */
	uint64_t *requests, *connections;
	uint64_t *waited_us;
};

/* What it knows of one exchange; zeroed before the first hook. */
struct noop_exchange {
	uint64_t began_us;
};

/* Hooks that are not wanted cost nothing. */
static int noop_mode(struct sluice_nf *nf, const struct sluice_conf *config, bool field)
{
	const char *mode;

	if (sluice_conf_string(config, "mode", "pass", &mode))
		return -EINVAL;
	if (!strcmp(mode, "pass")) {
		sluice_leave_out(nf, SLUICE_HOOK_SEEN);
		return 0;
	}
	if (strcmp(mode, "watch"))
		return sluice_conf_error_key(config, "mode", "mode is \"pass\" or \"watch\"");
	if (field)
		return sluice_conf_error_key(config, "field", "who watches sets no field");
	sluice_leave_out(nf, SLUICE_HOOK_REQUEST_HEAD | SLUICE_HOOK_RESPONSE_HEAD);
	return 0;
}

static int noop_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	const char *field;
	struct noop *noop;

	if (sluice_conf_string(config, "field", NULL, &field) || noop_mode(nf, config, field))
		return -EINVAL; /* the error is recorded, with file and line */
	noop = calloc(1, sizeof(*noop));
	if (!noop)
		return -ENOMEM;
	noop->field = field;
	noop->requests = sluice_counter(nf, "requests", "requests that passed");
	noop->connections = sluice_counter(nf, "connections", "connections that passed");
	noop->waited_us = sluice_counter(nf, "waited_us", "time from requests to their responses");
	sluice_set_data(nf, noop);
	return 0;
}

static void noop_fini(struct sluice_nf *nf)
{
	free(sluice_data(nf));
}

static enum sluice_verdict noop_request_head(struct sluice_exchange *x)
{
	const struct sluice_nf *nf = sluice_of(x);
	const struct noop *noop = sluice_data(nf);
	struct noop_exchange *seen = sluice_ctx(x);

	seen->began_us = sluice_now_us(nf);
	++*noop->requests;
	if (noop->field)
		sluice_field_set(x, noop->field, sluice_path(x));
	return SLUICE_PASS;
}

static enum sluice_verdict noop_response_head(struct sluice_exchange *x)
{
	const struct sluice_nf *nf = sluice_of(x);
	const struct noop *noop = sluice_data(nf);
	const struct noop_exchange *seen = sluice_ctx(x);

	*noop->waited_us += sluice_now_us(nf) - seen->began_us;
	return SLUICE_LEAVE;
}

/* Everything that it may want to know is there at once, and nobody waits for it. */
static void noop_seen(struct sluice_exchange *x, struct sluice_exchange *response)
{
	const struct noop *noop = sluice_data(sluice_of(x));

	++*noop->requests;
	if (response)
		*noop->waited_us += sluice_ending(x)->reply_us;
}

/* For chains of protocol "tcp". */
static enum sluice_verdict noop_open(struct sluice_exchange *x)
{
	const struct noop *noop = sluice_data(sluice_of(x));

	++*noop->connections;
	return SLUICE_LEAVE;
}

static const struct sluice_nf_hooks noop_hooks = {
	SLUICE_HOOKS,
	.name = "noop",
	.summary = "passes everything on: the template for other functions",
	.ctx_bytes = sizeof(struct noop_exchange),
	.init = noop_init,
	.fini = noop_fini,
	.request_head = noop_request_head,
	.response_head = noop_response_head,
	.open = noop_open,
	.seen = noop_seen,
};

SLUICE_FUNCTION(noop_hooks);
