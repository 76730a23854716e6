# SPDX-License-Identifier: BSD-3-Clause
"""Paths that branch: which functions a request meets."""

from conftest import CPU
from lab import Sluiced, ports_text

CONF = """daemon = {{ workers = [ {cpu} ]; memory_mb = 128; run_dir = "@RUN_DIR@"; }};
{ports}
functions = (
  {{ name = "guard"; plugin = "filter"; config = {{ deny = ( {{ path = "^/secret"; status = 403; }} ); }}; }},
  {{ name = "api"; plugin = "static"; config = {{ responses = ( {{ path_prefix = "/"; body = "api"; }} ); }}; }},
  {{ name = "beta"; plugin = "static"; config = {{ responses = ( {{ path_prefix = "/"; body = "beta"; }} ); }}; }},
  {{ name = "pages"; plugin = "static"; config = {{ responses = ( {{ path_prefix = "/"; body = "pages"; }} ); }}; }} );
chains = ( {{ name = "www"; listen = "10.10.1.1:80"; path = [ "guard",
    {{ when = {{ path = "^/api"; }};
       path = [ {{ when = {{ header = "Cookie"; value = "beta=1"; }}; path = [ "beta" ]; }}, "api" ];
       else = [ "pages" ]; }} ]; }} );
"""


def test_each_request_takes_its_branch(lab):
    lab.middlebox(["wan"])
    sluiced = Sluiced(lab, CONF.format(cpu=CPU, ports=ports_text(["wan"])))

    def get(path, *args):
        return lab.peer("wan").curl(*args, f"http://10.10.1.1{path}")

    assert get("/api/1") == "api"
    assert get("/api/1", "-H", "Cookie: beta=1") == "beta"
    assert get("/") == "pages"
    assert get("/", "-H", "Cookie: beta=1") == "pages"
    assert get("/secret", "-o", "/dev/null", "-w", "%{http_code}") == "403"
    assert sluiced.show("chains")[0]["path"] == [
        "guard", "{ path ^/api: { header Cookie value beta=1: beta }, api | else: pages }"]
    sluiced.wait_no_buffers()
    sluiced.stop()
