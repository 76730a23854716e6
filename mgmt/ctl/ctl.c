/* SPDX-License-Identifier: BSD-3-Clause */
/* The server: who is connected, and what they ask for. */
#include "mgmt/ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mgmt/ctl/client.h"
#include "mgmt/ctl/socket.h"
#include "mgmt/nearest/nearest.h"

#define LISTENER UINT32_MAX /* in epoll's data, instead of a client's number */

struct ctl {
	struct ctl_socket socket;
	int epoll;
	const struct ctl_command *commands;
	void *ctx;
	uint64_t now_ms;
	struct ctl_client clients[CTL_CLIENTS_MAX];
};

/* --- answers --------------------------------------------------------------------------- */

static uint32_t number_of(const struct ctl *ctl, const struct ctl_client *client)
{
	return (uint32_t)(client - ctl->clients);
}

static uint64_t token_of(const struct ctl *ctl, const struct ctl_client *client)
{
	return (uint64_t)client->generation << 32 | number_of(ctl, client);
}

static void answer(struct ctl *ctl, struct ctl_client *client, json_t *data, const char *error)
{
	json_t *json = error ? json_pack("{s:b, s:s}", "ok", 0, "error", error)
			     : json_pack("{s:b, s:O?}", "ok", 1, "data", data);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	json_decref(data);
	client_send(client, text ? text : strdup("{\"ok\":false,\"error\":\"out of memory\"}"),
		    ctl->now_ms);
}

/* --- requests ---------------------------------------------------------------------------- */

static const struct ctl_command *find_command(const struct ctl *ctl, const char *cmd,
					      const char *what)
{
	for (const struct ctl_command *command = ctl->commands; command->cmd; command++)
		if (strcmp(command->cmd, cmd) == 0 &&
		    (!command->what || strcmp(command->what, what) == 0))
			return command;
	return NULL;
}

/* The closest known word: of commands, or of what goes with `cmd` when that is known. */
static const char *suggest(const struct ctl *ctl, const char *cmd, const char *what)
{
	struct nearest nearest;

	nearest_begin(&nearest, what ? what : cmd);
	for (const struct ctl_command *command = ctl->commands; command->cmd; command++)
		if (!what)
			nearest_offer(&nearest, command->cmd);
		else if (strcmp(command->cmd, cmd) == 0 && command->what)
			nearest_offer(&nearest, command->what);
	return nearest_best(&nearest);
}

static bool is_command(const struct ctl *ctl, const char *cmd)
{
	for (const struct ctl_command *command = ctl->commands; command->cmd; command++)
		if (strcmp(command->cmd, cmd) == 0)
			return true;
	return false;
}

static void refuse_command(struct ctl *ctl, struct ctl_client *client, const char *cmd,
			   const char *what)
{
	bool known = is_command(ctl, cmd);
	const char *meant = suggest(ctl, cmd, known ? what : NULL);
	char error[512];
	int end;

	if (known && what[0] == '\0')
		end = snprintf(error, sizeof(error), "%.64s what?", cmd);
	else
		end = snprintf(error, sizeof(error), "there is no command \"%.64s%s%.64s\"", cmd,
			       known ? " " : "", known ? what : "");
	if (meant)
		snprintf(error + end, sizeof(error) - (size_t)end, "; did you mean \"%s%s%s\"?",
			 known ? cmd : "", known ? " " : "", meant);
	answer(ctl, client, NULL, error);
}

static void run_command(struct ctl *ctl, struct ctl_client *client,
			const struct ctl_command *command, const struct ctl_request *request)
{
	char error[CTL_ERROR_MAX] = "";
	json_t *data = NULL;
	int result;

	client->pending = true;
	result = command->run(ctl->ctx, request, &data, error, sizeof(error));
	if (result == CTL_LATER)
		return;
	client->pending = false;
	if (result < 0 && error[0] == '\0')
		snprintf(error, sizeof(error), "%s", strerror(-result));
	if (result < 0) {
		json_decref(data);
		data = NULL;
	}
	answer(ctl, client, data, result < 0 ? error : NULL);
}

static const char *member_text(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static void run_request(struct ctl *ctl, struct ctl_client *client, const json_t *json)
{
	const char *cmd = member_text(json, "cmd");
	struct ctl_request request = {
		.what = member_text(json, "what"), .args = json, .token = token_of(ctl, client)};
	const struct ctl_command *command = find_command(ctl, cmd, request.what);

	if (command)
		run_command(ctl, client, command, &request);
	else if (cmd[0])
		refuse_command(ctl, client, cmd, request.what);
	else
		answer(ctl, client, NULL, "the request has no \"cmd\"");
}

static void run_line(struct ctl *ctl, struct ctl_client *client, const char *line, size_t len)
{
	char error[sizeof(((json_error_t *)0)->text) + 64];
	json_error_t where;
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &where);

	if (json) {
		run_request(ctl, client, json);
	} else {
		snprintf(error, sizeof(error), "the request is not JSON: %s", where.text);
		answer(ctl, client, NULL, error);
	}
	json_decref(json);
}

/* --- clients ------------------------------------------------------------------------------- */

static void watch(struct ctl *ctl, struct ctl_client *client)
{
	struct epoll_event event = {.events = client_interest(client),
				    .data.u32 = number_of(ctl, client)};

	if (epoll_ctl(ctl->epoll, EPOLL_CTL_MOD, client->fd, &event) != 0)
		client_close(client);
}

/* Runs what can be run of what the client has sent, and says what it is waited for next. */
static void serve(struct ctl *ctl, struct ctl_client *client)
{
	const char *line;
	size_t len;

	while (client_next_line(client, &line, &len)) {
		run_line(ctl, client, line, len);
		client_drop_line(client);
	}
	if (client_is_too_long(client)) {
		answer(ctl, client, NULL, "the request is too long");
		client_end_input(client);
	}
	if (client_is_over(client))
		client_close(client);
	else
		watch(ctl, client);
}

static void handle_client(struct ctl *ctl, struct ctl_client *client, uint32_t events)
{
	bool alive = !(events & EPOLLERR);

	if (alive && (events & EPOLLOUT))
		alive = client_flush(client, ctl->now_ms);
	if (alive && (events & (EPOLLIN | EPOLLHUP)))
		alive = client_read(client, ctl->now_ms);
	if (alive)
		serve(ctl, client);
	/* Hung up: it will not read what is still to come. */
	if (client->fd >= 0 && (!alive || (events & EPOLLHUP)))
		client_close(client);
}

/* A free place; if there is none, that of the client who has been silent the longest. */
static struct ctl_client *make_room(struct ctl *ctl)
{
	struct ctl_client *oldest = NULL;

	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++) {
		struct ctl_client *client = &ctl->clients[i];

		if (client->fd < 0)
			return client;
		if (client_is_idle(client) && (!oldest || client->active_ms < oldest->active_ms))
			oldest = client;
	}
	if (oldest)
		client_close(oldest);
	return oldest;
}

static void admit(struct ctl *ctl, int fd)
{
	struct ctl_client *client = make_room(ctl);
	struct epoll_event event = {.events = EPOLLIN};

	if (!client) {
		close(fd);
		return;
	}
	client_open(client, fd, ctl->now_ms);
	event.data.u32 = number_of(ctl, client);
	if (epoll_ctl(ctl->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		client_close(client);
}

static void accept_all(struct ctl *ctl)
{
	int fd;

	while ((fd = accept4(ctl->socket.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		admit(ctl, fd);
}

static void drop_stalled(struct ctl *ctl)
{
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++) {
		struct ctl_client *client = &ctl->clients[i];

		if (client->fd >= 0 && client->out &&
		    ctl->now_ms - client->active_ms > CTL_STALL_MS)
			client_close(client);
	}
}

/* --- the server ---------------------------------------------------------------------------------
 */

void ctl_handle(struct ctl *ctl, uint64_t now_ms)
{
	struct epoll_event events[CTL_CLIENTS_MAX + 1];
	int n = epoll_wait(ctl->epoll, events, CTL_CLIENTS_MAX + 1, 0);
	bool incoming = false;

	ctl->now_ms = now_ms;
	for (int i = 0; i < n; i++)
		if (events[i].data.u32 == LISTENER)
			incoming = true;
		else if (ctl->clients[events[i].data.u32].fd >= 0)
			handle_client(ctl, &ctl->clients[events[i].data.u32], events[i].events);
	/* Last, so that no event of this round is taken for one of a newcomer. */
	if (incoming)
		accept_all(ctl);
	drop_stalled(ctl);
}

int ctl_finish(struct ctl *ctl, uint64_t token, json_t *data, const char *error)
{
	uint32_t number = (uint32_t)token;
	struct ctl_client *client = number < CTL_CLIENTS_MAX ? &ctl->clients[number] : NULL;

	if (!client || client->fd < 0 || !client->pending || token_of(ctl, client) != token) {
		json_decref(data);
		return -ESTALE;
	}
	if (error) {
		json_decref(data);
		data = NULL;
	}
	client->pending = false;
	answer(ctl, client, data, error);
	serve(ctl, client);
	return 0;
}

int ctl_fd(const struct ctl *ctl)
{
	return ctl->epoll;
}

static int watch_listener(struct ctl *ctl)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = LISTENER};

	ctl->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (ctl->epoll < 0)
		return -errno;
	return epoll_ctl(ctl->epoll, EPOLL_CTL_ADD, ctl->socket.fd, &event) == 0 ? 0 : -errno;
}

int ctl_create(const char *run_dir, const struct ctl_command *commands, void *ctx, char *error,
	       size_t error_size, struct ctl **out)
{
	struct ctl *ctl = calloc(1, sizeof(*ctl));
	int result;

	*out = NULL;
	if (!ctl) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	ctl->epoll = -1;
	ctl->commands = commands;
	ctl->ctx = ctx;
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
		ctl->clients[i].fd = -1;
	result = ctl_socket_open(&ctl->socket, run_dir, error, error_size);
	if (result == 0) {
		result = watch_listener(ctl);
		if (result != 0)
			snprintf(error, error_size, "%s: %s", ctl->socket.path, strerror(-result));
	}
	if (result != 0) {
		ctl_destroy(ctl);
		return result;
	}
	*out = ctl;
	return 0;
}

void ctl_destroy(struct ctl *ctl)
{
	if (!ctl)
		return;
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
		if (ctl->clients[i].fd >= 0)
			client_close(&ctl->clients[i]);
	if (ctl->epoll >= 0)
		close(ctl->epoll);
	ctl_socket_close(&ctl->socket);
	free(ctl);
}
