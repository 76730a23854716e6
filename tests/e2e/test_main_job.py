# SPDX-License-Identifier: BSD-3-Clause
"""The main job: a client's requests through four processes to two origins and back."""

import hashlib
import os
import re
import threading
import time

from lab import MB, big_file, sha256_of_download, wait_until


def test_who_answers(chain):
    names = [chain.curl("/who").strip() for _ in range(8)]
    assert names.count("origin-1") == 4 and names.count("origin-2") == 4


def test_the_cache_misses_once(chain):
    chain.file("cached/page.txt", "kept")
    assert [chain.curl("/cached/page.txt") for _ in range(3)] == ["kept"] * 3
    wait_until(lambda: chain.sluiced.stat("hits") == 2, 5, "two hits are not counted")
    assert chain.sluiced.stat("misses") == 1


def test_a_denied_path(chain):
    assert chain.status("/admin/x") == 403
    assert chain.status("/who") == 200


def test_wrk_200_connections_for_10_seconds(chain):
    out = chain.client.run("wrk", "-t2", "-c200", "-d10s", "http://10.10.1.1/who").stdout
    assert "Socket errors" not in out and "Non-2xx" not in out, out
    assert int(re.search(r"(\d+) requests in", out).group(1)) > 1000


def test_download_of_1_gb_at_constant_memory(chain):
    """The payload goes by reference, and memory does not grow with the size."""
    digest = big_file(chain.origins[0].root / "huge.bin", 1024 * MB)
    os.link(chain.origins[0].root / "huge.bin", chain.origins[1].root / "huge.bin")
    chain.curl("/huge.bin", "-r", "0-1000000", "-o", "/dev/null")
    before, most, done = chain.sluiced.rss_kb(), [0], threading.Event()

    def watch():
        while not done.is_set():
            most[0] = max(most[0], chain.sluiced.rss_kb())
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert sha256_of_download(chain.client, "http://10.10.1.1/huge.bin") == digest
    finally:
        done.set()
        watcher.join()
    assert most[0] - before < 64 * 1024, f"resident memory grew by {most[0] - before} KB"
    copied, referenced = (chain.sluiced.stat(f"payload_{how}_bytes") for how in ("copied", "referenced"))
    assert referenced >= 1024 * MB
    assert copied < referenced / 100


def test_upload_of_100_mb(chain):
    digest = big_file(chain.lab.dir / "up.bin", 100 * MB)
    status = chain.curl("/upload/up.bin", "-T", str(chain.lab.dir / "up.bin"), "-o", "/dev/null",
                        "-w", "%{http_code}")
    assert status == "201"
    stored = [o.root / "upload/up.bin" for o in chain.origins if (o.root / "upload/up.bin").exists()]
    assert [hashlib.sha256(p.read_bytes()).hexdigest() for p in stored] == [digest]


def test_head_has_no_body(chain):
    chain.file("page.txt", "x" * 1000)
    out = chain.curl("/page.txt", "-I")
    assert "Content-Length: 1000" in out or "content-length: 1000" in out


def test_keep_alive(chain):
    """Two requests, one connection."""
    out = chain.client.run("curl", "-sv", "http://10.10.1.1/who", "http://10.10.1.1/who").stderr
    assert "Re-using existing connection" in out
