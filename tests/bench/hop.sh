#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# hop: what a function costs: a descriptor in the ring by itself, then a request through one and
# through two functions, as processes and inline.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"${SLUICE_BUILD:-$here/../../build}"/tests/bench/bench_parts "${TIMES:-1000000}" | grep -E 'parts|ring|^$'
exec "$here/chain.py" --lengths 1,2 "$@"
