/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/ctl/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_busy(const struct ctl_client *client)
{
	return client->pending || client->out;
}

void client_open(struct ctl_client *client, int fd, uint64_t now_ms)
{
	uint32_t generation = client->generation + 1;

	memset(client, 0, offsetof(struct ctl_client, in));
	client->fd = fd;
	client->generation = generation;
	client->active_ms = now_ms;
}

void client_close(struct ctl_client *client)
{
	close(client->fd);
	free(client->out);
	client->out = NULL;
	client->pending = false;
	client->fd = -1;
}

/* --- in ---------------------------------------------------------------------------------- */

bool client_read(struct ctl_client *client, uint64_t now_ms)
{
	size_t room = sizeof(client->in) - client->in_len;
	ssize_t got;

	if (room == 0 || client->input_ended)
		return true;
	got = recv(client->fd, client->in + client->in_len, room, 0);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	client->input_ended = got == 0;
	client->in_len += (size_t)got;
	client->active_ms = now_ms;
	return true;
}

/* The last line needs no newline when nothing can follow it. */
bool client_next_line(struct ctl_client *client, const char **line, size_t *len)
{
	const char *end = memchr(client->in, '\n', client->in_len);

	if (client->fd < 0 || is_busy(client) || client->in_len == 0)
		return false;
	if (!end && !client->input_ended)
		return false;
	*line = client->in;
	*len = end ? (size_t)(end - client->in) : client->in_len;
	client->line_len = end ? *len + 1 : *len;
	return true;
}

void client_drop_line(struct ctl_client *client)
{
	client->in_len -= client->line_len;
	memmove(client->in, client->in + client->line_len, client->in_len);
	client->line_len = 0;
}

void client_end_input(struct ctl_client *client)
{
	client->in_len = 0;
	client->line_len = 0;
	client->input_ended = true;
}

bool client_is_too_long(const struct ctl_client *client)
{
	return !is_busy(client) && client->in_len == sizeof(client->in) &&
	       !memchr(client->in, '\n', client->in_len);
}

/* --- out --------------------------------------------------------------------------------- */

bool client_flush(struct ctl_client *client, uint64_t now_ms)
{
	ssize_t sent;

	while (client->out_sent < client->out_len) {
		sent = send(client->fd, client->out + client->out_sent,
			    client->out_len - client->out_sent, MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR;
		client->out_sent += (size_t)sent;
		client->active_ms = now_ms;
	}
	free(client->out);
	client->out = NULL;
	return true;
}

void client_send(struct ctl_client *client, char *text, uint64_t now_ms)
{
	if (!text) {
		client_end_input(client);
		return;
	}
	client->out = text;
	client->out_len = strlen(text) + 1;
	client->out_sent = 0;
	text[client->out_len - 1] = '\n';
	client->active_ms = now_ms;
	if (!client_flush(client, now_ms)) {
		free(client->out);
		client->out = NULL;
		client_end_input(client);
	}
}

/* --- state --------------------------------------------------------------------------------- */

bool client_is_idle(const struct ctl_client *client)
{
	return !is_busy(client);
}

bool client_is_over(const struct ctl_client *client)
{
	return client->input_ended && client->in_len == 0 && !is_busy(client);
}

uint32_t client_interest(const struct ctl_client *client)
{
	uint32_t events = 0;

	if (client->out)
		events |= EPOLLOUT;
	if (!is_busy(client) && !client->input_ended && client->in_len < sizeof(client->in))
		events |= EPOLLIN;
	return events;
}
