#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The main job, shown: a client, the middlebox and two origins, each a network namespace.

Each step prints one line: what is done, and what came of it. A step that does not hold
stops the demo with exit 1. Nothing is left behind, unless --keep is given.
"""

import argparse
import hashlib
import os
import re
import signal
import sys
import time

from lab import Lab, LabError, Nginx, Sluiced, ports_text, wait_until

MB = 1024 * 1024

CONF = """
daemon = {{ workers = [ {cpu} ]; poll = "adaptive"; memory_mb = 512; run_dir = "@RUN_DIR@"; }};
{ports}
upstreams = ( {{ name = "web"; balance = "round_robin";
  servers = ( {{ address = "{one}"; }}, {{ address = "{two}"; }} );
  health = {{ path = "/who"; interval_ms = 500; fall = 2; rise = 1; }}; }} );
functions = (
  {{ name = "guard"; plugin = "filter"; on_failure = "bypass";
     config = {{ deny = ( {{ path = "^/admin"; status = 403; }} ); }}; }},
  {{ name = "edge"; plugin = "cache"; on_failure = "bypass"; config = {{ memory_mb = 16; }}; }},
  {{ name = "route"; plugin = "proxy"; on_failure = "retry";
     config = {{ routes = ( {{ host = "*"; path = "^/"; upstream = "web"; }} ); }}; }},
  {{ name = "spread"; plugin = "lb"; on_failure = "bypass"; }} );
chains = ( {{ name = "www"; listen = "10.10.1.1:80"; protocol = "http";
             path = [ "guard", "edge", "route", "spread" ]; }} );
"""

PICTURE = """
   client                    middlebox: sluiced, one worker                        origins
 ┌──────────┐  veth  ┌───────────────────────────────────────────┐  veth  ┌──────────────────┐
 │ curl wrk ├────────┤ wan  TCP · HTTP        TCP · HTTP    lan1 ├────────┤ nginx "origin-1" │
 │ 10.10.1.2│        │ 10.10.1.1:80  │               ▲           │        └──────────────────┘
 └──────────┘        │               ▼  rings        │      lan2 ├────────┬──────────────────┐
                     │   guard → edge → route → spread           │        │ nginx "origin-2" │
                     │   filter  cache  proxy    lb   (processes)│        └──────────────────┘
                     └───────────────────────────────────────────┘
"""


class Steps:
    """Progress: a line for each step, the result behind it when it is there."""

    def __init__(self):
        self.color = sys.stdout.isatty()
        self.count = 0

    def paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.color else text

    def __call__(self, what, work):
        self.count += 1
        print(f"{self.count:2}. {what} … ", end="", flush=True)
        start = time.monotonic()
        try:
            result = work()
        except (LabError, AssertionError, KeyError, OSError) as error:
            print(self.paint("31", "FAILED") + f"\n    {error}")
            raise SystemExit(1) from error
        print(self.paint("32", "ok") + f"  {result}  ({time.monotonic() - start:.1f} s)")


def check(condition, text):
    if not condition:
        raise LabError(text)


def headers(client, path, *args):
    """The status and the fields of a GET."""
    text = client.curl("-o", "/dev/null", "-D", "-", *args, f"http://10.10.1.1{path}")
    status, *lines = text.replace("\r", "").strip().split("\n")
    fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    return int(status.split()[1]), fields


def curl_first(client):
    status, fields = headers(client, "/who")
    check(status == 200, f"status {status}")
    return f"200 from {fields['x-origin']}, via {fields.get('via', '?')}"


def take_turns(client):
    names = [client.curl("http://10.10.1.1/who").strip() for _ in range(6)]
    check(set(names) == {"origin-1", "origin-2"}, f"answers came from {names}")
    return " ".join(names)


def cache_states(client):
    first = headers(client, "/cached/page.txt")[1]
    second = headers(client, "/cached/page.txt")[1]
    check("hit" in second.get("cache-status", ""), f"the second answer was no hit: {second}")
    check("hit" not in first.get("cache-status", ""), f"the first answer was a hit: {first}")
    return f"first: {first['cache-status']}; then: {second['cache-status']}; age {second.get('age')}"


def denied(client):
    status, _ = headers(client, "/admin/secret")
    check(status == 403, f"status {status}, not 403")
    return "403, and no origin saw it"


def download(client, digest):
    done = client.run("sh", "-c", "curl -sS --max-time 120 http://10.10.1.1/big.bin | sha256sum")
    check(done.stdout.split()[0] == digest, "sha256 differs")
    return f"sha256 {digest[:16]}… on both sides"


def load(client, seconds=3):
    out = client.run("wrk", "-t1", "-c50", f"-d{seconds}s", "http://10.10.1.1/who").stdout
    check("Socket errors" not in out and "Non-2xx" not in out, f"wrk saw errors:\n{out}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)
    return f"{float(rate):,.0f} requests/s, no error"


def kill_during_download(client, sluiced, digest, size):
    transfer = client.start("sh", "-c", "curl -sS --max-time 120 --limit-rate 25M "
                                        "http://10.10.1.1/big.bin | sha256sum", stdout=-1, text=True)
    killed = []
    time.sleep(1)
    for name in ("edge", "guard"):
        check(transfer.poll() is None, "the download ended too early to be disturbed")
        pid = sluiced.signal_function(name, signal.SIGKILL)
        killed.append(f"{name} (pid {pid})")
        wait_until(lambda n=name, p=pid: sluiced.function(n)["state"] == "up"
                   and sluiced.function(n)["pid"] != p, 5, f"{name} runs again")
    out = transfer.communicate(timeout=120)[0]
    check(out.split()[0] == digest, "sha256 differs")
    return f"killed {', '.join(killed)}: both run again, {size // MB} MB arrived whole"


def counters(sluiced):
    copied, referenced = sluiced.stat("payload_copied_bytes"), sluiced.stat("payload_referenced_bytes")
    check(referenced > 100 * MB, f"only {referenced} bytes were passed by reference")
    return f"{referenced / MB:,.0f} MB by reference, {copied / MB:.2f} MB copied"


def all_back(sluiced):
    sluiced.wait_no_buffers()
    return "show buffers: none in use"


def show(sluiced):
    for what in ("functions", "chains", "upstreams"):
        print(f"\n$ sluicectl show {what}\n{sluiced.ctl('show', what).stdout}", end="")


def demo(lab, steps):
    size = 100 * MB
    ports = ["wan", "lan1", "lan2"]
    state = {}

    def namespaces():
        lab.middlebox(ports)
        return "client, middlebox and two origins, joined by veth"

    def origins():
        state["one"] = Nginx(lab, lab.peer("lan1"), "origin-1")
        state["two"] = Nginx(lab, lab.peer("lan2"), "origin-2")
        big = os.urandom(MB) * (size // MB)
        state["digest"] = hashlib.sha256(big).hexdigest()
        for origin in (state["one"], state["two"]):
            origin.file("big.bin", big)
            origin.file("cached/page.txt", "a page worth keeping\n")
        return "nginx on " + " and ".join(state[o].endpoint for o in ("one", "two"))

    def daemon():
        cpus = sorted(os.sched_getaffinity(0))
        state["sluiced"] = Sluiced(lab, CONF.format(cpu=cpus[-1], ports=ports_text(ports),
                                                    one=state["one"].endpoint,
                                                    two=state["two"].endpoint))
        names = [f"{f['name']} (pid {f['pid']})" for f in state["sluiced"].show("functions")]
        return "ready: " + ", ".join(names)

    print(PICTURE)
    steps("lay network namespaces", namespaces)
    steps("start two origins", origins)
    steps("start the middlebox, four functions as processes", daemon)
    client, sluiced, digest = lab.peer("wan"), state["sluiced"], state["digest"]
    steps("GET /who through the chain", lambda: curl_first(client))
    steps("the origins take turns", lambda: take_turns(client))
    steps("a cache miss, then a hit", lambda: cache_states(client))
    steps("a denied path", lambda: denied(client))
    steps(f"download {size // MB} MB", lambda: download(client, digest))
    steps("wrk, 50 connections, 3 s", lambda: load(client))
    steps("SIGKILL two functions while a download runs",
          lambda: kill_during_download(client, sluiced, digest, size))
    steps("what was copied", lambda: counters(sluiced))
    steps("every buffer is back", lambda: all_back(sluiced))
    show(sluiced)
    return sluiced


def keep_text(lab, sluiced):
    client = lab.peer("wan").name
    lab.keep = True
    print(f"""
It is left running. Talk to it:

  ip netns exec {client} curl -i http://10.10.1.1/who
  {sluiced.ctl_command()} show functions
  {sluiced.ctl_command()} show stats

The configuration is {sluiced.conf_path}; its log, {sluiced.log_path}.
To end it and everything around it:

  tests/e2e/demo.py --end {lab.record()}
""")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="leave it running and say how to talk to it")
    parser.add_argument("--end", metavar="FILE", help="end what --keep left")
    args = parser.parse_args()
    if args.end:
        Lab.end_recorded(args.end)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with Lab() as lab:
        sluiced = demo(lab, Steps())
        if args.keep:
            keep_text(lab, sluiced)
            return
        sluiced.stop()
    print("\nEvery step held. Nothing is left behind.")


if __name__ == "__main__":
    main()
