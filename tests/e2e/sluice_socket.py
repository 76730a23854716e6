# SPDX-License-Identifier: BSD-3-Clause
"""Applications as tests need them.

App is the library (<sluice/socket.h>) through ctypes: what a well-behaved program does. Raw speaks
the contract itself (<sluice/app_abi.h>), so that it can also say what the library never would.
"""

import array
import ctypes
import errno
import mmap
import os
import select
import socket
import struct
import time

import pytest

from lab import BUILD

ACCEPT, READ, WRITE, HANGUP, ERROR, MEMORY, OPEN = (1 << i for i in range(7))


class Event(ctypes.Structure):
    _fields_ = [("conn", ctypes.c_void_p), ("listener", ctypes.c_void_p), ("user", ctypes.c_void_p),
                ("kinds", ctypes.c_uint32), ("error", ctypes.c_int)]


class Lease(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_ubyte)), ("len", ctypes.c_uint32),
                ("worker", ctypes.c_uint32), ("tag", ctypes.c_uint32)]


class Buf(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_ubyte)), ("size", ctypes.c_uint32)]


def library():
    path = BUILD / "lib/libsluice.so.0"
    if b"__asan_init" in path.read_bytes() and "asan" not in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("a sanitized library in a plain Python: LD_PRELOAD libasan.so")
    lib = ctypes.CDLL(str(path))
    pointer = ctypes.c_void_p
    for name, result, arguments in (
            ("attach", ctypes.c_int, [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(pointer)]),
            ("detach", None, [pointer]),
            ("listen", ctypes.c_int, [pointer, ctypes.c_char_p, pointer, ctypes.POINTER(pointer)]),
            ("unlisten", None, [pointer]),
            ("accept", ctypes.c_int, [pointer, ctypes.POINTER(pointer)]),
            ("connect", ctypes.c_int, [pointer, ctypes.c_char_p, pointer, ctypes.POINTER(pointer)]),
            ("close", None, [pointer]),
            ("abort", None, [pointer]),
            ("shutdown", ctypes.c_int, [pointer]),
            ("poll", ctypes.c_int, [pointer, ctypes.POINTER(Event), ctypes.c_uint, ctypes.c_int]),
            ("flush", None, [pointer]),
            ("fd", ctypes.c_int, [pointer]),
            ("read", ctypes.c_int, [pointer, ctypes.POINTER(Lease), ctypes.c_uint]),
            ("release", None, [pointer, ctypes.POINTER(Lease), ctypes.c_uint]),
            ("buf_alloc", ctypes.POINTER(Buf), [pointer, ctypes.c_uint32]),
            ("buf_unref", None, [ctypes.POINTER(Buf)]),
            ("write", ctypes.c_int, [pointer, ctypes.POINTER(Buf), ctypes.c_uint32, ctypes.c_uint32]),
            ("write_limit", ctypes.c_uint32, [pointer]),
            ("arena_used", ctypes.c_uint64, [pointer])):
        function = getattr(lib, f"sluice_{name}")
        function.restype, function.argtypes = result, arguments
    return lib


class App:
    """An attachment. What the library refuses is an OSError."""

    def __init__(self, path, name):
        self.lib = library()
        self.app = ctypes.c_void_p()
        self.check(self.lib.sluice_attach(str(path).encode(), name.encode(), ctypes.byref(self.app)))

    @staticmethod
    def check(rc):
        if rc < 0:
            raise OSError(-rc, os.strerror(-rc))
        return rc

    def opened(self, function, *arguments):
        out = ctypes.c_void_p()
        self.check(function(*arguments, ctypes.byref(out)))
        return out.value

    def listen(self, endpoint):
        return self.opened(self.lib.sluice_listen, self.app, endpoint.encode(), None)

    def listening(self, endpoint):
        listener = self.listen(endpoint)
        self.wait(OPEN, listener)
        return listener

    def connect(self, endpoint):
        return self.opened(self.lib.sluice_connect, self.app, endpoint.encode(), None)

    def accept(self, listener):
        return self.opened(self.lib.sluice_accept, listener)

    def poll(self, timeout_ms=0):
        events = (Event * 64)()
        return events[:self.check(self.lib.sluice_poll(self.app, events, 64, timeout_ms))]

    def wait(self, kind, handle=None):
        """The next event of that kind (of that handle); others are passed over."""
        for _ in range(1000):
            for event in self.poll(10000):
                if event.kinds & kind and handle in (None, event.conn, event.listener):
                    return event
        raise AssertionError("no such event")

    def accepted(self, listener):
        self.wait(ACCEPT, listener)
        return self.accept(listener)

    def read(self, conn, most=16):
        """Leases; none at the end."""
        leases = (Lease * most)()
        n = self.check(self.lib.sluice_read(conn, leases, most))
        return leases[:n]

    def release(self, leases):
        self.lib.sluice_release(self.app, (Lease * len(leases))(*leases), len(leases))

    def take(self, conn, size):
        """The next `size` bytes; what they lay in is given back."""
        data = b""
        while len(data) < size:
            try:
                leases = self.read(conn)
            except BlockingIOError:
                self.wait(READ, conn)
                continue
            if not leases:
                break
            data += b"".join(ctypes.string_at(lease.data, lease.len) for lease in leases)
            self.release(leases)
        return data

    def buf(self, data):
        buf = self.lib.sluice_buf_alloc(self.app, len(data))
        if not buf:
            raise MemoryError
        ctypes.memmove(buf.contents.data, data, len(data))
        return buf

    def write(self, conn, data):
        buf = self.buf(data)
        try:
            self.check(self.lib.sluice_write(conn, buf, 0, len(data)))
        finally:
            self.lib.sluice_buf_unref(buf)

    def sleeps_until_readable(self, seconds=10):
        """As an event loop would: sluice_poll has given nothing, then the descriptor tells."""
        return bool(select.select([self.lib.sluice_fd(self.app)], [], [], seconds)[0])

    def detach(self):
        self.lib.sluice_detach(self.app)


# --- the contract itself ---------------------------------------------------------------------

PAGE = 4096
HELLO = 64
REGION, LINK, GO, REFUSED = 2, 3, 4, 7
LISTEN, UNLISTEN, CONNECT, SEND, CLOSE, FREE = range(1, 7)
LISTENING, ACCEPTED, CONNECTING, CONNECTED, DATA, CLOSED, RELEASE = range(1, 8)
END, ABORT = 1, 2


def ref(region, offset):
    return region << 48 | offset & (1 << 48) - 1


class Raw:
    """An attachment of one worker, with every mapping at hand."""

    def __init__(self, path, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self.socket.send(struct.pack("<IIII64s", HELLO, 80, 1, 0, name.encode()))
        self.regions = {}  # number: (descriptor, offset, bytes, writable)
        self.rx = self.arena = None
        while not self.packet():
            pass
        self.down = mmap.mmap(self.down_fd, self.down_bytes, prot=mmap.PROT_READ)
        self.up = mmap.mmap(self.up_fd, self.up_bytes)
        self.entries, self.up_entries = struct.unpack_from("<II", self.down, 8)
        self.produced = self.consumed = 0

    def packet(self):
        data, control, _, _ = self.socket.recvmsg(2048, socket.CMSG_SPACE(64 * 4))
        fds = array.array("i")
        for _, _, cmsg in control:
            fds.frombytes(cmsg)
        kind, = struct.unpack_from("<I", data)
        if kind == REFUSED:
            raise OSError(struct.unpack_from("<I", data, 8)[0], data[16:].decode())
        if kind == REGION:
            number, _, writable, _, _, size = struct.unpack_from("<HBBIQQ", data, 8)
            self.regions[number] = (fds[0], struct.unpack_from("<Q", data, 32)[0], size, writable)
            if writable:
                self.arena = number
            else:
                self.rx = number
        if kind == LINK:
            self.down_bytes, self.up_bytes = struct.unpack_from("<QQ", data, 16)
            self.down_fd, self.up_fd, self.wake_fd = fds
        return kind == GO

    def map(self, number, prot=mmap.PROT_READ):
        fd, offset, size, _ = self.regions[number]
        return mmap.mmap(fd, size, prot=prot, offset=offset)

    def say(self, kind, conn=0, generation=0, flags=0, count=0, arg=0, text=0, union=b"", more=False):
        """`more`: it is seen together with what is said next."""
        at = PAGE + self.produced % self.up_entries * 64
        self.up[at:at + 64] = struct.pack("<IIBBBBIQ40s", conn, generation, kind, flags, count, 0, arg,
                                          text, union)
        self.produced += 1
        if not more:
            self.publish()

    def wait_room(self):
        """False: none comes, because nothing is taken any more."""
        for _ in range(1000):
            consumed, = struct.unpack_from("<I", self.down, 128)
            if self.produced - consumed < self.up_entries:
                return True
            time.sleep(0.001)
        return False

    def store(self, at, index):
        """In one piece: pack_into would show a zero before."""
        self.up[at:at + 4] = struct.pack("<I", index & 0xffffffff)

    def publish(self):
        self.store(0, self.produced)
        try:
            os.write(self.wake_fd, struct.pack("<Q", 1))
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise

    def listen(self, address, port, number=0):
        peer = struct.pack("<BBH16s", 4, 0, port, socket.inet_aton(address))
        self.say(LISTEN, conn=number, union=peer)
        answer = self.next(LISTENING)
        error, = struct.unpack_from("<I", answer, 16 + 40)
        if error:
            raise OSError(error, os.strerror(error))

    def send(self, conn, generation, slices, count=None, flags=0):
        """`slices`: of (ref, length, tag)."""
        self.say(SEND, conn, generation, flags, len(slices) if count is None else count,
                 union=b"".join(struct.pack("<QII", *s) for s in slices))

    def free(self, tags, count=None):
        self.say(FREE, count=len(tags) if count is None else count,
                 union=struct.pack(f"<{len(tags)}I", *tags))

    def next(self, kind, seconds=10):
        """The next descriptor of that kind; what comes before it is passed over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            produced, = struct.unpack_from("<I", self.down, 64)
            if produced == self.consumed:
                time.sleep(0.001)
                continue
            at = PAGE + self.consumed % self.entries * 64
            down = self.down[at:at + 64]
            self.consumed += 1
            self.store(64, self.consumed)
            if down[8] == kind:
                return down
        raise AssertionError(f"no descriptor {kind} came")

    def accept(self):
        """The slot of the next connection, and its generation."""
        return struct.unpack_from("<II", self.next(ACCEPTED))

    def ended(self, seconds=10):
        """True when the daemon has ended the attachment. Bells are passed over."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(64):
                pass
        except socket.timeout:
            return False
        except ConnectionResetError:
            pass
        return True

    def close(self):
        self.socket.close()
