# SPDX-License-Identifier: BSD-3-Clause
"""filter: rules on the wire."""

import os
import time

import pytest

from functions import Before
from lab import read_all, read_head

FILTER = """{{ name = "waf"; plugin = "filter"; config = {{
  threshold = 5; rules_file = "{rules}"; {networks}
  rules = ( {{ name = "bot"; action = "tag"; headers = ( {{ name = "User-Agent"; match = "curl"; }} ); }} ); }}; }}"""

RULES = r"""# NAME ACTION WHERE PATTERN
100 deny=406 arg (?i)union\s+select
101 score=3 cookie:sid [^0-9a-f]
102 score=3 target <script
103 deny=409 body EICAR
104 deny=404 path ^/secret
105 deny level=2 path ^/page
"""

TAGS = """location /tags { add_header X-Tags "$http_x_filter_tag"; return 204; }"""


def start(lab, networks=""):
    rules = lab.dir / "waf.rules"
    rules.write_text(RULES)
    rules.chmod(0o644)
    it = Before(lab, FILTER.format(rules=rules, networks=networks), "waf", locations=TAGS)
    it.origin.file("page", "page")
    it.origin.file("secret", "secret")
    return it


def test_rules(lab):
    it = start(lab)
    assert it.curl("/page") == "page"
    assert it.status("/page?q=%55nion+select") == 406
    assert it.status("/x/../%73ecret", "--path-as-is") == 404
    assert it.status("/page", "-b", "sid=zz") == 200
    assert it.status("/page?%3Cscript>") == 200
    assert it.status("/page?%3Cscript>", "-b", "sid=zz") == 403
    line, fields = it.head("/tags", "-H", "X-Filter-Tag: forged")
    assert "204" in line and fields["x-tags"] == ["bot"]
    rows = it.sluiced.ctl("function", "tell", "waf", "rules").stdout
    assert "105" in rows and "score" in rows
    assert it.stat("waf", "hits_100") == 1
    assert it.stat("waf", "hits_101") == 2
    assert it.stat("waf", "scored_out") == 1
    it.end()


def test_bodies(lab, tmp_path):
    it = start(lab)
    good = tmp_path / "good"
    good.write_bytes(os.urandom(1 << 20).replace(b"EICAR", b"eicar"))
    # nginx answers a POST to a file with 405: it came through, and whole.
    assert it.status("/page", "--data-binary", f"@{good}") == 405
    assert it.status("/page", "--data-binary", "harmless") == 405
    # PUT waits for all of it: of what is denied there is no file.
    it.origin.file("upload/there", "")
    (it.origin.root / "upload").chmod(0o777)
    put = ["-X", "PUT", "--data-binary"]
    assert it.status("/upload/good", *put, f"@{good}") == 201
    assert it.status("/upload/bad", *put, "x EICAR x") == 409
    assert not (it.origin.root / "upload/bad").exists()
    assert it.stat("waf", "body_denied") == 1
    assert it.curl("/page") == "page"
    it.end()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_body_in_pieces(lab, framing):
    """What is looked for lies across pieces; the connection then takes another request."""
    it = start(lab)
    parts = [b"first EI", b"CAR then", b" the rest"]
    with it.client.connect("10.10.1.1", 80) as sock:
        for _ in range(3):
            if framing == "length":
                fields = "Content-Length: %d" % sum(map(len, parts))
            else:
                fields = "Transfer-Encoding: chunked"
            sock.sendall(f"PUT /upload/bad HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n".encode())
            for part in parts:
                time.sleep(0.05)
                sock.sendall(part if framing == "length" else b"%x\r\n%s\r\n" % (len(part), part))
            if framing == "chunked":
                sock.sendall(b"0\r\n\r\n")
            head, rest = read_head(sock)
            assert head.startswith(b"HTTP/1.1 409 "), head
            assert rest == b"409 Conflict\n"
        sock.sendall(b"GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert read_all(sock).endswith(b"page")
    assert it.stat("waf", "body_denied") == 3
    assert it.stat("waf", "denied") == 3
    assert not (it.origin.root / "upload/bad").exists()
    it.end()


def test_networks(lab):
    it = start(lab, 'networks = { deny = [ "10.10.0.0/16" ]; };')
    assert it.status("/page") == 403
    assert it.stat("waf", "networks_denied") == 1
    it.end()
