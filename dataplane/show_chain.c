/* SPDX-License-Identifier: BSD-3-Clause */
/* Chains, functions, flows, upstreams, counters and errors: what the engines know. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chain/supervise/supervise.h"
#include "chain/upstream/upstream.h"
#include "dataplane/clock.h"
#include "dataplane/daemon.h"
#include "dataplane/rows.h"
#include "dataplane/show.h"
#include "dataplane/show_path.h"
#include "l4stack/base/counters.h"
#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "mgmt/ctl/views.h"

/* --- chains: the workers' parts of each version are added up ----------------------------- */

static void gather_chain(void *ctx, const struct engine_chain_info *info)
{
	struct rows *rows = ctx;
	struct engine_chain_info *sum = rows->data;
	unsigned i = 0;

	while (i < rows->count &&
	       (sum[i].version != info->version || strcmp(sum[i].name, info->name)))
		i++;
	if (i == rows->count) {
		sum = rows_add(rows);
		if (sum)
			*sum = *info;
		return;
	}
	sum[i].connections += info->connections;
	sum[i].exchanges += info->exchanges;
	sum[i].connections_total += info->connections_total;
	sum[i].exchanges_total += info->exchanges_total;
	for (unsigned s = 0; s < 6; s++)
		sum[i].status[s] += info->status[s];
}

static void gather_chains(struct worker *w, void *rows)
{
	engine_chains_each(worker_engine(w), gather_chain, rows);
}

static const struct conf_chain *find_chain(const struct daemon *d,
					   const struct engine_chain_info *info)
{
	for (const struct release *r = d->release; r; r = r->next) {
		if (r->version != info->version)
			continue;
		for (unsigned i = 0; i < r->conf->chains_count; i++)
			if (!strcmp(r->conf->chains[i].name, info->name))
				return &r->conf->chains[i];
	}
	return NULL;
}

static struct view_texts chain_listens(struct rows *rows, const struct conf_chain *c)
{
	char text[ENDPOINT_TEXT_MAX];
	const char **list = rows_texts(rows, c->listens_count);

	for (unsigned i = 0; list && i < c->listens_count; i++)
		list[i] =
			rows_text(rows, "%s", endpoint_format(&c->listens[i], text, sizeof(text)));
	return (struct view_texts){list, list ? c->listens_count : 0};
}

static void fill_chain(struct daemon *d, struct rows *rows, const struct engine_chain_info *info)
{
	const struct conf_chain *c = find_chain(d, info);
	struct view_chain *v = rows_add(rows);

	if (!v)
		return;
	*v = (struct view_chain){
		.state = info->draining ? "draining" : "active",
		.name = info->name,
		.version = info->version,
		.connections = info->connections,
		.connections_total = (int64_t)info->connections_total,
		.exchanges = info->exchanges,
		.exchanges_total = (int64_t)info->exchanges_total,
		.status_1xx = (int64_t)info->status[1],
		.status_2xx = (int64_t)info->status[2],
		.status_3xx = (int64_t)info->status[3],
		.status_4xx = (int64_t)info->status[4],
		.status_5xx = (int64_t)info->status[5],
		.protocol = c ? c->protocol : "http",
	};
	if (!c)
		return;
	v->listens = chain_listens(rows, c);
	v->path = show_path(rows, c);
}

json_t *show_chains(struct daemon *d)
{
	struct rows infos = ROWS(struct engine_chain_info), rows = ROWS(struct view_chain);
	json_t *json;

	workers_call(&d->set, gather_chains, &infos);
	for (unsigned i = 0; i < infos.count; i++)
		fill_chain(d, &rows, (struct engine_chain_info *)infos.data + i);
	json = rows_finish(&rows, &view_of_chain);
	rows_free(&infos);
	return json;
}

/* --- functions --------------------------------------------------------------------------- */

static void gather_instance(void *ctx, const struct engine_instance_info *info)
{
	struct rows *rows = ctx;
	struct engine_instance_info *sum = rows->data;
	unsigned i = 0;

	while (i < rows->count && sum[i].instance != info->instance)
		i++;
	if (i == rows->count) {
		sum = rows_add(rows);
		if (sum)
			*sum = *info;
		return;
	}
	sum[i].held += info->held;
	sum[i].depth += info->depth;
	sum[i].leases += info->leases;
	sum[i].exchanges += info->exchanges;
	sum[i].offences += info->offences;
	sum[i].seen += info->seen;
	sum[i].unseen += info->unseen;
	sum[i].busy_ns += info->busy_ns;
	for (unsigned c = 0; c < SLUICE_COUNTERS; c++)
		sum[i].counter[c] += info->counter[c];
}

static void gather_instances(struct worker *w, void *rows)
{
	engine_instances_each(worker_engine(w), gather_instance, rows);
}

struct instances {
	struct daemon *d;
	struct rows infos; /* struct engine_instance_info */
	struct rows rows;
	const char *prefix; /* of stats */
};

static const struct engine_instance_info *find_info(const struct instances *in, uint32_t id)
{
	const struct engine_instance_info *info = in->infos.data;

	for (unsigned i = 0; i < in->infos.count; i++)
		if (info[i].instance == id)
			return &info[i];
	return NULL;
}

static const char *const state_names[] = {
	[INSTANCE_STARTING] = "starting",  [INSTANCE_UP] = "up",
	[INSTANCE_DRAINING] = "draining",  [INSTANCE_STOPPING] = "stopping",
	[INSTANCE_WAITING] = "restarting", [INSTANCE_FAILED] = "down",
};

static bool lives(const struct instance_info *instance)
{
	return instance->state == INSTANCE_UP || instance->state == INSTANCE_DRAINING;
}

static void fill_function(void *ctx, const struct instance_info *instance)
{
	struct instances *in = ctx;
	const struct engine_instance_info *info = find_info(in, instance->id);
	const struct function *f = &in->d->functions[instance->function];
	uint64_t up_us = clock_monotonic_us() - instance->since_us;
	struct view_function *v = rows_add(&in->rows);

	if (!v)
		return;
	*v = (struct view_function){
		.state = state_names[instance->state],
		.name = instance->function_name,
		.instance = instance->index,
		.plugin = instance->plugin,
		.placement = f->conf && f->conf->placement == CONF_INLINE ? "inline" : "process",
		.pid = instance->pid > 0 ? instance->pid : -1,
		.cpu = f->conf ? f->conf->cpu : -1,
		.uptime_s = lives(instance) ? (int64_t)(up_us / 1000000) : -1,
		.restarts = instance->restarts,
		.last_exit = rows_text(&in->rows, "%s", instance->last_exit),
	};
	if (!info)
		return;
	v->exchanges = (int64_t)info->exchanges;
	v->held = info->held;
	v->queued = info->depth;
	v->offences = (int64_t)info->offences;
	v->seen = (int64_t)info->seen;
	v->unseen = (int64_t)info->unseen;
	v->busy = up_us ? 100.0 * (double)info->busy_ns / 1000.0 / (double)up_us : 0;
}

/* One that has no processes, because it was drained. */
static void fill_drained(struct instances *in)
{
	for (unsigned id = 0; id < ENGINE_FUNCTIONS_MAX; id++) {
		const struct function *f = &in->d->functions[id];
		struct view_function *v;

		if (!functions_in_use(f) || f->given || !(v = rows_add(&in->rows)))
			continue;
		*v = (struct view_function){.state = "drained",
					    .name = f->conf->name,
					    .instance = -1,
					    .plugin = f->conf->plugin,
					    .placement = "process",
					    .pid = -1,
					    .cpu = f->conf->cpu,
					    .uptime_s = -1};
	}
}

static void instances_gather(struct daemon *d, struct instances *in)
{
	workers_call(&d->set, gather_instances, &in->infos);
}

json_t *show_functions(struct daemon *d)
{
	struct instances in = {.d = d,
			       .infos = ROWS(struct engine_instance_info),
			       .rows = ROWS(struct view_function)};

	instances_gather(d, &in);
	supervisor_each(d->supervisor, fill_function, &in);
	inline_each(d, fill_function, &in);
	fill_drained(&in);
	rows_free(&in.infos);
	return rows_finish(&in.rows, &view_of_function);
}

/* --- flows: connections as TCP has them, joined with what the engine knows of them ------- */

struct flows {
	struct rows tcp;    /* struct tcp_info */
	struct rows engine; /* struct engine_flow_info */
};

static void gather_conn(void *ctx, const struct tcp_conn *conn)
{
	struct rows *rows = ctx;
	struct tcp_info *info = rows->count < SHOW_FLOWS_MAX ? rows_add(rows) : NULL;

	if (info)
		tcp_info(conn, info);
}

static void gather_flow(void *ctx, const struct engine_flow_info *flow)
{
	struct rows *rows = ctx;
	struct engine_flow_info *copy = rows->count < SHOW_FLOWS_MAX ? rows_add(rows) : NULL;

	if (copy)
		*copy = *flow;
}

static void gather_flows(struct worker *w, void *ctx)
{
	struct flows *f = ctx;

	tcp_each(worker_stack(w), gather_conn, &f->tcp);
	engine_flows_each(worker_engine(w), gather_flow, &f->engine);
	applications_flows(w, &f->engine);
}

static int compare_endpoints(const struct endpoint *a, const struct endpoint *b)
{
	int c = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return c ? c : (a->port > b->port) - (a->port < b->port);
}

static int compare_flows(const void *a, const void *b)
{
	return compare_endpoints(&((const struct engine_flow_info *)a)->client,
				 &((const struct engine_flow_info *)b)->client);
}

static const struct engine_flow_info *find_flow(const struct flows *f,
						const struct endpoint *client)
{
	struct engine_flow_info key = {.client = *client};

	return bsearch(&key, f->engine.data, f->engine.count, sizeof(key), compare_flows);
}

/* The group that a connection of ours goes to: the first that has such a server. */
static const char *find_group(const struct daemon *d, const struct endpoint *server)
{
	const struct sluice_upstreams *view = upstreams_view(d->set.upstreams);

	for (uint32_t s = 0; s < upstreams_servers(d->set.upstreams); s++) {
		struct endpoint e;

		upstreams_endpoint(d->set.upstreams, s, &e);
		if (!compare_endpoints(&e, server))
			return view->group[upstreams_group_of(d->set.upstreams, s)].name;
	}
	return "-";
}

static void fill_flow(struct daemon *d, struct rows *rows, const struct flows *f,
		      const struct tcp_info *t)
{
	const struct engine_flow_info *flow = find_flow(f, &t->remote);
	struct view_flow *v = rows_add(rows);
	char text[ENDPOINT_TEXT_MAX];

	if (!v)
		return;
	*v = (struct view_flow){
		.state = t->state,
		.client = rows_text(rows, "%s", endpoint_format(&t->remote, text, sizeof(text))),
		.local = rows_text(rows, "%s", endpoint_format(&t->local, text, sizeof(text))),
		.chain = flow ? flow->chain : "-",
		.upstream = flow ? "-" : find_group(d, &t->remote),
		.rtt_us = t->srtt_us,
		.cwnd_bytes = t->cwnd_bytes,
		.in_bytes = (int64_t)t->bytes_in,
		.out_bytes = (int64_t)t->bytes_out,
		.age_s = (int64_t)(t->age_us / 1000000),
	};
}

json_t *show_flows(struct daemon *d)
{
	struct flows f = {.tcp = ROWS(struct tcp_info), .engine = ROWS(struct engine_flow_info)};
	struct rows rows = ROWS(struct view_flow);
	json_t *json;

	workers_call(&d->set, gather_flows, &f);
	if (f.engine.count)
		qsort(f.engine.data, f.engine.count, sizeof(struct engine_flow_info),
		      compare_flows);
	for (unsigned i = 0; i < f.tcp.count; i++)
		fill_flow(d, &rows, &f, (struct tcp_info *)f.tcp.data + i);
	json = rows_finish(&rows, &view_of_flow);
	rows_free(&f.tcp);
	rows_free(&f.engine);
	return json;
}

/* --- upstreams
 * ---------------------------------------------------------------------------------------- */

static const char *state_text(const struct upstream_totals *totals, enum sluice_server_state state)
{
	static const char *const states[] = {"up", "down", "draining", "draining"};

	if (totals->by_hand)
		return states[state];
	if (totals->panics)
		return "panic";
	return totals->ejected ? "ejected" : states[state];
}

static void fill_server(struct daemon *d, struct rows *rows, const struct sluice_upstreams *view,
			uint32_t number, const char *group)
{
	struct upstreams *u = d->set.upstreams;
	const struct sluice_server *s = &view->server[number];
	struct view_upstream *v = rows_add(rows);
	struct upstream_totals totals;
	struct endpoint e;
	char text[ENDPOINT_TEXT_MAX];

	if (!v)
		return;
	upstreams_endpoint(u, number, &e);
	upstreams_totals(u, number, &totals);
	*v = (struct view_upstream){
		.state = state_text(&totals, upstreams_state(u, number)),
		.group = group,
		.server = rows_text(rows, "%s", endpoint_format(&e, text, sizeof(text))),
		.weight = s->weight,
		.active = s->active,
		.total = (int64_t)totals.exchanges,
		.failures = (int64_t)totals.failures,
		.latency_us = s->latency_us,
		.idle = totals.idle,
	};
}

static bool is_shown(const struct sluice_group *group, const char *only)
{
	return group->name[0] && (!only || !strcmp(group->name, only));
}

json_t *show_upstreams(struct daemon *d, const char *only)
{
	const struct sluice_upstreams *view = upstreams_view(d->set.upstreams);
	struct rows rows = ROWS(struct view_upstream);

	for (uint32_t g = 0; g < view->groups; g++)
		for (uint32_t s = 0; is_shown(&view->group[g], only) && s < view->group[g].servers;
		     s++) {
			uint32_t number = view->group[g].first + s;

			if (upstreams_present(d->set.upstreams, number))
				fill_server(d, &rows, view, number, view->group[g].name);
		}
	return rows_finish(&rows, &view_of_upstream);
}

/* --- counters
 * -------------------------------------------------------------------------------------------- */

static bool wanted(const char *prefix, const char *group, const char *name)
{
	char full[160];

	snprintf(full, sizeof(full), "%s.%s", group, name);
	return !strncmp(full, prefix, strlen(prefix)) || !strncmp(name, prefix, strlen(prefix));
}

static void add_stat(struct rows *rows, const char *prefix, const char *group, const char *name,
		     uint64_t value, const char *help)
{
	struct view_stat *v = wanted(prefix, group, name) ? rows_add(rows) : NULL;

	if (v)
		*v = (struct view_stat){
			.group = group, .name = name, .value = (int64_t)value, .help = help};
}

static void add_worker_stats(struct daemon *d, struct rows *rows, const char *prefix)
{
	struct worker_load sum = {0};

	for (unsigned i = 0; i < d->set.count; i++) {
		const uint64_t *from = (const uint64_t *)worker_load(d->set.worker[i]);
		uint64_t *to = (uint64_t *)&sum;

		for (size_t k = 0; k < sizeof(sum) / sizeof(uint64_t); k++)
			to[k] += __atomic_load_n(&from[k], __ATOMIC_RELAXED);
	}
	add_stat(rows, prefix, "worker", "turns", sum.turns, "turns of the workers' loops");
	add_stat(rows, prefix, "worker", "busy_cycles", sum.busy_cycles,
		 "cycles of turns that did something");
	add_stat(rows, prefix, "worker", "idle_cycles", sum.idle_cycles,
		 "cycles of turns that found nothing");
	add_stat(rows, prefix, "worker", "sleeps", sum.sleeps, "times a worker slept");
	add_stat(rows, prefix, "worker", "rx_packets", sum.rx_packets,
		 "packets taken from the ports");
	add_stat(rows, prefix, "worker", "tx_packets", sum.tx_packets,
		 "packets given to the ports");
	add_stat(rows, prefix, "worker", "tx_full_drops", sum.tx_full_drops,
		 "packets dropped because a port took no more");
	add_stat(rows, prefix, "worker", "handoffs", sum.handoffs,
		 "packets given to the worker they belong to");
	add_stat(rows, prefix, "worker", "handoff_drops", sum.handoff_drops,
		 "of them, dropped because its ring was full");
	add_stat(rows, prefix, "worker", "rx_copied_bytes", sum.rx_copied_bytes,
		 "bytes copied on ports that cannot receive into the shared region");
	add_stat(rows, prefix, "worker", "tx_copied_bytes", sum.tx_copied_bytes,
		 "bytes copied on ports that cannot send several segments, or not from everywhere");
}

static uint64_t stack_sum(struct daemon *d, enum stack_counter id)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < d->set.count; i++)
		sum += counter_read(stack_counters(worker_stack(d->set.worker[i])), id);
	return sum;
}

static const struct {
	const char *name, *help;
	size_t offset;
} engine_rows[] = {
#define COUNTER(name, unit, help) {#name, help, offsetof(struct engine_counters, name)},
#include "chain/engine/counters.def"
#undef COUNTER
};

static void add_application_stat(void *ctx, const char *name, uint64_t value, const char *help)
{
	struct instances *in = ctx;

	add_stat(&in->rows, in->prefix, "applications", name, value, help);
}

static void add_instance_stats(void *ctx, const struct instance_info *instance)
{
	struct instances *in = ctx;
	const struct engine_instance_info *info = find_info(in, instance->id);
	const char *group = rows_text(&in->rows, "function %s", instance->function_name);

	for (unsigned c = 0; info && c < SLUICE_COUNTERS; c++)
		if (instance->counter_name[c][0])
			add_stat(&in->rows, in->prefix, group,
				 rows_text(&in->rows, "%s", instance->counter_name[c]),
				 info->counter[c],
				 rows_text(&in->rows, "%s", instance->counter_help[c]));
}

json_t *show_stats(struct daemon *d, const char *prefix)
{
	struct instances in = {.d = d,
			       .infos = ROWS(struct engine_instance_info),
			       .rows = ROWS(struct view_stat),
			       .prefix = prefix};

	add_worker_stats(d, &in.rows, prefix);
	for (enum stack_counter id = 0; id < COUNTER_TOTAL; id++)
		add_stat(&in.rows, prefix, "stack", stack_counter_table[id].name, stack_sum(d, id),
			 stack_counter_table[id].help);
	for (size_t i = 0; i < sizeof(engine_rows) / sizeof(engine_rows[0]); i++)
		add_stat(&in.rows, prefix, "engine", engine_rows[i].name,
			 workers_engine_sum(&d->set, engine_rows[i].offset), engine_rows[i].help);
	applications_counters(d, add_application_stat, &in);
	instances_gather(d, &in);
	supervisor_each(d->supervisor, add_instance_stats, &in);
	inline_each(d, add_instance_stats, &in);
	rows_free(&in.infos);
	return rows_finish(&in.rows, &view_of_stat);
}

/* --- errors
 * ---------------------------------------------------------------------------------------------------
 */

struct errors {
	struct daemon *d;
	struct rows rows;
};

static void add_error(void *ctx, const struct engine_error_info *error)
{
	struct errors *e = ctx;
	struct view_error *v = rows_add(&e->rows);

	if (!v)
		return;
	v->last_s = time(NULL) - (time_t)((clock_us() - error->at_us) / 1000000);
	v->count = error->count;
	v->chain = rows_text(&e->rows, "%s", error->chain);
	v->text = rows_text(&e->rows, "%s", error->text);
	if (error->function < ENGINE_FUNCTIONS_MAX && e->d->functions[error->function].conf)
		v->function = e->d->functions[error->function].conf->name;
}

static void gather_errors(struct worker *w, void *ctx)
{
	struct errors *e = ctx;

	engine_errors_each(worker_engine(w), add_error, e);
	applications_errors(w, &e->rows);
}

json_t *show_errors(struct daemon *d)
{
	struct errors e = {.d = d, .rows = ROWS(struct view_error)};

	workers_call(&d->set, gather_errors, &e);
	return rows_finish(&e.rows, &view_of_error);
}
