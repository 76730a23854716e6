# SPDX-License-Identifier: BSD-3-Clause
"""Running it: sluicectl, reload, an idle daemon, a port that is pinged."""

import os
import signal
import threading
import time

import pytest

from conftest import chain_conf
from lab import BUILD, Download, Sluiced, wait_until

WHAT = ["status", "ports", "chains", "functions", "flows", "upstreams", "stats", "buffers", "cycles", "errors"]


@pytest.mark.parametrize("what", WHAT)
def test_show(chain, what):
    with chain.client.connect("10.10.1.1", 80) as sock:
        sock.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
        sock.recv(1000)
        text = chain.sluiced.ctl("show", what).stdout
        data = chain.sluiced.show(what)
    assert text.strip()
    assert data or what == "errors"


def test_show_cycles(chain):
    for _ in range(300):
        chain.client.curl("http://10.10.1.1/who")
        rows = {row["stage"]: row for row in chain.sluiced.show("cycles")}
        if rows["engine"]["cycles"]:
            break
    assert {"receive", "stack in", "engine", "rings", "transmit", "idle"} <= set(rows)
    assert rows["engine"]["per_turn"] > 0 and rows["idle"]["cycles"] > 0
    assert 99 < sum(row["share"] for row in rows.values()) < 101


def test_show_tells_what_happened(chain):
    for _ in range(3):
        chain.curl("/who")
    chain.status("/admin")
    www = chain.sluiced.show("chains")[0]
    assert (www["name"], www["state"], www["status_2xx"], www["status_4xx"]) == ("www", "active", 3, 1)
    assert [f["name"] for f in chain.sluiced.show("functions")] == ["guard", "edge", "route", "spread"]
    assert [u["server"] for u in chain.sluiced.show("upstreams")] == [o.endpoint for o in chain.origins]
    wan = chain.sluiced.show("ports")[0]
    assert wan["driver"] == "net_af_packet" and wan["shared_rx"] and wan["rx_packets"] > 0


def test_words_that_are_wrong(chain):
    for args in (["show", "prots"], ["shwo", "ports"], ["function", "restart", "nonesuch"]):
        done = chain.sluiced.ctl(*args, check=False)
        assert done.returncode in (1, 2) and done.stderr.strip()


def test_reload_takes_a_right_configuration(chain):
    assert chain.status("/private") == 404
    conf = chain.conf().replace('"^/admin"', '"^/private"')
    assert chain.sluiced.reload(conf).returncode == 0
    assert chain.status("/private") == 403
    assert chain.sluiced.show("status")["config_version"] == 2
    wait_until(lambda: len(chain.sluiced.show("chains")) == 1, 10, "the old version leaves")


def test_reload_refuses_a_wrong_one_whole(chain):
    conf = chain.conf().replace('"^/admin"', '"^/private"').replace('memory_mb = 16', 'memory_mb = "x"')
    done = chain.sluiced.reload(conf)
    assert done.returncode == 1
    assert f"{chain.sluiced.conf_path}:" in done.stderr
    assert chain.status("/admin") == 403 and chain.status("/private") == 404
    assert chain.sluiced.show("status")["config_version"] == 1


def test_reload_by_signal_under_load(chain):
    """No request fails, no connection is reset."""
    load = chain.client.start("wrk", "-t1", "-c20", "-d4s", "http://10.10.1.1/who", stdout=-1, text=True)
    for version in range(2, 7):
        time.sleep(0.4)
        chain.sluiced.conf_path.write_text(
            chain.conf().replace("^/admin", f"^/admin{version}").replace("@RUN_DIR@", str(chain.sluiced.run_dir)))
        os.kill(chain.sluiced.pid, signal.SIGHUP)
        wait_until(lambda v=version: chain.sluiced.show("status")["config_version"] == v, 10,
                   f"version {version} is in effect")
    out = load.communicate(timeout=30)[0]
    assert "Socket errors" not in out and "Non-2xx" not in out, out
    wait_until(lambda: len(chain.sluiced.show("functions")) == 4, 10, "old processes leave")


def test_idle_costs_little(chain):
    """The daemon and its four functions together."""
    chain.sluiced.assert_idle(seconds=5)


def test_ping(chain):
    assert "3 received" in chain.client.run("ping", "-c3", "-i0.2", "10.10.1.1").stdout


def test_the_watchdog_is_fed_by_progress(lab):
    lab.middlebox(["wan"])
    sluiced = Sluiced(lab, chain_conf(["wan"], ["10.10.1.2:8080"], path="guard route"),
                      env={"WATCHDOG_USEC": "1000000"})
    sluiced.wait_notified("WATCHDOG=1", 5)
    sluiced.stop()


def test_the_watchdog_is_fed_while_a_reload_waits(lab):
    """A function that takes its time to begin holds up the reload, and nothing else."""
    lab.middlebox(["wan"])
    conf = chain_conf(["wan"], ["10.10.1.2:8080"], path="guard route")
    sluiced = Sluiced(lab, conf, env={"WATCHDOG_USEC": "1000000"})
    sluiced.wait_notified("WATCHDOG=1", 5)
    slow = conf.replace('plugin = "filter"', f'plugin = "{BUILD}/tests/probe.so"').replace(
        'deny = ( { path = "^/admin"; status = 403; } );', 'init = "hang";')
    assert slow.count("hang") == 1
    begun = time.monotonic()
    done = sluiced.reload(slow)
    assert done.returncode == 1 and 'function "guard" was not ready after 10 s' in done.stderr
    fed = sum("WATCHDOG=1" in m for m in sluiced.messages)
    assert fed >= time.monotonic() - begun, f"fed {fed} times"
    assert sluiced.show("status")["config_version"] == 1
    sluiced.stop()


def test_reload_while_old_processes_still_end(chain):
    """They go on to belong to the daemon: it can be asked for them, and reloaded again."""
    old = [f["pid"] for f in chain.sluiced.show("functions") if f["name"] in ("guard", "edge")]
    for pid in old:
        os.kill(pid, signal.SIGSTOP)
    for version in (2, 3):
        conf = chain.conf().replace("^/admin", f"^/admin{version}").replace("memory_mb = 16", f"memory_mb = 1{version}")
        assert chain.sluiced.reload(conf).returncode == 0
        time.sleep(0.25)
        functions = chain.sluiced.show("functions")
        assert set(old) <= {f["pid"] for f in functions} or version == 3
        assert {f["name"] for f in functions} == {"guard", "edge", "route", "spread"}, functions
    assert chain.status("/admin3") == 403
    wait_until(lambda: len(chain.sluiced.show("functions")) == 4, 10, "the old processes are gone")


def test_a_refused_reload_leaves_nothing(chain):
    """One function cannot begin: the other, which had begun, ends too, in its own time."""
    conf = chain.conf().replace("^/admin", "^/private").replace("memory_mb = 16", "memory_mb = -1")
    before = chain.sluiced.show("functions")
    for _ in range(3):
        done = chain.sluiced.reload(conf)
        assert done.returncode == 1 and "memory_mb" in done.stderr
        chain.sluiced.show("functions")
    wait_until(lambda: len(chain.sluiced.show("functions")) == 4, 10, "what was begun ends")
    assert [f["pid"] for f in chain.sluiced.show("functions")] == [f["pid"] for f in before]


def keep_asking(client, bad):
    """GETs on one connection after another, until nobody listens. An answer that begins must end."""
    while True:
        try:
            sock = client.connect("10.10.1.1", 80, timeout=5)
        except OSError:
            return
        with sock:
            while True:
                data = b""
                try:
                    sock.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
                    while b"\n" not in data.partition(b"\r\n\r\n")[2]:
                        more = sock.recv(4096)
                        if not more:
                            raise ConnectionResetError("ended")
                        data += more
                except OSError as error:
                    if data:
                        bad.append((data, error))
                    break
                if not data.startswith(b"HTTP/1.1 200 "):
                    bad.append(data)
                if b"Connection: close" in data:
                    break


def test_sigterm_under_load(chain):
    """Every answer that begins is finished, and the end is not waited for longer than needed."""
    bad = []
    clients = [threading.Thread(target=keep_asking, args=(chain.client, bad)) for _ in range(8)]
    for thread in clients:
        thread.start()
    time.sleep(1)
    begun = time.monotonic()
    os.kill(chain.sluiced.pid, signal.SIGTERM)
    assert chain.sluiced.process.wait(20) == 0
    assert time.monotonic() - begun < 5
    for thread in clients:
        thread.join(20)
    assert not bad, bad[:3]
    assert not chain.sluiced.run_dir.exists()


def test_a_second_sigterm_stops_at_once(chain):
    """The drain is cut short, and the end is as orderly as any other."""
    chain.file("big.bin", os.urandom(1 << 20) * 8)
    download = Download(chain.client, "/big.bin")
    os.kill(chain.sluiced.pid, signal.SIGTERM)
    wait_until(lambda: chain.sluiced.show("status")["state"] == "draining", 5, "it drains")
    os.kill(chain.sluiced.pid, signal.SIGTERM)
    assert chain.sluiced.process.wait(10) == 0
    assert download.finish() < 8 << 20
    assert not chain.sluiced.run_dir.exists()


def test_a_hanging_up_while_draining_is_ignored(chain):
    chain.file("big.bin", os.urandom(1 << 20) * 8)
    download = Download(chain.client, "/big.bin")
    os.kill(chain.sluiced.pid, signal.SIGTERM)
    wait_until(lambda: chain.sluiced.show("status")["state"] == "draining", 5, "it drains")
    os.kill(chain.sluiced.pid, signal.SIGHUP)
    done = chain.sluiced.ctl("reload", check=False)
    assert done.returncode == 1 and "draining" in done.stderr
    assert download.finish() == 8 << 20
    assert chain.sluiced.process.wait(10) == 0
    assert "is not read again" in chain.sluiced.output()


def test_totals_go_on_over_a_reload(chain):
    for _ in range(3):
        chain.curl("/who")
    before = chain.sluiced.show("status")
    assert chain.sluiced.reload(chain.conf().replace("^/admin", "^/private")).returncode == 0
    chain.curl("/who")
    wait_until(lambda: len(chain.sluiced.show("chains")) == 1, 10, "the old version leaves")
    after = chain.sluiced.show("status")
    for name in ("exchanges_total", "connections_total"):
        assert after[name] == before[name] + 1, name
