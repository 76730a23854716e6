/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls: arguments for libc's functions from a script's, and what came of them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/packetdrill/play/frame.h"
#include "tests/packetdrill/play/names.h"
#include "tests/packetdrill/play/report.h"

#define BUFFER_BYTES (8u << 20)
#define VALUE_BYTES  512
#define POLL_MOST    16

/* ---- arguments: checked before the call, in check_args ---- */

const struct value *frame_arg(const struct frame *f, size_t i)
{
	static const struct value any = {.kind = VALUE_ANY};

	return i < f->args->count ? f->args->items[i] : &any;
}

int64_t value_number(const struct value *value)
{
	return value->kind == VALUE_NUMBER ? value->number : 0;
}

const struct value *value_member(const struct value *record, const char *name)
{
	static const struct value any = {.kind = VALUE_ANY};

	for (size_t i = 0; i < record->count; i++)
		if (record->names[i] && !strcmp(record->names[i], name))
			return record->items[i];
	return &any;
}

static int live_fd(const struct play *play, int64_t fd)
{
	if (fd < 0 || fd >= PLAY_FDS || !play->fds[fd].used)
		return -1;
	return play->fds[fd].live;
}

int frame_fd(const struct frame *f, size_t i)
{
	return live_fd(f->play, value_number(frame_arg(f, i)));
}

/* ---- addresses ---- */

static socklen_t put_address(const struct host *host, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (host->len == 4) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		memcpy(&in4->sin_addr, host->bytes, 4);
		return sizeof(*in4);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, host->bytes, 16);
	return sizeof(*in6);
}

/* "..." is port 8080 of `host`. */
static socklen_t address_arg(const struct value *value, const struct host *host,
			     struct sockaddr_storage *out)
{
	const struct value *port = value_member(value, "sin_port"),
			   *addr = value_member(value, "sin_addr");
	struct host given = *host;

	if (addr->kind == VALUE_STRING)
		host_parse(addr->text, &given);
	return put_address(&given, port->kind == VALUE_NUMBER ? (uint16_t)port->number : 8080, out);
}

/* ---- sockets ---- */

static int64_t run_socket(struct frame *f)
{
	int domain = frame_arg(f, 0)->kind == VALUE_ANY
			     ? (f->play->flows.local.len == 4 ? AF_INET : AF_INET6)
			     : (int)value_number(frame_arg(f, 0));

	return f->stack->socket(f->userdata, domain, (int)value_number(frame_arg(f, 1)),
				(int)value_number(frame_arg(f, 2)));
}

static int64_t run_bind(struct frame *f)
{
	struct sockaddr_storage addr;
	socklen_t len = address_arg(frame_arg(f, 1), &f->play->flows.local, &addr);

	return f->stack->bind(f->userdata, frame_fd(f, 0), (struct sockaddr *)&addr, len);
}

static int64_t run_listen(struct frame *f)
{
	return f->stack->listen(f->userdata, frame_fd(f, 0), (int)value_number(frame_arg(f, 1)));
}

static int64_t run_accept(struct frame *f)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	return f->stack->accept(f->userdata, frame_fd(f, 0), (struct sockaddr *)&addr, &len);
}

static int64_t run_connect(struct frame *f)
{
	struct sockaddr_storage addr;
	socklen_t len = address_arg(frame_arg(f, 1), &f->play->flows.remote, &addr);

	return f->stack->connect(f->userdata, frame_fd(f, 0), (struct sockaddr *)&addr, len);
}

static int64_t run_close(struct frame *f)
{
	int live = frame_fd(f, 0);

	if (live >= 0)
		f->play->fds[value_number(frame_arg(f, 0))].used = false;
	return f->stack->close(f->userdata, live);
}

static int64_t run_shutdown(struct frame *f)
{
	return f->stack->shutdown(f->userdata, frame_fd(f, 0), (int)value_number(frame_arg(f, 1)));
}

/* ---- bytes ---- */

static size_t length(const struct value *value)
{
	uint64_t len = (uint64_t)value_number(value);

	return len > BUFFER_BYTES ? BUFFER_BYTES : (size_t)len;
}

/* NULL, where a script says so. */
static uint8_t *buffer_arg(const struct frame *f)
{
	return frame_arg(f, 1)->kind == VALUE_NUMBER ? NULL : f->buffer;
}

static int64_t run_read(struct frame *f)
{
	return f->stack->read(f->userdata, frame_fd(f, 0), buffer_arg(f), length(frame_arg(f, 2)));
}

static int64_t run_recv(struct frame *f)
{
	return f->stack->recv(f->userdata, frame_fd(f, 0), buffer_arg(f), length(frame_arg(f, 2)),
			      (int)value_number(frame_arg(f, 3)));
}

static int64_t run_recvfrom(struct frame *f)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	return f->stack->recvfrom(f->userdata, frame_fd(f, 0), buffer_arg(f),
				  length(frame_arg(f, 2)), (int)value_number(frame_arg(f, 3)),
				  (struct sockaddr *)&addr, &len);
}

static int64_t run_write(struct frame *f)
{
	return f->stack->write(f->userdata, frame_fd(f, 0), buffer_arg(f), length(frame_arg(f, 2)));
}

static int64_t run_send(struct frame *f)
{
	return f->stack->send(f->userdata, frame_fd(f, 0), buffer_arg(f), length(frame_arg(f, 2)),
			      (int)value_number(frame_arg(f, 3)));
}

static int64_t run_sendto(struct frame *f)
{
	struct sockaddr_storage addr;
	socklen_t len = address_arg(frame_arg(f, 4), &f->play->flows.remote, &addr);

	return f->stack->sendto(f->userdata, frame_fd(f, 0), buffer_arg(f), length(frame_arg(f, 2)),
				(int)value_number(frame_arg(f, 3)), (struct sockaddr *)&addr, len);
}

/* [{..., 1000}, {..., 500}] */
int frame_vector(struct frame *f, const struct value *list, struct iovec *out)
{
	size_t at = 0, n = list->count < VECTORS_MOST ? list->count : VECTORS_MOST;

	for (size_t i = 0; i < n; i++) {
		const struct value *item = list->items[i];

		out[i].iov_base = f->buffer + at;
		out[i].iov_len = item->count > 1 ? length(item->items[1]) : 0;
		at += out[i].iov_len;
	}
	return (int)n;
}

static int64_t run_readv(struct frame *f)
{
	struct iovec iov[VECTORS_MOST];
	int n = frame_vector(f, frame_arg(f, 1), iov);

	return f->stack->readv(f->userdata, frame_fd(f, 0), iov, n);
}

static int64_t run_writev(struct frame *f)
{
	struct iovec iov[VECTORS_MOST];
	int n = frame_vector(f, frame_arg(f, 1), iov);

	return f->stack->writev(f->userdata, frame_fd(f, 0), iov, n);
}

/* ---- settings ---- */

static int64_t run_fcntl(struct frame *f)
{
	return f->stack->fcntl(f->userdata, frame_fd(f, 0), (int)value_number(frame_arg(f, 1)),
			       (int)value_number(frame_arg(f, 2)));
}

/* ioctl(4, SIOCINQ, [1000]) = 0: what is in brackets is what it must say. */
static int64_t run_ioctl(struct frame *f)
{
	const struct value *expected = frame_arg(f, 2);
	int value = 0,
	    result = f->stack->ioctl(f->userdata, frame_fd(f, 0),
				     (unsigned long)value_number(frame_arg(f, 1)), &value);

	if (result == 0 && expected->count && value != value_number(expected->items[0]))
		return value;
	return result;
}

/* [1], or {onoff=1, linger=5}, or "reno" */
static socklen_t option_bytes(const struct value *value, void *out)
{
	int numbers[2];

	if (value->kind == VALUE_STRING) {
		strncpy(out, value->text, VALUE_BYTES - 1);
		return (socklen_t)strlen(value->text);
	}
	if (value->kind == VALUE_RECORD) {
		numbers[0] = (int)value_number(value_member(value, "onoff"));
		numbers[1] = (int)value_number(value_member(value, "linger"));
		memcpy(out, numbers, sizeof(numbers));
		return sizeof(numbers);
	}
	numbers[0] = value->count ? (int)value_number(value->items[0]) : 0;
	memcpy(out, numbers, sizeof(int));
	return sizeof(int);
}

static int64_t run_setsockopt(struct frame *f)
{
	char value[VALUE_BYTES] = "";
	socklen_t len = option_bytes(frame_arg(f, 3), value);

	return f->stack->setsockopt(f->userdata, frame_fd(f, 0), (int)value_number(frame_arg(f, 1)),
				    (int)value_number(frame_arg(f, 2)), value, len);
}

/* getsockopt(4, SOL_SOCKET, SO_ERROR, [111], [4]) = 0: another value is a result of its own. */
static int64_t run_getsockopt(struct frame *f)
{
	char value[VALUE_BYTES] = "", expected[VALUE_BYTES] = "";
	socklen_t len = sizeof(value), want = option_bytes(frame_arg(f, 3), expected);
	int result = f->stack->getsockopt(f->userdata, frame_fd(f, 0),
					  (int)value_number(frame_arg(f, 1)),
					  (int)value_number(frame_arg(f, 2)), value, &len);
	int got;

	if (result != 0 || frame_arg(f, 3)->kind == VALUE_ANY || !memcmp(value, expected, want))
		return result;
	memcpy(&got, value, sizeof(got));
	return got ? got : -2;
}

/* ---- waiting ---- */

static int64_t check_revents(const struct value *list, const struct pollfd *fds, int64_t result)
{
	for (size_t i = 0; i < list->count; i++)
		if (fds[i].revents != (short)value_number(value_member(list->items[i], "revents")))
			return 1000 + fds[i].revents;
	return result;
}

static int64_t run_poll(struct frame *f)
{
	const struct value *list = frame_arg(f, 0);
	struct pollfd fds[POLL_MOST] = {0};
	int64_t result;

	for (size_t i = 0; i < list->count && i < POLL_MOST; i++) {
		fds[i].fd = live_fd(f->play, value_number(value_member(list->items[i], "fd")));
		fds[i].events = (short)value_number(value_member(list->items[i], "events"));
	}
	result = f->stack->poll(f->userdata, fds, (nfds_t)list->count,
				(int)value_number(frame_arg(f, 2)));
	return result < 0 ? result : check_revents(list, fds, result);
}

static int64_t run_epoll_create(struct frame *f)
{
	return f->stack->epoll_create(f->userdata, (int)value_number(frame_arg(f, 0)));
}

static int64_t run_epoll_ctl(struct frame *f)
{
	struct epoll_event event = {
		.events = (uint32_t)value_number(value_member(frame_arg(f, 3), "events"))};

	event.data.fd = (int)value_number(frame_arg(f, 2));
	return f->stack->epoll_ctl(f->userdata, frame_fd(f, 0), (int)value_number(frame_arg(f, 1)),
				   frame_fd(f, 2), &event);
}

static int64_t run_epoll_wait(struct frame *f)
{
	struct epoll_event events[POLL_MOST];
	const struct value *expected = frame_arg(f, 1);
	int64_t result = f->stack->epoll_wait(f->userdata, frame_fd(f, 0), events, POLL_MOST,
					      (int)value_number(frame_arg(f, 3)));

	if (result > 0 && expected->kind == VALUE_RECORD &&
	    (events[0].events != (uint32_t)value_number(value_member(expected, "events")) ||
	     events[0].data.fd != value_number(value_member(expected, "fd"))))
		return 1000 + events[0].events;
	return result;
}

/* ---- the table ---- */

enum call_trait { READS = 1, WRITES = 2, OPENS = 4, CONNECTS = 8 };

static const struct {
	const char *name;
	int64_t (*run)(struct frame *f);
	unsigned traits;
	size_t arg_count;
} calls[] = {
	{"socket", run_socket, OPENS, 3},
	{"bind", run_bind, 0, 3},
	{"listen", run_listen, 0, 2},
	{"accept", run_accept, OPENS | CONNECTS, 3},
	{"connect", run_connect, CONNECTS, 3},
	{"close", run_close, 0, 1},
	{"shutdown", run_shutdown, 0, 2},
	{"read", run_read, READS, 3},
	{"readv", run_readv, READS, 3},
	{"recvmsg", run_recvmsg, READS, 3},
	{"pipe", run_pipe, 0, 1},
	{"splice", run_splice, 0, 6},
	{"recv", run_recv, READS, 4},
	{"recvfrom", run_recvfrom, READS, 6},
	{"write", run_write, WRITES, 3},
	{"writev", run_writev, WRITES, 3},
	{"send", run_send, WRITES, 4},
	{"sendto", run_sendto, WRITES, 6},
	{"fcntl", run_fcntl, 0, 2},
	{"ioctl", run_ioctl, 0, 3},
	{"setsockopt", run_setsockopt, 0, 5},
	{"getsockopt", run_getsockopt, 0, 5},
	{"poll", run_poll, 0, 3},
	{"epoll_create", run_epoll_create, OPENS, 1},
	{"epoll_ctl", run_epoll_ctl, 0, 4},
	{"epoll_wait", run_epoll_wait, 0, 4},
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static size_t find_call(const char *name)
{
	size_t i = 0;

	while (i < CALLS && strcmp(calls[i].name, name) != 0)
		i++;
	return i;
}

/* ---- running ---- */

static struct play_fd *stream_of(struct play *play, const struct call *call)
{
	const struct value *fd = call->args->count ? call->args->items[0] : NULL;

	if (!fd || fd->kind != VALUE_NUMBER || fd->number < 0 || fd->number >= PLAY_FDS)
		return NULL;
	return &play->fds[fd->number];
}

static void fill(struct frame *f)
{
	const struct play_fd *stream = stream_of(f->play, f->call);
	size_t len = BUFFER_BYTES;

	if (frame_arg(f, 2)->kind == VALUE_NUMBER && frame_arg(f, 1)->kind == VALUE_ANY)
		len = length(frame_arg(f, 2));
	else if (len > 65536)
		len = 65536;
	for (size_t i = 0; stream && i < len; i++)
		f->buffer[i] = play_written_byte(stream->written + (uint32_t)i);
}

/* Runs in the thread that blocks, too: it must not fail. A name that is not known, or too few
 * arguments, gives -2. */
struct call_result call_run(struct play *play, const struct call *call)
{
	struct call_result result = {.value = -2};
	size_t i = find_call(call->name);
	struct frame f = {
		.play = play,
		.userdata = play->stack.userdata,
		.stack = &play->stack,
		.call = call,
		.args = call->args,
		.buffer = (uint8_t *)play->text,
	};

	if (i == CALLS || call->args->count < calls[i].arg_count)
		return result;
	if (calls[i].traits & WRITES)
		fill(&f);
	result.value = calls[i].run(&f);
	result.error = result.value == -1 ? errno : 0;
	result.end_us = play_now_us(play);
	return result;
}

/* ---- checking ---- */

static void check_value(const struct call *call, const struct call_result *result)
{
	const char *got = result->error ? name_of_error(result->error) : "";

	if (call->result->kind == VALUE_ANY)
		return;
	if (value_number(call->result) != result->value)
		fail("%s() was to give %ld%s%s, and gave %ld %s", call->name,
		     (long)value_number(call->result), call->error ? " " : "",
		     call->error ? call->error : "", (long)result->value, got);
	if (result->error && (!call->error || strcmp(call->error, got) != 0))
		fail("%s() was to fail with %s, and failed with %s", call->name,
		     call->error ? call->error : "nothing", got);
}

static void check_read(struct play *play, const struct call *call, struct play_fd *stream,
		       int64_t n)
{
	const uint8_t *buffer = (const uint8_t *)play->text;
	int64_t flags = call->args->count > 3 ? value_number(call->args->items[3]) : 0;

	if (flags & MSG_TRUNC) {
		stream->read += (uint32_t)n;
		return;
	}
	for (int64_t i = 0; i < n; i++)
		if (buffer[i] != play_sent_byte(stream->read + (uint32_t)i))
			fail("byte %ld that was read is 0x%02x, and 0x%02x was sent", (long)i,
			     buffer[i], play_sent_byte(stream->read + (uint32_t)i));
	if (!(flags & MSG_PEEK))
		stream->read += (uint32_t)n;
}

static void note_open(struct play *play, const struct call *call, int64_t live)
{
	int64_t fd = call->result->kind == VALUE_NUMBER ? call->result->number : live;

	if (fd < 0 || fd >= PLAY_FDS)
		fail("file descriptors are 0 to %d", PLAY_FDS - 1);
	play->fds[fd] = (struct play_fd){.used = true, .live = (int)live};
}

void call_check(struct play *play, const struct event *event, const struct call_result *result)
{
	const struct call *call = event->call;
	struct play_fd *stream = stream_of(play, call);
	size_t i = find_call(call->name);

	if (i == CALLS)
		fail("there is no call %s()", call->name);
	if (call->args->count < calls[i].arg_count)
		fail("%s() has %zu arguments", call->name, calls[i].arg_count);
	if (calls[i].traits & OPENS && result->value >= 0)
		note_open(play, call, result->value);
	else
		check_value(call, result);
	if (calls[i].traits & CONNECTS)
		play->subject = (int)(calls[i].traits & OPENS ? value_number(call->result)
							      : value_number(call->args->items[0]));
	if (stream && result->value > 0 && calls[i].traits & READS)
		check_read(play, call, stream, result->value);
	if (stream && result->value > 0 && calls[i].traits & WRITES)
		stream->written += (uint32_t)result->value;
}
