/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/static/static.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "nf/common/answer.h"
#include "nf/common/read.h"

#define CACHE_FILE_KB     256
#define CACHE_FILE_KB_MAX 1024 /* one hook reads such a file whole */

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
		      sluice_conf_has(group, "size_bytes") + response->echo +
		      sluice_conf_has(group, "root");

	if (sources > 1)
		return sluice_conf_error(
			group, "only one of body, file, size_bytes, root and echo can be given");
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

static int open_root(const struct sluice_conf *group, const char *path,
		     struct static_response *response)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return sluice_conf_error_key(group, "root", "%s: %s", path, strerror(errno));
	response->root.fd = fd;
	response->has_root = true;
	return 0;
}

static const struct variant_kind variant_kinds[VARIANTS_MAX] = {
	{"br", ".br"},
	{"zstd", ".zst"},
	{"gzip", ".gz"},
};

static int add_variant(const struct sluice_conf *group, const char *name, struct static_root *root)
{
	const struct variant_kind *kind = NULL;

	for (unsigned i = 0; i < VARIANTS_MAX; ++i)
		if (strcmp(variant_kinds[i].coding, name) == 0)
			kind = &variant_kinds[i];
	if (!kind)
		return sluice_conf_error_key(group, "precompressed",
					     "\"%s\" is none of br, zstd and gzip", name);
	for (unsigned i = 0; i < root->variants; ++i)
		if (root->variant[i] == kind)
			return sluice_conf_error_key(group, "precompressed", "\"%s\" twice", name);
	root->variant[root->variants++] = kind;
	return 0;
}

static int read_variants(const struct sluice_conf *group, struct static_root *root)
{
	const struct sluice_conf *list = sluice_conf_list(group, "precompressed");
	const char *name;
	int err = sluice_conf_has(group, "precompressed") && !list ? -EINVAL : 0;

	for (unsigned i = 0; !err && list && i < sluice_conf_length(list); ++i) {
		err = sluice_conf_string_at(list, i, &name);
		if (!err)
			err = add_variant(group, name, root);
	}
	return err;
}

/* The type is each file's own, unless one is given for all. */
static int read_root(const struct sluice_conf *group, struct static_response *response)
{
	struct static_root *root = &response->root;
	const char *path;
	int err = sluice_conf_string(group, "root", NULL, &path);

	if (err || !path)
		return err;
	response->type = NULL;
	if (response->status != 200)
		return sluice_conf_error(group, "a root answers with 200");
	if (response->path.kind != PATH_ANY && response->path.kind != PATH_PREFIX)
		return sluice_conf_error(group, "a root needs path_prefix, or no path");
	if (sluice_conf_string(group, "index", "index.html", &root->index) ||
	    sluice_conf_bool(group, "dotfiles", false, &root->dotfiles) ||
	    sluice_conf_bool(group, "links", false, &root->links) || read_variants(group, root))
		return -EINVAL;
	if (strchr(root->index, '/'))
		return sluice_conf_error_key(group, "index", "\"%s\" is not a name", root->index);
	return open_root(group, path, response);
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
	if (!err)
		err = read_root(group, response);
	if (err)
		return err;
	err = sluice_conf_string(group, "type", response->type, &response->type);
	if (!err && response->type && !read_is_value(response->type))
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

		self->responses[i].root.number = i;
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
	c->redirected = sluice_counter(nf, "redirected", "directories without their slash: 301");
	return c->requests && c->answered && c->not_modified && c->partial && c->not_found &&
			       c->passed && c->refused && c->redirected
		       ? 0
		       : -ENOSPC;
}

static int read_file_counters(struct files_counters *c, struct sluice_nf *nf)
{
	c->hits = sluice_counter(nf, "file_hits", "files sent without asking the system");
	c->loads = sluice_counter(nf, "file_loads", "files read into the arena to stay");
	c->evictions = sluice_counter(nf, "file_evictions", "files that had to go out of it");
	c->streams = sluice_counter(nf, "file_streams", "files read while they are sent");
	c->broken = sluice_counter(nf, "file_broken", "of these, ended before their end");
	return c->hits && c->loads && c->evictions && c->streams && c->broken ? 0 : -ENOSPC;
}

static int read_bounds(struct static_nf *self, const struct sluice_conf *config)
{
	uint32_t half = (uint32_t)(sluice_arena_bytes(self->nf) / 2 >> 10), kept, largest;
	int err = read_number(config, "cache_kb", half, 0, UINT32_MAX, &kept);

	if (read_number(config, "cache_file_kb", CACHE_FILE_KB, 0, CACHE_FILE_KB_MAX, &largest) ||
	    err)
		return -EINVAL;
	self->files.bytes_max = (uint64_t)kept << 10;
	self->files.largest = largest << 10;
	return 0;
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
	errors |= read_bounds(self, config);
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
	if (!err)
		err = read_file_counters(&self->files.counters, nf);
	if (err)
		return err;
	err = read_responses(self, nf, config);
	return bad ? bad : err;
}
