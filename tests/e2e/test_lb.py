# SPDX-License-Identifier: BSD-3-Clause
"""lb and its groups: who answers, who is kept, who is left out; real curl, real nginx."""

import time

import pytest

from groups import Group, Names
from lab import LabError, Nginx, Origin, read_head, sh, wait_until


@pytest.fixture
def group(lab):
    return Group(lab)


def test_weights(group):
    first, second = group.nginx(2)
    group.run([(first, "weight = 3;"), second], group='balance = "round_robin";')
    assert group.who(40) == {"o1": 30, "o2": 10}
    assert group.upstream(second, "weight", "9").stdout == "weighed\n"
    assert group.who(40) == {"o1": 10, "o2": 30}
    assert group.sluiced.ctl("upstream", "web", second, "weight", "257", check=False).returncode == 2
    group.end()


@pytest.mark.parametrize("balance", ["least", "p2c", "ewma"])
def test_loads(group, balance):
    """Requests one after the other reach all; none reaches one that is down."""
    servers = group.nginx(3)
    group.run(servers, group=f'balance = "{balance}";')
    assert set(group.who(60)) == {"o1", "o2", "o3"}
    group.upstream(servers[1], "down")
    assert "o2" not in group.who(30)
    group.end()


@pytest.mark.parametrize("balance", ["hash", "maglev"])
def test_keys(group, balance):
    """A key keeps its server; when that goes, only its keys go to others, and come back."""
    servers = group.nginx(3)
    group.run(servers, group=f'balance = "{balance}";', lb='hash_key = "header:x-user";')
    homes = {user: group.who(1, "-H", f"X-User: {user}").most_common()[0][0] for user in range(24)}
    assert set(homes.values()) == {"o1", "o2", "o3"}
    group.upstream(servers[0], "down")
    moved = {user: group.who(1, "-H", f"X-User: {user}").most_common()[0][0] for user in homes}
    assert "o1" not in moved.values()
    stayed = sum(moved[user] == home for user, home in homes.items() if home != "o1")
    assert stayed >= sum(home != "o1" for home in homes.values()) - 2
    group.upstream(servers[0], "up")
    assert {user: group.who(1, "-H", f"X-User: {user}").most_common()[0][0]
            for user in homes} == homes
    group.end()


def test_source(group):
    group.run(group.nginx(3), group='balance = "source";')
    assert len(group.who(12)) == 1
    group.end()


def test_cookies(group):
    """A browser stays with its server, over a drain too; others go elsewhere then."""
    servers = group.nginx(3)
    group.run(servers, group='balance = "round_robin";',
              lb='sticky = { cookie = "SRV"; secret = "s3cret"; max_age_s = 60; };')
    jar = str(group.lab.dir / "jar")
    home, = group.who(1, "-c", jar, "-b", jar)
    assert group.who(9, "-c", jar, "-b", jar) == {home: 9}
    assert group.who(3) == {"o1": 1, "o2": 1, "o3": 1}
    own = servers[int(home[1]) - 1]
    group.upstream(own, "drain")
    assert group.states()[own.split(":")[1]] == "draining"
    assert group.who(6, "-b", jar) == {home: 6}
    assert home not in group.who(12)
    group.upstream(own, "down")
    assert home not in group.who(6, "-c", jar, "-b", jar)
    group.upstream(own, "up")
    assert group.sluiced.stat("sticky_kept") >= 15
    head = group.curl("/who", "-D", "-", "-o", "/dev/null").lower()
    assert "max-age=60; httponly; samesite=lax" in head and "cache-control: private" in head
    group.end()


def test_orders(group):
    servers = group.nginx(2)
    group.run(servers, group='balance = "round_robin";')
    assert group.upstream(servers[0], "drain").returncode == 0
    assert group.who(6) == {"o2": 6}
    assert [row["server"] for row in group.sluiced.show("upstreams")] == servers
    assert "draining" in group.upstream().stdout
    for words, text in ((("10.9.9.9:1", "up"), 'has no server "10.9.9.9:1"'),
                        ((servers[0], "drian"), 'did you mean "drain"')):
        done = group.sluiced.ctl("upstream", "web", *words, check=False)
        assert done.returncode and text in done.stderr
    done = group.sluiced.ctl("upstream", "wep", servers[0], "up", check=False)
    assert done.returncode == 1 and 'no upstream "wep"' in done.stderr
    group.sluiced.ctl("reload")  # which decides
    assert group.who(6) == {"o1": 3, "o2": 3}
    group.end()


def test_checks_look_at_bodies(group):
    servers = group.nginx(2)
    for origin, text in zip(group.origins, ("all is well", "all is not")):
        origin.file("health", "x" * 3000 + text)
    group.run(servers, group='balance = "round_robin"; health = { path = "/health"; '
              'host = "a.example"; expect_body = "is well"; interval_ms = 50; fall = 2; rise = 2; };')
    wait_until(lambda: group.states() == {"8081": "up", "8082": "down"}, 10, "o2 is down")
    assert group.who(6) == {"o1": 6}
    group.origins[1].file("health", "is well")
    wait_until(lambda: group.states()["8082"] == "up", 10, "o2 is up")
    assert set(group.who(6)) == {"o1", "o2"}
    group.end()


def test_5xx_eject_and_panic(group):
    """A server of errors is left out; when too few would be left, all are used."""
    servers = group.nginx(2, extra="location /bad { return 500; }")
    group.run(servers, group='balance = "round_robin"; health = { on = false; max_5xx = 3; '
              'eject_ms = 60000; panic_percent = 60; };')
    for _ in range(12):
        assert group.status("/bad") == 500
    states = wait_until(lambda: group.states(), 5, "states")
    assert set(states.values()) == {"panic"}
    assert set(group.who(10)) == {"o1", "o2"}
    group.upstream(servers[0], "up")
    group.upstream(servers[1], "up")
    assert set(group.states().values()) == {"up"}
    group.end()


def test_slow_start(group):
    servers = group.nginx(2)
    group.run(servers, group='balance = "round_robin"; health = { on = false; max_5xx = 1000; '
              'slow_start_ms = 600000; };')
    assert group.who(20) == {"o1": 10, "o2": 10}
    group.upstream(servers[1], "down")
    group.upstream(servers[1], "up")
    assert group.who(60)["o2"] <= 30  # by hand nothing warms: only what was ill does
    group.end()


def slow(sock):
    while read_head(sock)[0]:
        time.sleep(0.4)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def many(group, count):
    urls = []
    for n in range(count):
        urls += ["-o", "/dev/null", f"http://10.10.1.1/?{n}"]
    text = group.client.curl("-w", "%{http_code}\n", "--parallel", "--parallel-immediate",
                             "--parallel-max", str(count), *urls)
    return sorted(int(line) for line in text.split())


def test_connections_are_bounded(group):
    """Two at a time; two more wait, and the fifth and sixth are refused."""
    origin = Origin(group.machine, 8081, slow)
    group.run([(origin.endpoint, "max_connections = 2;")], group="limits = { pending = 2; };")
    assert many(group, 6) == [200] * 4 + [503] * 2
    assert origin.connections == 2
    assert group.count("line_refused") == 2
    group.end()


def test_who_waits_too_long_is_told(group):
    origin = Origin(group.machine, 8081, slow)
    group.run([origin.endpoint], group="limits = { connections = 1; pending_ms = 100; };")
    assert many(group, 3) == [200, 503, 503]
    assert group.count("line_timeouts") == 2
    group.end()


def test_names(group):
    """Servers by name: all addresses, looked up again; what DNS leaves out is drained."""
    for octet in (3, 4):
        sh("ip", "-n", group.machine.name, "addr", "add", f"10.10.2.{octet}/24", "dev", "eth0")
    Nginx(group.lab, group.machine, "two", port=8080)
    names = Names(group.lab.mid, 5353, "web.example", ["10.10.2.2", "10.10.2.3"], ttl=1)
    group.run(["web.example:8080"], group='balance = "round_robin";',
              daemon='resolvers = "127.0.0.1:5353";')

    def servers():
        return sorted(row["server"] for row in group.sluiced.show("upstreams"))

    wait_until(lambda: servers() == ["10.10.2.2:8080", "10.10.2.3:8080"], 10, "both are known")
    assert group.status("/who") == 200
    names.addresses = ["10.10.2.4", "10.10.2.3"]
    wait_until(lambda: servers() == ["10.10.2.3:8080", "10.10.2.4:8080"], 10, "the new one is known")
    assert group.who(4) == {"two": 4}
    names.addresses = []  # an answer without addresses is no reason to have no servers
    asked = names.questions
    wait_until(lambda: names.questions > asked + 2, 15, "it is asked again")
    assert group.who(4) == {"two": 4}
    group.end()


def test_config_errors(group):
    for parts, text in (({"lb": 'load_percent = 50;'}, "load_percent: 50 is no bound"),
                        ({"lb": 'sticky = { cookie = "a b"; };'}, 'cookie: "a b" is not a name'),
                        ({"group": 'balance = "best";'}, "balance"),
                        ({"group": 'health = { expect_body = "x"; };'}, "expect_body without a path"),
                        ({"group": "limits = { queue = 1; };"}, "queue")):
        with pytest.raises(LabError) as error:
            group.run(["10.10.2.2:80"], **parts)
        assert text in str(error.value)
