# SPDX-License-Identifier: BSD-3-Clause
"""Those who visit the town of soak.py: each function is a kind of client, one call one visit.

A visit checks every byte that it gets. What it does not get must be explained by a trouble of
that moment, else it is wrong, and says what was asked, what came and what was on.
"""

import contextlib
import gzip
import hashlib
import http.client
import random
import threading
import time

from soak import ADDRESS, BALANCES, INLINE, SIZES, STREAM, STRICT, WWW, Stream, Wrong, chunked, content

TALK = """
import asyncio, os, sys, websockets

async def talk(port):
    async with websockets.connect(f"ws://10.10.1.1:{port}/chat", max_size=None, compression=None) as ws:
        for n in range(40):
            data = os.urandom(1 << n % 20)
            await ws.send(data)
            assert await asyncio.wait_for(ws.recv(), 30) == data, n
            await asyncio.sleep(0.1)

async def main():
    await asyncio.gather(*(talk(int(port)) for port in sys.argv[1:] * 2))

asyncio.run(main())
"""


SEVERED = (OSError, http.client.HTTPException)


class Moment:
    """Since when somebody visits, where, and what that explains."""

    def __init__(self, town, port):
        self.town, self.port = town, port
        self.began = time.monotonic()

    def explained(self, kind, whom=None):
        return self.town.troubles.explain(kind, whom, self.began)

    def killed(self, name=None):
        """A function on its way was killed; those that are inline never are."""
        return self.port != INLINE and self.explained("kill", name)

    def cut_short(self, status):
        """The answer was the cache's, or to its question, and the cache was killed."""
        return status == 503 and self.killed("edge")


class Visit(Moment):
    """A connection of a visitor, and how its answers are looked at."""

    def __init__(self, town, port, chance):
        super().__init__(town, port)
        self.chance = chance
        self.story = []
        self.http = http.client.HTTPConnection(ADDRESS, port, timeout=60)
        self.http.connect = self.connect
        self.connect()

    def connect(self):
        """Again, too, when the daemon said that it would close the last one: after a reload."""
        self.http.sock = self.town.client.connect(ADDRESS, self.port, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.http.close()

    def wrong(self, text):
        passed = time.monotonic() - self.began
        near = [(k, w, f"{b - self.began:+.2f}", e and f"{e - self.began:+.2f}") for k, w, b, e
                in self.town.troubles.times if (e or passed + self.began) > self.began - 5]
        raise Wrong(f"port {self.port}: {text}; after {passed:.2f} s; asked {self.story[-4:]}; troubles: {near}")

    def ask(self, method, path, fields=None, body=None):
        self.story.append(f"{method} {path}")
        self.http.request(method, path, body=body, headers=fields or {},
                          encode_chunked=bool(fields and "Transfer-Encoding" in fields))
        return self.http.getresponse()

    def get(self, path, *, status=(200,), fields=None, method="GET", cut=False):
        """The answer and its body. `cut`: an outage of its origin, or the death of who gives it, may cut it."""
        try:
            answer = self.ask(method, path, fields)
            body = answer.read()
        except http.client.IncompleteRead as error:
            origin = answer.getheader("X-Origin")
            if cut and (self.explained("outage", origin) or self.killed("edge")):
                return None, None
            self.wrong(f"{path} of {origin}: cut after {len(error.partial)} bytes; {answer.getheader('Cache-Status')}")
        except SEVERED as error:
            self.wrong(f"{path}: {error!r}")
        if cut and self.cut_short(answer.status):
            return None, None
        if answer.status not in status:
            self.wrong(f"{path}: status {answer.status} {answer.getheaders()} {body[:100]!r}")
        return answer, body

    def same(self, path, answer, body, wanted):
        if answer is not None and body != wanted:
            at = next((i for i, (a, b) in enumerate(zip(body, wanted)) if a != b), min(len(body), len(wanted)))
            self.wrong(f"{path}: {len(body)} bytes, {len(wanted)} wanted, differ at {at}; {answer.getheaders()}")


def a_file(chance, sizes=None):
    name = f"{chance.choice(sizes or SIZES[:-1])}.{chance.choice(['bin', 'txt'])}"
    return name, content(name, int(name.split(".")[0]))


def browse(town, port, chance):
    """Pages over one connection, as a browser asks for them: compressed, conditional, HEAD, parts."""
    with Visit(town, port, chance) as visit:
        for _ in range(12):
            name, wanted = a_file(chance)
            path = f"/{chance.choice(['kept', 'kept', 'fresh', 'files'])}/{name}"
            answer, body = visit.get(path, fields={"Accept-Encoding": "gzip"}, cut=True)
            if answer is None:
                return
            if answer.getheader("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            visit.same(path, answer, body, wanted)
            tag = answer.getheader("ETag")
            chance.choice([conditional, heads, parts])(visit, path, wanted, tag)


def conditional(visit, path, wanted, tag):
    answer, body = visit.get(path, status=(200, 304), fields={"If-None-Match": tag, "Accept-Encoding": "gzip"}, cut=True)
    if answer and answer.status == 200:
        visit.wrong(f"{path} has changed: {tag} is now {answer.getheader('ETag')}")
    visit.same(path, answer, body, b"")


def heads(visit, path, wanted, tag):
    answer, body = visit.get(path, method="HEAD", cut=True)
    visit.same(path, answer, body, b"")
    if answer and int(answer.getheader("Content-Length", -1)) != len(wanted):
        visit.wrong(f"HEAD {path}: {answer.getheaders()}")


def parts(visit, path, wanted, tag):
    if len(wanted) < 2:
        return
    first = visit.chance.randrange(len(wanted) - 1)
    last = visit.chance.randrange(first, len(wanted))
    answer, body = visit.get(path, status=(206,), fields={"Range": f"bytes={first}-{last}"}, cut=True)
    visit.same(path, answer, body, wanted[first:last + 1])
    if answer and answer.getheader("Content-Range") != f"bytes {first}-{last}/{len(wanted)}":
        visit.wrong(f"{path}: {answer.getheaders()}")


def pipelined(town, port, chance):
    """Many requests in one go; the answers in their order."""
    with Visit(town, port, chance) as visit:
        asked = [f"/{chance.choice(['kept', 'files'])}/{chance.choice(SIZES[:4])}.bin" for _ in range(16)]
        visit.story = asked
        visit.http.sock.sendall("".join(f"GET {p} HTTP/1.1\r\nHost: {ADDRESS}\r\n\r\n" for p in asked).encode())
        stream = Stream(visit.http.sock)
        for path in asked:
            try:
                first, fields = stream.head()
                body, _ = stream.body(fields)
            except OSError as error:
                return None if visit.killed("edge") else visit.wrong(f"{path}: {error!r}")
            name = path.rsplit("/", 1)[1]
            whole = first.split()[1] == "200" and body == content(name, int(name.split(".")[0]))
            if not whole and not visit.cut_short(int(first.split()[1])):
                visit.wrong(f"{path}: {first}, {fields}, {len(body)} bytes")
            if fields.get("connection") == "close":
                break  # after a reload; what follows was not looked at
    return None


def upload(town, port, chance):
    """PUT, by length or in chunks; what the origin stored is what was sent."""
    with Visit(town, port, chance) as visit:
        name, body = a_file(chance)
        path = f"/upload/{chance.getrandbits(64):x}"
        in_chunks = chance.random() < 0.5
        fields = {"Transfer-Encoding": "chunked"} if in_chunks else {}
        parts_of = (body[i:i + 7000] for i in range(0, len(body), 7000)) if in_chunks else body
        try:
            answer = visit.ask("PUT", path, fields, parts_of)
            status = answer.status
            answer.read()
        except SEVERED as error:
            status = repr(error)
        if status == 201:
            stored = town.root / path[1:]
            if stored.read_bytes() != body:
                visit.wrong(f"{path}: {stored.stat().st_size} bytes stored of {len(body)}")
            stored.unlink()
        elif not visit.explained("outage") and not visit.killed():
            visit.wrong(f"{path}: {status}")


def echo(town, port, chance):
    """POST there and back in chunks, with a trailer behind."""
    with Visit(town, port, chance) as visit:
        for _ in range(3):
            body = content("echo.bin", chance.choice(SIZES))
            head = f"POST /made/echo HTTP/1.1\r\nHost: {ADDRESS}\r\nTransfer-Encoding: chunked\r\n\r\n"
            visit.story.append(f"echo of {len(body)}")
            try:
                sender = threading.Thread(target=send_chunks, args=(visit.http.sock, head.encode(), body))
                sender.start()
                stream = Stream(visit.http.sock)
                first, fields = stream.head()
                got, trailers = stream.body(fields)
                sender.join()
            except OSError as error:
                return None if visit.killed() else visit.wrong(f"echo: {error!r}")
            if first.split()[1] != "200":
                return None if visit.killed() else visit.wrong(f"echo: {first}")
            if got != body or trailers.get(b"X-Sum", b"").decode() != hashlib.sha256(body).hexdigest():
                visit.wrong(f"echo: {first} {fields} {trailers}; {len(got)} bytes of {len(body)}")
            if fields.get("connection") == "close":
                break
    return None


def send_chunks(sock, head, body):
    with contextlib.suppress(OSError):  # who reads the answer sees it, too
        sock.sendall(head + chunked(body, [1, 100, 60_000]) + b"0\r\n\r\n")


def download(town, port, chance):
    """Large ones: whole, slowly, or left in the middle."""
    with Visit(town, port, chance) as visit:
        folder = chance.choice(["fresh", "files", "made"])
        name, wanted = a_file(chance, [3_000_000])
        if chance.random() < 0.3:
            with contextlib.suppress(*SEVERED):
                visit.ask("GET", f"/{folder}/{name}").read(100_000)
            return
        answer, body = visit.get(f"/{folder}/{name}", cut=True)
        visit.same(name, answer, body, wanted)


def curl(town, port, chance):
    """curl, which can decode what browsers can, several at a time and slowly."""
    moment = Moment(town, port)
    name, wanted = a_file(chance, SIZES[2:-1])
    coding = chance.choice(["gzip", "br", "zstd", "identity"])
    done = town.client.run("curl", "-sS", "--compressed", "-H", f"Accept-Encoding: {coding}", "--max-time", "60",
                           "-D", "-", f"http://{ADDRESS}:{port}/kept/{name}", check=False, text=False)
    head, body = done.stdout.split(b"\r\n\r\n", 1) if done.stdout else (b"", b"")
    if done.returncode and (moment.explained("outage") or moment.explained("kill")):
        return
    if b" 503 " in head and moment.cut_short(503):
        return
    if done.returncode or b" 200 " not in head or body != wanted:
        raise Wrong(f"curl {coding} {name}: exit {done.returncode} {done.stderr} {head} {len(body)} of {len(wanted)}")


def sticky(town, port, chance):
    """A client with a cookie stays with its server until that is taken from it."""
    with Visit(town, port, chance) as visit:
        answer, home = visit.get("/sticky/")
        cookie = answer.getheader("Set-Cookie")
        if not cookie:
            return None if visit.killed("stick") else visit.wrong(f"no cookie: {answer.getheaders()}")
        for _ in range(10):
            time.sleep(0.05)
            _, now = visit.get("/sticky/", fields={"Cookie": cookie.split(";")[0]})
            if now != home and not visit.explained("outage", home.decode().strip()):
                visit.wrong(f"was at {home}, is at {now}")
    return None


def refused(town, port, chance):
    """What the configuration refuses, it refuses always, and nothing else."""
    with Visit(town, port, chance) as visit:
        visit.get("/admin/x", status=(403,))
        visit.get("/fresh/900.bin?q=1%20union%20select", status=(406,))
        visit.get("/fresh/900.bin?%3Cscript>", status=(403,))
        visit.get("/private/900.bin", status=(401,))
        answer, body = visit.get("/private/900.bin", fields={"Authorization": "Basic bWU6c2VjcmV0"})
        visit.same("/private", answer, body, content("900.bin", 900))
        visit.get("/nowhere", status=(404,))
        visit.get("/files/nowhere", status=(404,))
        key = f"{chance.getrandbits(64):x}"
        statuses = [visit.get("/limited", status=(200, 429), fields={"X-Key": key})[0].status for _ in range(5)]
        if statuses != [200] * 3 + [429] * 2 and not visit.killed("limit") and not visit.explained("reload"):
            visit.wrong(f"limited: {statuses}")


def infected(town, port, chance):
    """A body that the filter denies."""
    with Visit(town, port, chance) as visit:
        answer = visit.ask("POST", "/made/echo", {}, content("x.txt", 300) + b"EICAR")
        answer.read()
        if answer.status != 403 and not visit.killed():
            visit.wrong(f"a denied body: {answer.status}")


def alone(town, port, chance):
    """A server without a second: 502 or 503 while it is away; what the cache has of it, it gives."""
    with Visit(town, port, chance) as visit:
        name = f"alone{chance.choice(SIZES[1:4])}.txt"
        answer, body = visit.get(f"/kept/{name}", status=(200, 502, 503, 504))
        if answer.status == 200:
            visit.same(name, answer, body, content(name, int(name[5:-4])))
        elif not visit.explained("outage", "alone") and not visit.cut_short(answer.status):
            visit.wrong(f"{name}: {answer.status} {answer.getheader('Cache-Status')}")
        elif not visit.killed() and not visit.explained("reload") and "hit" in answer.getheader("Cache-Status", ""):
            visit.wrong(f"{name}: {answer.status} though it is stored: {answer.getheader('Cache-Status')}")
        answer, body = visit.get("/alone/5000.bin", status=(200, 502, 503))
        if answer.status != 200 and not visit.explained("outage", "alone"):
            visit.wrong(f"alone: {answer.status}")


def strict(town, port, chance):
    """A function that must not be skipped: 503 while it is away, and only then."""
    with Visit(town, STRICT, chance) as visit:
        for _ in range(10):
            answer, body = visit.get("/fresh/900.txt", status=(200, 503))
            if answer.status == 503 and not visit.killed("gate"):
                visit.wrong("503 of the gate")
            if answer.status == 200:
                visit.same("/fresh/900.txt", answer, body, content("900.txt", 900))
            time.sleep(0.02)


def balanced(town, port, chance):
    """Every way to choose a server leads to one."""
    for index in range(len(BALANCES)):
        with Visit(town, 9001 + index, chance) as visit:
            for _ in range(3):
                answer, body = visit.get("/fresh/900.txt", fields={"X-User": str(chance.randrange(50))})
                visit.same("/fresh/900.txt", answer, body, content("900.txt", 900))


def streams(town, port, chance):
    """Bytes as they come, to a server that is chosen once."""
    with Visit(town, STREAM, chance) as visit:
        for _ in range(4):
            name, wanted = a_file(chance, SIZES[:5])
            try:
                answer = visit.ask("GET", f"/fresh/{name}")
                body = answer.read()
            except SEVERED as error:
                if visit.explained("outage"):
                    return
                visit.wrong(f"stream: {error!r}")
            visit.same(name, answer, body, wanted)


def talk(town, port, chance):
    """WebSockets of both placements."""
    done = town.client.run("/usr/bin/python3", "-c", TALK, WWW, INLINE, check=False)
    if done.returncode:
        raise Wrong(f"WebSocket: {done.stderr[-800:]}")


def load(town, port, chance):
    """wrk for some seconds: no error at all."""
    done = town.client.run("wrk", "-t1", "-c16", "-d2s", "--timeout", "20s", f"http://{ADDRESS}:{port}/who")
    if "Socket errors" in done.stdout or "Non-2xx" in done.stdout:
        raise Wrong(f"wrk, port {port}: {done.stdout}")
    time.sleep(4)


VISITORS = [browse, browse, pipelined, upload, echo, download, curl, sticky, refused, infected, alone, strict, balanced,
            streams, talk, load]


class Crowd:
    """Visitors in threads, each coming again and again until it is over."""

    def __init__(self, town):
        self.town = town
        self.over = threading.Event()
        self.visits = {}
        self.wrongs = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.live, args=(visitor, number), daemon=True, name=visitor.__name__)
                        for number, visitor in enumerate(VISITORS)]
        for thread in self.threads:
            thread.start()

    def live(self, visitor, number):
        chance = random.Random(number)
        while not self.over.is_set():
            port = chance.choice([WWW, INLINE])
            try:
                visitor(self.town, port, chance)
            except Wrong as error:
                self.note(f"{visitor.__name__}: {error}")
            except Exception as error:  # a visitor must not end unheard
                self.note(f"{visitor.__name__}: {error!r}")
            with self.lock:
                self.visits[visitor.__name__] = self.visits.get(visitor.__name__, 0) + 1
            time.sleep(0.05)

    def note(self, text):
        with self.lock:
            self.wrongs.append(text)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(120)
        return [thread.name for thread in self.threads if thread.is_alive()]
