# SPDX-License-Identifier: BSD-3-Clause
"""A function that asks an "auth" origin before it passes, and one that keeps asking how it does."""

import re

import pytest

from conftest import Chain
from lab import BUILD, Origin, read_head, wait_until

AUTH = f"""functions = (
  {{ name = "auth"; plugin = "{BUILD}/tests/auth.so"; on_failure = "reject";
     config = {{ timeout_ms = 3000; pulse_ms = 20; }}; }},"""


def with_auth(conf, endpoint):
    group = f'upstreams = ( {{ name = "auth"; servers = ( {{ address = "{endpoint}"; }} ); }}, '
    return conf.replace("functions = (", AUTH).replace("upstreams = (", group).replace(
        'path = [ "guard"', 'path = [ "auth", "guard"')


class Auth:
    """Says yes to what is under /open, with as many bytes as its name says; is slow for /slow."""

    def __init__(self, ns):
        self.asked = []
        self.pulses = 0
        self.origin = Origin(ns, 9000, self.answer)

    def answer(self, sock):
        while head := read_head(sock):
            head, rest = head
            if not head:
                return
            length = re.search(rb"\r\nContent-Length: (\d+)", head, re.I)
            while len(rest) < int(length[1] if length else 0):
                rest += sock.recv(65536)
            sock.sendall(self.say(head, rest))

    def say(self, head, body):
        if head.startswith(b"GET /pulse "):
            self.pulses += 1
            return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.asked.append((head, body))
        if body.startswith(b"/slow"):
            return b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
        if not body.startswith(b"/open"):
            return b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
        size = int(body.rsplit(b"/", 1)[1])
        return b"HTTP/1.1 200 OK\r\nX-User: ann\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size


def echo(sock):
    """An origin that says what it was asked."""
    while (head := read_head(sock)[0]):
        sock.sendall(b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n" % len(head)
                     + head)


@pytest.fixture
def asking(lab):
    chain = Chain(lab)
    where = lab.peer("lan1")
    chain.auth = Auth(where)
    chain.echo = Origin(where, 9001, echo)
    conf = with_auth(chain.conf(), chain.auth.origin.endpoint)
    conf = re.sub(r'(name = "web"; balance = "round_robin"; servers = \()[^)]*\)',
                  rf'\1 {{ address = "{chain.echo.endpoint}"; }} )', conf)
    done = chain.sluiced.reload(conf)
    assert done.returncode == 0, done.stderr
    yield chain
    chain.sluiced.wait_no_buffers()
    chain.sluiced.stop()


@pytest.mark.parametrize("size", [0, 5, 3000, 1_000_000])
def test_yes(asking, size):
    seen = asking.curl(f"/open/{size}").lower()
    assert "x-user: ann\n" in seen and f"x-auth-bytes: {size}\n" in seen
    head, body = asking.auth.asked[0]
    assert head.startswith(b"POST /auth HTTP/1.1\r\n") and b"\r\nx-method: GET\r\n" in head
    assert body == f"/open/{size}".encode()


def test_no(asking):
    assert asking.status("/closed") == 401
    assert asking.status("/open/1") == 200
    assert asking.sluiced.stat("asks_failed") == 0


def test_no_answer(asking):
    assert asking.status("/slow") == 503
    assert asking.sluiced.stat("timeouts_ask") == 1
    asking.auth.origin.close()
    assert asking.status("/open/1") in (200, 503)  # a kept connection may still be there


def test_many_at_once(asking):
    """More than may be under way are refused by the function, not lost."""
    wrk = asking.client.run("wrk", "-t1", "-c40", "-d2s", "http://10.10.1.1/open/100")
    assert "Non-2xx" not in wrk.stdout and "Socket errors" not in wrk.stdout, wrk.stdout
    assert asking.auth.origin.connections < 200  # they are kept


def test_timer(asking):
    wait_until(lambda: asking.sluiced.stat("auth_healthy") >= 10, 10, "the pulse beats")
    assert asking.auth.pulses >= 10
    healthy = asking.sluiced.stat("auth_healthy")  # first: it goes on
    assert asking.sluiced.stat("auth_pulses") >= healthy


def test_it_dies_while_it_asks(asking):
    held = asking.client.start("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://10.10.1.1/slow",
                               stdout=-1, text=True)
    wait_until(lambda: any(body == b"/slow" for _, body in asking.auth.asked), 5, "it has asked")
    if asking.sluiced.function("auth")["pid"] is None:
        asking.sluiced.ctl("function", "restart", "auth")
    else:
        asking.sluiced.signal_function("auth", 9)
    assert held.communicate(timeout=20)[0] == "503"
    wait_until(lambda: asking.status("/open/1") == 200, 10, "another asks")
