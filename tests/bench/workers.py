#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""workers [--rounds N] [--count N]: two workers against one, each with its client's stack, joined in memory.

Threads of one process (`bench_request`), on a CPU each, as in a daemon: each has stacks, engine and pools of its own, and
shares with the other what workers share, code, allocator and configuration. One alone on each CPU, then two at once;
compared is the CPU time of the server's side for a request, so that what else the machine does counts less.
"""

import argparse
import re
import statistics
import subprocess
import sys

import harness

GOAL = 1.9
ROW = re.compile(r"^\s*static\s+([\d.,]+)\s+ns a request", re.M)


def ns_of(count, cpus):
    """Nanoseconds of a request, of each of so many threads."""
    done = subprocess.run(["taskset", "-c", ",".join(map(str, cpus)), harness.BUILD / "tests/bench/bench_request", str(count),
                           harness.BUILD / "lib/sluice", "0", str(len(cpus))], stdout=subprocess.PIPE, text=True, timeout=300,
                          preexec_fn=harness.first)
    found = [float(text.replace(",", "")) for text in ROW.findall(done.stdout)]
    if done.returncode or len(found) != len(cpus):
        raise harness.LabError(f"bench_request ended with {done.returncode}: {done.stdout}")
    return found


def one_round(count):
    both_cpus = [harness.CLIENT_CPU, harness.SERVER_CPU]
    alone = [ns_of(count, [cpu])[0] for cpu in both_cpus]
    both = ns_of(count, both_cpus)
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
