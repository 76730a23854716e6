/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "nf/sdk/map.h"
#include "nf/socket/app.h"

#define ANSWER_SECONDS 10 /* the daemon may be starting functions just now */

/* One packet, with the descriptors that came beside it. */
struct packet {
	union {
		struct sluice_host_header header;
		struct sluice_app_welcome welcome;
		struct sluice_host_region region;
		struct sluice_host_link link;
		struct sluice_host_text text;
	};
	int fd[SLUICE_HOST_SOURCES_MAX];
	unsigned fds;
};

/* What has come of a handshake. */
struct handshake {
	struct sluice_app *app;
	unsigned regions, links;
	uint64_t done; /* bytes of the region that is being mapped */
	uint8_t *base;
};

/* --- packets ----------------------------------------------------------------------------- */

static void packet_close(struct packet *p)
{
	for (unsigned i = 0; i < p->fds; i++)
		if (p->fd[i] >= 0)
			close(p->fd[i]);
	p->fds = 0;
}

static int packet_receive(int socket, struct packet *p)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(p->fd))];
	struct iovec iov = {.iov_base = p, .iov_len = offsetof(struct packet, fd)};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);

	p->fds = 0;
	if (n <= 0)
		return n < 0 && errno == EAGAIN ? -ETIMEDOUT : -EPIPE;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		p->fds = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(p->fd, CMSG_DATA(c), p->fds * sizeof(int));
	}
	if (p->header.bytes == (size_t)n && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return 0;
	packet_close(p);
	return -EPROTO;
}

/* --- what it brings ---------------------------------------------------------------------- */

static int on_welcome(struct handshake *h, const struct packet *p)
{
	struct sluice_app *app = h->app;

	app->limits = p->welcome;
	if (app->limits.abi != SLUICE_APP_ABI_VERSION)
		return -EPROTONOSUPPORT;
	if (!app->limits.workers || app->limits.workers > WORKERS_MAX)
		return -EPROTO;
	for (unsigned i = 0; i < app->limits.workers; i++) {
		struct app_worker *w = &app->worker[i];

		w->slot = calloc(app->limits.conns, sizeof(*w->slot));
		w->node = calloc(app->limits.blocks, sizeof(*w->node));
		if (!w->slot || !w->node)
			return -ENOMEM;
	}
	return 0;
}

static int arena_there(struct sluice_app *app, const struct sluice_host_region *r, uint8_t *base)
{
	app->arena_base = base;
	app->arena_size = r->bytes;
	app->arena_id = r->id;
	return arena_create(base, r->bytes, &app->arena);
}

/* The arena comes first, then what each worker receives into. */
static int region_there(struct handshake *h, const struct sluice_host_region *r)
{
	struct sluice_app *app = h->app;
	unsigned i = h->regions++;

	if (r->writable)
		return i ? -EPROTO : arena_there(app, r, h->base);
	if (!i || i > app->limits.workers)
		return -EPROTO;
	app->worker[i - 1].rx = h->base;
	app->worker[i - 1].rx_bytes = r->bytes;
	app->worker[i - 1].rx_id = r->id;
	return 0;
}

static int on_region(struct handshake *h, const struct packet *p)
{
	const struct sluice_host_region *r = &p->region;
	int rc = 0;

	if (r->sources != p->fds || !p->fds || r->done != h->done)
		return -EPROTO;
	if (!h->done)
		h->base = map_reserve(r->bytes, p->fd[0]);
	if (!h->base)
		return -ENOMEM;
	for (unsigned i = 0; i < r->sources && !rc; i++)
		rc = map_source(h->base, r->bytes, &h->done, &r->source[i], p->fd[i], r->writable);
	if (rc || h->done < r->bytes)
		return rc;
	rc = region_there(h, r);
	h->done = 0;
	h->base = NULL;
	return rc;
}

static int link_map(struct app_worker *w, struct packet *p)
{
	const uint8_t *down = mmap(NULL, p->link.down_bytes, PROT_READ, MAP_SHARED, p->fd[0], 0);
	uint8_t *up = mmap(NULL, p->link.up_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd[1], 0);

	if (down == MAP_FAILED || up == MAP_FAILED)
		return -errno;
	w->down = (const struct sluice_down_ctl *)down;
	w->ring = (const struct sluice_app_down *)(down + SLUICE_PAGE);
	w->entries = w->down->entries;
	w->up = (struct sluice_up_ctl *)up;
	w->down_bytes = p->link.down_bytes;
	w->up_bytes = p->link.up_bytes;
	w->wake_fd = p->fd[2];
	p->fd[2] = -1;
	w->free.kind = SLUICE_APP_FREE;
	if (w->down->magic != SLUICE_RING_MAGIC)
		return -EPROTO;
	return outring_init(&w->out, w->down, up, w->wake_fd);
}

static int on_link(struct handshake *h, struct packet *p)
{
	unsigned i = h->links++;

	if (p->fds != 3 || i >= h->app->limits.workers || p->link.worker != i ||
	    h->app->worker[i].rx_id != p->link.messages)
		return -EPROTO;
	return link_map(&h->app->worker[i], p);
}

static int on_packet(struct handshake *h, struct packet *p)
{
	switch (p->header.kind) {
	case SLUICE_APP_WELCOME:
		return on_welcome(h, p);
	case SLUICE_HOST_REGION:
		return on_region(h, p);
	case SLUICE_HOST_LINK:
		return on_link(h, p);
	case SLUICE_HOST_GO:
		return h->app->arena && h->links && h->links == h->app->limits.workers ? 0
										       : -EPROTO;
	case SLUICE_HOST_ERROR:
		return p->text.level ? -(int)p->text.level : -EPROTO;
	default:
		return -EPROTO;
	}
}

static int handshake(struct sluice_app *app)
{
	struct handshake h = {.app = app};
	struct packet p;
	int rc;

	do {
		rc = packet_receive(app->socket, &p);
		if (rc)
			break;
		rc = on_packet(&h, &p);
		packet_close(&p);
	} while (!rc && p.header.kind != SLUICE_HOST_GO);
	return rc;
}

/* --- the attachment ---------------------------------------------------------------------- */

static int dial(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval most = {.tv_sec = ANSWER_SECONDS};
	int fd, rc;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most)))
		return fd;
	rc = errno == ENOENT ? -ECONNREFUSED : -errno;
	close(fd);
	return rc;
}

static int say_hello(int socket, const char *name)
{
	struct sluice_app_hello hello = {.header = {SLUICE_APP_HELLO, sizeof(hello)},
					 .abi = SLUICE_APP_ABI_VERSION};

	if (strlen(name) >= sizeof(hello.name))
		return -ENOENT;
	strcpy(hello.name, name);
	return send(socket, &hello, sizeof(hello), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int sluice_attach(const char *path, const char *name, struct sluice_app **out)
{
	struct sluice_app *app = calloc(1, sizeof(*app));
	int rc;

	if (!app)
		return -ENOMEM;
	TAILQ_INIT(&app->ready);
	TAILQ_INIT(&app->asked);
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		app->worker[i].wake_fd = -1;
	app->socket = dial(path ? path : SLUICE_SOCKET_DEFAULT);
	rc = app->socket < 0 ? app->socket : say_hello(app->socket, name);
	if (!rc)
		rc = handshake(app);
	if (rc) {
		sluice_detach(app);
		return rc;
	}
	app->attached = true;
	*out = app;
	return 0;
}

static void worker_end(struct app_worker *w)
{
	outring_fini(&w->out);
	if (w->up)
		munmap(w->up, w->up_bytes);
	if (w->down)
		munmap((void *)(uintptr_t)w->down, w->down_bytes);
	if (w->rx)
		munmap((void *)(uintptr_t)w->rx, w->rx_bytes);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	free(w->slot);
	free(w->node);
}

/* The socket goes last: with its end the daemon knows, and what was said before is said. */
void sluice_detach(struct sluice_app *app)
{
	struct sluice_conn *conn;

	if (!app)
		return;
	if (app->attached)
		sluice_flush(app);
	while ((conn = LIST_FIRST(&app->conns)))
		conn_forget(conn);
	for (unsigned i = 0; i < SLUICE_APP_LISTENERS_MAX; i++)
		free(app->listener[i]);
	if (app->arena)
		arena_destroy(app->arena);
	if (app->arena_base)
		munmap(app->arena_base, app->arena_size);
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		worker_end(&app->worker[i]);
	if (app->socket >= 0)
		close(app->socket);
	free(app);
}
