/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/conf/device.h"

#include <stdio.h>
#include <string.h>

#define DEVICE_TEXT_MAX 256 /* of a name or a path */

void device_name(const char *device, char *out, size_t size)
{
	snprintf(out, size, "%.*s", (int)strcspn(device, ","), device);
}

bool device_argument(const char *device, const char *key, char *out, size_t size)
{
	size_t length = strlen(key);

	out[0] = '\0';
	for (const char *at = strchr(device, ','); at; at = strchr(at, ',')) {
		at++;
		if (strncmp(at, key, length) || at[length] != '=')
			continue;
		device_name(at + length + 1, out, size);
		return true;
	}
	return false;
}

/* What a device is made of, in the words of different drivers. */
static const char *const behind[] = {"iface", "path"};

bool device_same(const char *a, const char *b)
{
	char x[DEVICE_TEXT_MAX], y[DEVICE_TEXT_MAX];

	device_name(a, x, sizeof(x));
	device_name(b, y, sizeof(y));
	if (!strcmp(x, y))
		return true;
	for (unsigned i = 0; i < sizeof(behind) / sizeof(behind[0]); i++)
		if (device_argument(a, behind[i], x, sizeof(x)) &&
		    device_argument(b, behind[i], y, sizeof(y)) && !strcmp(x, y))
			return true;
	return false;
}
