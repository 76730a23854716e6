# SPDX-License-Identifier: BSD-3-Clause
"""Two programs and a wire of shared memory between them: how the benchmarks that are scripts measure.

`sluice-bench` runs on CPU 0 behind net_vhost; on CPU 1 runs what is measured, behind net_virtio_user.
Every system has a wire of its own, and all but the one that is measured are stopped (SIGSTOP): so
systems take turns, within a round each measurement of one stands beside those of the others, and
what is compared is their ratio. Of all rounds the medians are shown.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import statistics
import struct
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/e2e"))

from lab import BUILD, Lab, LabError, Sluiced, wait_until  # noqa: E402  (found by the line before)

CLIENT_CPU, SERVER_CPU = 0, 1
PAGES = pathlib.Path("/proc/sys/vm/nr_hugepages")
FREE = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
LOAD_MB, SYSTEM_MB = 96, 384  # of hugepages, for each system: in the load generator, and its own
SLUICED_MB = 256  # of it, what the daemon has for packets
CLIENT_FULL = 0.97  # of its time busy: then the load is what is measured
REPORT = TOP / "build/bench"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WRONG = ("wrong_head", "wrong_length", "wrong_byte", "refused", "stalled", "overflows")


class CannotRun(Exception):
    """The machine has not what a benchmark needs; the text says what."""


def needs():
    if os.geteuid():
        raise CannotRun("benchmarks on shared memory devices need root")
    if len(os.sched_getaffinity(0)) < 2:
        raise CannotRun("benchmarks on shared memory devices need two CPUs: one for the load, one for what is measured")


def needs_programs(names):
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        raise CannotRun(f"not installed: {' '.join(missing)}")


@contextlib.contextmanager
def hugepages(mb):
    """So many on top of what others use; given back afterwards."""
    want, before = mb // 2, int(PAGES.read_text())
    free = int(FREE.read_text())
    PAGES.write_text(str(before + want))
    if int(FREE.read_text()) - free < want:  # what is free may lie in pieces
        pathlib.Path("/proc/sys/vm/compact_memory").write_text("1")
        PAGES.write_text(str(before + want))
    try:
        if int(FREE.read_text()) - free < want:
            raise CannotRun(f"{mb} MB of hugepages are needed, and {(int(FREE.read_text()) - free) * 2} MB are to be had")
        yield
    finally:
        PAGES.write_text(str(before))


def first():
    """Before whatever else runs here: a session of its own, which the kernel's scheduler weighs as one."""
    os.setsid()
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        pathlib.Path("/proc/self/autogroup").write_text("-20")


class Here:
    """This machine as the lab's middlebox, without a namespace."""

    def __init__(self, lab, prefix=()):
        self.lab, self.prefix = lab, prefix

    def start(self, *args, **kwargs):
        process = subprocess.Popen([*self.prefix, *map(str, args)], preexec_fn=first, **kwargs)
        self.lab.processes.append(process)
        return process


def built(name):
    path = BUILD / "tests/bench" / name
    if not path.exists():
        raise CannotRun(f"{path} is not built")
    return path


def program(lab, name, *args, **kwargs):
    return Here(lab).start(built(name), *args, stdout=subprocess.PIPE, text=True, **kwargs)


def figure(name, *args):
    """The number that one of our programs prints."""
    return float(subprocess.check_output([built(name), *map(str, args)], preexec_fn=first, text=True))


def wait_word(process, what):
    line = process.stdout.readline()
    if line.strip() != "ready":
        raise CannotRun(f"{what} does not start: it says {line.strip()!r}, exit {process.wait()}")


class Load:
    """sluice-bench, with its devices."""

    def __init__(self, lab, devices):
        self.sockets = [lab.dir / f"wire{i}.sock" for i in range(devices)]
        texts = [f"net_vhost{i},iface={s},tso=1" for i, s in enumerate(self.sockets)]
        self.process = program(lab, "sluice-bench", CLIENT_CPU, LOAD_MB * devices, *texts, stdin=subprocess.PIPE)
        wait_word(self.process, "sluice-bench")

    def run(self, mode, **keys):
        words = [mode] + [f"{key}={value}" for key, value in keys.items()]
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise LabError(f"sluice-bench ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise LabError(f"{' '.join(words)}: {answer['error']}")
        return answer


class System:
    """What is measured: stopped except for its turns."""

    def __init__(self, name, device, address, process):
        self.name, self.device, self.address, self.process = name, device, address, process

    def busy_cycles(self):
        raise NotImplementedError

    def counters(self):
        """More that is counted while it is measured: {name: number}."""
        return {}

    @contextlib.contextmanager
    def turn(self):
        self.process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGSTOP)

    def measure(self, load, mode, size, path=None, **keys):
        with self.turn():
            counters, before = self.counters(), self.busy_cycles()
            result = load.run(mode, device=self.device, server=f"{self.address}:80", path=path or f"/{size}", size=size,
                              last=LETTERS[(size - 1) % 26], **keys)
            result["cycles"] = (self.busy_cycles() - before) / max(1, result["requests_whole"])
            result["counters"] = {name: value - counters[name] for name, value in self.counters().items()}
        result["packets"] = (result["frames_in"] + result["frames_out"]) / max(1, result["requests"])
        wrong = {key: result[key] for key in WRONG if result[key]}
        if result.get("origin", {}).get("wrong"):
            wrong["requests at the origin"] = result["origin"]["wrong"]
        if wrong or not result["requests"]:
            raise LabError(f"{self.name}, {mode}, {size} bytes, {keys}: not every answer came as it should: {wrong or 'none came'}: {result}")
        return result


class Limit(System):
    """Answers in frames of the MTU, as a server without TSO."""

    def __init__(self, lab, load, device):
        loads = lab.dir / "limit.load"
        process = program(lab, "bench-limit", f"net_virtio_user0,path={load.sockets[device]},mac=52:54:00:00:00:0{device + 1},queue_size=1024",
                          SERVER_CPU, "10.50.0.1", loads)
        wait_word(process, "bench-limit")
        self.loads = loads
        super().__init__("limit", device, "10.50.0.1", process)
        process.send_signal(signal.SIGSTOP)

    def busy_cycles(self):
        return struct.unpack("QQ", self.loads.read_bytes())[0]


class LimitTso(System):
    """The same process; the device cuts its answers."""

    def __init__(self, limit):
        self.busy_cycles = limit.busy_cycles
        super().__init__("limit, TSO", limit.device, limit.address, limit.process)

    def measure(self, load, mode, size, **keys):
        return super().measure(load, mode, size, path=f"/{size}?tso", **keys)


CONF = """
daemon = {{ workers = [ {cpu} ]; poll = "{poll}"; hugepages = "on"; memory_mb = {memory}; drain_ms = 100; run_dir = "@RUN_DIR@"; {daemon} }};
ports = ( {ports} );
{rest}
functions = ( {functions} );
chains = ( {{ name = "www"; listen = "10.50.0.1:80"; protocol = "http"; path = [ {path} ]; }} );
"""


ADDRESSES = ("10.50.0.1", "10.60.0.1")  # of what is measured: to clients, to origins
ORIGIN = "10.60.0.2"


def port_text(load, number, device, extra=""):
    """A port of the daemon's on a wire of the load's."""
    return (f'{{ name = "wire{number}"; addresses = [ "{ADDRESSES[number]}/24" ]; {extra} '
            f'device = "net_virtio_user{number},path={load.sockets[device]},mac=52:54:00:00:00:0{device + 1},queue_size=1024"; }}')


def static_function(sizes, placement="inline", name="pages"):
    responses = ", ".join(f'{{ path = "/{size}"; size_bytes = {size}; }}' for size in sizes)
    return (f'{{ name = "{name}"; plugin = "static"; placement = "{placement}"; arena_mb = 4; '
            f'config = {{ responses = ( {responses} ); }}; }}')


class Sluice(System):
    """`devices`: the load's wires, the one of clients first. More of the configuration in `daemon`, `port` (of each) and `rest`."""

    def __init__(self, lab, load, devices, name, functions, path, daemon="", port="", rest="", poll="busy"):
        ports = [port_text(load, number, device, port) for number, device in enumerate(devices)]
        conf = CONF.format(cpu=SERVER_CPU, memory=SLUICED_MB, ports=", ".join(ports), rest=rest, daemon=daemon, poll=poll,
                           functions=", ".join(functions), path=", ".join(f'"{p}"' for p in path))
        self.daemon = Sluiced(lab, conf, ns=Here(lab))
        super().__init__(name, devices[0], ADDRESSES[0], self.daemon.process)
        self.process.send_signal(signal.SIGSTOP)

    def busy_cycles(self):
        return self.daemon.stat("busy_cycles")

    def pids(self):
        return [f["pid"] for f in self.daemon.show("functions") if f["pid"]]


@contextlib.contextmanager
def laboratory(systems, devices=None):
    """A lab with hugepages for so many systems, and the load with a device for each or so many; CannotRun if that cannot be."""
    needs()
    devices = devices or systems
    with hugepages(devices * LOAD_MB + systems * SYSTEM_MB), Lab() as lab:
        load = Load(lab, devices)
        try:
            yield lab, load
        finally:
            for process in lab.processes:
                if process.poll() is None:
                    process.send_signal(signal.SIGCONT)


# --- figures ---------------------------------------------------------------------------------

def median(results, key):
    return statistics.median(result[key] for result in results)


def ratios(results, others, key="rate"):
    """Of each round: this system's figure as a part of the other's."""
    return [a[key] / b[key] for a, b in zip(results, others)]


def held_up(results):
    """By the load, when that was busy all the time."""
    return "load" if median(results, "busy") > CLIENT_FULL else ""


def spread(values):
    return f"{min(values):.2f}–{max(values):.2f}"


def table(titles, rows):
    """Aligned; the first column to the left, figures to the right."""
    cells = [list(titles)] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(titles))]
    lines = []
    for row in cells:
        first_cell, rest = row[0].ljust(widths[0]), [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join([first_cell, *rest]).rstrip())
    return "\n".join(lines)


def goal_row(what, goal, figure, reached):
    """A line of the table that `./run bench` ends with."""
    return {"what": what, "goal": goal, "figure": figure, "reached": bool(reached)}


def goals_table(rows):
    return table(["", "goal", "figure", "reached"], [[row["what"], row["goal"], row["figure"], "yes" if row["reached"] else "no"] for row in rows])


def report_read():
    path = REPORT / "report.json"
    return json.loads(path.read_text()) if path.exists() else {}


def report(name, data, goals=()):
    """Adds to build/bench/report.json what this benchmark found: every figure, and goals as goal_row makes them."""
    REPORT.mkdir(parents=True, exist_ok=True)
    whole = report_read()
    whole[name] = {"goals": list(goals), "data": data}
    (REPORT / "report.json").write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")


def main(benchmark):
    """Runs it; exit 0, 1 when it found something wrong, 77 when it cannot run here."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was taken is given back then, too
    try:
        benchmark()
    except CannotRun as error:
        print(f"cannot run: {error}", file=sys.stderr)
        sys.exit(77)
    except LabError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        sys.exit(1)


def chosen(rows, text, name_of=str):
    """Those whose name has `text` in it; without one it ends here, and says which there are."""
    found = [row for row in rows if text in name_of(row)]
    if not found:
        print(f'no row has "{text}" in its name; there are', *map(name_of, rows), sep="\n  ", file=sys.stderr)
        sys.exit(2)
    return found


def sweep(benchmark, text, rounds, ms):
    """The same for one that goes over rows: benchmark(args)."""
    parser = argparse.ArgumentParser(description=text.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--ms", type=int, default=ms, help="of each measurement")
    parser.add_argument("--rows", default="", help="only those whose name has this in it")
    args = parser.parse_args()
    main(lambda: benchmark(args))
