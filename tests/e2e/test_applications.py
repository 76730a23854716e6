# SPDX-License-Identifier: BSD-3-Clause
"""Applications on the stack: the socket API, with real clients and the examples."""

import os
import pathlib
import signal
import subprocess

import pytest

from conftest import CPU
from lab import BUILD, LabError, Sluiced, ports_text, read_all, wait_until

CONF = """
daemon = {{ workers = [ {cpu} ]; memory_mb = 256; run_dir = "@RUN_DIR@"; }};
{ports}
applications = (
  {{ name = "echo"; listen = "10.10.1.1:7000"; {echo} }},
  {{ name = "http"; listen = [ "10.10.1.1:80", "10.10.1.1:81" ]; }} );
"""


def conf_text(echo=""):
    return CONF.format(cpu=CPU, ports=ports_text(["wan"]), echo=echo)


class Stack:
    """The daemon without any chain, and a client."""

    def __init__(self, lab, **conf):
        self.lab = lab
        lab.middlebox(["wan"])
        self.client = lab.peer("wan")
        self.sluiced = Sluiced(lab, conf_text(**conf))

    @property
    def door(self):
        return self.sluiced.run_dir / "apps.sock"

    def application(self, name):
        return next(a for a in self.sluiced.show("applications") if a["name"] == name)

    def attach(self, name, endpoint, program=None):
        process = self.lab.mid.start(BUILD / "examples" / (program or name), name, endpoint, self.door,
                                     stderr=subprocess.PIPE)
        wait_until(lambda: self.application(name)["listeners"] or process.poll() is not None, 10,
                   f"{name} listens")
        return process

    def echo(self, data, port=7000):
        with self.client.connect("10.10.1.1", port) as sock:
            sock.sendall(data)
            sock.shutdown(1)
            return read_all(sock)


@pytest.fixture
def stack(lab):
    it = Stack(lab)
    yield it
    it.sluiced.wait_no_buffers()
    it.sluiced.stop()
    assert "ERROR: AddressSanitizer" not in it.sluiced.log_path.read_text()


def test_an_application_answers_from_its_own_memory(stack):
    stack.attach("http", "10.10.1.1:80")
    assert stack.client.curl("http://10.10.1.1/") == "Hello, sluice\n"
    assert stack.sluiced.stat("payload_referenced_bytes") > 0


def test_bytes_come_back_as_they_were_sent(stack):
    stack.attach("echo", "10.10.1.1:7000")
    data = os.urandom(1 << 20)
    assert stack.echo(data) == data
