# SPDX-License-Identifier: BSD-3-Clause
"""The smuggling corpus through a real daemon: an origin writes down all that it receives."""

import re
import threading

import pytest

from conftest import chain_conf
from corpus import rows
from lab import Origin, Sluiced, read_all, wait_until

HEAD_END = b"\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 0\r\n\r\n"
PROBE = b"GET /probe HTTP/1.1\r\nHost: a\r\n"
ROWS = list(rows())


def take_chunked(data):
    """Where a chunked body ends; None when it does not."""
    at = 0
    while True:
        line = data.find(b"\r\n", at)
        if line < 0:
            return None
        size = int(data[at:line].split(b";")[0], 16)
        if not size:
            end = data.find(HEAD_END, line)
            return None if end < 0 else end + 4
        at = line + 2 + size + 2


def take_message(data):
    """(the first message, the rest), or (None, data)."""
    head, mark, body = data.partition(HEAD_END)
    if not mark:
        return None, data
    length = re.search(rb"\r\nContent-Length: (\d+)", head)
    end = int(length.group(1)) if length else 0
    if b"\r\nTransfer-Encoding: chunked" in head:
        end = take_chunked(body)
    if end is None or len(body) < end:
        return None, data
    return head + mark + body[:end], body[end:]


class Recorder:
    """An origin that understands only what a strict proxy writes."""

    def __init__(self):
        self.lock = threading.Lock()
        self.messages, self.parts = [], []
        self.answer = OK

    def serve(self, sock):
        data = b""
        try:
            while True:
                message, data = take_message(data)
                if message:
                    with self.lock:
                        self.messages.append(message)
                    sock.sendall(OK if message.startswith(PROBE) else self.answer)
                    continue
                more = sock.recv(65536)
                if not more:
                    return
                data += more
        finally:
            if data:
                self.parts.append(data)

    def new(self):
        with self.lock:
            messages, self.messages = self.messages, []
        return messages


@pytest.fixture
def wire(lab):
    lab.middlebox(["wan", "lan"])
    recorder = Recorder()
    client = lab.peer("wan")
    origin = Origin(lab.peer("lan"), 8080, recorder.serve)
    sluiced = Sluiced(lab, chain_conf(["wan", "lan"], [origin.endpoint], path="guard"))
    yield client, recorder, sluiced
    sluiced.wait_no_buffers()
    sluiced.stop()


def statuses(answer):
    return [int(s) for s in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def play_request(client, row):
    """Everything that comes back."""
    with client.connect("10.10.1.1", 80) as sock:
        sock.sendall(row.data)
        answer = b""
        if row.outcome == "ok":
            while answer.count(HEAD_END) < len(row.seen):
                more = sock.recv(65536)
                assert more, f"{row.name}: closed after {answer}"
                answer += more
            sock.sendall(PROBE + b"Connection: close\r\n\r\n")
        return answer + read_all(sock)


def check_request(client, recorder, row):
    whole = [m for m in row.seen if not m.startswith(b"~")]
    got = statuses(play_request(client, row))
    want = [200] * len(whole)
    if row.outcome == "ok":
        want, whole = want + [200], whole + [PROBE + b"\r\n"]
    elif row.outcome != "close":
        want.append(int(row.outcome))
    assert got == want, row.name
    assert recorder.new() == whole, row.name


def test_requests(wire):
    client, recorder, _ = wire
    requests = [row for row in ROWS if row.side == ">"]
    assert len(requests) > 300
    for row in requests:
        check_request(client, recorder, row)
    cut = [m[1:] for row in requests for m in row.seen if m.startswith(b"~")]
    for part in recorder.parts:
        assert any(m.startswith(part) for m in cut), part


def check_answer(client, row):
    method = row.side[1:].encode()
    with client.connect("10.10.1.1", 80) as sock:
        sock.sendall(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
        if row.outcome == "cut":
            answer = read_all(sock)
            assert row.seen[0].startswith(answer[:len(row.seen[0])]), row.name
            assert b"\r\n0\r\n" not in answer, row.name
            return
        want = row.seen[0] if row.seen else b"HTTP/1.1 502 Bad Gateway\r\n"
        got = b""
        while len(got) < len(want):
            more = sock.recv(65536)
            assert more, f"{row.name}: closed after {got}"
            got += more
        assert got.startswith(want), row.name
        if row.outcome != "502":
            assert got == want, row.name
        sock.sendall(PROBE + b"Connection: close\r\n\r\n")
        rest = got[len(want):] + read_all(sock)
        assert statuses(rest) == [200], row.name


def test_answers(wire):
    client, recorder, sluiced = wire
    answers = [row for row in ROWS if row.side != ">"]
    assert len(answers) > 50
    for row in answers:
        recorder.answer = row.data
        opened = sluiced.stat("origin_opened")
        check_answer(client, row)
        if row.outcome == "ok-new":
            wait_until(lambda: sluiced.stat("origin_opened") > opened, 5, row.name)
        recorder.new()
