/* SPDX-License-Identifier: BSD-3-Clause */
/* How the exchanges of a route are brought to their servers: `timeouts`, `retry`, `hedge_ms`. */
#include "nf/proxy/proxy.h"

#include <errno.h>
#include <string.h>

#include "nf/common/read.h"

#define MS_MOST      604800000
#define RETRIES_MOST 7

static int read_timeouts(const struct sluice_conf *route, struct sluice_how *out)
{
	const struct sluice_conf *group = sluice_conf_group(route, "timeouts");
	int errors = 0;

	if (!group)
		return sluice_conf_has(route, "timeouts") ? -EINVAL : 0;
	errors |= read_number(group, "connect_ms", 0, 0, MS_MOST, &out->connect_ms);
	errors |= read_number(group, "first_byte_ms", 0, 0, MS_MOST, &out->first_byte_ms);
	errors |= read_number(group, "idle_ms", 0, 0, MS_MOST, &out->idle_ms);
	errors |= read_number(group, "total_ms", 0, 0, MS_MOST, &out->total_ms);
	return errors ? -EINVAL : 0;
}

static int read_reason(const struct sluice_conf *retry, const char *text, uint8_t *out)
{
	static const struct {
		const char *text;
		enum sluice_retry reason;
	} reasons[] = {{"reset", SLUICE_RETRY_RESET},
		       {"timeout", SLUICE_RETRY_TIMEOUT},
		       {"gateway", SLUICE_RETRY_GATEWAY},
		       {"5xx", SLUICE_RETRY_5XX}};

	for (unsigned i = 0; i < sizeof(reasons) / sizeof(reasons[0]); ++i)
		if (strcmp(text, reasons[i].text) == 0) {
			*out |= (uint8_t)reasons[i].reason;
			return 0;
		}
	return sluice_conf_error_key(retry, "on",
				     "on: \"%s\" is not one of reset, timeout, gateway, 5xx", text);
}

static int read_reasons(const struct sluice_conf *retry, uint8_t *out)
{
	const struct sluice_conf *list = sluice_conf_list(retry, "on");
	unsigned n = list ? sluice_conf_length(list) : 0;
	int err = !list && sluice_conf_has(retry, "on") ? -EINVAL : 0;

	for (unsigned i = 0; i < n; ++i) {
		const char *text;

		if (sluice_conf_string_at(list, i, &text) || read_reason(retry, text, out))
			err = -EINVAL;
	}
	return err;
}

static int read_retry(const struct sluice_conf *route, struct sluice_how *out)
{
	const struct sluice_conf *retry = sluice_conf_group(route, "retry");
	uint32_t times = SLUICE_RETRIES_OF_GROUP;
	int err = 0;

	if (!retry)
		return sluice_conf_has(route, "retry") ? -EINVAL : 0;
	if (sluice_conf_has(retry, "times"))
		err = read_number(retry, "times", 1, 0, RETRIES_MOST, &times);
	out->retries = (uint8_t)times;
	return read_reasons(retry, &out->retry) ? -EINVAL : err;
}

int proxy_read_how(const struct sluice_conf *route, struct sluice_how *out)
{
	int errors = 0;

	*out = (struct sluice_how){.retries = SLUICE_RETRIES_OF_GROUP};
	errors |= read_timeouts(route, out);
	errors |= read_retry(route, out);
	errors |= read_number(route, "hedge_ms", 0, 0, MS_MOST, &out->hedge_ms);
	return errors ? -EINVAL : 0;
}
