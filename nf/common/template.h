/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text with holes that an exchange fills: "/new$1", "https://$host$target".
 *
 *   $0 … $9            what a pattern matched: the whole, and its groups
 *   $name, ${name}     a variable (variable.h); the second form where a letter follows
 *   ${name:argument}   one that needs to be told more: ${header:User-Agent}
 *   $$                 a dollar
 *
 * A variable may be of a head that is gone when the text is made: a response field that names the
 * request's host. Such values are noted while their head is there (struct keep, struct kept).
 *
 * Ownership: a template lies in the pool it was compiled into and never changes.
 */
#ifndef NF_COMMON_TEMPLATE_H
#define NF_COMMON_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/common/pattern.h"
#include "nf/common/text.h"
#include "nf/common/variable.h"

struct pool;
struct template_part;

struct template
{
	struct template_part *part;
	unsigned parts;
	bool has_query; /* a "?" of its own, or $target */
};

/* What must be noted of every exchange, for later. Made at init. */
#define KEEP_MAX 24
struct keep {
	struct variable variable[KEEP_MAX];
	unsigned count;
};

/* What was noted of one: in its ctx. A value that found no room is cut off, and `cut` says so. */
#define KEPT_BYTES 3072
struct kept {
	struct {
		uint16_t off, len;
	} value[KEEP_MAX];
	uint16_t used;
	bool cut;
	char room[KEPT_BYTES];
};

/* What a template may name. */
struct template_scope {
	const char *matched_by;          /* "path": what $N are of; NULL: there are none */
	unsigned captures;               /* the highest $N there is */
	enum variable_stage stage;       /* when the text is made */
	struct keep *keep;               /* for values of earlier stages; NULL: they are refused */
	const struct variable_kind *own; /* the function's own variables, up to one without name */
	bool has_id;                     /* $request_id */
};

/* What fills the holes of one exchange. */
struct template_source {
	struct variable_source from;
	const struct kept *kept;
	struct sluice_str capture[PATTERN_CAPTURES];
};

/* Errors are recorded about `where`. */
int template_compile(struct pool *pool, const struct sluice_conf *where, const char *text,
		     const struct template_scope *scope, struct template *out)
	__attribute__((warn_unused_result));

/* A template without holes: every dollar stands for itself. 0 or -ENOMEM. */
int template_plain(struct pool *pool, const char *text, struct template *out)
	__attribute__((warn_unused_result));

/* Appends the text to `out`, which becomes full when there is no room. */
void template_expand(const struct template *template, const struct template_source *source,
		     struct text *out);

/* How a value is written down; the rest of the text stands as it is. */
typedef void template_put(struct sluice_str value, bool number, struct text *out);
void template_expand_by(const struct template *template, const struct template_source *source,
			template_put *put, struct text *out);

/* Requests whose heads say the same, of the same client, make the same of it. */
bool template_is_steady(const struct template *template);

/* It begins with this text, whatever the request. */
bool template_begins(const struct template *template, const char *text);

/* Notes the values of this stage, whose head is there. */
void keep_note(const struct keep *keep, enum variable_stage stage,
	       const struct variable_source *from, struct kept *kept);

#endif
