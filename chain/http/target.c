/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/target.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include <sluice/abi.h>

#include "chain/http/scan.h"

/* How many leading bytes are a reg-name (RFC 3986 §3.2.2). */
static uint32_t scan_name(const uint8_t *text, uint32_t len)
{
	uint32_t i = 0;

	while (i < len) {
		if (http_is(text[i], HTTP_HOST))
			i++;
		else if (text[i] == '%' && len - i >= 3 && http_is(text[i + 1], HTTP_HEX) &&
			 http_is(text[i + 2], HTTP_HEX))
			i += 3;
		else
			break;
	}
	return i;
}

/* "[" IPv6address "]" and how long it is; 0: none. Neither IPvFuture nor zones. */
static uint32_t scan_bracketed(const uint8_t *text, uint32_t len)
{
	const uint8_t *close = memchr(text, ']', len);
	char address[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	size_t n;

	if (close == NULL || memchr(text, '\0', len) != NULL)
		return 0;
	n = (size_t)(close - text) - 1;
	if (n >= sizeof address)
		return 0;
	memcpy(address, text + 1, n);
	address[n] = '\0';
	return inet_pton(AF_INET6, address, bytes) == 1 ? (uint32_t)n + 2 : 0;
}

static uint32_t scan_host(const uint8_t *text, uint32_t len)
{
	return len > 0 && text[0] == '[' ? scan_bracketed(text, len) : scan_name(text, len);
}

/* ":" port, at most 65535; the digits may be missing (RFC 3986 §3.2.3). */
static bool port_valid(const uint8_t *text, uint32_t len)
{
	uint32_t port = 0;

	for (uint32_t i = 1; i < len; i++) {
		if (!http_is(text[i], HTTP_DIGIT))
			return false;
		port = port * 10 + (text[i] - '0');
		if (port > 65535)
			return false;
	}
	return text[0] == ':';
}

bool http_host_valid(const uint8_t *text, uint32_t len)
{
	uint32_t n = scan_host(text, len);

	return n > 0 && (n == len || port_valid(text + n, len - n));
}

/* RFC 9112 §3.2.3: a host and a port, both there. */
static bool parse_authority(const uint8_t *text, uint32_t len, struct http_target *out)
{
	uint32_t n = scan_host(text, len);

	if (n == 0 || len - n < 2 || !port_valid(text + n, len - n))
		return false;
	out->host_len = len;
	out->rest_off = len;
	return true;
}

/* False: a backslash in the path, which some servers take for a slash (RFC 3986 has none). */
static bool split_query(const uint8_t *text, uint32_t len, struct http_target *out)
{
	const uint8_t *mark = memchr(text + out->rest_off, '?', out->rest_len);

	out->path_off = out->rest_off;
	out->path_len = out->rest_len;
	if (mark != NULL) {
		out->path_len = (uint32_t)(mark - text) - out->rest_off;
		out->query_off = (uint32_t)(mark - text) + 1;
		out->query_len = len - out->query_off;
	}
	return memchr(text + out->path_off, '\\', out->path_len) == NULL;
}

#define SCHEME     "http://"
#define SCHEME_LEN (sizeof SCHEME - 1)

/* RFC 9112 §3.2.2; the scheme has no case (RFC 9110 §4.2.3). */
static bool parse_absolute(const uint8_t *text, uint32_t len, struct http_target *out)
{
	uint32_t end = SCHEME_LEN;

	if (len < SCHEME_LEN || !http_equal_text(text, SCHEME_LEN, SCHEME))
		return false;
	while (end < len && text[end] != '/' && text[end] != '?')
		end++;
	if (!http_host_valid(text + SCHEME_LEN, end - SCHEME_LEN))
		return false;
	out->host_off = SCHEME_LEN;
	out->host_len = end - SCHEME_LEN;
	out->rest_off = end;
	out->rest_len = len - end;
	return split_query(text, len, out);
}

bool http_target_parse(uint8_t method, const uint8_t *text, uint32_t len, struct http_target *out)
{
	memset(out, 0, sizeof *out);
	if (method == SLUICE_METHOD_CONNECT)
		return parse_authority(text, len, out);
	if (len == 0 || (text[0] != '/' && text[0] != '*'))
		return parse_absolute(text, len, out);
	if (text[0] == '*' && (len > 1 || method != SLUICE_METHOD_OPTIONS))
		return false;
	out->rest_len = len;
	return split_query(text, len, out);
}

bool http_target_check(uint8_t method, const uint8_t *text, uint32_t len, struct http_target *out)
{
	return http_scan_target(text, len) == len && http_target_parse(method, text, len, out);
}
