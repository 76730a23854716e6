# SPDX-License-Identifier: BSD-3-Clause
"""The rows of tests/corpus/http_smuggling.tsv."""

import collections
import pathlib
import re

PATH = pathlib.Path(__file__).parent.parent / "corpus" / "http_smuggling.tsv"

Row = collections.namedtuple("Row", "side name rule outcome data seen")

PLAIN = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


def unescape(text):
    def one(match):
        code = match.group(1)
        return bytes([int(code[1:], 16)]) if code[:1] == b"x" else PLAIN[code]

    return re.sub(rb"\\(x[0-9a-f]{2}|.)", one, text.encode("ascii"))


def rows():
    for line in PATH.read_text().splitlines():
        if line and not line.startswith("#"):
            side, name, rule, outcome, data, *seen = line.split("\t")
            yield Row(side, name, rule, outcome, unescape(data), [unescape(s) for s in seen])
