/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/sluice-bench/command.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/sluice-bench/content.h"

#define TRAIN_MOST 64

static bool number(const char *text, unsigned least, unsigned most, unsigned *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*out = (unsigned)value;
	return end != text && !*end && value >= least && value <= most;
}

static bool real(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end != text && !*end && *out > 0;
}

static bool address(const char *text, uint32_t *out)
{
	return inet_pton(AF_INET, text, out) == 1;
}

static bool server(char *text, struct client_conf *conf)
{
	char *colon = strchr(text, ':');
	unsigned port;

	if (!colon || !number(colon + 1, 1, 65535, &port))
		return false;
	*colon = '\0';
	conf->port = (uint16_t)port;
	return address(text, &conf->server);
}

static bool key_read(struct command *command, const char *key, char *value)
{
	struct client_conf *conf = &command->client;

	if (!strcmp(key, "device"))
		return number(value, 0, 63, &command->device);
	if (!strcmp(key, "warm_ms"))
		return number(value, 0, 60000, &command->warm_ms);
	if (!strcmp(key, "ms"))
		return number(value, 1, 3600000, &command->ms);
	if (!strcmp(key, "server"))
		return server(value, conf);
	if (!strcmp(key, "origin")) {
		command->has_origin = true;
		return number(value, 0, 63, &command->origin_device);
	}
	if (!strcmp(key, "origin_address"))
		return address(value, &command->origin);
	if (!strcmp(key, "segment"))
		return number(value, 1, CONTENT_PIECE_MOST, &command->segment);
	if (!strcmp(key, "train"))
		return number(value, 1, TRAIN_MOST, &command->train);
	if (!strcmp(key, "from"))
		return address(value, &conf->from);
	if (!strcmp(key, "hosts"))
		return number(value, 1, CLIENT_HOSTS_MOST, &conf->hosts);
	if (!strcmp(key, "connections"))
		return number(value, 1, CLIENT_CONNS_MOST, &conf->conns);
	if (!strcmp(key, "active"))
		return number(value, 1, CLIENT_CONNS_MOST, &conf->active);
	if (!strcmp(key, "size"))
		return number(value, 0, 1u << 30, &conf->size);
	if (!strcmp(key, "rate"))
		return real(value, &conf->rate);
	if (!strcmp(key, "path"))
		return snprintf(conf->path, sizeof(conf->path), "%s", value) <
		       (int)sizeof(conf->path);
	if (!strcmp(key, "paths"))
		return number(value, 0, 9999, &conf->paths);
	if (!strcmp(key, "last")) {
		conf->last = (uint8_t)value[0];
		return value[0] && !value[1];
	}
	return false;
}

static bool mode_read(const char *word, enum client_mode *mode)
{
	static const char *const names[] = {
		[CLIENT_CLOSED] = "closed", [CLIENT_OPEN] = "open", [CLIENT_ONCE] = "once"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (word && !strcmp(word, names[i])) {
			*mode = i;
			return true;
		}
	return false;
}

const char *command_read(struct command *command, char *line)
{
	char *rest = line, *word = strtok_r(line, " \n", &rest);

	*command = (struct command){.warm_ms = 100,
				    .ms = 300,
				    .segment = FRAME_MSS,
				    .train = 1,
				    .client = {.hosts = 1, .conns = 1}};
	if (!mode_read(word, &command->client.mode))
		return "closed, open or once is what can be done";
	if (!address("10.50.0.100", &command->client.from))
		return "no address";
	while ((word = strtok_r(NULL, " \n", &rest))) {
		char *value = strchr(word, '=');

		if (!value)
			return "KEY=VALUE is expected";
		*value++ = '\0';
		if (!key_read(command, word, value))
			return "a key that is not known, or a value that it cannot have";
	}
	if (!command->client.server || !command->client.path[0])
		return "server and path must be given";
	if (command->client.mode == CLIENT_OPEN && command->client.rate <= 0)
		return "an open loop needs a rate";
	if (command->client.conns > command->client.hosts * (CLIENT_PORTS - CLIENT_PORT_FIRST))
		return "so many connections need more hosts";
	if (!command->client.active || command->client.active > command->client.conns)
		command->client.active = command->client.conns;
	if (command->has_origin && !command->origin)
		return "an origin needs an address";
	return NULL;
}
