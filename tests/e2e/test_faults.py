# SPDX-License-Identifier: BSD-3-Clause
"""A function ends at every step between taking a descriptor and giving it back.

The daemon runs sluice-nf-faults instead of sluice-nf: it is the same but that a plugin can name the
place where the process is to kill itself.
"""

import re
import shutil

import pytest

from hostile import Hostile, Neighbour
from lab import BUILD, TOP, Lab, wait_until

FAULTS = [f"die-{name}" for name in re.findall(r'^FAULT\(\w+, "([\w-]+)"',
                                               (TOP / "nf/sdk/faults.def").read_text(), re.M)]
POLICIES = ["bypass", "retry", "reject"]
BODY = b"a body of some length" * 10000


@pytest.fixture(scope="module", params=POLICIES)
def arena(request):
    """A daemon beside which there is the other host."""
    with Lab() as lab:
        folder = lab.dir / "bin"
        folder.mkdir()
        shutil.copy(BUILD / "bin/sluiced", folder / "sluiced")
        shutil.copy(BUILD / "tests/sluice-nf-faults", folder / "sluice-nf")
        hostile = Hostile(lab, FAULTS, request.param, program=folder / "sluiced",
                          daemon=f'plugin_dir = "{BUILD}/lib/sluice";')
        hostile.policy = request.param
        yield hostile
        hostile.sluiced.stop()
        assert "ERROR: AddressSanitizer" not in hostile.sluiced.log_path.read_text()


def answers_allowed(policy, fault):
    """What a client may get. What answered by itself has done so when its slices come back."""
    if fault.startswith("die-release"):
        return {(200, b"mine")}
    served = {(200, BODY)}
    if policy == "bypass":
        return served
    if policy == "retry":  # the next one dies of the same head; a body that was shown cannot be given again
        return served | {(500, None), (503, None)}
    return served | {(503, None)}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_ends_there(arena, fault):
    sluiced = arena.sluiced
    with Neighbour(arena):
        status, body = arena.attack(fault)
        wait_until(lambda: sluiced.function(fault)["restarts"] >= 1, 10, "it has ended")
        wait_until(lambda: sluiced.function(fault)["state"] == "up", 10, "it is back")
    assert (status, body if status == 200 else None) in answers_allowed(arena.policy, fault)
    assert "SIGKILL" in sluiced.function(fault)["last_exit"]
    assert arena.serves(fault)
    sluiced.wait_no_buffers()
    function = sluiced.function(fault)
    assert function["held"] == 0 and function["offences"] == 0
    assert sluiced.process.poll() is None


def test_the_product_has_no_fault_points():
    assert b"sluice_fault" in (BUILD / "tests/sluice-nf-faults").read_bytes()
    assert b"sluice_fault" not in (BUILD / "bin/sluice-nf").read_bytes()
