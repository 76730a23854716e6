#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""workers [--rounds N] [--count N]: two workers against one, each with its client's stack, joined in memory.

What workers share is memory that they hardly write: so each is a process of its own here (`bench_request`), on a CPU of
its own. One alone, then two at once; compared is the CPU time of the server's side for a request, so that what else the
machine does counts less.
"""

import argparse
import re
import statistics
import subprocess
import sys

import harness

GOAL = 1.9
ROW = re.compile(r"^\s*static\s+([\d.,]+)\s+ns a request", re.M)


def start(cpu, count):
    return subprocess.Popen(["taskset", "-c", str(cpu), harness.BUILD / "tests/bench/bench_request", str(count),
                             harness.BUILD / "lib/sluice", "0"], stdout=subprocess.PIPE, text=True)


def ns_of(process):
    text, _ = process.communicate(timeout=300)
    match = ROW.search(text)
    if process.returncode or not match:
        raise harness.LabError(f"bench_request ended with {process.returncode}: {text}")
    return float(match[1].replace(",", ""))


def one_round(count):
    alone = [ns_of(start(cpu, count)) for cpu in (harness.CLIENT_CPU, harness.SERVER_CPU)]
    both = [start(cpu, count) for cpu in (harness.CLIENT_CPU, harness.SERVER_CPU)]
    both = [ns_of(process) for process in both]
    return {"alone_ns": alone, "both_ns": both, "ratio": sum(1 / ns for ns in both) / statistics.mean(1 / ns for ns in alone)}


def benchmark(args):
    harness.needs()
    results = []
    for number in range(args.rounds):
        results.append(one_round(args.count))
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
    ratio = harness.median(results, "ratio")
    rows = [["one, ns a request", f"{statistics.median(statistics.mean(r['alone_ns']) for r in results):.0f}", ""],
            ["each of two, ns a request", f"{statistics.median(statistics.mean(r['both_ns']) for r in results):.0f}", ""],
            ["two against one", f"{ratio:.2f}×", f"{GOAL}×"]]
    print(harness.table(["workers, client and server in each", "figure", "goal"], rows))
    harness.report("workers", results, [harness.goal_row("two workers against one", f"≥ {GOAL}×", f"{ratio:.2f}×", ratio >= GOAL)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=300000, help="requests of each")
    args = parser.parse_args()
    harness.main(lambda: benchmark(args))


if __name__ == "__main__":
    main()
