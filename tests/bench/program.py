# SPDX-License-Identifier: BSD-3-Clause
"""program PATH [ARGS]: runs a benchmark that is a program, and adds what it printed to the report.

Its figures are rows as pair_row() of tests/bench/pair.c prints them: what, a number, a unit. A row without a name belongs
to the one before it. Some of them have goals, and some are a sweep.
"""

import re
import subprocess
import sys

import harness
import plot

NAME_WIDTH = 46
ROW = re.compile(rf"^  (.{{{NAME_WIDTH},}}?) +(-?[\d,]+(?:\.\d+)?)  ?(.*)$")
# Of a program: the row, what it is called in the table of goals, the goal, and how the goal is said.
GOALS = {
    "conns": [("together", "bytes a connection", "one million idle connections, each", lambda v: v <= 1024, "≤ 1,024 bytes"),
              ("beside, of alone", "% throughput", "200 active ones beside them, of alone", lambda v: v >= 90, "≥ 90%")],
    "rings": [("descriptor one way, in the worker, batch 32", "ns", "ring, a descriptor, batch 32", lambda v: v <= 6, "≤ 6 ns")],
}
# Of a program: rows whose name has a number in it, over which they are drawn.
SWEEPS = {
    "parts": (r"^table: one of (\d+) connections$", "a connection looked up", "connections in the table", "ns"),
    "request": (r"^(\d+) before static$", "a request in one process, inline", "functions before static", "ns"),
}


def rows_of(text):
    """[(name, value, unit)]"""
    rows, name = [], ""
    for line in text.splitlines():
        match = ROW.match(line)
        if match:
            name = match[1].strip() or name
            rows.append((name, float(match[2].replace(",", "")), match[3].strip()))
    return rows


def goals_of(program, rows):
    for name, unit, what, good, goal in GOALS.get(program, ()):
        for value in (v for n, v, u in rows if (n, u) == (name, unit)):
            yield harness.goal_row(what, goal, f"{value:,g} {unit}", good(value))
            break


def draw(program, rows):
    pattern, title, x_title, y_title = SWEEPS[program]
    points = [(int(match[1]), value) for name, value, unit in rows if unit.startswith("ns") and "each" not in unit
              for match in [re.match(pattern, name)] if match]
    if len(points) > 1:
        plot.save(harness.REPORT / f"{program}.svg", title, x_title, y_title, {y_title: points}, log_x=points[-1][0] > 1000)


def main(path, *args):
    program = re.sub(r"^.*/bench_", "", path)
    process = subprocess.Popen([path, *args], stdout=subprocess.PIPE, text=True)
    text = ""
    for line in process.stdout:
        print(line, end="", flush=True)
        text += line
    if process.wait():
        sys.exit(process.returncode)
    rows = rows_of(text)
    if program in SWEEPS:
        draw(program, rows)
    goals = list(goals_of(program, rows))
    if goals:
        print(f"\n{harness.goals_table(goals)}")
    harness.report(program, [{"what": name, "value": value, "unit": unit} for name, value, unit in rows], goals)


if __name__ == "__main__":
    main(*sys.argv[1:])
