/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/sdk/host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#if HOST_SANITIZED
/* The leak checker wants to ptrace itself, which a locked in process may not. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

int host_fail(struct host *host, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(host->error, sizeof(host->error), format, args);
	va_end(args);
	return rc;
}

static int put(void *ctx, unsigned worker, const struct sluice_up *up, const void *text, bool must)
{
	struct host *host = ctx;

	return outring_put(&host->link[worker].out, up, text, must);
}

static void keep_log(void *ctx, enum sluice_log_level level, const char *text)
{
	say_log(ctx, level, text);
}

static int connection(void *ctx, const char *name)
{
	return allow_connection(ctx, name);
}

static int writing(void *ctx, const char *name)
{
	return allow_writing(ctx, name);
}

/* A manager that is gone is seen by the loop. */
static void map_more(void *ctx)
{
	if (handshake_more(ctx))
		return;
}

static const struct nf_env env = {
	.put = put,
	.log = keep_log,
	.connection = connection,
	.writing = writing,
	.map_more = map_more,
};

/* Counters are in the first worker's pages; a trial run has none. */
static uint64_t *counters_of(const struct host *host)
{
	return host->links ? ringend_counters(&host->link[0]) : NULL;
}

static int instance_make(struct host *host)
{
	const struct host_region *arena = &host->region[host->arena];
	int rc = nf_create(&host->object.hooks, host->welcome.function, &env, host,
			   counters_of(host), &host->nf);

	for (unsigned id = 1; id < NF_REGIONS_MAX && !rc; id++) {
		const struct host_region *r = &host->region[id];

		if (r->base)
			nf_region_set(host->nf, (uint16_t)id, r->kind, r->base, r->bytes);
	}
	for (unsigned i = 0; i < host->links && !rc; i++)
		host->nf->worker[i].messages = host->link[i].messages;
	if (!rc && host->arena)
		rc = nf_arena_set(host->nf, host->arena, arena->base, arena->bytes);
	return rc ? host_fail(host, rc, "the instance cannot be made: %s", strerror(-rc)) : 0;
}

/* Errors of the config go out with their places, each by itself. */
static int instance_start(struct host *host)
{
	bool placed;
	int rc;

	loop_time(host);
	rc = nf_start(host->nf, host->config, host->welcome.config_bytes);
	free(host->config);
	host->config = NULL;
	if (!rc)
		return 0;
	placed = host->nf->start_error[0] == '\0';
	for (unsigned i = 0; nf_error(host->nf, i); i++)
		say_error(nf_error(host->nf, i), placed);
	host->error[0] = '\0'; /* all is said */
	return rc;
}

static int host_prepare(struct host *host)
{
	int plugin, rc = handshake_run(host);

	if (rc)
		return rc;
	setlinebuf(stdout);
	plugin = plugin_open(host);
	if (plugin < 0)
		return plugin;
	rc = lockin_begin(host);
	if (!rc)
		rc = plugin_load(host, plugin);
	if (!rc)
		rc = instance_make(host);
	if (!rc)
		rc = instance_start(host);
	if (!rc)
		rc = lockin_finish(host);
	return rc;
}

static int host_run(struct host *host)
{
	uint32_t bodies = SLUICE_HOOK_REQUEST_BODY | SLUICE_HOOK_RESPONSE_BODY;
	int rc;

	if (!(nf_hook_mask(host->nf) & bodies))
		handshake_forget_peers(host);
	rc = say_ready(host);
	if (rc)
		return rc;
	if (!(host->welcome.flags & SLUICE_HOST_CHECK))
		loop_run(host);
	nf_free(host->nf);
	return 0;
}

static int usage(void)
{
	fputs("sluice-nf runs one function for sluiced, which starts it; not to be run by hand\n",
	      stderr);
	return 2;
}

static bool started_by_manager(void)
{
	int type;
	socklen_t size = sizeof(type);

	return getsockopt(SLUICE_HOST_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_SEQPACKET;
}

/* What stands on the command line (the function's name, --check) is for people who look at ps. */
int main(void)
{
	struct host *host = calloc(1, sizeof(*host));

	if (!host || !started_by_manager())
		return usage();
	if (host_prepare(host)) {
		if (host->error[0])
			say_error(host->error, false);
		return 1;
	}
	return host_run(host) ? 1 : 0;
}
