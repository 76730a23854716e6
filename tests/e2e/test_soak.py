# SPDX-License-Identifier: BSD-3-Clause
"""Two minutes of everything at once (soak.py), visited by everybody (visitors.py).

Nobody sees an error that the configuration does not explain, nothing bad is counted, no process
grows, and in the end every buffer is back. SLUICE_SOAK_S: other than two minutes.
"""

import contextlib
import json
import os
import re
import time

from soak import Town
from visitors import VISITORS, Crowd

SECONDS = int(os.environ.get("SLUICE_SOAK_S", "120"))

# Counters that stay at zero, whatever dies: ours to avoid, or lies that nobody told.
BAD = re.compile(r"""offences.*|http_.*|requests_bad|responses_bad|bodies_wrong_length|exchanges_poison|timeouts_.*|no_route|
    streams_early_full|edits_no_room|replaces_no_memory|heads_.*|leases_full|text_no_memory|starved|retries_refused|line_refused|
    line_timeouts|edit_errors|match_limits|no_memory|dropped|cut|file_broken|loops|headers_bad|busy|failed|
    handoff_drops|rx_copied_bytes|tcp_bad_.*|ip4_bad_.*""".replace("\n", "").replace(" ", ""))

# Why exchanges may end, and by what that is explained.
ENDINGS = {"complete": "", "client_gone": "downloads that are left", "function_reset": "bodies that the filter denies",
           "function_failed": "kills", "origin_cut": "outages", "unreachable": "outages", "no_server": "outages"}


def memory_kb(pid):
    """(what it has for itself, all that is resident)"""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        fields = dict(re.findall(r"^(\w+):\s+(\d+) kB$", file.read(), re.M))
    return int(fields["RssAnon"]), int(fields["VmRSS"])


class Memory:
    """What the daemon and each process of a function have, from time to time."""

    OWN, ALL = 1, 2

    def __init__(self, sluiced):
        self.sluiced = sluiced
        self.samples = {}

    def sample(self):
        processes = {("sluiced", self.sluiced.pid)} | {
            (f["name"], f["pid"]) for f in self.sluiced.show("functions") if f["state"] == "up" and f["pid"]}
        for name, pid in processes:
            with contextlib.suppress(OSError, KeyError):  # it ended meanwhile
                row = (time.monotonic(), *memory_kb(pid))
                self.samples.setdefault(name, []).append(row)

    def halves(self, name, which):
        """The most of the first half and of the second."""
        rows = self.samples[name]
        middle = (rows[0][0] + rows[-1][0]) / 2
        return [max((row[which] for row in rows if (row[0] > middle) == later), default=0) for later in (False, True)]

    def grown(self):
        """Those that are larger in the second half, and how much, as texts."""
        found = []
        for name in self.samples:
            for which, text in ((self.OWN, "of its own"), (self.ALL, "resident")):
                first, second = self.halves(name, which)
                if second > first * 1.1 + 4096:
                    found.append(f"{name}: {first} KB {text}, then {second} KB")
        return found


def disturb(town, crowd, memory, seconds):
    """Troubles one after the other, with a moment of peace between them."""
    end, acts = time.monotonic() + seconds, []
    while time.monotonic() < end and len(crowd.wrongs) < 20:
        acts = acts or town.troubles.round()
        acts.pop()()
        for _ in range(3):
            memory.sample()
            time.sleep(0.3)


def bad_counters(sluiced):
    return {f"{s['group']}: {s['name']}": s["value"] for s in sluiced.show("stats")
            if s["value"] and BAD.fullmatch(s["name"])}


def odd_endings(path):
    """Lines of an access log that tell of an end which nothing explains."""
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(entries) > 100, path
    return [entry for entry in entries if entry["ending"] not in ENDINGS]


def test_soak(lab):
    town = Town(lab)
    sluiced, memory = town.sluiced, Memory(town.sluiced)
    crowd = Crowd(town)
    disturb(town, crowd, memory, SECONDS)
    stuck = crowd.end()
    print(f"visits: {crowd.visits}\ntroubles: {town.troubles.counts}")
    print("memory:", {name: memory.halves(name, Memory.OWN) + memory.halves(name, Memory.ALL) for name in memory.samples})
    assert not crowd.wrongs, "\n".join(crowd.wrongs)
    assert not stuck, "visitors that never came back"
    assert all(crowd.visits.get(visitor.__name__, 0) >= 2 for visitor in VISITORS), crowd.visits
    assert not bad_counters(sluiced), bad_counters(sluiced)
    sluiced.wait_no_buffers(30)
    assert sum(c["exchanges"] for c in sluiced.show("chains")) == 0
    assert all(f["held"] == 0 for f in sluiced.show("functions"))
    sluiced.stop()
    for log in ("access.log", "access_in.log"):
        assert not odd_endings(town.logs / log)
    assert "ERROR: AddressSanitizer" not in sluiced.log_path.read_text()
    assert not memory.grown()
