# SPDX-License-Identifier: BSD-3-Clause
"""What the end-to-end tests share: a lab for each test, and the four-process chain in it."""

import os

import pytest

from lab import BUILD, Lab, Nginx, Sluiced, ports_text

CPU = sorted(os.sched_getaffinity(0))[-1]

CHAIN = """
daemon = {{ workers = [ {cpu} ]; poll = "adaptive"; memory_mb = {memory_mb}; run_dir = "@RUN_DIR@"; {daemon} }};
{ports}
upstreams = ( {{ name = "web"; balance = "round_robin"; servers = ( {servers} ); {upstream} }} );
functions = (
  {{ name = "guard"; plugin = "filter"; on_failure = "{on_failure}";
     config = {{ deny = ( {{ path = "^/admin"; status = 403; }} ); }}; }},
  {{ name = "edge"; plugin = "cache"; on_failure = "{on_failure}"; config = {{ memory_mb = 16; }}; }},
  {{ name = "route"; plugin = "proxy"; on_failure = "retry";
     config = {{ routes = ( {{ host = "*"; path = "^/"; upstream = "web"; }} ); }}; }},
  {{ name = "spread"; plugin = "lb"; on_failure = "{on_failure}"; }} );
chains = ( {{ name = "www"; listen = "10.10.1.1:80"; protocol = "http";
             path = [ {path} ]; {chain} }} );
"""


def chain_conf(ports, origins, path="guard edge route spread", on_failure="bypass", memory_mb=256,
               daemon="", upstream="", chain="", cpus=CPU):
    """A configuration with the four functions, of which `path` is used.

    `ports`: names for Lab.middlebox, or the text of the whole section.
    """
    return CHAIN.format(
        cpu=cpus, ports=ports if isinstance(ports, str) else ports_text(ports),
        memory_mb=memory_mb, daemon=daemon, upstream=upstream, chain=chain,
        servers=", ".join(f'{{ address = "{o if isinstance(o, str) else o.endpoint}"; }}'
                          for o in origins),
        path=", ".join(f'"{name}"' for name in path.split()), on_failure=on_failure)


class Chain:
    """A client, the daemon with a chain, and two origins."""

    def __init__(self, lab, program=BUILD / "bin/sluiced", **conf):
        self.lab = lab
        self.ports = ["wan", "lan1", "lan2"]
        lab.middlebox(self.ports)
        self.client = lab.peer("wan")
        self.origins = [Nginx(lab, lab.peer(p), f"origin-{i}")
                        for i, p in enumerate(self.ports[1:], start=1)]
        self.conf = lambda **kw: chain_conf(self.ports, self.origins, **{**conf, **kw})
        self.sluiced = Sluiced(lab, self.conf(), program=program)

    def curl(self, path, *args, **kwargs):
        return self.client.curl(*args, f"http://10.10.1.1{path}", **kwargs)

    def status(self, path, *args):
        return int(self.curl(path, "-o", "/dev/null", "-w", "%{http_code}", *args))

    def file(self, name, content):
        for origin in self.origins:
            origin.file(name, content)


@pytest.fixture
def lab():
    with Lab() as it:
        yield it


@pytest.fixture
def chain(lab):
    """Ends with the checks that hold after every test: no buffer in use, an orderly stop."""
    it = Chain(lab)
    yield it
    if it.sluiced.process.poll() is None:
        it.sluiced.wait_no_buffers()
    it.sluiced.stop()
    assert "ERROR: AddressSanitizer" not in it.sluiced.log_path.read_text()
