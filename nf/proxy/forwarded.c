/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * X-Forwarded-For, -Proto and -Host, and Forwarded (RFC 7239): what the origin can no longer see of
 * the client. What a peer says about clients before it is kept only if that peer is trusted.
 */
#include "nf/proxy/proxy.h"

#include <errno.h>

/* The values that came, joined to one list. */
static void put_earlier(const struct sluice_exchange *x, enum sluice_field_id id, struct text *out)
{
	for (unsigned i = sluice_field_first(x, id); i != SLUICE_NONE16;
	     i = sluice_field_next(x, i)) {
		struct sluice_str value = sluice_field_value(x, i);

		text_put(out, value);
		if (value.len > 0)
			text_put(out, sluice_str(", "));
	}
}

static int set_for(struct proxy *proxy, struct sluice_exchange *x, bool trusted)
{
	struct text out = {.room = proxy->room, .size = sizeof(proxy->room)};
	char address[NETWORK_TEXT_BYTES];

	if (trusted)
		put_earlier(x, SLUICE_FIELD_X_FORWARDED_FOR, &out);
	text_put(&out, network_peer_text(&sluice_head(x)->client, address));
	if (out.full)
		return -ENOSPC;
	return sluice_field_set(x, "X-Forwarded-For", text_str(&out));
}

static int set_proto(struct sluice_exchange *x, bool trusted)
{
	struct sluice_str earlier;

	if (trusted && sluice_field(x, SLUICE_FIELD_X_FORWARDED_PROTO, &earlier) == 0)
		return 0;
	return sluice_field_set(x, "X-Forwarded-Proto", sluice_str("http"));
}

static int set_host(struct sluice_exchange *x, bool trusted)
{
	struct sluice_str earlier, host;
	bool came = sluice_field(x, SLUICE_FIELD_X_FORWARDED_HOST, &earlier) == 0;

	if (trusted && came)
		return 0;
	if (sluice_field(x, SLUICE_FIELD_HOST, &host) == 0 && host.len > 0)
		return sluice_field_set(x, "X-Forwarded-Host", host);
	return came ? sluice_field_remove(x, "X-Forwarded-Host") : 0;
}

/* RFC 7239 §6: an address of IPv6 is in brackets, and then quoted. */
static void put_node(const struct sluice_peer *peer, struct text *out)
{
	char address[NETWORK_TEXT_BYTES];
	struct sluice_str text = network_peer_text(peer, address);

	text_put(out, sluice_str(peer->family == 6 ? "for=\"[" : "for="));
	text_put(out, text);
	text_put(out, sluice_str(peer->family == 6 ? "]\"" : ""));
}

/* A Host has no quote and no backslash in it (RFC 9110 §7.2): it can be quoted as it is. */
static void put_host(const struct sluice_exchange *x, struct text *out)
{
	struct sluice_str host;

	if (sluice_field(x, SLUICE_FIELD_HOST, &host) || host.len == 0)
		return;
	text_put(out, sluice_str(";host=\""));
	text_put(out, host);
	text_put(out, sluice_str("\""));
}

/* RFC 7239 §4: behind what a trusted peer says, else instead of it. */
static int set_forwarded(struct proxy *proxy, struct sluice_exchange *x, bool trusted)
{
	struct text out = {.room = proxy->room, .size = sizeof(proxy->room)};

	if (trusted)
		put_earlier(x, SLUICE_FIELD_FORWARDED, &out);
	put_node(&sluice_head(x)->client, &out);
	put_host(x, &out);
	text_put(&out, sluice_str(";proto=http"));
	if (out.full)
		return -ENOSPC;
	return sluice_field_set(x, "Forwarded", text_str(&out));
}

/* Nobody forges one, even where this proxy writes none. */
static int drop_forged(struct sluice_exchange *x)
{
	struct sluice_str value;

	if (sluice_field(x, SLUICE_FIELD_FORWARDED, &value))
		return 0;
	return sluice_field_remove(x, "Forwarded");
}

static int set_x_forwarded(struct proxy *proxy, struct sluice_exchange *x, bool trusted)
{
	int err = set_for(proxy, x, trusted);

	if (!err)
		err = set_proto(x, trusted);
	return err ? err : set_host(x, trusted);
}

int proxy_forwarded(struct proxy *proxy, struct sluice_exchange *x)
{
	bool trusted = networks_contain(&proxy->trusted, &sluice_head(x)->client);
	int err = 0;

	if (proxy->x_forwarded)
		err = set_x_forwarded(proxy, x, trusted);
	if (!err && proxy->forwarded)
		err = set_forwarded(proxy, x, trusted);
	else if (!err && proxy->x_forwarded && !trusted)
		err = drop_forged(x);
	return err;
}
