#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""static [--rounds N] [--ms MS] [--rows TEXT]: answers from `static` inline, one worker, as a share of `limit`.

Keep-alive GETs of four sizes on 50 and 200 connections, of 64 bytes on one, and connections with one request each.
`limit` sends frames of the MTU, and that is what goals are shares of; beside it stands one whose device cuts its answers
(TSO), as Sluice's does: no server on this wire can do better than that.

Sluice answers a head that came before as it did then, while `static` allows that. So 64 bytes are measured twice more: with
256 targets in turns, and with a daemon that asks `static` about each request (daemon.recalls = 0).
"""

import sys

import harness
import plot

SIZES = (64, 1024, 4096, 8192)
FRAME = 1460
# A mode, a size, connections, and the goal: a share of limit, or connections a second.
ROWS = [
    ("closed", 64, 50, 0.60), ("closed", 64, 200, 0.45),
    ("closed", 1024, 50, 0.70), ("closed", 1024, 200, 0.55),
    ("closed", 4096, 50, 0.80), ("closed", 4096, 200, 0.80),
    ("closed", 8192, 50, 0.80), ("closed", 8192, 200, 0.80),
    ("closed", 64, 1, 0.75),
    ("once", 64, 50, 0.5e6), ("once", 64, 200, 0.5e6),
]
TAIL_MOST = 2.5  # of one connection: p99 as a multiple of p50
WHAT = {"closed": "keep-alive", "once": "one request each"}


def row_name(mode, size, connections):
    return f"{WHAT[mode]}, {size} B, {connections} connection{'s' if connections > 1 else ''}"


class Targets(harness.System):
    """The same daemon; its clients ask for many things."""

    def __init__(self, sluice):
        self.busy_cycles = sluice.busy_cycles
        super().__init__("256 targets", sluice.device, sluice.address, sluice.process)

    def measure(self, load, mode, size, **keys):
        return super().measure(load, mode, size, paths=256, **keys)


def takes_part(system, row):
    """What fits into a frame need not be cut."""
    if isinstance(system, harness.LimitTso):
        return row[1] > FRAME
    return system.name in ("limit", "sluice") or row[1] == 64


def measure(systems, load, rows, args):
    """Round by round; in each, row by row; in each, one system after the other."""
    results = {(system.name, row): [] for system in systems for row in rows}
    for number in range(args.rounds):
        for row in rows:
            mode, size, connections, _ = row
            for system in (s for s in systems if takes_part(s, row)):
                keys = {"hosts": 8} if mode == "once" else {}
                results[system.name, row].append(system.measure(load, mode, size, connections=connections, ms=args.ms,
                                                                warm_ms=min(100, args.ms), **keys))
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
    return results


def tail(sluice):
    """p99 as a multiple of p50: the median of the rounds."""
    return harness.statistics.median(r["latency_us"]["p99"] / r["latency_us"]["p50"] for r in sluice)


def verdict(row, share, sluice):
    """The goal as text, and whether it is reached."""
    goal = row[3]
    if goal > 1:
        return f"{goal / 1e6:.2f} M/s", harness.median(sluice, "rate") >= goal
    return f"{goal:.0%}", share >= goal and (row[2] > 1 or tail(sluice) <= TAIL_MOST)


def of_tso(cut, sluice):
    """The best that is possible with TSO, in millions, and Sluice's share of it."""
    return [f"{harness.median(cut, 'rate') / 1e6:.2f}", f"{harness.statistics.median(harness.ratios(sluice, cut)):.0%}"] if cut else ["", ""]


def table_row(row, limit, cut, sluice):
    shares = harness.ratios(sluice, limit)
    share, rate = harness.statistics.median(shares), harness.median(sluice, "rate")
    goal, reached = verdict(row, share, sluice)
    latency = [harness.statistics.median(r["latency_us"][p] for r in sluice) for p in ("p50", "p99", "p99.99")]
    return [row_name(*row[:3]), f"{harness.median(limit, 'rate') / 1e6:.2f}", f"{rate / 1e6:.2f}", f"{share:.0%}",
            harness.spread(shares), goal, "yes" if reached else "no", *of_tso(cut, sluice), f"{harness.median(sluice, 'cycles'):.0f}",
            f"{harness.median(limit, 'cycles'):.0f}", f"{harness.median(sluice, 'packets'):.2f}",
            *(f"{us:.1f}" for us in latency), harness.held_up(sluice)]


def summary(row, limit, sluice):
    share, rate = harness.statistics.median(harness.ratios(sluice, limit)), harness.median(sluice, "rate")
    goal, enough = verdict(row, share, sluice)
    goal += " of limit" if row[3] <= 1 else ""
    figure = f"{share:.0%}, {rate / 1e6:.2f} M/s"
    if row[2] == 1:
        goal, figure = f"{goal}, p99 ≤ {TAIL_MOST}× p50", f"{figure}, {tail(sluice):.1f}×"
    return harness.goal_row(f"static inline: {row_name(*row[:3])}", goal, figure, enough)


TITLES = ["static, inline, one worker", "limit M/s", "Sluice M/s", "share", "of rounds", "goal", "reached", "limit, TSO",
          "share", "cycles", "limit's", "packets", "p50 µs", "p99 µs", "p99.99 µs", "held up by"]


def others(rows, results):
    """What becomes of 64 bytes when the same is not said again."""
    table = []
    for row in (row for row in rows if row[1] == 64):
        cells = [row_name(*row[:3])]
        for name in ("sluice", "256 targets", "asked"):
            of = results[name, row]
            cells += [f"{harness.median(of, 'rate') / 1e6:.2f}", f"{harness.statistics.median(harness.ratios(of, results['limit', row])):.0%}",
                      f"{harness.median(of, 'cycles'):.0f}"]
        table.append(cells)
    return table


OTHERS = ["given again", "M/s", "share", "cycles", "256 targets", "share", "cycles", "always asked", "share", "cycles"]


def frames_most(results):
    """A second, of any measurement: what the wire can do at least."""
    return max((r["frames_in"] + r["frames_out"]) / r["seconds"] for rounds in results.values() for r in rounds)


def plots(rows, results):
    """The sweep over sizes: millions of requests a second, and shares of limit."""
    kept = [row for row in rows if row[0] == "closed" and row[2] > 1]
    series, shares = {}, {}
    for row in kept:
        limit, sluice = results["limit", row], results["sluice", row]
        for name, of in (("limit", limit), ("limit, TSO", results["limit, TSO", row] or limit), ("sluice", sluice)):
            series.setdefault(f"{name}, {row[2]} connections", []).append((row[1], harness.median(of, "rate") / 1e6))
        shares.setdefault(f"{row[2]} connections", []).append((row[1], 100 * harness.statistics.median(harness.ratios(sluice, limit))))
    if kept:
        plot.save(harness.REPORT / "static.svg", "static inline, keep-alive", "bytes of an answer", "M requests/s", series, log_x=True)
        plot.save(harness.REPORT / "static-share.svg", "static inline, share of limit", "bytes of an answer", "% of limit", shares, log_x=True)


def benchmark(args):
    rows = harness.chosen(ROWS, args.rows, lambda row: row_name(*row[:3]))
    with harness.laboratory(3) as (lab, load):
        limit = harness.Limit(lab, load, 0)
        sluice, asked = (harness.Sluice(lab, load, [device], name, [harness.static_function(SIZES)], ["pages"], daemon=daemon)
                         for device, name, daemon in ((1, "sluice", ""), (2, "asked", "recalls = 0;")))
        systems = [limit, harness.LimitTso(limit), sluice, Targets(sluice), asked]
        results = measure(systems, load, rows, args)
    plots(rows, results)
    print(harness.table(TITLES, [table_row(row, *(results[system.name, row] for system in systems[:3])) for row in rows]))
    if any(row[1] == 64 for row in rows):
        print(f"\n{harness.table(OTHERS, others(rows, results))}")
    print(f"\nthe wire passed {frames_most(results) / 1e6:.1f} M frames a second, both ways together, at most")
    harness.report("static", {row_name(*row[:3]): {system.name: results[system.name, row] for system in systems} for row in rows},
                   [summary(row, results["limit", row], results["sluice", row]) for row in rows])


if __name__ == "__main__":
    harness.sweep(benchmark, __doc__, rounds=5, ms=300)
