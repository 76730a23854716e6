/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a request asks of the cache: its target as a key, its directives, its conditions.
 * Read from the exchange in request_head, or while it is held.
 */
#ifndef NF_CACHE_ASK_H
#define NF_CACHE_ASK_H

#include <stdbool.h>

#include <sluice/nf.h>

#include "cc.h"
#include "uri.h"
#include "vary.h"

enum ask_kind {
	ASK_READ,   /* GET or HEAD that the cache may answer */
	ASK_CHANGE, /* a method that is not safe: makes what is stored invalid */
	ASK_PURGE,
	ASK_OTHER, /* none of our business */
};

struct ask {
	enum ask_kind kind;
	bool head;        /* HEAD */
	bool post;        /* POST */
	bool authorized;  /* has Authorization */
	bool conditional; /* has If-None-Match or If-Modified-Since */
	bool range;
	struct cc cc; /* as if absent when client directives do not count */
	struct uri_key key;
};

void ask_make(struct ask *ask, const struct sluice_exchange *x, bool client_directives);

/* The lines of the live request, for Vary and for conditions. */
struct vary_request ask_vary(const struct sluice_exchange *x);

static inline struct sluice_str ask_key(const struct ask *ask)
{
	return (struct sluice_str){ask->key.text, ask->key.len};
}

#endif
