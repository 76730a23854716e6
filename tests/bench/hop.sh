#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# hop: what a function costs: descriptors and heads through the rings by themselves, batch 1 and 32,
# same CPU and another; then requests through one and two functions, as processes and inline.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${SLUICE_BUILD:-$here/../../build}
"$build"/tests/bench/bench_rings "${TIMES:-200000}" "$build/lib/sluice"
echo
exec "$here/chain.py" --name hop --lengths 1,2 "$@"
