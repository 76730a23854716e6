#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""idle [--rounds N] [--seconds S]: what the daemon and a function use when nothing happens, and how fast they are back.

An adaptive daemon with a function as a process and `static` inline: the CPU time of all their threads over some seconds
without a packet, then requests of one connection that come one by one, five a second: each meets a daemon that sleeps.
"""

import argparse
import pathlib
import statistics
import time

import harness

SIZE, EVERY_S = 64, 5
SHARE_MOST, FIRST_US = 0.01, 150
NOOP = '{ name = "noop"; plugin = "noop"; placement = "process"; arena_mb = 1; }'


def cpu_ns(pid):
    """Of all its threads."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def shares(pids, seconds):
    """Of a CPU, of each process."""
    before, began = {pid: cpu_ns(pid) for pid in pids}, time.monotonic_ns()
    time.sleep(seconds)
    passed = time.monotonic_ns() - began
    return {pid: (cpu_ns(pid) - before[pid]) / passed for pid in pids}


def one_round(system, load, seconds):
    """Shares of the daemon and of the function; latency of requests after idleness."""
    with system.turn():
        pids = {"daemon": system.process.pid, "function": system.pids()[0]}
        used = shares(pids.values(), seconds)
    result = system.measure(load, "open", SIZE, connections=1, rate=EVERY_S, ms=seconds * 1000, warm_ms=500)
    return {"latency_us": result["latency_us"], "requests": result["requests"], **{name: used[pid] for name, pid in pids.items()}}


def benchmark(args):
    functions = [NOOP, harness.static_function((SIZE,))]
    with harness.laboratory(1) as (lab, load):
        system = harness.Sluice(lab, load, [0], "sluice", functions, ["noop", "pages"], poll="adaptive")
        results = [one_round(system, load, args.seconds) for _ in range(args.rounds)]
    used = [r["daemon"] + r["function"] for r in results]
    first = [r["latency_us"]["p50"] for r in results]
    rows = [["daemon, of a CPU", f"{harness.median(results, 'daemon'):.2%}", ""], ["function, of a CPU", f"{harness.median(results, 'function'):.2%}", ""],
            ["together", f"{statistics.median(used):.2%}", f"{SHARE_MOST:.0%}"], ["first request after idleness, p50 µs", f"{statistics.median(first):.0f}", str(FIRST_US)],
            ["the slowest of them, µs", f"{max(r['latency_us']['max'] for r in results):.0f}", ""]]
    print(harness.table(["idle, poll = \"adaptive\"", "figure", "goal"], rows))
    harness.report("idle", results, [
        harness.goal_row("idle: daemon and function", f"≤ {SHARE_MOST:.0%} of a CPU", f"{statistics.median(used):.2%}", statistics.median(used) <= SHARE_MOST),
        harness.goal_row("idle: first request after it", f"≤ {FIRST_US} µs", f"{statistics.median(first):.0f} µs", statistics.median(first) <= FIRST_US)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of idleness, and of requests")
    args = parser.parse_args()
    harness.main(lambda: benchmark(args))


if __name__ == "__main__":
    main()
