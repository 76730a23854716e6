/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/path.h"

#include <stdbool.h>
#include <string.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* RFC 3986 §2.3 */
static bool unreserved(int c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

/* The value of an escape at p, or -1. */
static int escape(const char *p, const char *end)
{
	if (*p != '%' || end - p < 3 || hex(p[1]) < 0 || hex(p[2]) < 0)
		return -1;
	return hex(p[1]) << 4 | hex(p[2]);
}

static char *put_escape(char *out, int byte)
{
	static const char digits[] = "0123456789ABCDEF";

	*out++ = '%';
	*out++ = digits[byte >> 4];
	*out++ = digits[byte & 15];
	return out;
}

/* Copies with escapes decoded: all of them, or only those of unreserved characters. */
static uint32_t unescape(struct sluice_str path, bool all, char *room)
{
	const char *p = path.ptr, *end = path.ptr + path.len;
	char *out = room;

	while (p < end) {
		int byte = escape(p, end);

		if (byte < 0)
			*out++ = *p;
		else if (all || unreserved(byte))
			*out++ = (char)byte;
		else
			out = put_escape(out, byte);
		p += byte < 0 ? 1 : 3;
	}
	return (uint32_t)(out - room);
}

static bool is_dots(const char *segment, size_t len, size_t dots)
{
	return len == dots && memcmp(segment, "..", dots) == 0;
}

/* The segment before the one that begins at `at` ends at the position returned. */
static size_t drop_segment(const char *text, size_t at)
{
	while (at > 0 && text[--at] != '/')
		;
	return at;
}

/*
 * Resolves "." and ".." in place (RFC 3986 §5.2.4): segment by segment, `out` is what is kept
 * so far, without its closing slash. `join`: empty segments go as well.
 */
static uint32_t resolve(char *text, size_t len, bool join)
{
	size_t in = 0, out = 0;

	while (in < len) {
		size_t start = in + 1, size = 0;
		bool last, gone;

		while (start + size < len && text[start + size] != '/')
			++size;
		last = start + size >= len;
		gone = is_dots(text + start, size, 1) || is_dots(text + start, size, 2) ||
		       (join && size == 0);
		if (is_dots(text + start, size, 2))
			out = drop_segment(text, out);
		if (!gone || last) {
			text[out++] = '/';
			memmove(text + out, text + start, gone ? 0 : size);
			out += gone ? 0 : size;
		}
		in = start + size;
	}
	return (uint32_t)out;
}

/* True when neither escapes nor dot segments nor empty segments can be in it. */
static bool is_plain(struct sluice_str path)
{
	for (uint32_t i = 0; i < path.len; ++i) {
		char next = i + 1 < path.len ? path.ptr[i + 1] : '\0';

		if (path.ptr[i] == '%' || (path.ptr[i] == '/' && (next == '.' || next == '/')))
			return false;
	}
	return true;
}

static struct sluice_str normal(struct sluice_str path, bool all, struct path_room *room)
{
	uint32_t len;

	if (is_plain(path) || path.len > PATH_ROOM_BYTES)
		return path;
	len = unescape(path, all, room->bytes);
	if (len > 0 && room->bytes[0] == '/')
		len = resolve(room->bytes, len, all);
	return (struct sluice_str){room->bytes, len};
}

struct sluice_str path_decoded(struct sluice_str path, struct path_room *room)
{
	return normal(path, true, room);
}

struct sluice_str path_canonical(struct sluice_str path, struct path_room *room)
{
	return normal(path, false, room);
}
