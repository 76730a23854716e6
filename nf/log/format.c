/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "log.h"
#include "nf/common/read.h"

#define COMMON   "$client - $user [$clf_time] \"$method $target $version\" $status $body_bytes"
#define COMBINED COMMON " \"${header:Referer}\" \"${header:User-Agent}\""

/* What JSON tells when it is not told what. */
static const char *const json_fields[] = {
	"iso_time",
	"client",
	"client_port",
	"method",
	"host",
	"target",
	"version",
	"status",
	"ending",
	"received_bytes",
	"sent_bytes",
	"body_bytes",
	"header:Referer",
	"header:User-Agent",
	"group",
	"server",
	"reused",
	"head_us",
	"connect_us",
	"ask_us",
	"reply_us",
	"total_us",
	NULL,
};

enum format { FORMAT_COMBINED, FORMAT_COMMON, FORMAT_JSON, FORMAT_TEXT };

/* The names to tell, ended by NULL. */
static int read_fields(struct log *log, const struct sluice_conf *config, const char *const **out)
{
	const struct sluice_conf *list = sluice_conf_list(config, "fields");
	const char **names;
	unsigned n;

	*out = json_fields;
	if (!list)
		return sluice_conf_has(config, "fields") ? -EINVAL : 0;
	n = sluice_conf_length(list);
	names = pool_alloc(&log->pool, n + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (unsigned i = 0; i < n; ++i) {
		if (sluice_conf_string_at(list, i, &names[i]))
			return -EINVAL;
		for (const char *p = names[i]; *p != '\0'; ++p)
			if (*p < ' ' || *p == '"' || *p == '\\' || *p == '}' || *p == '$')
				return sluice_conf_error(list, "\"%s\" is not a name", names[i]);
	}
	*out = names;
	return 0;
}

/* {"host":${host},"status":${status},…}: values are written with their quotes. */
static const char *json_text(struct log *log, const char *const *names)
{
	const char *text = "{";

	for (unsigned i = 0; text && names[i]; ++i)
		text = pool_text(&log->pool, "%s%s\"%s\":${%s}", text, i > 0 ? "," : "", names[i],
				 names[i]);
	return text ? pool_text(&log->pool, "%s}", text) : NULL;
}

static int read_json(struct log *log, const struct sluice_conf *config, const char **text)
{
	const char *const *names;
	int err = read_fields(log, config, &names);

	if (err)
		return err;
	log->put = log_put_json;
	*text = json_text(log, names);
	return *text ? 0 : -ENOMEM;
}

static int read_text(const struct sluice_conf *config, const char **text)
{
	int err = sluice_conf_string(config, "text", NULL, text);

	if (err)
		return err;
	if (!*text)
		return sluice_conf_error(config, "format = \"text\" needs text = \"…\"");
	return read_is_value(*text) ? 0 : sluice_conf_error(config, "text has control characters");
}

int log_format_read(struct log *log, const struct sluice_conf *config)
{
	static const char *const formats[] = {"combined", "common", "json", "text", NULL};
	struct template_scope scope = {
		.stage = STAGE_END, .keep = &log->keep, .own = log_values, .has_id = true};
	const char *text = COMBINED;
	unsigned format;
	int err = read_choice(config, "format", formats, FORMAT_COMBINED, &format);

	if (err)
		return err;
	log->put = log_put_text;
	if (format == FORMAT_COMMON)
		text = COMMON;
	else if (format == FORMAT_JSON)
		err = read_json(log, config, &text);
	else if (format == FORMAT_TEXT)
		err = read_text(config, &text);
	return err ? err : template_compile(&log->pool, config, text, &scope, &log->format);
}
