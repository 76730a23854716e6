/* SPDX-License-Identifier: BSD-3-Clause */
/* The packets of the handshake, and the descriptors beside them, with exactly the rights that are
 * due. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chain/ring/memfd.h"
#include "chain/supervise/process.h"
#include "chain/supervise/sinks.h"
#include "chain/supervise/supervise.h"
#include "mgmt/conf/conf.h"

/* --- sending ------------------------------------------------------------------------- */

static int packet_send(const struct process *p, const void *packet, size_t bytes, const int *fds,
		       unsigned count, bool wait)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(SLUICE_HOST_SOURCES_MAX * sizeof(int))] = {
		0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)packet, .iov_len = bytes};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (count) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	return sendmsg(p->socket, &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT)) < 0 ? -errno
											  : 0;
}

/* A descriptor for the same file that can only read: a mapping made from it stays so. */
static int reopen_to_read(int fd)
{
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	return again < 0 ? -errno : again;
}

/* --- WELCOME ----------------------------------------------------------------------- */

/* A function without a user of its own gets one that nobody else has (the range is systemd's for
 * that). */
int process_user_of(const struct conf_function *function, const char *default_user,
		    uint32_t transient, struct process_user *out, char *error, size_t size)
{
	const char *name = function->user ? function->user : default_user;
	struct passwd entry, *found = NULL;
	char strings[4096];

	*out = (struct process_user){.uid = transient, .gid = transient, .stay = geteuid() != 0};
	if (!name)
		return 0;
	if (getpwnam_r(name, &entry, strings, sizeof(strings), &found) || !found) {
		snprintf(error, size, "user \"%s\" does not exist", name);
		return -EINVAL;
	}
	if (out->stay && entry.pw_uid != geteuid()) {
		snprintf(error, size, "only root can run a function as user \"%s\"", name);
		return -EINVAL;
	}
	out->uid = entry.pw_uid;
	out->gid = entry.pw_gid;
	return 0;
}

static int config_file(const char *json, size_t bytes)
{
	int fd = memfd_create("sluice.config", MFD_CLOEXEC | MFD_ALLOW_SEALING), again;

	if (fd < 0)
		return -errno;
	if (write(fd, json, bytes) != (ssize_t)bytes) {
		close(fd);
		return -EIO;
	}
	again = reopen_to_read(fd);
	close(fd);
	return again;
}

int process_welcome(const struct process *p, const struct conf_function *function,
		    const struct process_terms *terms)
{
	const char *json = function->config_json ? function->config_json : "";
	struct sluice_host_welcome w = {
		.header = {SLUICE_HOST_WELCOME, sizeof(w)},
		.abi = SLUICE_ABI_VERSION,
		.flags = terms->flags | (terms->user.stay ? SLUICE_HOST_STAY : 0),
		.instance = terms->instance,
		.manager_pid = (uint32_t)getpid(),
		.uid = terms->user.uid,
		.gid = terms->user.gid,
		.spin_us = terms->spin_us,
		.workers = terms->workers,
		.config_bytes = strlen(json),
	};
	int fds[2], rc;

	if (strlen(function->plugin_path) >= sizeof(w.plugin))
		return -ENAMETOOLONG;
	memcpy(w.cpus, terms->cpus, sizeof(w.cpus));
	snprintf(w.function, sizeof(w.function), "%s", function->name);
	snprintf(w.plugin, sizeof(w.plugin), "%s", function->plugin_path);
	fds[0] = config_file(json, w.config_bytes);
	fds[1] = p->wake_fd;
	if (fds[0] < 0)
		return fds[0];
	rc = packet_send(p, &w, sizeof(w), fds, 2, true);
	close(fds[0]);
	return rc;
}

/* --- ALLOW ------------------------------------------------------------------------- */

static int allow_send(const struct process *p, enum sluice_host_allowed what, const char *text,
		      const struct endpoint *to, int fd)
{
	struct sluice_host_allow m = {.header = {SLUICE_HOST_ALLOW, sizeof(m)}, .what = what};

	_Static_assert(sizeof(m.text) == CONF_ALLOW_TEXT_MAX, "the configuration checked it");
	snprintf(m.text, sizeof(m.text), "%s", text);
	if (to) {
		m.to.family = to->addr.family;
		m.to.port = to->port;
		memcpy(m.to.bytes, to->addr.bytes, sizeof(m.to.bytes));
	}
	return packet_send(p, &m, sizeof(m), &fd, fd >= 0, true);
}

static int allow_write(const struct process *p, const struct conf_function *function,
		       const struct conf_writing *to, bool trial)
{
	int fd = -1, rc = trial ? 0 : sink_open(to, function->name, &fd);

	if (!rc)
		rc = allow_send(p, SLUICE_ALLOW_WRITE, to->name, NULL, fd);
	if (fd >= 0)
		close(fd);
	return rc;
}

int process_allow(const struct process *p, const struct conf_function *function, bool trial)
{
	const struct conf_allow *allow = &function->allow;
	static const enum sluice_host_allowed what[] = {
		[CONF_CONNECT_TCP] = SLUICE_ALLOW_TCP,
		[CONF_CONNECT_UDP] = SLUICE_ALLOW_UDP,
		[CONF_CONNECT_UNIX] = SLUICE_ALLOW_UNIX,
	};
	int rc = 0;

	_Static_assert(3 * CONF_ALLOW_MAX <= SLUICE_ALLOW_MAX, "the host has room for all");
	for (unsigned i = 0; i < allow->read_count && !rc; i++)
		rc = allow_send(p, SLUICE_ALLOW_READ, allow->read[i], NULL, -1);
	for (unsigned i = 0; i < allow->connect_count && !rc; i++) {
		const struct conf_connection *c = &allow->connect[i];

		rc = allow_send(p, what[c->kind], c->name,
				c->kind == CONF_CONNECT_UNIX ? NULL : &c->endpoint, -1);
	}
	for (unsigned i = 0; i < allow->write_count && !rc; i++)
		rc = allow_write(p, function, &allow->write[i], trial);
	return rc;
}

/* --- REGION ------------------------------------------------------------------------ */

static int source_fd(const struct region_source *source, bool own)
{
	int fd = own ? fcntl(source->fd, F_DUPFD_CLOEXEC, 0) : reopen_to_read(source->fd);

	return fd < 0 && own ? -errno : fd;
}

/* As many sources as one packet takes, from `first`. How many, or -errno. */
static int region_part(const struct process *p, const struct region *r, unsigned first, bool own,
		       bool wait, uint64_t *done)
{
	struct sluice_host_region m = {
		.header = {SLUICE_HOST_REGION, sizeof(m)},
		.id = r->id,
		.kind = r->kind,
		.writable = own,
		.done = *done,
		.bytes = r->bytes,
	};
	int fds[SLUICE_HOST_SOURCES_MAX], rc = 0;

	while (m.sources < SLUICE_HOST_SOURCES_MAX && first + m.sources < r->sources_count) {
		const struct region_source *source = &r->sources[first + m.sources];

		fds[m.sources] = source_fd(source, own);
		if (fds[m.sources] < 0) {
			rc = fds[m.sources];
			break;
		}
		m.source[m.sources++] = (struct sluice_host_source){source->offset, source->bytes};
		*done += source->bytes;
	}
	if (!rc)
		rc = packet_send(p, &m, sizeof(m), fds, m.sources, wait);
	for (unsigned i = 0; i < m.sources; i++)
		close(fds[i]);
	return rc ? rc : (int)m.sources;
}

int process_region(const struct process *p, const struct region *r, bool own, bool wait)
{
	uint64_t done = 0;
	unsigned sent = 0;
	int n;

	while (sent < r->sources_count) {
		n = region_part(p, r, sent, own, wait, &done);
		if (n < 0)
			return n;
		sent += (unsigned)n;
	}
	return done == r->bytes ? 0 : -EINVAL;
}

int process_region_private(const struct process *p, uint16_t id, uint64_t bytes)
{
	struct sluice_host_region m = {
		.header = {SLUICE_HOST_REGION, sizeof(m)},
		.id = id,
		.kind = SLUICE_REGION_ARENA,
		.writable = 1,
		.bytes = bytes,
	};

	return packet_send(p, &m, sizeof(m), NULL, 0, true);
}

/* --- LINK, GO ---------------------------------------------------------------------- */

int process_link(const struct process *p, const struct link *link, unsigned worker,
		 uint16_t messages, int worker_wake_fd)
{
	struct sluice_host_link m = {
		.header = {SLUICE_HOST_LINK, sizeof(m)},
		.worker = worker,
		.messages = messages,
		.down_bytes = link_down_bytes(link),
		.up_bytes = link_up_bytes(link),
	};
	int fds[3] = {reopen_to_read(link_down_fd(link)), link_up_fd(link), worker_wake_fd}, rc;

	if (fds[0] < 0)
		return fds[0];
	rc = packet_send(p, &m, sizeof(m), fds, 3, true);
	close(fds[0]);
	return rc;
}

int process_command(const struct process *p, uint32_t number, const char *words, size_t bytes)
{
	size_t all = offsetof(struct sluice_host_command, text) + bytes;
	struct sluice_host_command m = {.header = {SLUICE_HOST_COMMAND, (uint32_t)all},
					.number = number};

	if (bytes > sizeof(m.text))
		return -E2BIG;
	memcpy(m.text, words, bytes);
	return packet_send(p, &m, all, NULL, 0, false);
}

int process_go(const struct process *p)
{
	struct sluice_host_header go = {SLUICE_HOST_GO, sizeof(go)};

	return packet_send(p, &go, sizeof(go), NULL, 0, true);
}

/* --- receiving --------------------------------------------------------------------- */

static void text_clean(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 127)
			*text = ' ';
	}
}

static void text_take(struct process_message *out, const char *text, size_t len)
{
	if (len > SLUICE_HOST_TEXT_MAX)
		len = SLUICE_HOST_TEXT_MAX;
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	memcpy(out->text, text, len);
	out->text[len] = '\0';
	text_clean(out->text);
}

static int host_text_take(const struct sluice_host_text *from, size_t n,
			  struct process_message *out)
{
	size_t before = offsetof(struct sluice_host_text, text);

	if (n < before)
		return -EPROTO;
	out->level = from->level;
	out->placed = from->placed == 1;
	text_take(out, from->text, n - before);
	return 0;
}

static int counter_take(const struct sluice_host_counter *from, size_t n,
			struct process_message *out)
{
	if (n != sizeof(*from) || from->index >= SLUICE_COUNTERS)
		return -EPROTO;
	out->counter = *from;
	out->counter.name[sizeof(from->name) - 1] = '\0';
	out->counter.help[sizeof(from->help) - 1] = '\0';
	text_clean(out->counter.name);
	text_clean(out->counter.help);
	return 0;
}

/* It is JSON, or a sentence: as it came. */
static int answer_take(const struct sluice_host_answer *from, size_t n, struct process_message *out)
{
	size_t before = offsetof(struct sluice_host_answer, text);

	if (n < before || from->header.bytes != n)
		return -EPROTO;
	out->number = from->number;
	out->flags = from->flags;
	out->len = n - before;
	memcpy(out->text, from->text, out->len);
	out->text[out->len] = '\0';
	return 0;
}

int process_receive(const struct process *p, struct process_message *out)
{
	union {
		struct sluice_host_header header;
		struct sluice_host_text text;
		struct sluice_host_counter counter;
		struct sluice_host_ready ready;
		struct sluice_host_answer answer;
		char raw[sizeof(struct sluice_host_text)];
	} in;
	ssize_t n = recv(p->socket, &in, sizeof(in),
			 MSG_DONTWAIT); /* descriptors sent along are dropped */

	if (n <= 0)
		return n < 0 && errno != ECONNRESET ? -errno : -EPIPE;
	out->kind = (size_t)n >= sizeof(in.header) ? (enum sluice_host_kind)in.header.kind : 0;
	switch (out->kind) {
	case SLUICE_HOST_COUNTER:
		return counter_take(&in.counter, (size_t)n, out);
	case SLUICE_HOST_READY:
		out->ready = in.ready;
		return n == sizeof(in.ready) ? 0 : -EPROTO;
	case SLUICE_HOST_ERROR:
	case SLUICE_HOST_LOG:
		return host_text_take(&in.text, (size_t)n, out);
	case SLUICE_HOST_ANSWER:
		return answer_take(&in.answer, (size_t)n, out);
	default:
		out->kind = 0;
		out->level = 1;
		text_take(out, in.raw, (size_t)n);
		return 0;
	}
}

/* Cuts "FILE:LINE: text" in three; NULL if it is no such thing. */
static char *place_cut(char *text, struct conf_place *place)
{
	for (char *colon = strchr(text, ':'); colon; colon = strchr(colon + 1, ':')) {
		char *end;
		unsigned long line = strtoul(colon + 1, &end, 10);

		if (end == colon + 1 || strncmp(end, ": ", 2) != 0)
			continue;
		*colon = '\0';
		*place = (struct conf_place){text, (unsigned)line};
		return end + 2;
	}
	return NULL;
}

/* False: it has no place in it. */
static bool error_placed(struct conf_errors *errors, const char *text)
{
	char copy[SLUICE_HOST_TEXT_MAX + 1];
	struct conf_place place;
	char *rest;

	snprintf(copy, sizeof(copy), "%s", text);
	rest = place_cut(copy, &place);
	if (rest)
		conf_error(errors, &place, "%s", rest);
	return rest != NULL;
}

void supervise_error(struct conf_errors *errors, const struct conf_function *function, bool placed,
		     const char *text)
{
	if (placed && error_placed(errors, text))
		return;
	conf_error(errors, &function->place, "function \"%s\": %s", function->name, text);
}

void process_error_copy(struct conf_errors *errors, const char *text)
{
	static const struct conf_place nowhere = {"?", 1};

	if (!error_placed(errors, text))
		conf_error(errors, &nowhere, "%s", text);
}
