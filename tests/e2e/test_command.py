# SPDX-License-Identifier: BSD-3-Clause
"""Words to functions: sluicectl function tell, cache purge, show cache."""

import json
import signal

import pytest

from lab import wait_until

CACHE = '{ name = "edge"; plugin = "cache"'


def rows(chain, *words):
    return json.loads(chain.sluiced.ctl("--json", *words).stdout)


@pytest.fixture
def stored(chain):
    """Three files that are stored; what lies at the origins is another text now."""
    for name in ("img/1", "img/2", "page"):
        chain.file(f"cached/{name}.txt", "old")
        assert chain.curl(f"/cached/{name}.txt") == "old"
        assert chain.curl(f"/cached/{name}.txt") == "old"
        chain.file(f"cached/{name}.txt", "changed")
    return chain


def texts(chain):
    return [chain.curl(f"/cached/{name}.txt") for name in ("img/1", "img/2", "page")]


def test_purge_a_url(stored):
    url = "http://10.10.1.1/cached/page.txt"
    answer = rows(stored, "cache", "purge", url)
    assert {row["function"] for row in answer} == {"edge"}
    assert "purged" in {row["result"] for row in answer} and answer[0]["what"] == url
    assert texts(stored) == ["old", "old", "changed"]
    assert {row["result"] for row in rows(stored, "cache", "purge", "10.10.1.1/none")} == {"nothing was stored"}


def test_purge_a_prefix(stored):
    done = stored.sluiced.ctl("cache", "purge", "--prefix", "http://10.10.1.1/cached/img/")
    assert done.stdout.split("\n")[0].split() == ["function", "instance", "what", "result"]
    assert texts(stored) == ["changed", "changed", "old"]


def test_purge_softly(stored):
    """They are stale: the origin is asked about them."""
    rows(stored, "cache", "purge", "--soft", "10.10.1.1/cached/page.txt", "10.10.1.1/cached/img/1.txt")
    assert texts(stored) == ["changed", "old", "changed"]
    seen = stored.curl("/cached/img/2.txt", "-o", "/dev/null", "-D", "-").lower()
    assert "sluice; hit" in seen


def test_show_cache(stored):
    shown = rows(stored, "show", "cache")
    assert sum(row["objects"] for row in shown) == 3
    assert sum(row["hits"] for row in shown) == 3 and sum(row["misses"] for row in shown) == 3
    assert all(0 < row["bytes"] <= row["limit"] for row in shown)


@pytest.mark.parametrize("words, why", [
    (("function", "tell", "edge", "eat"), 'function "edge", instance 0: "eat"? a cache knows purge, soft-purge and show'),
    (("function", "tell", "route", "eat"), 'function "route", instance 0: takes no commands'),
    (("function", "tell", "nobody", "eat"), 'there is no function "nobody"'),
    (("function", "tell", "edge", "x" * 4096), "functions are told 4096 bytes at most"),
    (("cache", "purge", "ftp://a/"), 'function "edge", instance 0: "ftp://a/" is no URL of http'),
])
def test_refusals(chain, words, why):
    done = chain.sluiced.ctl(*words, check=False)
    assert done.returncode == 1 and done.stderr == f"sluicectl: {why}\n"


def test_without_a_cache(chain):
    conf = chain.conf().replace(CACHE, '{ name = "edge"; plugin = "noop"').replace("memory_mb = 16;", "")
    assert chain.sluiced.reload(conf).returncode == 0
    done = chain.sluiced.ctl("cache", "purge", "10.10.1.1/", check=False)
    assert done.returncode == 1 and done.stderr == 'sluicectl: there is no function of plugin "cache"\n'


def test_while_it_dies(chain):
    """Whoever asks gets an answer, and a new process answers again."""
    if chain.sluiced.function("edge")["pid"] in (0, None):
        pytest.skip("it has no process")
    for _ in range(10):
        chain.sluiced.signal_function("edge", signal.SIGKILL)
        done = chain.sluiced.ctl("show", "cache", check=False)
        assert done.returncode == 0 or "edge" in done.stderr, done
        wait_until(lambda: chain.sluiced.ctl("show", "cache", check=False).returncode == 0, 20, "it answers again")
