/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The conditions of a client's request (RFC 9110 §13), decided on a stored head. Pure.
 */
#ifndef NF_CACHE_CONDITION_H
#define NF_CACHE_CONDITION_H

#include <stdbool.h>

#include <sluice/nf.h>

struct object;
struct vary_request;

/* Does the client have it already: is 304 the answer? */
bool condition_not_modified(const struct vary_request *request, const struct object *object,
			    int64_t now);

/* Does the Range of the request hold, by its If-Range? */
bool condition_range_holds(const struct vary_request *request, const struct object *object,
			   int64_t now);

#endif
