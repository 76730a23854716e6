# SPDX-License-Identifier: BSD-3-Clause
"""Everything at once in one daemon: the town that the soak test puts together, and its troubles.

`Town` is the lab: one daemon with chains of all functions, as processes and inline, three
origins of one group, one that stands alone, one that makes answers by hand, and a WebSocket
server. `Troubles` does to them what happens in a year, and writes down when, so that visitors
(visitors.py) can tell what is explained from what is wrong.
"""

import contextlib
import hashlib
import os
import random
import re
import signal
import subprocess
import threading
import time

from lab import Nginx, Origin, Sluiced, ports_text, wait_until

ADDRESS = "10.10.1.1"
WWW, INLINE, STRICT, STREAM = 80, 8080, 8081, 7000
BALANCES = ["round_robin", "least", "p2c", "ewma", "hash", "maglev", "source"]
WORKERS = sorted(os.sched_getaffinity(0))[-2:]

SIZES = [0, 1, 900, 5000, 60_000, 400_000, 3_000_000]

LOCATIONS = """
location /kept/ {{ root {root}; add_header Cache-Control "max-age=2, stale-if-error=600"; add_header X-Origin {name}; }}
location /private/ {{ root {root}; add_header Cache-Control "no-store"; add_header X-Origin {name}; }}
location /fresh/ {{ root {root}; add_header Cache-Control "no-store"; add_header X-Origin {name}; }}
location /sticky/ {{ add_header Cache-Control no-store; add_header X-Origin {name}; default_type text/plain;
                     return 200 "{name}\\n"; }}
"""

# One set of functions; `_in` marks those that are inline.
SET = r"""
  {{ name = "alog{s}"; plugin = "log"; placement = "{placement}"; on_failure = "bypass"; arena_mb = 4;
     allow = {{ write = [ "{logs}/access{s}.log" ]; }};
     config = {{ to = "{logs}/access{s}.log"; format = "json";
                 fields = [ "method", "target", "status", "ending", "body_bytes", "server" ]; }}; }},
  {{ name = "waf{s}"; plugin = "filter"; placement = "{placement}"; arena_mb = 4; config = {{
     threshold = 5; rules_file = "{rules}"; deny = ( {{ path = "^/admin"; status = 403; }} ); }}; }},
  {{ name = "limit{s}"; plugin = "limit"; placement = "{placement}"; on_failure = "bypass"; arena_mb = 4; config = {{
     rules = ( {{ name = "key"; path_prefix = "/limited"; key = [ "header:X-Key" ]; rate = 3; per_s = 3600; }} ); }}; }},
  {{ name = "heads{s}"; plugin = "headers"; placement = "{placement}"; on_failure = "bypass"; arena_mb = 4; config = {{
     request = ( {{ set = "X-Request-ID"; value = "$request_id"; }} );
     response = ( {{ set = "X-Soak"; value = "{mark}"; }} ); }}; }},
  {{ name = "squeeze{s}"; plugin = "compress"; placement = "{placement}"; arena_mb = 32; config = {{ min_bytes = 100; }}; }},
  {{ name = "files{s}"; plugin = "static"; placement = "{placement}"; arena_mb = 16;
     {read} config = {{ responses = ( {{ path_prefix = "/files/"; root = "{site}"; }},
                                      {{ path_prefix = "/limited"; body = "within"; }} ); }}; }},
  {{ name = "door{s}"; plugin = "auth"; placement = "{placement}"; arena_mb = 4; config = {{
     basic = {{ users = [ "me:{password}" ]; }}; }}; }},
  {{ name = "edge{s}"; plugin = "cache"; placement = "{placement}"; on_failure = "bypass"; arena_mb = 16;
     config = {{ memory_mb = 8; max_object_kb = 1024; }}; }},
  {{ name = "route{s}"; plugin = "proxy"; placement = "{placement}"; on_failure = "retry"; arena_mb = 4; config = {{
     forwarded = true; routes = (
       {{ path_prefix = "/made/"; upstream = "maker"; }}, {{ path_exact = "/chat"; upstream = "chat"; }},
       {{ path_prefix = "/kept/alone"; upstream = "alone"; }},
       {{ path_prefix = "/alone/"; upstream = "alone"; rewrite = "/fresh/$1"; }},
       {{ upstream = "web"; retry = {{ times = 3; on = [ "reset", "gateway" ]; }};
          timeouts = {{ first_byte_ms = 20000; total_ms = 100000; }}; }} ); }}; }},
  {{ name = "spread{s}"; plugin = "lb"; placement = "{placement}"; on_failure = "bypass"; arena_mb = 4; }},
  {{ name = "stick{s}"; plugin = "lb"; placement = "{placement}"; on_failure = "retry"; arena_mb = 4;
     config = {{ sticky = {{ cookie = "SRV"; secret = "s"; }}; }}; }},"""

PATH = """[ "alog{s}", "waf{s}", "limit{s}", "heads{s}", "squeeze{s}",
    {{ when = {{ path = "^/private/"; }}; path = [ "door{s}" ]; }},
    {{ when = {{ path = "^/(files/|limited)"; }}; path = [ "files{s}" ]; }},
    "edge{s}", "route{s}", {{ when = {{ path = "^/sticky/"; }}; path = [ "stick{s}" ]; else = [ "spread{s}" ]; }} ]"""

CONF = """daemon = {{ workers = [ {cpus} ]; memory_mb = 256; run_dir = "@RUN_DIR@"; }};
{ports}
upstreams = (
  {{ name = "web"; balance = "round_robin"; retries = 3; servers = ( {web} );
     connect_timeout_ms = 5000;
     health = {{ path = "/who"; interval_ms = 200; timeout_ms = 5000; fall = 2; rise = 1; max_fails = 3; eject_ms = 500; }};
     limits = {{ connections = 400; pending = 400; }}; }},
  {{ name = "alone"; servers = ( {{ address = "{alone}"; }} ); }},
  {{ name = "maker"; servers = ( {{ address = "{maker}"; }} ); }},
  {{ name = "chat"; servers = ( {{ address = "{chat}"; }} ); }} );
functions = ({sets}
  {balances},
  {{ name = "gate"; plugin = "noop"; on_failure = "reject"; arena_mb = 4; }},
  {{ name = "pipe"; plugin = "proxy"; on_failure = "retry"; arena_mb = 4; config = {{ upstream = "web"; }}; }} );
chains = (
  {{ name = "www"; listen = "{address}:80"; upgrade = "websocket"; path = {www}; }},
  {{ name = "inl"; listen = "{address}:8080"; upgrade = "websocket"; path = {inl}; }},
  {{ name = "strict"; listen = "{address}:8081"; path = [ "gate", "route", "spread" ]; }},
  {balanced},
  {{ name = "stream"; listen = "{address}:7000"; protocol = "tcp"; path = [ "pipe", "spread" ]; }} );
"""

RULES = r"""union deny=406 arg (?i)union\s+select
script score=5 target <script
eicar deny body EICAR
"""

# of me, whose word is "secret"
PASSWORD = "$6$nosecret$U5jeaBw9O.7Nb6ERrDbCAkpZCH0QPnGdbEjO0M/9RvFzSyOtftp2HloGpLNpN9Mj1h5bH8FmseBz8uNKwofnZ0"

CHAT = """
import asyncio, websockets

async def echo(ws):
    async for message in ws:
        await ws.send(message)

async def main():
    async with websockets.serve(echo, "0.0.0.0", 9000, max_size=None):
        print("ready", flush=True)
        await asyncio.Future()

asyncio.run(main())
"""

class Wrong(Exception):
    """What a visitor saw and no trouble explains."""


def content(name, size):
    """The bytes of a file: those of one name and size are always the same."""
    if name.endswith(".txt"):
        line = f"{name}: all work and no play makes {size} dull bytes\n".encode()
        return (line * (size // len(line) + 1))[:size]
    block = hashlib.shake_128(name.encode()).digest(min(size, 8192) or 1)
    return (block * (size // len(block) + 1))[:size]


class Troubles:
    """What is done to the town, and when: each is (kind, whom, began, ended)."""

    SETTLE_S = 3  # as long as what was hit may still be told of it

    def __init__(self, town, seed=1):
        self.town = town
        self.chance = random.Random(seed)
        self.times = []
        self.lock = threading.Lock()
        self.counts = {}

    @contextlib.contextmanager
    def time(self, kind, whom):
        entry = [kind, whom, time.monotonic(), None]
        with self.lock:
            self.times.append(entry)
            self.counts[kind] = self.counts.get(kind, 0) + 1
        try:
            yield
        finally:
            entry[3] = time.monotonic()

    def explain(self, kind, whom, began):
        """Whether such a trouble was on at some moment since then."""
        with self.lock:
            return any(k == kind and (whom is None or w == whom) and (end is None or end + self.SETTLE_S > began)
                       for k, w, _, end in self.times)

    def outage(self, origin, seconds=2):
        with self.time("outage", origin.name):
            origin.stop()
            time.sleep(seconds)
            origin.start()

    def kill(self, name):
        with self.time("kill", name):
            pid = self.town.sluiced.signal_function(name, signal.SIGKILL)
            wait_until(lambda: (f := self.town.sluiced.function(name))["state"] == "up" and f["pid"] != pid, 20,
                       f"{name} is back")

    def reload(self):
        with self.time("reload", None):
            self.town.version += 1
            done = self.town.sluiced.reload(self.town.conf())
            if done.returncode:
                raise Wrong(f"reload: {done.stderr}")

    def drain(self, origin):
        with self.time("drain", origin.name):
            self.town.sluiced.ctl("upstream", "web", origin.endpoint, "drain")
            time.sleep(1.5)
            self.town.sluiced.ctl("upstream", "web", origin.endpoint, "up")

    def weigh(self, origin):
        with self.time("weight", origin.name):
            self.town.sluiced.ctl("upstream", "web", origin.endpoint, "weight", str(self.chance.randint(1, 9)))

    def round(self):
        """One of each kind, in an order of its own."""
        web = self.town.web
        mortal = ["alog", "limit", "heads", "edge", "route", "spread", "stick", "pipe", "gate"]
        acts = [lambda: self.outage(self.chance.choice(web)), lambda: self.outage(self.town.alone),
                self.reload, lambda: self.drain(self.chance.choice(web)),
                lambda: self.weigh(self.chance.choice(web)), lambda: self.kill("edge"), lambda: self.kill("gate")]
        acts += [lambda name=name: self.kill(name) for name in self.chance.sample(mortal, 3)]
        self.chance.shuffle(acts)
        return acts


class Town:
    """The daemon, everything behind it, and the namespace of those who visit."""

    def __init__(self, lab):
        self.lab = lab
        self.version = 0
        lab.middlebox(["wan", "lan"])
        self.client, self.machine = lab.peer("wan"), lab.peer("lan")
        self.root = lab.dir / "root"
        self.root.mkdir()
        self.fill()
        self.web = [self.origin(f"o{n}", 8080 + n) for n in (1, 2, 3)]
        self.alone = self.origin("alone", 8090)
        self.maker = Origin(self.machine, 8095, make)
        self.chat = self.machine.start("/usr/bin/python3", "-c", CHAT, stdout=subprocess.PIPE)
        assert self.chat.stdout.readline()
        self.logs = lab.dir / "logs"
        self.logs.mkdir()
        self.rules = lab.file("soak.rules", RULES)
        self.rules.chmod(0o644)
        self.sluiced = Sluiced(lab, self.conf())
        self.troubles = Troubles(self)

    def origin(self, name, port):
        return Nginx(self.lab, self.machine, name, port=port, root=self.root,
                     extra=LOCATIONS.format(root=self.root, name=name))

    def fill(self):
        for folder in ("fresh", "kept", "files", "private"):
            (self.root / folder).mkdir()
            for size in SIZES:
                for kind in ("bin", "txt"):
                    (self.root / folder / f"{size}.{kind}").write_bytes(content(f"{size}.{kind}", size))
        for size in SIZES[:-1]:
            (self.root / "kept" / f"alone{size}.txt").write_bytes(content(f"alone{size}.txt", size))
        (self.root / "upload").mkdir()
        (self.root / "upload").chmod(0o777)

    def conf(self):
        words = {"rules": self.rules, "logs": self.logs, "password": PASSWORD, "mark": f"v{self.version}",
                 "site": self.root / "files"}
        sets = SET.format(s="", placement="process", read=f'allow = {{ read = [ "{self.root}/files" ]; }};', **words) \
            + SET.format(s="_in", placement="inline", read="", **words)
        text = CONF.format(
            cpus=", ".join(map(str, WORKERS)), address=ADDRESS, ports=ports_text(["wan", "lan"]), sets=sets,
            web=", ".join(f'{{ address = "{o.endpoint}"; weight = {1 + self.version % 3}; }}' for o in self.web),
            alone=self.alone.endpoint, maker=self.maker.endpoint, chat=f"{self.machine.ip}:9000",
            www=PATH.format(s=""), inl=PATH.format(s="_in"),
            balances=",\n  ".join(f'{{ name = "lb_{b}"; plugin = "lb"; placement = "inline"; arena_mb = 4; config = {{ '
                                  f'balance = "{b}"; hash_key = "header:x-user"; }}; }}' for b in BALANCES),
            balanced=",\n  ".join(f'{{ name = "by_{b}"; listen = "{ADDRESS}:{9001 + i}"; '
                                  f'path = [ "route_in", "lb_{b}" ]; }}' for i, b in enumerate(BALANCES)))
        # What hangs is killed; on a machine that has much to do nothing looks so here.
        return re.sub(r'(plugin = "\w+";)(?! placement = "inline")', r"\1 hang_ms = 20000;", text)


# --- the origin that makes answers by hand ---------------------------------------------------

class Stream:
    """Bytes of a socket, taken by line and by count."""

    def __init__(self, sock, data=b""):
        self.sock, self.data = sock, data

    def more(self):
        got = self.sock.recv(65536)
        if not got:
            raise ConnectionError("the other side ended")
        self.data += got

    def line(self):
        while b"\r\n" not in self.data:
            self.more()
        line, self.data = self.data.split(b"\r\n", 1)
        return line

    def take(self, count):
        while len(self.data) < count:
            self.more()
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def chunks(self):
        body = b""
        while size := int(self.line().split(b";")[0], 16):
            body += self.take(size)
            self.take(2)
        trailers = dict(line.split(b": ", 1) for line in iter(self.line, b""))
        return body, trailers

    def head(self):
        first = self.line().decode("latin-1")
        lines = (line.decode("latin-1").split(":", 1) for line in iter(self.line, b""))
        return first, {name.lower(): value.strip() for name, value in lines}

    def body(self, fields):
        if fields.get("transfer-encoding") == "chunked":
            return self.chunks()
        return self.take(int(fields.get("content-length", 0))), {}


def chunked(data, sizes):
    """`data` in chunks of these sizes, over and over."""
    at, n, out = 0, 0, []
    while at < len(data):
        piece = data[at:at + sizes[n % len(sizes)]]
        out.append(b"%x\r\n%s\r\n" % (len(piece), piece))
        at, n = at + len(piece), n + 1
    return b"".join(out)


def make(sock):
    """/made/echo: what was sent comes back in chunks, with a trailer; /made/SIZE: so many bytes, in chunks."""
    stream = Stream(sock)
    while True:
        first, fields = stream.head()
        method, target, _ = first.split(" ")
        if fields.get("expect"):
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body, _ = stream.body(fields)
        if target != "/made/echo":
            name = target.split("?")[0].rsplit("/", 1)[1]
            body = content(name, int(name.split(".")[0]))
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: no-store\r\n"
                     b"Content-Type: application/octet-stream\r\nTrailer: X-Sum\r\n\r\n")
        if method != "HEAD":
            sock.sendall(chunked(body, [1, 700, 9000, 33]) + b"0\r\nX-Sum: %s\r\n\r\n"
                         % hashlib.sha256(body).hexdigest().encode())
