#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each header of the SDK compiles alone, in C17 and C++17, without a word from either compiler.
set -eu
include=$1
for header in "$include"/sluice/*.h; do
	text="#include <sluice/${header##*/}>"
	for compiler in gcc clang; do
		"$compiler" -x c -std=c17 -Wall -Wextra -pedantic -Werror -I"$include" \
			-fsyntax-only - <<<"$text"
	done
	for compiler in g++ clang++; do
		"$compiler" -x c++ -std=c++17 -Wall -Wextra -pedantic -Werror -I"$include" \
			-fsyntax-only - <<<"$text"
	done
done
