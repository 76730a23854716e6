/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * auth: asks an upstream group who may pass; and a pulse, by a timer, that asks how it does.
 *
 *    config = { upstream = "auth"; timeout_ms = 1000; pulse_ms = 0; };
 *
 * 200: the exchange passes, with the answer's X-User and with the length of its body in
 * X-Auth-Bytes. Other statuses are the client's answer. No answer: 503.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sluice/nf.h>

#define USER_MAX 64

struct auth {
	uint16_t group;
	uint32_t timeout_ms;
	struct sluice_timer *pulse;
	uint64_t *pulses, *healthy;
};

struct asking {
	uint64_t bytes;
	uint32_t user_len;
	char user[USER_MAX];
};

/* --- the exchange that waits ------------------------------------------------------- */

static void on_head(struct sluice_ask *ask, void *user)
{
	struct asking *asking = sluice_ctx((struct sluice_exchange *)user);
	struct sluice_str value;

	if (sluice_field_named(sluice_ask_answer(ask), "x-user", &value) || value.len > USER_MAX)
		return;
	for (uint32_t i = 0; i < value.len; i++)
		asking->user[i] = value.ptr[i];
	asking->user_len = value.len;
}

static void on_body(struct sluice_ask *ask, const struct sluice_span *spans, unsigned n, void *user)
{
	struct asking *asking = sluice_ctx((struct sluice_exchange *)user);

	(void)ask;
	for (unsigned i = 0; i < n; i++)
		asking->bytes += spans[i].len;
}

static void on_over(struct sluice_ask *ask, int error, void *user)
{
	struct sluice_exchange *x = user;
	struct asking *asking = sluice_ctx(x);
	uint16_t status = error ? 503 : sluice_ask_status(ask);
	char bytes[24];

	if (status != 200) {
		sluice_respond(x, status, SLUICE_LENGTH_NONE);
		sluice_resume(x, SLUICE_RESPOND);
		return;
	}
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)asking->bytes);
	sluice_field_set(x, "x-auth-bytes", sluice_str(bytes));
	sluice_field_set(x, "x-user", (struct sluice_str){asking->user, asking->user_len});
	sluice_resume(x, SLUICE_LEAVE);
}

static const struct sluice_ask_hooks exchange_hooks = {
	.head = on_head, .body = on_body, .over = on_over};

static enum sluice_verdict request_head(struct sluice_exchange *x)
{
	const struct auth *auth = sluice_data(sluice_of(x));
	struct sluice_ask *ask = sluice_ask_new(sluice_of(x), x, auth->group, SLUICE_METHOD_POST,
						sluice_str("/auth"));
	struct sluice_str path = sluice_path(x);

	if (ask && !sluice_ask_field(ask, "x-method", sluice_method(x)) &&
	    !sluice_ask_send(ask, path.ptr, path.len, auth->timeout_ms, &exchange_hooks, x))
		return SLUICE_HOLD;
	sluice_ask_drop(ask);
	sluice_respond(x, 503, SLUICE_LENGTH_NONE);
	return SLUICE_RESPOND;
}

/* --- the pulse --------------------------------------------------------------------- */

static void pulse_over(struct sluice_ask *ask, int error, void *user)
{
	struct auth *auth = user;

	if (!error && sluice_ask_status(ask) == 200)
		++*auth->healthy;
}

static const struct sluice_ask_hooks pulse_hooks = {.over = pulse_over};

static void pulse(struct sluice_nf *nf, void *user)
{
	struct auth *auth = user;
	struct sluice_ask *ask =
		sluice_ask_new(nf, NULL, auth->group, SLUICE_METHOD_GET, sluice_str("/pulse"));

	++*auth->pulses;
	if (ask && sluice_ask_send(ask, NULL, 0, auth->timeout_ms, &pulse_hooks, auth))
		sluice_ask_drop(ask);
}

/* --- life -------------------------------------------------------------------------- */

static int read_config(struct sluice_nf *nf, struct auth *auth, const struct sluice_conf *config,
		       int64_t *pulse_ms)
{
	int64_t timeout_ms;
	const char *name;
	int group;

	if (sluice_conf_string(config, "upstream", "auth", &name) ||
	    sluice_conf_int(config, "timeout_ms", 1000, 1, 60000, &timeout_ms) ||
	    sluice_conf_int(config, "pulse_ms", 0, 0, 60000, pulse_ms))
		return -EINVAL;
	group = sluice_group_find(nf, name);
	if (group < 0)
		return sluice_conf_error_key(config, "upstream", "there is no group \"%s\"", name);
	auth->group = (uint16_t)group;
	auth->timeout_ms = (uint32_t)timeout_ms;
	return 0;
}

static int init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	int64_t pulse_ms;

	if (!auth)
		return -ENOMEM;
	sluice_set_data(nf, auth);
	auth->pulses =
		sluice_counter(nf, "auth_pulses", "times that the group was asked how it does");
	auth->healthy = sluice_counter(nf, "auth_healthy", "times that it was well");
	auth->pulse = sluice_timer_new(nf, pulse, auth);
	if (!auth->pulse || read_config(nf, auth, config, &pulse_ms)) {
		free(auth);
		return -EINVAL;
	}
	if (pulse_ms)
		sluice_timer_repeat(auth->pulse, (uint32_t)pulse_ms);
	return 0;
}

static void fini(struct sluice_nf *nf)
{
	free(sluice_data(nf));
}

static const struct sluice_nf_hooks hooks = {
	SLUICE_HOOKS,
	.name = "auth",
	.summary = "asks an upstream group who may pass",
	.ctx_bytes = sizeof(struct asking),
	.init = init,
	.fini = fini,
	.request_head = request_head,
};

SLUICE_FUNCTION(hooks);
