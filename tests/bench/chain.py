#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""chain [--rounds N] [--ms MS] [--lengths 0,1,…] [--connections N] [--mode pass|watch]: what each function in a path costs.

In front of `static` (inline) stand 0 to 8 functions that look at every head and pass it on (`noop`), as processes and
inline; or they are shown exchanges when they are over (`--mode watch`). Both placements are measured in turns, and beside
them the path without any. No answer is given again: each request goes down the path.
"""

import argparse
import statistics
import sys

import harness
import plot

PLACEMENTS = ("process", "inline")
GOALS_NS = {"process": 150, "inline": 25}
SIZE = 64
SWITCHES = 20000


def noops(count, placement, mode):
    """Processes share the worker's CPU: the other one is the load's, which never rests."""
    cpu = f"cpu = {harness.SERVER_CPU};" if placement == "process" else ""
    return [f'{{ name = "noop{i}"; plugin = "noop"; placement = "{placement}"; {cpu} arena_mb = 1; config = {{ mode = "{mode}"; }}; }}'
            for i in range(count)]


class Chain(harness.Sluice):
    """A daemon with so many functions; processes take their turns with its worker."""

    def __init__(self, lab, load, device, length, placement, mode):
        functions = [*noops(length, placement, mode), harness.static_function((SIZE,))]
        super().__init__(lab, load, [device], placement, functions, [*(f"noop{i}" for i in range(length)), "pages"],
                         daemon="recalls = 0;")


def measure(lab, load, args, length):
    """Results of this length by placement; `none` is the path without functions."""
    systems = {"none": Chain(lab, load, 0, 0, "inline", args.mode)}
    for device, placement in enumerate(PLACEMENTS, start=1):
        systems[placement] = Chain(lab, load, device, length, placement, args.mode)
    results = {name: [] for name in systems}
    for _ in range(args.rounds):
        for name, system in systems.items():
            results[name].append(system.measure(load, "closed", SIZE, connections=args.connections, ms=args.ms, warm_ms=50))
    for system in systems.values():
        system.process.send_signal(harness.signal.SIGCONT)
        system.daemon.stop()
    return results


def hop_ns(results, baseline, length):
    """Of each round: how much longer a request took, for each function."""
    return statistics.median((1e9 / a["rate"] - 1e9 / b["rate"]) / length for a, b in zip(results, baseline))


def table_row(length, placement, results):
    mine, none = results[placement], results["none"]
    latency = [statistics.median(r["latency_us"][p] for r in mine) for p in ("p50", "p99")]
    cost = f"{hop_ns(mine, none, length):.0f}" if length else ""
    return [f"{length} × noop, {placement}", f"{harness.median(mine, 'rate') / 1e3:.0f}",
            f"{statistics.median(harness.ratios(mine, none)):.0%}", *(f"{us:.1f}" for us in latency), cost,
            str(GOALS_NS[placement]) if length else ""]


def summary(name, length, placement, results):
    cost = hop_ns(results[placement], results["none"], length)
    return harness.goal_row(f"{name}: {length} × noop, {placement}: for each request and hop", f"≤ {GOALS_NS[placement]} ns", f"{cost:.0f} ns",
                            cost <= GOALS_NS[placement])


TITLES = ["path before static", "k requests/s", "of none", "p50 µs", "p99 µs", "ns each", "goal"]


def benchmark(args):
    rows, data, goals = [], {}, []
    with harness.laboratory(3) as (lab, load):
        for length in args.lengths:
            results = measure(lab, load, args, length)
            print(f"{length} functions", file=sys.stderr)
            rows += [table_row(length, placement, results) for placement in PLACEMENTS]
            data[str(length)] = results
            goals += [summary(args.name, length, placement, results) for placement in PLACEMENTS if length]
    switch = harness.figure("bench-switch", harness.SERVER_CPU, SWITCHES)
    print(f"{args.connections} connections, {SIZE} B, keep-alive; one worker, processes share its CPU\n")
    print(harness.table(TITLES, rows))
    print(f"\nTo a process that sleeps on that CPU and back the kernel takes {switch:.1f} µs: {2e3 * switch / args.connections:.0f} ns for each "
          "function and request, if all heads that can be on their way share it.")
    plot.save(harness.REPORT / f"{args.name}.svg", "functions before static", "functions", "k requests/s",
              {p: [(int(n), harness.median(results[p], "rate") / 1e3) for n, results in data.items()] for p in PLACEMENTS})
    harness.report(args.name, data | {"switch_us": switch}, goals)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ms", type=int, default=200, help="of each measurement")
    parser.add_argument("--mode", choices=("pass", "watch"), default="pass", help="of noop")
    parser.add_argument("--name", default="chain", help="what it is called in the report")
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--lengths", type=lambda text: [int(n) for n in text.split(",")], default=[0, 1, 2, 4, 8])
    args = parser.parse_args()
    harness.main(lambda: benchmark(args))


if __name__ == "__main__":
    main()
