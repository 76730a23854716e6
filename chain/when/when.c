/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/when/when.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "chain/http/field.h"

#define MATCH_LIMIT   100000 /* steps of one match */
#define HEAP_LIMIT_KB 1024

enum host_kind { HOST_ANY, HOST_EXACT, HOST_BELOW, HOST_PATTERN };

struct when {
	pcre2_match_context *context;
	pcre2_match_data *data;
	pcre2_code *path, *host_pattern, *value; /* NULL: not asked */
	uint8_t host_kind;                       /* enum host_kind */
	uint16_t header_id;
	char *host, *method, *header;
};

/* --- compiled ---------------------------------------------------------------------- */

static int compile(const char *text, uint32_t options, pcre2_code **out)
{
	PCRE2_SIZE offset;
	int error;

	if (!text)
		return 0;
	options |= PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
	*out = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &error, &offset,
			     NULL);
	if (!*out)
		return -EINVAL;
	(void)pcre2_jit_compile(*out, PCRE2_JIT_COMPLETE); /* without it, it is interpreted */
	return 0;
}

static int copy(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static int compile_host(struct when *when, const char *host)
{
	if (!host)
		return 0;
	if (host[0] == '~') {
		when->host_kind = HOST_PATTERN;
		return compile(host + 1, PCRE2_CASELESS, &when->host_pattern);
	}
	when->host_kind = strncmp(host, "*.", 2) ? HOST_EXACT : HOST_BELOW;
	return copy(when->host_kind == HOST_BELOW ? host + 1 : host, &when->host);
}

static int compile_all(struct when *when, const struct conf_condition *conf)
{
	int rc = compile(conf->path, 0, &when->path);

	if (!rc)
		rc = compile_host(when, conf->host);
	if (!rc)
		rc = copy(conf->method, &when->method);
	if (!rc)
		rc = copy(conf->header, &when->header);
	if (!rc)
		rc = compile(conf->value, 0, &when->value);
	if (!rc && conf->header)
		when->header_id = http_field_id((const uint8_t *)conf->header,
						(uint32_t)strlen(conf->header));
	return rc;
}

int when_create(const struct conf_condition *conf, struct when **out)
{
	struct when *when = calloc(1, sizeof(*when));
	int rc = -ENOMEM;

	if (!when)
		return rc;
	when->context = pcre2_match_context_create(NULL);
	when->data = pcre2_match_data_create(1, NULL);
	if (when->context && when->data) {
		pcre2_set_match_limit(when->context, MATCH_LIMIT);
		pcre2_set_heap_limit(when->context, HEAP_LIMIT_KB);
		rc = compile_all(when, conf);
	}
	if (rc) {
		when_destroy(when);
		return rc;
	}
	*out = when;
	return 0;
}

void when_destroy(struct when *when)
{
	if (!when)
		return;
	pcre2_code_free(when->path);
	pcre2_code_free(when->host_pattern);
	pcre2_code_free(when->value);
	pcre2_match_data_free(when->data);
	pcre2_match_context_free(when->context);
	free(when->host);
	free(when->method);
	free(when->header);
	free(when);
}

/* --- asked ------------------------------------------------------------------------- */

static bool matches(const struct when *when, const pcre2_code *code, struct http_bytes text)
{
	return pcre2_match(code, (PCRE2_SPTR)text.data, text.len, 0, 0, when->data,
			   when->context) >= 0;
}

static bool same(struct http_bytes text, const char *word)
{
	return text.len == strlen(word) && !strncasecmp((const char *)text.data, word, text.len);
}

/* Without the port, and without the dot that may end a name. */
static struct http_bytes host_name(struct http_bytes host)
{
	const uint8_t *colon = memchr(host.data, ':', host.len);

	if (host.len && host.data[0] == '[') {
		const uint8_t *end = memchr(host.data, ']', host.len);

		host.len = end ? (uint32_t)(end + 1 - host.data) : host.len;
	} else if (colon) {
		host.len = (uint32_t)(colon - host.data);
	}
	if (host.len && host.data[host.len - 1] == '.')
		host.len--;
	return host;
}

static bool host_holds(const struct when *when, struct http_bytes host)
{
	uint32_t below;

	host = host_name(host);
	switch ((enum host_kind)when->host_kind) {
	case HOST_EXACT:
		return same(host, when->host);
	case HOST_BELOW:
		below = (uint32_t)strlen(when->host);
		return host.len > below &&
		       same((struct http_bytes){host.data + host.len - below, below}, when->host);
	case HOST_PATTERN:
		return matches(when, when->host_pattern, host);
	case HOST_ANY:
		break;
	}
	return true;
}

static bool is_header(const struct when *when, const struct http_memory *memory,
		      const struct sluice_head *head, uint16_t field)
{
	if (when->header_id != SLUICE_FIELD_OTHER)
		return head->field[field].id == when->header_id;
	return same(http_name(memory, head, field), when->header);
}

/* One of the fields of that name is enough. */
static bool header_holds(const struct when *when, const struct http_memory *memory,
			 const struct sluice_head *head)
{
	for (uint16_t i = 0; i < head->fields; i++)
		if (is_header(when, memory, head, i) &&
		    (!when->value || matches(when, when->value, http_value(memory, head, i))))
			return true;
	return false;
}

bool when_holds(const struct when *when, const struct http_memory *memory,
		const struct sluice_head *head)
{
	struct http_bytes method = http_text(memory, head, head->method_text);

	if (when->method &&
	    (method.len != strlen(when->method) || memcmp(method.data, when->method, method.len)))
		return false;
	if (when->path && !matches(when, when->path, http_text(memory, head, head->path)))
		return false;
	if (!host_holds(when, http_text(memory, head, head->host)))
		return false;
	return !when->header || header_holds(when, memory, head);
}
