# SPDX-License-Identifier: BSD-3-Clause
"""A group of origins behind `proxy` and `lb`: what the tests of both begin with."""

import collections
import socket
import struct
import threading

from conftest import CPU
from lab import Nginx, Sluiced, ports_text

CONF = """daemon = {{ workers = [ {cpu} ]; memory_mb = 128; run_dir = "@RUN_DIR@"; {daemon} }};
{ports}
upstreams = ( {{ name = "web"; {group} servers = ( {servers} ); }} );
functions = (
  {{ name = "route"; plugin = "proxy"; config = {{ {proxy} }}; }},
  {{ name = "spread"; plugin = "lb"; config = {{ {lb} }}; }} );
chains = ( {{ name = "www"; listen = "10.10.1.1:80"; {chain} path = [ "route", "spread" ]; }} );
"""

ALL = 'routes = ( { upstream = "web"; } );'


def server_text(server):
    address, more = server if isinstance(server, tuple) else (server, "")
    return f'{{ address = "{address}"; {more} }}'


class Group:
    """curl, the daemon, and origins on ports 8081, 8082, … of one machine."""

    def __init__(self, lab):
        self.lab = lab
        lab.middlebox(["wan", "lan"])
        self.client = lab.peer("wan")
        self.machine = lab.peer("lan")
        self.origins = []
        self.sluiced = None

    def nginx(self, count, extra=""):
        for number in range(1, count + 1):
            self.origins.append(Nginx(self.lab, self.machine, f"o{number}", port=8080 + number,
                                      extra=extra))
        return [o.endpoint for o in self.origins]

    def text(self, servers, **parts):
        words = {"group": "", "proxy": ALL, "lb": "", "daemon": "", "chain": ""} | parts
        return CONF.format(cpu=CPU, ports=ports_text(["wan", "lan"]),
                           servers=", ".join(map(server_text, servers)), **words)

    def run(self, servers, **parts):
        self.sluiced = Sluiced(self.lab, self.text(servers, **parts))

    def curl(self, path, *args):
        return self.client.curl(*args, f"http://10.10.1.1{path}")

    def status(self, path, *args):
        return int(self.curl(path, "-o", "/dev/null", "-w", "%{http_code}", *args))

    def who(self, count=1, *args):
        """Which origins answered `count` requests, and how often."""
        urls = [f"http://10.10.1.1/who?{n}" for n in range(count)]
        return collections.Counter(self.client.curl(*args, *urls).split())

    def upstream(self, *words):
        return self.sluiced.ctl("upstream", "web", *words)

    def states(self):
        return {row["server"].split(":")[-1]: row["state"] for row in self.sluiced.show("upstreams")}

    def count(self, name):
        return next(s["value"] for s in self.sluiced.show("stats")
                    if s["name"] == name and "engine" in s["group"])

    def end(self):
        self.sluiced.wait_no_buffers()
        self.sluiced.stop()
        assert "ERROR: AddressSanitizer" not in self.sluiced.log_path.read_text()


class Names:
    """A server of DNS in a namespace: one name, its IPv4 addresses, their TTL."""

    def __init__(self, ns, port, name, addresses, ttl):
        self.addresses = addresses
        self.ttl = ttl
        self.name = name
        self.questions = 0
        with ns.entered():
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", port))
        threading.Thread(target=self.serve, daemon=True).start()

    def answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        question = query[12:at + 5]
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
        known = ".".join(labels) == self.name
        records = [] if kind != 1 or not known else [
            b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, self.ttl, 4) + socket.inet_aton(a)
            for a in self.addresses]
        self.questions += 1
        return (query[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, len(records), 0, 0)
                + question + b"".join(records))

    def serve(self):
        while True:
            query, peer = self.sock.recvfrom(4096)
            self.sock.sendto(self.answer(query), peer)
