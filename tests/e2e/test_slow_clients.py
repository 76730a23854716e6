# SPDX-License-Identifier: BSD-3-Clause
"""Clients that are slow on purpose, and what a neighbour notices of them: nothing."""

import contextlib
import re
import socket

import pytest

from conftest import chain_conf
from lab import Origin, Sluiced, read_all, read_head, wait_until

SLOW = 2000
BIG = 4 << 20


def serve(sock):
    while True:
        head, _ = read_head(sock)
        if not head:
            return
        size = int(re.match(rb"GET /(\d+)", head).group(1))
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))


class Street:
    def __init__(self, lab, chain):
        lab.middlebox(["wan", "lan"])
        self.client = lab.peer("wan")
        self.origin = Origin(lab.peer("lan"), 8080, serve)
        self.sluiced = Sluiced(lab, chain_conf(["wan", "lan"], [self.origin.endpoint],
                                               path="guard route", chain=chain))

    def neighbour(self, times=50):
        """One who is served at once, each time on a connection of its own."""
        for _ in range(times):
            with self.client.connect("10.10.1.1", 80, timeout=5) as sock:
                sock.sendall(b"GET /1000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert read_all(sock).startswith(b"HTTP/1.1 200 ")


@pytest.fixture
def street(lab, request):
    it = Street(lab, request.param)
    yield it
    it.sluiced.wait_no_buffers()
    it.sluiced.stop()


@pytest.mark.parametrize("street", ["head_timeout_ms = 60000;"], indirect=True)
def test_two_thousand_slow_heads(street):
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(street.client.connect("10.10.1.1", 80)) for _ in range(SLOW)]
        for sock in slow:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        wait_until(lambda: street.sluiced.stat("clients_accepted") >= SLOW, 30, "slow clients")
        for _ in range(5):
            for sock in slow:
                sock.send(b"y")
            street.neighbour(20)
        held = street.sluiced.buffers_in_use()
        assert "exchanges" not in held and "heads" not in held, "a head that is not whole holds neither"
        assert street.sluiced.stat("timeouts_head") == 0


@pytest.mark.parametrize("street", ["head_timeout_ms = 2000;"], indirect=True)
def test_slow_heads_have_a_deadline(street):
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(street.client.connect("10.10.1.1", 80)) for _ in range(200)]
        for sock in slow:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        for _ in range(4):
            street.neighbour(10)
            for sock in slow:
                with contextlib.suppress(OSError):
                    sock.send(b"y")
        for sock in slow:
            assert read_all(sock).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("street", ["body_timeout_ms = 60000; tcp = { send_buffer_kb = 64; };"],
                         indirect=True)
def test_slow_readers(street):
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            sock = stack.enter_context(street.client.connect("10.10.1.1", 80))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            sock.sendall(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % BIG)
        wait_until(lambda: street.sluiced.stat("responses") >= 100, 30, "slow readers")
        street.neighbour()


@pytest.mark.parametrize("street", ["min_body_bytes_per_s = 100000; tcp = { send_buffer_kb = 64; };"],
                         indirect=True)
def test_readers_too_slow_are_let_go(street):
    with street.client.connect("10.10.1.1", 80) as sock:
        sock.sendall(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % (16 * BIG))
        wait_until(lambda: street.sluiced.stat("timeouts_rate") == 1, 30, "the end of its time")
        street.neighbour(5)
