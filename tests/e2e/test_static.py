# SPDX-License-Identifier: BSD-3-Clause
"""static: a directory of files, in a process and in the worker, in front of nginx."""

import gzip
import hashlib
import os

import pytest

from functions import Before
from lab import read_all, read_head, wait_until

STATIC = """{{ name = "files"; plugin = "static"; arena_mb = 16; placement = "{placement}"; {allow}
  config = {{ otherwise = "pass"; responses = ( {{ root = "{root}"; precompressed = [ "br", "gzip" ]; }} ); }}; }}"""


def site(lab):
    """Files to serve, and one beside them that must not be."""
    root = lab.dir / "site"
    (root / "dir").mkdir(parents=True)
    (root / "index.html").write_text("<p>top")
    (root / "dir" / "index.html").write_text("<p>dir")
    (root / ".env").write_text("hidden")
    (root / "large.bin").write_bytes(os.urandom(5_000_000))
    (root / "style.css").write_text("a{color:red}")
    (root / "style.css.gz").write_bytes(gzip.compress(b"a{color:red}"))
    (lab.dir / "secret.txt").write_text("outside")
    (root / "link.txt").symlink_to("../secret.txt")
    return root


@pytest.fixture(params=["process", "inline"])
def it(request, lab):
    root = site(lab)
    allow = f'allow = {{ read = [ "{root}" ]; }};' if request.param == "process" else ""
    before = Before(lab, STATIC.format(placement=request.param, allow=allow, root=root), "files")
    before.root = root
    yield before
    before.end()


def sha(it, path, *args):
    out = it.lab.dir / "got"
    it.curl(path, "-o", out, *args)
    return hashlib.sha256(out.read_bytes()).hexdigest()


def test_files(it):
    it.origin.file("elsewhere", "nginx")
    line, fields = it.head("/")
    assert "200" in line and fields["content-type"] == ["text/html"]
    assert it.curl("/") == "<p>top"
    assert it.curl("/dir", "-L") == "<p>dir"
    assert it.curl("/elsewhere") == "nginx"
    assert it.status("/", "-H", f"If-None-Match: {fields['etag'][0]}") == 304
    assert it.status("/.env") == 403
    assert it.status("/link.txt") == 404
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/dir/..%2f..%2fsecret.txt"):
        # 404, and so passed on; nginx refuses what leads up.
        assert it.status(path, "--path-as-is") in (400, 404)
        assert "outside" not in it.curl(path, "--path-as-is")


def test_large(it):
    content = (it.root / "large.bin").read_bytes()
    assert sha(it, "/large.bin") == hashlib.sha256(content).hexdigest()
    assert sha(it, "/large.bin", "-r", "1000000-3999999") == hashlib.sha256(content[1000000:4000000]).hexdigest()
    # A reader that goes away takes its file with it, and a slow one gets it whole.
    it.curl("/large.bin", "-o", "/dev/null", "--limit-rate", "500k", "-m", "1", check=False)
    assert sha(it, "/large.bin", "--limit-rate", "3M") == hashlib.sha256(content).hexdigest()
    assert it.stat("files", "file_streams") == 4
    assert it.stat("files", "file_broken") == 0


def test_again(it):
    """The same request again is answered without asking the function, which counts it all the same."""
    url = "http://10.10.1.1/dir/"
    assert it.client.curl(*[url] * 60) == "<p>dir" * 60
    # They may have been spread over two seconds, each with a Date of its own; who asks first in each is asked about.
    assert it.sluiced.stat("responses_recalled") >= 50
    wait_until(lambda: it.stat("files", "answered") == 60, 5, "the function has not counted all answers")
    assert it.stat("files", "requests") == 60
    assert it.stat("files", "file_hits") >= 50


def test_changes(it):
    assert it.curl("/") == "<p>top"
    new = it.root / "new"
    new.write_text("<p>changed")
    new.rename(it.root / "index.html")
    # The old one for a second at most.
    assert it.curl("/", "--retry", "0") in ("<p>top", "<p>changed")
    it.client.run("sleep", "1.1")
    assert it.curl("/") == "<p>changed"


def test_precompressed(it):
    _, plain = it.head("/style.css")
    _, coded = it.head("/style.css", "-H", "Accept-Encoding: gzip")
    assert "content-encoding" not in plain and plain["vary"] == ["Accept-Encoding"]
    assert coded["content-encoding"] == ["gzip"] and coded["content-type"] == ["text/css"]
    assert plain["etag"] != coded["etag"]
    assert it.curl("/style.css", "--compressed") == it.curl("/style.css") == "a{color:red}"


def test_a_file_that_shrinks_while_it_is_sent(it):
    content = os.urandom(20_000_000)
    path = it.root / "shrinks.bin"
    path.write_bytes(content)
    with it.client.connect("10.10.1.1", 80) as sock:
        sock.sendall(b"GET /shrinks.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        head, got = read_head(sock)
        assert b"Content-Length: 20000000\r\n" in head
        got = got or sock.recv(65536)
        os.truncate(path, 1_000_000)
        got += read_all(sock)
    # The end of the connection comes early, and all before it is right.
    assert len(got) < len(content) and content.startswith(got)
    assert it.stat("files", "file_broken") == 1
