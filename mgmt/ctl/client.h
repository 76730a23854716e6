/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection to the control socket: lines in, lines out, both bounded.
 *
 * Private to mgmt/ctl. A place without a connection has fd -1.
 */
#ifndef MGMT_CTL_CLIENT_H
#define MGMT_CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mgmt/ctl/ctl.h"

struct ctl_client {
	int fd;
	uint32_t generation; /* of this place: tells a token from one of an earlier client */
	bool pending;        /* a command runs and will be finished later */
	bool input_ended;
	uint64_t active_ms; /* when bytes went last */
	size_t in_len, line_len;
	char *out; /* the answer that is being written; NULL: none */
	size_t out_len, out_sent;
	char in[CTL_REQUEST_MAX];
};

void client_open(struct ctl_client *client, int fd, uint64_t now_ms);
void client_close(struct ctl_client *client);

/* Both: false when the connection has failed. */
bool client_read(struct ctl_client *client, uint64_t now_ms);
bool client_flush(struct ctl_client *client, uint64_t now_ms);

/* The next line that may be run: none while an answer is owed. Drop it when it was run. */
bool client_next_line(struct ctl_client *client, const char **line, size_t *len);
void client_drop_line(struct ctl_client *client);

/* Takes over `text`, from malloc (NULL ends the connection), and adds the newline. */
void client_send(struct ctl_client *client, char *text, uint64_t now_ms);

/* No more is read, and what was read is forgotten. */
void client_end_input(struct ctl_client *client);

bool client_is_too_long(const struct ctl_client *client);
bool client_is_idle(const struct ctl_client *client);

/* All was answered and no more can come. */
bool client_is_over(const struct ctl_client *client);

/* What epoll is to wait for. */
uint32_t client_interest(const struct ctl_client *client);

#endif
