#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""idle [--rounds N] [--seconds S]: what the daemon and a function use when nothing happens, and how fast they are back.

An adaptive daemon with a function as a process, which has the worker's CPU, and `static` inline: the CPU time of all their threads over some seconds
without a packet, then requests of one connection that come one by one, five a second: each meets a daemon that sleeps.
Over shared memory, whose other end writes an eventfd; and over AF_PACKET on a veth, from a plain socket: with that the whole
way through the kernel and back. The client does not sleep while it waits: what it
would take to wake it is not the daemon's. Beside them stands what it takes to wake any thread that has slept on that CPU.
"""

import argparse
import contextlib
import os
import pathlib
import statistics
import time

import harness
from lab import ports_text

SIZE, EVERY_S = 64, 5
USED = 20  # requests, after which a connection's first ACKs, which do not wait for an answer, are past
PATIENCE_NS, AWAKE_NS = 5_000_000_000, 5_000_000
SHARE_MOST, FIRST_US = 0.01, 150
NOOP = f'{{ name = "noop"; plugin = "noop"; placement = "process"; cpu = {harness.SERVER_CPU}; arena_mb = 1; }}'


def cpu_ns(pid):
    """Of all its threads."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def shares(pids, seconds):
    """Of a CPU, of each process."""
    before, began = {pid: cpu_ns(pid) for pid in pids}, time.monotonic_ns()
    time.sleep(seconds)
    passed = time.monotonic_ns() - began
    return {pid: (cpu_ns(pid) - before[pid]) / passed for pid in pids}


def one_round(system, load, seconds):
    """Shares of the daemon and of the function; latency of requests after idleness."""
    with system.turn():
        pids = {"daemon": system.process.pid, "function": system.pids()[0]}
        used = shares(pids.values(), seconds)
    result = system.measure(load, "open", SIZE, connections=1, rate=EVERY_S, ms=seconds * 1000, warm_ms=500)
    return {"latency_us": result["latency_us"], "requests": result["requests"], **{name: used[pid] for name, pid in pids.items()}}


CONF = """
daemon = {{ workers = [ {cpu} ]; hugepages = "off"; memory_mb = 128; drain_ms = 500; run_dir = "@RUN_DIR@"; }};
{ports}
functions = ( {noop}, {static} );
chains = ( {{ name = "www"; listen = "10.10.1.1:80"; protocol = "http"; path = [ "noop", "pages" ]; }} );
"""
REQUEST = b"GET /64 HTTP/1.1\r\nHost: bench\r\n\r\n"


def at_once():
    """What wakes runs at once, whatever else the machine does: it is not others' time slices that are measured. Nothing
    here computes for long."""
    harness.first()
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


class First:
    """A namespace whose processes go before others."""

    def __init__(self, ns):
        self.ns = ns

    def start(self, *args, **kwargs):
        return self.ns.start(*args, preexec_fn=at_once, **kwargs)

    def run(self, *args, **kwargs):
        return self.ns.run(*args, **kwargs)


@contextlib.contextmanager
def awake():
    """This process is the load, on its CPU, and goes before others."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {harness.CLIENT_CPU})
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
        os.sched_setaffinity(0, cpus)


def recv_awake(sock, until_ns):
    """What comes, without sleeping; None: nothing has."""
    while time.monotonic_ns() < until_ns:
        with contextlib.suppress(BlockingIOError):
            return sock.recv(65536)
    return None


def rest(sock, seconds):
    """Nothing happens. At its end the client is awake again: its own caches are warm."""
    time.sleep(seconds)
    if recv_awake(sock, time.monotonic_ns() + AWAKE_NS) is not None:
        raise harness.LabError("something came that nobody had asked for")


def ask_us(sock):
    """From a request to the last byte of its answer, which is looked at."""
    began, data = time.monotonic_ns(), b""
    sock.sendall(REQUEST)
    while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < SIZE:
        more = recv_awake(sock, began + PATIENCE_NS)
        if not more:
            raise harness.LabError(f"the connection ended, or no answer came: {data!r}")
        data += more
    us = (time.monotonic_ns() - began) / 1e3
    if not data.startswith(b"HTTP/1.1 200") or not data.endswith((harness.LETTERS * 3)[:SIZE].encode()):
        raise harness.LabError(f"not the answer that it should be: {data!r}")
    return us


def over_packets(rounds, seconds):
    """Microseconds of requests after idleness, over AF_PACKET, and the shares of a CPU before: of each round."""
    with harness.Lab() as lab:
        lab.middlebox(["wan"])
        daemon = harness.Sluiced(lab, CONF.format(cpu=harness.SERVER_CPU, ports=ports_text(["wan"]), noop=NOOP,
                                                  static=harness.static_function((SIZE,))), ns=First(lab.mid))
        results = []
        with awake(), lab.peer("wan").connect("10.10.1.1", 80) as sock:
            sock.setblocking(False)
            for _ in range(USED):
                ask_us(sock)
            for _ in range(rounds):
                used = sum(shares({pid for pid in daemon.pids() if pid}, seconds).values())
                us = [(rest(sock, 1 / EVERY_S), ask_us(sock))[1] for _ in range(seconds * EVERY_S)]
                results.append({"share": used, "us": us})
        return results


def wake_us(times):
    """Of a thread that has slept on the worker's CPU as long as the daemon has: the median."""
    return harness.figure("bench-wake", harness.CLIENT_CPU, harness.SERVER_CPU, 1000 // EVERY_S, times)


def benchmark(args):
    wake = wake_us(args.rounds * args.seconds * EVERY_S)
    packets = over_packets(args.rounds, args.seconds)
    functions = [NOOP, harness.static_function((SIZE,))]
    with harness.laboratory(1) as (lab, load):
        system = harness.Sluice(lab, load, [0], "sluice", functions, ["noop", "pages"], poll="adaptive")
        results = [one_round(system, load, args.seconds) for _ in range(args.rounds)]
    used = statistics.median(r["daemon"] + r["function"] for r in results)
    first = statistics.median(r["latency_us"]["p50"] for r in results)
    packets_used = statistics.median(r["share"] for r in packets)
    packets_first = statistics.median(us for r in packets for us in r["us"])
    rows = [["AF_PACKET: daemon and function, of a CPU", f"{packets_used:.2%}", f"{SHARE_MOST:.0%}"],
            ["AF_PACKET: first request after idleness, median µs", f"{packets_first:.0f}", str(FIRST_US)],
            ["shared memory: daemon, of a CPU", f"{harness.median(results, 'daemon'):.2%}", ""],
            ["shared memory: function, of a CPU", f"{harness.median(results, 'function'):.2%}", ""],
            ["shared memory: together", f"{used:.2%}", f"{SHARE_MOST:.0%}"],
            ["shared memory: first request after idleness, p50 µs", f"{first:.0f}", str(FIRST_US)],
            ["of which: to wake a thread on that CPU, median µs", f"{wake:.0f}", ""]]
    print(harness.table(["idle, poll = \"adaptive\"", "figure", "goal"], rows))
    harness.report("idle", {"shared memory": results, "AF_PACKET": packets, "wake_us": wake}, [
        harness.goal_row("idle: daemon and function", f"≤ {SHARE_MOST:.0%} of a CPU", f"{max(used, packets_used):.2%}",
                         max(used, packets_used) <= SHARE_MOST),
        harness.goal_row("idle: first request after it, over shared memory", f"≤ {FIRST_US} µs", f"{first:.0f} µs", first <= FIRST_US),
        harness.goal_row("idle: first request after it, over AF_PACKET", f"≤ {FIRST_US} µs", f"{packets_first:.0f} µs", packets_first <= FIRST_US)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of idleness, and of requests")
    args = parser.parse_args()
    harness.main(lambda: benchmark(args))


if __name__ == "__main__":
    main()
