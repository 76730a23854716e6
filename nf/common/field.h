/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Header fields by a name that was resolved once, and fields as they stand in a
 * configuration. All of it is made at init and never changed after.
 */
#ifndef NF_COMMON_FIELD_H
#define NF_COMMON_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/common/read.h"

struct pool;

struct field_name {
	const char *name;
	uint16_t id; /* enum sluice_field_id */
};

struct field_name field_name_of(const char *name);

/* The fields of that name in order: indexes for sluice_field_value; SLUICE_NONE16: no more. */
unsigned field_first(const struct sluice_exchange *x, const struct field_name *name);
unsigned field_after(const struct sluice_exchange *x, const struct field_name *name, unsigned i);

/* What a configuration wants to do with a field, for the checks: the manager lets nobody touch
 * framing and hop-by-hop fields, and Host may only be set, in a request. */
enum field_use { FIELD_SET_IN_REQUEST, FIELD_SET_IN_RESPONSE, FIELD_REMOVE };

/* 0, or -EINVAL with the error recorded about `where`. */
int field_check(const struct sluice_conf *where, const char *name, enum field_use use)
	__attribute__((warn_unused_result));

struct field_pair {
	const char *name, *value;
	const struct sluice_conf *where;
};

struct field_pairs {
	struct field_pair *pair;
	unsigned count;
};

/* `key = ( { name = "…"; value = "…"; }, … )`; absent: none. */
int field_pairs_read(struct pool *pool, const struct sluice_conf *group, const char *key,
		     enum field_use use, struct field_pairs *out)
	__attribute__((warn_unused_result));

/* `key = [ "X-Powered-By", … ]`; absent: none. */
int field_names_read(struct pool *pool, const struct sluice_conf *group, const char *key,
		     enum field_use use, struct read_names *out)
	__attribute__((warn_unused_result));

#endif
