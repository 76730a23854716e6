# SPDX-License-Identifier: BSD-3-Clause
"""Linux at the other end of both connections of a chain: over packet sockets and over taps, in
both families, with what the kernel offers switched on and off. Its own counters are the judge."""

import contextlib
import hashlib
import json
import os
import re
import socket
import struct
import subprocess

import pytest

from lab import LabError, Nginx, Sluiced, sh, wait_until
from conftest import CPU

MB = 1024 * 1024
PORTS = ["wan", "lan"]
VLAN = 7

CONF = """
daemon = {{ workers = [ {cpu} ]; poll = "adaptive"; memory_mb = 256; run_dir = "@RUN_DIR@"; }};
ports = ( {ports} );
upstreams = (
  {{ name = "four"; servers = ( {{ address = "10.10.2.2:8080"; }} ); }},
  {{ name = "six"; servers = ( {{ address = "[fd10:2::2]:8080"; }} ); }},
  {{ name = "iperf4"; servers = ( {{ address = "10.10.2.2:5201"; }} ); }},
  {{ name = "iperf6"; servers = ( {{ address = "[fd10:2::2]:5201"; }} ); }} );
functions = (
  {{ name = "to4"; plugin = "proxy"; config = {{ routes = ( {{ path = "^/"; upstream = "four"; }} ); }}; }},
  {{ name = "to6"; plugin = "proxy"; config = {{ routes = ( {{ path = "^/"; upstream = "six"; }} ); }}; }},
  {{ name = "stream4"; plugin = "proxy"; config = {{ upstream = "iperf4"; }}; }},
  {{ name = "stream6"; plugin = "proxy"; config = {{ upstream = "iperf6"; }}; }},
  {{ name = "spread"; plugin = "lb"; }} );
chains = (
  {{ name = "old"; listen = [ "10.10.1.1:80", "[fd10:1::1]:81" ]; protocol = "http"; path = [ "to4", "spread" ]; }},
  {{ name = "new"; listen = [ "[fd10:1::1]:80", "10.10.1.1:81" ]; protocol = "http"; path = [ "to6", "spread" ]; }},
  {{ name = "bytes4"; listen = "10.10.1.1:5201"; protocol = "tcp"; path = [ "stream4", "spread" ]; }},
  {{ name = "bytes6"; listen = "[fd10:1::1]:5201"; protocol = "tcp"; path = [ "stream6", "spread" ]; }} );
"""

ADDRESS = {4: "10.10.1.1", 6: "[fd10:1::1]"}
FAMILIES = [4, 6]

# Nothing of this may happen to a packet of ours: what the kernel says of it.
FAULTS = ["IpInHdrErrors", "IpInAddrErrors", "TcpInErrs", "TcpInCsumErrors", "UdpInCsumErrors",
          "IcmpInErrors", "IcmpInCsumErrors", "Ip6InHdrErrors", "Ip6InAddrErrors", "Icmp6InErrors",
          "Icmp6InCsumErrors", "Udp6InCsumErrors", "TcpExtPAWSEstab", "TcpExtTCPACKSkippedPAWS",
          "TcpExtTCPChallengeACK", "TcpExtTCPSYNChallenge", "TcpExtTCPSACKReneging", "IpReasmFails",
          "Ip6ReasmFails"]


def device(kind, number, name):
    return f"net_tap{number},iface={name}" if kind == "tap" else f"net_af_packet{number},iface={name}"


def conf_text(kind, extra=""):
    rows = [f'{{ name = "{p}"; device = "{device(kind, i, p)}"; {extra} '
            f'addresses = [ "10.10.{i + 1}.1/24", "fd10:{i + 1}::1/64" ]; }}' for i, p in enumerate(PORTS)]
    return CONF.format(cpu=CPU, ports=",\n  ".join(rows))


def sysctl(ns, **values):
    for name, value in values.items():
        ns.run("sysctl", "-qw", f"{name.replace('__', '.')}={value}")


def ip6_address(ns, interface, address):
    ns.run("sysctl", "-qw", f"net/ipv6/conf/{interface}/disable_ipv6=0")
    sh("ip", "-n", ns.name, "addr", "add", address, "dev", interface, "nodad")


class Peers:
    """A client and an origin that are Linux, and the daemon between them."""

    def __init__(self, lab, kind):
        self.lab = lab
        self.kind = kind
        if kind == "tap":
            self.make_taps()
        else:
            lab.middlebox(PORTS)
            self.sluiced = Sluiced(lab, conf_text(kind))
            for ns in (lab.mid, *map(lab.peer, PORTS)):
                ns.steer("*", 0)  # from two CPUs a connection's frames may overtake each other
        self.client, server = (lab.peer(name) for name in PORTS)
        for number, name in enumerate(PORTS, start=1):
            ip6_address(lab.peer(name), "eth0", f"fd10:{number}::2/64")
        self.origin = Nginx(lab, server, "linux", extra="listen [::]:8080;")
        wait_until(self.addresses_used, 20, "the addresses are in use")

    def make_taps(self):
        """The daemon makes the taps, and the kernel's ends of them move to the peers."""
        self.lab.mid = self.lab.namespace("mid")
        self.sluiced = Sluiced(self.lab, conf_text("tap"))
        for number, name in enumerate(PORTS, start=1):
            peer = self.lab.peers[name] = self.lab.namespace(name)
            peer.ip = f"10.10.{number}.2"
            sh("ip", "-n", self.lab.mid.name, "link", "set", name, "netns", peer.name, "name", "eth0")
            sh("ip", "-n", peer.name, "link", "set", "eth0", "up")
            sh("ip", "-n", peer.name, "addr", "add", f"{peer.ip}/24", "dev", "eth0")

    def addresses_used(self):
        texts = [a for port in self.sluiced.show("ports") for a in port["addresses"]]
        return texts and not any("probed" in text or "duplicate" in text for text in texts)

    @property
    def ends(self):
        return [self.client, self.origin.ns]

    def set(self, **values):
        for ns in self.ends:
            sysctl(ns, **{f"net__ipv4__tcp_{name}": value for name, value in values.items()})

    def dropped(self):
        """Frames of each end that did not reach the daemon: the way to it was full."""
        drops = [link_counters(ns, "eth0")["tx"]["dropped"] for ns in self.ends]
        if self.kind == "af_packet":
            for end, port in enumerate(self.sluiced.show("ports")):
                drops[end] += link_counters(self.lab.mid, port["name"])["rx"]["packets"] - port["rx_packets"]
        return drops

    def get(self, family, path, port=80):
        out = self.client.run("sh", "-c", f"curl -sS --max-time 120 -g 'http://{ADDRESS[family]}:{port}{path}'"
                                          " | sha256sum").stdout
        return out.split()[0]

    def put(self, family, path, source):
        self.client.curl("-g", "-T", source, f"http://{ADDRESS[family]}{path}", "-o", "/dev/null", "--fail")


def counters(ns):
    return json.loads(ns.run("nstat", "-a", "-s", "-z", "-j").stdout)["kernel"]


def link_counters(ns, name):
    return json.loads(sh("ip", "-n", ns.name, "-s", "-j", "link", "show", name).stdout)[0]["stats64"]


def faults(ns):
    have = counters(ns)
    return {name: have[name] for name in FAULTS if have.get(name)}


def sent_again(ns):
    """Segments that Linux sent twice because one was missing: probes of a tail that was merely
    slow (RFC 8985 §7) are none."""
    have = counters(ns)
    return have["TcpRetransSegs"] - have["TcpExtTCPLossProbes"], have["TcpOutSegs"]


@pytest.fixture(params=["af_packet", "tap"])
def peers(request, lab):
    it = Peers(lab, request.param)
    yield it
    check_end(it)


def check_end(it):
    assert [faults(ns) for ns in it.ends] == [{}, {}]
    for name in ("tcp_bad_csum", "ip4_bad_csum", "udp_bad_csum", "icmp6_bad_csum", "tcp_bad_header",
                 "ip4_bad_header", "ip6_bad_header", "ndp_malformed", "arp_malformed"):
        assert it.sluiced.stat(name) == 0, name
    it.sluiced.wait_no_buffers()
    it.sluiced.stop()


def blob(lab, name, size):
    content = os.urandom(size)
    return lab.file(name, content), hashlib.sha256(content).hexdigest()


OPTIONS = [{}, {"sack": 0}, {"timestamps": 0}, {"window_scaling": 0}, {"ecn": 1},
           {"sack": 0, "timestamps": 0, "window_scaling": 0, "ecn": 0}]


def name_of(options):
    return ",".join(f"{k}={v}" for k, v in options.items()) or "usual"


def bulk_both_ways(peers, family, size):
    source, digest = blob(peers.lab, f"up{family}", size)
    peers.origin.file(f"down{family}.bin", source.read_bytes())
    assert peers.get(family, f"/down{family}.bin") == digest
    peers.put(family, f"/upload/up{family}.bin", source)
    stored = peers.origin.root / f"upload/up{family}.bin"
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == digest


def test_bulk_whatever_linux_offers(peers):
    (peers.origin.root / "upload").mkdir()
    (peers.origin.root / "upload").chmod(0o777)
    for options in OPTIONS:
        peers.set(sack=1, timestamps=1, window_scaling=1, ecn=2)
        peers.set(**options)
        for family in FAMILIES:
            bulk_both_ways(peers, family, 8 * MB)


def test_families_may_change_on_the_way(peers):
    peers.origin.file("page.bin", b"x" * 300000)
    digest = hashlib.sha256(b"x" * 300000).hexdigest()
    assert peers.get(4, "/page.bin", 81) == digest
    assert peers.get(6, "/page.bin", 81) == digest


def check_sent_again(peers):
    """What is sent again is what a full ring dropped on this busy machine, if anything."""
    for ns, dropped in zip(peers.ends, peers.dropped()):
        again, out = sent_again(ns)
        assert (again - dropped) * 200 <= out, (again, dropped, out)
    assert peers.sluiced.stat("tcp_retransmits") * 200 <= peers.sluiced.stat("tcp_segments_out")


def test_a_clean_link_loses_nothing(peers):
    peers.origin.file("big.bin", os.urandom(4 * MB))
    for family in FAMILIES:
        for _ in range(4):
            peers.get(family, "/big.bin")
    check_sent_again(peers)


def iperf(peers, family, *args, check=True):
    return peers.client.run("iperf3", "-c", ADDRESS[family].strip("[]"), *args, check=check)


@pytest.mark.parametrize("way", [[], ["-R"]], ids=["up", "down"])
@pytest.mark.parametrize("family", FAMILIES)
def test_iperf3(peers, family, way):
    """All that one end says it has sent, the other has received, but for what is still in buffers
    when iperf3 stops: twice those of both sockets, and of the daemon (recv_buffer_kb, send_buffer_kb)."""
    peers.origin.ns.start("iperf3", "-s", stdout=subprocess.DEVNULL)
    wait_until(lambda: iperf(peers, family, "-n", "100K", check=False).returncode == 0, 15, "iperf3 answers")
    end = json.loads(iperf(peers, family, "-n", "100M", "-w", "256K", "-P", "2", "-J", *way).stdout)["end"]
    sent, received = end["sum_sent"]["bytes"], end["sum_received"]["bytes"]
    assert sent >= 100 * MB and abs(sent - received) <= 10 * MB, (sent, received)
    check_sent_again(peers)


def test_many_connections(peers):
    for family in FAMILIES:
        out = peers.client.run("wrk", "-t1", "-c50", "-d2s", f"http://{ADDRESS[family]}/who").stdout
        assert "Socket errors" not in out and "Non-2xx" not in out, out


def test_ping_and_what_is_closed(peers):
    for address in ("10.10.1.1", "fd10:1::1"):
        out = peers.client.run("ping", "-c", "3", "-i", "0.2", "-W", "5", "-s", "1200", address).stdout
        assert " 0% packet loss" in out, out
    for family, host in ((socket.AF_INET, "10.10.1.1"), (socket.AF_INET6, "fd10:1::1")):
        with peers.client.entered():
            stream, datagram = (socket.socket(family, kind)
                                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        for sock in (stream, datagram):
            sock.settimeout(10)
        with stream, pytest.raises(ConnectionRefusedError):
            stream.connect((host, 9))
        with datagram, pytest.raises(ConnectionRefusedError):
            datagram.connect((host, 9))
            datagram.send(b"?")
            datagram.recv(1)


def test_pings_in_fragments(peers):
    """Reassembled here, and cut for the way back. A packet socket of DPDK's has IPv4 reassembled
    by the kernel, and no place for what is longer than its frames."""
    for address, sizes in (("10.10.1.1", (1473, 1900)), ("fd10:1::1", (1473, 3000, 20000))):
        for size in sizes:
            out = peers.client.run("ping", "-c", "2", "-i", "0.2", "-W", "5", "-s", str(size), address).stdout
            assert " 0% packet loss" in out, out
    assert peers.sluiced.stat("ip_fragmented") == 10
    assert peers.sluiced.stat("ip_reassembled") == 10 - 4 * (peers.kind == "af_packet")


def test_a_link_local_client(peers):
    peers.get(6, "/who")
    out = sh("ip", "-n", peers.client.name, "neigh", "show", "fd10:1::1").stdout
    assert re.search(r"REACHABLE|DELAY|STALE|PROBE", out), out
    mac = peers.sluiced.show("ports")[0]["mac"]
    assert mac in out
    local = next(a for a in peers.sluiced.show("ports")[0]["addresses"] if a.startswith("fe80"))
    done = peers.client.run("ping", "-c", "2", "-i", "0.2", "-W", "5", f"{local.split('/')[0]}%eth0").stdout
    assert " 0% packet loss" in done


def tagged(peer, vlan, request):
    """An ARP request in the VLAN, or in none; the tag of the answer, or None when there is none.
    The kernel of the other end needs no VLAN device for it: it hands the tag over beside the frame."""
    sock = peer.packet_socket()
    sock.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA
    sock.settimeout(1)
    head = b"\xff" * 6 + peer.mac()
    sock.send(head + (b"\x81\x00" + struct.pack("!H", vlan) if vlan else b"") + b"\x08\x06" + request)
    with sock, contextlib.suppress(socket.timeout):
        while True:
            frame, aux, _, _ = sock.recvmsg(2048, 256)
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\x00\x02":
                return [struct.unpack("IIIHHHH", data)[5] for _, kind, data in aux if kind == 8][0]
    return None


def test_vlan(lab):
    lab.middlebox(PORTS)
    sluiced = Sluiced(lab, conf_text("af_packet", f"vlan = {VLAN};"))
    wan = lab.peer("wan")
    request = (b"\0\1\x08\0\x06\x04\0\1" + wan.mac() + socket.inet_aton(wan.ip) + bytes(6)
               + socket.inet_aton("10.10.1.1"))
    assert [tagged(wan, vlan, request) for vlan in (0, VLAN + 1, VLAN)] == [None, None, VLAN]
    assert sluiced.stat("link_other_vlan") >= 2
    sluiced.stop()


def test_an_address_that_another_has(lab):
    """The one that probes second does not use it: RFC 4862 §5.4.5."""
    lab.middlebox(PORTS)
    wan = lab.peer("wan")
    ip6_address(wan, "eth0", "fd10:1::1/64")
    sluiced = Sluiced(lab, conf_text("af_packet"))
    wait_until(lambda: any("duplicate" in a for a in sluiced.show("ports")[0]["addresses"]), 10,
               "the duplicate is found")
    sluiced.stop()


def test_the_path_shrinks(lab):
    """A router with a narrow link behind it says so (RFC 1191, RFC 8201), and the stream goes on."""
    it = Peers(lab, "af_packet")
    far = lab.namespace("far")
    lab.veth(it.client, "narrow", far, "eth0")
    for ns, name, last in ((it.client, "narrow", 1), (far, "eth0", 2)):
        sh("ip", "-n", ns.name, "link", "set", name, "mtu", "1300")
        sh("ip", "-n", ns.name, "addr", "add", f"10.99.0.{last}/24", "dev", name)
        ip6_address(ns, name, f"fd99::{last}/64")
    sh("ip", "-n", far.name, "route", "add", "default", "via", "10.99.0.1")
    sh("ip", "-n", far.name, "-6", "route", "add", "default", "via", "fd99::1")
    sysctl(it.client, net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
    # The far end says that it takes 1460 bytes, as one behind a tunnel does.
    sh("ip", "-n", far.name, "route", "change", "default", "via", "10.99.0.1", "advmss", "1460")
    sh("ip", "-n", far.name, "-6", "route", "change", "default", "via", "fd99::1", "advmss", "1440")
    conf = it.sluiced.conf_path.read_text() + """
routes = ( { to = "10.99.0.0/24"; via = "10.10.1.2"; }, { to = "fd99::/64"; via = "fd10:1::2"; } );
"""
    done = it.sluiced.reload(conf)
    if done.returncode:
        raise LabError(done.stderr + done.stdout)
    it.origin.file("big.bin", b"narrow" * MB)
    digest = hashlib.sha256(b"narrow" * MB).hexdigest()
    it.client = far
    for family in FAMILIES:
        assert it.get(family, "/big.bin") == digest
    lowered = it.sluiced.stat("tcp_mtu_lowered")
    assert lowered >= 2
    # The next connections begin with what was learned.
    for family in FAMILIES:
        assert it.get(family, "/big.bin") == digest
    assert it.sluiced.stat("tcp_mtu_lowered") == lowered
    it.sluiced.wait_no_buffers()
    it.sluiced.stop()
