# SPDX-License-Identifier: BSD-3-Clause
"""HTTP/1.1 on the wire: bodies of every framing, keep-alive, pipelining, and what is refused."""

import re
import threading

import pytest

from conftest import chain_conf
from lab import Origin, Sluiced, read_all, read_head

HEAD_END = b"\r\n\r\n"


class Wire:
    """A client, the daemon, and one origin made by hand whose answer each test chooses."""

    def __init__(self, lab):
        lab.middlebox(["wan", "lan"])
        self.client = lab.peer("wan")
        self.seen = []
        self.origin = Origin(lab.peer("lan"), 8080, self.serve)
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.after = lambda sock: None
        self.sluiced = Sluiced(lab, chain_conf(["wan", "lan"], [self.origin.endpoint],
                                               path="guard route"))

    def serve(self, sock):
        rest = b""
        while True:
            head, rest = read_head_with(sock, rest)
            if not head:
                return
            body, rest = read_body(sock, head, rest)
            self.seen.append((head, body))
            sock.sendall(self.answer)
            self.after(sock)
            if b"Connection: close" in self.answer or b"HTTP/1.0" in self.answer:
                return

    def say(self, data, close=False):
        """Sends bytes on a new connection; everything that comes back until it is closed."""
        with self.client.connect("10.10.1.1", 80) as sock:
            sock.sendall(data)
            if close:
                sock.shutdown(1)
            return read_all(sock)

    def get(self, path="/", fields="", version="1.1"):
        return self.say(f"GET {path} HTTP/{version}\r\nHost: a\r\nConnection: close\r\n{fields}\r\n".encode())


def read_head_with(sock, rest):
    while HEAD_END not in rest:
        more = sock.recv(65536)
        if not more:
            return b"", b""
        rest += more
    head, rest = rest.split(HEAD_END, 1)
    return head + HEAD_END, rest


def read_body(sock, head, rest):
    """The body that a head announces: by length, or chunked with its framing."""
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if re.search(rb"(?i)transfer-encoding: chunked", head):
        while b"0\r\n" not in rest or not rest.endswith(b"\r\n\r\n"):
            rest += sock.recv(65536)
        return rest, b""
    want = int(length.group(1)) if length else 0
    while len(rest) < want:
        rest += sock.recv(65536)
    return rest[:want], rest[want:]


@pytest.fixture
def wire(lab):
    it = Wire(lab)
    yield it
    it.sluiced.wait_no_buffers()
    it.sluiced.stop()


def body_of(answer):
    return answer.split(HEAD_END, 1)[1]


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


def unchunk(data):
    """(the body, the trailer lines) of a chunked body."""
    body = b""
    while True:
        size, data = data.split(b"\r\n", 1)
        size = int(size, 16)
        if not size:
            return body, data
        body, data = body + data[:size], data[size + 2:]


def test_a_chunked_answer_keeps_its_trailers(wire):
    wire.answer = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                   b"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n")
    body, trailers = unchunk(body_of(wire.get()))
    assert body == b"hello world" and b"X-Sum: 11" in trailers


def test_an_answer_that_ends_with_the_connection_comes_chunked(wire):
    wire.answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end"
    answer = wire.get()
    assert b"ransfer-" in answer.split(HEAD_END)[0]
    assert unchunk(body_of(answer))[0] == b"until the end"


def test_to_http_1_0_nothing_is_chunked(wire):
    wire.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    answer = wire.get(version="1.0")
    assert b"chunked" not in answer and body_of(answer) == b"hello"


def test_a_chunked_upload(wire):
    answer = wire.say(b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                      b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert status_of(answer) == 200
    head, body = wire.seen[0]
    assert unchunk(body)[0] == b"abcde"


def test_pipelined_requests_are_answered_in_order(wire):
    requests = b"".join(f"GET /{i} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for i in range(9))
    requests += b"GET /9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = wire.say(requests)
    assert answer.count(b"HTTP/1.1 200") == 10
    assert [re.match(rb"GET /(\d)", head).group(1) for head, _ in wire.seen] == \
        [str(i).encode() for i in range(10)]


def test_a_head_that_comes_byte_by_byte(wire):
    with wire.client.connect("10.10.1.1", 80) as sock:
        sock.setsockopt(6, 1, 1)
        for byte in b"GET /slow HTTP/1.1\r\nHost: a\r\nX-Long: value\r\nConnection: close\r\n\r\n":
            sock.send(bytes([byte]))
        assert status_of(read_all(sock)) == 200
    assert b"X-Long: value" in wire.seen[0][0]


def test_expect_100_continue(wire):
    def serve(sock):
        head, rest = read_head(sock)
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body, _ = read_body(sock, head, rest)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    wire.origin.answer = serve
    with wire.client.connect("10.10.1.1", 80) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        interim, rest = read_head(sock)
        assert status_of(interim) == 100
        sock.sendall(b"data")
        head, rest = read_head_with(sock, rest)
        body, _ = read_body(sock, head, rest)
        assert status_of(head) == 200 and body == b"data"


def test_head_and_304_have_no_body(wire):
    wire.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
    answer = wire.say(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"5000" in answer and body_of(answer) == b""
    wire.answer = b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"
    assert body_of(wire.get()) == b""


def test_half_closed_client_gets_its_answer(wire):
    answer = wire.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", close=True)
    assert status_of(answer) == 200 and body_of(answer) == b"ok"


def test_an_answer_cut_short_is_never_passed_off_as_whole(wire):
    """The client sees that the connection ended before the length that was told."""
    wire.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nonly this"
    answer = wire.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    if status_of(answer) == 200:
        assert b"100" in answer and len(body_of(answer)) < 100
    else:
        assert status_of(answer) == 502


REFUSED = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "length and chunked": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "a signed length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "a folded line": b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
    "a bare line feed": b"GET / HTTP/1.1\nHost: a\n\n",
    "a NUL": b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello tls\r\n\r\n",
    "chunked is not last": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_400_and_close(wire, name):
    answer = wire.say(REFUSED[name])
    assert status_of(answer) == 400 and b"onnection: close" in answer
    assert not wire.seen, "an origin saw it"


def test_limits(wire):
    assert status_of(wire.get("/" + "x" * 20000)) in (414, 431)
    assert status_of(wire.get(fields="X: " + "y" * 100000 + "\r\n")) == 431


def test_many_clients_at_once(wire):
    failures = []

    def one():
        for _ in range(20):
            if status_of(wire.get()) != 200:
                failures.append(1)

    threads = [threading.Thread(target=one) for _ in range(10)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
