/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP sockets: what they hear, what they send, what they are told. */
#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "l4stack/base/pkt.h"
#include "l4stack/udp/udp.h"
#include "tests/unit/l4stack/ip/rig.h"

#define UDP 17

static const char own4[] = "10.0.0.1", peer4[] = "10.0.0.2", own6[] = "fd10::1",
		  peer6[] = "fd10::2";

static struct heard {
	unsigned count, errors;
	struct udp_socket *socket;
	struct endpoint remote;
	struct addr local;
	uint8_t bytes[4096];
	uint32_t len;
	enum udp_error error;
	uint16_t mtu;
} heard;

static void received(struct udp_socket *socket, void *user, const struct endpoint *remote,
		     const struct addr *local, struct rte_mbuf *data)
{
	assert_ptr_equal(user, &heard);
	heard.count++;
	heard.socket = socket;
	heard.remote = *remote;
	heard.local = *local;
	heard.len = data->pkt_len;
	assert_true(pkt_read(data, 0, data->pkt_len, heard.bytes));
	rte_pktmbuf_free(data);
}

static void failed(struct udp_socket *socket, void *user, const struct endpoint *remote,
		   enum udp_error error, uint16_t mtu)
{
	assert_ptr_equal(user, &heard);
	heard.errors++;
	heard.socket = socket;
	heard.remote = *remote;
	heard.error = error;
	heard.mtu = mtu;
}

static const struct udp_handlers handlers = {.received = received, .error = failed};

static int setup(void **state)
{
	rig_setup(state);
	rig_address(0, own6, 64);
	rig_meet(peer4, 2);
	rig_meet6(peer6, 2);
	memset(&heard, 0, sizeof(heard));
	return 0;
}

static struct endpoint at(const char *addr, uint16_t port)
{
	return (struct endpoint){address(addr), port};
}

static struct udp_socket *bind_to(const char *local, uint16_t port, const char *remote,
				  uint16_t remote_port)
{
	struct udp_conf conf = {.local = at(local, port), .queue = 4};
	struct udp_socket *socket;

	if (remote)
		conf.remote = at(remote, remote_port);
	assert_int_equal(udp_bind(rig.stack, &conf, &handlers, &heard, &socket), 0);
	return socket;
}

static int bind_error(const char *local, uint16_t port)
{
	struct udp_conf conf = {.local = at(local, port)};
	struct udp_socket *socket;

	return udp_bind(rig.stack, &conf, &handlers, &heard, &socket);
}

static uint8_t frame[2048];

/* A datagram of `len` bytes of data from the peer's port `from`. */
static size_t datagram(bool ip6, uint16_t from, uint16_t to, size_t len)
{
	uint8_t udp[8 + 1400] = {0};
	size_t size;

	plain_put(udp, from);
	plain_put(udp + 2, to);
	plain_put(udp + 4, (uint16_t)(8 + len));
	for (size_t i = 0; i < len; i++)
		udp[8 + i] = (uint8_t)i;
	size = ip6 ? frame_ip6(frame, 2, 0, UDP, peer6, own6, udp, 8 + len)
		   : frame_ip4(frame, 2, 0, UDP, peer4, own4, udp, 8 + len);
	if (ip6)
		frame_ip6_l4_fix(frame, 40, UDP, 6);
	else
		frame_l4_fix(frame, 6);
	return size;
}

static void hear(bool ip6, uint16_t from, uint16_t to, size_t len)
{
	rig_in(0, frame, datagram(ip6, from, to, len));
	stack_deliver(rig.stack);
}

static void a_datagram_arrives(void **state)
{
	struct udp_socket *four = bind_to("0.0.0.0", 53, NULL, 0),
			  *six = bind_to(own6, 53, NULL, 0);

	(void)state;
	hear(false, 5000, 53, 100);
	assert_int_equal(heard.count, 1);
	assert_ptr_equal(heard.socket, four);
	assert_int_equal(heard.remote.port, 5000);
	assert_memory_equal(heard.remote.addr.bytes, address(peer4).bytes, 4);
	assert_memory_equal(heard.local.bytes, address(own4).bytes, 4);
	assert_int_equal(heard.len, 100);
	assert_int_equal(heard.bytes[99], 99);
	hear(true, 5001, 53, 0);
	assert_int_equal(heard.count, 2);
	assert_ptr_equal(heard.socket, six);
	assert_int_equal(heard.len, 0);
	udp_close(four);
	udp_close(six);
	hear(false, 5000, 53, 100);
	assert_int_equal(heard.count, 2);
	assert_int_equal(rig.counters->udp_no_socket, 1);
}

/* The socket that says most of the flow hears it. */
static void the_nearest_hears(void **state)
{
	struct udp_socket *any = bind_to("0.0.0.0", 53, NULL, 0), *own = bind_to(own4, 53, NULL, 0),
			  *peer = bind_to(own4, 53, peer4, 5000);

	(void)state;
	hear(false, 5000, 53, 1);
	assert_ptr_equal(heard.socket, peer);
	hear(false, 5001, 53, 1);
	assert_ptr_equal(heard.socket, own);
	udp_close(own);
	hear(false, 5001, 53, 1);
	assert_ptr_equal(heard.socket, any);
	assert_int_equal(bind_error("0.0.0.0", 53), -EADDRINUSE);
	assert_int_equal(bind_error("10.0.0.9", 53), -EADDRNOTAVAIL);
	udp_close(any);
	udp_close(peer);
}

static void what_is_wrong_is_dropped(void **state)
{
	struct udp_socket *four = bind_to(own4, 53, NULL, 0), *six = bind_to(own6, 53, NULL, 0);
	size_t len = datagram(false, 1, 53, 10);

	(void)state;
	frame[ETH + 30] ^= 1;
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->udp_bad_csum, 1);
	/* Longer than the packet; shorter than a header. */
	datagram(false, 1, 53, 10);
	plain_put(frame + ETH + 24, 19);
	rig_in(0, frame, len);
	plain_put(frame + ETH + 24, 7);
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->udp_malformed, 2);
	/* RFC 8200 §8.1: only in IPv4 may it be missing. */
	len = datagram(true, 1, 53, 10);
	plain_put(frame + ETH + 46, 0);
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->udp_bad_csum, 2);
	stack_deliver(rig.stack);
	assert_int_equal(heard.count, 0);
	len = datagram(false, 1, 53, 10);
	plain_put(frame + ETH + 26, 0);
	rig_in(0, frame, len);
	stack_deliver(rig.stack);
	assert_int_equal(heard.count, 1);
	udp_close(four);
	udp_close(six);
}

/* Bytes behind the datagram's own length are none of it. */
static void trailing_bytes(void **state)
{
	struct udp_socket *socket = bind_to(own4, 53, NULL, 0);
	size_t len = datagram(false, 1, 53, 10);

	(void)state;
	plain_put(frame + ETH + 24, 8 + 6);
	plain_put(frame + ETH + 26, 0);
	rig_in(0, frame, len);
	stack_deliver(rig.stack);
	assert_int_equal(heard.len, 6);
	udp_close(socket);
}

static void queues_are_bounded(void **state)
{
	struct udp_socket *socket = bind_to(own4, 53, NULL, 0);

	(void)state;
	for (unsigned i = 0; i < 7; i++)
		rig_in(0, frame, datagram(false, (uint16_t)(i + 1), 53, 5));
	assert_int_equal(rig.counters->udp_queue_full, 3);
	assert_int_equal(stack_next_us(rig.stack), rig.now_us);
	stack_deliver(rig.stack);
	assert_int_equal(heard.count, 4);
	assert_int_equal(heard.remote.port, 4);
	/* What waits goes with the socket. */
	rig_in(0, frame, datagram(false, 1, 53, 5));
	udp_close(socket);
	stack_deliver(rig.stack);
	assert_int_equal(heard.count, 4);
}

static void assert_sent(bool ip6, uint16_t from, uint16_t to, size_t len)
{
	size_t network = ip6 ? 40 : 20, size = rig_out(frame);
	const uint8_t *ip = frame + ETH, *udp = ip + network;
	uint32_t pseudo = plain_sum(ip + (ip6 ? 8 : 12), ip6 ? 32 : 8, UDP + 8 + (uint32_t)len);

	assert_int_equal(size, ETH + network + 8 + len);
	assert_int_equal(ip[ip6 ? 6 : 9], UDP);
	assert_int_equal(plain_get(udp), from);
	assert_int_equal(plain_get(udp + 2), to);
	assert_int_equal(plain_get(udp + 4), 8 + len);
	assert_int_equal(plain_sum(udp, 8 + len, pseudo), 0xffff);
}

static void what_is_sent(void **state)
{
	static const uint8_t data[1000] = {1, 2, 3};
	struct udp_socket *four = bind_to("0.0.0.0", 53, NULL, 0),
			  *six = bind_to("::", 0, peer6, 99);
	struct endpoint to = at(peer4, 7), nobody = at("10.99.0.1", 7);
	uint16_t port = udp_local(six).port;

	(void)state;
	assert_int_equal(udp_send(four, NULL, &to, rig_mbuf(data, sizeof(data), 300)), 0);
	assert_sent(false, 53, 7, sizeof(data));
	assert_int_equal(udp_send(four, NULL, &to, NULL), 0);
	assert_sent(false, 53, 7, 0);
	assert_true(port >= 49152);
	assert_int_equal(udp_send(six, NULL, NULL, rig_mbuf(data, 33, 0)), 0);
	assert_sent(true, port, 99, 33);
	assert_int_equal(udp_send(four, NULL, &nobody, rig_mbuf(data, 9, 0)), -ENETUNREACH);
	assert_int_equal(udp_send(four, NULL, NULL, rig_mbuf(data, 9, 0)), -EDESTADDRREQ);
	assert_int_equal(rig.out_count, 0);
	assert_int_equal(rte_mempool_in_use_count(rig.rx), 0);
	udp_close(four);
	udp_close(six);
}

static void long_ones_go_in_fragments(void **state)
{
	static uint8_t data[65500];
	struct udp_socket *socket = bind_to(own4, 53, NULL, 0);
	struct endpoint to = at(peer4, 7);

	(void)state;
	assert_int_equal(udp_send(socket, NULL, &to, rig_mbuf(data, 4000, 0)), 0);
	assert_int_equal(rig.out_count, 3);
	assert_int_equal(udp_send(socket, NULL, &to, rig_mbuf(data, 65500, 0)), -EMSGSIZE);
	assert_int_equal(rig.out_count, 3);
	udp_close(socket);
}

/* An ICMP error that quotes the frame that was sent last, as a router or the peer says it. */
static void told(uint8_t type, uint8_t code, uint16_t mtu)
{
	uint8_t icmp[8 + 28] = {type, code};
	size_t len;

	plain_put(icmp + 6, mtu);
	memcpy(icmp + 8, frame + ETH, 28);
	len = frame_ip4(frame, 2, 0, 1, peer4, own4, icmp, sizeof(icmp));
	frame_l4_fix(frame, 2);
	rig_in(0, frame, len);
	stack_deliver(rig.stack);
}

static void errors_are_told(void **state)
{
	struct udp_socket *socket = bind_to(own4, 53, NULL, 0);
	struct endpoint to = at(peer4, 7);
	uint8_t data[600] = {0};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(udp_send(socket, NULL, &to, rig_mbuf(data, sizeof(data), 0)), 0);
		rig_out(frame);
		told(3, (uint8_t[]){3, 1, 4}[i], i == 2 ? 576 : 0);
		assert_int_equal(heard.errors, i + 1);
		assert_int_equal(heard.error,
				 ((enum udp_error[]){UDP_ERROR_REFUSED, UDP_ERROR_UNREACHABLE,
						     UDP_ERROR_TOO_BIG})[i]);
		assert_int_equal(heard.remote.port, 7);
	}
	assert_int_equal(heard.mtu, 576);
	assert_int_equal(rig.counters->udp_errors, 3);
	/* About a socket that there is not. */
	assert_int_equal(udp_send(socket, NULL, &to, rig_mbuf(data, sizeof(data), 0)), 0);
	rig_out(frame);
	udp_close(socket);
	told(3, 3, 0);
	assert_int_equal(heard.errors, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_datagram_arrives, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(the_nearest_hears, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_dropped, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(trailing_bytes, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(queues_are_bounded, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(what_is_sent, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(long_ones_go_in_fragments, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(errors_are_told, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
