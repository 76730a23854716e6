/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/app/door.h"
#include "chain/supervise/supervise.h"
#include "chain/upstream/upstream.h"
#include "dataplane/clock.h"
#include "dataplane/daemon.h"
#include "dataplane/fit.h"
#include "dataplane/log.h"
#include "l4stack/stack.h"

#define READY_TIMEOUT_MS UINT64_C(10000)

/* What a new configuration needs: a number for each of its functions. */
struct plan {
	struct release *release;
	const struct conf *conf;
	uint16_t *id; /* by index in conf->functions */
	bool *fresh;  /* started for this plan */
};

/* --- what cannot change while running ---------------------------------------------------- */

static bool same_workers(const struct conf_daemon *a, const struct conf_daemon *b)
{
	return a->workers_count == b->workers_count &&
	       !memcmp(a->workers, b->workers, a->workers_count * sizeof(a->workers[0]));
}

static bool same_user(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_addresses(const struct conf_port *a, const struct conf_port *b)
{
	if (a->addresses_count != b->addresses_count)
		return false;
	for (unsigned i = 0; i < a->addresses_count; i++)
		if (!addr_equal(&a->addresses[i].addr, &b->addresses[i].addr) ||
		    a->addresses[i].prefix != b->addresses[i].prefix)
			return false;
	return true;
}

static bool same_port(const struct conf_port *a, const struct conf_port *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->device, b->device) && a->mtu == b->mtu &&
	       a->vlan == b->vlan && a->probe == b->probe && a->offload == b->offload &&
	       a->descriptors == b->descriptors && same_addresses(a, b);
}

static void check_ports(const struct conf *old, const struct conf *new, struct conf_errors *errors)
{
	if (old->ports_count != new->ports_count)
		conf_error(errors, &new->daemon.place,
			   "ports were added or removed: that needs a restart of the daemon");
	for (unsigned i = 0; i < old->ports_count && i < new->ports_count; i++)
		if (!same_port(&old->ports[i], &new->ports[i]))
			conf_error(errors, &new->ports[i].place,
				   "port \"%s\" changed: that needs a restart of the daemon",
				   new->ports[i].name);
}

static void check_daemon(const struct conf *old, const struct conf *new, struct conf_errors *errors)
{
	if (!same_workers(&old->daemon, &new->daemon) || old->daemon.poll != new->daemon.poll ||
	    old->daemon.memory_mb != new->daemon.memory_mb ||
	    old->daemon.hugepages != new->daemon.hugepages ||
	    old->daemon.max_connections != new->daemon.max_connections ||
	    strcmp(old->daemon.run_dir, new->daemon.run_dir) ||
	    !same_user(old->daemon.user, new->daemon.user))
		conf_error(errors, &new->daemon.place,
			   "workers, poll, memory_mb, hugepages, max_connections, run_dir and user "
			   "need a restart of the daemon to change");
}

static int check_fixed(const struct daemon *d, const struct conf *conf, struct conf_errors *errors)
{
	if (!d->release)
		return 0;
	check_daemon(daemon_conf(d), conf, errors);
	check_ports(daemon_conf(d), conf, errors);
	return errors->count ? -EINVAL : 0;
}

/* --- functions --------------------------------------------------------------------------- */

static int start_function(struct daemon *d, struct plan *plan, unsigned i,
			  struct conf_errors *errors)
{
	const struct conf_function *f = &plan->conf->functions[i];
	int id = functions_find_same(d, f);
	int rc;

	if (id < 0) {
		plan->fresh[i] = true;
		id = functions_add(d, plan->release, f);
	}
	if (id < 0) {
		plan->fresh[i] = false;
		conf_error(errors, &f->place, "function \"%s\": %s", f->name, strerror(-id));
		return id;
	}
	plan->id[i] = (uint16_t)id;
	if (!plan->fresh[i])
		return 0;
	if (f->placement == CONF_INLINE)
		return inline_start(d, (uint16_t)id, f, errors);
	rc = supervisor_start(d->supervisor, (uint16_t)id, f, clock_monotonic_us());
	if (rc)
		conf_error(errors, &f->place, "function \"%s\" cannot be started: %s", f->name,
			   strerror(-rc));
	return rc;
}

static int wait_functions(struct daemon *d, const struct plan *plan, struct conf_errors *errors)
{
	uint64_t until_us = clock_monotonic_us() + READY_TIMEOUT_MS * 1000;
	int rc = 0, one;

	for (unsigned i = 0; i < plan->conf->functions_count; i++) {
		if (!plan->fresh[i] || plan->conf->functions[i].placement == CONF_INLINE)
			continue;
		one = supervisor_wait_ready(d->supervisor, plan->id[i], until_us, errors);
		if (one == -ETIMEDOUT)
			conf_error(errors, &plan->conf->functions[i].place,
				   "function \"%s\" was not ready after %d s",
				   plan->conf->functions[i].name, (int)(READY_TIMEOUT_MS / 1000));
		if (one)
			rc = one;
	}
	return rc;
}

static void note_hooks(void *ctx, const struct instance_info *instance)
{
	uint32_t *hooks = ctx;

	hooks[instance->function] |= instance->hooks;
}

/* What a function has hooks for is known once it is up. */
static int fit_functions(struct daemon *d, const struct plan *plan, struct conf_errors *errors)
{
	uint32_t by_id[ENGINE_FUNCTIONS_MAX] = {0};
	uint32_t *hooks = calloc(plan->conf->functions_count + 1, sizeof(*hooks));
	int rc;

	if (!hooks)
		return -ENOMEM;
	supervisor_each(d->supervisor, note_hooks, by_id);
	inline_each(d, note_hooks, by_id);
	for (unsigned i = 0; i < plan->conf->functions_count; i++)
		hooks[i] = by_id[plan->id[i]];
	rc = fit_check(plan->conf, hooks, errors);
	free(hooks);
	return rc;
}

/* All begin to start together; then all are waited for, once as long. */
static int start_functions(struct daemon *d, struct plan *plan, struct conf_errors *errors)
{
	int rc;

	for (unsigned i = 0; i < plan->conf->functions_count; i++) {
		rc = start_function(d, plan, i, errors);
		if (rc)
			return rc;
	}
	rc = wait_functions(d, plan, errors);
	return rc ? rc : fit_functions(d, plan, errors);
}

static void stop_fresh(struct daemon *d, const struct plan *plan)
{
	for (unsigned i = 0; i < plan->conf->functions_count; i++)
		if (plan->fresh[i])
			functions_remove(d, plan->id[i]);
}

/* Those that go on. */
static void set_numbers(struct daemon *d, const struct plan *plan)
{
	for (unsigned i = 0; i < plan->conf->functions_count; i++)
		if (!plan->fresh[i])
			change_numbers(d, plan->id[i], &plan->conf->functions[i]);
}

static bool planned(const struct plan *plan, unsigned id)
{
	for (unsigned i = 0; i < plan->conf->functions_count; i++)
		if (plan->id[i] == id)
			return true;
	return false;
}

static void retire_others(struct daemon *d, const struct plan *plan)
{
	for (unsigned id = 0; id < ENGINE_FUNCTIONS_MAX; id++) {
		struct function *f = &d->functions[id];

		if (f->release && !f->retired && !planned(plan, id))
			f->retired = plan->release->version;
	}
}

/* --- chains ------------------------------------------------------------------------------ */

struct chains_call {
	uint32_t version;
	struct engine_chain *chain;
	unsigned count;
	int rc;
};

static void set_here(struct worker *w, void *ctx)
{
	struct chains_call *call = ctx;

	if (!call->rc)
		call->rc = engine_chains_set(worker_engine(w), call->version, call->chain,
					     call->count);
}

static struct tcp_conf tcp_conf_of(const struct conf_tcp *from)
{
	return (struct tcp_conf){
		.congestion = from->congestion,
		.ecn = from->ecn ? TCP_ECN_IF_ASKED : TCP_ECN_NEVER,
		.recv_buffer_bytes = from->recv_buffer_kb * 1024,
		.send_buffer_bytes = from->send_buffer_kb * 1024,
		.keepalive_ms = from->keepalive_ms,
		.keepalive_each_ms = from->keepalive_each_ms,
		.keepalive_probes = from->keepalive_probes,
		.user_timeout_ms = from->user_timeout_ms,
		.mss_most = (uint16_t)from->max_segment_bytes,
		.fast_open = from->fast_open,
		.gather = from->nagle ? TCP_GATHER_NAGLE : TCP_GATHER_FLUSH,
	};
}

static void fill_chain(struct engine_chain *out, const struct conf_chain *c,
		       const struct plan *plan, uint16_t *path)
{
	for (unsigned i = 0; i < c->path_length; i++)
		path[i] = plan->id[c->path[i] - plan->conf->functions];
	*out = (struct engine_chain){
		.name = c->name,
		.stream = !strcmp(c->protocol, "tcp"),
		.listens = c->listens,
		.listens_count = c->listens_count,
		.path = path,
		.path_length = c->path_length,
		.branches = c->branches,
		.branches_count = c->branches_count,
		.head_timeout_ms = c->head_timeout_ms,
		.idle_timeout_ms = c->idle_timeout_ms,
		.body_timeout_ms = c->body_timeout_ms,
		.max_head_bytes = c->max_head_bytes,
		.max_fields = c->max_fields,
		.max_target_bytes = c->max_target_bytes,
		.min_body_bytes_per_s = c->min_body_bytes_per_s,
		.max_requests = c->max_requests,
		.max_age_ms = c->max_age_ms,
		.upgrades = c->upgrades,
		.upgrades_count = c->upgrades_count,
		.connect = c->connect,
		.tunnel_timeout_ms = c->tunnel_timeout_ms,
		.tcp = tcp_conf_of(&c->tcp),
	};
}

static unsigned path_total(const struct conf *conf)
{
	unsigned n = 0;

	for (unsigned i = 0; i < conf->chains_count; i++)
		n += conf->chains[i].path_length;
	return n;
}

/* On every worker, or on none: those that have the new chains already get the old ones back. */
static int set_everywhere(struct daemon *d, struct chains_call *new, const struct chains_call *old)
{
	for (unsigned i = 0; i < d->set.count; i++) {
		worker_call(d->set.worker[i], set_here, new);
		if (!new->rc)
			continue;
		for (unsigned j = 0; old && j < i; j++) {
			struct chains_call back = *old;

			worker_call(d->set.worker[j], set_here, &back);
		}
		return new->rc;
	}
	return 0;
}

static int build_chains(const struct plan *plan, struct chains_call *call, uint16_t **paths)
{
	uint16_t *path = calloc(path_total(plan->conf) + 1, sizeof(*path));

	*paths = path;
	*call = (struct chains_call){
		.version = plan->release->version,
		.chain = calloc(plan->conf->chains_count + 1, sizeof(*call->chain)),
		.count = plan->conf->chains_count,
	};
	if (!path || !call->chain)
		return -ENOMEM;
	for (unsigned i = 0; i < call->count; i++) {
		fill_chain(&call->chain[i], &plan->conf->chains[i], plan, path);
		path += plan->conf->chains[i].path_length;
	}
	return 0;
}

static uint16_t find_but(const struct daemon *d, const char *name, const struct release *except)
{
	for (unsigned id = 0; id < ENGINE_FUNCTIONS_MAX; id++) {
		const struct function *f = &d->functions[id];

		if (f->release && f->release != except && !f->retired &&
		    !strcmp(f->conf->name, name))
			return (uint16_t)id;
	}
	return 0; /* not reached: every function in effect has a number */
}

/* The plan that is in effect, for going back to it. `next` may have functions of the same names. */
static void current_plan(const struct daemon *d, const struct release *next, struct plan *plan)
{
	for (unsigned i = 0; i < plan->conf->functions_count; i++)
		plan->id[i] = find_but(d, plan->conf->functions[i].name, next);
}

static int plan_init(struct plan *plan, struct release *release)
{
	*plan = (struct plan){
		.release = release,
		.conf = release->conf,
		.id = calloc(release->conf->functions_count + 1, sizeof(*plan->id)),
		.fresh = calloc(release->conf->functions_count + 1, sizeof(*plan->fresh)),
	};
	return plan->id && plan->fresh ? 0 : -ENOMEM;
}

static void plan_end(struct plan *plan)
{
	free(plan->id);
	free(plan->fresh);
}

static int set_chains(struct daemon *d, const struct plan *plan, struct conf_errors *errors)
{
	struct chains_call new = {0}, old = {0};
	uint16_t *new_paths = NULL, *old_paths = NULL;
	struct plan before = {0};
	int rc = build_chains(plan, &new, &new_paths);

	if (!rc && d->release) {
		rc = plan_init(&before, d->release);
		if (!rc) {
			current_plan(d, plan->release, &before);
			rc = build_chains(&before, &old, &old_paths);
		}
	}
	if (!rc)
		rc = set_everywhere(d, &new, d->release ? &old : NULL);
	if (rc)
		conf_error(errors, &plan->conf->daemon.place, "cannot set up the chains: %s",
			   strerror(-rc));
	plan_end(&before);
	free(new.chain);
	free(old.chain);
	free(new_paths);
	free(old_paths);
	return rc;
}

/* --- routes ------------------------------------------------------------------------------ */

static bool same_route(const struct conf_route *a, const struct conf_route *b)
{
	return addr_equal(&a->to, &b->to) && a->prefix == b->prefix && addr_equal(&a->via, &b->via);
}

static bool has_route(const struct conf *conf, const struct conf_route *route)
{
	for (unsigned i = 0; i < conf->routes_count; i++)
		if (same_route(&conf->routes[i], route))
			return true;
	return false;
}

struct routes_call {
	const struct conf *old, *new;
};

static void routes_here(struct worker *w, void *ctx)
{
	const struct routes_call *call = ctx;
	int rc = 0;

	for (unsigned i = 0; i < call->old->routes_count; i++)
		if (!has_route(call->new, &call->old->routes[i]))
			rc |= stack_route_del(worker_stack(w), &call->old->routes[i].to,
					      call->old->routes[i].prefix);
	for (unsigned i = 0; i < call->new->routes_count; i++)
		if (!has_route(call->old, &call->new->routes[i]))
			rc |= stack_route_add(worker_stack(w), &call->new->routes[i].to,
					      call->new->routes[i].prefix,
					      &call->new->routes[i].via);
	if (rc)
		log_warn("worker %u could not change every route", worker_index(w));
}

static void set_routes(struct daemon *d, const struct conf *conf)
{
	struct routes_call call = {.old = daemon_conf(d), .new = conf};

	workers_call(&d->set, routes_here, &call);
}

/* --- a release --------------------------------------------------------------------------- */

static void release_free(struct release *release)
{
	conf_free(release->conf);
	free(release);
}

static void commit(struct daemon *d, const struct plan *plan)
{
	struct release *old = d->release;

	if (old)
		set_routes(d, plan->conf);
	retire_others(d, plan);
	set_numbers(d, plan);
	for (unsigned p = 0; p < d->set.ports_count; p++)
		d->ports[p].conf = &plan->conf->ports[p];
	plan->release->next = old;
	d->release = plan->release;
	if (old && !old->functions) {
		d->release->next = old->next;
		release_free(old);
	}
	upstreams_committed(d);
}

/* It did not come into effect. Its functions still name what is in it, until they are gone. */
static void withdraw(struct daemon *d, struct release *release)
{
	struct release **at = d->release ? &d->release->next : &d->release;

	release->version = 0;
	if (!release->functions) {
		release_free(release);
		return;
	}
	release->next = *at;
	*at = release;
}

/* Before the chains: an application may have to leave an address that a chain is to have. */
static int set_applications(struct daemon *d, const struct conf *conf, struct conf_errors *errors)
{
	char error[256] = "";
	int rc = door_set(d->door, conf, error, sizeof(error));

	if (rc)
		conf_error(errors, &conf->daemon.place, "cannot let applications in: %s", error);
	return rc;
}

/* Back to what is in effect. */
static void restore(struct daemon *d)
{
	struct conf_errors errors = {0};

	if (upstreams_apply(d->set.upstreams, daemon_conf(d), d->release->version))
		log_error("the upstreams of the running configuration could not be restored");
	if (set_applications(d, daemon_conf(d), &errors))
		log_error("the applications of the running configuration could not be restored");
	conf_errors_clear(&errors);
}

static int try_plan(struct daemon *d, struct plan *plan, struct conf_errors *errors)
{
	int rc = upstreams_apply(d->set.upstreams, plan->conf, plan->release->version);

	if (rc) {
		conf_error(errors, &plan->conf->daemon.place, "cannot set up the upstreams: %s",
			   strerror(-rc));
		return rc;
	}
	rc = start_functions(d, plan, errors);
	if (!rc)
		rc = set_applications(d, plan->conf, errors);
	if (!rc)
		rc = set_chains(d, plan, errors);
	if (!rc)
		return 0;
	stop_fresh(d, plan);
	if (d->release)
		restore(d);
	return rc;
}

static int deploy_release(struct daemon *d, struct release *release, struct conf_errors *errors)
{
	struct plan plan = {0};
	int rc = plan_init(&plan, release);

	if (!rc) {
		d->deploying = release->conf;
		rc = try_plan(d, &plan, errors);
		d->deploying = NULL;
	}
	if (!rc)
		commit(d, &plan);
	else
		withdraw(d, release);
	plan_end(&plan);
	return rc;
}

int deploy(struct daemon *d, struct conf *conf, struct conf_errors *errors)
{
	struct release *release;
	int rc = check_fixed(d, conf, errors);

	release = rc ? NULL : calloc(1, sizeof(*release));
	if (!release) {
		conf_free(conf);
		return rc ? rc : -ENOMEM;
	}
	*release =
		(struct release){.conf = conf, .version = d->release ? d->release->version + 1 : 1};
	return deploy_release(d, release, errors);
}
