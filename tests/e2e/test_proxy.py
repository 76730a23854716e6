# SPDX-License-Identifier: BSD-3-Clause
"""proxy: routes, times, second tries and error pages on the wire; real curl, real nginx."""

import time

import pytest

from groups import ALL, Group
from lab import LabError, Origin, read_head

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def group(lab):
    return Group(lab)


def test_routes_and_redirects(group):
    group.run(group.nginx(1), proxy="""routes = (
      { host = "old.example"; path = "^/a/(.*)$"; redirect = { status = 308; to = "https://new.example/$1"; }; },
      { headers = ( { name = "X-Version"; match = "^2$"; } ); path = "^/v/(\\\\w+)$"; rewrite = "/$1";
        upstream = "web"; },
      { method = [ "DELETE" ]; redirect = { to = "/gone"; }; },
      { path_exact = "/who"; upstream = "web"; } );""")
    assert group.curl("/a/b?c", "-H", "Host: old.example", "-o", "/dev/null", "-w",
                      "%{http_code} %{redirect_url}") == "308 https://new.example/b"
    assert group.curl("/v/who", "-H", "X-Version: 2") == "o1\n"
    assert group.status("/v/who", "-H", "X-Version: 3") == 404
    assert group.status("/x", "-X", "DELETE") == 302
    assert group.curl("/who") == "o1\n"
    group.end()


def echo(sock):
    while True:
        head, _ = read_head(sock)
        if not head:
            return
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(head), head))


def test_forwarded(group):
    origin = Origin(group.machine, 8081, echo)
    group.run([origin.endpoint], proxy="forwarded = true;" + ALL)
    head = group.curl("/", "-H", "Forwarded: for=1.2.3.4", "-H", "X-Forwarded-For: 1.2.3.4",
                      "-H", "Connection: X-Secret", "-H", "X-Secret: 1").lower()
    assert 'forwarded: for=10.10.1.2;host="10.10.1.1";proto=http\n' in head
    assert "x-forwarded-for: 10.10.1.2\n" in head and "via: 1.1 sluice\n" in head
    assert "1.2.3.4" not in head and "x-secret" not in head
    group.end()


def test_times(group):
    """Each bound of a route, and the next route without it."""

    def answer(sock):
        while True:
            head, _ = read_head(sock)
            if not head:
                return
            if b"/slow" in head:
                time.sleep(1)
            if b"/stall" in head:
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
                time.sleep(2)
                return
            if b"/drip" in head:
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n")
                for _ in range(40):
                    sock.sendall(b"x")
                    time.sleep(0.1)
                return
            sock.sendall(OK)

    origin = Origin(group.machine, 8081, answer)
    group.run([origin.endpoint], proxy="""routes = (
      { path_prefix = "/slow/bound"; upstream = "web"; timeouts = { first_byte_ms = 200; }; },
      { path_prefix = "/stall"; upstream = "web"; timeouts = { idle_ms = 200; }; },
      { path_prefix = "/drip"; upstream = "web"; timeouts = { total_ms = 500; }; },
      { upstream = "web"; } );""")
    assert group.status("/slow/bound") == 504
    assert group.status("/slow/free") == 200
    for path in ("/stall", "/drip"):
        done = group.client.run("curl", "-sS", "-o", "/dev/null", f"http://10.10.1.1{path}",
                                check=False)
        assert done.returncode in (18, 56)  # some of the body is missing, or it was reset
    assert group.count("timeouts_total") == 1
    group.end()


def test_unreachable_within_its_time(group):
    # 10.10.2.99 answers no ARP: nobody refuses the connection.
    group.run(["10.10.2.99:80"], proxy="""routes = ( { upstream = "web";
      timeouts = { connect_ms = 200; }; retry = { times = 0; }; } );""")
    began = time.monotonic()
    assert group.status("/") == 502
    assert time.monotonic() - began < 1.9  # the group's own time is 2 s
    group.end()


RETRY = 'routes = ( { upstream = "web"; retry = { times = 2; on = [ "gateway", "reset" ]; }; } );'


def test_second_tries(group):
    """Answers of 503 and cut connections are tried elsewhere; what is not idempotent is not."""
    asked = {"busy": 0, "cut": 0}

    def busy(sock):
        while read_head(sock)[0]:
            asked["busy"] += 1
            sock.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")

    def cut(sock):
        read_head(sock)
        asked["cut"] += 1

    servers = [Origin(group.machine, 8081, busy).endpoint, Origin(group.machine, 8082, cut).endpoint,
               Origin(group.machine, 8083, echo).endpoint]
    group.run(servers, group='balance = "round_robin"; health = { on = false; max_fails = 0; };',
              proxy=RETRY)
    assert [group.status("/") for _ in range(9)] == [200] * 9
    assert asked["busy"] > 0 and asked["cut"] > 0
    posts = [group.status("/", "-d", "x") for _ in range(6)]
    assert sorted(set(posts)) == [200, 502, 503]
    group.end()


def test_tries_are_bounded(group):
    """Of many that fail at the same time only some are tried again."""

    def late(sock):
        while read_head(sock)[0]:
            time.sleep(0.3)
            sock.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")

    servers = [Origin(group.machine, 8081 + n, late).endpoint for n in range(2)]
    group.run(servers, group="limits = { retries = 2; };", proxy=RETRY.replace("2;", "1;"))
    urls = []
    for n in range(12):
        urls += ["-o", "/dev/null", f"http://10.10.1.1/?{n}"]
    group.client.curl("--parallel", "--parallel-immediate", *urls)
    assert 1 <= group.count("retries") < 12
    assert group.count("retries_refused") >= 1
    group.end()


def test_hedges(group):
    """The first server sleeps; who asks does not wait for it."""

    def sleeps(sock):
        if read_head(sock)[0]:
            time.sleep(3)

    servers = [Origin(group.machine, 8081, sleeps).endpoint, Origin(group.machine, 8082, echo).endpoint]
    group.run(servers, group='balance = "round_robin";',
              proxy='routes = ( { upstream = "web"; hedge_ms = 100; } );')
    assert [group.status("/") for _ in range(4)] == [200] * 4
    assert group.count("hedges_won") == 2
    group.end()


def test_error_pages(group):
    page = group.lab.file("sorry.html", "<h1>sorry</h1>")
    endpoint, = group.nginx(1, extra="location /busy { return 503; }")
    group.run([endpoint], proxy=f"""routes = ( {{ path_prefix = "/"; host = "a.example"; upstream = "web"; }} );
      error_pages = ( {{ status = [ "404", "502", "503" ]; file = "{page}"; }} );""")
    host = ("-H", "Host: a.example")
    assert group.curl("/", "-w", " %{http_code} %{content_type}") == \
        "<h1>sorry</h1> 404 text/html; charset=utf-8"
    assert "sorry" not in group.curl("/busy", *host)  # the server's own
    group.origins[0].stop()
    assert group.curl("/", *host, "-w", " %{http_code}").startswith("<h1>sorry</h1> 50")
    group.end()


def test_pages_instead_of_servers(group):
    page = group.lab.file("sorry.html", "<h1>sorry</h1>")
    group.run(group.nginx(1, extra="location /busy { return 503; }"), proxy=ALL + f"""
      intercept_errors = true; error_pages = ( {{ status = [ "503" ]; file = "{page}"; }} );""")
    assert group.curl("/busy", "-w", " %{http_code}") == "<h1>sorry</h1> 503"
    assert group.curl("/who") == "o1\n"
    group.end()


def test_first_requests_and_kept_connections(group):
    """reuse = "safe": a first request that cannot be repeated has a connection of its own."""
    origin = Origin(group.machine, 8081, lambda sock: [sock.sendall(OK) for _ in iter(
        lambda: read_head(sock)[0], b"")])
    group.run([origin.endpoint])
    assert group.status("/") == 200
    assert group.status("/") == 200
    assert origin.connections == 1
    assert group.status("/", "-X", "POST") == 200
    assert origin.connections == 2
    group.end()


def test_config_errors(group):
    for proxy, text in ((ALL.replace('"web";', '"web"; retry = { on = [ "never" ]; };'),
                         'on: "never" is not one of'),
                        (ALL.replace('"web";', '"web"; timeouts = { connect = 1; };'), "connect"),
                        (ALL + 'error_pages = ( { status = [ "200" ]; file = "/x"; } );',
                         'status: "200" is not that of an error'),
                        (ALL + 'error_pages = ( { status = [ "404" ]; file = "/x/y"; } );',
                         "/x/y: No such file"),
                        (ALL.replace('"web";', '"web"; path = "(";'), "bad pattern")):
        with pytest.raises(LabError) as error:
            group.run(["10.10.2.2:80"], proxy=proxy)
        assert text in str(error.value)
