/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of drivers: found by device string and by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataplane/driver.h"
#include "l4stack/stack.h"

static void device_string_and_name_find_the_same(void **state)
{
	static const char *const pairs[][2] = {
		{"net_af_packet3,iface=eth0", "net_af_packet"},
		{"net_af_xdp0,iface=eth0", "net_af_xdp"},
		{"net_memif0,role=client", "net_memif"},
		{"net_pcap0,iface=eth0", "net_pcap"},
		{"net_tap0,iface=tap0", "net_tap"},
		{"net_vhost0,iface=/run/x.sock", "net_vhost"},
		{"net_virtio_user0,path=/run/x.sock", "net_virtio_user"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_ptr_equal(driver_find(pairs[i][0]), driver_find(pairs[i][1]));
		assert_string_not_equal(driver_find(pairs[i][0])->name, "");
	}
	assert_ptr_not_equal(driver_find("net_af_packet0"), driver_find("net_af_xdp0"));
}

static void most_need_no_special_care(void **state)
{
	static const char *const others[] = {"0000:00:05.0", "net_ixgbe", "mlx5_pci", "net_ta", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct driver *d = driver_find(others[i]);

		assert_string_equal(d->name, "");
		assert_int_equal(d->wake, DRIVER_WAKE_EDGE);
		assert_int_equal(d->broken, 0);
		assert_false(d->private_rx || d->lazy_rx || d->packet_socket || d->peer_mac ||
			     d->socket_file || d->keeps_sent || d->plain_sums || d->even_pieces);
	}
}

/* What a tap does wrong is done in software; that it takes several segments stays of use. */
static void what_a_tap_cannot_do(void **state)
{
	const struct driver *tap = driver_find("net_tap0");

	(void)state;
	assert_true(tap->broken & STACK_TX_TCP_CSUM);
	assert_true(tap->broken & STACK_TX_TSO);
	assert_false(tap->broken & STACK_TX_MULTI_SEG);
	assert_true(tap->peer_mac);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_string_and_name_find_the_same),
		cmocka_unit_test(most_need_no_special_care),
		cmocka_unit_test(what_a_tap_cannot_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
