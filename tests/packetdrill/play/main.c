/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * play [-v] LIBRARY SCENARIO...: plays scenarios, one after the other, against a stack that
 * is a shared object with packetdrill's interface. Exit code 0 when all are as they should
 * be, 1 when one is not, 2 when it could not begin.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/packetdrill/play/play.h"
#include "tests/packetdrill/play/report.h"

#define BUFFER_BYTES (8u << 20)

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	size_t len = 0, room = 0, n = 1;

	if (!file)
		return NULL;
	while (n) {
		if (len + 1 >= room) {
			room = room ? room * 2 : 8192;
			text = realloc(text, room);
			if (!text)
				break;
		}
		n = fread(text + len, 1, room - len - 1, file);
		len += n;
	}
	if (text)
		text[len] = '\0';
	fclose(file);
	return text;
}

static packetdrill_interface_init_fn open_library(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void *symbol = handle ? dlsym(handle, "packetdrill_interface_init") : NULL;
	packetdrill_interface_init_fn init = NULL;

	if (!symbol)
		fprintf(stderr, "%s\n", dlerror());
	memcpy(&init, &symbol, sizeof(init));
	return init;
}

/* True when it was as it should be. */
static bool play_text(packetdrill_interface_init_fn init, struct play *play, const char *text)
{
	volatile bool begun = false;

	if (setjmp(report.back)) {
		/* A call that still blocks inside the stack cannot be taken back. */
		if (play->blocked.running)
			exit(1);
		if (begun)
			play->stack.free(play->stack.userdata);
		return false;
	}
	play->script = script_parse(text);
	init(play->script->flags, &play->stack);
	begun = true;
	play_script(play);
	begun = false;
	play->stack.free(play->stack.userdata);
	return true;
}

static bool play_file(packetdrill_interface_init_fn init, const char *path, char *buffer)
{
	struct play play = {.text = buffer};
	char *text = read_file(path);
	bool good;

	report.path = path;
	report.line = 0;
	if (!text) {
		printf("%s: cannot be read\n", path);
		return false;
	}
	good = play_text(init, &play, text);
	keep_free_all();
	free(text);
	return good;
}

static int play_all(packetdrill_interface_init_fn init, int count, char **paths, bool verbose)
{
	char *buffer = malloc(BUFFER_BYTES);
	int bad = 0;

	if (!buffer)
		return 2;
	for (int i = 0; i < count; i++) {
		bool good;

		if (verbose)
			printf("%s\n", paths[i]);
		fflush(stdout);
		good = play_file(init, paths[i], buffer);
		bad += !good;
	}
	free(buffer);
	printf("%d scenarios, %d failed\n", count, bad);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && !strcmp(argv[1], "-v");
	int first = 1 + verbose;
	packetdrill_interface_init_fn init;

	if (argc < first + 2) {
		fprintf(stderr, "usage: %s [-v] LIBRARY SCENARIO...\n", argv[0]);
		return 2;
	}
	init = open_library(argv[first]);
	return init ? play_all(init, argc - first - 1, argv + first + 1, verbose) : 2;
}
