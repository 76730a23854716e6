/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A look through the text before libconfig parses it, for what libconfig takes in silence
 * or dies of: integers that do not fit are cut to 32 bits, a folder that is included ends
 * the process. What is found here is an error like any other, with its line.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mgmt/conf/key.h"

#define FILE_MAX_BYTES (16u << 20)
#define INCLUDES_MAX   10 /* nested; libconfig's limit */

struct scan {
	struct reader *reader;
	struct conf_place place; /* of the character at `at` */
	const char *at;
	unsigned depth;
	bool line_begins; /* nothing but white space stood on this line */
};

static void scan_text(struct scan *scan);

/* --- files ------------------------------------------------------------------------ */

/* Reads an open file whole, with a NUL behind it. Free it. NULL: errno says why. */
static char *slurp(int fd)
{
	struct stat st;
	char *text;
	ssize_t got;

	if (fstat(fd, &st) != 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX_BYTES) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : st.st_size > FILE_MAX_BYTES ? EFBIG : EINVAL;
		return NULL;
	}
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text)
		return NULL;
	got = read(fd, text, (size_t)st.st_size);
	if (got >= 0 && !memchr(text, '\0', (size_t)got))
		return text;
	if (got >= 0)
		errno = EILSEQ;
	free(text);
	return NULL;
}

char *slurp_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text;
	int error;

	if (fd < 0)
		return NULL;
	text = slurp(fd);
	error = errno;
	close(fd);
	errno = error;
	return text;
}

/* Scans `path`; what keeps it from being read is an error at `from`. */
static void scan_path(struct reader *reader, const char *path, const struct conf_place *from,
		      unsigned depth)
{
	char *text = slurp_path(path);
	struct scan scan = {.reader = reader,
			    .place = {.file = path, .line = 1},
			    .at = text,
			    .depth = depth,
			    .line_begins = true};

	if (!text) {
		conf_error(reader->errors, from, "cannot read %s: %s", path, strerror(errno));
		return;
	}
	scan_text(&scan);
	free(text);
}

void scan_file(struct reader *reader, const char *path)
{
	struct conf_place place = {.file = path, .line = 1};

	scan_path(reader, path, &place, 0);
}

/* --- tokens ------------------------------------------------------------------------ */

static void step(struct scan *scan)
{
	if (*scan->at == '\n') {
		scan->place.line++;
		scan->line_begins = true;
	} else if (!isspace((unsigned char)*scan->at)) {
		scan->line_begins = false;
	}
	scan->at++;
}

static void unended(const struct scan *scan, unsigned line, const char *what)
{
	struct conf_place place = {.file = scan->place.file, .line = line};

	conf_error(scan->reader->errors, &place, "the %s that begins here is not ended", what);
}

static void skip_string(struct scan *scan)
{
	unsigned line = scan->place.line;

	step(scan);
	while (*scan->at && *scan->at != '"') {
		if (*scan->at == '\\' && scan->at[1])
			step(scan);
		step(scan);
	}
	if (*scan->at)
		step(scan);
	else
		unended(scan, line, "string");
}

static void skip_line(struct scan *scan)
{
	while (*scan->at && *scan->at != '\n')
		step(scan);
}

static void skip_block_comment(struct scan *scan)
{
	const char *end = strstr(scan->at + 2, "*/");

	if (!end)
		unended(scan, scan->place.line, "comment");
	while (*scan->at && (!end || scan->at < end + 2))
		step(scan);
}

static void skip_name(struct scan *scan)
{
	while (isalnum((unsigned char)*scan->at) || (*scan->at && strchr("*_-", *scan->at)))
		step(scan);
}

/* --- includes ------------------------------------------------------------------------ */

static void scan_include(struct scan *scan, const char *name)
{
	struct reader *reader = scan->reader;
	const char *path = name[0] == '/' ? NULL : beside(reader->arena, reader->file, name);

	if (!path)
		conf_error(reader->errors, &scan->place,
			   "@include \"%s\": the path must be relative to the folder of %s", name,
			   reader->file);
	else if (scan->depth + 1 >= INCLUDES_MAX)
		conf_error(reader->errors, &scan->place, "@include \"%s\": nested too deep", name);
	else
		scan_path(reader, path, &scan->place, scan->depth + 1);
}

/* `@include "FILE"`, where the scan stands at the first letter. */
static void read_include(struct scan *scan)
{
	const char *begin = scan->at + strlen("@include"), *end;
	char *name;

	begin += strspn(begin, " \t");
	end = *begin == '"' ? strpbrk(begin + 1, "\"\n") : NULL;
	if (end && *end == '"') {
		name = strndup(begin + 1, (size_t)(end - begin - 1));
		if (name)
			scan_include(scan, name);
		free(name);
	}
	skip_line(scan);
}

/* --- numbers ------------------------------------------------------------------------- */

static size_t number_length(const char *text)
{
	size_t len = strspn(text, "+-");
	bool hex = text[len] == '0' && (text[len + 1] | 0x20) == 'x';

	for (; isalnum((unsigned char)text[len]) || text[len] == '.'; len++)
		if (!hex && (text[len] | 0x20) == 'e' &&
		    (text[len + 1] == '-' || text[len + 1] == '+'))
			len++;
	return len;
}

/* True when the parser would keep another value than the one that is written. */
static bool is_cut(const char *number)
{
	bool hex = strpbrk(number, "xX"), wide = strpbrk(number, "lL");
	long long value;

	if (!hex && strpbrk(number, ".eE"))
		return !isfinite(strtod(number, NULL));
	errno = 0;
	value = strtoll(number, NULL, hex ? 16 : 10);
	return errno == ERANGE || (!wide && (value > INT32_MAX || value < INT32_MIN));
}

static void read_number(struct scan *scan)
{
	size_t len = number_length(scan->at);
	char number[32];
	bool kept = len < sizeof(number);

	if (kept) {
		memcpy(number, scan->at, len);
		number[len] = '\0';
	}
	if (!kept || is_cut(number))
		conf_error(scan->reader->errors, &scan->place,
			   "the number %.*s does not fit: 32 bits, or 64 with an L behind it",
			   (int)(len < 40 ? len : 40), scan->at);
	while (len--)
		step(scan);
}

/* --- the text ------------------------------------------------------------------------- */

static bool number_begins(const char *at)
{
	if (*at == '+' || *at == '-')
		at++;
	return isdigit((unsigned char)*at) || (*at == '.' && isdigit((unsigned char)at[1]));
}

static void scan_token(struct scan *scan)
{
	const char *at = scan->at;

	if (*at == '"')
		skip_string(scan);
	else if (*at == '#' || (at[0] == '/' && at[1] == '/'))
		skip_line(scan);
	else if (at[0] == '/' && at[1] == '*')
		skip_block_comment(scan);
	else if (scan->line_begins && strncmp(at, "@include", strlen("@include")) == 0)
		read_include(scan);
	else if (isalpha((unsigned char)*at) || *at == '*')
		skip_name(scan);
	else if (number_begins(at))
		read_number(scan);
	else
		step(scan);
}

static void scan_text(struct scan *scan)
{
	while (*scan->at)
		scan_token(scan);
}
