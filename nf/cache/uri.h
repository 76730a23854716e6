/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The names of things in the cache: "host[:port]/path[?query]", the host in lower case and
 * without the port of http. And what a Location names, seen from there (RFC 3986 §5.2).
 * Pure; any thread.
 */
#ifndef NF_CACHE_URI_H
#define NF_CACHE_URI_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#define URI_KEY_MAX 8192

struct uri_key {
	uint32_t len;
	char text[URI_KEY_MAX];
};

/* `port`: digits, or empty. `target` begins with a slash or is empty. False: too long. */
bool uri_key_make(struct uri_key *key, struct sluice_str host, struct sluice_str port,
		  struct sluice_str target);

/* The key of "http://host[:port]/path" or "host[:port]/path". False: it is neither. */
bool uri_key_absolute(struct uri_key *key, struct sluice_str url);

/*
 * The key of what `reference` (a Location or Content-Location) names, for a response to `base`
 * (a key). False: it is of another origin, or no reference that we can follow.
 */
bool uri_key_resolve(struct uri_key *key, struct sluice_str base, struct sluice_str reference);

#endif
