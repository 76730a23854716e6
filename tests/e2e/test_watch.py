# SPDX-License-Identifier: BSD-3-Clause
"""Functions that only look: whatever becomes of them, no client notices."""

import re
import signal
import time

import pytest

from lab import wait_until

EYE = """functions = (
  { name = "eye"; plugin = "noop"; config = { mode = "watch"; }; },"""


@pytest.fixture
def watched(chain):
    done = chain.sluiced.reload(chain.conf().replace("functions = (", EYE).replace('path = [ "guard"', 'path = [ "eye", "guard"'))
    assert done.returncode == 0, done.stderr
    wait_until(lambda: chain.sluiced.function("eye")["state"] == "up", 10, "it is up")
    return chain


def eye(chain, key):
    return chain.sluiced.function("eye")[key]


def load(chain, seconds):
    return chain.client.start("wrk", "-t1", "-c50", f"-d{seconds}s", "--latency", "http://10.10.1.1/who", stdout=-1, text=True)


def ended_well(load):
    """How many requests there were."""
    out = load.communicate(timeout=60)[0]
    assert "Socket errors" not in out and "Non-2xx" not in out, out
    return int(re.search(r"(\d+) requests in", out).group(1))


def sees_again(watched):
    """That request, or one of the last that the load asked."""
    before = eye(watched, "seen")
    assert watched.status("/who") == 200
    wait_until(lambda: eye(watched, "seen") > before, 5, "it sees again")


def counted(watched):
    return sum(watched.sluiced.stat(f"exchanges_{name}") for name in ("seen", "unseen"))


def test_it_sees_each(watched):
    for _ in range(5):
        assert watched.status("/who") == 200
    wait_until(lambda: eye(watched, "seen") == 5, 5, "it has seen them")
    assert eye(watched, "unseen") == 0 and eye(watched, "exchanges") == 0
    table = watched.sluiced.ctl("show", "functions").stdout
    assert "SEEN" in table and "UNSEEN" in table
    watched.sluiced.wait_no_buffers()


def test_it_is_killed_under_load(watched):
    running = load(watched, 5)
    for _ in range(10):
        time.sleep(0.3)
        watched.sluiced.signal_function("eye", signal.SIGKILL)
    requests = ended_well(running)
    wait_until(lambda: eye(watched, "state") == "up", 10, "it runs again")
    sees_again(watched)
    watched.sluiced.wait_no_buffers()
    wait_until(lambda: counted(watched) >= requests, 5, "each was seen, or counted as missed")
    assert counted(watched) <= requests + 100


def test_it_is_stopped_under_load(watched):
    """It stands still until it is killed for that; meanwhile nothing waits for it."""
    running = load(watched, 5)
    time.sleep(0.5)
    pid = watched.sluiced.signal_function("eye", signal.SIGSTOP)
    wait_until(lambda: watched.sluiced.stat("exchanges_unseen") > 0, 10, "it misses some")
    ended_well(running)
    wait_until(lambda: eye(watched, "state") == "up" and eye(watched, "pid") != pid, 20, "it runs again")
    sees_again(watched)
    assert eye(watched, "unseen") > 0
    watched.sluiced.wait_no_buffers()
