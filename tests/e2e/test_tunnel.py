# SPDX-License-Identifier: BSD-3-Clause
"""WebSocket through the chain, with a real client and a real server."""

import pytest

from conftest import chain_conf
from lab import Sluiced, wait_until

PYTHON = "/usr/bin/python3"

SERVER = """
import asyncio, websockets

async def echo(ws):
    async for message in ws:
        await ws.send(message)
        if message == "leave":
            await ws.close(4000, "you asked for it")
            return

async def main():
    async with websockets.serve(echo, "0.0.0.0", 8080, max_size=None):
        print("ready", flush=True)
        await asyncio.Future()

asyncio.run(main())
"""

CLIENT = """
import asyncio, os, websockets

async def talk(n):
    async with websockets.connect("ws://10.10.1.1/chat", max_size=None, compression=None) as ws:
        await ws.send(f"hello {n}")
        assert await ws.recv() == f"hello {n}"
        big = os.urandom(3_000_000)
        await ws.send(big)
        assert await ws.recv() == big
        await asyncio.wait_for(await ws.ping(), 20)
        for i in range(200):
            await ws.send(str(i))
        assert [await ws.recv() for i in range(200)] == [str(i) for i in range(200)]
        if n % 2:
            await ws.send("leave")
            assert await ws.recv() == "leave"
            await ws.wait_closed()
            assert ws.close_code == 4000, ws.close_code

async def main():
    await asyncio.gather(*(talk(n) for n in range(10)))
    print("done")

asyncio.run(main())
"""

REFUSED = """
import asyncio, websockets

async def main():
    try:
        async with websockets.connect("ws://10.10.1.1/"):
            print("open")
    except websockets.InvalidStatusCode as e:
        print(e.status_code)

asyncio.run(main())
"""


class Talk:
    def __init__(self, lab, chain):
        lab.middlebox(["wan", "lan"])
        self.client = lab.peer("wan")
        self.origin = lab.peer("lan")
        self.server = self.origin.start(PYTHON, "-c", SERVER, stdout=-1)
        assert self.server.stdout.readline()
        self.sluiced = Sluiced(lab, chain_conf(["wan", "lan"], [f"{self.origin.ip}:8080"],
                                               chain=chain))

    def close(self):
        self.sluiced.wait_no_buffers()
        self.sluiced.stop()
        self.server.kill()
        self.server.wait()


@pytest.fixture
def talk(lab, request):
    it = Talk(lab, request.param)
    yield it
    it.close()


@pytest.mark.parametrize("talk", ['upgrade = "websocket";'], indirect=True)
def test_websocket(talk):
    assert "done" in talk.client.run(PYTHON, "-c", CLIENT).stdout
    assert talk.sluiced.stat("tunnels") == 10
    by_reference = talk.sluiced.stat("payload_referenced_bytes")
    assert by_reference > 10 * 2 * 3_000_000
    # What is smaller than the stack's threshold is copied next to its header.
    assert talk.sluiced.stat("payload_copied_bytes") < by_reference / 20
    assert talk.sluiced.stat("exchanges_failed") == 0


@pytest.mark.parametrize("talk", [""], indirect=True)
def test_websocket_where_it_is_not_allowed(talk):
    """The server never hears of the wish, and says so in its own way."""
    assert talk.client.run(PYTHON, "-c", REFUSED).stdout.strip() == "426"
    assert talk.sluiced.stat("tunnels") == 0


@pytest.mark.parametrize("talk", ['upgrade = "websocket"; tunnel_timeout_ms = 1000;'], indirect=True)
def test_a_silent_tunnel_ends(talk):
    with talk.client.connect("10.10.1.1", 80) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 101 ")
        with pytest.raises(ConnectionResetError):
            sock.recv(65536)
    wait_until(lambda: talk.sluiced.stat("timeouts_tunnel") == 1, 5, "the tunnel's end")
