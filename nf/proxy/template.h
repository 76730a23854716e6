/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text with holes that a request fills: "/new$1", "https://$host$target".
 *
 *   $0 … $9    what the route's path matched: the whole, and its groups
 *   $host      without the port       $path     in canonical form, without the query
 *   $method                           $query    without "?"
 *   $client    address of the peer    $target   as it came: path and query
 *   ${name}    the same, where a letter or digit follows       $$   a dollar
 *
 * Ownership: a template lies in the pool it was compiled into and never changes.
 */
#ifndef NF_PROXY_TEMPLATE_H
#define NF_PROXY_TEMPLATE_H

#include <stdbool.h>

#include <sluice/nf.h>

#include "nf/common/pattern.h"
#include "nf/common/text.h"

struct pool;
struct template_part;

struct template
{
	struct template_part *part;
	unsigned parts;
	bool has_query; /* a "?" of its own, or $target */
};

/* What fills the holes of one request. */
struct template_source {
	struct sluice_exchange *x;
	struct sluice_str path; /* canonical */
	struct sluice_str capture[PATTERN_CAPTURES];
};

/* `captures`: the highest number that the route's path gives. Errors are recorded about `where`. */
int template_compile(struct pool *pool, const struct sluice_conf *where, const char *text,
		     unsigned captures, struct template *out) __attribute__((warn_unused_result));

/* A template without holes: every dollar stands for itself. 0 or -ENOMEM. */
int template_plain(struct pool *pool, const char *text, struct template *out)
	__attribute__((warn_unused_result));

/* Appends the text to `out`, which becomes full when there is no room. */
void template_expand(const struct template *template, const struct template_source *source,
		     struct text *out);

/* It begins with this text, whatever the request. */
bool template_begins(const struct template *template, const char *text);

#endif
