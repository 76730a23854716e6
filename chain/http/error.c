/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/error.h"

struct row {
	uint16_t status;
	const char *counter;
	const char *text;
};

static const struct row rows[HTTP_ERROR_COUNT] = {
	[HTTP_OK] = {0, "ok", "no error"},
#define ERROR(id, status, counter, text) [HTTP_ERROR_##id] = {status, counter, text},
#include "chain/http/errors.def"
#undef ERROR
};

static const struct row *row_of(enum http_error error)
{
	return &rows[(uint32_t)error < HTTP_ERROR_COUNT ? error : HTTP_OK];
}

uint16_t http_error_status(enum http_error error, bool response)
{
	uint16_t status = row_of(error)->status;

	if (response && status != 0 && status != 500)
		return 502;
	return status;
}

const char *http_error_counter(enum http_error error)
{
	return row_of(error)->counter;
}

const char *http_error_text(enum http_error error)
{
	return row_of(error)->text;
}
