# SPDX-License-Identifier: BSD-3-Clause
"""Applications on the stack: the socket API, with real clients, and what it must withstand."""

import asyncio
import contextlib
import errno
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import sluice_socket as api
from conftest import CPU
from lab import BUILD, Sluiced, ports_text, read_all, wait_until

CONF = """
daemon = {{ workers = [ {cpu} ]; memory_mb = 512; run_dir = "@RUN_DIR@"; drain_ms = 2000; }};
{ports}
applications = (
  {{ name = "echo"; listen = [ "10.10.1.1:7000", "10.10.1.1:7001" ]; {echo} }},
  {{ name = "http"; listen = "10.10.1.1:80"; }}{more} );
"""
CLIENT = '{ name = "client"; connect = [ "10.10.1.0/24:9000", "10.10.1.0/24:9001" ]; }'


def conf_text(echo="", more=""):
    return CONF.format(cpu=CPU, ports=ports_text(["wan"]), echo=echo, more=more and ", " + more)


class Stack:
    """The daemon without any chain, and a client."""

    def __init__(self, lab):
        self.lab = lab
        lab.middlebox(["wan"])
        self.client = lab.peer("wan")
        self.sluiced = None

    def start(self, **conf):
        self.sluiced = Sluiced(self.lab, conf_text(**conf))
        return self

    @property
    def door(self):
        return self.sluiced.run_dir / "apps.sock"

    def application(self, name):
        return next(a for a in self.sluiced.show("applications") if a["name"] == name)

    def run(self, name, *endpoints):
        """An example, as a process, that listens."""
        process = self.lab.mid.start(BUILD / "examples" / name, name, *endpoints, self.door)
        wait_until(lambda: self.application(name)["listeners"] or process.poll() is not None, 10,
                   f"{name} listens")
        return process

    def count(self, name):
        """A counter of applications: others have it, too."""
        return next(c["value"] for c in self.sluiced.show("stats")
                    if c["group"] == "applications" and c["name"] == name)

    def connect(self, port=7000):
        return self.client.connect("10.10.1.1", port)

    def echo(self, data, port=7000):
        with self.connect(port) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            return read_all(sock)


@pytest.fixture
def lab_stack(lab):
    it = Stack(lab)
    yield it
    it.sluiced.wait_no_buffers()
    it.sluiced.stop()
    assert "ERROR: AddressSanitizer" not in it.sluiced.log_path.read_text()


@pytest.fixture
def stack(lab_stack):
    return lab_stack.start()


@contextlib.contextmanager
def attached(stack, name="echo"):
    app = api.App(stack.door, name)
    try:
        yield app
    finally:
        app.detach()


# --- the examples, as a user runs them ---------------------------------------------------------


def test_an_application_answers_from_its_own_memory(stack):
    stack.run("http", "10.10.1.1:80")
    assert stack.client.curl("http://10.10.1.1/") == "Hello, sluice\n"
    assert stack.client.curl(*["http://10.10.1.1/"] * 100) == "Hello, sluice\n" * 100
    assert stack.count("payload_referenced_bytes") >= 101 * len("Hello, sluice\n")


def test_what_is_received_is_copied_once_and_counted(stack):
    stack.run("echo", "10.10.1.1:7000")
    data = os.urandom(1 << 20)
    assert stack.echo(data) == data
    assert stack.count("payload_copied_bytes") == len(data)
    assert stack.count("payload_referenced_bytes") == len(data)


SIZES = [64 << i % 15 for i in range(200)]  # 64 B to 1 MB


def test_two_hundred_connections_with_messages_of_64_bytes_to_1_megabyte(stack):
    stack.run("echo", "10.10.1.1:7000")
    socks = [stack.connect() for _ in SIZES]

    async def converse(sock, size):
        sock.setblocking(False)
        data = os.urandom(size)
        reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 21)

        async def send():
            writer.write(data)
            await writer.drain()
            writer.write_eof()

        _, back = await asyncio.gather(send(), reader.read(-1))
        writer.close()
        return back == data

    async def all_of_them():
        return await asyncio.gather(*map(converse, socks, SIZES))

    assert asyncio.run(all_of_them()) == [True] * len(SIZES)
    assert stack.application("echo")["connections_total"] == len(SIZES)


def test_killed_and_started_again_under_load(stack):
    stop = threading.Event()
    wrong, whole = [], []

    def client():
        while not stop.is_set():
            data = os.urandom(20000)
            try:
                back = stack.echo(data)
            except OSError:  # nobody listens just now
                continue
            if data[:len(back)] != back:
                wrong.append(len(back))
            whole.append(back == data)

    process = stack.run("echo", "10.10.1.1:7000")
    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        before = len(whole)
        wait_until(lambda n=before: len(whole) > n + 20, 20, "clients are served")
        process.kill()
        process.wait()
        process = stack.run("echo", "10.10.1.1:7000")
    before = len(whole)
    wait_until(lambda: len(whole) > before + 20 and all(whole[-10:]), 20, "clients are served again")
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert stack.application("echo")["attached"] == 6
    assert stack.sluiced.show("status")["state"] == "running"


def test_the_connections_of_one_that_dies_are_reset(stack):
    process = stack.run("echo", "10.10.1.1:7000")
    with stack.connect() as sock:
        sock.sendall(b"there")
        assert sock.recv(100) == b"there"
        process.kill()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    wait_until(lambda: stack.application("echo")["state"] == "absent", 10, "its end is seen")
    assert stack.application("echo")["last_end"] == "its process ended"
    with pytest.raises(ConnectionRefusedError):
        stack.connect()


def test_a_relay_joins_two_connections(lab_stack):
    stack = lab_stack.start(more='{ name = "relay"; listen = "10.10.1.1:7002"; connect = "10.10.1.2/32:9000"; }')
    server = stack.client.listen(9000)
    stack.run("relay", "10.10.1.1:7002", "10.10.1.2:9000")
    data = os.urandom(4 << 20)
    with stack.connect(7002) as sock:
        far, _ = server.accept()
        sent = threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
        sent.start()
        assert read_all(far) == data
        sent.join()
        far.sendall(b"and back")
        far.close()
        assert read_all(sock) == b"and back"
    with stack.connect(7002) as sock:
        far, _ = server.accept()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        far.close()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    server.close()
    with pytest.raises(ConnectionResetError), stack.connect(7002) as sock:
        sock.recv(1)
    wait_until(lambda: not stack.application("relay")["connections"], 10, "all are closed")


# --- the API -----------------------------------------------------------------------------------


def test_leases_are_read_in_place_and_hold_the_window(stack):
    with attached(stack) as app:
        listener = app.listening("10.10.1.1:7000")
        sock = stack.connect()
        conn = app.accepted(listener)
        data = os.urandom(8 << 20)
        sent = threading.Thread(target=sock.sendall, args=(data,))
        sent.start()
        app.wait(api.READ, conn)
        held, before = [], -1
        while len(held) != before:  # all that comes while nothing is given back
            before = len(held)
            time.sleep(0.3)
            app.poll()
            with contextlib.suppress(BlockingIOError):
                while True:
                    held += app.read(conn)
        got = b"".join(api.ctypes.string_at(lease.data, lease.len) for lease in held)
        assert got == data[:len(got)]
        assert sent.is_alive() and len(got) <= 1 << 20
        app.release(held)
        assert app.take(conn, len(data) - len(got)) == data[len(got):]
        sent.join()
        sock.close()
        app.lib.sluice_close(conn)


def test_a_write_is_whole_or_not_at_all(stack):
    with attached(stack) as app:
        listener = app.listening("10.10.1.1:7000")
        sock = stack.connect()
        conn = app.accepted(listener)
        limit = app.lib.sluice_write_limit(conn)
        with pytest.raises(OSError) as refused:
            app.write(conn, bytes(limit + 1))
        assert refused.value.errno == errno.EINVAL
        sent = 0
        with pytest.raises(BlockingIOError):
            while True:
                app.write(conn, bytes([sent % 251]) * 100000)
                sent += 1
        app.lib.sluice_flush(app.app)
        received = bytearray()
        while len(received) < sent * 100000:
            received += sock.recv(1 << 20)
        assert received == b"".join(bytes([i % 251]) * 100000 for i in range(sent))
        app.wait(api.WRITE, conn)
        app.write(conn, b"more")
        app.lib.sluice_flush(app.app)
        assert sock.recv(100) == b"more"
        wait_until(lambda: not app.poll() and not app.lib.sluice_arena_used(app.app), 10,
                   "every buffer is back")
        app.lib.sluice_close(conn)
        app.lib.sluice_flush(app.app)
        assert sock.recv(1) == b""
        sock.close()


def test_its_descriptor_fits_an_event_loop(stack):
    with attached(stack) as app:
        listener = app.listening("10.10.1.1:7000")
        while app.poll():
            pass
        assert not app.sleeps_until_readable(0)
        with stack.connect() as sock:
            assert app.sleeps_until_readable()
            conn = app.accepted(listener)
            while app.poll():
                pass
            sock.sendall(b"x")
            assert app.sleeps_until_readable()
            assert app.take(conn, 1) == b"x"
            app.lib.sluice_close(conn)


def test_each_side_ends_by_itself(stack):
    with attached(stack) as app:
        listener = app.listening("10.10.1.1:7000")
        with stack.connect() as sock:
            conn = app.accepted(listener)
            app.write(conn, b"the last of it")
            assert app.lib.sluice_shutdown(conn) == 0
            app.lib.sluice_flush(app.app)
            assert read_all(sock) == b"the last of it"
            with pytest.raises(BrokenPipeError):
                app.write(conn, b"more")
            sock.sendall(b"still")
            assert app.take(conn, 5) == b"still"
            sock.shutdown(socket.SHUT_WR)
            assert app.take(conn, 1) == b""
            app.lib.sluice_close(conn)
        with stack.connect() as sock:
            conn = app.accepted(listener)
            app.lib.sluice_abort(conn)
            app.lib.sluice_flush(app.app)
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        sock = stack.connect()
        conn = app.accepted(listener)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
        assert app.wait(api.ERROR, conn).error == errno.ECONNRESET
        with pytest.raises(ConnectionResetError):
            app.read(conn)
        app.lib.sluice_close(conn)


def test_it_connects_where_it_may(lab_stack):
    stack = lab_stack.start(more=CLIENT)
    server = stack.client.listen(9000)
    with attached(stack, "client") as app:
        conn = app.connect("10.10.1.2:9000")
        with pytest.raises(BlockingIOError):
            app.write(conn, b"too early")
        app.wait(api.OPEN, conn)
        app.write(conn, b"to the server")
        app.lib.sluice_flush(app.app)
        sock, _ = server.accept()
        assert sock.recv(100) == b"to the server"
        sock.sendall(b"to the client")
        assert app.take(conn, 13) == b"to the client"
        flow = next(f for f in stack.sluiced.show("flows") if f["client"] == "10.10.1.2:9000")
        assert flow["chain"] == "client"
        app.lib.sluice_close(conn)
        for endpoint, error in (("10.10.1.2:9001", errno.ECONNREFUSED), ("10.10.1.2:9002", errno.EACCES),
                                ("10.10.2.2:9000", errno.EACCES)):
            conn = app.connect(endpoint)
            assert app.wait(api.ERROR, conn).error == error
            app.lib.sluice_close(conn)
        with pytest.raises(OSError) as refused:
            app.connect("10.10.1.2")
        assert refused.value.errno == errno.EINVAL
        assert stack.sluiced.stat("app_denied") == 2
        sock.close()
    server.close()


# --- who may, and what -------------------------------------------------------------------------


def refused_attach(stack, name):
    with pytest.raises(OSError) as refused:
        api.App(stack.door, name)
    return refused.value.errno


def test_only_those_who_may_attach_and_listen(lab_stack):
    stack = lab_stack.start(more='{ name = "other"; user = "nobody"; listen = "10.10.1.1:7002"; }')
    assert refused_attach(stack, "nothing") == errno.ENOENT
    assert refused_attach(stack, "other") == errno.EACCES
    with attached(stack) as app:
        assert refused_attach(stack, "echo") == errno.EBUSY
        listener = app.listen("10.10.1.1:80")
        assert app.wait(api.ERROR, listener).error == errno.EACCES
        app.lib.sluice_unlisten(listener)
    asked = ("import sys; sys.path.insert(0, sys.argv[1]); import sluice_socket as api\n"
             "for name in sys.argv[3:]:\n"
             "    try: api.App(sys.argv[2], name); print('attached')\n"
             "    except OSError as error: print(error.errno)\n")
    done = subprocess.run([sys.executable, "-c", asked, os.path.dirname(__file__), stack.door, "echo",
                           "other"], user="nobody", text=True, capture_output=True, check=True)
    assert done.stdout.split() == [str(errno.EACCES), "attached"]


def test_more_connections_than_it_may_have_are_reset(lab_stack):
    stack = lab_stack.start(echo="max_connections = 2;")
    stack.run("echo", "10.10.1.1:7000")
    socks = [stack.connect(), stack.connect()]
    for sock in socks:
        sock.sendall(b"in")
        assert sock.recv(10) == b"in"
    with pytest.raises(ConnectionResetError):
        with stack.connect() as third:
            third.recv(1)
    assert stack.sluiced.stat("app_refused") == 1
    socks[0].shutdown(socket.SHUT_WR)
    assert read_all(socks[0]) == b""
    wait_until(lambda: stack.application("echo")["connections"] == 1, 10, "there is room again")
    assert stack.echo(b"again") == b"again"
    for sock in socks:
        sock.close()


def test_a_reload_ends_only_those_whose_terms_changed(stack):
    stack.run("http", "10.10.1.1:80")
    with attached(stack) as app:
        listener = app.listening("10.10.1.1:7000")
        held = stack.client.connect("10.10.1.1", 80)
        assert stack.sluiced.reload(conf_text(echo="max_connections = 5;")).returncode == 0
        with pytest.raises(BrokenPipeError):
            while True:
                app.poll(1000)
        with pytest.raises(BrokenPipeError):
            app.accept(listener)
        held.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert held.recv(1000).endswith(b"Hello, sluice\n")
        held.close()
    with attached(stack) as app:
        app.listening("10.10.1.1:7000")
        assert stack.application("echo")["attached"] == 2


def test_the_daemon_drains(stack):
    with attached(stack) as app:
        listener = app.listening("10.10.1.1:7000")
        with stack.connect() as sock:
            conn = app.accepted(listener)
            stack.sluiced.process.send_signal(signal.SIGTERM)
            assert app.wait(api.ERROR, listener).error == errno.ESHUTDOWN
            app.write(conn, b"goodbye")
            app.lib.sluice_close(conn)
            app.lib.sluice_flush(app.app)
            assert read_all(sock) == b"goodbye"
        stack.sluiced.process.wait(20)
        with pytest.raises(BrokenPipeError):
            while True:
                app.poll(1000)
    assert stack.sluiced.process.returncode == 0
    stack.start()  # for the checks that hold after every test


# --- a hostile application ---------------------------------------------------------------------


def connection(stack, raw):
    raw.listen("10.10.1.1", 7000)
    sock = stack.connect()
    return (sock, *raw.accept())


def say_nonsense(_stack, raw):
    raw.say(99)


def spoil_its_ring(_stack, raw):
    raw.produced += 100000
    raw.publish()


def take_the_ring_for_longer(_stack, raw):
    api.struct.pack_into("<I", raw.up, 64, 12345678)
    raw.say(api.UNLISTEN)


def listen_under_no_number(_stack, raw):
    raw.say(api.LISTEN, conn=0xffffffff, union=api.struct.pack("<BBH16s", 4, 0, 7000, b"\x0a\x0a\1\1"))


def listen_at_no_address(_stack, raw):
    raw.say(api.LISTEN, union=b"\xff" * 40)


def send_for_a_stranger(_stack, raw):
    raw.send(1023, 1, [(api.ref(raw.arena, 0), 10, 1)])


def send_for_one_long_gone(stack, raw):
    sock, conn, generation = connection(stack, raw)
    raw.send(conn, generation - 1, [(api.ref(raw.arena, 0), 10, 1)])
    return sock


def close_twice(stack, raw):
    sock, conn, generation = connection(stack, raw)
    raw.say(api.CLOSE, conn, generation, more=True)
    raw.say(api.CLOSE, conn, generation)
    return sock


def send_from(stack, raw, region, offset, length, **more):
    sock, conn, generation = connection(stack, raw)
    raw.send(conn, generation, [(api.ref(region, offset), length, 1)], **more)
    return sock


def send_from_receive_memory(stack, raw):
    return send_from(stack, raw, raw.rx, 0, 100)


def send_from_a_region_that_is_none(stack, raw):
    return send_from(stack, raw, 1000, 0, 100)


def send_from_the_daemon(stack, raw):
    return send_from(stack, raw, 1, 0, 100)


def send_from_beyond_the_arena(stack, raw):
    return send_from(stack, raw, raw.arena, (16 << 20) - 10, 11)


def send_from_an_offset_that_overflows(stack, raw):
    return send_from(stack, raw, raw.arena, (1 << 48) - 1, 0xffffffff)


def send_nothing(stack, raw):
    return send_from(stack, raw, raw.arena, 0, 0)


def send_more_slices_than_there_are(stack, raw):
    return send_from(stack, raw, raw.arena, 0, 10, count=200)


def send_more_than_it_may(stack, raw):
    sock, conn, generation = connection(stack, raw)
    for _ in range(200):
        raw.send(conn, generation, [(api.ref(raw.arena, 0), 65536, 1)])
    return sock


def send_in_more_pieces_than_it_may(stack, raw):
    sock, conn, generation = connection(stack, raw)
    for i in range(20000):  # nobody reads: after the first window nothing is acknowledged
        if not raw.wait_room():
            break
        raw.send(conn, generation, [(api.ref(raw.arena, 0), 16, 2 * i), (api.ref(raw.arena, 64), 16, 2 * i + 1)])
    return sock


def free_what_it_does_not_hold(_stack, raw):
    raw.free([0, 1, 2])


def free_twice(stack, raw):
    sock, _, _ = connection(stack, raw)
    sock.sendall(b"some bytes")
    tag, = api.struct.unpack_from("<I", raw.next(api.DATA), 16 + 12)
    raw.free([tag])
    raw.free([tag])
    return sock


def free_more_than_fits(_stack, raw):
    raw.free([0] * 10, count=255)


ATTACKS = [
    (say_nonsense, "kind"), (spoil_its_ring, "ring"), (take_the_ring_for_longer, "ring"),
    (listen_under_no_number, "kind"), (listen_at_no_address, "kind"), (send_for_a_stranger, "conn"),
    (send_for_one_long_gone, "conn"), (close_twice, "conn"), (send_from_receive_memory, "slices"),
    (send_from_a_region_that_is_none, "slices"), (send_from_the_daemon, "slices"),
    (send_from_beyond_the_arena, "slices"), (send_from_an_offset_that_overflows, "slices"),
    (send_nothing, "slices"), (send_more_slices_than_there_are, "kind"), (send_more_than_it_may, "flood"),
    (send_in_more_pieces_than_it_may, "flood"), (free_what_it_does_not_hold, "free"), (free_twice, "free"),
    (free_more_than_fits, "kind")]


def test_a_lie_ends_the_liar_and_nobody_else(stack):
    stack.run("http", "10.10.1.1:80")
    held = stack.client.connect("10.10.1.1", 80)
    for number, (attack, counter) in enumerate(ATTACKS, start=1):
        name = attack.__name__
        before = stack.sluiced.stat(f"app_offences_{counter}")
        raw = wait_until(lambda: admitted(stack), 10, "the door is open again")
        sock = attack(stack, raw)
        assert raw.ended(), name
        raw.close()
        assert stack.sluiced.stat(f"app_offences_{counter}") == before + 1, name
        assert stack.application("echo")["offences"] == number, name
        if sock:
            read_all(sock)
            sock.close()
        held.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert held.recv(1000).endswith(b"Hello, sluice\n"), name
    held.close()
    assert any(e["function"] == "echo" for e in stack.sluiced.show("errors"))


def admitted(stack):
    try:
        return api.Raw(stack.door, "echo")
    except OSError as error:
        assert error.errno == errno.EAGAIN  # thrown out a moment ago
        return None


def test_one_that_takes_nothing_is_ended(lab_stack):
    stack = lab_stack.start(echo="hang_ms = 300; max_connections = 200;")
    raw = api.Raw(stack.door, "echo")
    raw.listen("10.10.1.1", 7000)
    socks = [stack.connect() for _ in range(100)]
    for sock in socks:
        sock.setblocking(False)
    with contextlib.suppress(OSError):
        for _ in range(2000):
            for sock in socks:
                with contextlib.suppress(BlockingIOError):
                    sock.send(bytes(4000))
            if stack.sluiced.stat("app_offences_hang"):
                break
    assert raw.ended()
    assert stack.sluiced.stat("app_offences_hang") == 1
    raw.close()
    for sock in socks:
        sock.close()


def test_it_can_write_its_own_memory_only(stack):
    raw = api.Raw(stack.door, "echo")
    libc = api.ctypes.CDLL(None, use_errno=True)
    own = [number for number, region in raw.regions.items() if region[3]]
    assert own == [raw.arena] and len(raw.regions) == 2
    raw.map(raw.arena, mmap.PROT_READ | mmap.PROT_WRITE)[0] = 1
    for fd in (raw.regions[raw.rx][0], raw.down_fd):
        with pytest.raises(PermissionError):
            mmap.mmap(fd, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        again = os.open(f"/proc/self/fd/{fd}", os.O_RDWR)  # the test is root; the seal holds
        with pytest.raises(PermissionError):
            mmap.mmap(again, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        with pytest.raises(PermissionError):
            os.write(again, b"x")
        os.close(again)
        libc.mmap.restype = api.ctypes.c_void_p
        address = libc.mmap(None, api.ctypes.c_size_t(4096), mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
        assert libc.mprotect(api.ctypes.c_void_p(address), api.ctypes.c_size_t(4096), 3) == -1
    for fd in (raw.regions[raw.arena][0], raw.up_fd):
        with pytest.raises(PermissionError):
            os.ftruncate(fd, 0)
    raw.close()
