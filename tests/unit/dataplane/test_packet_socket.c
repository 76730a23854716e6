/* SPDX-License-Identifier: BSD-3-Clause */
/* AF_PACKET's frames hold the MTU, and fill whole pages. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/packet_socket.h"
#include "mgmt/conf/conf.h"

static struct conf_port port(const char *device, unsigned mtu)
{
	return (struct conf_port){.name = "wan", .device = device, .mtu = mtu};
}

static void an_ordinary_mtu_needs_nothing(void **state)
{
	struct conf_port p = port("net_af_packet0,iface=eth0", 1500);
	char text[128];

	(void)state;
	assert_int_equal(packet_socket_frame_bytes(&p), 2048);
	packet_socket_device(&p, text, sizeof(text));
	assert_string_equal(text, p.device);
}

static void frames_hold_every_mtu(void **state)
{
	char text[128];

	(void)state;
	for (unsigned mtu = 576; mtu <= 65000; mtu++) {
		struct conf_port p = port("net_af_packet0,iface=eth0", mtu);
		uint32_t frame = packet_socket_frame_bytes(&p);

		assert_true(frame >= mtu + 128 && frame < mtu + 128 + 2048);
		assert_int_equal(frame * 4 % 4096, 0);
	}
	packet_socket_device(&(struct conf_port){.device = "net_af_packet0,iface=a", .mtu = 9000},
			     text, sizeof(text));
	assert_string_equal(text, "net_af_packet0,iface=a,blocksz=36864,framesz=9216");
}

static void what_the_device_string_says_stays(void **state)
{
	struct conf_port p = port("net_af_packet0,iface=a,framesz=4096,blocksz=8192", 9000);
	char text[128];

	(void)state;
	assert_int_equal(packet_socket_frame_bytes(&p), 4096);
	packet_socket_device(&p, text, sizeof(text));
	assert_string_equal(text, p.device);
}

static void interfaces_that_cannot_be(void **state)
{
	struct conf_port small = port("net_af_packet0,iface=lo,framesz=2048,blocksz=8192", 9000);
	struct conf_port nothing = port("net_af_packet0", 1500);
	struct conf_port nobody = port("net_af_packet0,iface=nonesuch0", 1500);

	(void)state;
	assert_int_equal(packet_socket_set_mtu(&small), -EINVAL);
	assert_int_equal(packet_socket_set_mtu(&nothing), -ENODEV);
	assert_int_equal(packet_socket_set_mtu(&nobody), -ENODEV);
	assert_false(packet_socket_link_up(&nothing));
	assert_false(packet_socket_link_up(&nobody));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_mtu_needs_nothing),
		cmocka_unit_test(frames_hold_every_mtu),
		cmocka_unit_test(what_the_device_string_says_stays),
		cmocka_unit_test(interfaces_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
