# SPDX-License-Identifier: BSD-3-Clause
"""Functions are killed at random, over and over, while clients are served."""

import random
import re
import signal
import statistics
import time

from conftest import Chain
from lab import wait_until

KILLS = 1000
AT_MOST_S = 240
INSTANCES = 6
MORTAL = ["guard", "edge", "spread"]  # those with on_failure = "bypass"

ROUNDS = 20
ALONE = """functions = (
  { name = "alone"; plugin = "noop"; on_failure = "reject"; },"""
CHAIN = """chains = (
  { name = "alone"; listen = "10.10.1.1:8080"; protocol = "http"; path = [ "alone", "route" ]; },"""


def several(conf, instances):
    for name in MORTAL:
        conf = conf.replace(f'name = "{name}";', f'name = "{name}"; instances = {instances};')
    return conf


def one(chance, up):
    """Of those that may die."""
    mortal = [f for f in up if f["name"] in MORTAL]
    return [chance.choice(mortal)] if mortal else []


def test_a_thousand_kills_under_load(lab):
    chain = Chain(lab)
    done = chain.sluiced.reload(several(chain.conf(), INSTANCES))
    assert done.returncode == 0, done.stderr
    load = chain.client.start("wrk", "-t1", "-c50", "--latency", "--timeout", "20s", f"-d{AT_MOST_S}s",
                              "http://10.10.1.1/who", stdout=-1, text=True)
    time.sleep(2)  # a change whose newcomers die in their first second is taken back
    chance, kills, began = random.Random(1), 0, time.monotonic()
    while kills < KILLS and (passed := time.monotonic() - began) < AT_MOST_S - 5:
        kills += chain.sluiced.signal_functions(signal.SIGKILL, lambda up: one(chance, up))
        time.sleep(0.05)  # one that dies young again and again would wait longer before each start
    load.send_signal(signal.SIGINT)  # it says what it has seen until now
    out = load.communicate(timeout=60)[0]
    print(f"{kills} kills in {passed:.0f} s;", "; ".join(re.findall(r"(?:99%|Requests/sec:) .*", out)))
    assert kills == KILLS
    assert "Requests/sec" in out and "Socket errors" not in out and "Non-2xx" not in out, out
    wait_until(lambda: all(f["state"] == "up" for f in chain.sluiced.show("functions")), 20, "all are back")
    assert all(f["held"] == 0 for f in chain.sluiced.show("functions"))
    assert sum(c["exchanges"] for c in chain.sluiced.show("chains")) == 0
    assert chain.status("/who") == 200
    chain.sluiced.wait_no_buffers()
    chain.sluiced.stop()


def ask(sock):
    """The status of one answer, and when it came."""
    sock.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        assert more, "the connection was closed"
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    left = int(re.search(rb"(?i)content-length: (\d+)", head).group(1)) - len(body)
    while left > 0:
        left -= len(sock.recv(left))
    return int(head.split()[1]), time.monotonic()


def times_ms(chain, sock):
    """From a kill to the first 503, which says that it was seen; and to the first 200 after that."""
    chain.sluiced.signal_function("alone", signal.SIGKILL)
    began = time.monotonic()
    status, seen = ask(sock)
    while status == 200:  # what was answered before it died
        status, seen = ask(sock)
    assert status == 503
    while status == 503:
        status, served = ask(sock)
    return (seen - began) * 1000, (served - began) * 1000


def test_a_death_is_seen_and_the_next_one_serves(lab):
    chain = Chain(lab)
    done = chain.sluiced.reload(chain.conf().replace("functions = (", ALONE).replace("chains = (", CHAIN))
    assert done.returncode == 0, done.stderr
    seen, served = [], []
    with chain.client.connect("10.10.1.1", 8080) as sock:
        for _ in range(ROUNDS):
            time.sleep(1.1)
            a, b = times_ms(chain, sock)
            seen.append(a)
            served.append(b)
    for what, values in (("seen", seen), ("served again", served)):
        print(f"{what} after {statistics.median(values):.2f} ms (least {min(values):.2f}, most {max(values):.2f})")
    assert statistics.median(seen) < 100 and statistics.median(served) < 1000
    chain.sluiced.wait_no_buffers()
    chain.sluiced.stop()
