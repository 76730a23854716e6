#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""peers [--rounds N] [--seconds S] [--rows TEXT] [--unsteered]: nginx, HAProxy and Varnish beside Sluice, over veth with wrk.

The peers stand on the kernel's stack, Sluice on AF_PACKET and on AF_XDP, each in a namespace of its own and on CPU 1;
wrk and the origin (nginx) are on CPU 0. wrk fills its CPU before most systems fill theirs, so what is compared is what
CPU 1 had to do for a request, the kernel's part included: its time that was not idle (/proc/stat), in cycles. All of them,
wrk too, go before whatever else the machine does; what others still use of CPU 1 is charged to whoever is measured.

What Sluice's cache does is also measured where no kernel is in between, over shared memory with `sluice-bench`: answers that
the worker gives again without asking the cache, and answers of the cache's process (daemon.recalls = 0).
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import sys

import harness
import proxy
from harness import CLIENT_CPU, SERVER_CPU, Lab, LabError, Sluiced, wait_until
from lab import Nginx, sh

CONNECTIONS = 50
# What is asked, its port and size, the peer, and the goal against it: at most that part of its cycles. Of hits it is times its
# requests, and wrk, which fills its CPU, cannot ask for so many: those without a kernel have that goal.
ROWS = [
    ("static", 80, 64, "nginx", 0.6), ("static", 80, 1024, "nginx", 0.6),
    ("proxy", 81, 1024, "haproxy", 0.6), ("cache hit", 82, 1024, "varnish", None),
]
HITS_TIMES = 10
SLUICES = {"sluice, AF_PACKET": "net_af_packet", "sluice, AF_XDP": "net_af_xdp"}
NEEDED = ("wrk", "nginx", "haproxy", "varnishd", "curl", "ethtool")
# A veth has no queue that could be polled from a socket: a system call for each look at it brings nothing.
MORE = {"net_af_xdp": ",busy_budget=0"}
# What wrk says as JSON: when its thread begins and when it has ended how busy the CPUs were, and what it counted.
DONE = """
local function stat()
  local lines = {}
  for line in io.lines("/proc/stat") do
    if line:match("^cpu%d") then lines[#lines + 1] = '"' .. line .. '"' end
  end
  return "[" .. table.concat(lines, ", ") .. "]"
end

init = function(args)
  io.write('\\nBEGAN ' .. stat() .. '\\n')
end

done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\nDONE {"stat": %s, "requests": %d, "bytes": %d, "us": %d, "p50": %d, "p99": %d, "errors": %d}\\n', stat(),
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def body(size):
    return (harness.LETTERS * (size // len(harness.LETTERS) + 1))[:size]


class OnCpu:
    """A namespace whose processes are on one CPU."""

    def __init__(self, ns, cpu):
        self.ns, self.cpu, self.ip = ns, cpu, ns.ip

    def start(self, *args, **kwargs):
        return self.ns.start("taskset", "-c", self.cpu, *args, preexec_fn=harness.first, **kwargs)

    def run(self, *args, **kwargs):
        return self.ns.run("taskset", "-c", self.cpu, *args, preexec_fn=harness.first, **kwargs)


class Network:
    """The client and the origin, and for each system a namespace between them: 10.10.N.0/24 and 10.20.N.0/24."""

    def __init__(self, lab, steered):
        self.lab, self.number, self.steered = lab, 0, steered
        self.client, self.origin = lab.namespace("client"), lab.namespace("origin")
        self.origin.ip = "0.0.0.0"

    def system(self, offloads):
        """A namespace with `wan` and `lan`; its number. Without `offloads` the kernel leaves nothing to the device."""
        self.number += 1
        ns = self.lab.namespace(f"s{self.number}")
        ns.ip = f"10.10.{self.number}.1"
        for net, name, outer in ((10, "wan", self.client), (20, "lan", self.origin)):
            self.wire(ns, name, outer, f"s{self.number}", offloads)
            sh("ip", "-n", outer.name, "addr", "add", f"10.{net}.{self.number}.2/24", "dev", f"s{self.number}")
        return ns, self.number

    def wire(self, ns, name, outer, outer_name, offloads):
        if offloads:
            sh("ip", "-n", ns.name, "link", "add", name, "type", "veth", "peer", "name", outer_name, "netns", outer.name)
            for side, end in ((ns, name), (outer, outer_name)):
                sh("ip", "-n", side.name, "link", "set", end, "up")
        else:
            self.lab.veth(ns, name, outer, outer_name)
        if self.steered:  # what is received is the receiver's work, not the sender's
            ns.steer(name, SERVER_CPU)
            outer.steer(outer_name, CLIENT_CPU)

    @staticmethod
    def kernel_addresses(ns, number):
        for net, name in ((10, "wan"), (20, "lan")):
            sh("ip", "-n", ns.name, "addr", "add", f"10.{net}.{number}.1/24", "dev", name)


# --- systems -----------------------------------------------------------------------------------

class Peer:
    """A system on the kernel's stack. `serves`: which rows it has a part in."""

    serves = ""

    def __init__(self, lab, network):
        ns, self.number = network.system(offloads=True)
        network.kernel_addresses(ns, self.number)
        self.dir = lab.dir / self.name
        self.dir.mkdir(mode=0o755)
        self.launch(lab, OnCpu(ns, SERVER_CPU))

    @property
    def origin(self):
        return f"10.20.{self.number}.2:8080"

    def url(self, port, size):
        return f"http://10.10.{self.number}.1:{port}/{size}"

    def has(self, what):
        return what == self.serves


class PeerNginx(Peer):
    name, serves = "nginx", "static"

    def launch(self, lab, ns):
        ns.ip = f"10.10.{self.number}.1"
        server = Nginx(lab, ns, "static", port=80, extra="open_file_cache max=16; open_file_cache_valid 1h; keepalive_timeout 1h;")
        for size in (64, 1024):
            server.file(str(size), body(size))


class PeerHaproxy(Peer):
    name, serves = "haproxy", "proxy"

    def launch(self, lab, ns):
        conf = lab.file("haproxy/haproxy.cfg", f"""
global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout connect 5s
    timeout client 1m
    timeout server 1m
    http-reuse always
frontend www
    bind :81
    default_backend web
backend web
    server origin {self.origin} pool-max-conn -1
""")
        ns.start("haproxy", "-db", "-f", conf, stdout=open(self.dir / "log", "w"), stderr=open(self.dir / "errors", "w"))


class PeerVarnish(Peer):
    name, serves = "varnish", "cache hit"

    def launch(self, lab, ns):
        vcl = lab.file("varnish/default.vcl", f"""
vcl 4.1;
backend origin {{ .host = "10.20.{self.number}.2"; .port = "8080"; }}
""")
        ns.start("varnishd", "-F", "-j", "none", "-n", self.dir / "work", "-a", ":82", "-f", vcl, "-s", "malloc,64m",
                 "-p", "thread_pools=1", stdout=open(self.dir / "log", "w"), stderr=open(self.dir / "errors", "w"))


SLUICE_CONF = """
daemon = {{ workers = [ {cpu} ]; hugepages = "off"; memory_mb = 256; drain_ms = 500; run_dir = "@RUN_DIR@"; }};
ports = ( {{ name = "wan"; device = "{driver}0,iface=wan{more}"; addresses = [ "10.10.{n}.1/24" ]; }},
          {{ name = "lan"; device = "{driver}1,iface=lan{more}"; addresses = [ "10.20.{n}.1/24" ]; }} );
upstreams = ( {{ name = "web"; keepalive = 256; health = {{ on = false; }}; servers = ( {{ address = "{origin}"; }} ); }} );
functions = ( {static},
  {{ name = "store"; plugin = "cache"; placement = "process"; cpu = {cpu}; config = {{ memory_mb = 16; }}; }},
  {{ name = "route"; plugin = "proxy"; placement = "inline"; config = {{ routes = ( {{ upstream = "web"; }} ); }}; }} );
chains = ( {{ name = "static"; listen = "10.10.{n}.1:80"; path = [ "pages" ]; }},
           {{ name = "proxy"; listen = "10.10.{n}.1:81"; path = [ "route" ]; }},
           {{ name = "cache"; listen = "10.10.{n}.1:82"; path = [ "store", "route" ]; }} );
"""


class PeerSluice(Peer):
    """All three in one daemon: static and proxy inline, the cache a process, on the worker's CPU."""

    def __init__(self, lab, network, name):
        self.name, self.driver = name, SLUICES[name]
        ns, self.number = network.system(offloads=False)
        text = SLUICE_CONF.format(cpu=SERVER_CPU, driver=self.driver, more=MORE.get(self.driver, ""), n=self.number, origin=self.origin,
                                  static=harness.static_function((64, 1024)))
        self.daemon = Sluiced(lab, text, ns=OnCpu(ns, SERVER_CPU))

    def has(self, what):
        return True


def systems_made(lab, network):
    """Those that can be had; {name: why not} for the others."""
    systems, absent = [make(lab, network) for make in (PeerNginx, PeerHaproxy, PeerVarnish)], {}
    for name in SLUICES:
        try:
            systems.append(PeerSluice(lab, network, name))
        except LabError as error:
            absent[name] = str(error).splitlines()[-1]
    return systems, absent


# --- without a kernel --------------------------------------------------------------------------

CACHE = f'{{ name = "store"; plugin = "cache"; placement = "process"; cpu = {SERVER_CPU}; arena_mb = 4; config = {{ memory_mb = 2; }}; }}'
# The load's origin says nothing of caches, and has a date of long ago.
FRESH = ('{ name = "fresh"; plugin = "headers"; placement = "inline"; arena_mb = 1; '
         'config = { response = ( { set = "Cache-Control"; value = "max-age=3600"; }, { set = "Date"; value = "$date"; } ); }; }')
HIT_SIZE = 1024


def hits_in_memory(args):
    """{name: results} of hits over shared memory."""
    results = {}
    with harness.laboratory(2, devices=4) as (lab, load):
        systems = [proxy.Proxy(lab, load, devices, name, functions=[CACHE, FRESH], path=["store", "fresh"], daemon=daemon)
                   for devices, name, daemon in (([0, 1], "sluice, shared memory", ""),
                                                 ([2, 3], "sluice, shared memory, cache asked", "recalls = 0;"))]
        for system in systems:
            system.fetch(load, HIT_SIZE, 1, proxy.FRAMES, ms=50, warm_ms=50)  # begins with what is to be hit
        for _ in range(args.rounds):
            for system in systems:
                result = system.fetch(load, HIT_SIZE, CONNECTIONS, proxy.FRAMES, ms=300, warm_ms=100)
                if result["origin"]["requests"] > result["requests_whole"] / 100:
                    raise LabError(f"not hits: {result['origin']} of {result['requests_whole']}")
                results.setdefault(system.name, []).append(result)
    return results


def memory_rows(results, varnish):
    """Rows for the report; of all rounds the medians."""
    for name, mine in results.items():
        times = harness.median(mine, "rate") / harness.median(varnish, "rate")
        yield harness.goal_row(f"cache hit, {HIT_SIZE} B against varnish: {name}", f"≥ {HITS_TIMES}× requests", f"{times:.1f}×", times >= HITS_TIMES)


# --- measuring ---------------------------------------------------------------------------------

def busy_seconds(lines, cpu):
    """Of that CPU since the machine started, by lines of /proc/stat; without programs that are nicer than ours."""
    for line in lines:
        words = line.split()
        if words[0] == f"cpu{cpu}":
            user, _nice, system, _idle, _wait, irq, softirq = (int(word) for word in words[1:8])
            return (user + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    raise LabError(f"there is no CPU {cpu}")


def hertz():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("cpu MHz"):
            return float(line.split(":")[1]) * 1e6
    raise LabError("/proc/cpuinfo does not say how fast a CPU is")


class Client:
    def __init__(self, lab, network, seconds):
        self.ns, self.seconds = OnCpu(network.client, CLIENT_CPU), seconds
        self.script = lab.file("done.lua", DONE)

    def wait(self, url):
        wait_until(lambda: self.ns.run("curl", "-sf", "-o", "/dev/null", "--max-time", "5", url, check=False).returncode == 0, 20,
                   f"{url} answers")

    def check(self, url, size):
        """One answer, which must be right to the byte."""
        answer = self.ns.run("curl", "-sS", "-i", "--max-time", "10", url).stdout
        head, _, text = answer.partition("\n\n")
        if not head.startswith("HTTP/1.1 200") or text != body(size):
            raise LabError(f"{url}: not the answer that it should be: {answer[:300]!r}")

    def measure(self, url, size):
        self.check(url, size)
        text = self.ns.run("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{self.seconds}s", "-s", self.script, url).stdout
        began, done = (json.loads(re.search(f"^{word} (.*)$", text, re.M)[1]) for word in ("BEGAN", "DONE"))
        busy = [busy_seconds(done["stat"], cpu) - busy_seconds(began, cpu) for cpu in (CLIENT_CPU, SERVER_CPU)]
        requests, seconds = done["requests"], done["us"] / 1e6
        if done["errors"] or not requests or done["bytes"] < requests * size:
            raise LabError(f"{url}: wrk says {done}")
        return {"rate": requests / seconds, "cycles": busy[1] * hertz() / requests, "client_busy": busy[0] / seconds,
                "server_busy": busy[1] / seconds, "p50_us": done["p50"], "p99_us": done["p99"], "requests": requests}


def measure(systems, client, rows, args):
    results = {(row, system.name): [] for row in rows for system in systems if system.has(row[0])}
    for row in rows:
        for system in systems:
            if system.has(row[0]):
                client.wait(system.url(row[1], row[2]))
    for number in range(args.rounds):
        for row in rows:
            for system in systems:
                if system.has(row[0]):
                    results[row, system.name].append(client.measure(system.url(row[1], row[2]), row[2]))
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
    return results


# --- what is shown -----------------------------------------------------------------------------

def row_name(row):
    return f"{row[0]}, {row[2]} B"


def verdict(row, mine, peer):
    """The goal, the figure that belongs to it, and whether it is reached; of each round the ratio, then the median."""
    ratio = statistics.median(harness.ratios(mine, peer, "cycles"))
    if not row[4]:
        return "", f"{ratio:.0%}", None
    return f"≤ {row[4]:.0%} of cycles", f"{ratio:.0%}", ratio <= row[4]


def table_row(row, name, mine, peer):
    goal, figure, reached = verdict(row, mine, peer) if name != row[3] else ("", "", None)
    return [f"{row_name(row)}: {name}", f"{harness.median(mine, 'rate') / 1e3:.1f}", harness.spread([r["rate"] / 1e3 for r in mine]),
            f"{harness.median(mine, 'cycles'):.0f}", figure, goal, "" if reached is None else "yes" if reached else "no",
            f"{harness.median(mine, 'p50_us'):.0f}", f"{harness.median(mine, 'p99_us'):.0f}",
            f"{harness.median(mine, 'client_busy'):.0%}", f"{harness.median(mine, 'server_busy'):.0%}"]


TITLES = ["over veth with wrk, 50 connections", "k/s", "of rounds", "cycles of CPU 1", "of the peer's", "goal", "reached", "p50 µs", "p99 µs",
          "CPU 0", "CPU 1"]


MEMORY_TITLES = [f"cache hits of {HIT_SIZE} B without a kernel", "k/s", "of rounds", "of varnish's", "cycles", "held up by"]


def memory_row(name, mine, varnish):
    return [name, f"{harness.median(mine, 'rate') / 1e3:.0f}", harness.spread([r["rate"] / 1e3 for r in mine]),
            f"{harness.median(mine, 'rate') / harness.median(varnish, 'rate'):.1f}×", f"{harness.median(mine, 'cycles'):.0f}",
            harness.held_up(mine)]


def summary(rows, results):
    """Rows of the issue's table, for the report."""
    for row in (row for row in rows if row[4]):
        for name in SLUICES:
            if results.get((row, name)):
                goal, figure, reached = verdict(row, results[row, name], results[row, row[3]])
                yield harness.goal_row(f"{row_name(row)} against {row[3]}: {name}", goal, figure, reached)


def benchmark(args):
    harness.needs_programs(NEEDED)
    rows = harness.chosen(ROWS, args.rows, row_name)
    with Lab() as lab:
        network = Network(lab, not args.unsteered)
        origin = Nginx(lab, OnCpu(network.origin, CLIENT_CPU), "origin", extra="tcp_nopush on; keepalive_timeout 1h; add_header Cache-Control max-age=3600;")
        origin.file("1024", body(1024))
        systems, absent = systems_made(lab, network)
        results = measure(systems, Client(lab, network, args.seconds), rows, args)
    goals = list(summary(rows, results))
    print(harness.table(TITLES, [table_row(row, name, mine, results[row, row[3]]) for (row, name), mine in results.items()]))
    for name, why in absent.items():
        print(f"absent: {name}: {why}")
    data = {f"{row_name(row)}: {name}": mine for (row, name), mine in results.items()}
    varnish = [mine for (row, name), mine in results.items() if name == "varnish"]
    if varnish:
        hits = hits_in_memory(args)
        data.update(hits)
        goals += memory_rows(hits, varnish[0])
        print(f"\n{harness.table(MEMORY_TITLES, [memory_row(name, mine, varnish[0]) for name, mine in hits.items()])}")
    harness.report("peers", data, goals)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="of each measurement")
    parser.add_argument("--unsteered", action="store_true", help="what a veth receives is the sender's work, as it is without RPS")
    parser.add_argument("--rows", default="", help="only those whose name has this in it")
    args = parser.parse_args()
    harness.main(lambda: benchmark(args))


if __name__ == "__main__":
    main()
