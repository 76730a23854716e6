# SPDX-License-Identifier: BSD-3-Clause
"""placement = "inline": functions in the worker, alone and beside others in processes."""

import pytest

from lab import placed, wait_until

ALL = "guard|edge|route|spread"


def reload_with(chain, names):
    done = chain.sluiced.reload(placed(chain.conf(), "inline", names))
    assert done.returncode == 0, done.stderr


def load(chain, seconds):
    return chain.client.start("wrk", "-t1", "-c30", f"-d{seconds}s", "http://10.10.1.1/who", stdout=-1,
                              text=True)


def assert_no_error(wrk):
    out = wrk.communicate(timeout=60)[0]
    assert "Socket errors" not in out and "Non-2xx" not in out and "requests in" in out, out


def test_functions_move_under_load(chain):
    """From processes into the worker, half of them back, and no request knows of it."""
    wrk = load(chain, 4)
    for names, pids in ((ALL, 0), ("guard|route", 2), (ALL, 0)):
        reload_with(chain, names)
        wait_until(lambda n=pids: sum(f["state"] == "up" and f["pid"] is not None
                                      for f in chain.sluiced.show("functions")) == n,
                   10, f"{pids} functions have processes")
    assert_no_error(wrk)
    assert {f["placement"] for f in chain.sluiced.show("functions")} == {"inline"}


def test_restart_under_load(chain):
    reload_with(chain, ALL)
    wrk = load(chain, 3)
    for name in ("edge", "route", "edge"):
        chain.sluiced.ctl("function", "restart", name)
    assert_no_error(wrk)
    assert chain.sluiced.function("edge")["restarts"] == 2
    wait_until(lambda: len(chain.sluiced.show("functions")) == 4, 10, "the old ones are gone")


def test_bodies_of_both_kinds(chain):
    """An inline cache's copy is sent from its arena; a process looks at what an inline one made."""
    chain.file("cached/page.bin", b"x" * 200_000)
    for names in ("edge", "guard|route|spread", ALL):
        reload_with(chain, names)
        for _ in range(3):
            assert chain.curl("/cached/page.bin", "-w", "%{size_download}", "-o", "/dev/null") == "200000"
    assert chain.sluiced.stat("hits") >= 2


def test_a_wrong_config_is_refused_with_its_line(chain):
    wrong = placed(chain.conf(), "inline").replace("^/admin", "^/(admin")
    line = next(i for i, text in enumerate(wrong.splitlines(), 1) if "(admin" in text)
    error = chain.sluiced.reload(wrong).stderr
    assert f"{chain.sluiced.conf_path}:{line}:" in error, error
    assert chain.status("/who") == 200 and chain.status("/admin") == 403
    assert all(f["placement"] == "process" for f in chain.sluiced.show("functions"))


@pytest.mark.parametrize("path, status", [("/who", 200), ("/admin", 403), ("/none", 404)])
def test_the_same_answers(chain, path, status):
    assert chain.status(path) == status
    reload_with(chain, ALL)
    assert chain.status(path) == status
