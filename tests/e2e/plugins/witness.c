/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * witness: answers say which process and which build of the plugin saw them, in X-Process and
 * X-Build. `work_us` of its time go into each request. The build with WITNESS_ENDS aborts soon
 * after it began, whatever it is given to do.
 *
 * In a tcp chain its build's name and a line's end go ahead to the server; with `watch` it sees all
 * that follows as well, and holds none of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sluice/nf.h>

struct witness {
	int64_t work_us;
	unsigned ticks;
	bool watch;
	uint64_t *client_bytes, *server_bytes;
};

static int witness_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct witness *witness = calloc(1, sizeof(*witness));

	if (!witness)
		return -ENOMEM;
	sluice_set_data(nf, witness);
	witness->client_bytes = sluice_counter(nf, "client_bytes", "bytes that clients sent");
	witness->server_bytes = sluice_counter(nf, "server_bytes", "bytes that servers sent");
	return sluice_conf_int(config, "work_us", 0, 0, 1000000, &witness->work_us) ||
	       sluice_conf_bool(config, "watch", false, &witness->watch);
}

static void witness_fini(struct sluice_nf *nf)
{
	free(sluice_data(nf));
}

static int64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static enum sluice_verdict witness_request_head(struct sluice_exchange *x)
{
	const struct witness *witness = sluice_data(sluice_of(x));
	int64_t until = witness->work_us ? clock_us() + witness->work_us : 0;

	while (until && clock_us() < until)
		continue;
	return SLUICE_PASS;
}

static enum sluice_verdict witness_response_head(struct sluice_exchange *x)
{
	char process[16];

	snprintf(process, sizeof(process), "%d", (int)getpid());
	sluice_field_set(x, "x-process", sluice_str(process));
	sluice_field_set(x, "x-build", sluice_str(WITNESS_BUILD));
	return SLUICE_PASS; /* it stays to the end */
}

static enum sluice_verdict witness_open(struct sluice_exchange *x)
{
	static const char build[] = WITNESS_BUILD "\n";
	const struct witness *witness = sluice_data(sluice_of(x));
	struct sluice_buf *buf = sluice_buf_alloc(sluice_of(x), sizeof(build));

	if (!buf)
		return SLUICE_RESET;
	memcpy(buf->data, build, sizeof(build) - 1);
	sluice_open_send(x, buf, 0, sizeof(build) - 1);
	sluice_buf_unref(buf);
	return witness->watch ? SLUICE_PASS : SLUICE_LEAVE;
}

static uint64_t bytes_of(const struct sluice_span *spans, unsigned n)
{
	uint64_t bytes = 0;

	while (n--)
		bytes += spans[n].len;
	return bytes;
}

static enum sluice_verdict witness_client_data(struct sluice_exchange *x,
					       const struct sluice_span *spans, unsigned n,
					       bool end)
{
	const struct witness *witness = sluice_data(sluice_of(x));

	(void)end;
	*witness->client_bytes += bytes_of(spans, n);
	return SLUICE_PASS;
}

static enum sluice_verdict witness_server_data(struct sluice_exchange *x,
					       const struct sluice_span *spans, unsigned n,
					       bool end)
{
	const struct witness *witness = sluice_data(sluice_of(x));

	(void)end;
	*witness->server_bytes += bytes_of(spans, n);
	return SLUICE_PASS;
}

#ifdef WITNESS_ENDS
static void witness_tick(struct sluice_nf *nf)
{
	struct witness *witness = sluice_data(nf);

	if (++witness->ticks > 2)
		abort();
}
#endif

static const struct sluice_nf_hooks witness_hooks = {
	SLUICE_HOOKS,
	.name = "witness",
	.summary = "says who saw an exchange, for the tests",
	.init = witness_init,
	.fini = witness_fini,
	.request_head = witness_request_head,
	.response_head = witness_response_head,
	.open = witness_open,
	.client_data = witness_client_data,
	.server_data = witness_server_data,
#ifdef WITNESS_ENDS
	.tick_ms = 100,
	.tick = witness_tick,
#endif
};

SLUICE_FUNCTION(witness_hooks);
