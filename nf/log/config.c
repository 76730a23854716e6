/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "log.h"
#include "nf/common/read.h"

#define FLUSH_MS_DEFAULT 200
#define SEVERITY         6 /* informational */

/* RFC 5424 §6.2: what stands before a line, around its time. */
static int make_prefix(struct log *log, const char *app, uint32_t facility)
{
	struct utsname host;

	if (uname(&host))
		return -errno;
	log->prefix = pool_text(&log->pool, "<%u>1 ", facility * 8 + SEVERITY);
	log->prefix_rest = pool_text(&log->pool, " %s %s - access - ", host.nodename, app);
	return log->prefix && log->prefix_rest ? 0 : -ENOMEM;
}

static int read_syslog(struct log *log, const struct sluice_conf *config, const char *to)
{
	uint32_t facility;
	const char *app;
	int err = read_number(config, "facility", 16, 0, 23, &facility);

	if (sluice_conf_string(config, "app", "sluice", &app) || err)
		return -EINVAL;
	if (strlen(app) > 48 || !read_is_token(app))
		return sluice_conf_error_key(config, "app", "app: \"%s\" is no name", app);
	return strncmp(to, "syslog", 6) == 0 ? make_prefix(log, app, facility) : 0;
}

static int read_to(struct log *log, struct sluice_nf *nf, const struct sluice_conf *config)
{
	const char *to;
	int err = sluice_conf_string(config, "to", NULL, &to);

	if (err)
		return err;
	if (!to)
		return sluice_conf_error(config, "to is missing");
	log->sink.fd = sluice_writing(nf, to);
	if (log->sink.fd == -ENOENT)
		return sluice_conf_error_key(config, "to", "to: \"%s\" is not in allow.write", to);
	return read_syslog(log, config, to);
}

static int read_counters(struct log_counters *c, struct sluice_nf *nf)
{
	c->lines = sluice_counter(nf, "lines", "lines handed over");
	c->dropped = sluice_counter(nf, "dropped", "lines lost: the receiver did not keep up");
	c->skipped = sluice_counter(nf, "skipped", "exchanges that skip names");
	c->cut = sluice_counter(nf, "cut", "lines with a value that was cut off");
	return c->lines && c->dropped && c->skipped && c->cut ? 0 : -ENOSPC;
}

int log_read(struct log *log, struct sluice_nf *nf, const struct sluice_conf *config)
{
	uint32_t match_limit;
	int errors = read_number(config, "match_limit", PATTERN_MATCH_LIMIT_DEFAULT, 1, UINT32_MAX,
				 &match_limit);
	int err = patterns_create(match_limit, &log->patterns);

	if (!err)
		err = unique_init(&log->unique);
	if (!err)
		err = read_counters(&log->counters, nf);
	if (!err)
		err = log_sink_start(log, nf);
	if (err)
		return err;
	errors |= read_to(log, nf, config);
	errors |= read_number(config, "flush_ms", FLUSH_MS_DEFAULT, 1, 60000, &log->sink.flush_ms);
	errors |= request_rules_read(&log->pool, log->patterns, config, "skip", &log->skip);
	errors |= log_format_read(log, config);
	return errors ? -EINVAL : 0;
}
