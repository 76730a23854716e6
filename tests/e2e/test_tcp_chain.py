# SPDX-License-Identifier: BSD-3-Clause
"""Chains of protocol tcp: real services behind them, byte for byte, and what happens at both ends."""

import json
import os
import signal
import socket
import struct
import subprocess
import threading

import pytest

from conftest import CPU
from lab import BUILD, Nginx, Origin, Sluiced, ports_text, read_all, sh, wait_until

CONF = """
daemon = {{ workers = [ {cpu} ]; poll = "adaptive"; memory_mb = 256; run_dir = "@RUN_DIR@"; }};
{ports}
upstreams = ( {{ name = "service"; balance = "least"; servers = ( {servers} ); }} );
functions = (
  {{ name = "nothing"; plugin = "noop"; on_failure = "{on_failure}"; }},
  {{ name = "route"; plugin = "proxy"; on_failure = "retry"; config = {{ upstream = "service"; {proxy} }}; }},
  {{ name = "spread"; plugin = "lb"; on_failure = "bypass"; config = {{ {lb} }}; }} );
chains = ( {{ name = "plain"; listen = "10.10.1.1:6000"; protocol = "tcp"; {chain}
             path = [ "nothing", "route", "spread" ]; }} );
"""


def conf_of(*servers, proxy="", lb="", chain="", on_failure="bypass"):
    return CONF.format(cpu=CPU, ports=ports_text(["wan", "lan"]), proxy=proxy, lb=lb, chain=chain,
                       on_failure=on_failure,
                       servers=", ".join(f'{{ address = "{s}"; }}' for s in servers))


class Stream:
    """A client's machine, the daemon with one chain, and a machine for services."""

    def __init__(self, lab):
        self.lab = lab
        lab.middlebox(["wan", "lan"])
        self.client = lab.peer("wan")
        self.server = lab.peer("lan")
        self.sluiced = None

    def run(self, *servers, **kwargs):
        self.sluiced = Sluiced(self.lab, conf_of(*servers, **kwargs))
        return self.sluiced

    def origin(self, port, answer):
        return Origin(self.server, port, answer).endpoint

    def engine(self, name):
        return next(s["value"] for s in self.sluiced.show("stats")
                    if s["name"] == name and "engine" in s["group"])

    def connect(self):
        return self.client.connect("10.10.1.1", 6000)


@pytest.fixture
def stream(lab):
    """Ends with the checks that hold after every test: no buffer in use, an orderly stop."""
    it = Stream(lab)
    yield it
    it.sluiced.wait_no_buffers()
    it.sluiced.stop()
    assert "ERROR: AddressSanitizer" not in it.sluiced.log_path.read_text()


def echo(sock):
    while data := sock.recv(65536):
        sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)


def is_reset(sock):
    try:
        sock.sendall(b"x")
        while sock.recv(65536):
            pass
    except (ConnectionResetError, BrokenPipeError):
        return True
    return False


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# --- services ----------------------------------------------------------------------


def test_redis(stream):
    stream.server.start("redis-server", "--bind", stream.server.ip, "--port", 6379, "--save", "",
                        "--protected-mode", "no", "--dir", stream.lab.dir, stdout=subprocess.DEVNULL)
    stream.run(f"{stream.server.ip}:6379")
    cli = ["redis-cli", "-h", "10.10.1.1", "-p", 6000]
    wait_until(lambda: "PONG" in stream.client.run(*cli, "ping", check=False).stdout, 10, "redis answers")
    big = "v" * 1_000_000
    stream.client.run(*cli, "-x", "set", "big", input=big)
    assert stream.client.run(*cli, "get", "big").stdout.strip() == big
    bench = stream.client.run("redis-benchmark", "-h", "10.10.1.1", "-p", 6000, "-n", 20000, "-c", 20,
                              "-P", 4, "-t", "set,get", "--csv").stdout
    assert bench.count("\n") >= 3 and "Error" not in bench
    assert stream.engine("payload_copied_bytes") == 0
    assert stream.engine("payload_referenced_bytes") > 2_000_000


def test_tls_passes_through(stream):
    key, cert = stream.lab.dir / "key.pem", stream.lab.dir / "cert.pem"
    sh("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=service", "-days", "2",
       "-keyout", str(key), "-out", str(cert))
    page = os.urandom(300_000)
    stream.lab.file("page", page)
    stream.server.start("openssl", "s_server", "-accept", f"{stream.server.ip}:4433", "-key", key,
                        "-cert", cert, "-WWW", "-quiet", cwd=stream.lab.dir)
    stream.run(f"{stream.server.ip}:4433")
    got = wait_until(lambda: stream.client.run(
        "curl", "-s", "--http1.0", "--cacert", cert, "--connect-to", "service:443:10.10.1.1:6000",
        "https://service/page", text=False, check=False).stdout, 10, "the page comes")
    assert got == page
    hello = stream.client.run("openssl", "s_client", "-connect", "10.10.1.1:6000", "-CAfile", cert,
                              "-verify_return_error", input="").stdout
    assert "Verify return code: 0 (ok)" in hello


@pytest.mark.parametrize("way", [[], ["-R"]], ids=["up", "down"])
def test_iperf(stream, way):
    stream.server.start("iperf3", "-s", "-B", stream.server.ip, stdout=subprocess.DEVNULL)
    stream.run(f"{stream.server.ip}:5201")
    wait_until(lambda: stream.client.run("iperf3", "-c", "10.10.1.1", "-p", 6000, "-n", "1M",
                                         check=False).returncode == 0, 15, "iperf3 answers")
    done = json.loads(stream.client.run("iperf3", "-c", "10.10.1.1", "-p", 6000, "-t", 3, "-P", 4, "-J",
                                        *way).stdout)
    assert done["end"]["sum_received"]["bytes"] > 1_000_000
    assert stream.engine("payload_copied_bytes") == 0


# --- both ends -----------------------------------------------------------------------


def test_either_side_may_end_first(stream):
    heard = []

    def sum_up(sock):
        heard.append(read_all(sock))
        sock.sendall(b"%d" % len(heard[-1]))
        sock.close()

    stream.run(stream.origin(7000, sum_up))
    sent = os.urandom(3_000_000)
    with stream.connect() as sock:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock) == b"3000000"
    assert heard == [sent]


def test_a_server_that_speaks_first_and_ends_first(stream):
    heard = []

    def greet(sock):
        sock.sendall(b"220 hello\r\n")
        sock.shutdown(socket.SHUT_WR)
        heard.append(read_all(sock))
        sock.close()

    stream.run(stream.origin(7000, greet))
    with stream.connect() as sock:
        assert read_all(sock) == b"220 hello\r\n"
        sock.sendall(b"after the end")
    wait_until(lambda: heard == [b"after the end"], 10, "the rest has come")


def test_resets_are_passed_on(stream):
    ends = []

    def wait_for_end(sock):
        if sock.recv(1) == b"r":
            reset(sock)
            return
        try:
            ends.append(sock.recv(1))
        except ConnectionResetError:
            ends.append("reset")

    stream.run(stream.origin(7000, wait_for_end))
    sock = stream.connect()
    sock.sendall(b"x")
    wait_until(lambda: stream.sluiced.stat("tunnels") == 1, 10, "it is open")
    reset(sock)
    wait_until(lambda: ends == ["reset"], 10, "the server hears the reset")
    sock = stream.connect()
    sock.sendall(b"r")
    wait_until(lambda: is_reset(sock), 10, "the client hears the reset")
    sock.close()


def test_nobody_there_is_a_reset(stream):
    stream.run(f"{stream.server.ip}:9")
    with pytest.raises((ConnectionResetError, BrokenPipeError)):  # maybe at once
        with stream.connect() as sock:
            while True:
                sock.sendall(b"x")
    assert stream.sluiced.stat("origin_unavailable") == 1


def test_silence_ends_it(stream):
    stream.run(stream.origin(7000, echo), chain="idle_timeout_ms = 300;")
    sock = stream.connect()
    wait_until(lambda: stream.sluiced.stat("timeouts_tunnel") == 1, 10, "it was ended")
    assert is_reset(sock)
    sock.close()


# --- PROXY headers, and servers ---------------------------------------------------------


def first_line(sock):
    data = b""
    while not data.endswith(b"\n"):
        data += sock.recv(1)
    return data


def test_proxy_headers_in_and_out(stream):
    def tell(sock):
        sock.sendall(first_line(sock))
        echo(sock)

    stream.run(stream.origin(7000, tell), proxy='accept_proxy = "always"; send_proxy = "v1";')
    line = b"PROXY TCP4 192.0.2.9 198.51.100.7 4242 25\r\n"
    with stream.connect() as sock:
        for byte in line:
            sock.sendall(bytes([byte]))
        sock.sendall(b"and more")
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock) == line + b"and more"
    with stream.connect() as sock:
        sock.sendall(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([192, 0, 2, 9, 198, 51, 100, 7]) +
                     struct.pack("!HH", 4242, 25))
        assert first_line(sock) == line
    with stream.connect() as sock:
        assert is_reset(sock)


def test_nginx_reads_our_header(stream):
    origin = Nginx(stream.lab, stream.server, "behind",
                   extra=f"listen {stream.server.ip}:8081 proxy_protocol; "
                         "location = /addr { return 200 $proxy_protocol_addr; }")
    stream.run(f"{origin.ns.ip}:8081", proxy='send_proxy = "v2";')
    assert stream.client.curl("http://10.10.1.1:6000/addr") == stream.client.ip


def counted_servers(stream, lb):
    """Two servers that tell their number; what one client hears in twelve connections."""
    servers = [stream.origin(7000 + i, lambda sock, i=i: (sock.sendall(b"%d" % i), read_all(sock)))
               for i in range(2)]
    stream.run(*servers, lb=lb)
    socks = [stream.connect() for _ in range(12)]
    answers = [s.recv(1) for s in socks]
    for sock in socks:
        sock.close()
    return [answers.count(b"%d" % i) for i in range(2)]


def test_least_connections(stream):
    assert counted_servers(stream, 'balance = "least";') == [6, 6]


@pytest.mark.parametrize("balance", ["hash", "maglev"])
def test_source_hash(stream, balance):
    assert sorted(counted_servers(stream, f'balance = "{balance}";')) == [0, 12]


# --- operation ---------------------------------------------------------------------------


def test_what_is_shown(stream):
    stream.run(stream.origin(7000, echo))
    with stream.connect() as sock:
        sock.sendall(b"hello")
        assert sock.recv(5) == b"hello"
        chain = stream.sluiced.show("chains")[0]
        assert (chain["protocol"], chain["connections"], chain["exchanges"]) == ("tcp", 1, 1)
        flows = stream.sluiced.show("flows")
        assert {(f["chain"], f["upstream"], f["in_bytes"], f["out_bytes"]) for f in flows} == \
            {("plain", "-", 5, 5), ("-", "service", 5, 5)}
    wait_until(lambda: stream.sluiced.show("chains")[0]["connections"] == 0, 10, "it is over")
    assert stream.sluiced.show("upstreams")


PROCESSES = pytest.mark.skipif(os.environ.get("SLUICE_PLACEMENT") == "inline", reason="there are no processes")


@PROCESSES
def test_functions_die_and_connections_live(stream):
    stream.run(stream.origin(7000, echo))
    with stream.connect() as sock:
        for name in ("nothing", "route", "spread"):
            stream.sluiced.signal_function(name, signal.SIGKILL)
            sock.sendall(b"still here")
            assert sock.recv(10) == b"still here"
    wait_until(lambda: all(f["state"] == "up" for f in stream.sluiced.show("functions")), 10, "all are back")
    with stream.connect() as sock:
        sock.sendall(b"again")
        assert sock.recv(5) == b"again"


def test_a_reload_leaves_them_open(stream):
    first = stream.origin(7000, echo)
    second = stream.origin(7001, lambda sock: (sock.sendall(b"second"), read_all(sock)))
    stream.run(first)
    with stream.connect() as sock:
        sock.sendall(b"a")
        assert sock.recv(1) == b"a"
        assert stream.sluiced.reload(conf_of(second)).returncode == 0
        with stream.connect() as new:
            assert new.recv(6) == b"second"
        sock.sendall(b"b")
        assert sock.recv(1) == b"b"


def watched(conf, build="witness", on_failure="bypass"):
    """With a function that sends its build's name ahead and sees all that follows."""
    function = (f'functions = ( {{ name = "witness"; plugin = "{BUILD}/tests/{build}.so"; '
                f'on_failure = "{on_failure}"; config = {{ watch = true; }}; }},')
    return conf.replace("functions = (", function).replace('path = [ "nothing"', 'path = [ "witness"')


def echoed(sock, data):
    sock.sendall(data)
    got = b""
    while len(got) < len(data) and (more := sock.recv(65536)):
        got += more
    return got == data


def test_one_that_sees_the_data(stream):
    stream.sluiced = Sluiced(stream.lab, watched(conf_of(stream.origin(7000, echo))))
    page = os.urandom(1_000_000)
    with stream.connect() as sock:
        assert sock.recv(2) == b"1\n"
        sender = threading.Thread(target=lambda: (sock.sendall(page), sock.shutdown(socket.SHUT_WR)))
        sender.start()
        assert read_all(sock) == page
        sender.join()
    wait_until(lambda: stream.sluiced.stat("client_bytes") == len(page), 10, "all was seen")
    assert stream.sluiced.stat("server_bytes") == len(page) + 2
    assert stream.engine("payload_copied_bytes") == 2  # what went ahead, as early bytes for the next


@PROCESSES
def test_it_dies_while_the_data_goes_on(stream):
    """bypass: not a byte is missing, whatever it held when it died."""
    stream.sluiced = Sluiced(stream.lab, watched(conf_of(stream.origin(7000, echo))))
    page = os.urandom(20_000_000)
    got = bytearray()
    with stream.connect() as sock:
        sender = threading.Thread(target=lambda: (sock.sendall(page), sock.shutdown(socket.SHUT_WR)))
        sender.start()
        while len(got) < len(page) // 4:
            got += sock.recv(65536)
        stream.sluiced.signal_function("witness", signal.SIGKILL)
        got += read_all(sock)
        sender.join()
    assert bytes(got) == b"1\n" + page
    assert stream.sluiced.stat("failures_bypassed") == 1


@PROCESSES
@pytest.mark.parametrize("on_failure", ["reject", "retry"])
def test_what_cannot_do_without_it_is_reset(stream, on_failure):
    """Data that was shown in part cannot be shown to another process."""
    stream.sluiced = Sluiced(stream.lab, watched(conf_of(stream.origin(7000, echo)), on_failure=on_failure))
    sock = stream.connect()
    assert sock.recv(2) == b"1\n" and echoed(sock, b"hello")
    stream.sluiced.signal_function("witness", signal.SIGKILL)
    wait_until(lambda: is_reset(sock), 10, "the client hears the reset")
    sock.close()
    wait_until(lambda: stream.sluiced.function("witness")["state"] == "up", 10, "it is back")
    with stream.connect() as sock:
        assert sock.recv(2) == b"1\n" and echoed(sock, b"again")


@PROCESSES
def test_an_upgrade_leaves_them_open(stream):
    """Each stays with the process that has seen it so far, which leaves with the last of them."""
    stream.sluiced = Sluiced(stream.lab, watched(conf_of(stream.origin(7000, echo))))
    old = stream.sluiced.function("witness")["pid"]
    with stream.connect() as sock:
        assert sock.recv(2) == b"1\n" and echoed(sock, b"before")
        done = stream.sluiced.ctl("function", "upgrade", "witness", "--plugin", f"{BUILD}/tests/witness_2.so")
        assert done.stdout == "upgraded\n"
        with stream.connect() as new:
            assert new.recv(2) == b"2\n" and echoed(new, b"new")
        assert echoed(sock, b"after")
        assert old in stream.sluiced.pids()
    wait_until(lambda: old not in stream.sluiced.pids(), 20, "the old process leaves")
    assert stream.sluiced.stat("tunnels_reset") == 0


def test_a_reload_of_what_sees_the_data(stream):
    conf = conf_of(stream.origin(7000, echo))
    stream.sluiced = Sluiced(stream.lab, watched(conf))
    with stream.connect() as sock:
        assert sock.recv(2) == b"1\n" and echoed(sock, b"before")
        done = stream.sluiced.reload(watched(conf, build="witness_2"))
        assert done.returncode == 0, done.stderr
        with stream.connect() as new:
            assert new.recv(2) == b"2\n" and echoed(new, b"new")
        assert echoed(sock, b"after")
        assert len(stream.sluiced.show("chains")) == 2
    wait_until(lambda: len(stream.sluiced.show("chains")) == 1, 10, "the old version leaves")


def test_functions_that_do_not_fit(stream):
    good = conf_of(stream.origin(7000, echo))
    stream.sluiced = Sluiced(stream.lab, good)
    bad = good.replace('plugin = "noop"; on_failure = "bypass";', 'plugin = "filter";')
    wanted = 'chains.plain: function "nothing" (plugin filter) is not for protocol "tcp"'
    line = next(n for n, text in enumerate(bad.splitlines(), start=1) if "plain" in text)
    path = stream.lab.file("bad.conf", bad.replace("@RUN_DIR@", str(stream.lab.dir)))
    told = sh(str(BUILD / "bin/sluiced"), "-t", "-c", str(path), check=False)
    assert told.returncode == 1 and f"{path}:{line}: {wanted}" in told.stderr
    refused = stream.sluiced.reload(bad)
    assert refused.returncode != 0 and wanted in refused.stdout + refused.stderr
    with stream.connect() as sock:
        sock.sendall(b"on")
        assert sock.recv(2) == b"on"
