/* SPDX-License-Identifier: BSD-3-Clause */
/* A function whose hooks do what the test says, and the fixture around it. */
#ifndef TESTS_NF_SDK_FIXTURE_H
#define TESTS_NF_SDK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "nf/sdk/harness.h"

/* What the hooks of a test do, set by the test. */
static struct {
	enum sluice_verdict (*request)(struct sluice_exchange *x);
	enum sluice_verdict (*response)(struct sluice_exchange *x);
	enum sluice_verdict (*request_body)(struct sluice_exchange *x,
					    const struct sluice_span *spans, unsigned n, bool end);
	enum sluice_verdict (*body)(struct sluice_exchange *x, const struct sluice_span *spans,
				    unsigned n, bool end);
	void (*writable)(struct sluice_exchange *held);
	struct sluice_exchange *held;
	struct sluice_buf *buf;
	unsigned done, resets, writables;
	uint32_t sent;
} t;

static enum sluice_verdict on_request(struct sluice_exchange *x)
{
	return t.request ? t.request(x) : SLUICE_PASS;
}

static enum sluice_verdict on_response(struct sluice_exchange *x)
{
	return t.response ? t.response(x) : SLUICE_PASS;
}

static enum sluice_verdict on_request_body(struct sluice_exchange *x,
					   const struct sluice_span *spans, unsigned n, bool end)
{
	return t.request_body ? t.request_body(x, spans, n, end) : SLUICE_PASS;
}

static enum sluice_verdict on_body(struct sluice_exchange *x, const struct sluice_span *spans,
				   unsigned n, bool end)
{
	return t.body ? t.body(x, spans, n, end) : SLUICE_PASS;
}

static void on_done(struct sluice_exchange *x, bool reset)
{
	(void)x;
	t.done++;
	t.resets += reset;
}

static void on_writable(struct sluice_nf *nf)
{
	(void)nf;
	t.writables++;
	if (t.writable)
		t.writable(t.held);
}

static const struct sluice_nf_hooks hooks = {
	SLUICE_HOOKS,
	.name = "probe",
	.ctx_bytes = 24,
	.request_head = on_request,
	.response_head = on_response,
	.request_body = on_request_body,
	.response_body = on_body,
	.done = on_done,
	.writable = on_writable,
};

static int setup(void **state)
{
	struct harness *h = harness_create(&hooks);

	memset(&t, 0, sizeof(t));
	*state = h;
	return harness_start(h, NULL);
}

static int teardown(void **state)
{
	harness_destroy(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
