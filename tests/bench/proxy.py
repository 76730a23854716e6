#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""proxy [--rounds N] [--ms MS] [--rows TEXT]: a reverse proxy between two wires, one worker.

`sluice-bench` is the client on one wire and the origin on the other, HTTP is parsed both ways, connections to the
origin are kept and used again. 1 KB on 50 and 200 connections; bodies of 64 KB and 1 MB: Gb/s, and how much of the payload was
copied. They come in frames of 1,460 bytes, up to 16 of a connection behind each other, as a device cuts what a server gives it;
each connection a frame in turns, as none would send them; and as a device brings them that puts segments together (LRO).
"""

import statistics
import sys

import harness

KB, MB = 1024, 1 << 20

# What a frame of the origin's carries, and how many of a connection come behind each other.
FRAMES, IN_TURNS, TOGETHER = (1460, 16), (1460, 1), (60 * KB, 1)
# A body, connections, how it comes, and the goal: requests or bits a second.
ROWS = [
    (KB, 50, FRAMES, 0.45e6), (KB, 200, FRAMES, 0.55e6),
    (64 * KB, 50, FRAMES, 20e9), (64 * KB, 50, IN_TURNS, 20e9), (64 * KB, 50, TOGETHER, 20e9),
    (MB, 50, FRAMES, 20e9), (MB, 50, IN_TURNS, 20e9), (MB, 50, TOGETHER, 20e9),
]
LONG_MS = 1000  # for bodies of 1 MB: there are few of them in a second
COPIED_MOST = 0.01  # of bodies that no function looks at
UPSTREAM = f'upstreams = ( {{ name = "web"; keepalive = 256; health = {{ on = false; }}; servers = ( {{ address = "{harness.ORIGIN}:8080"; }} ); }} );'
PROXY = '{ name = "route"; plugin = "proxy"; placement = "inline"; config = { routes = ( { upstream = "web"; } ); }; }'


class Proxy(harness.Sluice):
    """The daemon between two wires of the load's; `functions` stand before `proxy`."""

    def __init__(self, lab, load, devices, name="sluice", functions=(), path=(), **more):
        self.origin_device = devices[1]
        super().__init__(lab, load, devices, name, [*functions, PROXY], [*path, "route"], rest=UPSTREAM, **more)

    def counters(self):
        return {name: self.daemon.stat(name) for name in ("payload_copied_bytes", "payload_referenced_bytes")}

    def fetch(self, load, size, connections, comes, **keys):
        """A measurement, with what was copied of the payload and bits a second of bodies."""
        result = self.measure(load, "closed", size, connections=connections, segment=comes[0], train=comes[1], origin=self.origin_device,
                              origin_address=harness.ORIGIN, **keys)
        copied, referenced = result["counters"].values()
        result["copied"] = copied / max(1, copied + referenced)
        result["bits"] = result["rate"] * size * 8
        return result


def row_name(size, connections, comes):
    body = f"{size // MB} MB" if size >= MB else f"{size // KB} KB"
    how = {IN_TURNS: ", frames in turns", TOGETHER: ", segments put together"}.get(comes, "")
    return f"proxy, {body}, {connections} connections{how}"


def reached(row, results):
    """What is compared with the goal, as text with the goal, and whether it is reached."""
    goal, key = row[3], "rate" if row[3] < 1e9 else "bits"
    value = harness.median(results, key)
    unit, scale = ("M/s", 1e6) if key == "rate" else ("Gb/s", 1e9)
    enough = value >= goal and (key == "rate" or harness.median(results, "copied") < COPIED_MOST)
    return f"{value / scale:.2f} {unit}", f"{goal / scale:g} {unit}", enough


def table_row(row, results):
    value, goal, enough = reached(row, results)
    latency = [statistics.median(r["latency_us"][p] for r in results) for p in ("p50", "p99")]
    return [row_name(*row[:3]), value, harness.spread([r["rate"] / 1e6 for r in results]), goal, "yes" if enough else "no",
            f"{harness.median(results, 'bits') / 1e9:.1f}", f"{harness.median(results, 'copied'):.2%}",
            f"{harness.median(results, 'cycles'):.0f}", f"{harness.median(results, 'packets'):.1f}",
            *(f"{us:.0f}" for us in latency), harness.held_up(results)]


def summary(row, results):
    value, goal, enough = reached(row, results)
    copied = f", {harness.median(results, 'copied'):.2%} copied" if row[3] >= 1e9 else ""
    return harness.goal_row(row_name(*row[:3]), f"≥ {goal}", value + copied, enough)


TITLES = ["reverse proxy, inline, one worker", "figure", "M/s of rounds", "goal", "reached", "Gb/s", "copied", "cycles", "packets", "p50 µs",
          "p99 µs", "held up by"]


def benchmark(args):
    rows = harness.chosen(ROWS, args.rows, lambda row: row_name(*row[:3]))
    results = {row: [] for row in rows}
    with harness.laboratory(1, devices=2) as (lab, load):
        system = Proxy(lab, load, [0, 1])
        for number in range(args.rounds):
            for row in rows:
                ms = args.ms if row[0] < MB else max(args.ms, LONG_MS)
                results[row].append(system.fetch(load, *row[:3], ms=ms, warm_ms=min(100, args.ms)))
            print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
    print(harness.table(TITLES, [table_row(row, results[row]) for row in rows]))
    harness.report("proxy", {row_name(*row[:3]): {"sluice": results[row]} for row in rows}, [summary(row, results[row]) for row in rows])


if __name__ == "__main__":
    harness.sweep(benchmark, __doc__, rounds=5, ms=300)
