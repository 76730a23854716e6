# SPDX-License-Identifier: BSD-3-Clause
"""What changes while it runs: functions upgraded, scaled and drained, chains and all that is in them."""

import contextlib
import os
import re
import time

import pytest

from conftest import Chain
from lab import BUILD, Download, Nginx, placed, read_head, wait_until

PLUGINS = BUILD / "tests"
GET = b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n"


def with_witness(conf, extra="", config=""):
    """The chain of the tests with a function at its head that says who it is."""
    function = (f'functions = ( {{ name = "witness"; plugin = "{PLUGINS}/witness.so"; on_failure = "retry"; {extra} '
                f'config = {{ {config} }}; }},')
    return conf.replace("functions = (", function).replace('path = [ "guard"', 'path = [ "witness", "guard"')


@pytest.fixture
def witnessed(chain):
    reload(chain, with_witness(chain.conf()))
    return chain


def reload(chain, conf):
    done = chain.sluiced.reload(conf)
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def load(chain, seconds, connections=20):
    """wrk for that long; no request of it fails and no connection of it is reset."""
    wrk = chain.client.start("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "http://10.10.1.1/who", stdout=-1,
                             text=True)
    time.sleep(0.5)
    yield
    out = wrk.communicate(timeout=60)[0]
    assert "Socket errors" not in out and "Non-2xx" not in out and "requests in" in out, out


def field(chain, name):
    head = chain.curl("/who", "-D", "-", "-o", "/dev/null")
    return re.search(rf"(?im)^{name}: (.*?)\r?$", head).group(1)


def witnesses(chain, state="up"):
    return [f for f in chain.sluiced.show("functions") if f["name"] == "witness" and f["state"] == state]


def wait_witnesses(chain, n, seconds=20):
    """That many are up, and no others are left."""
    wait_until(lambda: len(witnesses(chain)) == n and
               sum(f["name"] == "witness" for f in chain.sluiced.show("functions")) == n,
               seconds, f"{n} witnesses are up, and no more")
    return witnesses(chain)


# --- upgrades -------------------------------------------------------------------------------------

def test_upgrade_under_load(witnessed):
    pid = field(witnessed, "x-process")
    assert field(witnessed, "x-build") == "1"
    with load(witnessed, 6):
        done = witnessed.sluiced.ctl("function", "upgrade", "witness", "--plugin", f"{PLUGINS}/witness_2.so")
        assert done.stdout == "upgraded\n"
    assert field(witnessed, "x-build") == "2" and field(witnessed, "x-process") != pid
    assert wait_witnesses(witnessed, 1)[0]["plugin"].endswith("witness_2.so")


def test_a_reload_takes_what_the_config_says(witnessed):
    witnessed.sluiced.ctl("function", "upgrade", "witness", "--plugin", f"{PLUGINS}/witness_2.so")
    with load(witnessed, 3):
        reload(witnessed, with_witness(witnessed.conf()))
    wait_witnesses(witnessed, 1)
    assert field(witnessed, "x-build") == "1"


def test_an_upgrade_that_dies_is_taken_back_under_load(witnessed):
    """It serves for a moment, and aborts: nobody notices, and the old process goes on."""
    pid = field(witnessed, "x-process")
    with load(witnessed, 5):
        done = witnessed.sluiced.ctl("function", "upgrade", "witness", "--plugin", f"{PLUGINS}/witness_ends.so",
                                     check=False)
        assert done.returncode == 1
        assert "first second" in done.stderr and "SIGABRT" in done.stderr, done.stderr
    assert (field(witnessed, "x-build"), field(witnessed, "x-process")) == ("1", pid)
    wait_witnesses(witnessed, 1)
    assert "SIGABRT" in witnessed.sluiced.output()


@pytest.mark.parametrize("plugin, why", [("/no/such.so", "No such file"), ("nonesuch", "not found; looked at"),
                                         (f"{PLUGINS}/probe_bare.so", "SLUICE_FUNCTION")])
def test_an_upgrade_that_cannot_begin_changes_nothing(witnessed, plugin, why):
    pid = field(witnessed, "x-process")
    done = witnessed.sluiced.ctl("function", "upgrade", "witness", "--plugin", plugin, check=False)
    assert done.returncode in (1, 2) and why in done.stderr, done.stderr
    assert field(witnessed, "x-process") == pid
    wait_witnesses(witnessed, 1)


def test_restart_is_graceful(chain):
    """Of a function whose death would be 503s."""
    reload(chain, with_witness(chain.conf()).replace('"retry"', '"reject"', 1))
    pid = field(chain, "x-process")
    with load(chain, 6):
        for _ in range(2):
            chain.sluiced.ctl("function", "restart", "witness")
    assert field(chain, "x-process") != pid
    assert wait_witnesses(chain, 1)[0]["restarts"] == 2


def test_the_old_process_ends_what_it_has(witnessed):
    witnessed.file("big.bin", os.urandom(1 << 20) * 8)
    old = witnesses(witnessed)[0]["pid"]
    download = Download(witnessed.client, "/big.bin")
    witnessed.sluiced.ctl("function", "restart", "witness")
    assert [f["pid"] for f in witnesses(witnessed, "draining")] == [old]
    assert int(field(witnessed, "x-process")) == witnesses(witnessed)[0]["pid"] != old
    assert download.finish() == 8 << 20
    wait_witnesses(witnessed, 1)


def test_others_are_answered_during_a_change(witnessed):
    """A change takes its second; the control socket does not wait for it, nor a second change."""
    upgrade = witnessed.client.start(*witnessed.sluiced.ctl_command().split(), "function", "upgrade", "witness",
                                     stdout=-1, text=True)
    wait_until(lambda: len(witnesses(witnessed)) + len(witnesses(witnessed, "draining")) == 2, 5, "both are there",
               step=0)
    done = witnessed.sluiced.ctl("function", "restart", "witness", check=False)
    assert done.returncode == 1 and "is being changed" in done.stderr
    assert upgrade.communicate(timeout=30)[0] == "upgraded\n"


# --- numbers --------------------------------------------------------------------------------------

class Streams:
    """Connections that stay open, each asked again and again who sees it."""

    def __init__(self, chain, count):
        self.socks = [chain.client.connect("10.10.1.1", 80) for _ in range(count)]

    def processes(self):
        for sock in self.socks:
            sock.sendall(GET)
        return [self.answer(sock) for sock in self.socks]

    @staticmethod
    def answer(sock):
        head, body = read_head(sock)
        assert head.startswith(b"HTTP/1.1 200 "), head
        want = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        while len(body) < want:
            body += sock.recv(4096)
        return int(re.search(rb"(?i)x-process: (\d+)", head).group(1))

    def close(self):
        for sock in self.socks:
            sock.close()


def test_scale_under_load(witnessed):
    """From one to four and to two: streams keep to their instance, unless it is a new one or gone."""
    streams = Streams(witnessed, 48)
    one = streams.processes()
    assert len(set(one)) == 1 and streams.processes() == one
    with load(witnessed, 6):
        assert witnessed.sluiced.ctl("function", "scale", "witness", "4").stdout == "scaled\n"
        four = streams.processes()
        up = [f["pid"] for f in witnesses(witnessed)]
        witnessed.sluiced.ctl("function", "scale", "witness", "2")
        two = streams.processes()
    assert len(up) == 4 and set(four) == set(up) and set(one) <= set(up)
    stayed = sum(before == after for before, after in zip(one, four))
    assert 1 <= stayed <= 24, f"{stayed} of 48 stayed; a quarter should"
    left = {f["pid"] for f in wait_witnesses(witnessed, 2)}
    assert set(one) <= left and set(two) == left
    assert all(after == before for before, after in zip(four, two) if before in left)
    assert streams.processes() == two
    streams.close()


def test_a_reload_of_the_number_scales(witnessed):
    pid = witnesses(witnessed)[0]["pid"]
    with load(witnessed, 4):
        reload(witnessed, with_witness(witnessed.conf(), "instances = 3;"))
        up = wait_witnesses(witnessed, 3)
    assert [f["instance"] for f in up] == [0, 1, 2] and up[0]["pid"] == pid
    reload(witnessed, with_witness(witnessed.conf(), "instances = 2;"))
    assert [f["pid"] for f in wait_witnesses(witnessed, 2)] == [f["pid"] for f in up[:2]]


def test_the_number_follows_the_queue(chain):
    reload(chain, with_witness(chain.conf(), "instances = { min = 1; max = 3; };", "work_us = 1000;"))
    wait_witnesses(chain, 1)
    with load(chain, 8, connections=64):
        wait_until(lambda: len(witnesses(chain)) == 3, 8, "three are up")
    done = chain.sluiced.ctl("function", "scale", "witness", "2", check=False)
    assert done.returncode == 1 and "follows the queue" in done.stderr
    wait_witnesses(chain, 1, 60)


def test_wrong_numbers(chain):
    pids = [f["pid"] for f in chain.sluiced.show("functions")]
    conf = with_witness(chain.conf(), "instances = { min = 3; max = 2; };")
    line = next(i for i, text in enumerate(conf.splitlines(), 1) if "min = 3" in text)
    error = chain.sluiced.reload(conf).stderr
    assert f"{chain.sluiced.conf_path}:{line}: functions.witness.instances: min 3 is above max 2" in error
    for number in ("0", "65", "x"):
        assert chain.sluiced.ctl("function", "scale", "guard", number, check=False).returncode in (1, 2)
    assert [f["pid"] for f in chain.sluiced.show("functions")] == pids


def test_drained_and_back(chain):
    """A function that may be left out is, until it is restarted."""
    assert chain.status("/admin") == 403
    with load(chain, 5):
        chain.sluiced.ctl("function", "drain", "guard")
        wait_until(lambda: chain.sluiced.function("guard")["state"] == "drained", 10, "its process has gone")
        assert chain.status("/admin") == 404
        chain.sluiced.ctl("function", "restart", "guard")
    assert chain.status("/admin") == 403 and chain.sluiced.function("guard")["state"] == "up"
    done = chain.sluiced.ctl("function", "drain", "route", check=False)
    assert done.returncode == 1 and "would wait for it" in done.stderr


def test_inline(chain):
    """An upgrade goes through the workers; there is nothing to scale or to drain."""
    reload(chain, placed(with_witness(chain.conf()), "inline", "witness"))
    with load(chain, 3):
        chain.sluiced.ctl("function", "upgrade", "witness", "--plugin", f"{PLUGINS}/witness_2.so")
    assert field(chain, "x-build") == "2"
    for words, why in ((["scale", "witness", "2"], "in every worker"), (["drain", "witness"], "no processes"),
                       (["upgrade", "witness"], "another path")):
        done = chain.sluiced.ctl("function", *words, check=False)
        assert done.returncode == 1 and why in done.stderr, done.stderr
    wait_until(lambda: sum(f["name"] == "witness" for f in chain.sluiced.show("functions")) == 1, 10, "one is left")


# --- all of the configuration ---------------------------------------------------------------------

def test_everything_changes_under_load(lab):
    """Chains, functions, upstreams and routes come, change and go; who is served does not notice."""
    chain = Chain(lab)
    late = Nginx(lab, lab.peer("lan2"), "late", port=8081)
    base = chain.conf()
    more = base.replace("upstreams = (", f'''upstreams = (
      {{ name = "late"; servers = ( {{ address = "{late.endpoint}"; }} ); }},''')
    more = more.replace("functions = (", """functions = (
      { name = "late-route"; plugin = "proxy"; on_failure = "retry";
        config = { routes = ( { host = "*"; path = "^/"; upstream = "late"; } ); }; },""")
    more = more.replace("chains = (", """chains = (
      { name = "late"; listen = "10.10.1.1:8080"; protocol = "http"; path = [ "guard", "late-route" ]; },""")
    routed = more.replace("upstreams = (", 'routes = ( { to = "192.0.2.0/24"; via = "10.10.2.2"; } );\nupstreams = (')
    changed = routed.replace('via = "10.10.2.2"', 'via = "10.10.3.2"').replace("^/admin", "^/private").replace(
        'balance = "round_robin"', 'balance = "least"').replace('"edge", "route"', '"route"')
    shrunk = base.replace(f', {{ address = "{chain.origins[1].endpoint}"; }}', "")
    with load(chain, 10):
        for conf in (more, routed, changed, more, shrunk, base):
            reload(chain, conf)
            if "late" in conf:
                assert chain.client.curl("http://10.10.1.1:8080/who").strip() == "late"
            assert chain.status("/private") == (403 if "^/private" in conf else 404)
            time.sleep(0.5)
    wait_until(lambda: [c["name"] for c in chain.sluiced.show("chains")] == ["www"], 10, "the old chains are gone")
    wait_until(lambda: len(chain.sluiced.show("functions")) == 4, 10, "the old processes are gone")
    chain.sluiced.wait_no_buffers()
    chain.sluiced.stop()


def test_both_versions_are_shown_while_the_old_one_drains(chain):
    chain.file("big.bin", os.urandom(1 << 20) * 8)
    download = Download(chain.client, "/big.bin")
    reload(chain, chain.conf().replace("^/admin", "^/private"))
    versions = {(c["version"], c["state"]) for c in chain.sluiced.show("chains")}
    assert versions == {(1, "draining"), (2, "active")}
    assert download.finish() == 8 << 20
    wait_until(lambda: len(chain.sluiced.show("chains")) == 1, 10, "the old version leaves")
