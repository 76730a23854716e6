#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""latency [--rounds N] [--ms MS] [--rows TEXT]: how long answers of 64 bytes take at fixed rates, from `static` inline.

Requests come by a timetable, parts of what the daemon can do at most, and are as old as the timetable says: whoever waits
behind a stall has waited (an open loop). Up to p99.99, beside a server without state at the same rate.
"""

import statistics
import sys

import harness
import plot

SIZE, CONNECTIONS = 64, 200
PARTS = (0.1, 0.3, 0.5, 0.7, 0.9)
SHOWN = ("p50", "p90", "p99", "p99.9", "p99.99", "max")


def row_name(part):
    return f"{part:.0%} of what it can do"


def at_rate(system, load, rate, ms):
    result = system.measure(load, "open", SIZE, connections=CONNECTIONS, rate=round(rate), ms=ms, warm_ms=min(50, ms))
    result["asked"] = rate
    return result


def one_round(systems, load, parts, ms):
    """{(system, part): result}; the whole is what a closed loop of the same round reaches."""
    most = systems["sluice"].measure(load, "closed", SIZE, connections=CONNECTIONS, ms=ms, warm_ms=min(50, ms))["rate"]
    return {(name, part): at_rate(system, load, most * part, ms) for part in parts for name, system in systems.items()}


def latency(results, key):
    return statistics.median(result["latency_us"][key] for result in results)


def table_row(name, part, results):
    kept = statistics.median(r["rate"] / r["asked"] for r in results)
    return [f"{row_name(part)}: {name}", f"{harness.median(results, 'asked') / 1e6:.2f}", f"{kept:.1%}",
            *(f"{latency(results, key):.1f}" for key in SHOWN), harness.held_up(results)]


TITLES = ["64 B, fixed rates", "M/s", "kept", *(f"{key} µs" for key in SHOWN), "held up by"]


def benchmark(args):
    parts, rounds = harness.chosen(PARTS, args.rows, row_name), []
    with harness.laboratory(2) as (lab, load):
        systems = {"limit": harness.Limit(lab, load, 0),
                   "sluice": harness.Sluice(lab, load, [1], "sluice", [harness.static_function((SIZE,))], ["pages"])}
        for number in range(args.rounds):
            rounds.append(one_round(systems, load, parts, args.ms))
            print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
    results = {key: [one[key] for one in rounds] for key in rounds[0]}
    print(harness.table(TITLES, [table_row(*key, of) for key, of in results.items()]))
    plot.save(harness.REPORT / "latency.svg", "64 B at fixed rates, static inline", "M requests/s", "µs", {
        f"{name}, {key}": [(round(harness.median(of, "asked") / 1e6, 2), latency(of, key)) for (who, _), of in results.items() if who == name]
        for name in systems for key in ("p50", "p99")})
    harness.report("latency", {f"{name}, {row_name(part)}": of for (name, part), of in results.items()})


if __name__ == "__main__":
    harness.sweep(benchmark, __doc__, rounds=3, ms=300)
