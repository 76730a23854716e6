# SPDX-License-Identifier: BSD-3-Clause
"""The table that `./run bench` ends with: what was to be reached, and what was found, beside each other.

Benchmarks that are scripts leave their goals in build/bench/report.json (harness.report); of programs the output is
kept, build/bench/NAME.txt, and the figures that have a goal are looked up there.
"""

import re
import sys

import harness

# A program, the row of its output, what it is called here, the goal, and how the goal is said.
LOOKED_UP = [
    ("conns", r"^\s*together\s+([\d,.]+)\s+bytes a connection", "one million idle connections, each", lambda v: v <= 1024, "≤ 1,024 bytes", "bytes"),
    ("conns", r"^\s*beside, of alone\s+([\d,.]+)", "200 active ones beside them, of alone", lambda v: v >= 90, "≥ 90%", "%"),
    ("hop", r"^\s*descriptor one way, in the worker, batch 32\s+([\d,.]+)", "ring, a descriptor, batch 32", lambda v: v <= 6, "≤ 6 ns", "ns"),
]


def looked_up():
    """Goals of programs; with what they belong to."""
    for program, pattern, what, good, goal, unit in LOOKED_UP:
        path = harness.REPORT / f"{program}.txt"
        match = re.search(pattern, path.read_text(), re.M) if path.exists() else None
        if match:
            value = float(match[1].replace(",", ""))
            yield harness.goal_row(what, goal, f"{value:g} {unit}", good(value))


def main(names):
    whole = harness.report_read()
    rows = [row for name in names for row in whole.get(name, {}).get("goals", [])] + list(looked_up())
    print("what was to be reached, and what was found on this machine; build/bench/report.json has every figure\n")
    print(harness.table(["", "goal", "figure", "reached"], [[row["what"], row["goal"], row["figure"], "yes" if row["reached"] else "no"] for row in rows]))
    absent = [name for name in names if name not in whole and not (harness.REPORT / f"{name}.txt").exists()]
    if absent:
        print(f"\nnot measured: {' '.join(absent)}")


if __name__ == "__main__":
    main(sys.argv[1:])
