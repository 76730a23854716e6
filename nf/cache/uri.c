/* SPDX-License-Identifier: BSD-3-Clause */
#include "uri.h"

#include "nf/common/str.h"

static bool put(struct uri_key *key, struct sluice_str s)
{
	if (s.len > URI_KEY_MAX - key->len)
		return false;
	memcpy(key->text + key->len, s.ptr, s.len);
	key->len += s.len;
	return true;
}

static bool put_lower(struct uri_key *key, struct sluice_str s)
{
	uint32_t from = key->len;

	if (!put(key, s))
		return false;
	for (uint32_t i = from; i < key->len; i++)
		key->text[i] = str_lower(key->text[i]);
	return true;
}

static bool put_authority(struct uri_key *key, struct sluice_str host, struct sluice_str port)
{
	if (!put_lower(key, host))
		return false;
	if (!port.len || str_equal(port, sluice_str("80")))
		return true;
	return put(key, sluice_str(":")) && put(key, port);
}

bool uri_key_make(struct uri_key *key, struct sluice_str host, struct sluice_str port,
		  struct sluice_str target)
{
	key->len = 0;
	if (!put_authority(key, host, port))
		return false;
	if ((!target.len || target.ptr[0] != '/') && !put(key, sluice_str("/")))
		return false;
	return put(key, target);
}

/* Up to, without, the first of those characters. */
static struct sluice_str until(struct sluice_str s, const char *stops)
{
	uint32_t n = 0;

	while (n < s.len && !(s.ptr[n] && strchr(stops, s.ptr[n])))
		n++;
	return str_make(s.ptr, n);
}

static bool begins_with(struct sluice_str s, const char *prefix)
{
	uint32_t len = (uint32_t)strlen(prefix);

	return s.len >= len && str_equal_nocase(str_make(s.ptr, len), sluice_str(prefix));
}

/* Does the reference begin with a scheme? */
static bool has_scheme(struct sluice_str s)
{
	struct sluice_str first = until(s, ":/?");

	return first.len < s.len && s.ptr[first.len] == ':';
}

/* Where the port begins in "host:port" or "[v6]:port"; its length when there is none. */
static uint32_t host_len(struct sluice_str authority)
{
	uint32_t n = authority.len;

	while (n && str_is_digit(authority.ptr[n - 1]))
		n--;
	return n && authority.ptr[n - 1] == ':' ? n - 1 : authority.len;
}

/* "host:port/path" */
static bool from_authority(struct uri_key *key, struct sluice_str s)
{
	struct sluice_str authority = until(s, "/?");
	uint32_t len = host_len(authority);
	struct sluice_str port = str_skip(authority, len);

	if (!len || memchr(authority.ptr, '@', authority.len))
		return false;
	if (port.len)
		port = str_skip(port, 1);
	return uri_key_make(key, str_make(authority.ptr, len), port, str_skip(s, authority.len));
}

bool uri_key_absolute(struct uri_key *key, struct sluice_str url)
{
	struct sluice_str authority;

	url = until(str_trim(url), "#");
	if (begins_with(url, "http://"))
		url = str_skip(url, 7);
	authority = until(url, "/?");
	if (authority.len && authority.ptr[authority.len - 1] == ':')
		return false; /* another scheme */
	return from_authority(key, url);
}

/* What "." and ".." mean (RFC 3986 §5.2.4); `path` begins with a slash. The key holds the
 * authority. */
static bool put_path(struct uri_key *key, struct sluice_str path)
{
	uint32_t root = key->len;

	while (path.len) {
		struct sluice_str segment = until(str_skip(path, 1), "/");
		bool last = segment.len + 1 == path.len;
		bool up = str_equal(segment, sluice_str(".."));

		if (up)
			while (key->len > root && key->text[--key->len] != '/')
				;
		if (!up && !str_equal(segment, sluice_str("."))) {
			if (!put(key, str_make(path.ptr, segment.len + 1)))
				return false;
		} else if (last && !put(key, sluice_str("/"))) {
			return false;
		}
		path = str_skip(path, segment.len + 1);
	}
	return true;
}

/* A path of its own, or one beside the base's last segment. */
static bool from_path(struct uri_key *key, struct sluice_str base, struct sluice_str reference)
{
	struct sluice_str authority = until(base, "/");
	struct sluice_str base_path = until(str_skip(base, authority.len), "?");
	struct sluice_str path = until(reference, "?");
	struct uri_key joined = {0};

	key->len = 0;
	if (!put(key, authority))
		return false;
	if (!path.len)
		return put(key, base_path) && put(key, reference);
	while (base_path.len && base_path.ptr[base_path.len - 1] != '/')
		base_path.len--;
	if (path.ptr[0] != '/' && !put(&joined, base_path))
		return false;
	return put(&joined, path) && put_path(key, str_make(joined.text, joined.len)) &&
	       put(key, str_skip(reference, path.len));
}

static bool same_origin(struct sluice_str a, struct sluice_str b)
{
	return str_equal(until(a, "/"), until(b, "/"));
}

bool uri_key_resolve(struct uri_key *key, struct sluice_str base, struct sluice_str reference)
{
	reference = until(str_trim(reference), "#");
	if (begins_with(reference, "http://"))
		reference = str_skip(reference, 5);
	else if (has_scheme(reference))
		return false;
	if (!begins_with(reference, "//"))
		return from_path(key, base, reference);
	return from_authority(key, str_skip(reference, 2)) &&
	       same_origin(base, str_make(key->text, key->len));
}
