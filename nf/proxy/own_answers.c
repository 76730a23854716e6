/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests that go no further than here. */
#include "nf/proxy/proxy.h"

#include <stdio.h>

#include "nf/common/answer.h"
#include "nf/common/head_text.h"
#include "nf/common/list.h"

#define MAX_FORWARDS_MAX 1000 /* RFC 9110 §7.6.2 lets us lower what came */

static struct sluice_str allowed(const struct proxy *proxy)
{
	return sluice_str(proxy->trace ? "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE"
				       : "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

static enum sluice_verdict refuse_method(struct proxy *proxy, struct sluice_exchange *x)
{
	struct answer answer = {.status = 405,
				.text = sluice_str(answer_reason(405)),
				.name = "Allow",
				.value = allowed(proxy)};

	++*proxy->counters.refused;
	return answer_send(x, &answer);
}

static enum sluice_verdict answer_options(struct proxy *proxy, struct sluice_exchange *x)
{
	struct answer answer = {.status = 200, .name = "Allow", .value = allowed(proxy)};

	return answer_send(x, &answer);
}

/* RFC 9110 §9.3.8: the request as it came, without what authenticates. */
static enum sluice_verdict answer_trace(struct proxy *proxy, struct sluice_exchange *x)
{
	struct sluice_str text = head_text(x, false, proxy->room, sizeof(proxy->room));

	if (sluice_respond(x, 200, text.len) ||
	    sluice_field_add(x, "Content-Type", sluice_str("message/http")) ||
	    sluice_respond_text(x, text, true))
		return SLUICE_RESET;
	return SLUICE_RESPOND;
}

/* The field's number, or -1 when it is absent or no number. */
static int max_forwards(const struct sluice_exchange *x)
{
	struct sluice_str value;
	int n = 0;

	if (sluice_field(x, SLUICE_FIELD_MAX_FORWARDS, &value))
		return -1;
	value = list_trim(value);
	for (uint32_t i = 0; i < value.len; ++i) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return -1;
		n = n * 10 + (value.ptr[i] - '0');
		if (n > MAX_FORWARDS_MAX)
			n = MAX_FORWARDS_MAX + 1;
	}
	return value.len > 0 ? n : -1;
}

/* RFC 9110 §7.6.2, for OPTIONS and TRACE: at zero it ends here, otherwise it is counted down. */
static bool limit_forwards(struct proxy *proxy, struct sluice_exchange *x,
			   enum sluice_verdict *verdict)
{
	uint8_t method = sluice_head(x)->method;
	int left = max_forwards(x);
	char text[12];

	if (left < 0 || (method != SLUICE_METHOD_OPTIONS && method != SLUICE_METHOD_TRACE))
		return false;
	if (left == 0) {
		*verdict = method == SLUICE_METHOD_TRACE ? answer_trace(proxy, x)
							 : answer_options(proxy, x);
		return true;
	}
	snprintf(text, sizeof(text), "%d", left - 1);
	if (sluice_field_set(x, "Max-Forwards", sluice_str(text)) == 0)
		return false;
	++*proxy->counters.edit_errors;
	*verdict = proxy_error(proxy, x, 500);
	return true;
}

bool proxy_answers(struct proxy *proxy, struct sluice_exchange *x, enum sluice_verdict *verdict)
{
	uint8_t method = sluice_head(x)->method;

	if (method == SLUICE_METHOD_CONNECT || (method == SLUICE_METHOD_TRACE && !proxy->trace)) {
		*verdict = refuse_method(proxy, x);
		return true;
	}
	if (proxy->max_loops > 0 && proxy_via_count(proxy, x) >= proxy->max_loops) {
		++*proxy->counters.loops;
		*verdict = proxy_error(proxy, x, 508);
		return true;
	}
	return limit_forwards(proxy, x, verdict);
}

/* What a request put at the start must not become another host's name: "//host/" and "/\host/"
 * are that for browsers. */
static struct sluice_str keep_local(const struct proxy_route *route, struct text *out)
{
	uint32_t slashes = 0;

	if (template_begins(&route->redirect_to, "//") || out->used == 0 || out->room[0] != '/')
		return text_str(out);
	while (slashes < out->used && (out->room[slashes] == '/' || out->room[slashes] == '\\'))
		++slashes;
	out->room[slashes - 1] = '/';
	return (struct sluice_str){out->room + slashes - 1, out->used - slashes + 1};
}

enum sluice_verdict proxy_redirect(struct proxy *proxy, const struct proxy_route *route,
				   const struct template_source *source)
{
	struct text out = {.room = proxy->room, .size = sizeof(proxy->room)};
	struct answer answer = {.status = route->redirect_status,
				.text = sluice_str(answer_reason(route->redirect_status)),
				.name = "Location"};

	template_expand(&route->redirect_to, source, &out);
	if (out.full) {
		++*proxy->counters.edit_errors;
		return proxy_error(proxy, source->from.x, 414);
	}
	++*proxy->counters.redirected;
	answer.value = keep_local(route, &out);
	return answer_send(source->from.x, &answer);
}
