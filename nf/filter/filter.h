/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * filter: ordered rules that let a request through, deny it, mark it, or count against it.
 * README.md is its manual.
 *
 * config.c and lines.c read the rules once; check.c knows what a rule looks at, query.c spells
 * the request as rules see it; decide.c goes down the rules, body.c looks at the first bytes of a
 * body, command.c tells the hits. Everything belongs to one instance and its thread; rules
 * never change.
 */
#ifndef NF_FILTER_FILTER_H
#define NF_FILTER_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/common/network_map.h"
#include "nf/common/path.h"
#include "nf/common/pattern.h"
#include "nf/common/pool.h"
#include "nf/common/request_rule.h"

#define FILTER_ARGS_MAX       256 /* arguments of one query; more are a limit that was hit */
#define FILTER_BODY_RULES_MAX 64  /* they are bits of an exchange's ctx */
#define FILTER_LEVELS         4
#define FILTER_ROOM_BYTES     65536 /* a head is shorter */
#define FILTER_BODY_BYTES_MAX 32768

/* --- what a rule looks at ------------------------------------------------------------ */

enum filter_where {
	FILTER_PATH,   /* decoded and resolved */
	FILTER_TARGET, /* path and query, decoded */
	FILTER_RAW,    /* the target as it came */
	FILTER_ARG,    /* names and values of the query, decoded */
	FILTER_HEADER,
	FILTER_COOKIE,
	FILTER_BODY,
};

/* One condition more. Without `name`: any argument, field or cookie. Without `match`: it is there.
 */
struct filter_check {
	enum filter_where where;
	const char *name;
	struct field_name field; /* the name of a header */
	const struct pattern *match;
};

/* --- rules ---------------------------------------------------------------------------- */

enum filter_action {
	FILTER_ALLOW,
	FILTER_DENY,
	FILTER_TAG,
	FILTER_LOG,
	FILTER_SCORE,
};

struct filter_rule {
	const char *name;
	uint8_t action; /* enum filter_action */
	uint8_t level;
	uint8_t body_bit; /* of a rule that looks at the body */
	bool in_body;
	uint16_t status;
	uint32_t score;
	struct sluice_str body; /* of a denial */
	const char *tag;
	struct request_rule when;
	struct filter_check *check;
	unsigned checks;
	uint64_t *hits;
	uint64_t own_hits; /* where `hits` points when no counter is left */
};

struct filter_counters {
	uint64_t *requests, *allowed, *denied, *match_limits;
	uint64_t *tagged, *scored_out, *body_denied, *body_unseen, *networks_denied, *log_dropped;
};

enum filter_network { FILTER_NETWORK_NONE, FILTER_NETWORK_ALLOW, FILTER_NETWORK_DENY };

struct filter_arg {
	struct sluice_str name, value;
};

/* The first bytes of a body, put together. */
struct filter_body {
	struct filter_body *next;  /* of those that are free */
	struct filter_body *other; /* of all */
	uint32_t used, looked;
	char bytes[];
};

/* Of an exchange whose body is looked at. */
struct filter_ctx {
	uint64_t pending; /* body rules whose other conditions hold */
	uint32_t score;
	bool form; /* the body is a form: its decoded text counts, too */
	struct filter_body *body;
};

/* One request as rules see it; each spelling is made when the first rule asks. */
struct filter_view {
	struct filter *filter;
	struct sluice_exchange *x;
	struct sluice_str path;
	struct sluice_str target;
	bool target_made, args_made, args_over;
	bool steady; /* what comes of it follows from the head, and needs no count but the last */
	unsigned args;
};

struct filter {
	struct pool pool;
	struct patterns *patterns;
	struct filter_rule *rules; /* in the order they are tried */
	unsigned rules_count;
	const struct filter_rule *body_rule[FILTER_BODY_RULES_MAX];
	unsigned body_rules;
	struct network_map networks; /* values: enum filter_network */
	bool deny_by_default;
	bool deny_on_limit;
	bool by_head; /* no network and no rule asks who the client is */
	bool tags;    /* there are rules that tag */
	struct field_name tag_header;
	uint8_t paranoia, watch; /* rules up to these levels act, are counted */
	uint32_t threshold;      /* 0: none */
	uint16_t score_status;
	uint16_t status; /* of a denial that no rule asked for */
	struct filter_counters counters;
	uint32_t body_bytes;
	uint32_t bodies, bodies_max;
	struct filter_body *bodies_free, *bodies_all;
	uint32_t log_per_s, logged;
	int64_t log_second;
	struct path_room room;
	char target_room[FILTER_ROOM_BYTES + 1], arg_room[FILTER_ROOM_BYTES];
	char body_room[FILTER_BODY_BYTES_MAX];
	struct filter_arg arg[FILTER_ARGS_MAX];
};

/* Fills a zeroed `filter`. Errors are recorded; what was read so far is freed by the caller. */
int filter_read(struct filter *filter, struct sluice_nf *nf, const struct sluice_conf *config)
	__attribute__((warn_unused_result));

/* The file `rules_file`: its text, in the pool (NULL: there is none), and how many lines it has at
 * most; then its rules, after those that are there. */
int filter_lines_load(struct filter *filter, const struct sluice_conf *config, char **text,
		      unsigned *lines) __attribute__((warn_unused_result));
int filter_lines_read(struct filter *filter, const struct sluice_conf *config, char *text)
	__attribute__((warn_unused_result));

/* What is true of a rule however it was written: its name may stand once and be a counter's, and a
 * body is seen too late for some actions. 0, or -EINVAL with the error recorded; `place` goes
 * before it. */
int filter_rule_check(struct filter *filter, const struct sluice_conf *where, const char *place,
		      struct filter_rule *rule) __attribute__((warn_unused_result));

/* The conditions of a group beside those of struct request_rule: `decoded` `args` `cookies`
 * `content`. */
int filter_checks_read(struct filter *filter, const struct sluice_conf *group,
		       struct filter_rule *rule) __attribute__((warn_unused_result));

/* Every check of the rule but those of the body; and those of the body on `body`. */
enum pattern_result filter_checks_match(const struct filter_rule *rule, struct filter_view *view);
enum pattern_result filter_checks_body(const struct filter_rule *rule, struct sluice_str body);

struct sluice_str filter_view_target(struct filter_view *view);
/* False: there are more than FILTER_ARGS_MAX. */
bool filter_view_args(struct filter_view *view);
/* Escapes and "+" decoded; at most `text.len` bytes. */
struct sluice_str filter_form_decode(struct sluice_str text, char *room);

enum sluice_verdict filter_decide(struct filter *filter, struct sluice_exchange *x);
/* Requests let through for their heads were let through so often again: the hook `repeated`. */
void filter_repeated(struct sluice_nf *nf, uint32_t by, uint64_t times);

/* What a rule that matched does beside ending things: counts, tags, writes, scores. True: the score
 * is reached. Rules above `paranoia` only count. */
bool filter_hit(struct filter *filter, const struct filter_rule *rule, struct sluice_exchange *x,
		uint32_t *score);
bool filter_acts(const struct filter *filter, const struct filter_rule *rule);
/* The answers to what is denied: by nothing in particular, by a rule, by its score. */
enum sluice_verdict filter_deny(struct filter *filter, struct sluice_exchange *x, uint16_t status);
enum sluice_verdict filter_deny_by(struct filter *filter, const struct filter_rule *rule,
				   struct sluice_exchange *x);
enum sluice_verdict filter_score_out(struct filter *filter, struct sluice_exchange *x);

/* --- bodies --------------------------------------------------------------------------- */

enum sluice_verdict filter_body(struct sluice_exchange *x, const struct sluice_span *spans,
				unsigned n, bool end);
void filter_body_done(struct sluice_exchange *x, bool reset);
void filter_bodies_free(struct filter *filter);

int filter_command(struct sluice_nf *nf, struct sluice_command *command);

#endif
