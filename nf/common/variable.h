/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The variables of templates: where a value comes from, and from when on it is known.
 */
#ifndef NF_COMMON_VARIABLE_H
#define NF_COMMON_VARIABLE_H

#include <stdbool.h>

#include <sluice/nf.h>

#include "nf/common/field.h"
#include "nf/common/unique.h"

struct pool;

/* A head can be read at its own stage only. ALWAYS: of no head. */
enum variable_stage { STAGE_ALWAYS, STAGE_REQUEST, STAGE_RESPONSE, STAGE_END };

struct variable_source {
	struct sluice_exchange *x;
	struct sluice_str path; /* of the request, in the function's spelling */
	struct unique *unique;  /* with $request_id: where it comes from, and where this one is: */
	char *id;               /* UNIQUE_BYTES of the ctx, zeroed until it is first wanted */
	const void *own;        /* for the function's own variables */
};

#define VARIABLE_SCRATCH 64

struct variable;
typedef struct sluice_str variable_value(const struct variable *variable,
					 const struct variable_source *from, char *scratch);

enum variable_argument { ARGUMENT_NONE, ARGUMENT_FIELD, ARGUMENT_TOKEN };

struct variable_kind {
	const char *name;
	enum variable_stage stage;
	enum variable_argument argument;
	variable_value *value;
	bool number; /* or nothing */
};

struct variable {
	const struct variable_kind *kind;
	struct field_name argument; /* a token has no number */
};

/* `name` with its argument, as it stands between braces. `own` may be NULL. 0, -ENOMEM, or -EINVAL
 * with the error recorded about `where`. */
int variable_find(struct pool *pool, const struct sluice_conf *where, struct sluice_str name,
		  const struct variable_kind *own, struct variable *out)
	__attribute__((warn_unused_result));

struct sluice_str variable_get(const struct variable *variable, const struct variable_source *from,
			       char scratch[VARIABLE_SCRATCH]);

/* It follows from what the request's head says, and from the client's address. */
bool variable_is_steady(const struct variable *variable);
bool variable_is_id(const struct variable *variable);
bool variable_equal(const struct variable *a, const struct variable *b);

/* A number in `scratch`. */
struct sluice_str variable_number(uint64_t number, char *scratch);

#endif
