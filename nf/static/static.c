/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/static/static.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "nf/common/answer.h"
#include "nf/common/head_text.h"

#define CONTENT_RANGE_BYTES 64

/* What a steady answer is, for the counters when it is repeated. */
enum said { SAID_NOT_MODIFIED = 1 << 0, SAID_PARTIAL = 1 << 1, SAID_FILE = 1 << 2 };

/* What one answer consists of. */
struct reply {
	const struct static_response *response;
	const struct static_body *body;
	const char *type;
	const char *coding; /* NULL: none */
	int fd;             /* of a body that is not in the arena */
	uint32_t steady_ms; /* so long the same head gets the same */
	uint16_t status;
	struct static_part part;
};

static enum sluice_verdict finish(struct static_nf *self, int err)
{
	if (err)
		return SLUICE_RESET;
	++*self->counters.answered;
	return SLUICE_RESPOND;
}

static int add_validators(struct sluice_exchange *x, const struct static_body *body)
{
	int err = 0;

	if (body->etag[0] != '\0')
		err = sluice_field_add(x, "ETag", sluice_str(body->etag));
	if (!err && body->dated)
		err = sluice_field_add(x, "Last-Modified", sluice_str(body->last_modified));
	return err;
}

static int add_headers(struct sluice_exchange *x, const struct field_pairs *headers)
{
	int err = 0;

	for (unsigned i = 0; !err && i < headers->count; ++i)
		err = sluice_field_add(x, headers->pair[i].name,
				       sluice_str(headers->pair[i].value));
	return err;
}

/* RFC 9110 §14.4 */
static int add_content_range(struct sluice_exchange *x, const struct reply *reply)
{
	const struct static_part *part = &reply->part;
	unsigned long long size = reply->body->size, off = part->off, len = part->len;
	char text[CONTENT_RANGE_BYTES];

	if (reply->status == 206)
		snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", off, off + len - 1, size);
	else
		snprintf(text, sizeof(text), "bytes */%llu", size);
	return sluice_field_add(x, "Content-Range", sluice_str(text));
}

/* RFC 9110 §15.4.5: what a 304 says besides, it says as a 200 would. */
static int add_fields(struct sluice_exchange *x, const struct reply *reply)
{
	const struct static_response *response = reply->response;
	bool described = reply->part.len > 0 || reply->body->size > 0;
	int err = 0;

	if (reply->status != 304 && described)
		err = sluice_field_add(x, "Content-Type", sluice_str(reply->type));
	if (!err && reply->status != 304 && reply->coding)
		err = sluice_field_add(x, "Content-Encoding", sluice_str(reply->coding));
	if (!err && response->root.variants)
		err = sluice_field_add(x, "Vary", sluice_str("Accept-Encoding"));
	if (!err && reply->status == 206)
		err = add_content_range(x, reply);
	if (!err)
		err = add_validators(x, reply->body);
	return err ? err : add_headers(x, &response->headers);
}

static int send_part(struct static_nf *self, struct sluice_exchange *x, struct reply *reply)
{
	if (reply->part.len == 0 || answer_has_no_body(reply->status) ||
	    sluice_head(x)->method == SLUICE_METHOD_HEAD)
		return 0;
	if (reply->fd < 0)
		return sluice_respond_body(x, reply->body->buf, (uint32_t)reply->part.off,
					   (uint32_t)reply->part.len, true);
	stream_start(self, x, reply->fd, reply->body, &reply->part);
	reply->fd = -1;
	return 0;
}

static void say_steady(struct sluice_exchange *x, const struct reply *reply)
{
	uint32_t said = (reply->status == 304 ? SAID_NOT_MODIFIED : 0u) |
			(reply->status == 206 ? SAID_PARTIAL : 0u) |
			(reply->response->has_root ? SAID_FILE : 0u);

	if (reply->steady_ms && reply->fd < 0)
		sluice_steady(x, reply->steady_ms, said);
}

static enum sluice_verdict send_reply(struct static_nf *self, struct sluice_exchange *x,
				      struct reply *reply)
{
	bool none = answer_has_no_body(reply->status);
	int err = sluice_respond(x, reply->status, none ? SLUICE_LENGTH_NONE : reply->part.len);

	say_steady(x, reply);
	if (!err)
		err = add_fields(x, reply);
	if (!err)
		err = send_part(self, x, reply);
	return finish(self, err);
}

static void static_repeated(struct sluice_nf *nf, uint32_t said, uint64_t times)
{
	struct static_nf *self = sluice_data(nf);

	*self->counters.requests += times;
	*self->counters.answered += times;
	if (said & SAID_NOT_MODIFIED)
		*self->counters.not_modified += times;
	if (said & SAID_PARTIAL)
		*self->counters.partial += times;
	if (said & SAID_FILE)
		*self->files.counters.hits += times;
}

static enum sluice_verdict send_unsatisfiable(struct static_nf *self, struct sluice_exchange *x,
					      const struct reply *reply)
{
	int err = sluice_respond(x, 416, 0);

	return finish(self, err ? err : add_content_range(x, reply));
}

static enum sluice_verdict send_echo(struct static_nf *self, struct sluice_exchange *x,
				     const struct static_response *response)
{
	struct sluice_str text = head_text(x, true, self->room, sizeof(self->room));
	int err = sluice_respond(x, response->status, text.len);

	if (!err)
		err = sluice_field_add(x, "Content-Type", sluice_str(response->type));
	if (!err)
		err = add_headers(x, &response->headers);
	if (!err && sluice_head(x)->method != SLUICE_METHOD_HEAD)
		err = sluice_respond_text(x, text, true);
	return finish(self, err);
}

/* Conditions and ranges are about what GET gets: RFC 9110 §13.2.1, §14.2. */
static enum sluice_verdict send_wanted(struct static_nf *self, struct sluice_exchange *x,
				       struct reply *reply)
{
	const struct static_body *body = reply->body;

	reply->status = static_condition(x, body);
	if (reply->status == 412)
		return answer_status(x, 412);
	if (reply->status == 304) {
		++*self->counters.not_modified;
		return send_reply(self, x, reply);
	}
	if (sluice_head(x)->method == SLUICE_METHOD_GET)
		reply->status = static_range(x, body, &reply->part);
	if (reply->status == 416)
		return send_unsatisfiable(self, x, reply);
	if (reply->status == 206)
		++*self->counters.partial;
	return send_reply(self, x, reply);
}

static enum sluice_verdict answer_otherwise(struct static_nf *self, struct sluice_exchange *x)
{
	if (self->pass) {
		++*self->counters.passed;
		return SLUICE_LEAVE;
	}
	++*self->counters.not_found;
	return answer_status(x, 404);
}

static enum sluice_verdict send_found(struct static_nf *self, struct sluice_exchange *x,
				      const struct static_response *response, struct found *found)
{
	struct reply reply = {
		.response = response,
		.body = found->body,
		.type = response->type ? response->type : found->type,
		.coding = found->coding,
		.fd = found->fd,
		.steady_ms = (uint32_t)(found->fresh_us / 1000),
		.part = {0, found->body->size},
	};
	enum sluice_verdict verdict = send_wanted(self, x, &reply);

	if (reply.fd >= 0)
		close(reply.fd);
	return verdict;
}

static enum sluice_verdict answer_root(struct static_nf *self, struct sluice_exchange *x,
				       const struct static_response *response)
{
	struct found found;
	int status;

	if (!stream_may_read(self))
		return stream_wait(self, x);
	status = static_root_find(self, x, response, &found);
	if (status == 404)
		return answer_otherwise(self, x);
	if (status)
		return answer_status(x, (uint16_t)status);
	if (found.directory)
		return static_root_redirect(self, x);
	return send_found(self, x, response, &found);
}

static enum sluice_verdict answer(struct static_nf *self, struct sluice_exchange *x,
				  const struct static_response *response)
{
	struct reply reply = {
		.response = response,
		.body = &response->body,
		.type = response->type,
		.fd = -1,
		.steady_ms = SLUICE_STEADY_MS_MAX,
		.status = response->status,
		.part = {0, response->body.size},
	};
	uint8_t method = sluice_head(x)->method;

	if (response->has_root)
		return answer_root(self, x, response);
	if (response->echo)
		return send_echo(self, x, response);
	if (response->status == 200 &&
	    (method == SLUICE_METHOD_GET || method == SLUICE_METHOD_HEAD))
		return send_wanted(self, x, &reply);
	return send_reply(self, x, &reply);
}

static enum sluice_verdict refuse_method(struct static_nf *self, struct sluice_exchange *x,
					 const struct static_response *response)
{
	struct answer refusal = {.status = 405,
				 .text = sluice_str(answer_reason(405)),
				 .name = "Allow",
				 .value = sluice_str(response->allow)};

	++*self->counters.refused;
	return answer_send(x, &refusal);
}

static bool is_for(const struct static_response *response, struct sluice_exchange *x,
		   struct sluice_str path)
{
	return host_rule_match(&response->host, sluice_host(x)) == PATTERN_YES &&
	       path_rule_match(&response->path, path) == PATTERN_YES;
}

/* The first response for this host and path that has the method; if only the method is wrong, 405.
 */
enum sluice_verdict static_serve(struct static_nf *self, struct sluice_exchange *x)
{
	struct sluice_str path = path_canonical(sluice_path(x), &self->path_room);
	unsigned count = self->responses_count, near = count;

	for (unsigned i = 0; i < count; ++i) {
		const struct static_response *response = &self->responses[i];

		if (!is_for(response, x, path))
			continue;
		if (methods_contain(&response->methods, x))
			return answer(self, x, response);
		if (near == count)
			near = i;
	}
	if (near < count)
		return refuse_method(self, x, &self->responses[near]);
	return answer_otherwise(self, x);
}

static enum sluice_verdict static_request(struct sluice_exchange *x)
{
	struct static_nf *self = sluice_data(sluice_of(x));

	++*self->counters.requests;
	return static_serve(self, x);
}

static void static_writable(struct sluice_nf *nf)
{
	stream_advance_all(sluice_data(nf));
}

static void response_free(struct static_response *response)
{
	static_body_free(&response->body);
	if (response->has_root)
		close(response->root.fd);
}

static void static_free(struct static_nf *self)
{
	for (unsigned i = 0; i < self->responses_count; ++i)
		response_free(&self->responses[i]);
	stream_free(self);
	files_free(&self->files);
	patterns_destroy(self->patterns);
	pool_free(&self->pool);
	free(self);
}

static int static_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct static_nf *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;
	self->nf = nf;
	err = files_init(&self->files, nf);
	if (!err)
		err = stream_init(self);
	if (!err)
		err = static_read(self, nf, config);
	if (err) {
		static_free(self);
		return err;
	}
	patterns_report(self->patterns, nf);
	sluice_set_data(nf, self);
	return 0;
}

static void static_fini(struct sluice_nf *nf)
{
	static_free(sluice_data(nf));
}

static const struct sluice_nf_hooks static_hooks = {
	SLUICE_HOOKS,
	.name = "static",
	.summary = "answers from files, texts and generated bytes; echoes requests",
	.ctx_bytes = sizeof(struct visit),
	.init = static_init,
	.fini = static_fini,
	.request_head = static_request,
	.done = stream_done,
	.writable = static_writable,
	.repeated = static_repeated,
};
SLUICE_FUNCTION(static_hooks);
