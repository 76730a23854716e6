/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * X-Forwarded-For, -Proto and -Host: what the origin can no longer see of the client. What a
 * peer says about clients before it is kept only if that peer is trusted.
 */
#include "nf/proxy/proxy.h"

#include <errno.h>

/* The values that came, joined to one list. */
static void put_earlier(const struct sluice_exchange *x, struct text *out)
{
	for (unsigned i = sluice_field_first(x, SLUICE_FIELD_X_FORWARDED_FOR); i != SLUICE_NONE16;
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
		put_earlier(x, &out);
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

/* RFC 7239: this proxy does not write it, but lets nobody forge it either. */
static int drop_forged(struct sluice_exchange *x)
{
	struct sluice_str value;

	if (sluice_field(x, SLUICE_FIELD_FORWARDED, &value))
		return 0;
	return sluice_field_remove(x, "Forwarded");
}

int proxy_forwarded(struct proxy *proxy, struct sluice_exchange *x)
{
	bool trusted = networks_contain(&proxy->trusted, &sluice_head(x)->client);
	int err;

	if (!proxy->x_forwarded)
		return 0;
	err = set_for(proxy, x, trusted);
	if (!err)
		err = set_proto(x, trusted);
	if (!err)
		err = set_host(x, trusted);
	if (!err && !trusted)
		err = drop_forged(x);
	return err;
}
