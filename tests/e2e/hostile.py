# SPDX-License-Identifier: BSD-3-Clause
"""The function `hostile` in chains of its own, and a chain next to them that must not notice."""

import threading

from conftest import Chain
from lab import BUILD, wait_until

HANG_MS = 500
BIG = 16 << 20


def with_hostile(conf, names, on_failure):
    """The configuration of the tests with a hostile function of each name, and a neighbour."""
    functions = "".join(
        f'{{ name = "{name}"; plugin = "{BUILD}/tests/hostile.so"; on_failure = "{on_failure}"; arena_mb = 1;'
        f" hang_ms = {HANG_MS}; hold_ms = 400; }},\n" for name in names)
    chains = "".join(
        f'{{ name = "{name}"; listen = "10.10.1.1:{port}"; protocol = "http";'
        f' body_timeout_ms = 1000; path = [ "{name}", "edge", "route" ]; }},\n'
        for port, name in enumerate(names, start=9000))
    neighbour = ('{ name = "neighbour"; listen = "10.10.1.1:8080"; protocol = "http";'
                 ' path = [ "guard", "route" ]; },\n')
    return conf.replace("functions = (", "functions = (" + functions).replace(
        "chains = (", "chains = (" + neighbour + chains)


class Neighbour:
    """Requests to the other chain for as long as the block lasts; every answer must be right."""

    CLIENTS = 8

    def __init__(self, chain):
        self.chain = chain
        self.stop = threading.Event()
        self.answers = 0
        self.wrong = []
        self.thread = threading.Thread(target=self.ask)

    def answer(self, sock):
        data = b""
        while not data.endswith((b"origin-1\n", b"origin-2\n")):
            more = sock.recv(65536)
            if not more:
                break
            data += more
        self.answers += 1
        if not data.startswith(b"HTTP/1.1 200 ") or data.count(b"HTTP/1.1") != 1:
            self.wrong.append(data)

    def ask(self):
        socks = [self.chain.client.connect("10.10.1.1", 8080) for _ in range(self.CLIENTS)]
        try:
            while not self.stop.is_set():
                for sock in socks:
                    sock.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
                for sock in socks:
                    self.answer(sock)
        except OSError as error:
            self.wrong.append(error)
        for sock in socks:
            sock.close()

    def __enter__(self):
        self.thread.start()
        wait_until(lambda: self.answers, 10, "the neighbour is served")
        return self

    def __exit__(self, kind, *exc):
        seen = self.answers
        if not kind:
            wait_until(lambda: self.answers >= seen + self.CLIENTS or self.wrong, 10,
                       "the neighbour is served")
        self.stop.set()
        self.thread.join()
        assert not self.wrong


class Hostile(Chain):
    """The chain of the tests, and beside it one for each name, with a function of that name."""

    def __init__(self, lab, names, on_failure="reject", **conf):
        super().__init__(lab, **conf)
        self.names = names
        done = self.sluiced.reload(with_hostile(self.conf(), names, on_failure))
        assert done.returncode == 0, done.stderr
        self.file("page.bin", b"a body of some length" * 10000)
        self.file("big.bin", bytes(BIG))

    def url(self, attack, path):
        return f"http://10.10.1.1:{9000 + self.names.index(attack)}{path}"

    def attack(self, attack, name=None, path="/page.bin"):
        """What the client of the attacker gets: (status, body)."""
        out = self.client.curl("-w", "\n%{http_code}", "-H", f"X-Attack: {name or attack}", "-d",
                               "a request's body", "-X", "GET", self.url(attack, path), check=False,
                               text=False)
        body, status = out.rsplit(b"\n", 1)
        return int(status), body

    def download(self, attack):
        """One that lasts, of which the attacker remembers the number."""
        return self.client.start("curl", "-sS", "--limit-rate", "8M", "-o", "/dev/null", "-w",
                                 "%{http_code} %{size_download}", "-H", "X-Attack: remember",
                                 self.url(attack, "/big.bin"), stdout=-1, text=True)

    def serves(self, attack):
        return self.client.curl("-o", "/dev/null", "-w", "%{http_code}",
                                self.url(attack, "/page.bin"), check=False) == "200"
