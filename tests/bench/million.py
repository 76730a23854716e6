#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""million [--connections N] [--ms MS]: idle connections at a daemon, over the wire: all in, and what 200 active ones lose.

`sluice-bench` opens so many connections to `static`, and asks again and again on 200 of them while the others say nothing.
Then the same with 200 connections alone, on the same daemon. Memory is the daemon's, in all.
"""

import argparse
import pathlib
import re

import harness

SIZE, ACTIVE = 64, 200
AT_ONCE = 1e9  # requests that are due a second: 200 are always under way
PORTS = 60000  # of an address
HEAD_ROOM = 4096
LEAST = 0.9


def memory_bytes(pid):
    """What it holds now, hugepages apart: those are of a fixed size."""
    return int(re.search(r"^VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]) * 1024


def measure(system, load, connections, ms):
    return system.measure(load, "open", SIZE, connections=connections, hosts=-(-connections // PORTS), rate=AT_ONCE, active=ACTIVE, ms=ms,
                          warm_ms=min(ms, 200))


def benchmark(args):
    with harness.laboratory(1) as (lab, load):
        system = harness.Sluice(lab, load, [0], "sluice", [harness.static_function((SIZE,))], ["pages"],
                                daemon=f"max_connections = {args.connections + HEAD_ROOM};")
        alone = measure(system, load, ACTIVE, args.ms)
        before = memory_bytes(system.process.pid)
        beside = measure(system, load, args.connections, args.ms)
        each = (memory_bytes(system.process.pid) - before) / args.connections
    ratio = beside["rate"] / alone["rate"]
    rows = [["connections established", f"{beside['opened']:,}", ""], ["memory of each, the daemon's in all", f"{each:,.0f} bytes", ""],
            [f"{ACTIVE} connections alone", f"{alone['rate'] / 1e6:.2f} M/s", ""],
            [f"{ACTIVE} active ones beside the others", f"{beside['rate'] / 1e6:.2f} M/s", ""], ["of alone", f"{ratio:.0%}", f"{LEAST:.0%}"]]
    print(harness.table(["idle connections at a daemon", "figure", "goal"], rows))
    harness.report("million", {"alone": alone, "beside": beside, "bytes": each}, [
        harness.goal_row(f"{ACTIVE} active connections beside {args.connections:,} at a daemon", f"≥ {LEAST:.0%} of alone", f"{ratio:.0%}",
                         ratio >= LEAST)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=1000000)
    parser.add_argument("--ms", type=int, default=500, help="of each measurement")
    args = parser.parse_args()
    harness.main(lambda: benchmark(args))


if __name__ == "__main__":
    main()
