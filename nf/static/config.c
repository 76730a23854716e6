/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/static/static.h"

#include <errno.h>
#include <string.h>

#include "nf/common/answer.h"
#include "nf/common/read.h"

static int read_status(const struct sluice_conf *group, uint16_t *out)
{
	uint32_t status;
	int err = read_number(group, "status", 200, 200, 599, &status);

	*out = (uint16_t)status;
	if (!err && (status == 206 || status == 304 || status == 416))
		return sluice_conf_error(group, "status: %u is given by itself when it is due",
					 status);
	return err;
}

/* Without the key: GET and HEAD, for an echo every method. */
static int read_methods(struct static_nf *self, const struct sluice_conf *group,
			struct static_response *response)
{
	static const char *names[] = {"GET", "HEAD"};
	struct methods *methods = &response->methods;
	int err = methods_read(&self->pool, group, "method", methods);

	if (err)
		return err;
	if (methods->names.count == 0 && !response->echo) {
		methods->names = (struct read_names){names, 2};
		methods->known = 1u << SLUICE_METHOD_GET | 1u << SLUICE_METHOD_HEAD;
	}
	response->allow = "";
	for (unsigned i = 0; i < methods->names.count; ++i) {
		response->allow = pool_text(&self->pool, "%s%s%s", response->allow,
					    i > 0 ? ", " : "", methods->names.name[i]);
		if (!response->allow)
			return -ENOMEM;
	}
	return 0;
}

/* Where a body comes from: at most one of these. */
static int check_source(const struct sluice_conf *group, const struct static_response *response)
{
	int sources = sluice_conf_has(group, "body") + sluice_conf_has(group, "file") +
		      sluice_conf_has(group, "size_bytes") + response->echo;

	if (sources > 1)
		return sluice_conf_error(
			group, "only one of body, file, size_bytes and echo can be given");
	if (sources > 0 && answer_has_no_body(response->status))
		return sluice_conf_error(group, "status %u never has a body", response->status);
	return 0;
}

static int read_text(struct sluice_nf *nf, const struct sluice_conf *group,
		     struct static_response *response)
{
	const char *text;
	int err = sluice_conf_string(group, "body", NULL, &text);

	if (err || !text)
		return err;
	return static_body_text(nf, group, text, &response->body);
}

static int read_file(struct sluice_nf *nf, const struct sluice_conf *group,
		     struct static_response *response)
{
	const char *path;
	int err = sluice_conf_string(group, "file", NULL, &path);

	if (err || !path)
		return err;
	response->type = static_mime_type(path);
	return static_body_file(nf, group, path, &response->body);
}

static int read_generated(struct sluice_nf *nf, const struct sluice_conf *group,
			  struct static_response *response)
{
	uint32_t size;
	int err = read_number(group, "size_bytes", 0, 0, UINT32_MAX, &size);

	if (err || size == 0)
		return err;
	return static_body_generate(nf, group, size, &response->body);
}

static int read_body(struct sluice_nf *nf, const struct sluice_conf *group,
		     struct static_response *response)
{
	int err = check_source(group, response);

	response->type = "text/plain";
	if (!err)
		err = read_text(nf, group, response);
	if (!err)
		err = read_file(nf, group, response);
	if (!err)
		err = read_generated(nf, group, response);
	if (err)
		return err;
	err = sluice_conf_string(group, "type", response->type, &response->type);
	if (!err && !read_is_value(response->type))
		err = sluice_conf_error(group, "type: control characters");
	return err;
}

/* Reads on after an error, so that one run of the check shows them all. */
static int read_response(struct static_nf *self, struct sluice_nf *nf,
			 const struct sluice_conf *group, struct static_response *response)
{
	static const struct path_rule_keys keys = {"path", "path_prefix", "path_pattern"};
	int errors = 0;

	errors |= sluice_conf_bool(group, "echo", false, &response->echo);
	errors |= read_status(group, &response->status);
	errors |= host_rule_read(self->patterns, group, "host", &response->host);
	errors |= path_rule_read(self->patterns, group, &keys, &response->path);
	errors |= read_methods(self, group, response);
	errors |= field_pairs_read(&self->pool, group, "headers", FIELD_SET_IN_RESPONSE,
				   &response->headers);
	errors |= read_body(nf, group, response);
	return errors ? -EINVAL : 0;
}

static int read_responses(struct static_nf *self, struct sluice_nf *nf,
			  const struct sluice_conf *config)
{
	const struct sluice_conf *list = sluice_conf_list(config, "responses");
	int err = 0;

	if (!sluice_conf_has(config, "responses"))
		return sluice_conf_error(config, "responses is missing");
	if (!list)
		return -EINVAL;
	self->responses_count = sluice_conf_length(list);
	self->responses = pool_alloc(&self->pool, self->responses_count, sizeof(*self->responses));
	if (!self->responses) {
		self->responses_count = 0;
		return -ENOMEM;
	}
	for (unsigned i = 0; i < self->responses_count; ++i) {
		const struct sluice_conf *group = sluice_conf_at(list, i);

		if (!group || read_response(self, nf, group, &self->responses[i]))
			err = -EINVAL;
	}
	return err;
}

static int read_counters(struct static_counters *c, struct sluice_nf *nf)
{
	c->requests = sluice_counter(nf, "requests", "request heads looked at");
	c->answered = sluice_counter(nf, "answered", "requests answered by a response of the list");
	c->not_modified = sluice_counter(nf, "not_modified", "of these, with 304");
	c->partial = sluice_counter(nf, "partial", "of these, with 206");
	c->not_found = sluice_counter(nf, "not_found", "requests that nothing matched: 404");
	c->passed = sluice_counter(nf, "passed", "requests that nothing matched, passed on");
	c->refused = sluice_counter(nf, "refused", "requests with another method: 405");
	return c->requests && c->answered && c->not_modified && c->partial && c->not_found &&
			       c->passed && c->refused
		       ? 0
		       : -ENOSPC;
}

static int read_settings(struct static_nf *self, const struct sluice_conf *config,
			 uint32_t *match_limit)
{
	static const char *const otherwise[] = {"404", "pass", NULL};
	unsigned choice;
	int errors = 0;

	errors |= read_choice(config, "otherwise", otherwise, 0, &choice);
	errors |= read_number(config, "match_limit", PATTERN_MATCH_LIMIT_DEFAULT, 1, UINT32_MAX,
			      match_limit);
	self->pass = choice == 1;
	return errors ? -EINVAL : 0;
}

int static_read(struct static_nf *self, struct sluice_nf *nf, const struct sluice_conf *config)
{
	uint32_t match_limit;
	int bad = read_settings(self, config, &match_limit);
	int err = patterns_create(match_limit, &self->patterns);

	if (err)
		return err;
	err = read_counters(&self->counters, nf);
	if (err)
		return err;
	err = read_responses(self, nf, config);
	return bad ? bad : err;
}
