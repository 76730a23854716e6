/* SPDX-License-Identifier: BSD-3-Clause */
/* What the manager hands over. It is trusted; lengths are checked all the same. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nf/sdk/host.h"
#include "nf/sdk/map.h"

#define FDS_ASIDE 256 /* while descriptors are put in their places */

/* One packet, with the descriptors that came beside it. The longest is a command. */
struct packet {
	union {
		struct sluice_host_header header;
		struct sluice_host_welcome welcome;
		struct sluice_host_allow allow;
		struct sluice_host_region region;
		struct sluice_host_link link;
		struct sluice_host_command command;
	};
	int fd[SLUICE_HOST_SOURCES_MAX];
	unsigned fds;
};

/* --- packets ------------------------------------------------------------------------ */

static void packet_close(struct packet *p)
{
	for (unsigned i = 0; i < p->fds; i++) {
		if (p->fd[i] >= 0)
			close(p->fd[i]);
	}
	p->fds = 0;
}

static void packet_fds(struct packet *p, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		p->fds = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(p->fd, CMSG_DATA(c), p->fds * sizeof(int));
	}
}

static size_t packet_least(const struct packet *p)
{
	switch (p->header.kind) {
	case SLUICE_HOST_WELCOME:
		return sizeof(struct sluice_host_welcome);
	case SLUICE_HOST_ALLOW:
		return sizeof(struct sluice_host_allow);
	case SLUICE_HOST_REGION:
		return sizeof(struct sluice_host_region);
	case SLUICE_HOST_LINK:
		return sizeof(struct sluice_host_link);
	case SLUICE_HOST_COMMAND:
		return offsetof(struct sluice_host_command, text);
	default:
		return sizeof(struct sluice_host_header);
	}
}

/* 0, -EPIPE when the manager is gone, -EAGAIN, -EPROTO. */
static int packet_receive(struct packet *p, int flags)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(p->fd))];
	struct iovec iov = {.iov_base = &p->header, .iov_len = sizeof(struct sluice_host_command)};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(SLUICE_HOST_SOCKET, &message, flags | MSG_CMSG_CLOEXEC);

	p->fds = 0;
	if (n <= 0)
		return n < 0 && errno != ECONNRESET ? -errno : -EPIPE;
	packet_fds(p, &message);
	if ((size_t)n >= sizeof(p->header) && p->header.bytes == (size_t)n &&
	    (size_t)n >= packet_least(p) && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return 0;
	packet_close(p);
	return -EPROTO;
}

/* --- regions ----------------------------------------------------------------------- */

static int region_begin(struct host_region *r, const struct packet *p)
{
	if (r->base)
		munmap(r->base, r->bytes); /* its number is used anew */
	*r = (struct host_region){
		.base = map_reserve(p->region.bytes, p->fds ? p->fd[0] : -1),
		.bytes = p->region.bytes,
		.kind = p->region.kind,
		.own = p->region.writable,
	};
	return r->base ? 0 : -ENOMEM;
}

/* An arena for a trial run: memory that nobody else has. */
static int region_private(struct host_region *r)
{
	if (mprotect(r->base, r->bytes, PROT_READ | PROT_WRITE))
		return -errno;
	r->done = r->bytes;
	return 0;
}

static int region_map(struct host *host, const struct packet *p)
{
	const struct sluice_host_region *m = &p->region;
	struct host_region *r = &host->region[m->id % NF_REGIONS_MAX];
	int rc = 0;

	if (m->id >= NF_REGIONS_MAX || m->sources != p->fds || !m->bytes)
		return -EPROTO;
	if (m->done == 0)
		rc = region_begin(r, p);
	if (rc || !r->base || m->done != r->done || m->bytes != r->bytes)
		return rc ? rc : -EPROTO;
	if (!m->sources)
		return region_private(r);
	for (unsigned i = 0; i < m->sources && !rc; i++)
		rc = map_source(r->base, r->bytes, &r->done, &m->source[i], p->fd[i], r->own);
	return rc;
}

static int on_region(struct host *host, struct packet *p)
{
	struct host_region *r = &host->region[p->region.id % NF_REGIONS_MAX];
	int rc = region_map(host, p);

	packet_close(p);
	if (rc)
		return host_fail(host, rc, "region %u cannot be mapped: %s", p->region.id,
				 strerror(-rc));
	if (r->done < r->bytes)
		return 0;
	host->mapped_bytes += r->bytes;
	if (r->own)
		host->arena = p->region.id;
	if (host->nf)
		nf_region_set(host->nf, p->region.id, r->kind, r->base, r->bytes);
	return 0;
}

/* --- the rest of the handshake ----------------------------------------------------- */

static int on_welcome(struct host *host, struct packet *p)
{
	struct sluice_host_welcome *w = &host->welcome;
	int rc = 0;

	*w = p->welcome;
	w->function[sizeof(w->function) - 1] = '\0';
	w->plugin[sizeof(w->plugin) - 1] = '\0';
	if (w->abi != SLUICE_ABI_VERSION)
		return host_fail(host, -EPROTO, "sluiced speaks ABI %u, this sluice-nf %u", w->abi,
				 SLUICE_ABI_VERSION);
	if (p->fds != 2 || w->workers > NF_WORKERS_MAX)
		return host_fail(host, -EPROTO, "the handshake is not understood");
	host->config = malloc(w->config_bytes + 1);
	if (!host->config)
		rc = -ENOMEM;
	else if (pread(p->fd[0], host->config, w->config_bytes, 0) != (ssize_t)w->config_bytes)
		rc = -EIO;
	host->wake_fd = p->fd[1];
	p->fd[1] = -1;
	packet_close(p);
	return rc ? host_fail(host, rc, "the config cannot be read: %s", strerror(-rc)) : 0;
}

static int on_allow(struct host *host, struct packet *p)
{
	int rc = allow_add(host, &p->allow, p->fds ? p->fd[0] : -ENOTCONN);

	if (!rc)
		p->fds = 0; /* it is kept */
	packet_close(p);
	return rc ? host_fail(host, rc, "what it may do is not understood: %s", strerror(-rc)) : 0;
}

static int link_map(struct ringend *l, const struct packet *p)
{
	void *down, *up;

	down = mmap(NULL, p->link.down_bytes, PROT_READ, MAP_SHARED, p->fd[0], 0);
	if (down == MAP_FAILED)
		return -errno;
	up = mmap(NULL, p->link.up_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd[1], 0);
	if (up == MAP_FAILED)
		return -errno;
	return ringend_open(l, down, up, p->link.messages, -1);
}

static int on_link(struct host *host, struct packet *p)
{
	struct ringend *l = &host->link[host->links];
	int rc = p->fds == 3 && host->links < host->welcome.workers && p->link.worker == host->links
			 ? link_map(l, p)
			 : -EPROTO;

	if (!rc) {
		host->worker_fd[host->links] = p->fd[2];
		p->fd[2] = -1;
		host->links++;
	}
	packet_close(p);
	host->mapped_bytes += p->link.down_bytes + p->link.up_bytes;
	return rc ? host_fail(host, rc, "the rings cannot be mapped: %s", strerror(-rc)) : 0;
}

static int on_packet(struct host *host, struct packet *p)
{
	switch (p->header.kind) {
	case SLUICE_HOST_WELCOME:
		return on_welcome(host, p);
	case SLUICE_HOST_ALLOW:
		return on_allow(host, p);
	case SLUICE_HOST_REGION:
		return on_region(host, p);
	case SLUICE_HOST_LINK:
		return on_link(host, p);
	case SLUICE_HOST_GO:
		return 0;
	default:
		packet_close(p);
		return host_fail(host, -EPROTO, "a message of the unknown kind %u", p->header.kind);
	}
}

/* Standard input, output and error are the socket: what a library prints reaches the log. From now
 * on nothing waits there: a line for which there is no room is lost. */
static int fds_settle(struct host *host)
{
	int first = SLUICE_HOST_WAKE + 1, flags = fcntl(SLUICE_HOST_SOCKET, F_GETFL);

	if (flags < 0 || fcntl(SLUICE_HOST_SOCKET, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	for (int fd = 0; fd < SLUICE_HOST_SOCKET; fd++) {
		if (dup2(SLUICE_HOST_SOCKET, fd) < 0)
			return -errno;
	}
	host->wake_fd = fcntl(host->wake_fd, F_DUPFD_CLOEXEC, FDS_ASIDE);
	for (unsigned i = 0; i < host->links; i++)
		host->worker_fd[i] = fcntl(host->worker_fd[i], F_DUPFD_CLOEXEC, FDS_ASIDE);
	allow_aside(host, FDS_ASIDE);
	close_range(SLUICE_HOST_WAKE, FDS_ASIDE - 1, 0);
	if (dup3(host->wake_fd, SLUICE_HOST_WAKE, O_CLOEXEC) < 0)
		return -errno;
	for (unsigned i = 0; i < host->links; i++) {
		if (dup3(host->worker_fd[i], first + (int)i, O_CLOEXEC) < 0)
			return -errno;
		host->link[i].out.wake_fd = host->worker_fd[i] = first + (int)i;
	}
	first += (int)host->links;
	close_range((unsigned)allow_settle(host, first), ~0u, 0);
	host->wake_fd = SLUICE_HOST_WAKE;
	return 0;
}

int handshake_run(struct host *host)
{
	struct packet p;
	int rc;

	do {
		rc = packet_receive(&p, 0);
		if (rc)
			return host_fail(host, rc, "the handshake ended early: %s", strerror(-rc));
		if (!host->config && p.header.kind != SLUICE_HOST_WELCOME)
			return host_fail(host, -EPROTO,
					 "the handshake does not begin with WELCOME");
		rc = on_packet(host, &p);
	} while (!rc && p.header.kind != SLUICE_HOST_GO);
	if (rc)
		return rc;
	rc = fds_settle(host);
	return rc ? host_fail(host, rc, "descriptors: %s", strerror(-rc)) : 0;
}

int handshake_more(struct host *host)
{
	struct packet p;
	int rc;

	while ((rc = packet_receive(&p, MSG_DONTWAIT)) == 0) {
		if (p.header.kind == SLUICE_HOST_REGION && on_region(host, &p))
			nf_complain(host->nf, host->error);
		if (p.header.kind == SLUICE_HOST_COMMAND)
			host_command_keep(host, &p.command);
		packet_close(&p);
	}
	return rc == -EPIPE ? rc : 0;
}

void handshake_forget_peers(struct host *host)
{
	for (unsigned id = 0; id < NF_REGIONS_MAX; id++) {
		struct host_region *r = &host->region[id];

		if (r->kind != SLUICE_REGION_ARENA || r->own || !r->base)
			continue;
		munmap(r->base, r->bytes);
		*r = (struct host_region){0};
		nf_region_set(host->nf, (uint16_t)id, SLUICE_REGION_NONE, NULL, 0);
	}
}
