/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/show.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "dataplane/clock.h"
#include "dataplane/daemon.h"
#include "dataplane/driver.h"
#include "dataplane/rows.h"
#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "mgmt/ctl/views.h"

/* --- status ------------------------------------------------------------------------------ */

void show_sample(struct daemon *d)
{
	for (unsigned i = 0; i < d->set.count; i++) {
		struct load_sample *s = &d->sample[i];
		const struct worker_load *load = worker_load(d->set.worker[i]);
		uint64_t busy = __atomic_load_n(&load->busy_cycles, __ATOMIC_RELAXED);
		uint64_t turns = __atomic_load_n(&load->turns, __ATOMIC_RELAXED);
		uint64_t now = rte_rdtsc();

		s->stalled = turns == s->turns;
		s->busy_percent =
			now > s->at ? 100.0 * (double)(busy - s->busy) / (double)(now - s->at) : 0;
		s->turns = turns;
		s->busy = busy;
		s->at = now;
	}
}

struct totals {
	struct view_worker worker;
	int64_t exchanges_total, connections_total;
};

static void ask_worker(struct worker *w, void *ctx)
{
	const struct engine_counters *counters = engine_counters(worker_engine(w));
	struct totals *t = ctx;

	t->worker.connections = tcp_count(worker_stack(w));
	t->worker.exchanges = engine_exchanges(worker_engine(w));
	/* Of the engine, not of its chains: those go with their version of the configuration. */
	t->exchanges_total += (int64_t)counters->requests;
	t->connections_total += (int64_t)counters->clients_accepted;
}

static void fill_worker(struct daemon *d, unsigned i, struct totals *t)
{
	struct worker *w = d->set.worker[i];

	worker_call(w, ask_worker, t);
	t->worker.state = d->sample[i].stalled ? "stalled" : "running";
	t->worker.cpu = worker_cpu(w);
	t->worker.node = d->pools[i].node;
	t->worker.busy = d->sample[i].busy_percent;
	t->worker.rx_packets = (int64_t)worker_load(w)->rx_packets;
	t->worker.tx_packets = (int64_t)worker_load(w)->tx_packets;
}

static int64_t pool_bytes(const struct rte_mempool *pool, unsigned objects)
{
	return pool ? (int64_t)objects *
			       (pool->elt_size +
				rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool))
		    : 0;
}

static int64_t memory_used(const struct daemon *d)
{
	int64_t bytes = 0;

	for (unsigned i = 0; i < d->set.count; i++) {
		const struct memory_pools *p = &d->pools[i];
		const struct rte_mempool *const pools[] = {p->rx,      p->data, p->header,
							   p->control, p->ref,  p->flat};

		for (unsigned k = 0; k < RTE_DIM(pools); k++)
			if (pools[k])
				bytes += pool_bytes(pools[k], rte_mempool_in_use_count(pools[k]));
	}
	return bytes;
}

json_t *show_status(struct daemon *d)
{
	struct view_worker workers[WORKERS_MAX];
	struct totals totals = {0};
	struct view_status s = {
		.state = d->state == DAEMON_DRAINING ? "draining" : "running",
		.version = SLUICE_VERSION,
		.pid = getpid(),
		.uptime_s = (int64_t)((clock_monotonic_us() - d->started_us) / 1000000),
		.config_file = d->conf_path,
		.config_version = d->release->version,
		.poll = daemon_conf(d)->daemon.poll == CONF_POLL_BUSY ? "busy" : "adaptive",
		.hugepages = d->eal.hugepages ? "2 MB pages" : "none: ordinary pages",
		.memory_bytes = (int64_t)daemon_conf(d)->daemon.memory_mb << 20,
		.memory_used_bytes = memory_used(d),
	};

	for (unsigned i = 0; i < d->set.count; i++) {
		fill_worker(d, i, &totals);
		workers[i] = totals.worker;
		s.connections += totals.worker.connections;
		s.exchanges += totals.worker.exchanges;
	}
	s.connections_total = totals.connections_total;
	s.exchanges_total = totals.exchanges_total;
	return view_status_json(&s, workers, d->set.count);
}

/* --- ports ------------------------------------------------------------------------------- */

static const struct {
	uint32_t flag;
	const char *name;
} offload_names[] = {
	{STACK_RX_CSUM, "rx checksum"},
	{STACK_TX_IP_CSUM, "tx ip checksum"},
	{STACK_TX_TCP_CSUM, "tx tcp checksum"},
	{STACK_TX_UDP_CSUM, "tx udp checksum"},
	{STACK_TX_TSO, "tso"},
	{STACK_TX_MULTI_SEG, "multi-segment"},
};

#define PORT_ADDRESSES 65 /* and a link-local one */

struct port_texts {
	const char *addresses[PORT_ADDRESSES];
	const char *offloads[RTE_DIM(offload_names)];
};

/* The addresses that the first worker's stack has, which are those of all. */
struct port_rows {
	uint16_t port;
	struct rows *rows;
	struct port_texts *texts;
	unsigned n;
};

static void add_address(void *ctx, const struct stack_address_info *info)
{
	static const char *const states[] = {
		[STACK_ADDRESS_TENTATIVE] = " (being probed)",
		[STACK_ADDRESS_USED] = "",
		[STACK_ADDRESS_DUPLICATE] = " (duplicate: another host has it)",
	};
	struct port_rows *p = ctx;
	char text[ADDR_TEXT_MAX];

	if (info->port != p->port || p->n == PORT_ADDRESSES)
		return;
	p->texts->addresses[p->n++] =
		rows_text(p->rows, "%s/%u%s", addr_format(&info->addr, text, sizeof(text)),
			  info->prefix, states[info->state]);
}

static void ask_addresses(struct worker *w, void *ctx)
{
	stack_addresses_each(worker_stack(w), add_address, ctx);
}

static struct view_texts port_addresses(struct worker *first, uint16_t port, struct rows *rows,
					struct port_texts *t)
{
	struct port_rows p = {.port = port, .rows = rows, .texts = t};

	worker_call(first, ask_addresses, &p);
	return (struct view_texts){t->addresses, p.n};
}

static struct view_texts port_offloads(const struct port *p, struct port_texts *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RTE_DIM(offload_names); i++)
		if (p->offloads & offload_names[i].flag)
			t->offloads[n++] = offload_names[i].name;
	return (struct view_texts){t->offloads, n};
}

static const char *port_speed(const struct port *p, struct rows *rows)
{
	struct rte_eth_link link = {0};

	if (!port_link_up(p) || rte_eth_link_get_nowait(p->id, &link))
		return "-";
	if (link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN || !link.link_speed)
		return "unknown";
	return link.link_speed >= 1000 ? rows_text(rows, "%u Gb/s", link.link_speed / 1000)
				       : rows_text(rows, "%u Mb/s", link.link_speed);
}

static void fill_port(struct daemon *d, uint16_t number, struct rows *rows, struct port_texts *t)
{
	const struct port *p = &d->ports[number];
	struct view_port *v = rows_add(rows);
	struct port_counters c;

	if (!v)
		return;
	port_counters(p, &c);
	*v = (struct view_port){
		.state = port_link_up(p) ? "up" : "down",
		.name = p->name,
		.driver = p->driver,
		.link = port_speed(p, rows),
		.mtu = p->mtu,
		.rx_packets = (int64_t)c.rx_packets,
		.rx_bytes = (int64_t)c.rx_bytes,
		.tx_packets = (int64_t)c.tx_packets,
		.tx_bytes = (int64_t)c.tx_bytes,
		.drops = (int64_t)(c.rx_missed + c.rx_errors + c.tx_errors + c.rx_no_buffers),
		.device = p->conf->device,
		.mac = rows_text(rows, "%02x:%02x:%02x:%02x:%02x:%02x", p->mac[0], p->mac[1],
				 p->mac[2], p->mac[3], p->mac[4], p->mac[5]),
		.addresses = port_addresses(d->set.worker[0], number, rows, t),
		.offloads = port_offloads(p, t),
		.shared_rx = !p->traits->private_rx,
	};
}

json_t *show_ports(struct daemon *d)
{
	static struct port_texts texts[PORTS_MAX]; /* the control thread's alone */
	struct rows rows = ROWS(struct view_port);

	for (uint16_t i = 0; i < d->set.ports_count; i++)
		fill_port(d, i, &rows, &texts[i]);
	return rows_finish(&rows, &view_of_port);
}

/* --- buffers ----------------------------------------------------------------------------- */

static unsigned in_devices(const struct daemon *d, unsigned worker, bool flat)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->set.ports_count; i++) {
		const struct port *p = &d->ports[i];

		if (worker < p->queues && !p->traits->lazy_rx && p->traits->private_rx == flat)
			n += p->descriptors;
	}
	return n;
}

static void add_pool(struct rows *rows, const struct rte_mempool *pool, unsigned device,
		     const char *help)
{
	struct view_buffer *v = pool ? rows_add(rows) : NULL;
	unsigned in_use;

	if (!v)
		return;
	in_use = rte_mempool_in_use_count(pool);
	*v = (struct view_buffer){
		.pool = pool->name,
		.size_bytes = rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool),
		.total = pool->size,
		.in_use = in_use,
		.device = in_use < device ? in_use : device,
		.help = help,
	};
}

static void add_table(struct rows *rows, const char *name, unsigned worker, uint32_t total,
		      uint32_t in_use, const char *help)
{
	struct view_buffer *v = rows_add(rows);

	if (v)
		*v = (struct view_buffer){
			.pool = rows_text(rows, "%s.%u", name, worker),
			.size_bytes = -1,
			.total = total,
			.in_use = in_use,
			.device = -1,
			.help = help,
		};
}

static void ask_buffers(struct worker *w, void *ctx)
{
	engine_buffers(worker_engine(w), ctx);
}

static void add_tables(struct daemon *d, struct rows *rows, unsigned i)
{
	struct engine_buffers_info b;

	worker_call(d->set.worker[i], ask_buffers, &b);
	add_table(rows, "exchanges", i, b.exchanges_total, b.exchanges, "requests in flight");
	add_table(rows, "heads", i, b.heads_total, b.heads, "parsed heads that functions may read");
	add_table(rows, "pieces", i, b.pieces_total, b.pieces,
		  "pieces of bodies held by functions");
	add_table(rows, "leases", i, b.leases_total, b.leases,
		  "pieces of arenas that are not acknowledged yet");
}

json_t *show_buffers(struct daemon *d)
{
	struct rows rows = ROWS(struct view_buffer);

	for (unsigned i = 0; i < d->set.count; i++) {
		const struct memory_pools *p = &d->pools[i];

		add_tables(d, &rows, i);
		add_pool(&rows, p->rx, in_devices(d, i, false), "payload, as it was received");
		add_pool(&rows, p->data, 0, "text of ours: heads, chunk sizes");
		add_pool(&rows, p->header, 0, "frame headers, payload that was copied");
		add_pool(&rows, p->control, 0, "ACKs and ARP, when the others are empty");
		add_pool(&rows, p->ref, 0, "references to payload on its way out");
		add_pool(&rows, p->flat, in_devices(d, i, true),
			 "of ports that need whole packets of their own");
	}
	applications_buffers(d, &rows);
	return rows_finish(&rows, &view_of_buffer);
}
