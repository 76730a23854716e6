# SPDX-License-Identifier: BSD-3-Clause
"""A laboratory of network namespaces: clients, the middlebox and origins on one machine.

Everything a test or the demo starts is started here, and is gone when the lab is closed:
namespaces (their names are the lab's own), veth pairs, processes (by their pid), files.

    with Lab() as lab:
        lab.middlebox(["wan", "lan"])             a namespace for the daemon, with a peer for each port
        origin = Nginx(lab, lab.peer("lan"), "one")
        sluiced = Sluiced(lab, conf_text)
        print(lab.peer("wan").run("curl", "-s", "http://10.10.1.1/").stdout)

The kernel leaves checksums and segmentation to a device; a veth pair has none, so the
daemon's AF_PACKET port would see unfinished packets. Offloads of every veth are off.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import re
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
MB = 1024 * 1024
BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD", TOP / "build"))


class LabError(Exception):
    """Something in the lab did not go as it must; the text says what."""


def sh(*args, check=True, **kwargs):
    done = subprocess.run(args, text=True, capture_output=True, **kwargs)
    if check and done.returncode:
        raise LabError(f"{' '.join(map(str, args))}: exit {done.returncode}: {done.stderr.strip()}")
    return done


def wait_until(condition, seconds, what, step=0.02):
    """Waits for condition() to be true and returns what it gave."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"{what}: not after {seconds} s")
        time.sleep(step)


class Namespace:
    """A network namespace: a machine of its own, as far as the network goes."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.ip = None
        sh("ip", "netns", "add", name)
        sh("ip", "-n", name, "link", "set", "lo", "up")

    def command(self, *args):
        return ["ip", "netns", "exec", self.name, *map(str, args)]

    def run(self, *args, check=True, timeout=120, text=True, **kwargs):
        done = subprocess.run(self.command(*args), text=text, capture_output=True, timeout=timeout,
                              **kwargs)
        if check and done.returncode:
            raise LabError(f"{' '.join(map(str, args))}: exit {done.returncode}: {done.stderr}")
        return done

    def start(self, *args, **kwargs):
        """A process that the lab ends."""
        process = subprocess.Popen(self.command(*args), **kwargs)
        self.lab.processes.append(process)
        return process

    @contextlib.contextmanager
    def entered(self):
        """This thread is in the namespace: a socket made now stays there."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net", "rb") as before, \
                open(f"/run/netns/{self.name}", "rb") as inside:
            if libc.setns(inside.fileno(), 0):
                raise LabError(f"setns: {os.strerror(ctypes.get_errno())}")
            try:
                yield
            finally:
                libc.setns(before.fileno(), 0)

    def connect(self, host, port, timeout=10):
        with self.entered():
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        sock.connect((host, port))
        return sock

    def listen(self, port):
        with self.entered():
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.ip, port))
        sock.listen(128)
        return sock

    def packet_socket(self, interface="eth0"):
        """For frames made by hand."""
        with self.entered():
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            sock.bind((interface, 0))
        sock.settimeout(2)
        return sock

    def mac(self, interface="eth0"):
        text = sh("ip", "-n", self.name, "-j", "link", "show", interface).stdout
        return bytes.fromhex(json.loads(text)[0]["address"].replace(":", ""))

    def steer(self, interface, cpu):
        """That CPU takes what the interface (a pattern) receives; else it is the one that sends it."""
        self.run("sh", "-c", f"for q in /sys/class/net/{interface}/queues/rx-*; do echo {1 << cpu:x} > $q/rps_cpus; done")

    def curl(self, *args, **kwargs):
        return self.run("curl", "-sS", "--max-time", "60", *args, **kwargs).stdout

    def close(self):
        sh("ip", "netns", "del", self.name, check=False)


class Lab:
    def __init__(self, keep=False):
        self.id = f"{os.getpid():x}{int(time.time() * 1000) & 0xfff:03x}"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sluice-lab-"))
        self.dir.chmod(0o755)
        self.namespaces = []
        self.peers = {}
        self.processes = []
        self.daemons = []
        self.keep = keep
        self.mid = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if not self.keep:
            self.close()

    def namespace(self, name):
        ns = Namespace(self, f"sl{self.id}-{name}")
        self.namespaces.append(ns)
        return ns

    def middlebox(self, ports):
        """A namespace for the daemon with one veth for each port; behind each, a peer.

        Port number i (from 1) has the network 10.10.i.0/24: the daemon is .1, the peer .2.
        """
        self.mid = self.namespace("mid")
        for number, port in enumerate(ports, start=1):
            peer = self.namespace(port)
            peer.ip = f"10.10.{number}.2"
            self.peers[port] = peer
            self.veth(self.mid, port, peer, "eth0")
            sh("ip", "-n", peer.name, "addr", "add", f"{peer.ip}/24", "dev", "eth0")
            sh("ip", "-n", peer.name, "route", "add", "default", "via", f"10.10.{number}.1")
        return self.mid

    def peer(self, port):
        return self.peers[port]

    def veth(self, a, a_name, b, b_name):
        sh("ip", "-n", a.name, "link", "add", a_name, "type", "veth", "peer", "name", b_name,
           "netns", b.name)
        for ns, name in ((a, a_name), (b, b_name)):
            sh("ip", "netns", "exec", ns.name, "sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
            sh("ip", "netns", "exec", ns.name, "ethtool", "-K", name, "tx", "off", "rx", "off", "sg", "off",
               "tso", "off", "gso", "off", "gro", "off")
            sh("ip", "-n", ns.name, "link", "set", name, "up")

    def file(self, name, content):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        return path

    def record(self):
        """Writes down what must be ended later by end_recorded, for a lab that is kept."""
        path = self.dir / "lab.json"
        path.write_text(json.dumps({
            "pids": [p.pid for p in reversed(self.processes) if p.poll() is None],
            "namespaces": [ns.name for ns in self.namespaces], "dir": str(self.dir)}))
        return path

    @staticmethod
    def end_recorded(path):
        record = json.loads(pathlib.Path(path).read_text())
        for pid in record["pids"]:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
            wait_until(lambda p=pid: not pathlib.Path(f"/proc/{p}").exists(), 30, f"pid {pid} ends")
        for name in record["namespaces"]:
            sh("ip", "netns", "del", name, check=False)
        shutil.rmtree(record["dir"], ignore_errors=True)

    def close(self):
        for daemon in self.daemons:
            daemon.stop(check=False)
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        for ns in self.namespaces:
            ns.close()
        shutil.rmtree(self.dir, ignore_errors=True)


NGINX_CONF = """
daemon off;
worker_processes 1;
error_log {dir}/error.log warn;
pid {dir}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000;
    client_max_body_size 4g;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    types {{ text/plain txt; application/octet-stream bin; text/html html; }}
    server {{
        listen {port} backlog=4096 reuseport;
        add_header X-Origin {name} always;
        location = /who {{ add_header Cache-Control no-store; add_header X-Origin {name};
                           default_type text/plain; return 200 "{name}\\n"; }}
        location /cached/ {{ add_header Cache-Control max-age=60; add_header X-Origin {name}; root {root}; }}
        location /upload {{ dav_methods PUT; root {root}; create_full_put_path on; }}
        location / {{ root {root}; }}
        {extra}
    }}
}}
"""


class Nginx:
    """An origin: nginx in a namespace, serving a directory; every answer names it in X-Origin."""

    def __init__(self, lab, ns, name, port=8080, root=None, extra="", modules=""):
        self.dir = lab.dir / f"nginx-{name}"
        self.dir.mkdir()
        self.root = root or self.dir / "root"
        self.root.mkdir(exist_ok=True)
        for path in (lab.dir, self.dir, self.root):
            path.chmod(0o777 if path != lab.dir else 0o755)
        self.name = name
        self.ns = ns
        self.port = port
        self.endpoint = f"{ns.ip}:{port}"
        self.conf = self.dir / "nginx.conf"
        self.conf.write_text(modules + NGINX_CONF.format(dir=self.dir, port=port, name=name,
                                                         root=self.root, extra=extra))
        self.process = None
        self.start()

    def start(self):
        self.process = self.ns.start("nginx", "-c", str(self.conf), "-e", str(self.dir / "error.log"),
                                     stderr=subprocess.DEVNULL)
        wait_until(lambda: self.ns.run("curl", "-s", f"http://{self.endpoint}/who",
                                       check=False).returncode == 0, 10, f"origin {self.name} answers")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def file(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        for parent in (path.parent, path):
            parent.chmod(0o755)
        return path


def placed(conf, placement, names=r"[^\"]+"):
    """The configuration with these functions (an expression; all of them) placed there."""
    return re.sub(rf'(name = "(?:{names})"; plugin = "[^"]+";)', rf'\1 placement = "{placement}";', conf)


def placed_everywhere(conf):
    """As SLUICE_PLACEMENT has it, so that the same tests hold for processes and inline."""
    placement = os.environ.get("SLUICE_PLACEMENT")
    return placed(conf, placement) if placement else conf


class Sluiced:
    """The daemon in the lab's middlebox, as systemd would run it: READY is waited for."""

    def __init__(self, lab, conf, ns=None, ready=True, env=None, program=BUILD / "bin/sluiced"):
        self.lab = lab
        self.ns = ns or lab.mid
        self.run_dir = lab.dir / f"run{len(lab.daemons)}"
        self.conf_path = lab.file(f"sluice{len(lab.daemons)}.conf",
                                  placed_everywhere(conf.replace("@RUN_DIR@",
                                                                 str(self.run_dir))))
        self.socket = self.run_dir / "control.sock"
        self.log_path = lab.dir / f"sluiced{len(lab.daemons)}.log"
        self.log = open(self.log_path, "w", encoding="utf-8")
        self.notify_path = str(lab.dir / f"notify{len(lab.daemons)}.sock")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.notify_path)
        self.messages = []
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()
        self.process = self.ns.start(program, "-c", self.conf_path, stderr=self.log,
                                     stdout=self.log,
                                     env={**os.environ, "NOTIFY_SOCKET": self.notify_path, **(env or {})})
        lab.daemons.append(self)
        if ready:
            self.wait_ready()

    @property
    def pid(self):
        """Of sluiced itself: `ip netns exec` becomes it."""
        return self.process.pid

    def wait_ready(self, seconds=60):
        self.wait_notified("READY=1", seconds)

    def wait_notified(self, line, seconds=20):
        """Waits for a line that the daemon tells systemd."""
        end = time.monotonic() + seconds
        while not any(line in m for m in self.messages):
            if self.process.poll() is not None:
                raise LabError(f"sluiced ended with {self.process.returncode}:\n{self.output()}")
            if time.monotonic() >= end:
                raise LabError(f"sluiced did not say {line} in {seconds} s:\n{self.output()}")
            time.sleep(0.01)

    def listen(self):
        """Hears what the daemon tells systemd, always: nobody should have to wait to say it."""
        while message := self.notify.recv(4096):
            self.messages.append(message.decode())

    def output(self):
        self.log.flush()
        return self.log_path.read_text(encoding="utf-8")

    def ctl_command(self):
        return f"{BUILD / 'bin/sluicectl'} -s {self.socket}"

    def ctl(self, *args, check=True):
        return sh(*self.ctl_command().split(), *args, check=check)

    def show(self, what):
        return json.loads(self.ctl("--json", "show", what).stdout)

    def function(self, name, index=0):
        return [f for f in self.show("functions") if f["name"] == name][index]

    def signal_functions(self, number, choose):
        """Sends a signal to those that choose([function that is up]) names; how many there were."""
        chosen = choose([f for f in self.show("functions") if f["state"] == "up"])
        for function in chosen:
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(function["pid"], number)
        return len(chosen)

    def signal_function(self, name, number):
        """Sends a signal to the process of a function that is up, and returns its pid."""
        function = wait_until(lambda: (f := self.function(name))["state"] == "up" and f, 10, f"{name} is up")
        os.kill(function["pid"], number)
        return function["pid"]

    def stat(self, name):
        return sum(s["value"] for s in self.show("stats") if s["name"] == name)

    def rss_kb(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        return 0

    def pids(self):
        """The daemon's, and those of its functions."""
        return [self.pid] + [f["pid"] for f in self.show("functions")]

    def cpu_seconds(self):
        """What all its processes have used."""
        ticks = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def assert_idle(self, seconds=3, tries=4):
        """All its processes together need under 3% of a CPU; once is enough, on a busy machine."""
        shares = []
        for _ in range(tries):
            before, began = self.cpu_seconds(), time.monotonic()
            time.sleep(seconds)
            shares.append((self.cpu_seconds() - before) / (time.monotonic() - began))
            if shares[-1] < 0.03:
                return
        raise LabError(f"idle, but it used these shares of a CPU: {shares}")

    def reload(self, conf=None):
        if conf is not None:
            self.conf_path.write_text(placed_everywhere(conf.replace("@RUN_DIR@", str(self.run_dir))))
        return self.ctl("reload", check=False)

    def buffers_in_use(self):
        """{pool: buffers that anybody holds}, but for those in the devices' rings."""
        return {b["pool"]: b["in_use"] - (b["device"] or 0) for b in self.show("buffers")
                if b["in_use"] - (b["device"] or 0)}

    def wait_no_buffers(self, seconds=10):
        """Every buffer is back. TIME-WAIT holds none."""
        try:
            wait_until(lambda: not self.buffers_in_use(), seconds, "every buffer is back")
        except LabError as error:
            seen = [self.ctl("show", what).stdout for what in ("buffers", "flows", "functions", "upstreams", "errors")]
            raise LabError("\n".join([str(error), *seen])) from None

    def stop(self, check=True):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                if check:
                    raise LabError(f"sluiced did not stop:\n{self.output()}") from None
        if self.listener.is_alive():
            self.notify.shutdown(socket.SHUT_RDWR)
            self.listener.join()
        self.notify.close()
        self.log.close()
        if check and self.process.returncode:
            raise LabError(f"sluiced ended with {self.process.returncode}:\n{self.log_path.read_text()}")


class Origin:
    """An origin made by hand: `answer(sock)` is called for each connection, in a thread."""

    def __init__(self, ns, port, answer):
        self.endpoint = f"{ns.ip}:{port}"
        self.connections = 0
        self.listener = ns.listen(port)
        self.answer = answer
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self.serve, args=(sock,), daemon=True)
            thread.start()

    def serve(self, sock):
        with sock:
            sock.settimeout(20)
            with contextlib.suppress(OSError):
                self.answer(sock)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def read_head(sock):
    """The bytes up to the empty line, and what was read beyond it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return data, b""
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    return head + b"\r\n\r\n", rest


def read_all(sock):
    """Everything until the other side ends; a reset ends it too."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while True:
            more = sock.recv(65536)
            if not more:
                break
            data += more
    return data


class Download:
    """A GET whose client reads the answer's head and then nothing, until it is to finish: what is larger
    than the buffers on its way is under way for as long as a test needs it to be."""

    def __init__(self, peer, path, host="10.10.1.1"):
        self.sock = peer.connect(host, 80)
        self.sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        self.head, self.read = read_head(self.sock)
        assert self.head.startswith(b"HTTP/1.1 200 "), self.head

    def finish(self):
        """The body's length."""
        with self.sock:
            return len(self.read) + len(read_all(self.sock))


def big_file(path, size):
    """Random bytes of that size at `path`, made piece by piece; their sha256."""
    digest, piece = hashlib.sha256(), os.urandom(MB)
    with open(path, "wb") as f:
        for i in range(size // MB):
            part = i.to_bytes(8, "big") + piece[8:]
            f.write(part)
            digest.update(part)
    os.chmod(path, 0o644)
    return digest.hexdigest()


def sha256_of_download(client, url):
    return client.run("sh", "-c", f"curl -sS --max-time 300 {url} | sha256sum", timeout=320).stdout.split()[0]


def port_text(name, device, addresses, extra=""):
    """A port's part of a configuration; `addresses` are words of one text."""
    listed = ", ".join(f'"{address}"' for address in addresses.split())
    return f'{{ name = "{name}"; device = "{device}"; addresses = [ {listed} ]; {extra}}}'


def section(*ports):
    """The `ports` of a configuration, made of port_text."""
    return "ports = ( " + ",\n          ".join(ports) + " );\n"


def ports_text(ports, extra=""):
    """The `ports` of a configuration for Lab.middlebox(ports)."""
    return section(*(port_text(p, f"net_af_packet{i},iface={p}", f"10.10.{i + 1}.1/24", extra)
                     for i, p in enumerate(ports)))
