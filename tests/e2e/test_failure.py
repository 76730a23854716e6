# SPDX-License-Identifier: BSD-3-Clause
"""What fails, and what happens then (the table of failures in ARCHITECTURE.md)."""

import os
import re
import signal
import time

import pytest

from conftest import CPU, chain_conf
from lab import BUILD, Nginx, Sluiced, wait_until

MORTAL = f"""functions = (
  {{ name = "mortal"; plugin = "{BUILD}/tests/hostile.so"; on_failure = "retry"; }},"""


def restarted(chain, name, pid):
    def up():
        function = chain.sluiced.function(name)
        return function["state"] == "up" and function["pid"] != pid
    wait_until(up, 10, f"{name} runs again")


@pytest.mark.parametrize("name", ["guard", "edge", "route", "spread"])
def test_a_killed_function_comes_back(chain, name):
    pid = chain.sluiced.signal_function(name, signal.SIGKILL)
    restarted(chain, name, pid)
    assert chain.status("/who") == 200
    assert chain.sluiced.function(name)["restarts"] == 1
    assert "SIGKILL" in chain.sluiced.function(name)["last_exit"]


def test_a_download_outlives_every_function(chain):
    chain.file("big.bin", os.urandom(1 << 20) * 50)
    transfer = chain.client.start("curl", "-sS", "--limit-rate", "20M", "-o", "/dev/null", "-w",
                                  "%{http_code} %{size_download}", "http://10.10.1.1/big.bin",
                                  stdout=-1, text=True)
    time.sleep(0.5)
    for name in ("guard", "edge", "route", "spread"):
        pid = chain.sluiced.signal_function(name, signal.SIGKILL)
        restarted(chain, name, pid)
    assert transfer.communicate(timeout=60)[0] == f"200 {50 << 20}"


def test_functions_die_under_load(chain):
    load = chain.client.start("wrk", "-t1", "-c50", "-d5s", "http://10.10.1.1/who", stdout=-1, text=True)
    for _ in range(10):
        time.sleep(0.3)
        chain.sluiced.signal_function("guard", signal.SIGKILL)
    out = load.communicate(timeout=60)[0]
    assert "Socket errors" not in out and "Non-2xx" not in out, out


def test_a_hanging_function_is_killed(chain):
    pid = chain.sluiced.signal_function("guard", signal.SIGSTOP)
    chain.curl("/who", "--max-time", "20")
    restarted(chain, "guard", pid)
    assert "turn of its loop" in chain.sluiced.function("guard")["last_exit"]


def test_on_the_workers_cpu_all_is_the_same(chain):
    """A worker gives its CPU to functions that share it; those that die or hang do not keep it."""
    done = chain.sluiced.reload(re.sub(r'(plugin = "\w+";)', rf"\1 cpu = {CPU};", chain.conf()))
    assert done.returncode == 0, done.stderr
    load = chain.client.start("wrk", "-t1", "-c50", "-d4s", "http://10.10.1.1/who", stdout=-1, text=True)
    for name in ("guard", "spread", "guard"):
        time.sleep(0.5)
        chain.sluiced.signal_function(name, signal.SIGKILL)
    out = load.communicate(timeout=60)[0]
    assert "Socket errors" not in out and "Non-2xx" not in out and "requests in" in out, out
    pid = chain.sluiced.signal_function("guard", signal.SIGSTOP)
    chain.curl("/who", "--max-time", "20")
    restarted(chain, "guard", pid)
    assert chain.status("/who") == 200
    assert any(row["cycles"] for row in chain.sluiced.show("cycles") if row["stage"] == "near functions")


def test_a_poison_message_is_found_and_named(chain):
    """What kills its function twice goes no further; the next request does."""
    done = chain.sluiced.reload(chain.conf().replace("functions = (", MORTAL).replace(
        'path = [ "guard"', 'path = [ "mortal", "guard"'))
    assert done.returncode == 0, done.stderr
    assert chain.status("/poison", "-H", "X-Attack: abort") == 500
    errors = [e["text"] for e in chain.sluiced.show("errors") if e["function"] == "mortal"]
    assert errors == ["killed its function 2 times: GET 10.10.1.1/poison"]
    assert "killed its function 2 times: GET 10.10.1.1/poison" in chain.sluiced.ctl("show", "errors").stdout
    assert chain.status("/who") == 200
    assert chain.sluiced.function("mortal")["restarts"] == 2


def test_restart_by_command(chain):
    pid = chain.sluiced.function("edge")["pid"]
    chain.sluiced.ctl("function", "restart", "edge")
    assert chain.sluiced.function("edge")["pid"] != pid
    assert chain.status("/who") == 200


def test_one_origin_goes_down(chain):
    """Health checks take it out; then nobody notices."""
    chain.origins[0].stop()
    names = {chain.curl("/who", "--max-time", "10").strip() for _ in range(10)}
    assert "origin-2" in names
    chain.origins[0].start()


def test_all_origins_down_is_502_or_503_at_once_and_the_connection_lives(chain):
    for origin in chain.origins:
        origin.stop()
    with chain.client.connect("10.10.1.1", 80) as sock:
        for _ in range(3):
            start = time.monotonic()
            sock.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b""
            while b"\r\n\r\n" not in answer:
                more = sock.recv(65536)
                assert more, "the connection was closed"
                answer += more
            head, body = answer.split(b"\r\n\r\n", 1)
            assert re.match(rb"HTTP/1.1 50[23] ", head)
            want = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
            while len(body) < want:
                body += sock.recv(65536)
            assert time.monotonic() - start < 1


def test_a_client_that_vanishes(chain):
    chain.file("big.bin", os.urandom(1 << 20) * 20)
    for _ in range(5):
        with chain.client.connect("10.10.1.1", 80) as sock:
            sock.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            sock.recv(1000)
    assert chain.status("/who") == 200


def test_a_slow_reader_holds_only_its_own(chain):
    chain.file("big.bin", os.urandom(1 << 20) * 50)
    with chain.client.connect("10.10.1.1", 80) as sock:
        sock.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(1)
        in_use = chain.sluiced.buffers_in_use()
        assert in_use.get("rxpool.0", 0) * 2176 < 12 << 20, in_use
        out = chain.client.run("wrk", "-t1", "-c10", "-d2s", "http://10.10.1.1/who").stdout
        assert "Socket errors" not in out, out


def test_sigterm_drains(lab):
    lab.middlebox(["wan", "lan1"])
    origin = Nginx(lab, lab.peer("lan1"), "one")
    origin.file("big.bin", os.urandom(1 << 20) * 20)
    sluiced = Sluiced(lab, chain_conf(["wan", "lan1"], [origin]))
    transfer = lab.peer("wan").start("curl", "-sS", "--limit-rate", "8M", "-o", "/dev/null", "-w",
                                     "%{size_download}", "http://10.10.1.1/big.bin", stdout=-1, text=True)
    time.sleep(0.5)
    os.kill(sluiced.pid, signal.SIGTERM)
    assert transfer.communicate(timeout=60)[0] == str(20 << 20)
    sluiced.wait_notified("STOPPING=1")
    sluiced.process.wait(30)
    assert sluiced.process.returncode == 0
    assert not sluiced.socket.exists()
