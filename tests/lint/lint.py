#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds what the compiler cannot: the direction of the arrows, and that the tour is true.

  layering   which folder may include which
  arrows     ARCHITECTURE.md, "The arrows", says the same
  paths      every path and function that ARCHITECTURE.md names exists, and every path in a README
  headers    every source file says its licence; every header has a guard
  words      no unfinished work is left behind
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]

# A folder, and what its files may include (by the first parts of the path).
MAY_INCLUDE = {
    "include": [],
    "l4stack": ["l4stack"],
    "mgmt/conf": ["mgmt/conf", "mgmt/nearest", "l4stack/base/addr.h"],
    "mgmt/nearest": ["mgmt/nearest"],
    "mgmt/ctl": ["mgmt/ctl", "mgmt/nearest"],
    "mgmt/sluicectl": ["mgmt"],
    "mgmt/systemd": ["mgmt/systemd"],
    "chain/http": ["chain/http"],
    "chain/ring": ["chain/ring"],
    "chain/ledger": ["chain/ledger", "chain/ring", "l4stack"],
    "chain/upstream": ["chain/upstream", "chain/ring", "chain/http", "mgmt/conf/conf.h", "l4stack"],
    "chain/when": ["chain/when", "chain/http", "mgmt/conf/conf.h"],
    "chain/engine": ["chain/engine", "chain/http", "chain/when", "chain/ring", "chain/ledger",
                     "chain/upstream", "mgmt/conf/conf.h", "l4stack"],
    "chain/supervise": ["chain/supervise", "chain/ring", "mgmt/conf/conf.h"],
    "chain/app": ["chain/app", "chain/ledger", "chain/ring", "chain/supervise/process.h",
                  "mgmt/conf/conf.h", "l4stack"],
    "dataplane": ["dataplane", "chain", "l4stack", "mgmt", "nf/sdk/core.h", "nf/sdk/object.h",
                  "nf/sdk/ringend.h", "nf/sdk/show.h", "nf/sdk/wall.h"],
    "nf/sdk": ["nf/sdk"],
    "nf/common": ["nf/common"],
    "nf/socket": ["nf/socket", "nf/sdk/arena.h", "nf/sdk/map.h", "nf/sdk/outring.h"],
    "tests/packetdrill/so": ["tests/packetdrill/so", "tests/packetdrill/packetdrill.h",
                             "tests/support", "l4stack"],
    "tests/packetdrill/play": ["tests/packetdrill/play", "tests/packetdrill/packetdrill.h",
                               "tests/support"],
}
SOURCES = ("include", "l4stack", "chain", "nf", "mgmt", "dataplane", "tests")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def sources():
    for folder in SOURCES:
        for path in sorted((TOP / folder).rglob("*")):
            if path.suffix in (".c", ".h", ".def", ".py"):
                yield path


def documents():
    yield from sorted(TOP.glob("*.md"))
    for folder in SOURCES:
        yield from sorted((TOP / folder).rglob("*.md"))


def home(path):
    """The longest row of MAY_INCLUDE that a file is below; a plugin is its own."""
    parts = path.relative_to(TOP).parts
    for n in range(len(parts) - 1, 0, -1):
        key = "/".join(parts[:n])
        if key in MAY_INCLUDE:
            return MAY_INCLUDE[key]
    if parts[0] == "nf":
        return ["/".join(parts[:2]), "nf/common"]
    return None


def check_layering(path, text):
    allowed = home(path)
    if allowed is None:
        return
    for name in INCLUDE.findall(text):
        if "/" in name and not any(name == a or name.startswith(a + "/") for a in allowed):
            yield f'includes "{name}", but may only include {", ".join(allowed) or "nothing"}'


def check_header(path, text):
    if "SPDX-License-Identifier: BSD-3-Clause" not in text[:200]:
        yield "has no SPDX-License-Identifier line"
    if path.suffix == ".h" and not re.search(r"#ifndef \w+_H\n#define \w+_H", text):
        yield "has no include guard"


def check_words(path, text):
    if path == pathlib.Path(__file__).resolve():
        return
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"line {number}: unfinished: {line.strip()}"


def check_paths(document):
    """Names in `backquotes` that look like paths (not like media types or what a build makes),
    and links."""
    text = document.read_text()
    names = re.findall(r"`(\w[\w.-]*/[\w./-]*)`", text) + re.findall(r"\]\(([\w./-]+)\)", text)
    for name in sorted(set(names)):
        if name.startswith(("text/", "application/", "build/")):
            continue
        if not (TOP / name).exists() and not (document.parent / name).exists():
            yield f"{document.relative_to(TOP)}: `{name}` does not exist"


def check_arrows():
    """A row of the tour's table for each folder of the product, and no row that says otherwise."""
    section = (TOP / "ARCHITECTURE.md").read_text().split("## The arrows")[1].split("\n## ")[0]
    rows = {folder: re.findall(r"`([^`]+)`", allowed)
            for folder, allowed in re.findall(r"^\| `([^`]+)` \| (.*) \|$", section, re.M)}
    for folder in sorted(set(rows) | {f for f in MAY_INCLUDE if not f.startswith("tests/")}):
        if rows.get(folder) != MAY_INCLUDE.get(folder):
            yield f"ARCHITECTURE.md: the arrows of {folder} are not those of tests/lint/lint.py"


def check_functions():
    text = (TOP / "ARCHITECTURE.md").read_text()
    code = "\n".join(p.read_text() for p in sources() if p.suffix in (".c", ".h"))
    for name in sorted(set(re.findall(r"`(\w+)\(\)`", text))):
        if not re.search(rf"\b{name}\(", code):
            yield f"ARCHITECTURE.md: there is no function `{name}()`"


def main():
    found = list(check_arrows()) + list(check_functions())
    for document in documents():
        found += check_paths(document)
    count = 0
    for path in sources():
        text = path.read_text()
        count += 1
        for check in (check_layering, check_header, check_words):
            found += [f"{path.relative_to(TOP)}: {what}" for what in check(path, text)]
    for line in found:
        print(line)
    print(f"{count} files, {len(found)} findings")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
