# SPDX-License-Identifier: BSD-3-Clause
"""compress: curl decodes what comes, and so do the codings' own programs; streams do not wait."""

import hashlib
import http.client
import threading
import zlib

import pytest

from functions import Before
from lab import Origin, read_head

COMPRESS = '{ name = "compress"; plugin = "compress"; config = { %s }; }'
LOCATIONS = "types { text/html html; image/png png; } "
TEXT = "".join(f"<p>line {i % 100} of a page</p>\n" for i in range(20000))


def decoded(it, path, coding):
    """The body as the coding's own program decodes it."""
    program = {"gzip": ["gzip"], "br": ["brotli"], "zstd": ["zstd", "-q"]}[coding]
    raw = it.client.run("curl", "-sS", "-H", f"Accept-Encoding: {coding}", f"http://10.10.1.1{path}",
                        text=False).stdout
    assert len(raw) < len(TEXT) / 4
    return it.client.run(*program, "-dc", input=raw, text=False).stdout


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_codings(lab, coding):
    it = Before(lab, COMPRESS % "", "compress", locations=LOCATIONS)
    it.origin.file("page.html", TEXT)
    _, fields = it.head("/page.html", "-H", f"Accept-Encoding: {coding}")
    assert fields["content-encoding"] == [coding] and fields["vary"] == ["Accept-Encoding"]
    assert fields["etag"][0].startswith('W/"') and fields["transfer-encoding"] == ["chunked"]
    assert "content-length" not in fields and "accept-ranges" not in fields
    assert decoded(it, "/page.html", coding).decode() == TEXT
    assert it.stat("compress", "bytes_out") < it.stat("compress", "bytes_in") / 4
    it.end()


def test_a_client_as_it_comes(lab):
    """curl chooses and decodes; what should be left alone is."""
    it = Before(lab, COMPRESS % "", "compress", locations=LOCATIONS)
    it.origin.file("page.html", TEXT)
    it.origin.file("small.html", "small")
    picture = bytes(range(256)) * 100
    it.origin.file("dot.png", picture)
    assert it.curl("/page.html", "--compressed") == TEXT
    assert it.curl("/page.html") == TEXT
    _, fields = it.head("/page.html")
    assert "content-encoding" not in fields and fields["vary"] == ["Accept-Encoding"]
    _, fields = it.head("/small.html", "-H", "Accept-Encoding: gzip")
    assert fields["content-length"] == ["5"] and "content-encoding" not in fields
    _, fields = it.head("/dot.png", "-H", "Accept-Encoding: gzip")
    assert fields["content-length"] == [str(len(picture))]
    line, fields = it.head("/page.html", "-H", "Accept-Encoding: gzip", "-r", "0-99")
    assert "206" in line and "content-encoding" not in fields
    # HEAD, and a client that has what we made.
    fields = it.curl("/page.html", "-I", "-H", "Accept-Encoding: gzip").lower()
    assert f"content-length: {len(TEXT)}" in fields and "content-encoding" not in fields
    _, fields = it.head("/page.html", "-H", "Accept-Encoding: gzip")
    line, again = it.head("/page.html", "-H", "Accept-Encoding: gzip",
                          "-H", f"If-None-Match: {fields['etag'][0]}")
    assert "304" in line and again["etag"] == fields["etag"]
    # HTTP/1.0 has no chunks: the end of the connection is the end.
    assert it.curl("/page.html", "--compressed", "-0") == TEXT
    it.end()


def test_a_large_body_to_many(lab):
    it = Before(lab, COMPRESS % "", "compress", locations=LOCATIONS)
    it.origin.file("large.html", TEXT * 10)
    digest = hashlib.sha256((TEXT * 10).encode()).hexdigest()
    script = "for i in 1 2 3 4 5 6 7 8; do curl -sS --compressed http://10.10.1.1/large.html | sha256sum & done; wait"
    lines = it.client.run("sh", "-c", script).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [digest] * 8
    it.end()


def test_a_client_that_goes(lab):
    it = Before(lab, COMPRESS % "", "compress", locations=LOCATIONS)
    it.origin.file("large.html", TEXT * 20)
    for _ in range(5):
        with it.client.connect("10.10.1.1", 80) as sock:
            sock.sendall(b"GET /large.html HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
            assert b"content-encoding: gzip" in sock.recv(4096).lower()
    assert it.curl("/large.html", "--compressed") == TEXT * 20
    it.end()


class Events:
    """An origin that sends the next event only when it is told that the last one was seen."""

    def __init__(self):
        self.seen = [threading.Event() for _ in range(3)]

    def serve(self, sock):
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n")
        for n, seen in enumerate(self.seen):
            event = b"data: %d\n\n" % n
            sock.sendall(b"%x\r\n%s\r\n" % (len(event), event))
            if not seen.wait(20):
                return
        sock.sendall(b"0\r\n\r\n")


def test_events_do_not_wait(lab):
    events = Events()
    it = Before(lab, COMPRESS % 'codings = [ "gzip" ];', "compress",
                origin=lambda ns: Origin(ns, 8080, events.serve))
    with it.client.connect("10.10.1.1", 80) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
        seen = Decoder(sock)
        for n in range(3):
            seen.until(b"data: %d\n\n" % n)
            events.seen[n].set()
        seen.until_end()
    it.end()


class Decoder:
    """gzip within chunks, decoded as far as it has come."""

    def __init__(self, sock):
        self.answer = http.client.HTTPResponse(sock)
        self.answer.begin()
        assert self.answer.headers["Content-Encoding"] == "gzip"
        self.gzip, self.text = zlib.decompressobj(31), b""

    def until(self, text):
        while not self.text.endswith(text):
            self.text += self.gzip.decompress(self.answer.read1(65536))

    def until_end(self):
        while piece := self.answer.read1(65536):
            self.text += self.gzip.decompress(piece)
        assert self.gzip.eof
