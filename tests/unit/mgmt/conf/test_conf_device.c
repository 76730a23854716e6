/* SPDX-License-Identifier: BSD-3-Clause */
/* Device strings taken apart, and what two of them have in common. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mgmt/conf/device.h"

static void names(void **state)
{
	char text[8];

	(void)state;
	device_name("net_a,x=1", text, sizeof(text));
	assert_string_equal(text, "net_a");
	device_name("0000:00:05.0", text, sizeof(text));
	assert_string_equal(text, "0000:00"); /* as much as there is room for */
	device_name("", text, sizeof(text));
	assert_string_equal(text, "");
}

static void arguments(void **state)
{
	const char *device = "net_x0,aiface=1,iface=eth0,path=/a=b,flag,last=";
	char text[16];

	(void)state;
	assert_true(device_argument(device, "iface", text, sizeof(text)));
	assert_string_equal(text, "eth0");
	assert_true(device_argument(device, "path", text, sizeof(text)));
	assert_string_equal(text, "/a=b");
	assert_true(device_argument(device, "last", text, sizeof(text)));
	assert_string_equal(text, "");
	assert_false(device_argument(device, "flag", text, sizeof(text)));
	assert_false(device_argument(device, "net_x0", text, sizeof(text)));
	assert_false(device_argument("iface=eth0", "iface", text, sizeof(text)));
	assert_string_equal(text, "");
}

static void one_device_by_two_strings(void **state)
{
	(void)state;
	assert_true(device_same("net_tap0,iface=a", "net_tap0,iface=b"));
	assert_true(device_same("net_af_packet0,iface=a", "net_af_xdp1,iface=a"));
	assert_true(device_same("net_virtio_user0,path=/s", "net_virtio_user1,queues=1,path=/s"));
	assert_false(device_same("net_tap0,iface=a", "net_tap1,iface=b"));
	assert_false(device_same("net_tap0", "net_tap1"));
	assert_false(device_same("net_tap1,iface=a", "net_tap10,iface=ab"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(arguments),
		cmocka_unit_test(one_device_by_two_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
