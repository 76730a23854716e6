# SPDX-License-Identifier: BSD-3-Clause
"""Running it: sluicectl, reload, an idle daemon, a port that is pinged."""

import os
import signal
import time

import pytest

from conftest import chain_conf
from lab import Sluiced, wait_until

WHAT = ["status", "ports", "chains", "functions", "flows", "upstreams", "stats", "buffers", "errors"]


@pytest.mark.parametrize("what", WHAT)
def test_show(chain, what):
    with chain.client.connect("10.10.1.1", 80) as sock:
        sock.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
        sock.recv(1000)
        text = chain.sluiced.ctl("show", what).stdout
        data = chain.sluiced.show(what)
    assert text.strip()
    assert data or what == "errors"


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
