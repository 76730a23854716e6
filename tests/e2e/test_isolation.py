# SPDX-License-Identifier: BSD-3-Clause
"""A function that attacks the platform: what it costs the attacker, and that it costs nobody else.

One daemon for all attacks; each has a function and a chain of its own, and while it goes on clients
of a chain next to it are served without an error.
"""

import pathlib

import pytest

from hostile import BIG, HANG_MS, Hostile, Neighbour
from lab import Lab, wait_until

SEGV, SYS = "killed by SIGSEGV", "killed by SIGSYS"

# What ends it, and how that is named.
DEADLY = {
    **dict.fromkeys(["write-head", "write-text", "write-upstreams", "write-request-body",
                     "write-response-body", "write-ring", "write-index", "write-arena"], SEGV),
    **dict.fromkeys(["fork", "exec", "socket", "signal-manager", "trace-manager"], SYS),
    "abort": "killed by SIGABRT",
    "spin": f"no turn of its loop for {HANG_MS} ms",
    "spoil-ring": "its ring is spoiled",
    "read-ahead": "its ring is spoiled",
    "read-nothing": f"took nothing from its ring for {HANG_MS} ms",
}

# What the kernel refuses. Who may look into map_files (a process with sanitizers may) still has to
# know where the mapping begins and ends.
REFUSED = {"unprotect": {"EACCES"}, "remap": {"EPERM"}, "open-memory": {"EPERM", "EACCES"},
           "open-manager": {"EPERM", "EACCES"}, "reopen-mapping": {"EPERM", "EACCES", "ENOENT"},
           "open-file": {"EPERM", "EACCES"}, "make-file": {"EPERM", "EACCES"}}

# Who speaks of an exchange that it has a part in again by then (of its answer, maybe) ends it.
SOONER_OR_LATER = {200, 502}

# What the worker sees through: the counter that names it, and what the attacker's client gets.
COUNTED = {
    "noise": ("offences_exchange", {200}), "flood": ("offences_exchange", {200}),
    "answer-the-future": ("offences_generation", {200}),
    "answer-twice": ("offences_holder", SOONER_OR_LATER),
    "release-twice": ("offences_piece", SOONER_OR_LATER),
    **dict.fromkeys(["respond-received", "respond-another", "respond-nowhere", "overflow-offset",
                     "overflow-length", "count-wrong"], ("offences_verdict", {502})),
}

# What needs an exchange that it had before.
TOWARDS_ANOTHER = {"end-another": "offences_holder", "release-another": "offences_piece"}

# What it leaves undone.
UNDONE = {"never-answer": ("timeouts_function", 504), "never-release": ("timeouts_body", 200)}

OTHERS = ["10000-slices", "answer-the-past"]

ATTACKS = [*DEADLY, *REFUSED, *COUNTED, *TOWARDS_ANOTHER, *UNDONE, *OTHERS]


@pytest.fixture(scope="module")
def arena():
    with Lab() as lab:
        hostile = Hostile(lab, ATTACKS)
        yield hostile
        hostile.sluiced.stop()
        assert "ERROR: AddressSanitizer" not in hostile.sluiced.log_path.read_text()


@pytest.fixture
def hostile(arena):
    """Every buffer is back after each attack, and the daemon is the one that was started."""
    yield arena
    arena.sluiced.wait_no_buffers()
    assert arena.sluiced.process.poll() is None


@pytest.mark.parametrize("attack", DEADLY)
def test_it_ends_the_attacker(hostile, attack):
    with Neighbour(hostile):
        hostile.attack(attack)
        wait_until(lambda: hostile.sluiced.function(attack)["restarts"] == 1, 10, "it was ended")
        wait_until(lambda: hostile.sluiced.function(attack)["state"] == "up", 10, "it is back")
    assert hostile.sluiced.function(attack)["last_exit"].startswith(DEADLY[attack])
    assert hostile.serves(attack)


@pytest.mark.parametrize("attack", REFUSED)
def test_it_is_refused(hostile, attack):
    with Neighbour(hostile):
        status, word = hostile.attack(attack)
    assert status == 200 and word.decode() in REFUSED[attack]
    assert hostile.sluiced.function(attack)["restarts"] == 0
    assert not pathlib.Path("/tmp/hostile-was-here").exists()


@pytest.mark.parametrize("attack", COUNTED)
def test_it_is_seen_through(hostile, attack):
    counter, statuses = COUNTED[attack]
    before = hostile.sluiced.stat(counter)
    with Neighbour(hostile):
        assert hostile.attack(attack)[0] in statuses
        wait_until(lambda: hostile.sluiced.stat(counter) > before, 5, f"{counter} names it")
    function = hostile.sluiced.function(attack)
    assert function["offences"] > 0 and function["restarts"] == 0
    errors = [e for e in hostile.sluiced.show("errors") if e["function"] == attack]
    assert errors and all(e["text"].startswith("offence: ") for e in errors)
    assert hostile.serves(attack)


@pytest.mark.parametrize("attack", TOWARDS_ANOTHER)
def test_the_exchange_of_another_goes_on(hostile, attack):
    counter = TOWARDS_ANOTHER[attack]
    before = hostile.sluiced.stat(counter)
    with Neighbour(hostile):
        download = hostile.download(attack)
        wait_until(lambda: [c for c in hostile.sluiced.show("chains")
                            if c["name"] == attack and c["exchanges"]], 5, "it is under way")
        assert hostile.attack(attack)[0] == 200
        assert download.communicate(timeout=30)[0] == f"200 {BIG}"
    assert hostile.sluiced.stat(counter) == before + 1
    assert hostile.sluiced.function(attack)["offences"] == 1


def test_an_answer_to_what_is_over_is_late(hostile):
    """The two may have crossed on their way: it is counted, and no offence."""
    attack = "answer-the-past"
    assert hostile.attack(attack, "remember")[0] == 200
    before = hostile.sluiced.stat("answers_late")
    with Neighbour(hostile):
        assert hostile.attack(attack, "end-another")[0] == 200
    assert hostile.sluiced.stat("answers_late") == before + 1
    assert hostile.sluiced.function(attack)["offences"] == 0


@pytest.mark.parametrize("attack", UNDONE)
def test_what_it_leaves_undone_ends_in_time(hostile, attack):
    counter, status = UNDONE[attack]
    before = hostile.sluiced.stat(counter)
    with Neighbour(hostile):
        assert hostile.attack(attack)[0] == status
    assert hostile.sluiced.stat(counter) == before + 1
    assert hostile.sluiced.function(attack)["restarts"] == 0
    assert hostile.serves(attack)


def test_slices_without_end(hostile):
    """Its answer has begun, and cannot go on."""
    attack = "10000-slices"
    before = hostile.sluiced.stat("offences_flood")
    with Neighbour(hostile):
        hostile.attack(attack)
        wait_until(lambda: hostile.sluiced.stat("offences_flood") > before, 10, "the flood is named")
    assert hostile.sluiced.function(attack)["restarts"] == 0
    assert hostile.serves(attack)
