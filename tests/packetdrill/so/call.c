/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/call.h"

#include <errno.h>

struct call call_enter(void *userdata, int fd)
{
	struct call c = {.world = userdata};

	world_enter(c.world);
	c.file = file_of(c.world, fd);
	c.sock = c.file ? c.file->sock : NULL;
	if (c.file && !c.file->nonblock)
		c.until_us = WORLD_NEVER;
	return c;
}

ssize_t call_leave(const struct call *c, ssize_t result)
{
	world_leave(c->world);
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

void call_limit(struct call *c, uint64_t timeout_us)
{
	if (c->until_us != SOCK_AT_ONCE && timeout_us)
		c->until_us = c->world->now_us + timeout_us;
}
