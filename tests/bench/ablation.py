#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ablation [--rounds N] [--ms MS] [--rows TEXT]: what each of the means brings, by configuration.

A reverse proxy (see `proxy`) as it is, and beside it, in turns, one that lacks something: payload by reference
(`copy_below_bytes` at its most), checksums and segmentation of the device (`offload`), batches (`batch`), bodies that
nobody hears (a function that hears them all, inline and as a process), functions in the worker (`placement`).
"""

import statistics
import sys

import harness
import plot
import proxy

KB, CONNECTIONS = 1024, 50
SIZES = (KB, 8 * KB, 64 * KB)
LOOK = f'{{ name = "look"; plugin = "{harness.BUILD / "tests/bench/look.so"}"; placement = "PLACE"; arena_mb = 4; }}'
NOOP = '{ name = "noop"; plugin = "noop"; placement = "PLACE"; arena_mb = 1; }'


def function(text, placement):
    return text.replace("PLACE", placement)


# What is changed, and how.
VARIANTS = {
    "every payload copied": {"daemon": "copy_below_bytes = 9216;"},
    "no offload to the device": {"port": "offload = false;"},
    "batch of 1": {"daemon": "batch = 1;"},
    "hooks on every body, inline": {"functions": [function(LOOK, "inline")], "path": ["look"]},
    "hooks on every body, process": {"functions": [function(LOOK, "process")], "path": ["look"]},
    "a function for heads, inline": {"functions": [function(NOOP, "inline")], "path": ["noop"]},
    "a function for heads, process": {"functions": [function(NOOP, "process")], "path": ["noop"]},
}


def measure(lab, load, args, variant):
    """{size: (results as it is, results of the variant)}"""
    systems = [proxy.Proxy(lab, load, [0, 1], "as it is"), proxy.Proxy(lab, load, [2, 3], variant, **VARIANTS[variant])]
    results = {size: ([], []) for size in SIZES}
    for _ in range(args.rounds):
        for size in SIZES:
            for system, to in zip(systems, results[size]):
                to.append(system.fetch(load, size, CONNECTIONS, proxy.FRAMES, ms=args.ms, warm_ms=min(50, args.ms)))
    for system in systems:
        system.process.send_signal(harness.signal.SIGCONT)
        system.daemon.stop()
    return results


def table_row(variant, size, whole, less):
    ratios = harness.ratios(whole, less)
    return [f"{size // KB} KB, {variant}", f"{harness.median(whole, 'rate') / 1e3:.0f}", f"{harness.median(less, 'rate') / 1e3:.0f}",
            f"{statistics.median(ratios):.2f}×", harness.spread(ratios), f"{harness.median(whole, 'cycles'):.0f}",
            f"{harness.median(less, 'cycles'):.0f}", f"{harness.median(less, 'copied'):.0%}"]


TITLES = ["reverse proxy, without one of its means", "k/s as it is", "k/s without", "as it is / without", "of rounds", "cycles", "without",
          "copied"]


def summary(whole, copying):
    ratio = statistics.median(harness.ratios(whole, copying))
    cycles = harness.median(copying, "cycles") - harness.median(whole, "cycles")
    return harness.goal_row("against its own copying mode, 8 KB", "is printed", f"{ratio:.2f}×, {cycles:+.0f} cycles", True)


def plotted(data):
    """Cycles over sizes, of each variant, and once as it is."""
    series = {"as it is": [(size, harness.median(next(iter(data.values()))[f"{size} B"]["as it is"], "cycles")) for size in SIZES]}
    for variant, sizes in data.items():
        series[variant] = [(size, harness.median(sizes[f"{size} B"]["without"], "cycles")) for size in SIZES]
    return series


def benchmark(args):
    rows, data, goals = [], {}, []
    variants = harness.chosen(VARIANTS, args.rows)
    with harness.laboratory(2, devices=4) as (lab, load):
        for variant in variants:
            results = measure(lab, load, args, variant)
            print(variant, file=sys.stderr)
            rows += [table_row(variant, size, *results[size]) for size in SIZES]
            data[variant] = {f"{size} B": dict(zip(("as it is", "without"), both)) for size, both in results.items()}
            if "copied" in variant:
                goals.append(summary(*results[8 * KB]))
    print(f"{CONNECTIONS} connections, keep-alive, proxy inline\n")
    print(harness.table(TITLES, rows))
    plot.save(harness.REPORT / "ablation.svg", "reverse proxy without one of its means", "bytes of a body", "cycles of a request",
              plotted(data), log_x=True)
    harness.report("ablation", data, goals)


if __name__ == "__main__":
    harness.sweep(benchmark, __doc__, rounds=3, ms=200)
