/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of tcp chains: the header that comes in, the group, the header that goes out. */
#include <string.h>

#include "nf/proxy/header.h"
#include "nf/proxy/proxy.h"

/* The addresses by which the connection goes on. */
struct ends {
	struct sluice_peer client, local;
};

static bool expects_header(const struct proxy *proxy, const struct sluice_peer *client)
{
	if (proxy->accept == PROXY_ACCEPT_TRUSTED)
		return networks_contain(&proxy->trusted, client);
	return proxy->accept == PROXY_ACCEPT_ALWAYS;
}

static enum sluice_verdict refuse(uint64_t *counter)
{
	++*counter;
	return SLUICE_RESET;
}

static enum sluice_verdict taken(const struct proxy *proxy, struct sluice_exchange *x,
				 const struct header *header, struct ends *ends)
{
	++*proxy->counters.headers_in;
	if (sluice_early_take(x, header->bytes))
		return refuse(proxy->counters.headers_bad);
	if (!header->named)
		return SLUICE_PASS;
	ends->client = header->client;
	ends->local = header->local;
	if (sluice_open_client(x, &ends->client) || sluice_open_local(x, &ends->local))
		return refuse(proxy->counters.edit_errors);
	return SLUICE_PASS;
}

static enum sluice_verdict take_header(const struct proxy *proxy, struct sluice_exchange *x,
				       struct ends *ends)
{
	struct header header;

	if (!expects_header(proxy, &ends->client))
		return SLUICE_PASS;
	switch (header_read(sluice_early(x), &header)) {
	case HEADER_MORE:
		if (!sluice_early_ended(x))
			return SLUICE_WAIT;
		break;
	case HEADER_DONE:
		return taken(proxy, x, &header, ends);
	case HEADER_BAD:
		break;
	}
	return refuse(proxy->counters.headers_bad);
}

static enum sluice_verdict send_header(const struct proxy *proxy, struct sluice_exchange *x,
				       const struct ends *ends)
{
	struct sluice_buf *buf;
	uint32_t len;
	int err;

	if (proxy->send == HEADER_NONE)
		return SLUICE_LEAVE;
	buf = sluice_buf_alloc(sluice_of(x), HEADER_WRITE_MAX);
	if (!buf)
		return refuse(proxy->counters.no_memory);
	len = header_write(proxy->send, &ends->client, &ends->local, buf->data);
	err = sluice_open_send(x, buf, 0, len);
	sluice_buf_unref(buf);
	if (err)
		return refuse(proxy->counters.no_memory);
	++*proxy->counters.headers_out;
	return SLUICE_LEAVE;
}

enum sluice_verdict proxy_open(struct sluice_exchange *x)
{
	struct proxy *proxy = sluice_data(sluice_of(x));
	const struct sluice_head *head = sluice_head(x);
	struct ends ends = {head->client, head->local};
	enum sluice_verdict verdict;

	if (proxy->upstream == SLUICE_NONE16)
		return refuse(proxy->counters.no_route);
	verdict = take_header(proxy, x, &ends);
	if (verdict != SLUICE_PASS)
		return verdict;
	sluice_route(x, proxy->upstream);
	++*proxy->counters.connections;
	return send_header(proxy, x, &ends);
}
