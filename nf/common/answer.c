/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/answer.h"

#include <stdbool.h>
#include <stddef.h>

#define REASON(status, reason)                  \
	{                                       \
		status, #status " " reason "\n" \
	}
static const struct {
	uint16_t status;
	const char *text;
} reasons[] = {
	REASON(200, "OK"),
	REASON(204, "No Content"),
	REASON(301, "Moved Permanently"),
	REASON(302, "Found"),
	REASON(303, "See Other"),
	REASON(307, "Temporary Redirect"),
	REASON(308, "Permanent Redirect"),
	REASON(400, "Bad Request"),
	REASON(401, "Unauthorized"),
	REASON(402, "Payment Required"),
	REASON(403, "Forbidden"),
	REASON(404, "Not Found"),
	REASON(405, "Method Not Allowed"),
	REASON(406, "Not Acceptable"),
	REASON(407, "Proxy Authentication Required"),
	REASON(408, "Request Timeout"),
	REASON(409, "Conflict"),
	REASON(410, "Gone"),
	REASON(411, "Length Required"),
	REASON(412, "Precondition Failed"),
	REASON(413, "Content Too Large"),
	REASON(414, "URI Too Long"),
	REASON(415, "Unsupported Media Type"),
	REASON(416, "Range Not Satisfiable"),
	REASON(417, "Expectation Failed"),
	REASON(418, "I'm a teapot"),
	REASON(421, "Misdirected Request"),
	REASON(422, "Unprocessable Content"),
	REASON(425, "Too Early"),
	REASON(426, "Upgrade Required"),
	REASON(428, "Precondition Required"),
	REASON(429, "Too Many Requests"),
	REASON(431, "Request Header Fields Too Large"),
	REASON(451, "Unavailable For Legal Reasons"),
	REASON(500, "Internal Server Error"),
	REASON(501, "Not Implemented"),
	REASON(502, "Bad Gateway"),
	REASON(503, "Service Unavailable"),
	REASON(504, "Gateway Timeout"),
	REASON(508, "Loop Detected"),
};

const char *answer_reason(uint16_t status)
{
	static const char *const classes[] = {"informational\n", "success\n", "redirection\n",
					      "client error\n", "server error\n"};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); ++i)
		if (reasons[i].status == status)
			return reasons[i].text;
	return status >= 100 && status < 600 ? classes[status / 100 - 1] : "";
}

static int begin(struct sluice_exchange *x, const struct answer *answer)
{
	bool none = answer_has_no_body(answer->status);
	int err = sluice_respond(x, answer->status, none ? SLUICE_LENGTH_NONE : answer->text.len);

	if (!err && !none && answer->text.len > 0)
		err = sluice_field_add(x, "Content-Type", sluice_str("text/plain"));
	if (!err && answer->name)
		err = sluice_field_add(x, answer->name, answer->value);
	return err;
}

static bool has_text(const struct answer *answer)
{
	return answer->text.len > 0 && !answer_has_no_body(answer->status);
}

enum sluice_verdict answer_send(struct sluice_exchange *x, const struct answer *answer)
{
	struct answer bare = *answer;

	if (begin(x, answer))
		return SLUICE_RESET;
	if (!has_text(answer) || sluice_respond_text(x, answer->text, true) == 0)
		return SLUICE_RESPOND;
	/* The arena is full: the status alone is better than silence. */
	bare.text = sluice_str("");
	return begin(x, &bare) ? SLUICE_RESET : SLUICE_RESPOND;
}

enum sluice_verdict answer_status(struct sluice_exchange *x, uint16_t status)
{
	struct answer answer = {.status = status, .text = sluice_str(answer_reason(status))};

	return answer_send(x, &answer);
}
