# SPDX-License-Identifier: BSD-3-Clause
"""The cache in the path of four, between curl and nginx: pages, ranges, 304, crowds, purges, errors."""

import concurrent.futures
import hashlib
import os
import time

import pytest

from lab import MB, wait_until


@pytest.fixture
def cached(chain):
    """The chain with a cache that can be purged and helps when an origin fails."""
    conf = chain.conf().replace("memory_mb = 16;", 'memory_mb = 16; stale_if_error_s = 60; '
                                'purge_from = [ "10.10.1.0/24" ];')
    assert chain.sluiced.reload(conf).returncode == 0
    wait_until(lambda: chain.status("/none", "-X", "PURGE") == 404, 10, "the new cache answers")
    return chain


def head(chain, path, *args):
    return chain.curl(path, "-o", "/dev/null", "-D", "-", *args).lower()


def test_a_page_is_fetched_once(cached):
    cached.file("cached/page.html", "<p>page</p>")
    assert "fwd=uri-miss; stored" in head(cached, "/cached/page.html")
    again = head(cached, "/cached/page.html")
    assert "sluice; hit" in again and "\nage: " in again
    assert cached.curl("/cached/page.html") == "<p>page</p>"


def test_conditions_and_ranges(cached):
    body = os.urandom(300_000)
    cached.file("cached/blob.bin", body)
    first = head(cached, "/cached/blob.bin")
    etag = first.split("etag: ")[1].split("\n")[0]
    for args, status in ((("-H", f"If-None-Match: {etag}"), 304), (("-H", 'If-None-Match: "x"'), 200),
                         (("-r", "100000-199999"), 206), (("-r", "400000-"), 416)):
        assert cached.status("/cached/blob.bin", *args) == status
    out = cached.lab.dir / "part.bin"
    cached.curl("/cached/blob.bin", "-r", "100000-199999", "-o", str(out))
    assert out.read_bytes() == body[100_000:200_000]
    assert cached.sluiced.stat("partial") == 2


def test_nginx_says_that_nothing_has_changed(cached):
    """no-cache makes the cache ask; the body is its own."""
    body = "x" * 200_000
    cached.file("cached/same.txt", body)
    stamp = time.time() - 1000
    for origin in cached.origins:
        os.utime(origin.root / "cached/same.txt", (stamp, stamp))
    cached.curl("/cached/same.txt")
    answer = cached.curl("/cached/same.txt", "-H", "Cache-Control: no-cache", "-D", "-")
    assert answer.startswith("HTTP/1.1 200") and answer.endswith(body)
    assert "fwd-status=304" in answer
    assert cached.sluiced.stat("revalidations") == 1


def test_a_crowd_costs_one_request(cached):
    cached.file("cached/crowd.bin", os.urandom(2 * MB))
    digest = hashlib.sha256((cached.origins[0].root / "cached/crowd.bin").read_bytes()).hexdigest()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        got = list(pool.map(lambda _: cached.client.run(
            "sh", "-c", "curl -sS http://10.10.1.1/cached/crowd.bin | sha256sum").stdout.split()[0], range(20)))
    assert set(got) == {digest}
    assert cached.sluiced.stat("misses") == 1


def test_purge(cached):
    cached.file("cached/p.txt", "old")
    assert cached.curl("/cached/p.txt") == "old"
    cached.file("cached/p.txt", "new")
    assert cached.curl("/cached/p.txt") == "old"
    assert cached.status("/cached/p.txt", "-X", "PURGE") == 200
    assert cached.curl("/cached/p.txt") == "new"
    assert cached.status("/cached/none.txt", "-X", "PURGE") == 404


def test_the_origins_are_gone(cached):
    """What was purged softly, and is stale now, is better than 502."""
    cached.file("cached/keep.txt", "kept")
    assert cached.curl("/cached/keep.txt") == "kept"
    for origin in cached.origins:
        origin.stop()
    assert cached.status("/cached/keep.txt", "-X", "PURGE", "-H", "Soft-Purge: 1") == 200
    assert cached.curl("/cached/keep.txt") == "kept"
    assert cached.status("/cached/other.txt") >= 502
    assert cached.sluiced.stat("hits_on_error") == 1


def test_what_is_sent_from_the_store_is_not_copied(cached):
    cached.file("cached/big.bin", os.urandom(MB))
    cached.curl("/cached/big.bin", "-o", "/dev/null")
    before = cached.sluiced.stat("payload_copied_bytes")
    for _ in range(5):
        cached.curl("/cached/big.bin", "-o", "/dev/null")
    assert cached.sluiced.stat("bytes_referenced") >= 5 * MB
    assert cached.sluiced.stat("payload_copied_bytes") - before < MB / 10
