/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/sluicectl/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(char **error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(char **error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(error, format, ap) < 0)
		*error = NULL;
	va_end(ap);
	return -1;
}

static const char *reason(int errnum)
{
	switch (errnum) {
	case ENOENT:
		return "no such file; is sluiced running?";
	case ECONNREFUSED:
		return "nobody answers; is sluiced running?";
	case EACCES:
		return "permission denied; try as root";
	default:
		return strerror(errnum);
	}
}

static int connect_to(const char *path, char **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return fail(error, "cannot reach the daemon at %s: the path is too long", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	fail(error, "cannot reach the daemon at %s: %s", path, reason(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int send_line(int fd, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0, sent = 0;

	if (!text)
		return -ENOMEM;
	text[len++] = '\n';
	while (sent < len) {
		ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			break;
		sent += n < 0 ? 0 : (size_t)n;
	}
	free(text);
	return sent == len ? 0 : -errno;
}

/* The answer's line; NULL when the connection ended before it. Free it. */
static char *receive_line(int fd)
{
	FILE *stream = fdopen(dup(fd), "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t len = stream ? getline(&line, &size, stream) : -1;

	if (stream)
		fclose(stream);
	if (len > 0 && line[len - 1] == '\n')
		return line;
	free(line);
	return NULL;
}

static int take_answer(const char *line, json_t **data, char **error)
{
	json_t *answer = json_loads(line, 0, NULL);
	const char *text = json_string_value(json_object_get(answer, "error"));
	int result = 0;

	if (json_is_true(json_object_get(answer, "ok"))) {
		*data = json_incref(json_object_get(answer, "data"));
		if (!*data)
			*data = json_null();
	} else {
		result = fail(error, "%s", text ? text : "the daemon's answer makes no sense");
	}
	json_decref(answer);
	return result;
}

int call_daemon(const char *path, const json_t *request, json_t **data, char **error)
{
	int fd = connect_to(path, error);
	char *line;
	int result;

	if (fd < 0)
		return -1;
	line = send_line(fd, request) == 0 ? receive_line(fd) : NULL;
	close(fd);
	if (!line)
		return fail(error, "the daemon at %s closed the connection without an answer",
			    path);
	result = take_answer(line, data, error);
	free(line);
	return result;
}
