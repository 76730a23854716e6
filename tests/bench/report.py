# SPDX-License-Identifier: BSD-3-Clause
"""The table that `./run bench` ends with: what was to be reached, and what was found, beside each other.

Benchmarks leave their goals in build/bench/report.json (harness.report); a benchmark that is named here and has left none
was not measured.
"""

import sys

import harness


def main(names):
    whole = harness.report_read()
    rows = [row for name in names for row in whole.get(name, {}).get("goals", [])]
    print("what was to be reached, and what was found on this machine; build/bench/report.json has every figure\n")
    print(harness.goals_table(rows))
    absent = [name for name in names if name not in whole]
    if absent:
        print(f"\nnot measured: {' '.join(absent)}")


if __name__ == "__main__":
    main(sys.argv[1:])
