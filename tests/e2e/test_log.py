# SPDX-License-Identifier: BSD-3-Clause
"""log: lines in files, syslog and the journal; rotation; receivers that stand still; how exchanges end."""

import json
import os
import re
import socket
import struct
import threading

import pytest

from functions import Before
from lab import Origin, read_head, wait_until

COMBINED = re.compile(r'^(\S+) - (\S+) \[[^]]+\] "([^"]*)" (\d+|-) (\d+) "([^"]*)" "([^"]*)"$')


def log_text(to, config="", name="log"):
    return (f'{{ name = "{name}"; plugin = "log"; allow = {{ write = [ "{to}" ]; }}; '
            f'config = {{ to = "{to}"; flush_ms = 20; {config} }}; }}')


def lines_of(path, n):
    """At least n lines of a file; they come a little later."""
    return wait_until(lambda: path.exists() and len(all_ := path.read_text().splitlines()) >= n and all_,
                      10, f"{n} lines in {path}")


def test_combined_and_rotation(lab):
    path = lab.dir / "access.log"
    it = Before(lab, log_text(path, 'skip = ( { path_exact = "/health"; } );'), "log")
    it.origin.file("page", "x" * 1000)
    it.curl("/page?q=1", "-A", 'an "agent"', "-e", "http://r.example/", "-u", "me:secret")
    assert it.status("/health") == 404
    assert it.status("/none") == 404
    first, second = (COMBINED.match(line).groups() for line in lines_of(path, 2))
    assert first == (it.client.ip, "me", "GET /page?q=1 HTTP/1.1", "200", "1000", "http://r.example/",
                     "an \\x22agent\\x22")
    assert second[2:4] == ("GET /none HTTP/1.1", "404")
    assert path.stat().st_mode & 0o777 == 0o640
    # Moved away, as logrotate does: the next lines are in a new file.
    path.rename(lab.dir / "access.log.1")
    wait_until(lambda: it.status("/page") == 200 and path.exists(), 10, "a new file")
    lines_of(path, 1)
    assert it.stat("log", "skipped") == 1 and it.stat("log", "dropped") == 0
    it.end()


def test_lines_are_there_when_it_stops(lab):
    path = lab.dir / "access.log"
    it = Before(lab, log_text(path).replace("flush_ms = 20", "flush_ms = 60000"), "log")
    for _ in range(5):
        it.curl("/who")
    it.end()
    assert len(path.read_text().splitlines()) == 5


asked = threading.Event()


def slow(sock):
    """An origin by hand: what it does is in the path."""
    head, _ = read_head(sock)
    if b"/cut" in head:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    elif b"/bad" in head:
        sock.sendall(b"This is not HTTP\r\n\r\n")
    elif b"/ok" in head:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    elif b"/slow" in head:
        asked.set()
        sock.recv(1)


def test_how_exchanges_end(lab):
    path = lab.dir / "access.json"
    it = Before(lab, log_text(path, 'format = "json";') + """,
  { name = "guard"; plugin = "filter"; config = { deny = ( { path = "^/admin"; } ); }; }""", "log guard",
                origin=lambda ns: Origin(ns, 8080, slow), upstream="health = { max_fails = 0; };")
    for target in ("/ok", "/admin", "/bad", "/cut"):
        it.client.run("curl", "-s", "-o", "/dev/null", f"http://10.10.1.1{target}", check=False)
    with it.client.connect("10.10.1.1", 80) as sock:
        sock.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert asked.wait(10)
        # A client that ends may still be reading; one that resets is gone.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    it.origin.close()
    it.status("/gone")
    rows = {row["target"]: row for row in map(json.loads, lines_of(path, 6))}
    endings = {target: row["ending"] for target, row in rows.items()}
    assert endings == {"/ok": "complete", "/admin": "complete", "/bad": "origin_bad", "/cut": "origin_cut",
                       "/slow": "client_gone", "/gone": "unreachable"}
    ok, admin = rows["/ok"], rows["/admin"]
    assert ok["status"] == 200 and ok["body_bytes"] == 3 and ok["sent_bytes"] > 60
    assert ok["group"] == "web" and ok["server"] == it.origin.endpoint
    assert ok["connect_us"] <= ok["ask_us"] <= ok["reply_us"] <= ok["total_us"] < 60_000_000
    assert admin["status"] == 403 and admin["server"] == "" and admin["ask_us"] is None
    assert rows["/slow"]["status"] is None and rows["/slow"]["reply_us"] is None
    assert rows["/gone"]["status"] == 502
    it.end()


@pytest.fixture
def receiver(lab):
    path = lab.dir / "dev-log"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(str(path))
    sock.settimeout(10)
    yield path, sock
    sock.close()


def test_syslog(lab, receiver):
    path, sock = receiver
    it = Before(lab, log_text(f"syslog:{path}", 'format = "text"; text = "$target $status";'), "log")
    it.status("/a")
    line = sock.recv(4096).decode()
    assert re.fullmatch(rf"<134>1 \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ {re.escape(os.uname().nodename)} "
                        r"sluice - access - /a 404", line)
    # One that is started anew is found again.
    path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        other.settimeout(1)
        sock.close()
        it.status("/b")
        assert other.recv(4096).endswith(b"/b 404")
    it.end()


def test_a_receiver_that_stands_still(lab, receiver):
    """Nobody reads: requests are as fast as ever, lines are lost and counted, and come again later."""
    path, sock = receiver
    long = "x" * 12000
    it = Before(lab, log_text(f"syslog:{path}", f'format = "text"; text = "$target {long}";'), "log")
    for _ in range(4):
        it.curl("/[1-100]", "-o", "/dev/null")
    wait_until(lambda: it.stat("log", "dropped") > 0, 10, "lines are dropped")
    assert it.status("/who") == 200
    lines, dropped = it.stat("log", "lines"), it.stat("log", "dropped")
    assert lines + dropped <= 401
    sock.setblocking(False)

    def flows():
        while True:
            try:
                sock.recv(65536)
            except BlockingIOError:
                break
        it.status("/again")
        return it.stat("log", "lines") > lines + 5
    wait_until(flows, 20, "lines come again")
    it.end()


def test_requests_that_no_function_is_shown(lab):
    path = lab.dir / "access.log"
    text = 'format = "text"; text = "$client $method $target ${header:User-Agent} $status $ending"'
    it = Before(lab, log_text(path, text + ";"), "log",
                chain="head_timeout_ms = 500; max_fields = 20;")
    for request in (b"GET /two HTTP/1.1\r\nHost: a\r\nHost: b\r\nUser-Agent: u\r\n\r\n",
                    b"GET /many HTTP/1.1\r\nHost: a\r\nUser-Agent: u\r\n" + b"X: y\r\n" * 30 + b"\r\n",
                    b"\x16\x03\x01\x02\x00\x01",
                    b"GET /slow HTTP/1.1\r\nHost: a\r\n"):
        with it.client.connect("10.10.1.1", 80) as sock:
            sock.sendall(request)
            read_head(sock)
    client = it.client.ip
    assert sorted(lines_of(path, 4)) == sorted([
        f"{client} GET /two - 400 request_bad",
        f"{client} GET /many u 431 request_bad",
        f"{client} - - - 400 request_bad",
        f"{client} GET /slow - 408 client_timeout"])
    it.end()
