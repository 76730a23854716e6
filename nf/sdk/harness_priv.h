/* SPDX-License-Identifier: BSD-3-Clause */
/* What the harness's files share; tests include nf/sdk/harness.h. */
#ifndef NF_SDK_HARNESS_PRIV_H
#define NF_SDK_HARNESS_PRIV_H

#include "nf/sdk/core.h"
#include "nf/sdk/harness.h"

enum {
	HARNESS_REGION_RX = 1,
	HARNESS_REGION_MESSAGES,
	HARNESS_REGION_UPSTREAMS,
	HARNESS_REGION_ARENA
};

/* Memory as a function has it: written through one mapping, seen through another that only reads.
 * Filled from the front, never reused. */
struct harness_memory {
	uint8_t *write;
	const uint8_t *read;
	uint64_t used;
	uint16_t region;
};

struct harness_bytes {
	uint8_t *data;
	size_t len, size;
};

struct harness_pair {
	char *name, *value;
};

struct harness_exchange {
	struct harness *h;
	struct harness_exchange *next;
	uint32_t slot;
	uint32_t pieces;
	bool left;     /* the function answered SLUICE_LEAVE: it hears no more */
	bool answered; /* the last head */
	bool response; /* the last head was an answer's */
	enum sluice_verdict verdict, piece_verdict;
	uint16_t group, server, status;
	uint64_t body_bytes;
	bool body_ended, body_cut;
	bool resized; /* the last head's body will have another length */
	struct harness_bytes body, piece, edits;
	struct harness_bytes early, ahead; /* of a connection */
	uint32_t early_taken;
	struct sluice_peer client, local;
	struct sluice_how how;
	bool has_how;
	uint16_t steady_ms;
	uint32_t steady_tag;
	char *method, *target;
	uint64_t request;            /* where its head lies, without edits */
	struct harness_pair *fields; /* of the last head, with the edits of its answer */
	unsigned fields_count;
};

struct harness {
	struct sluice_nf *nf;
	struct harness_memory rx, messages;
	struct sluice_upstreams *upstreams;
	void *arena;
	uint64_t arena_bytes;
	struct harness_exchange *exchanges;
	uint32_t slots;
	struct sluice_peer client, local;
	uint16_t routed_group, routed_server;
	uint32_t room;
	unsigned unsteady; /* said so often */
	bool hold_sent;
	uint32_t *sent; /* tags in flight */
	size_t sent_count, sent_size;
	struct harness_ask *asks; /* oldest first */
	const char *write_name;   /* NULL: nothing may be written */
	int write_end[2];         /* to read, to write */
	struct harness_bytes written;
	char *conf_error; /* the config's syntax */
	char *answer;     /* to the last command */
	char **logs;
	unsigned logs_count;
};

/* A sentence about the test's mistake; does not return. */
_Noreturn void harness_abort(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *harness_grow(void *memory, size_t bytes);
char *harness_copy(const char *text, size_t len);
void harness_append(struct harness_bytes *bytes, const void *data, size_t len); /* a NUL follows */
void *harness_take(struct harness_memory *memory, size_t bytes, uint64_t *offset);

/* libconfig text to JSON with places; NULL with `error` set. */
char *harness_conf_json(const char *config, char **error);

/* What a head is made of. */
struct harness_line {
	bool response;
	uint8_t version;
	uint16_t status;
	const char *method, *target;
	const struct harness_field *fields;
};
/* Its index, as the manager would write it: the `arg` of a descriptor. */
uint32_t harness_head_write(struct harness *h, const struct harness_line *line);

/* The fields that edits work on, and the edits. */
void harness_fields_set(struct harness_exchange *x, const struct harness_field *fields);
void harness_edits_apply(struct harness_exchange *x, const uint8_t *text, size_t bytes);
void harness_fields_free(struct harness_exchange *x);

void harness_ask_begin(struct harness *h, const struct sluice_up *up, const uint8_t *text);
void harness_ask_dropped(struct harness *h, const struct sluice_up *up);
void harness_asks_free(struct harness *h);
/* Bytes where a function finds them. */
void harness_slice(struct harness *h, const struct sluice_span *span, struct sluice_slice *slice);

int harness_writing(void *ctx, const char *name);
void harness_writing_free(struct harness *h);

extern const struct nf_env harness_env;
struct harness_exchange *harness_exchange_new(struct harness *h, const char *target);
/* A head is about to be shown: no answer to it yet. */
void harness_answer_forget(struct harness_exchange *x);
void harness_event(struct harness_exchange *x, struct sluice_down *down);
enum sluice_verdict harness_body_event(struct harness_exchange *x, enum sluice_down_kind kind,
				       const struct sluice_span *spans, unsigned n, bool end);
void harness_exchange_free(struct harness_exchange *x);
/* Acknowledges what was sent, unless it is held; runs `writable` while that helps. */
void harness_settle(struct harness *h);

#endif
