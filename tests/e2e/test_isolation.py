# SPDX-License-Identifier: BSD-3-Clause
"""A function that attacks the platform dies of it; everyone else goes on."""

import threading

import pytest

from conftest import Chain
from lab import BUILD, wait_until

HOSTILE = f"""functions = (
  {{ name = "hostile"; plugin = "{BUILD}/tests/hostile.so"; on_failure = "reject"; }},"""

NEIGHBOUR = """chains = (
  { name = "neighbour"; listen = "10.10.1.1:8080"; protocol = "http"; path = [ "route" ]; },"""


def with_hostile(conf):
    """The chain of the tests with a hostile function at its head, and a neighbour without one."""
    return conf.replace("functions = (", HOSTILE).replace("chains = (", NEIGHBOUR).replace(
        'path = [ "guard"', 'path = [ "hostile", "guard"')


class Neighbour:
    """Requests to the other chain for as long as the block lasts; every answer must be right."""

    def __init__(self, chain):
        self.chain = chain
        self.stop = threading.Event()
        self.answers = []
        self.thread = threading.Thread(target=self.ask)

    def ask(self):
        while not self.stop.is_set():
            self.answers.append(self.chain.client.curl(
                "-o", "/dev/null", "-w", "%{http_code}", "http://10.10.1.1:8080/who", check=False))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        self.thread.join()


@pytest.fixture
def hostile(lab):
    chain = Chain(lab)
    done = chain.sluiced.reload(with_hostile(chain.conf()))
    assert done.returncode == 0, done.stderr
    yield chain
    chain.sluiced.wait_no_buffers()
    chain.sluiced.stop()


@pytest.mark.parametrize("attack", ["write-head", "write-upstreams", "write-request-body",
                                    "write-response-body"])
def test_what_is_not_its_own_cannot_be_written(hostile, attack):
    pid = hostile.sluiced.function("hostile")["pid"]
    daemon = hostile.sluiced.pid
    hostile.file("page.bin", b"a body of some length" * 10000)
    with Neighbour(hostile) as neighbour:
        hostile.curl("/page.bin", "-H", f"X-Attack: {attack}", "-d", "a request's body", check=False)
        wait_until(lambda: hostile.sluiced.function("hostile")["restarts"] == 1, 10, "it died")
        wait_until(lambda: hostile.sluiced.function("hostile")["state"] == "up", 10, "it is back")
        wait_until(lambda: len(neighbour.answers) >= 5, 10, "the neighbour is asked")
    function = hostile.sluiced.function("hostile")
    assert "SIGSEGV" in function["last_exit"] and function["pid"] != pid
    assert set(neighbour.answers) == {"200"}
    assert hostile.sluiced.pid == daemon and hostile.status("/page.bin") == 200


def test_who_spoils_its_ring_is_ended(hostile):
    """It is heard no more, named, and another process takes its place."""
    hostile.file("page.bin", b"a page")
    pid = hostile.sluiced.function("hostile")["pid"]
    with Neighbour(hostile) as neighbour:
        assert hostile.status("/page.bin", "-H", "X-Attack: spoil-ring") == 503
        wait_until(lambda: hostile.sluiced.function("hostile")["restarts"] == 1, 10, "it was ended")
        wait_until(lambda: hostile.sluiced.function("hostile")["state"] == "up", 10, "it is back")
        wait_until(lambda: len(neighbour.answers) >= 5, 10, "the neighbour is asked")
    function = hostile.sluiced.function("hostile")
    assert function["last_exit"] == "its ring is spoiled" and function["pid"] != pid
    errors = [e for e in hostile.sluiced.show("errors") if e["function"] == "hostile"]
    assert [e["text"] for e in errors] == ["offence: its ring is spoiled"]
    assert set(neighbour.answers) == {"200"}
    assert hostile.status("/page.bin") == 200
