/* SPDX-License-Identifier: BSD-3-Clause */
/* A trial run of a function: its plugin, locked in, reads its config, and that is all. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/supervise/process.h"
#include "chain/supervise/supervise.h"
#include "mgmt/conf/conf.h"

#define CHECK_MS     10000
#define CHECK_UID    65519u /* the last of the transient ones */
#define ARENA_REGION 1023

/* The names of the groups, where the function looks for them. */
static int upstreams_make(struct region_table *table, const char *const *groups, unsigned count,
			  struct region **out)
{
	int rc = region_create_sealed(table, REGION_UPSTREAMS, "upstreams",
				      sizeof(struct sluice_upstreams), out);
	struct sluice_upstreams *u;

	if (rc)
		return rc;
	u = (struct sluice_upstreams *)(*out)->base;
	for (unsigned i = 0; i < count && i < SLUICE_GROUPS_MAX; i++)
		snprintf(u->group[u->groups++].name, SLUICE_NAME_MAX, "%s", groups[i]);
	return 0;
}

static int hand_over(const struct process *p, const struct conf_function *function,
		     const struct process_user *user, const struct region *upstreams)
{
	struct process_terms terms = {.flags = SLUICE_HOST_CHECK, .user = *user};
	int rc = process_welcome(p, function, &terms);

	if (!rc)
		rc = process_allow(p, function, true);
	if (!rc)
		rc = process_region(p, upstreams, false, true);
	if (!rc && function->arena_mb)
		rc = process_region_private(p, ARENA_REGION, (uint64_t)function->arena_mb << 20);
	return rc ? rc : process_go(p);
}

/* What came of it. */
struct outcome {
	bool ready;
	bool gone; /* else it hangs */
	uint32_t hooks;
};

/* Reads what it says until it is gone or time is up. */
static struct outcome listen_to(const struct process *p, const struct conf_function *function,
				struct conf_errors *errors)
{
	struct pollfd fd = {.fd = p->socket, .events = POLLIN};
	struct outcome outcome = {0};
	struct process_message m;
	int rc = 0;

	while (rc != -EPIPE && (rc != -EAGAIN || poll(&fd, 1, CHECK_MS) > 0)) {
		rc = process_receive(p, &m);
		if (rc)
			continue;
		if (m.kind == SLUICE_HOST_READY) {
			outcome.ready = true;
			outcome.hooks = m.ready.hooks;
		} else if (m.kind == SLUICE_HOST_ERROR)
			supervise_error(errors, function, m.placed, m.text);
	}
	outcome.gone = rc == -EPIPE;
	return outcome;
}

static void judge(const struct conf_function *function, const struct outcome *outcome,
		  const char *how, struct conf_errors *errors)
{
	char text[256];

	if (!outcome->gone)
		snprintf(text, sizeof(text), "plugin %s did not end within %d ms", function->plugin,
			 CHECK_MS);
	else
		snprintf(text, sizeof(text), "plugin %s ended before it was ready: %s",
			 function->plugin, how);
	if (!outcome->gone || !outcome->ready)
		supervise_error(errors, function, false, text);
}

static int run(const char *host_path, const struct conf_function *function,
	       const struct process_user *user, const struct region *upstreams, uint32_t *hooks,
	       struct conf_errors *errors)
{
	unsigned before = errors->count;
	struct outcome outcome;
	struct process p;
	char how[128];
	int rc = process_start(host_path, function->name, "--check", &p);

	if (rc)
		return rc;
	/* If it ends before all is handed over, its own words tell why. */
	rc = hand_over(&p, function, user, upstreams);
	outcome = listen_to(&p, function, errors);
	process_signal(&p, SIGKILL);
	process_ended(&p, true, how, sizeof(how));
	process_forget(&p);
	*hooks = outcome.hooks;
	if (errors->count == before)
		judge(function, &outcome, how, errors);
	return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc;
}

int supervise_check(const char *host_path, const char *default_user,
		    const struct conf_function *function, const char *const *groups,
		    unsigned groups_count, uint32_t *hooks, struct conf_errors *errors)
{
	struct region_table *table = calloc(1, sizeof(*table));
	struct region *upstreams = NULL;
	struct process_user user;
	unsigned before = errors->count;
	char error[256] = "";
	int rc = table ? 0 : -ENOMEM;

	if (!rc)
		rc = process_user_of(function, default_user, CHECK_UID, &user, error,
				     sizeof(error));
	if (!rc)
		rc = upstreams_make(table, groups, groups_count, &upstreams);
	if (!rc)
		rc = run(host_path, function, &user, upstreams, hooks, errors);
	if (rc && errors->count == before) {
		if (!error[0])
			snprintf(error, sizeof(error), "%s cannot be started: %s", host_path,
				 strerror(-rc));
		supervise_error(errors, function, false, error);
	}
	if (upstreams)
		region_remove(table, upstreams);
	free(table);
	return errors->count == before ? 0 : -EINVAL;
}
