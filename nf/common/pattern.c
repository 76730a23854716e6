/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/pattern.h"

#include <errno.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define JIT_STACK_START_BYTES (32 * 1024)
#define JIT_STACK_MAX_BYTES   (512 * 1024)
#define HEAP_LIMIT_KB         1024 /* of the interpreter's frames */

struct pattern {
	struct pattern *next;
	struct patterns *set;
	pcre2_code *code;
	unsigned groups;
};

struct patterns {
	struct pattern *first;
	pcre2_match_context *context;
	pcre2_match_data *match;
	pcre2_jit_stack *stack;
	const char *subject; /* of the last match */
	unsigned interpreted;
};

int patterns_create(uint32_t match_limit, struct patterns **out)
{
	struct patterns *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	set->context = pcre2_match_context_create(NULL);
	set->match = pcre2_match_data_create(PATTERN_CAPTURES, NULL);
	/* Without a stack of its own, compiled code uses 32 KB of the thread's. */
	set->stack = pcre2_jit_stack_create(JIT_STACK_START_BYTES, JIT_STACK_MAX_BYTES, NULL);
	if (!set->context || !set->match) {
		patterns_destroy(set);
		return -ENOMEM;
	}
	pcre2_set_match_limit(set->context, match_limit);
	pcre2_set_heap_limit(set->context, HEAP_LIMIT_KB);
	if (set->stack)
		pcre2_jit_stack_assign(set->context, NULL, set->stack);
	*out = set;
	return 0;
}

void patterns_destroy(struct patterns *set)
{
	if (!set)
		return;
	while (set->first) {
		struct pattern *pattern = set->first;

		set->first = pattern->next;
		pcre2_code_free(pattern->code);
		free(pattern);
	}
	pcre2_jit_stack_free(set->stack);
	pcre2_match_data_free(set->match);
	pcre2_match_context_free(set->context);
	free(set);
}

void patterns_report(const struct patterns *set, struct sluice_nf *nf)
{
	if (set->interpreted > 0)
		sluice_log(nf, SLUICE_LOG_WARN,
			   "%u patterns are interpreted: compiled code is not allowed here",
			   set->interpreted);
}

static pcre2_code *compile(const struct sluice_conf *where, const char *text, uint32_t options)
{
	PCRE2_UCHAR message[256];
	PCRE2_SIZE offset;
	pcre2_code *code;
	int error;

	code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &error, &offset,
			     NULL);
	if (!code) {
		pcre2_get_error_message(error, message, sizeof(message));
		(void)sluice_conf_error(where, "bad pattern at offset %zu: %s", (size_t)offset,
					(const char *)message);
	}
	return code;
}

int pattern_compile(struct patterns *set, const struct sluice_conf *where, const char *text,
		    unsigned flags, const struct pattern **out)
{
	uint32_t options = PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
	struct pattern *pattern;
	uint32_t groups = 0;

	pattern = calloc(1, sizeof(*pattern));
	if (!pattern)
		return -ENOMEM;
	pattern->set = set;
	pattern->code =
		compile(where, text, options | (flags & PATTERN_NOCASE ? PCRE2_CASELESS : 0));
	if (!pattern->code) {
		free(pattern);
		return -EINVAL;
	}
	if (pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE) != 0)
		++set->interpreted;
	(void)pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	pattern->groups = groups;
	pattern->next = set->first;
	set->first = pattern;
	*out = pattern;
	return 0;
}

int pattern_read(struct patterns *set, const struct sluice_conf *group, const char *key,
		 unsigned flags, const struct pattern **out)
{
	const char *text;
	int err = sluice_conf_string(group, key, NULL, &text);

	*out = NULL;
	if (err || !text)
		return err;
	return pattern_compile(set, group, text, flags, out);
}

enum pattern_result pattern_match(const struct pattern *pattern, struct sluice_str subject)
{
	struct patterns *set = pattern->set;
	int found;

	set->subject = subject.ptr;
	found = pcre2_match(pattern->code, (PCRE2_SPTR)subject.ptr, subject.len, 0, 0, set->match,
			    set->context);
	if (found >= 0)
		return PATTERN_YES;
	/* Every other error is a match that was given up: a limit, or no memory. */
	return found == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_LIMIT;
}

struct sluice_str pattern_capture(const struct pattern *pattern, unsigned i)
{
	const struct patterns *set = pattern->set;
	const PCRE2_SIZE *pair = pcre2_get_ovector_pointer(set->match);

	if (i > pattern->groups || i >= PATTERN_CAPTURES || pair[2 * i] == PCRE2_UNSET ||
	    pair[2 * i + 1] <= pair[2 * i])
		return sluice_str("");
	return (struct sluice_str){set->subject + pair[2 * i],
				   (uint32_t)(pair[2 * i + 1] - pair[2 * i])};
}

unsigned pattern_groups(const struct pattern *pattern)
{
	return pattern->groups;
}
