/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regular expressions for functions: PCRE2 with its just-in-time compiler and with limits.
 *
 * A set holds the patterns of one function instance and what matching needs (limits, the
 * stack of compiled code, room for captures): matching allocates nothing once it is warm. Where the
 * system forbids memory that can be executed, patterns are interpreted: the same results,
 * more slowly.
 *
 * Patterns work on bytes, not on UTF-8 characters; "." matches every byte and "$" only the
 * very end, so that a line feed that was smuggled into a path hides nothing behind it.
 *
 * A subject that would cost more than the match limit gives PATTERN_LIMIT: neither yes nor
 * no. What then is right is for the function to say; it must not be "not matched, go on".
 *
 * Threads: a set and its patterns belong to the thread of their function.
 */
#ifndef NF_COMMON_PATTERN_H
#define NF_COMMON_PATTERN_H

#include <stdint.h>

#include <sluice/nf.h>

struct pattern;
struct patterns;

enum pattern_result { PATTERN_NO, PATTERN_YES, PATTERN_LIMIT };

#define PATTERN_NOCASE 1u

#define PATTERN_CAPTURES            10 /* $0 to $9; groups beyond match but are not kept */
#define PATTERN_MATCH_LIMIT_DEFAULT 100000

/* Steps that one match may take. Ends with patterns_destroy. 0 or -ENOMEM. */
int patterns_create(uint32_t match_limit, struct patterns **out)
	__attribute__((warn_unused_result));
void patterns_destroy(struct patterns *set);

/* Says in the log, once, when patterns could not be compiled to machine code. */
void patterns_report(const struct patterns *set, struct sluice_nf *nf);

/*
 * Compiles `text`; the pattern lives as long as its set. `flags`: PATTERN_*. What is wrong
 * with it is recorded as an error of the configuration about `where`.
 */
int pattern_compile(struct patterns *set, const struct sluice_conf *where, const char *text,
		    unsigned flags, const struct pattern **out) __attribute__((warn_unused_result));

/* The string `key` of `group` as a pattern; NULL when the key is absent. */
int pattern_read(struct patterns *set, const struct sluice_conf *group, const char *key,
		 unsigned flags, const struct pattern **out) __attribute__((warn_unused_result));

enum pattern_result pattern_match(const struct pattern *pattern, struct sluice_str subject);

/* Group `i` of the last match of any pattern of the set, within that match's subject; empty
 * when it took no part. Only after PATTERN_YES. */
struct sluice_str pattern_capture(const struct pattern *pattern, unsigned i);

/* Number of groups in the pattern, without $0. */
unsigned pattern_groups(const struct pattern *pattern);

#endif
