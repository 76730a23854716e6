# SPDX-License-Identifier: BSD-3-Clause
"""Bad input of every kind: a sentence and exit 1, or a counted drop; nothing left behind."""

import os
import struct

import pytest

from conftest import CPU, chain_conf
from lab import BUILD, Sluiced, sh

GOOD = """daemon = {{ workers = [ {cpu} ]; memory_mb = 128; run_dir = "{run}"; }};
ports = ( {{ name = "wan"; device = "{device}"; addresses = [ "10.10.1.1/24" ]; }} );
functions = ( {{ name = "hello"; plugin = "{plugin}"; config = {{ {config} }}; }} );
chains = ( {{ name = "www"; listen = "10.10.1.1:80"; protocol = "http"; path = [ "hello" ]; }} );
"""


def conf_file(lab, name="bad.conf", device="net_null0", plugin="static",
              config='responses = ( { path = "/"; body = "hello"; } );', changes=()):
    text = GOOD.format(cpu=CPU, run=lab.dir / "run", device=device, plugin=plugin, config=config)
    for old, new in dict(changes).items():
        assert old in text
        text = text.replace(old, new)
    return lab.file(name, text)


def sluiced(lab, *args):
    done = sh(str(BUILD / "bin/sluiced"), *map(str, args), check=False)
    return done.returncode, done.stdout + done.stderr


def check(lab, path):
    return sluiced(lab, "-t", "-c", path)


def test_a_right_file(lab):
    path = conf_file(lab)
    code, text = check(lab, path)
    assert code == 0 and "is right" in text, text


WRONG = {
    "an unknown key": ({"memory_mb": "memori_mb"}, 1, "memori_mb"),
    "a wrong type": ({"memory_mb = 128": 'memory_mb = "much"'}, 1, "memory_mb"),
    "a dangling name": ({'path = [ "hello" ]': 'path = [ "hallo" ]'}, 4, "hallo"),
    "an address nobody has": ({'listen = "10.10.1.1:80"': 'listen = "10.10.9.1:80"'}, 4, "10.10.9.1"),
    "a syntax error": ({"chains = (": "chains = = ("}, 4, "syntax error"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_have_file_and_line(lab, name):
    changes, line, word = WRONG[name]
    path = conf_file(lab, changes=changes)
    code, text = check(lab, path)
    assert code == 1
    assert f"{path}:{line}: " in text and word in text, text


def test_errors_in_a_plugins_part_too(lab):
    path = conf_file(lab, plugin="filter", config='deny = ( { path = "^/(admin"; } );')
    code, text = check(lab, path)
    assert code == 1 and f"{path}:3: " in text, text
    path = conf_file(lab, plugin="filter", config='denny = ( );')
    code, text = check(lab, path)
    assert code == 1 and "denny" in text and f"{path}:3: " in text, text


def test_a_missing_plugin(lab):
    code, text = check(lab, conf_file(lab, plugin="nonesuch"))
    assert code == 1 and "nonesuch" in text


# --- a start that fails -------------------------------------------------------------------------


# With nobody else's shared memory, run-time files and interfaces around; what is there at the end
# goes to standard output, what the daemon says to standard error.
ALONE = r"""
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
"$@" >&2
code=$?
find /dev/shm /run -mindepth 1
ls /sys/class/net | grep -vx lo
pgrep -l sluice
exit $code
"""


def alone(lab, path):
    """The exit code, what was said, and what was left behind."""
    before = sorted(lab.dir.rglob("*"))
    done = sh("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "sh", "-c", ALONE, "sh",
              str(BUILD / "bin/sluiced"), "-c", str(path), check=False)
    left = [str(p) for p in sorted(lab.dir.rglob("*")) if p not in before]
    return done.returncode, done.stderr, done.stdout.split("\n")[:-1] + left


TAP = "net_tap0,iface=left0"
CANNOT_START = {
    "a port that does not exist": ({"net_null0": "net_af_packet0,iface=nonesuch0"}, 2, ['port "wan"', "nonesuch0"]),
    "a driver that does not exist": ({"net_null0": "net_nonesuch0"}, 2, ['port "wan"', "net_nonesuch0"]),
    "a plugin that does not exist": ({'"static"': '"nonesuch"', "net_null0": TAP}, 3, ["nonesuch"]),
    "a plugin with another ABI": ({'"static"': f'"{BUILD}/tests/probe_abi2.so"', "net_null0": TAP}, 3,
                                  ["probe_abi2.so was built for ABI 2", "this is 1"]),
    "a plugin that refuses its config": ({"responses =": "answers = 1; responses =", "net_null0": TAP}, 3, ["answers"]),
    "a CPU that does not exist": ({f"workers = [ {CPU} ]": "workers = [ 1000 ]"}, 1, ["no CPU 1000"]),
    "a function's CPU that does not exist": ({'plugin = "static";': 'plugin = "static"; cpu = 1000;'}, 3,
                                             ['function "hello"', "no CPU 1000"]),
    "an address that two ports have": (
        {'addresses = [ "10.10.1.1/24" ]; }': 'addresses = [ "10.10.1.1/24" ]; },\n'
         '{ name = "lan"; device = "net_null1"; addresses = [ "10.10.1.1/24" ]; }'}, 3, ["10.10.1.1"]),
    "an address that two chains have": (
        {'path = [ "hello" ]; }': 'path = [ "hello" ]; },\n'
         '{ name = "two"; listen = "10.10.1.1:80"; path = [ "hello" ]; }'}, 5, ["10.10.1.1:80"]),
}


@pytest.mark.parametrize("name", CANNOT_START)
def test_a_start_that_fails_leaves_nothing(lab, name):
    changes, line, words = CANNOT_START[name]
    path = conf_file(lab, changes=changes)
    code, text, left = alone(lab, path)
    assert code == 1
    assert f"{path}:{line}: " in text and all(word in text for word in words), text
    assert not left


def test_a_second_daemon_on_the_same_socket(lab):
    lab.middlebox(["wan"])
    first = Sluiced(lab, chain_conf(["wan"], ["10.10.1.2:8080"], path="guard route"))
    code, text = sluiced(lab, "-c", first.conf_path)
    assert code == 1 and str(first.socket) in text
    assert first.show("status")["state"] == "running"
    first.stop()


# --- frames -------------------------------------------------------------------------------------


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip4(payload, proto=6, src=b"\x0a\x0a\x01\x02", dst=b"\x0a\x0a\x01\x01", length=None, good=True):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length or 20 + len(payload), 1, 0, 64, proto, 0, src, dst)
    total = checksum(head) ^ (0 if good else 0x5555)
    return head[:10] + struct.pack("!H", total) + head[12:] + payload


def tcp(flags=2, good=True, words=5):
    head = struct.pack("!HHIIBBHHH", 4000, 80, 1, 0, words << 4, flags, 1000, 0, 0)
    pseudo = b"\x0a\x0a\x01\x02\x0a\x0a\x01\x01\x00\x06" + struct.pack("!H", len(head))
    total = checksum(pseudo + head) ^ (0 if good else 0x5555)
    return head[:16] + struct.pack("!H", total) + head[18:]


def test_garbage_frames_are_dropped_and_counted(lab):
    lab.middlebox(["wan"])
    sluiced_ = Sluiced(lab, chain_conf(["wan"], ["10.10.1.2:8080"], path="guard route"))
    client = lab.peer("wan")
    mac = bytes.fromhex(sluiced_.show("ports")[0]["mac"].replace(":", ""))
    sock = client.packet_socket()
    ether = mac + client.mac() + b"\x08\x00"

    def drops():
        return {s["name"]: s["value"] for s in sluiced_.show("stats") if s["group"] == "stack"}

    before = drops()
    frames = {
        "ip4_bad_csum": ether + ip4(tcp(), good=False),
        "tcp_bad_csum": ether + ip4(tcp(good=False)),
        "ip4_truncated": ether + ip4(tcp(), length=400),
        "tcp_bad_header": ether + ip4(tcp(words=3)),
        "link_unknown_type": mac + client.mac() + b"\x12\x34" + os.urandom(60),
    }
    for frame in frames.values():
        sock.send(frame.ljust(60, b"\0"))
    for _ in range(500):
        sock.send(ether + os.urandom(100))
    client.run("ping", "-c1", "-W2", "10.10.1.1")
    after = drops()
    for reason in frames:
        assert after[reason] > before[reason], reason
    sluiced_.wait_no_buffers()
    sluiced_.stop()
