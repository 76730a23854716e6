/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * proxy: routes requests to upstream groups by host, path and method; connections of tcp chains to
 * one group, with PROXY headers in and out. README.md is its manual.
 *
 * config.c reads the routes once; route.c finds a request's route; edits.c makes the route's
 * changes; again.c has what was made of requests that came before; same.c, forwarded.c and via.c
 * the fields by which proxies tell of themselves; own_answers.c and pages.c are for requests that a
 * proxy must answer itself. open.c is for connections, and header.c for their PROXY headers.
 * Everything belongs to one instance and its thread; routes never change.
 *
 * Fields of the connection (RFC 9110 §7.6.1) are none of its business: the manager took
 * those that Connection names out of the head before any function saw it, leaves the other
 * hop-by-hop fields out when it writes a head, and refuses edits of them.
 */
#ifndef NF_PROXY_PROXY_H
#define NF_PROXY_PROXY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sluice/nf.h>

#include "nf/common/field.h"
#include "nf/common/network.h"
#include "nf/common/path.h"
#include "nf/common/pool.h"
#include "nf/common/request_rule.h"
#include "nf/common/template.h"
#include "nf/proxy/header.h"

struct proxy_set {
	const char *name;
	struct template value;
};

/* Changes to a head. */
struct proxy_edits {
	struct proxy_set *set;
	unsigned set_count;
	struct read_names remove;
};

struct proxy_route {
	struct request_rule rule;
	struct sluice_how how;
	bool redirects;
	uint16_t group; /* where it leads, unless it redirects */
	uint16_t redirect_status;
	struct template redirect_to;
	bool rewrites;
	struct template rewrite;
	struct proxy_edits request, response;
	bool steady; /* the same for every request whose head says the same, of one client */
};

/* What is answered instead of errors of these statuses. */
struct proxy_page {
	uint16_t *status;
	unsigned status_count;
	const char *type;
	struct sluice_str text;
};

struct proxy_pages {
	struct proxy_page *page;
	unsigned count;
	bool intercept; /* also instead of what servers answer */
};

/* What was told of a client. */
#define PROXY_SAME 64 /* clients; a power of two */
struct proxy_same {
	bool used;
	uint8_t version;
	struct sluice_peer client;
	uint32_t host_len;
	char host[64];
	struct sluice_kept_edits edits;
};

/* What was made of a request. */
#define PROXY_AGAIN 64 /* requests; a power of two */
struct proxy_again {
	uint64_t same; /* of its head; 0: free */
	struct sluice_peer client;
	const struct proxy_route *route;
	struct sluice_kept_edits edits;
};

struct proxy_counters {
	uint64_t *requests, *routed, *redirected, *no_route, *refused, *loops, *match_limits,
		*edit_errors, *pages, *connections, *headers_in, *headers_out, *headers_bad,
		*no_memory;
};

/* Whose connections begin with a PROXY header. */
enum proxy_accept { PROXY_ACCEPT_NEVER, PROXY_ACCEPT_TRUSTED, PROXY_ACCEPT_ALWAYS };

struct proxy {
	struct pool pool;
	struct patterns *patterns;
	struct proxy_route *routes;
	unsigned routes_count;
	struct networks trusted;
	uint16_t upstream; /* of connections, and of requests without `routes`; SLUICE_NONE16: none
			    */
	enum proxy_accept accept;
	enum header_version send;
	bool x_forwarded, forwarded;
	struct proxy_pages pages;
	bool trace;                           /* is forwarded */
	uint32_t max_loops;                   /* 0: loops are not looked for */
	const char *via;                      /* the pseudonym; "": no Via */
	const char *via_values[2];            /* for a message of HTTP/1.0, and of 1.1 */
	struct sluice_kept_edits via_same[2]; /* the edit that adds it, once it was made */
	struct proxy_counters counters;
	struct proxy_same same[PROXY_SAME];
	struct proxy_again again[PROXY_AGAIN];
	struct path_room path_room;
	char room[SLUICE_EDITS_MAX_BYTES]; /* for the text of one edit at a time */
};

/* Fills a zeroed `proxy`. Errors are recorded; what was read so far is freed by the caller. */
int proxy_read(struct proxy *proxy, struct sluice_nf *nf, const struct sluice_conf *config)
	__attribute__((warn_unused_result));
/* Parts of it: of a route, how its exchanges are brought to their servers; of all, the pages. */
int proxy_read_how(const struct sluice_conf *route, struct sluice_how *out)
	__attribute__((warn_unused_result));
int proxy_read_pages(struct proxy *proxy, const struct sluice_conf *config)
	__attribute__((warn_unused_result));

/* The route of source->from.x and, in `source`, what its path captured. */
enum pattern_result proxy_find_route(const struct proxy *proxy, struct template_source *source,
				     const struct proxy_route **out);

/* True: the request was answered here, with *verdict (RFC 9110 §7.6.2, §9.3.6 to §9.3.8; loops). */
bool proxy_answers(struct proxy *proxy, struct sluice_exchange *x, enum sluice_verdict *verdict);
enum sluice_verdict proxy_redirect(struct proxy *proxy, const struct proxy_route *route,
				   const struct template_source *source);

/* Answers with an error; its page, if there is one. */
enum sluice_verdict proxy_error(struct proxy *proxy, struct sluice_exchange *x, uint16_t status);
/* True: the response, whose head is there, was answered with a page, with *verdict. */
bool proxy_page(struct proxy *proxy, struct sluice_exchange *x, enum sluice_verdict *verdict);

/* A number for a client and something else of its request. Neighbours get different ones, of either
 * family: the addresses of IPv6 differ at their ends. */
static inline uint32_t proxy_mix(const struct sluice_peer *client, uint64_t with)
{
	uint64_t half[2];

	memcpy(half, client->bytes, sizeof(half));
	half[0] ^= half[1] ^ with << 1;
	return (uint32_t)((half[0] ^ half[0] >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* The route of a request that came before, whose edits are made; NULL: it did not. And keeps what
 * was made of one that was sent on its way. */
const struct proxy_route *proxy_recall(struct proxy *proxy, struct sluice_exchange *x);
void proxy_keep(struct proxy *proxy, const struct sluice_exchange *x,
		const struct proxy_route *route);

/* Edits: 0, or -errno of the first that was refused. */
int proxy_edit(struct proxy *proxy, const struct proxy_edits *edits,
	       const struct template_source *source);
int proxy_rewrite(struct proxy *proxy, const struct proxy_route *route,
		  const struct template_source *source);
/* Of the client: the two that follow, as they were if they would be the same. */
int proxy_tell(struct proxy *proxy, struct sluice_exchange *x);
int proxy_forwarded(struct proxy *proxy, struct sluice_exchange *x);
int proxy_via(struct proxy *proxy, struct sluice_exchange *x);

/* The hook of connections. */
enum sluice_verdict proxy_open(struct sluice_exchange *x);

/* How often this proxy stands in the request's Via. */
unsigned proxy_via_count(const struct proxy *proxy, const struct sluice_exchange *x);

#endif
