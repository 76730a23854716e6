# SPDX-License-Identifier: BSD-3-Clause
"""Ports on every kind of device that a machine without a NIC has, and what is done without its help."""

import concurrent.futures
import os
import re
import socket
import struct

import pytest

from conftest import CPU, chain_conf
from lab import MB, LabError, Nginx, Sluiced, big_file, port_text, section, sh, sha256_of_download, wait_until

SIZE = 48 * MB

STATIC = """
daemon = {{ workers = [ {cpus} ]; memory_mb = 256; run_dir = "@RUN_DIR@"; {daemon} }};
{ports}
functions = ( {{ name = "pages"; plugin = "static"; {pages} }} );
chains = ( {{ name = "www"; listen = "{listen}:80"; protocol = "http"; path = [ "pages" ]; }} );
"""

# What `static` gives: a file, or all of a folder.
FILE = """arena_mb = 128; config = {{ responses = (
  {{ path = "/big"; file = "{0}"; }}, {{ path = "/who"; body = "static\\n"; }} ); }};"""
FOLDER = """arena_mb = 16; allow = {{ read = [ "{0}" ]; }};
  config = {{ responses = ( {{ path_prefix = "/"; root = "{0}"; }} ); }};"""


@pytest.fixture
def big(lab):
    """A file for `static`, with its sha256."""
    path = lab.dir / "big.bin"
    return path, big_file(path, SIZE)


def static_conf(port, listen, path, cpus=CPU, daemon="", pages=FILE):
    return STATIC.format(ports=section(port), listen=listen, pages=pages.format(path), cpus=cpus, daemon=daemon)


def offloads(sluiced, port):
    return [p["offloads"] for p in sluiced.show("ports") if p["name"] == port][0]


def wan(device="net_af_packet0,iface=wan", extra=""):
    return port_text("wan", device, "10.10.1.1/24", extra)


# --- taps: the kernel is the peer ------------------------------------------------------------

def tap_up(lab):
    sh("ip", "-n", lab.mid.name, "addr", "add", "10.10.1.2/24", "dev", "tap0")
    lab.mid.ip = "10.10.1.2"


@pytest.fixture
def tap(lab):
    lab.mid = lab.namespace("mid")
    return wan("net_tap0,iface=tap0")


def test_tap(lab, tap, big):
    path, digest = big
    sluiced = Sluiced(lab, static_conf(tap, "10.10.1.1", path))
    tap_up(lab)
    assert sha256_of_download(lab.mid, "http://10.10.1.1/big") == digest
    assert "multi-segment" in offloads(sluiced, "wan")
    sluiced.wait_no_buffers()
    sluiced.stop()
    assert "tap0" not in lab.mid.run("ip", "link").stdout


def test_a_chain_over_one_tap(lab, tap):
    """Clients and the origin are behind the same tap: payload in and out of it by reference."""
    sluiced = Sluiced(lab, chain_conf(section(tap), ["10.10.1.2:8080"]))
    tap_up(lab)
    origin = Nginx(lab, lab.mid, "one")
    digest = big_file(origin.root / "big.bin", SIZE)
    assert sha256_of_download(lab.mid, "http://10.10.1.1/big.bin") == digest
    sluiced.wait_no_buffers()
    sluiced.stop()


# --- two daemons, a wire of shared memory between them ---------------------------------------

WIRES = {
    "vhost": ("net_vhost0,iface={socket},tso=1", "net_virtio_user0,path={socket},mac=52:54:00:00:00:01,queue_size=1024"),
    "packed": ("net_vhost0,iface={socket},tso=1", "net_virtio_user0,path={socket},packed_vq=1"),
    "memif": ("net_memif0,role=server,socket-abstract=no,socket={socket}",
              "net_memif0,role=client,socket-abstract=no,socket={socket}"),
}


class Pair:
    """A client, a proxy, and behind the wire a daemon with `static`."""

    def __init__(self, lab, big, wire, extra="", poll="adaptive", cpus=0):
        path, self.digest = big
        self.socket = lab.dir / "wire.sock"
        near, far = (port_text("wire", device.format(socket=self.socket), f"10.50.0.{i}/24", extra)
                     for i, device in enumerate(WIRES[wire], start=1))
        lab.middlebox(["wan"])
        self.client = lab.peer("wan")
        self.proxy = Sluiced(lab, chain_conf(section(wan(), near), ["10.50.0.2:80"]).replace("adaptive", poll))
        self.far_conf = static_conf(far, "10.50.0.2", path, cpus=cpus, daemon=f'poll = "{poll}";')
        self.lab = lab
        self.origin = Sluiced(lab, self.far_conf)

    def who(self):
        return self.client.curl("-f", "--retry", "9", "--retry-all-errors", "http://10.10.1.1/who")

    def download(self):
        assert self.who() == "static\n"
        assert sha256_of_download(self.client, "http://10.10.1.1/big") == self.digest

    def stop(self):
        self.proxy.wait_no_buffers()
        self.origin.stop()
        self.proxy.stop()
        assert not self.socket.exists()


def test_memif(lab, big):
    """It has no interrupt that tells of packets: workers nap."""
    pair = Pair(lab, big, "memif")
    pair.download()
    pair.proxy.assert_idle()
    pair.stop()


@pytest.mark.parametrize("wire", ["vhost", "packed"])
def test_vhost_and_virtio_user(lab, big, wire):
    """The device takes checksums and segmentation: none is done in software."""
    pair = Pair(lab, big, wire)
    pair.download()
    assert {"tso", "tx tcp checksum", "multi-segment"} <= set(offloads(pair.origin, "wire"))
    assert {"rx checksum", "tx tcp checksum"} <= set(offloads(pair.proxy, "wire"))
    assert pair.origin.stat("ip_csum_in_software") == 0
    assert pair.origin.stat("tx_packets") < SIZE / 1460 / 4
    if wire == "vhost":
        pair.proxy.assert_idle()
        pair.origin.assert_idle()
    pair.stop()


def test_the_same_without_offloads(lab, big):
    pair = Pair(lab, big, "vhost", extra="offload = false; ")
    pair.download()
    assert offloads(pair.origin, "wire") == ["multi-segment"]
    assert pair.origin.stat("ip_csum_in_software") > SIZE / 1460
    pair.stop()


def test_a_guest_comes_back(lab, big):
    """The daemon behind virtio-user goes and another comes: the vhost port stays."""
    pair = Pair(lab, big, "vhost")
    assert pair.who() == "static\n"
    pair.origin.stop()
    assert "50" in pair.client.curl("-o", "/dev/null", "-w", "%{http_code}", "http://10.10.1.1/who")
    pair.origin = Sluiced(lab, pair.far_conf)
    pair.download()
    pair.stop()


def test_busy_pollers_share_a_cpu(lab, big):
    """Two workers that never sleep, and functions, on one CPU: each lets the others run."""
    pair = Pair(lab, big, "memif", poll="busy", cpus=CPU)
    assert pair.proxy.show("status")["poll"] == "busy"
    pair.download()
    pair.stop()


# --- files -----------------------------------------------------------------------------------

PEER = bytes.fromhex("02000000aa02")
ADDRESSES = [socket.inet_aton(a) for a in ("10.10.1.2", "10.10.1.1")]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def arp_request():
    return (b"\xff" * 6 + PEER + b"\x08\x06" +
            struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, PEER, ADDRESSES[0], bytes(6), ADDRESSES[1]))


def packet(mac, protocol, payload):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, *ADDRESSES)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return mac + PEER + b"\x08\x00" + head + payload


def echo_request(mac):
    body = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"are you there?"
    return packet(mac, 1, body[:2] + struct.pack("!H", checksum(body)) + body[4:])


def syn(mac):
    tcp = struct.pack("!HHIIBBHHH", 4321, 80, 1000, 0, 5 << 4, 2, 65535, 0, 0)
    pseudo = b"".join(ADDRESSES) + struct.pack("!BBH", 0, 6, len(tcp))
    return packet(mac, 6, tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:])


def write_pcap(path, frames):
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            f.write(struct.pack("=IIII", 0, 0, len(frame), len(frame)) + frame)


def read_pcap(path):
    data, at, frames = path.read_bytes(), 24, []
    while at + 16 <= len(data):
        length = struct.unpack("=I", data[at + 8:at + 12])[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


def test_pcap(lab):
    """Frames made by hand out of one file; into the other go the answers."""
    lab.mid = lab.namespace("mid")
    come, go = lab.dir / "in.pcap", lab.dir / "out.pcap"
    mac = b"\2pcap\0"  # the driver's, for its first port
    write_pcap(come, [arp_request(), echo_request(mac), syn(mac)])
    sluiced = Sluiced(lab, static_conf(wan(f"net_pcap0,rx_pcap={come},tx_pcap={go}"), "10.10.1.1", come))
    mac_shown = sluiced.show("ports")[0]["mac"]
    wait_until(lambda: sluiced.show("ports")[0]["tx_packets"] >= 3, 10, "three answers")
    sluiced.stop()
    assert mac_shown == mac.hex(":")
    arp, echo, synack = [frame for frame in read_pcap(go) if frame[:6] == PEER][:3]
    assert arp[20:22] == b"\0\2" and arp[22:28] == mac and arp[28:32] == ADDRESSES[1]
    assert echo[34:36] == b"\0\0" and echo[-14:] == b"are you there?" and checksum(echo[34:]) == 0
    assert struct.unpack("!HHII", synack[34:46])[0:4:3] == (80, 1001) and synack[47] == 0x12


# --- AF_XDP ----------------------------------------------------------------------------------

def test_af_xdp(lab, big):
    path, digest = big
    lab.middlebox(["wan"])
    try:
        sluiced = Sluiced(lab, static_conf(wan("net_af_xdp0,iface=wan"), "10.10.1.1", path))
    except LabError as error:
        if "af_xdp" not in str(error):
            raise
        pytest.skip("this kernel or this DPDK has no AF_XDP")
    assert sha256_of_download(lab.peer("wan"), "http://10.10.1.1/big") == digest
    assert not sluiced.show("ports")[0]["shared_rx"] and sluiced.stat("rx_copied_bytes") > 0
    sluiced.stop()


# --- MTU and routes --------------------------------------------------------------------------

def test_frames_of_9000_bytes(lab, big):
    path, digest = big
    lab.middlebox(["wan"])
    client = lab.peer("wan")
    sh("ip", "-n", client.name, "link", "set", "eth0", "mtu", "9000")
    sluiced = Sluiced(lab, static_conf(wan(extra="mtu = 9000; "), "10.10.1.1", path))
    assert "mtu 9000" in lab.mid.run("ip", "link", "show", "wan").stdout
    assert sha256_of_download(client, "http://10.10.1.1/big") == digest
    port = sluiced.show("ports")[0]
    assert port["mtu"] == 9000 and port["tx_packets"] < SIZE / 8000
    sluiced.wait_no_buffers()
    sluiced.stop()


def test_through_a_gateway(lab):
    """Two ports, one with two addresses; the origin is two hops away."""
    lab.middlebox(["wan", "lan"])
    client, router, far = lab.peer("wan"), lab.peer("lan"), lab.namespace("far")
    lab.veth(router, "eth1", far, "eth0")
    sh("ip", "-n", router.name, "addr", "add", "10.30.0.1/24", "dev", "eth1")
    sh("ip", "-n", far.name, "addr", "add", "10.30.0.2/24", "dev", "eth0")
    sh("ip", "-n", far.name, "route", "add", "default", "via", "10.30.0.1")
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    far.ip = "10.30.0.2"
    origin = Nginx(lab, far, "far")
    digest = big_file(origin.root / "big.bin", SIZE)
    ports = section(port_text("wan", "net_af_packet0,iface=wan", "10.10.1.1/24 10.10.1.9/24"),
                    port_text("lan", "net_af_packet1,iface=lan", "10.10.2.1/24", "mtu = 1400; "))
    routes = 'routes = ( { to = "0.0.0.0/0"; via = "10.10.2.2"; } );\n'
    sluiced = Sluiced(lab, chain_conf(ports, [origin]) + routes)
    assert sha256_of_download(client, "http://10.10.1.1/big.bin") == digest
    assert "3 received" in client.run("ping", "-c3", "-i0.2", "10.10.1.9").stdout
    sluiced.wait_no_buffers()
    ports_are_shown(lab, sluiced, router)
    sluiced.stop()


def ports_are_shown(lab, sluiced, router):
    """What `show ports` says is so."""
    wan_port, lan_port = sluiced.show("ports")
    assert [(p["name"], p["state"], p["mtu"]) for p in (wan_port, lan_port)] == [("wan", "up", 1500), ("lan", "up", 1400)]
    assert wan_port["addresses"] == ["10.10.1.1/24", "10.10.1.9/24"] and lan_port["addresses"] == ["10.10.2.1/24"]
    assert wan_port["driver"] == "net_af_packet" and wan_port["shared_rx"]
    assert wan_port["mac"] in lab.mid.run("ip", "link", "show", "wan").stdout
    assert lan_port["rx_packets"] > SIZE / 1400 and wan_port["tx_packets"] > SIZE / 1500
    assert lan_port["rx_bytes"] > SIZE and wan_port["tx_bytes"] > SIZE
    sh("ip", "-n", router.name, "link", "set", "eth0", "down")
    wait_until(lambda: sluiced.show("ports")[1]["state"] == "down", 5, "the port is shown as down")
    assert sluiced.show("ports")[0]["state"] == "up"
    sh("ip", "-n", router.name, "link", "set", "eth0", "up")
    wait_until(lambda: sluiced.show("ports")[1]["state"] == "up", 5, "the port is up again")


# --- ports that cannot be opened -------------------------------------------------------------

NOT_TO_BE_OPENED = {
    "net_af_packet1,iface=nonesuch0": "No such device",
    "net_af_xdp1,iface=nonesuch0": "nonesuch0",
    "net_memif1,role=client,socket-abstract=no,socket=/tmp/nobody.sock": "/tmp/nobody.sock",
    "net_memif1,role=server,socket-abstract=no,socket=/nonesuch/x.sock": "Invalid socket directory",
    "net_pcap1,rx_pcap=/nonesuch.pcap": "No such file",
    "net_tap1,iface=wan": "Unable to create TAP interface",
    "net_vhost1,iface=/nonesuch/x.sock": "No such file",
    "net_virtio_user1,path=/nonesuch.sock": "No such file",
    "net_nonesuch1": "cannot open the device",
    "0000:ff:1f.7": "No such device",
}


def test_ports_that_cannot_be_opened(lab, tmp_path):
    """The sentence names the port and why; the port before it and its file are gone as well."""
    lab.middlebox(["wan"])
    sock = tmp_path / "first.sock"
    first = port_text("first", f"net_vhost0,iface={sock}", "10.9.9.1/24")
    for device, why in NOT_TO_BE_OPENED.items():
        conf = static_conf(first + ", " + wan(device), "10.10.1.1", sock)
        sluiced = Sluiced(lab, conf, ready=False)
        assert sluiced.process.wait(20) == 1, device
        text = sluiced.output()
        assert f'port "wan" (device "{device}"): ' in text and why in text, text
        assert not sock.exists() and not (sluiced.run_dir / "control.sock").exists(), device
    assert "tap" not in lab.mid.run("ip", "link").stdout


def test_an_mtu_that_cannot_be(lab, tap):
    sluiced = Sluiced(lab, static_conf(tap.replace("tap0\";", "tap0\"; mtu = 9000;"), "10.10.1.1", lab.dir), ready=False)
    assert sluiced.process.wait(20) == 1
    assert "it cannot have an MTU of 9000, only up to" in sluiced.output()
    assert "tap0" not in lab.mid.run("ip", "link").stdout


# --- memory ----------------------------------------------------------------------------------

PAGES = "/proc/sys/vm/nr_hugepages"


@pytest.fixture
def hugepages():
    """Enough for the chain below, on top of what others use; given back afterwards."""
    want = 256
    with open(PAGES, encoding="ascii") as f:
        before = int(f.read())
    with open(PAGES, "w", encoding="ascii") as f:
        f.write(str(before + want))
    with open("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", encoding="ascii") as f:
        free = int(f.read())
    try:
        if free < want:
            pytest.skip(f"only {free} huge pages are to be had")
        yield
    finally:
        with open(PAGES, "w", encoding="ascii") as f:
            f.write(str(before))


def chain_reads_payload(lab, mode, shown):
    """The cache keeps a body, so it has read it; what it gives out is what the origin had."""
    lab.middlebox(["wan", "lan"])
    origin = Nginx(lab, lab.peer("lan"), "one")
    digest = big_file(origin.root / "cached.bin", MB)
    (origin.root / "cached").mkdir(mode=0o755)
    (origin.root / "cached.bin").rename(origin.root / "cached/x.bin")
    sluiced = Sluiced(lab, chain_conf(["wan", "lan"], [origin], memory_mb=128, daemon=f'hugepages = "{mode}";'))
    assert sluiced.show("status")["hugepages"] == shown
    for _ in range(3):
        assert sha256_of_download(lab.peer("wan"), "http://10.10.1.1/cached/x.bin") == digest
    assert sluiced.stat("hits") == 2
    sluiced.wait_no_buffers()
    sluiced.stop()


def test_with_huge_pages(lab, hugepages):
    chain_reads_payload(lab, "on", "2 MB pages")


def test_without_huge_pages(lab):
    chain_reads_payload(lab, "off", "none: ordinary pages")


def test_vhost_in_huge_pages(lab, big, hugepages):
    """The guest's memory is mapped by the other daemon: a file for all of it."""
    path, digest = big
    wire = lab.dir / "wire.sock"
    lab.middlebox(["wan"])
    far = static_conf(port_text("wire", f"net_virtio_user0,path={wire}", "10.50.0.2/24"), "10.50.0.2", path,
                      cpus=0, daemon='hugepages = "on";')
    near = section(wan(), port_text("wire", f"net_vhost0,iface={wire},tso=1", "10.50.0.1/24"))
    proxy = Sluiced(lab, chain_conf(near, ["10.50.0.2:80"], daemon='hugepages = "off";'))
    origin = Sluiced(lab, far)
    assert origin.show("status")["hugepages"] == "2 MB pages"
    lab.peer("wan").curl("-f", "--retry", "9", "--retry-all-errors", "http://10.10.1.1/who")
    assert sha256_of_download(lab.peer("wan"), "http://10.10.1.1/big") == digest
    origin.stop()
    proxy.stop()


# --- workers ---------------------------------------------------------------------------------

TWO = f"0, {CPU}"


def node_of(cpu):
    nodes = [entry for entry in os.listdir(f"/sys/devices/system/cpu/cpu{cpu}") if re.fullmatch(r"node\d+", entry)]
    return int(nodes[0][4:]) if nodes else 0


def worker_packets(sluiced):
    return [w["rx_packets"] for w in sluiced.show("status")["workers"]]


@pytest.mark.skipif(os.cpu_count() < 2, reason="two workers need two CPUs")
def test_two_workers_on_a_port_with_one_queue(lab):
    """There is no RSS: the first worker hands packets to the one that has the flow, and wakes it."""
    lab.middlebox(["wan", "lan"])
    origin = Nginx(lab, lab.peer("lan"), "one")
    digest = big_file(origin.root / "big.bin", SIZE)
    sluiced = Sluiced(lab, chain_conf(["wan", "lan"], [origin], cpus=TWO))
    assert [(w["cpu"], w["node"]) for w in sluiced.show("status")["workers"]] == [(c, node_of(c)) for c in (0, CPU)]
    client = lab.peer("wan")
    for _ in range(8):
        assert float(client.curl("-o", "/dev/null", "-w", "%{time_total}", "http://10.10.1.1/who")) < 1
    assert sha256_of_download(client, "http://10.10.1.1/big.bin") == digest
    out = client.run("wrk", "-t1", "-c100", "-d3s", "http://10.10.1.1/who").stdout
    assert "Socket errors" not in out and "Non-2xx" not in out, out
    assert int(re.search(r"(\d+) requests in", out).group(1)) > 500
    assert sluiced.stat("handoffs") > 0 and sluiced.stat("handoff_drops") == 0
    assert min(worker_packets(sluiced)) > 500, worker_packets(sluiced)
    sluiced.assert_idle()
    sluiced.wait_no_buffers()
    sluiced.stop()


def leave_in_the_middle(client, times):
    """Closed with bytes that were not read: a reset."""
    for _ in range(times):
        with client.connect("10.10.1.1", 80, timeout=30) as sock:
            sock.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            seen = 0
            while seen < 100_000 and (piece := sock.recv(65536)):
                seen += len(piece)


@pytest.mark.skipif(os.cpu_count() < 2, reason="two workers need two CPUs")
def test_clients_leave_while_another_worker_sends(lab):
    """Either worker may be the last to have a packet of what a function gives; it is the function's again."""
    lab.middlebox(["wan"])
    root = lab.dir / "root"
    root.mkdir()
    big_file(root / "big", 3 * MB)
    sluiced = Sluiced(lab, static_conf(wan(), "10.10.1.1", root, cpus=TWO, pages=FOLDER))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for left in [pool.submit(leave_in_the_middle, lab.peer("wan"), 600) for _ in range(8)]:
            left.result()
    sluiced.wait_no_buffers()
    sluiced.stop()
