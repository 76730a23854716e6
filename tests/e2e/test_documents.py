# SPDX-License-Identifier: BSD-3-Clause
"""What the documents show works as it stands there."""

import re
import shutil

import pytest

from conftest import CPU
from lab import BUILD, TOP, Nginx, Sluiced, ports_text, sh

README = (TOP / "README.md").read_text()
PLUGINS = sorted(p.parent.name for p in TOP.glob("nf/*/README.md")
                 if "sluice_plugin(" in (p.parent / "CMakeLists.txt").read_text())

# What a sample that shows only functions stands in.
AROUND = """
ports = ( {{ name = "wan"; device = "net_null0"; addresses = [ "10.0.0.1/24" ]; }} );
upstreams = ( {{ name = "web"; servers = ( {{ address = "10.0.0.2:80"; }} ); }},
              {{ name = "api"; servers = ( {{ address = "10.0.0.3:80"; }} ); }} );
{text}
chains = ( {{ name = "www"; listen = "10.0.0.1:80"; path = [ {path} ]; }} );
"""


def blocks(text, kind=""):
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


def block_with(text, word, kind=""):
    return next(b for b in blocks(text, kind) if word in b)


def assert_right(lab, text):
    """Accepted by sluiced -t, on whatever CPUs this machine has."""
    path = lab.file("sample.conf", re.sub(r"workers = \[.*?\]", f"workers = [ {CPU} ]", text))
    done = sh(str(BUILD / "bin/sluiced"), "-t", "-c", str(path), check=False)
    assert done.returncode == 0 and "is right" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("path", sorted(TOP.glob("configs/*.conf")), ids=lambda p: p.stem)
def test_chains_to_start_from(lab, path):
    assert_right(lab, path.read_text())


def test_the_readmes_configuration(lab):
    whole = block_with(README, "daemon = {")
    assert_right(lab, whole)
    branching = block_with(README, "when = {")
    assert branching.startswith("chains = (")
    assert_right(lab, whole[:whole.index("chains = (")] + branching)
    assert_right(lab, whole[:whole.index("functions = (")] + block_with(README, 'protocol = "tcp"'))


# Every kind of section at once: a device that is not there yet, gateways, checks, the four functions.
WHOLE = """
daemon = { workers = [ 1 ]; poll = "adaptive"; memory_mb = 512; hugepages = "auto"; run_dir = "/run/sluice"; };
ports = ( { name = "wan"; device = "net_af_packet0,iface=sl-wan"; addresses = [ "10.10.0.1/24", "fd10::1/64" ]; mtu = 1500; } );
routes = ( { to = "0.0.0.0/0"; via = "10.10.0.254"; } );
upstreams = ( { name = "web"; balance = "p2c";
  servers = ( { address = "10.20.0.11:8080"; weight = 1; }, { address = "10.20.0.12:8080"; } );
  health = { path = "/"; interval_ms = 1000; fall = 3; rise = 2; }; } );
functions = (
  { name = "guard"; plugin = "filter"; config = { deny = ( { path = "^/admin"; status = 403; } ); }; },
  { name = "edge";  plugin = "cache";  placement = "process"; instances = 1; on_failure = "bypass"; config = { memory_mb = 64; }; },
  { name = "route"; plugin = "proxy";  config = { routes = ( { host = "*"; path = "^/"; upstream = "web"; } ); }; },
  { name = "spread"; plugin = "lb"; } );
chains = ( { name = "www"; listen = "10.10.0.1:80"; protocol = "http"; path = [ "guard", "edge", "route", "spread" ]; } );
"""


def test_a_whole_configuration(lab):
    assert_right(lab, WHOLE)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_functions_own_page(lab, plugin):
    page = (TOP / "nf" / plugin / "README.md").read_text()
    samples = [b for b in blocks(page) if "functions = (" in b]
    assert samples
    logo = lab.file("logo.svg", "<svg/>")
    site = lab.file("www/index.html", "a page").parent
    lab.dir.chmod(0o755)
    for text in samples:
        text = text.replace("/usr/share/sluice/logo.svg", str(logo)).replace("/srv/www", str(site))
        path = "" if "chains = (" in text else ", ".join(
            f'"{name}"' for name in re.findall(r'name = "(\w+)"; plugin = ', text))
        around = AROUND.format(text=text, path=path)
        if "upstreams = (" in text:
            around = re.sub(r"^upstreams = .*?\);$\n", "", around, count=1, flags=re.M | re.S)
            around = around.replace('"10.0.0.1', '"10.20.0.1')
        assert_right(lab, around)


def test_the_readmes_function(lab):
    """Compiled as the README says, named as it says, and origins see what it says."""
    shutil.copytree(BUILD / "lib/sluice", lab.dir / "plugins")
    lab.dir.chmod(0o755)
    source = lab.file("seen.c", block_with(README, "SLUICE_FUNCTION", "c"))
    command = re.search(r"^    (gcc .* seen\.c -o build/lib/sluice/seen\.so)$", README, re.M).group(1)
    sh(*command.replace("seen.c", str(source)).replace(
        "build/lib/sluice", str(lab.dir / "plugins")).split(), cwd=TOP)
    function = re.search(r'`(\{ name = "mine"; .*?\})`', README).group(1)
    lab.middlebox(["wan", "lan"])
    origin = Nginx(lab, lab.peer("lan"), "origin", extra="location /seen { return 200 $http_x_seen_by; }")
    sluiced = Sluiced(lab, f"""
daemon = {{ workers = [ {CPU} ]; memory_mb = 128; run_dir = "@RUN_DIR@"; plugin_dir = "{lab.dir}/plugins"; }};
{ports_text(["wan", "lan"])}
upstreams = ( {{ name = "web"; servers = ( {{ address = "{origin.endpoint}"; }} ); }} );
functions = ( {function},
  {{ name = "route"; plugin = "proxy"; config = {{ routes = ( {{ upstream = "web"; }} ); }}; }} );
chains = ( {{ name = "www"; listen = "10.10.1.1:80"; path = [ "mine", "route" ]; }} );
""")
    assert lab.peer("wan").curl("http://10.10.1.1/seen") == "me"
    sluiced.wait_no_buffers()
    sluiced.stop()
