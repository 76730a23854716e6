#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The codec beside llhttp (Node's parser, strict), on requests that are generated and spoiled.

usage: compare.py HTTP_JUDGE [COUNT [SEED]]

Where llhttp accepts what the codec refuses, STRICTER must have the reason, by the RFC. Where the
codec accepts what llhttp refuses, LAXER must. Whatever both accept must be the same messages.
llhttp judges byte by byte and the codec line by line: a line that is cut off is no difference.
"""

import collections
import json
import pathlib
import random
import re
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "e2e"))

from corpus import rows  # noqa: E402

# Our error, where llhttp goes on: why it must be one.
STRICTER = {
    "request_line": "RFC 9112 §3: single spaces, and a version: 0.9 has none",
    "version_syntax": "RFC 9112 §2.3: HTTP-version, and single spaces around the target",
    "bare_lf": "RFC 9112 §2.2: may be taken for a line end; what is ambiguous is not repaired",
    "bare_cr": "RFC 9112 §2.2: MUST be considered invalid",
    "chunk_extension_bytes": "RFC 9112 §7.1.1: ought to be limited",
    "trailer_bytes": "RFC 9110 §17.5: sizes are limited",
    "connection_options": "RFC 9110 §17.5: sizes are limited",
    "empty_lines": "RFC 9112 §2.2: one empty line before a request is ignored, \"at least one\"; more are not",
    "target": "RFC 9112 §3.2: four forms, of RFC 3986; no fragment, user information, 8-bit or \\",
    "method_length": "RFC 9112 §3: 501 for a method longer than any known",
    "version": "RFC 9110 §2.5: 0.9 and 2.0 are other protocols",
    "host_missing": "RFC 9112 §3.2: MUST be answered with 400",
    "host_several": "RFC 9112 §3.2: MUST be answered with 400",
    "host": "RFC 9112 §3.2: an invalid one MUST be answered with 400; RFC 9110 §4.2.4: user information",
    "field_value": "RFC 9110 §5.5: control bytes are invalid",
    "fold": "RFC 9112 §5.2: MUST be rejected, or replaced; what is ambiguous is not repaired",
    "space_before_field": "RFC 9112 §2.2: MUST be rejected, or skipped",
    "length_several": "RFC 9112 §6.3 rule 5: may be rejected even when equal",
    "length": "RFC 9110 §8.6: 1*DIGIT",
    "length_range": "RFC 9110 §8.6: an overflow must be foreseen; bodies have 63 bits here",
    "length_and_coding": "RFC 9112 §6.3 rule 3: ought to be handled as an error",
    "coding": "RFC 9112 §7: a list of tokens",
    "coding_final": "RFC 9112 §6.3 rule 4: MUST be answered with 400",
    "coding_repeated": "RFC 9112 §7.1: chunked MUST NOT be applied twice",
    "coding_unknown": "RFC 9112 §6.1: 501 for a coding that is not understood",
    "coding_version": "RFC 9112 §6.1: MUST be treated as faulty framing",
    "connection": "RFC 9110 §7.6.1: a list of tokens",
    "content": "RFC 9110 §9.3.8: content with TRACE; §9.3.6: with CONNECT",
    "expectation": "RFC 9110 §10.1.1: 417",
    "chunk_extension": "RFC 9112 §7.1.1: the grammar of extensions",
    "chunk_range": "RFC 9112 §7.1: an overflow must be foreseen",
    "trailer_forbidden": "RFC 9110 §6.5.1: fields for framing, routing, authentication …",
}

# llhttp's error, where the codec goes on: why it may, and in what inputs only.
LAXER = {
    "HPE_INVALID_METHOD": (
        "RFC 9110 §9.1: methods are tokens, and others may be added; llhttp has a list",
        lambda data, message: message["method"] not in METHODS_OF_LLHTTP),
    "HPE_INVALID_VERSION": (
        "RFC 9110 §2.5: a later minor version is taken as the last that is known",
        lambda data, message: re.search(rb"HTTP/1\.[2-9]", data)),
    "HPE_INVALID_CONTENT_LENGTH": (
        "RFC 9110 §5.5: white space around a value, tabs too, is no part of it",
        lambda data, message: re.search(rb"(?i)content-length:([ ]*\t|[ ]*\d+[ \t])", data)),
    "HPE_INVALID_TRANSFER_ENCODING": (
        "RFC 9110 §5.5: white space around a value, tabs too, is no part of it",
        lambda data, message: re.search(rb"(?i)transfer-encoding:([ ]*\t|[ ]*chunked[ \t])", data)),
    "HPE_STRICT": (
        "RFC 9112 §7.1.1: white space may stand around the parts of an extension",
        lambda data, message: re.search(rb";[^\r]*[ \t]", data)),
    "HPE_INVALID_CHUNK_SIZE": (
        "RFC 9112 §7.1.1: white space may stand around the parts of an extension",
        lambda data, message: re.search(rb";[^\r]*[ \t]", data)),
}

METHODS_OF_LLHTTP = {
    "DELETE", "GET", "HEAD", "POST", "PUT", "CONNECT", "OPTIONS", "TRACE", "COPY", "LOCK", "MKCOL",
    "MOVE", "PROPFIND", "PROPPATCH", "SEARCH", "UNLOCK", "BIND", "REBIND", "UNBIND", "ACL", "REPORT",
    "MKACTIVITY", "CHECKOUT", "MERGE", "M-SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "PATCH",
    "PURGE", "MKCALENDAR", "LINK", "UNLINK", "SOURCE", "QUERY"}

# --- inputs ------------------------------------------------------------------------------

METHODS = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "TRACE", "FOO", "get", "PATCH"]
TARGETS = ["/", "/a/b?c=d", "http://a/x", "*", "//x", "/a%20b", "/?", "/a#b", "a:80", "http://u@a/"]
VERSIONS = ["HTTP/1.1"] * 8 + ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "http/1.1"]
HOSTS = ["Host: a"] * 12 + ["Host: a:80", "Host:", "Host: a, b", "Host: u@a", "Host: [::1]", "X: y"]
FIELDS = ["X: y", "X:y", "X: ", "Accept: */*", "Cookie: a=b; c=d", "Connection: keep-alive", "Connection: close",
          "Connection: x y", "X: \xe9", "X: y\tz", "Content-Type: a/b", "Keep-Alive: 5", "TE: trailers",
          "Expect: 100-continue", "Expect: x", "X: y\x01", "X: y\r\n z", "Host: b", "Trailer: X"]
FRAMINGS = ["", "", "Content-Length: 5", "Content-Length: 0", "Content-Length: 005", "Content-Length: +5",
            "Content-Length: 5, 5", "Content-Length: 5\r\nContent-Length: 5", "Content-Length: ",
            "Content-Length: 99999999999999999999", "Content-Length: 9999999999999999999",
            "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", "Transfer-Encoding: Chunked",
            "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: ,chunked",
            "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: identity",
            "Content-Length: 5\r\nTransfer-Encoding: chunked"]
BODIES = ["", "hello", "5\r\nhello\r\n0\r\n\r\n", "1\r\nh\r\n4;a=b\r\nello\r\n0\r\nX-T: 1\r\n\r\n",
          "5;a=\"b c\"\r\nhello\r\n0\r\n\r\n", "5;\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n",
          "8000000000000000\r\nhello", "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n", "0\r\n\r\n", "A\r\n0123456789\r\n00\r\n\r\n"]
SPICES = [b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b":", b",", b";", b"\x0b", b"\x7f", b"\xff", b"0", b"x", b"\"", b"\r\n ",
          b"HTTP/1.1", b"Host: a\r\n", b"chunked", b"\\", b"#", b"@", b"="]


def pick(rng, some):
    return some[rng.randrange(len(some))]


def request(rng):
    lines = [f"{pick(rng, METHODS)} {pick(rng, TARGETS)} {pick(rng, VERSIONS)}", pick(rng, HOSTS)]
    lines += [pick(rng, FIELDS) for _ in range(rng.randrange(4))]
    framing = pick(rng, FRAMINGS)
    if framing:
        lines.insert(rng.randrange(1, len(lines) + 1), framing)
    return ("\r\n".join(lines) + "\r\n\r\n" + (pick(rng, BODIES) if framing else "")).encode("latin-1")


def spoil(rng, data):
    at = rng.randrange(len(data) + 1)
    how = rng.randrange(6)
    if how == 0:
        return data[:at] + pick(rng, SPICES) + data[at:]
    if how == 1:
        return data[:at] + data[at + 1 + rng.randrange(3):]
    if how == 2:
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1:]
    if how == 3:
        return data[:at] + data[max(0, at - rng.randrange(12)):]
    if how == 4:
        return data[:at] + bytes([data[at % len(data)] ^ 1 << rng.randrange(8)]) + data[at + 1:]
    return data[:at]


def is_plain(data):
    """No tunnel: behind an offer to change the protocol llhttp stops."""
    return b"pgrade" not in data and b"CONNECT" not in data


def inputs(count, seed):
    rng = random.Random(seed)
    known = [row.data for row in rows() if row.side == ">" and is_plain(row.data)]
    yield from known
    for i in range(count):
        data = pick(rng, known) if i % 3 == 0 else b"".join(request(rng) for _ in range(rng.randrange(1, 4)))
        for _ in range(rng.randrange(3)):
            data = spoil(rng, data) or b"x"
        if is_plain(data):
            yield data


# --- what both make of them ------------------------------------------------------------------

def ask(command, data):
    framed = b"".join(struct.pack("<I", len(d)) + d for d in data)
    done = subprocess.run(command, input=framed, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode("utf-8").split("\n") if line]


def fields_of(message):
    """As they count: without white space behind a value, and with the Host of a target that has one
    (RFC 9112 §3.2.2)."""
    absolute = message["target"].lower().startswith("http://")
    return [[name, "" if absolute and name.lower() == "host" else value.rstrip(" \t")]
            for name, value in message["fields"]]


def same_head(ours, theirs):
    return (ours["method"] == theirs["method"] and ours["target"] == theirs["target"]
            and fields_of(ours) == fields_of(theirs))


def same(ours, theirs):
    return same_head(ours, theirs) and ours["whole"] == theirs["whole"] and ours["body"] == theirs["body"]


class Tally:
    def __init__(self):
        self.agreed, self.stricter, self.laxer = 0, collections.Counter(), collections.Counter()
        self.unexplained = []

    def wrong(self, what, data, ours, theirs):
        self.unexplained.append(f"{what}\n  {data!r}\n  codec  {ours}\n  llhttp {theirs}")

    def ahead(self, data, ours, theirs, message):
        """The codec has a message that llhttp has refused."""
        reason, holds = LAXER.get(theirs["end"], (None, None))
        if reason and holds(data, message):
            self.laxer[theirs["end"]] += 1
        else:
            self.wrong("laxer", data, ours, theirs)

    def behind(self, data, ours, theirs):
        """llhttp has a message that the codec has refused."""
        self.stricter[ours["end"]] += 1
        if ours["end"] not in STRICTER:
            self.wrong("stricter without a reason", data, ours, theirs)

    def take(self, data, ours, theirs):
        got, want = ours["messages"], theirs["messages"]
        refused, failed = ours["end"] not in ("more", "closed"), theirs["end"] != "more"
        n = next((i for i, pair in enumerate(zip(got, want)) if not same(*pair)), min(len(got), len(want)))
        if n == len(got) == len(want) or (n == len(got) and failed and not refused and n == len(want)):
            self.behind(data, ours, theirs) if refused and not failed else self.agree()
        elif n == len(got):
            self.behind(data, ours, theirs) if refused else self.wrong("messages less", data, ours, theirs)
        elif n == len(want):
            self.ahead(data, ours, theirs, got[n]) if failed else self.wrong("more messages", data, ours, theirs)
        elif not same_head(got[n], want[n]):
            self.wrong("another head", data, ours, theirs)
        elif refused and not got[n]["whole"]:
            self.behind(data, ours, theirs) if want[n]["whole"] or not failed else self.agree()
        elif failed and not want[n]["whole"]:
            self.ahead(data, ours, theirs, got[n])
        else:
            self.wrong("another body", data, ours, theirs)

    def agree(self):
        self.agreed += 1


def main():
    judge, count, seed = sys.argv[1], int((sys.argv + ["", "12000"])[2] or 12000), int((sys.argv + [0] * 4)[3] or 1)
    data = list(inputs(count, seed))
    ours = ask([judge], data)
    theirs = ask(["node", "--no-deprecation", str(HERE / "oracle.js")], data)
    assert len(ours) == len(theirs) == len(data)
    tally = Tally()
    for row in zip(data, ours, theirs):
        tally.take(*row)
    print(f"{len(data)} inputs, {tally.agreed} judged alike")
    for name, number in tally.stricter.most_common():
        print(f"{number:7} stricter: {name}: {STRICTER.get(name)}")
    for name, number in tally.laxer.most_common():
        print(f"{number:7} laxer: {name}: {LAXER[name][0]}")
    print("\n".join(tally.unexplained[:20]))
    if tally.unexplained:
        sys.exit(f"{len(tally.unexplained)} differences without a reason")


if __name__ == "__main__":
    main()
