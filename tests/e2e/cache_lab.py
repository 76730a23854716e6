# SPDX-License-Identifier: BSD-3-Clause
"""Conversations with a cache: scripted answers of an origin, and what a client must see.

A case is a list of steps. In each a request is sent, and it is said whether the origin must
have been asked, what it was to be asked, what it answers (then), and what the client gets.

    Case("max-age", [Step(reply=Reply("Cache-Control: max-age=60")), Step(asks=False)])

Dates in replies are written @+60, @-10: seconds from the moment of the answer.
"""

import concurrent.futures
import dataclasses
import email.utils
import http.client
import re
import threading
import time

from lab import Origin, read_head

PAUSE = 2.2  # what has a second or two to live is stale after that


def date(seconds, now=None):
    return email.utils.formatdate((now or time.time()) + seconds, usegmt=True)


def dated(text, now):
    return re.sub(r"@([+-]\d+)", lambda m: date(int(m[1]), now), text)


class Reply:
    """An answer of the origin. `body` None: "body-N", N counting the requests of the case."""

    def __init__(self, *fields, status=200, body=None, length=True, interim=(), hang_up=False, wait=0):
        self.fields = fields
        self.status = status
        self.body = body
        self.length = length
        self.interim = interim
        self.hang_up = hang_up
        self.wait = wait


@dataclasses.dataclass
class Step:
    """`asks`: the origin is asked (None: either way). `asked`: fields that it must see, `unasked`:
    that it must not; `fields`, `lacks`: the same for the client. `pause`: before the request."""

    method: str = "GET"
    path: str = ""
    send: tuple = ()
    content: str = None
    reply: Reply = dataclasses.field(default_factory=Reply)
    not_modified: Reply = None  # where the request has a condition
    asks: bool = None
    asked: dict = dataclasses.field(default_factory=dict)
    unasked: tuple = ()
    status: int = None
    body: str = None
    fields: dict = dataclasses.field(default_factory=dict)
    lacks: tuple = ()
    older: int = None  # Age is at least that
    pause: float = 0


@dataclasses.dataclass
class Case:
    name: str
    steps: list

    @property
    def path(self):
        return "/" + re.sub(r"[^a-zA-Z0-9]+", "-", self.name).strip("-")


class Failure(Exception):
    """What a client or the origin saw was not what the case says."""


class Script:
    """The origin: answers each case's requests as its present step says, and remembers them."""

    def __init__(self, ns, port):
        self.lock = threading.Lock()
        self.replies = {}
        self.seen = {}
        self.origin = Origin(ns, port, self.serve)
        self.endpoint = self.origin.endpoint

    def set(self, path, step):
        with self.lock:
            self.replies[path] = step

    def requests(self, path):
        with self.lock:
            return list(self.seen.get(path, ()))

    def serve(self, sock):
        rest = b""
        while True:
            head, rest = read_head(sock) if not rest else self.more(sock, rest)
            if not head:
                return
            request = head.decode("latin-1").split("\r\n")
            method, target, _ = request[0].split(" ", 2)
            fields = [tuple(line.split(": ", 1)) for line in request[1:] if ": " in line]
            length = next((int(v) for n, v in fields if n.lower() == "content-length"), 0)
            while len(rest) < length:
                rest += sock.recv(65536)
            rest = rest[length:]
            if not self.answer(sock, method, target, fields):
                return

    @staticmethod
    def more(sock, data):
        while b"\r\n\r\n" not in data:
            data += sock.recv(65536)
        head, rest = data.split(b"\r\n\r\n", 1)
        return head + b"\r\n\r\n", rest

    def answer(self, sock, method, target, fields):
        key = "/" + target.split("?")[0].split("/")[1]
        names = {n.lower(): v for n, v in fields}
        with self.lock:
            step = self.replies.get(key, Step())
            self.seen.setdefault(key, []).append((method, target, names))
            count = len(self.seen[key])
        conditional = "if-none-match" in names or "if-modified-since" in names
        reply, status = step.reply, step.reply.status
        if step.not_modified and conditional:
            reply, status = step.not_modified, 304
        time.sleep(reply.wait)
        if reply.hang_up:
            return False
        sock.sendall(self.text(reply, status, count, method))
        return True

    @staticmethod
    def text(reply, status, count, method):
        now = time.time()
        body = f"body-{count}" if reply.body is None else reply.body
        bare = status in (204, 304) or status < 200
        out = "".join(f"HTTP/1.1 {code} Wait\r\n" + "".join(f + "\r\n" for f in extra) + "\r\n"
                      for code, extra in reply.interim)
        lines = [f"HTTP/1.1 {status} Status"] + [dated(f, now) for f in reply.fields]
        if not bare:
            lines.append(f"Content-Length: {len(body)}")
        out += "\r\n".join(lines) + "\r\n\r\n"
        if not bare and method != "HEAD":
            out += body
        return out.encode("latin-1")

    def close(self):
        self.origin.close()


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.body = response.read().decode("latin-1")
        self.fields = {}
        for name, value in response.getheaders():
            known = self.fields.get(name.lower())
            self.fields[name.lower()] = value if known is None else f"{known}, {value}"


def ask(client, address, method, path, fields=(), content=None):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.sock = client.connect(address, 80, timeout=20)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for field in fields:
            name, value = field.split(": ", 1)
            connection.putheader(name, dated(value, time.time()))
        if content is not None:
            connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content.encode() if content is not None else None)
        return Answer(connection.getresponse())
    finally:
        connection.close()


class Conversation:
    """Plays one case."""

    def __init__(self, client, address, script, case):
        self.client, self.address, self.script, self.case = client, address, script, case

    def check(self, number, what, wrong):
        if wrong:
            raise Failure(f"{self.case.name}: step {number}: {what}")

    def play(self):
        for number, step in enumerate(self.case.steps, 1):
            self.play_step(number, step)

    def play_step(self, number, step):
        path = self.case.path
        time.sleep(step.pause)
        self.script.set(path, step)
        before = len(self.script.requests(path))
        answer = ask(self.client, self.address, step.method, path + step.path, step.send, step.content)
        came = self.script.requests(path)[before:]
        self.check(number, f"the origin was asked {len(came)} times; Cache-Status: "
                   f"{answer.fields.get('cache-status')}", step.asks is not None and bool(came) != step.asks)
        for name, value in step.asked.items():
            seen = came[0][2].get(name.lower()) if came else None
            self.check(number, f"the origin saw {name}: {seen}, not {value}",
                       seen is None or (value is not True and seen != value))
        for name in step.unasked:
            self.check(number, f"the origin saw {name}", came and name.lower() in came[0][2])
        self.check_answer(number, step, answer)

    def check_answer(self, number, step, answer):
        self.check(number, f"status {answer.status}, not {step.status}",
                   step.status is not None and answer.status != step.status)
        self.check(number, f"body {answer.body!r}, not {step.body!r}",
                   step.body is not None and answer.body != step.body)
        for name, value in step.fields.items():
            got = answer.fields.get(name.lower())
            self.check(number, f"{name} is {got!r}, not {value!r}",
                       got is None or (value is not True and got != value))
        for name in step.lacks:
            self.check(number, f"there is {name}: {answer.fields.get(name.lower())}",
                       name.lower() in answer.fields)
        self.check(number, f"Age is {answer.fields.get('age')}, not at least {step.older}",
                   step.older is not None and int(answer.fields.get("age", -1)) < step.older)


def play_all(client, address, script, cases, threads=24):
    """Plays every case, many at a time for they mostly wait; the failures, as texts."""
    paths = [case.path for case in cases]
    assert len(set(paths)) == len(paths), sorted(p for p in paths if paths.count(p) > 1)
    failures = []

    def play(case):
        try:
            Conversation(client, address, script, case).play()
        except Failure as failure:
            failures.append(str(failure))
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"{case.name}: {error!r}")

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(play, cases))
    return sorted(failures)
