# SPDX-License-Identifier: BSD-3-Clause
"""As a service: installed, under a systemd that was really booted, with the unit as it is."""

import json
import os
import re
import subprocess
import time

import pytest

from conftest import CPU
from lab import BUILD, NGINX_CONF, Lab, sh, wait_until
from machine import CannotBoot, Machine
from threads import ended, stopped, thread_of

CONF = """
daemon = {{ workers = [ {cpu} ]; memory_mb = 128; drain_ms = 20000; }};
ports = ( {{ name = "wan"; device = "net_af_packet0,iface=wan"; addresses = [ "10.10.1.1/24" ]; }},
          {{ name = "lan"; device = "net_af_packet1,iface=lan"; addresses = [ "{lan}" ]; }} );
upstreams = ( {{ name = "web"; servers = ( {{ address = "10.10.2.2:8080"; }} ); }} );
functions = ( {{ name = "guard"; plugin = "filter"; config = {{ deny = ( {{ path = "{deny}"; status = 403; }} ); }}; }},
              {{ name = "route"; plugin = "proxy";
                 config = {{ routes = ( {{ host = "*"; path = "^/"; upstream = "web"; }} ); }}; }} );
chains = ( {{ name = "www"; listen = "10.10.1.1:80"; path = [ "guard", "route" ]; }} );
"""
BIG = 8 << 20


def conf(deny="^/admin", lan="10.10.2.1/24", cpu=CPU):
    return CONF.format(cpu=cpu, lan=lan, deny=deny)


# --- the machine: booted once, the build installed, a client and an origin ----------------------


def lay_wire(machine, number, port, peer):
    """A peer in a network namespace behind the interface that becomes a port."""
    machine.run("ip", "netns", "add", peer)
    machine.run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", peer)
    for where, name in (("", port), (f"ip netns exec {peer} ", "eth0")):
        machine.run("sh", "-c", f"{where}ethtool -K {name} tx off rx off sg off tso off gso off gro off")
        machine.run("sh", "-c", f"{where}ip link set {name} up")
    machine.run("ip", "-n", peer, "link", "set", "lo", "up")
    machine.run("ip", "-n", peer, "addr", "add", f"10.10.{number}.2/24", "dev", "eth0")
    machine.run("ip", "-n", peer, "route", "add", "default", "via", f"10.10.{number}.1")


def start_origin(machine):
    machine.run("mkdir", "-p", "/srv/root")
    machine.write("/srv/nginx.conf", NGINX_CONF.format(dir="/srv", port=8080, name="origin", root="/srv/root",
                                                       extra=""))
    machine.write("/srv/root/big.bin", "x" * BIG)
    machine.start("ip", "netns", "exec", "origin", "nginx", "-c", "/srv/nginx.conf", "-e", "/srv/error.log")
    wait_until(lambda: "200" in machine.run("ip", "netns", "exec", "origin", "curl", "-sIm1",
                                            "http://10.10.2.2:8080/who", check=False).stdout, 10, "nginx answers")


def install(machine):
    sh("cmake", "--install", str(BUILD), "--prefix", "/usr", env={**os.environ, "DESTDIR": str(machine.root)})
    machine.run("systemctl", "daemon-reload")


@pytest.fixture(scope="module")
def machine():
    with Lab() as lab:
        try:
            it = Machine(lab.dir)
        except CannotBoot as reason:
            pytest.skip(f"cannot boot systemd here: {reason}")
        with it:
            install(it)
            lay_wire(it, 1, "wan", "client")
            lay_wire(it, 2, "lan", "origin")
            start_origin(it)
            yield it


# --- the service in it --------------------------------------------------------------------------


class Service:
    def __init__(self, machine):
        self.machine = machine

    def systemctl(self, *args, check=True):
        return self.machine.run("systemctl", *args, check=check)

    def conf(self, text):
        self.machine.write("/etc/sluice/sluice.conf", text)

    def drop_in(self, text):
        """Above the unit, until the test is over. Sanitizers find leaks with what it forbids."""
        self.machine.write("/run/systemd/system/sluiced.service.d/test.conf",
                           "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n" + text)
        self.systemctl("daemon-reload")

    def show(self, name):
        return self.systemctl("show", "--value", "-p", name, "sluiced").stdout.strip()

    @property
    def pid(self):
        return int(self.show("MainPID"))

    def ctl(self, what):
        return json.loads(self.machine.run("sluicectl", "--json", "show", what).stdout)

    def curl(self, path, *args):
        return self.machine.run("ip", "netns", "exec", "client", "curl", "-sS", "--max-time", "20", *args,
                                f"http://10.10.1.1{path}").stdout

    def status(self, path):
        return int(self.curl(path, "-o", "/dev/null", "-w", "%{http_code}"))

    def journal(self):
        return self.machine.run("journalctl", "-q", "-o", "cat", "-u", "sluiced").stdout

    def functions(self):
        """Processes of functions, whoever's."""
        return self.machine.run("pgrep", "-x", "sluice-nf", check=False).stdout.split()

    def end(self):
        self.systemctl("stop", "sluiced", check=False)
        self.systemctl("reset-failed", "sluiced", check=False)


@pytest.fixture
def service(machine):
    it = Service(machine)
    it.drop_in("")
    it.conf(conf())
    yield it
    it.end()


@pytest.fixture
def running(service):
    service.systemctl("start", "sluiced")
    return service


# --- what is installed --------------------------------------------------------------------------


def test_the_unit_has_no_mistake(machine):
    done = machine.run("systemd-analyze", "verify", "sluiced.service", check=False)
    assert done.returncode == 0 and "sluiced" not in done.stderr, done.stderr


def test_the_unit_is_hardened(machine):
    """What systemd counts as open, of 10: the rights that devices need, and little else."""
    done = machine.run("systemd-analyze", "security", "--no-pager", "--threshold=30", "sluiced.service", check=False)
    assert done.returncode == 0, done.stdout


def test_what_is_installed(machine):
    for path in ("/usr/bin/sluiced", "/usr/bin/sluicectl", "/usr/bin/sluice-nf", "/usr/lib/sluice/filter.so",
                 "/usr/lib/systemd/system/sluiced.service", "/usr/include/sluice/nf.h", "/etc/sluice/sluice.conf",
                 "/usr/share/bash-completion/completions/sluicectl"):
        assert (machine.root / path.lstrip("/")).is_file(), path
    for example in sorted((machine.root / "etc/sluice/examples").iterdir()):
        done = machine.run("sluiced", "-t", "-c", f"/etc/sluice/examples/{example.name}")
        assert "is right" in done.stdout


def test_the_configuration_that_is_installed_serves(service):
    """minimal.conf: a tap device, which the unit must let it have."""
    if not (service.machine.root / "dev/net/tun").exists():
        pytest.skip("this machine has no /dev/net/tun")
    service.conf((service.machine.root / "etc/sluice/examples/minimal.conf").read_text())
    service.systemctl("start", "sluiced")
    # DPDK gives both ends of a tap device the same address.
    service.machine.run("ip", "link", "set", "sluice0", "address", "02:00:00:00:00:02")
    service.machine.run("ip", "addr", "add", "10.99.0.2/24", "dev", "sluice0")
    assert service.machine.run("curl", "-sS", "--max-time", "10", "http://10.99.0.1/").stdout == "Hello from Sluice.\n"


# --- start, status ------------------------------------------------------------------------------


def test_started_means_ready(running):
    assert running.status("/who") == 200
    assert running.status("/admin") == 403
    text = running.systemctl("status", "sluiced").stdout
    assert ('Status: "serving: 2 ports, 1 chain, 2 functions, 0 applications; '
            'configuration version 1"') in text, text
    assert len(running.functions()) == 2


def test_a_wrong_configuration_does_not_start(service):
    service.conf(conf().replace("memory_mb", "memori_mb"))
    assert service.systemctl("start", "sluiced", check=False).returncode != 0
    assert "/etc/sluice/sluice.conf:2: " in service.journal()
    assert not service.functions()


def test_a_cpu_that_is_not_ours_does_not_start(service):
    service.conf(conf(cpu=1000))
    assert service.systemctl("start", "sluiced", check=False).returncode != 0
    assert "/etc/sluice/sluice.conf:2: workers: there is no CPU 1000" in service.journal()


# --- reload -------------------------------------------------------------------------------------


def test_reload(running):
    pid = running.pid
    running.conf(conf(deny="^/private"))
    running.systemctl("reload", "sluiced")
    assert (running.status("/private"), running.status("/admin")) == (403, 404)
    assert running.show("StatusText").endswith("configuration version 2")
    assert running.pid == pid and running.show("ActiveState") == "active"


def refuses(service, text, word):
    """`systemctl reload` fails and says why; all goes on as it was."""
    pid = service.pid
    service.conf(text)
    assert service.systemctl("reload", "sluiced", check=False).returncode != 0
    assert re.search(rf"/etc/sluice/sluice\.conf:\d+: .*{word}", service.journal())
    assert (service.status("/who"), service.status("/admin"), service.status("/private")) == (200, 403, 404)
    assert service.pid == pid and service.show("ActiveState") == "active"
    assert service.ctl("status")["config_version"] == 1


def test_reload_refuses_a_wrong_file(running):
    refuses(running, conf(deny="^/private").replace("listen", "lissen"), "lissen")
    running.conf(conf(deny="^/private"))
    running.systemctl("reload", "sluiced")
    assert running.status("/private") == 403


def test_reload_refuses_what_only_the_daemon_knows(running):
    """The file is right, but a port cannot change while running."""
    refuses(running, conf(deny="^/private", lan="10.10.2.7/24"), 'port "lan" changed')
    assert running.show("StatusText").endswith("the last reload was refused")


# --- the watchdog -------------------------------------------------------------------------------


def test_the_watchdog(service):
    """Fed, it leaves the service alone; one worker that stands still is enough for another daemon."""
    service.drop_in("WatchdogSec=2\nRestartSec=100ms\n")
    service.systemctl("start", "sluiced")
    pid = service.pid
    time.sleep(3)
    assert service.pid == pid and service.show("NRestarts") == "0"
    worker = thread_of(service.machine.pid_here(pid), "rte-worker-1")
    with stopped(worker):
        wait_until(lambda: ended(worker), 20, "systemd ends the daemon", step=0.1)
    wait_until(lambda: service.pid not in (0, pid) and service.show("ActiveState") == "active", 20,
               "systemd starts another daemon", step=0.1)
    assert service.show("NRestarts") == "1"
    assert "Watchdog timeout" in service.journal()
    assert service.status("/who") == 200
    assert len(service.functions()) == 2


def test_a_daemon_that_is_killed_is_started_again(running):
    pid = running.pid
    running.machine.run("kill", "-KILL", pid)
    wait_until(lambda: running.pid not in (0, pid) and running.show("ActiveState") == "active", 20,
               "systemd starts another daemon", step=0.1)
    assert running.status("/who") == 200
    assert len(running.functions()) == 2


# --- stop ---------------------------------------------------------------------------------------


def test_stop_drains(service):
    """A download that is under way arrives whole; nobody and nothing is left."""
    service.drop_in("RuntimeDirectoryPreserve=yes\n")
    service.systemctl("start", "sluiced")
    download = service.machine.start("ip", "netns", "exec", "client", "curl", "-sS", "--max-time", "30", "--limit-rate",
                                     "4M", "-o", "/dev/null", "-w", "%{http_code} %{size_download}",
                                     "http://10.10.1.1/big.bin", stdout=subprocess.PIPE, text=True)
    wait_until(lambda: service.ctl("status")["exchanges"] == 1, 5, "the download is under way")
    stop = service.machine.start("systemctl", "stop", "sluiced")
    wait_until(lambda: service.show("StatusText").startswith("draining"), 5, "it drains")
    assert download.communicate(timeout=30)[0] == f"200 {BIG}"
    assert stop.wait(30) == 0
    assert (service.show("ExecMainStatus"), service.show("Result")) == ("0", "success")
    assert not service.functions()
    assert list((service.machine.root / "run/sluice").iterdir()) == []


def test_stop_leaves_no_folder(running):
    running.systemctl("stop", "sluiced")
    assert running.show("Result") == "success"
    assert not (running.machine.root / "run/sluice").exists()


def test_stop_may_take_longer_than_the_unit_says(service):
    """daemon.drain_ms is the operator's word; TimeoutStopSec gives way to it."""
    service.drop_in("TimeoutStopSec=1\n")
    service.systemctl("start", "sluiced")
    download = service.machine.start("ip", "netns", "exec", "client", "curl", "-sS", "--max-time", "30", "--limit-rate",
                                     "2M", "-o", "/dev/null", "-w", "%{http_code} %{size_download}",
                                     "http://10.10.1.1/big.bin", stdout=subprocess.PIPE, text=True)
    wait_until(lambda: service.ctl("status")["exchanges"] == 1, 5, "the download is under way")
    service.systemctl("stop", "sluiced")
    assert download.communicate(timeout=30)[0] == f"200 {BIG}"
    assert service.show("Result") == "success"
