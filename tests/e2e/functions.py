# SPDX-License-Identifier: BSD-3-Clause
"""One function before a real origin: what the tests of functions begin with."""

from conftest import CPU
from lab import Nginx, Sluiced, ports_text

CONF = """daemon = {{ workers = [ {cpu} ]; memory_mb = 128; run_dir = "@RUN_DIR@"; {daemon} }};
{ports}
upstreams = ( {{ name = "web"; servers = ( {{ address = "{origin}"; }} ); {upstream} }} );
functions = (
  {functions},
  {{ name = "route"; plugin = "proxy"; config = {{ routes = ( {{ upstream = "web"; }} ); }}; }} );
chains = ( {{ name = "www"; listen = "10.10.1.1:80"; path = [ {path} ]; {chain} }} );
"""


class Before:
    """curl, the daemon with functions (their text) on the path before `proxy`, nginx."""

    def __init__(self, lab, functions, path, locations="", origin=None, daemon="", upstream="", chain=""):
        self.lab = lab
        lab.middlebox(["wan", "lan"])
        self.client = lab.peer("wan")
        self.origin = origin(lab.peer("lan")) if origin else Nginx(
            lab, lab.peer("lan"), "origin", extra=locations)
        self.text = lambda functions: CONF.format(
            cpu=CPU, ports=ports_text(["wan", "lan"]), origin=self.origin.endpoint, daemon=daemon, upstream=upstream, chain=chain,
            functions=functions, path=", ".join(f'"{name}"' for name in [*path.split(), "route"]))
        self.sluiced = Sluiced(lab, self.text(functions))

    def curl(self, path, *args, **kwargs):
        return self.client.curl(*args, f"http://10.10.1.1{path}", **kwargs)

    def status(self, path, *args):
        return int(self.curl(path, "-o", "/dev/null", "-w", "%{http_code}", *args))

    def head(self, path, *args):
        """The head of the answer to a GET: status line first, fields with names in lower case."""
        lines = self.curl(path, "-o", "/dev/null", "-D", "-", *args).splitlines()
        fields = {}
        for line in lines[1:]:
            if line:
                name, value = line.split(": ", 1)
                fields.setdefault(name.lower(), []).append(value)
        return lines[0], fields

    def stat(self, function, counter):
        return sum(s["value"] for s in self.sluiced.show("stats")
                   if s["group"] == f"function {function}" and s["name"] == counter)

    def end(self):
        self.sluiced.wait_no_buffers()
        self.sluiced.stop()
        assert "ERROR: AddressSanitizer" not in self.sluiced.log_path.read_text()
