# SPDX-License-Identifier: BSD-3-Clause
"""What RFC 9111 and its companions want of a shared cache, rule by rule, over the wire.

One daemon, one origin that answers by script, one table. nf/cache/README.md says which
rows belong to which directive.
"""

import pytest

from cache_lab import PAUSE, Case, Reply, Script, Step, play_all
from lab import Lab, Sluiced, ports_text
from conftest import CPU

CONF = """
daemon = {{ workers = [ {cpu} ]; poll = "adaptive"; memory_mb = 256; run_dir = "@RUN_DIR@"; }};
{ports}
upstreams = ( {{ name = "web"; servers = ( {{ address = "{origin}"; }} ); response_timeout_ms = 1500; health = {{ max_fails = 0; }}; }} );
functions = (
  {{ name = "edge"; plugin = "cache"; placement = "{placement}";
     config = {{ memory_mb = 16; targeted = [ "CDN-Cache-Control" ]; purge_from = [ "10.10.1.0/24" ]; }}; }} );
chains = ( {{ name = "www"; listen = "10.10.1.1:80"; protocol = "http"; path = [ "edge" ]; }} );
"""

HOUR = "Cache-Control: max-age=3600"
SHORT = "Cache-Control: max-age=1"
DATE = "Date: @+0"
TAG = 'ETag: "v1"'
LAST_MODIFIED = "Last-Modified: @-86400"


def stored(name, *fields, pause=0, second=(), status=200, body=None, first=(), **then):
    """The answer with these fields is used again for the second request."""
    reply = Reply(*fields, status=status, body=body)
    return Case(name, [Step(reply=reply, status=status, asks=True, send=first),
                       Step(asks=False, pause=pause, send=second, **{"status": status, **then})])


def fetched(name, *fields, pause=0, second=(), status=200, body=None, first=(), **then):
    """It is not: the origin is asked again."""
    reply = Reply(*fields, status=status, body=body)
    return Case(name, [Step(reply=reply, status=status, asks=True, send=first),
                       Step(asks=True, pause=pause, send=second, reply=Reply("X-Now: second"),
                            **{"fields": {"X-Now": "second"}, **then})])


def cc(value):
    return f"Cache-Control: {value}"


FRESHNESS = [
    fetched("nothing said, nothing to validate with"),
    stored("max-age", HOUR, fields={"Cache-Status": True}),
    stored("max-age with a query", HOUR),
    stored("max-age in odd case", cc("MaX-aGe=3600")),
    stored("max-age quoted", cc('max-age="3600"')),
    stored("max-age with zeros before it", cc("max-age=003600")),
    stored("max-age of 2 to the 31", cc("max-age=2147483648")),
    stored("max-age beyond all numbers", cc("max-age=99999999999")),
    stored("max-age beside unknown words", cc("foobar, max-age=3600")),
    stored("max-age and a past Expires", HOUR, "Expires: @-10000", DATE),
    stored("max-age and an Expires that is none", HOUR, "Expires: 0", DATE),
    stored("max-age and no-cache in a quoted string", cc('max-age=3600, note="no-cache"')),
    fetched("max-age that has passed", SHORT, pause=PAUSE),
    fetched("max-age of zero", cc("max-age=0")),
    fetched("max-age of zero and a future Expires", cc("max-age=0"), "Expires: @+10000", DATE),
    fetched("max-age below zero", cc("max-age=-3600")),
    fetched("max-age in single quotes", cc("max-age='3600'")),
    fetched("max-age only within a string before", cc('x="max-age=3600", max-age=1'), pause=PAUSE),
    fetched("max-age only within a string behind", cc('max-age=1, x="max-age=3600"'), pause=PAUSE),
    fetched("max-age less than Age", cc("max-age=10"), "Age: 15", DATE),
    fetched("max-age with letters", cc("max-age=3600a")),
    fetched("max-age with a space before its value", cc("max-age= 3600")),
    fetched("max-age given twice and different", cc("max-age=1"), cc("max-age=3600"), pause=PAUSE),
    stored("s-maxage", cc("s-maxage=3600")),
    stored("s-maxage longer than max-age", cc("max-age=1, s-maxage=3600"), pause=PAUSE),
    fetched("s-maxage shorter than max-age", cc("max-age=3600, s-maxage=1"), pause=PAUSE),
    fetched("s-maxage before a longer max-age", cc("s-maxage=1, max-age=3600"), pause=PAUSE),
    fetched("s-maxage on a line of its own", HOUR, cc("s-maxage=1"), pause=PAUSE),
    stored("Expires in the future", "Expires: @+3600", DATE),
    stored("Expires with a Date that is none", "Expires: @+3600", "Date: yesterday"),
    stored("Expires with the weekday in capitals", "Expires: THU, 18 Aug 2050 02:01:18 GMT", DATE),
    stored("Expires with the month in capitals", "Expires: Thu, 18 AUG 2050 02:01:18 GMT", DATE),
    stored("Expires in the form of RFC 850", "Expires: Thursday, 18-Aug-50 02:01:18 GMT", DATE),
    stored("Expires in the form of asctime", "Expires: Thu Aug  8 02:01:18 2050", DATE),
    fetched("Expires in the past", "Expires: @-3600", DATE),
    fetched("Expires now", "Expires: @+0", DATE),
    fetched("Expires before Date, both ahead", "Expires: @+300", "Date: @+400"),
    fetched("Expires minus Date less than Age, Date behind", "Expires: @+10", "Date: @-10", "Age: 25"),
    fetched("Expires minus Date less than Age, Date ahead", "Expires: @+20", "Date: @+10", "Age: 15"),
] + [fetched(f"Expires that is none {n}", f"Expires: {value}", DATE) for n, value in enumerate((
    "0", "Thu, 18 Aug 2050 02:01:18 UTC", "Thu, 18 Aug 50 02:01:18 GMT", "Thu 18 Aug 2050 02:01:18 GMT",
    "Thu, 18  Aug  2050 02:01:18 GMT", "Thu, 18-Aug-2050 02:01:18 GMT", "Thu, 18 Aug 2050 02.01.18 GMT",
    "Thu, 18 Aug 2050 2:01:18 GMT", "Thu, 18 Aug 2050 02:01:18 AEST"))]

HEURISTICS = [stored(f"heuristically fresh {status}", LAST_MODIFIED, DATE, status=status,
                     body="" if status == 204 else None)
              for status in (200, 203, 204, 404, 405, 410, 414, 501)] + [
    fetched(f"no heuristics for {status}", LAST_MODIFIED, DATE, status=status, )
    for status in (201, 202, 403, 502, 503, 504, 599)] + [
    stored("heuristics for 599 that is public", LAST_MODIFIED, DATE, cc("public"), status=599),
    fetched("no heuristics without Last-Modified", DATE, cc("public")),
]

STATUSES = [stored(f"explicitly fresh {status}", HOUR, status=status, body="" if status == 204 else None)
            for status in (200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 451, 499, 500, 502, 503,
                           504, 599)] + [
    fetched(f"stale {status}", "Expires: @-5000", DATE, status=status, body="" if status == 204 else None)
    for status in (200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599)]

DIRECTIVES = [
    fetched("no-store", cc("no-store")),
    fetched("no-store in odd case", cc("No-StOrE")),
    fetched("no-store beside freshness", cc("max-age=10000, no-store"), "Expires: @+10000", DATE),
    fetched("private", cc("private, max-age=3600")),
    fetched("no-cache", cc("no-cache, max-age=10000"), "Expires: @+10000", DATE),
    fetched("no-cache in odd case", cc("No-CaChE, max-age=10000")),
    Case("no-cache is validated", [
        Step(reply=Reply(cc("no-cache"), TAG)),
        Step(not_modified=Reply(cc("no-cache"), TAG), asks=True, asked={"If-None-Match": '"v1"'},
             status=200, body="body-1")]),
    Case("no-cache is validated even when fresh", [
        Step(reply=Reply(cc("max-age=10000, no-cache"), TAG, DATE)),
        Step(not_modified=Reply(TAG), asks=True, asked={"If-None-Match": '"v1"'}, status=200, body="body-1")]),
    stored("must-revalidate while fresh", cc("max-age=10000, must-revalidate"), TAG),
    Case("must-revalidate when stale", [
        Step(reply=Reply(cc("max-age=1, must-revalidate"), TAG)),
        Step(pause=PAUSE, asks=True, asked={"If-None-Match": '"v1"'}, not_modified=Reply(TAG))]),
    stored("must-understand beside no-store", cc("max-age=3600, no-store, must-understand")),
    fetched("must-understand with a status not known", cc("max-age=3600, no-store, must-understand"), status=299),
    stored("no-cache that names fields", cc('no-cache="a, b"'), HOUR, "A: 1", "B: 2", "C: 3",
           fields={"C": "3"}, lacks=("A", "B")),
    stored("private that names fields", cc('private="a"'), HOUR, "A: 1", "C: 3", fields={"C": "3"}, lacks=("A",)),
    stored("a cookie with explicit freshness", HOUR, "Set-Cookie: a=b", fields={"Set-Cookie": "a=b"}),
    fetched("a cookie without", LAST_MODIFIED, DATE, "Set-Cookie: a=b"),
    stored("a request with a cookie", HOUR, second=("Cookie: a=b",)),
    stored("Content-Disposition", HOUR, "Content-Disposition: attachment; filename=x"),
    stored("Pragma of a response means nothing", HOUR, "Pragma: no-cache"),
    stored("Pragma no-cache of a request with Cache-Control", HOUR, second=("Pragma: no-cache", cc("max-age=60"))),
    fetched("Pragma no-cache of a request", HOUR, second=("Pragma: no-cache",)),
    stored("unknown Pragma of a request", HOUR, second=("Pragma: foo",)),
]

REQUESTS = [
    fetched("request max-age of zero", HOUR, pause=1.1, second=(cc("max-age=0"),)),
    fetched("request max-age less than the age", HOUR, "Age: 1800", second=(cc("max-age=600"),)),
    stored("request max-age more than the age", HOUR, "Age: 60", second=(cc("max-age=600"),)),
    stored("request max-stale", SHORT, pause=PAUSE, second=(cc("max-stale=1000"),)),
    stored("request max-stale without a number", SHORT, pause=PAUSE, second=(cc("max-stale"),)),
    fetched("request max-stale that is too short", cc("max-age=1500"), "Age: 3000", second=(cc("max-stale=1000"),)),
    fetched("request min-fresh", cc("max-age=1500"), second=(cc("min-fresh=2000"),)),
    fetched("request min-fresh and Age", cc("max-age=1500"), "Age: 1000", second=(cc("min-fresh=1000"),)),
    fetched("request no-cache", HOUR, second=(cc("no-cache"),)),
    fetched("request no-store", HOUR, first=(cc("no-store"),)),
    Case("request no-cache validates by tag", [
        Step(reply=Reply(HOUR, TAG)),
        Step(send=(cc("no-cache"),), asks=True, asked={"If-None-Match": '"v1"'}, not_modified=Reply(TAG), status=200)]),
    Case("request no-cache validates by date", [
        Step(reply=Reply(HOUR, LAST_MODIFIED, DATE)),
        Step(send=(cc("no-cache"),), asks=True, asked={"If-Modified-Since": True}, not_modified=Reply(), status=200)]),
    Case("only-if-cached without anything", [Step(send=(cc("only-if-cached"),), asks=False, status=504)]),
    stored("only-if-cached with something", HOUR, second=(cc("only-if-cached"),)),
]

AGE = [
    stored("Age is made", "Expires: @+10000", DATE, pause=PAUSE, older=2),
    stored("Age goes on from what came, Expires", "Expires: @+10000", DATE, "Age: 30", pause=PAUSE, older=32),
    stored("Age goes on from what came, max-age", HOUR, DATE, "Age: 30", pause=PAUSE, older=32),
    stored("Age counts from an old Date", HOUR, "Date: @-100", older=99),  # clocks of whole seconds
    stored("Age that is no number", HOUR, "Age: abc"),
    fetched("Age in a list", HOUR, "Age: 7200, 0"),
    stored("Date stays as it was", HOUR, "Date: Thu, 18 Aug 2022 02:01:18 GMT", cc("s-maxage=2147483648"),
           fields={"Date": "Thu, 18 Aug 2022 02:01:18 GMT"}),
]

HEADS = [stored(f"kept field {name}", HOUR, f"{name}: {value}", fields={name: value}) for name, value in (
    ("Test-Header", "1"), ("X-Test-Header", "1"), ("Content-Foo", "1"), ("Content-Type", "text/plain"),
    ("Content-Security-Policy", "default-src 'self'"), ("X-Frame-Options", "deny"), ("Clear-Site-Data", "cookies"),
    ("Strict-Transport-Security", "max-age=1"), ("WWW-Authenticate", "Basic"), ("Content-Language", "de"),
    ("Content-Location", "/foo"), ("ETag", '"abcdef"'), ("Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A=="))] + [
    stored(f"field of the connection {name}", HOUR, f"{name}: {value}", lacks=(name,)) for name, value in (
        ("Keep-Alive", "timeout=5"), ("Proxy-Authenticate", "Basic"), ("Proxy-Authentication-Info", "x"),
        ("Proxy-Connection", "close"), ("TE", "trailers"), ("Proxy-Authorization", "x"))] + [
    stored("fields that Connection names", HOUR, "Connection: a, b", "A: 1", "B: 2", "C: 3",
           fields={"C": "3"}, lacks=("A", "B")),
]

VARY_FIELDS = ("Expires: @+5000", LAST_MODIFIED, DATE)


def varied(name, vary, first, second, again):
    make = stored if again else fetched
    return make(name, *VARY_FIELDS, *(f"Vary: {v}" for v in ([vary] if isinstance(vary, str) else vary)),
                first=first, second=second)


VARY = [
    varied("Vary matches", "Foo", ("Foo: 1",), ("Foo: 1",), True),
    varied("Vary does not match", "Foo", ("Foo: 1",), ("Foo: 2",), False),
    varied("Vary and no such field", "Foo", ("Foo: 1",), (), False),
    varied("Vary and no such field in both", "Foo", (), (), True),
    varied("Vary in odd case", "fOo", ("Foo: 1",), ("Foo: 1",), True),
    varied("Vary of two matches", "Foo, Bar", ("Foo: 1", "Bar: a"), ("Foo: 1", "Bar: a"), True),
    varied("Vary of two, one differs", "Foo, Bar", ("Foo: 1", "Bar: a"), ("Foo: 2", "Bar: a"), False),
    varied("Vary of two lines, one differs", ("Foo", "Bar"), ("Foo: 1", "Bar: a"), ("Foo: 1", "Bar: b"), False),
    varied("Vary of three in another order", "Foo, Bar, Baz", ("Foo: 1", "Bar: a", "Baz: 7"),
           ("Baz: 7", "Bar: a", "Foo: 1"), True),
    varied("Vary of three, one begins alike", "Foo, Bar, Baz", ("Foo: 1", "Bar: abc4", "Baz: 7"),
           ("Foo: 1", "Bar: abc", "Baz: 7"), False),
    varied("Vary ignores other fields", "Foo", ("Foo: 1", "Other: 2"), ("Foo: 1", "Other: 3"), True),
    varied("Vary and white space", "Foo", ("Foo: 1,2",), ("Foo: 1, 2 ",), True),
    varied("Vary and lines of a list", "Foo", ("Foo: 1, 2",), ("Foo: 1", "Foo: 2"), True),
    varied("Vary and the order of languages", "Accept-Language", ("Accept-Language: en, de",),
           ("Accept-Language: de, en",), True),
    varied("Vary and the case of languages", "Accept-Language", ("Accept-Language: en, de",),
           ("Accept-Language: EN, dE",), True),
    Case("Vary keeps each of them", [
        Step(send=("Foo: 1",), reply=Reply(*VARY_FIELDS, "Vary: Foo")),
        Step(send=("Foo: 2",), reply=Reply(*VARY_FIELDS, "Vary: Foo"), asks=True, body="body-2"),
        Step(send=("Foo: 1",), asks=False, body="body-1"),
        Step(send=("Foo: 2",), asks=False, body="body-2")]),
    Case("Vary and validation", [
        Step(send=("Abc: 123",), reply=Reply(SHORT, TAG, DATE, "Vary: Abc")),
        Step(send=("Abc: 123",), pause=PAUSE, asks=True, asked={"If-None-Match": '"v1"', "Abc": "123"},
             not_modified=Reply(TAG, "Vary: Abc"), status=200, body="body-1")]),
    Case("Vary and no validator of another", [
        Step(send=("Abc: 123",), reply=Reply(HOUR, TAG, DATE, "Vary: Abc")),
        Step(send=("Abc: 456",), asks=True, unasked=("If-None-Match",))]),
] + [varied(f"Vary star {n}", value, ("Foo: 1",), ("Foo: 1",), False)
     for n, value in enumerate(("*", "*, *", ("*", "*"), ", *", "*, Foo", "Foo, *"))]

CONDITIONS = [
    Case("If-None-Match strong", [Step(reply=Reply(HOUR, TAG)),
                                  Step(send=('If-None-Match: "v1"',), asks=False, status=304, body="",
                                       fields={"ETag": '"v1"'})]),
    Case("If-None-Match weak", [Step(reply=Reply(HOUR, 'ETag: W/"v1"')),
                                Step(send=('If-None-Match: W/"v1"',), asks=False, status=304)]),
    Case("If-None-Match weak and strong", [Step(reply=Reply(HOUR, 'ETag: W/"v1"')),
                                           Step(send=('If-None-Match: "v1"',), asks=False, status=304)]),
    Case("If-None-Match of another", [Step(reply=Reply(HOUR, TAG)),
                                      Step(send=('If-None-Match: "v2"',), asks=False, status=200, body="body-1")]),
    Case("If-None-Match star", [Step(reply=Reply(HOUR, TAG)),
                                Step(send=("If-None-Match: *",), asks=False, status=304)]),
    Case("If-None-Match first of a list", [Step(reply=Reply(HOUR, TAG)),
                                           Step(send=('If-None-Match: "v1", "x", "y"',), asks=False, status=304)]),
    Case("If-None-Match middle of a list", [Step(reply=Reply(HOUR, TAG)),
                                            Step(send=('If-None-Match: "x", "v1", "y"',), asks=False, status=304)]),
    Case("If-None-Match last of a list", [Step(reply=Reply(HOUR, TAG)),
                                          Step(send=('If-None-Match: "x", "y", "v1"',), asks=False, status=304)]),
    Case("If-None-Match before If-Modified-Since", [
        Step(reply=Reply(HOUR, TAG, "Last-Modified: @-5000", DATE)),
        Step(send=('If-None-Match: "v1"', "If-Modified-Since: @-9000"), asks=False, status=304)]),
    Case("If-Modified-Since", [
        Step(reply=Reply(HOUR, "Last-Modified: @-3000", DATE)),
        Step(send=("If-Modified-Since: @-2000",), asks=False, status=304)]),
    Case("If-Modified-Since too early", [
        Step(reply=Reply(HOUR, "Last-Modified: @-3000", DATE)),
        Step(send=("If-Modified-Since: @-4000",), asks=False, status=200, body="body-1")]),
    Case("If-Modified-Since and only a Date", [
        Step(reply=Reply(HOUR, DATE)),
        Step(send=("If-Modified-Since: @+1",), asks=False, status=304)]),
    Case("If-Modified-Since that is none", [
        Step(reply=Reply(HOUR, "Last-Modified: @-3000", DATE)),
        Step(send=("If-Modified-Since: never",), asks=False, status=200)]),
    Case("If-None-Match goes on when nothing is stored", [
        Step(send=('If-None-Match: "v1"',), asks=True, asked={"If-None-Match": '"v1"'})]),
    Case("If-Match is the origin's", [
        Step(reply=Reply(HOUR, TAG)), Step(send=('If-Match: "v1"',), asks=True)]),
    Case("a condition on what is stale, unchanged", [
        Step(reply=Reply(SHORT, "Last-Modified: @-3000", DATE)),
        Step(pause=PAUSE, send=("If-Modified-Since: @-2000",), asks=True, asked={"If-Modified-Since": True},
             not_modified=Reply(), status=304)]),
    Case("a condition on what is stale, changed", [
        Step(reply=Reply(SHORT, TAG)),
        Step(pause=PAUSE, send=('If-None-Match: "v0"',), asks=True, asked={"If-None-Match": '"v1"'},
             reply=Reply(HOUR, 'ETag: "v2"'), status=200, body="body-2"),
        Step(asks=False, body="body-2", fields={"ETag": '"v2"'})]),
    Case("a tag of the client's that the cache has not", [
        Step(reply=Reply(SHORT, TAG)),
        Step(pause=PAUSE, send=('If-None-Match: "v0"',), asks=True, not_modified=Reply(HOUR, TAG),
             status=200, body="body-1")]),
]


def validated(name, field, asked, value="1", news="2", updated=True, first=SHORT):
    """A 304 to the cache's own question brings the field up to date, in the answer and in the store."""
    header, then = field.split(": ")[0], news if updated else value
    asked_fields = {asked: True}
    return Case(name, [
        Step(reply=Reply(first, DATE, f"{header}: {value}", TAG if asked == "If-None-Match" else LAST_MODIFIED)),
        Step(pause=PAUSE, asks=True, asked=asked_fields, status=200, body="body-1",
             not_modified=Reply(HOUR, DATE, f"{header}: {news}"), fields={header: then}),
        Step(asks=False, body="body-1", fields={header: then, "Cache-Control": "max-age=3600"})])


UPDATES = [case for header, value, news in (
    ("Test-Header", "1", "2"), ("X-Test-Header", "1", "2"), ("Content-Foo", "1", "2"),
    ("Content-Type", "text/plain", "text/plain;charset=utf-8"), ("Content-MD5", "aa", "bb"),
    ("Content-Location", "/foo", "/bar"), ("Content-Security-Policy", "a", "b"), ("X-Frame-Options", "deny", "sameorigin"),
    ("Clear-Site-Data", "cache", "cookies"), ("Set-Cookie", "a=b", "a=c"), ("Set-Cookie2", "a=b", "a=c"))
    for case in (
        validated(f"304 by tag updates {header}", f"{header}: ", "If-None-Match", value, news),
        validated(f"304 by date updates {header}", f"{header}: ", "If-Modified-Since", value, news))] + [
    validated("304 does not change Content-Encoding", "Content-Encoding: ", "If-None-Match", "x", "y", updated=False),
    Case("304 leaves what it does not name", [
        Step(reply=Reply(SHORT, LAST_MODIFIED, DATE, "Test-Header: A")),
        Step(pause=PAUSE, asks=True, not_modified=Reply(HOUR, LAST_MODIFIED, DATE), status=200, body="body-1",
             fields={"Test-Header": "A"})]),
    Case("304 makes Expires later", [
        Step(reply=Reply("Expires: @+1", TAG, DATE)),
        Step(pause=PAUSE, asks=True, not_modified=Reply("Expires: @+3600", TAG, DATE), body="body-1"),
        Step(asks=False, body="body-1")]),
    Case("a weak tag is asked with", [
        Step(reply=Reply(SHORT, 'ETag: W/"v1"')),
        Step(pause=PAUSE, asks=True, asked={"If-None-Match": 'W/"v1"'}, not_modified=Reply(HOUR), body="body-1"),
        Step(asks=False)]),
    Case("304 of another tag ends what was stored", [
        Step(reply=Reply(SHORT, TAG)),
        Step(pause=PAUSE, asks=True, not_modified=Reply(HOUR, 'ETag: "v9"'), status=200, body="body-1"),
        Step(asks=True, unasked=("If-None-Match",), body="body-3")]),
    Case("200 to a question replaces", [
        Step(reply=Reply(SHORT, TAG)),
        Step(pause=PAUSE, asks=True, asked={"If-None-Match": '"v1"'}, reply=Reply(HOUR, 'ETag: "v2"'), body="body-2"),
        Step(asks=False, body="body-2")]),
    Case("HEAD that agrees makes fresh", [
        Step(reply=Reply(SHORT, TAG, "A: 1", body="hello")),
        Step(pause=PAUSE, method="HEAD", asks=True, reply=Reply(HOUR, TAG, "A: 2", body="hello")),
        Step(asks=False, body="hello", fields={"A": "2"})]),
    Case("HEAD that disagrees ends", [
        Step(reply=Reply(SHORT, TAG, body="hello")),
        Step(pause=PAUSE, method="HEAD", asks=True, reply=Reply(HOUR, 'ETag: "v2"', body="longer hello")),
        Step(asks=True)]),
    Case("HEAD is answered from GET", [Step(reply=Reply(HOUR)), Step(method="HEAD", asks=False, body="",
                                                                     fields={"Content-Length": "6"})]),
]

RANGES = [
    Case(f"a range of the whole {n}", [
        Step(reply=Reply(HOUR, body="01234567890")),
        Step(send=(f"Range: {ask}",), asks=False, status=206, body=body, fields={"Content-Range": says})])
    for n, (ask, body, says) in enumerate((
        ("bytes=0-1", "01", "bytes 0-1/11"), ("bytes=1-", "1234567890", "bytes 1-10/11"),
        ("bytes=-1", "0", "bytes 10-10/11"), ("bytes=5-99", "567890", "bytes 5-10/11")))] + [
    Case("a range beyond the whole", [
        Step(reply=Reply(HOUR, body="01234567890")),
        Step(send=("Range: bytes=20-",), asks=False, status=416, fields={"Content-Range": "bytes */11"})]),
    Case("several ranges get the whole", [
        Step(reply=Reply(HOUR, body="01234567890")),
        Step(send=("Range: bytes=0-1,3-4",), asks=False, status=200, body="01234567890")]),
    Case("If-Range that holds", [
        Step(reply=Reply(HOUR, TAG, body="0123456789")),
        Step(send=("Range: bytes=0-1", 'If-Range: "v1"'), asks=False, status=206, body="01")]),
    Case("If-Range that does not", [
        Step(reply=Reply(HOUR, TAG, body="0123456789")),
        Step(send=("Range: bytes=0-1", 'If-Range: "v0"'), asks=False, status=200, body="0123456789")]),
    Case("If-Range with a weak tag", [
        Step(reply=Reply(HOUR, 'ETag: W/"v1"', body="0123456789")),
        Step(send=("Range: bytes=0-1", 'If-Range: W/"v1"'), asks=False, status=200)]),
] + [
    Case(f"a part of a stored part {n}", [
        Step(send=("Range: bytes=-5",), reply=Reply(HOUR, "Content-Range: bytes 5-9/10", status=206, body="56789"),
             status=206, asked={"Range": "bytes=-5"}),
        Step(send=(f"Range: {ask}",), asks=False, status=206, body=body, fields={"Content-Range": says})])
    for n, (ask, body, says) in enumerate((
        ("bytes=-5", "56789", "bytes 5-9/10"), ("bytes=6-8", "678", "bytes 6-8/10"),
        ("bytes=6-", "6789", "bytes 6-9/10"), ("bytes=-1", "9", "bytes 9-9/10")))] + [
    Case("a part does not answer for what it has not", [
        Step(send=("Range: bytes=-5",), reply=Reply(HOUR, "Content-Range: bytes 5-9/10", status=206, body="56789")),
        Step(send=("Range: bytes=0-2",), reply=Reply(HOUR, "Content-Range: bytes 0-2/10", status=206, body="012"),
             asks=True, status=206, body="012"),
        Step(asks=True, status=200)]),
    Case("a part that contradicts itself is not stored", [
        Step(send=("Range: bytes=-5",), reply=Reply(HOUR, "Content-Range: bytes 4-9/10", status=206, body="56789")),
        Step(send=("Range: bytes=-5",), asks=True)]),
    Case("a range of what is stale, unchanged", [
        Step(reply=Reply(SHORT, TAG, body="0123456789")),
        Step(pause=PAUSE, send=("Range: bytes=2-3",), asks=True, asked={"If-None-Match": '"v1"'},
             not_modified=Reply(HOUR, TAG), status=206, body="23")]),
]


def changes(method, extra=(), of="", ended=True, status=200, name="", location=None):
    fields = (location,) if location else ()
    return Case(f"{method} {status} {name or 'ends its target'}", [
        Step(path=of, reply=Reply(HOUR)), Step(path=of, asks=False),
        Step(method=method, content="abc", reply=Reply(*fields, *extra, status=status), asks=True),
        Step(path=of, asks=ended)])


INVALIDATION = [case for method in ("POST", "PUT", "DELETE", "M-SEARCH", "PATCH") for case in (
    changes(method),
    changes(method, status=500, ended=False, name="fails and ends nothing"))] + [
    Case("Location of a POST", [
        Step(path="/other", reply=Reply(HOUR)), Step(path="/other", asks=False),
        Step(method="POST", content="a", reply=Reply("Location: /Location-of-a-POST/other", status=201)),
        Step(path="/other", asks=True)]),
    Case("Content-Location of a PUT", [
        Step(path="/other", reply=Reply(HOUR)), Step(path="/other", asks=False),
        Step(method="PUT", content="a", reply=Reply("Content-Location: /Content-Location-of-a-PUT/other")),
        Step(path="/other", asks=True)]),
    Case("Location of another origin", [
        Step(path="/other", reply=Reply(HOUR)),
        Step(method="POST", content="a", reply=Reply("Location: http://b.example/Location-of-another-origin/other")),
        Step(path="/other", asks=False)]),
    Case("POST that says what GET would bring", [
        Step(method="POST", content="a",
             reply=Reply(HOUR, "Content-Location: /POST-that-says-what-GET-would-bring", body="page")),
        Step(asks=False, body="page")]),
    Case("POST alone is not stored", [
        Step(method="POST", content="a", reply=Reply(HOUR)), Step(asks=True)]),
]

AUTHORIZATION = [
    fetched("Authorization", "Expires: @+10000", DATE, first=("Authorization: FOO",)),
    stored("Authorization and public", cc("max-age=3600, public"), first=("Authorization: FOO",)),
    stored("Authorization and must-revalidate", cc("max-age=3600, must-revalidate"), first=("Authorization: FOO",)),
    stored("Authorization and s-maxage", cc("s-maxage=3600"), first=("Authorization: FOO",)),
]

STALE = [
    Case(f"no stale one with {word}", [
        Step(reply=Reply(cc(f"{word}, max-age=1, stale-if-error=60"))),
        Step(pause=PAUSE, reply=Reply(hang_up=True), asks=True, status=502)])
    for word in ("must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=1")] + [
    Case("stale-if-error when the origin hangs up", [
        Step(reply=Reply(cc("max-age=1, stale-if-error=60"))),
        Step(pause=PAUSE, reply=Reply(hang_up=True), asks=True, status=200, body="body-1"),
        Step(asks=False, status=200, body="body-1")]),  # it is left alone for a second
    Case("stale-if-error when the origin says nothing", [
        Step(reply=Reply(cc("max-age=1, stale-if-error=60"))),
        Step(pause=PAUSE, reply=Reply(wait=2.5), asks=True, status=200, body="body-1")]),
    Case("stale-if-error of a request", [
        Step(reply=Reply(SHORT, TAG)),
        Step(pause=PAUSE, send=(cc("stale-if-error=60"),), reply=Reply(status=500), status=200, body="body-1")]),
    Case("stale-if-error that has passed", [
        Step(reply=Reply(cc("max-age=0, stale-if-error=1"))),
        Step(pause=PAUSE, reply=Reply(status=500), status=500)]),
    Case("stale-if-error of a request that has passed", [
        Step(reply=Reply(cc("max-age=0"), TAG)),
        Step(pause=PAUSE, send=(cc("stale-if-error=1"),), reply=Reply(status=500), status=500)]),
    Case("no stale-if-error", [
        Step(reply=Reply(SHORT, TAG)), Step(pause=PAUSE, reply=Reply(hang_up=True), status=502)]),
    Case("404 is no error of the origin", [
        Step(reply=Reply(cc("max-age=1, stale-if-error=60"))), Step(pause=PAUSE, reply=Reply(status=404), status=404)]),
    Case("stale-while-revalidate: a new one comes in the background", [
        Step(reply=Reply(cc("max-age=1, stale-while-revalidate=60"), TAG)),
        Step(pause=PAUSE, body="body-1", reply=Reply(HOUR, 'ETag: "v2"', wait=0.3)),
        Step(pause=1, asks=False, body="body-2", fields={"ETag": '"v2"'})]),
    Case("stale-while-revalidate: it is confirmed in the background", [
        Step(reply=Reply(cc("max-age=1, stale-while-revalidate=60"), TAG)),
        Step(pause=PAUSE, body="body-1", reply=Reply(status=500), not_modified=Reply(HOUR, TAG)),
        Step(pause=1, asks=False, body="body-1", fields={"Cache-Control": "max-age=3600"})]),
    Case("stale-while-revalidate: it fails in the background", [
        Step(reply=Reply(cc("max-age=1, stale-while-revalidate=60"), TAG)),
        Step(pause=PAUSE, body="body-1", reply=Reply(hang_up=True)),
        Step(pause=1, asks=True, asked={"If-None-Match": '"v1"'}, reply=Reply(HOUR, body="new"), body="new")]),
    Case("stale-while-revalidate: what brought a Cookie is for clients to ask", [
        Step(send=("Cookie: a=b",), reply=Reply(cc("max-age=1, stale-while-revalidate=60"), TAG)),
        Step(pause=PAUSE, asks=False, body="body-1"),
        Step(asks=True, asked={"If-None-Match": '"v1"'}, reply=Reply(HOUR, 'ETag: "v2"'), body="body-2"),
        Step(asks=False, body="body-2")]),
    Case("stale-while-revalidate that has passed", [
        Step(reply=Reply(cc("max-age=0, stale-while-revalidate=1"), TAG)),
        Step(pause=PAUSE, asks=True)]),
] + [Case(f"stale-if-error and {status}", [
    Step(reply=Reply(cc("max-age=1, stale-if-error=60"), TAG)),
    Step(pause=PAUSE, reply=Reply(status=status), asks=True, status=200, body="body-1")])
     for status in (500, 502, 503, 504)]

CDN = [
    stored("CDN max-age", "CDN-Cache-Control: max-age=3600"),
    stored("CDN max-age beyond all numbers", "CDN-Cache-Control: max-age=99999999999"),
    stored("CDN max-age beside unknown words", "CDN-Cache-Control: foobar, max-age=3600"),
    stored("CDN max-age and a past Expires", "CDN-Cache-Control: max-age=3600", "Expires: @-10000", DATE),
    stored("CDN max-age longer", SHORT, "CDN-Cache-Control: max-age=3600", pause=PAUSE),
    stored("CDN max-age and no-store", cc("no-store"), "CDN-Cache-Control: max-age=3600"),
    fetched("CDN max-age shorter", HOUR, "CDN-Cache-Control: max-age=1", pause=PAUSE),
    fetched("CDN max-age less than Age", "CDN-Cache-Control: max-age=3600", "Age: 7200", DATE),
    fetched("CDN max-age of zero", "CDN-Cache-Control: max-age=0", "Expires: @+10000", DATE),
    fetched("CDN private", "CDN-Cache-Control: private", HOUR, "Expires: @+10000", DATE),
    fetched("CDN no-cache", "CDN-Cache-Control: no-cache", HOUR),
    fetched("CDN no-store", "CDN-Cache-Control: no-store", HOUR),
    fetched("CDN field of a wrong type is none", 'CDN-Cache-Control: max-age="10000"', cc("no-store")),
    fetched("CDN field that cannot be read is none", "CDN-Cache-Control: max-age=10000, &&&&&", cc("no-store")),
    Case("CDN field goes on", [Step(reply=Reply(HOUR, "CDN-Cache-Control: foo"), fields={"CDN-Cache-Control": "foo"})]),
]

OTHER = [
    Case("another query is another target", [
        Step(path="?a=1", reply=Reply(HOUR)), Step(path="?a=2", asks=True), Step(path="?a=1", asks=False)]),
    Case("102 and 103 go before what is stored", [
        Step(reply=Reply(HOUR, interim=((102, ()), (103, ("Link: </a.css>; rel=preload",))))),
        Step(asks=False)]),
    Case("what no-store brings is not kept", [
        Step(reply=Reply(HOUR)),
        Step(send=(cc("no-cache"),), reply=Reply(cc("no-store"))),
        Step(asks=None, status=200)]),
]

PURGES = [
    Case("PURGE", [
        Step(reply=Reply(HOUR)), Step(asks=False), Step(method="PURGE", asks=False, status=200), Step(asks=True)]),
    Case("PURGE of nothing", [Step(method="PURGE", asks=False, status=404)]),
    Case("a soft PURGE makes stale", [
        Step(reply=Reply(cc("max-age=3600, stale-if-error=60"), TAG)),
        Step(method="PURGE", send=("Soft-Purge: 1",), asks=False, status=200),
        Step(asks=True, asked={"If-None-Match": '"v1"'}, reply=Reply(hang_up=True), status=200, body="body-1")]),
    Case("PURGE by tag", [
        Step(path="/a", reply=Reply(HOUR, "Cache-Tag: red, green")),
        Step(path="/b", reply=Reply(HOUR, "Surrogate-Key: green blue")),
        Step(path="/c", reply=Reply(HOUR, "Cache-Tag: greenish")),
        Step(method="PURGE", send=("Cache-Tag: green",), asks=False, status=200),
        Step(path="/a", asks=True, reply=Reply(HOUR, "Cache-Tag: red, green")),
        Step(path="/a", asks=False), Step(path="/b", asks=True), Step(path="/c", asks=False)]),
    Case("a soft PURGE by tag", [
        Step(reply=Reply(HOUR, TAG, "Cache-Tag: yellow")),
        Step(method="PURGE", path="/none", send=("Cache-Tag: yellow", "Soft-Purge: 1"), status=200),
        Step(asks=True, asked={"If-None-Match": '"v1"'}, not_modified=Reply(HOUR, TAG), body="body-1"),
        Step(asks=False)]),
]

GROUPS = {"freshness": FRESHNESS, "heuristics": HEURISTICS, "statuses": STATUSES, "directives": DIRECTIVES,
          "requests": REQUESTS, "age": AGE, "heads": HEADS, "vary": VARY, "conditions": CONDITIONS,
          "updates": UPDATES, "ranges": RANGES, "invalidation": INVALIDATION, "authorization": AUTHORIZATION,
          "stale": STALE, "cdn": CDN, "other": OTHER, "purges": PURGES}


@pytest.fixture(scope="module", params=["process", "inline"])
def failures(request):
    """Every case was played, once for each placement; the failures by name of case."""
    with Lab() as lab:
        lab.middlebox(["wan", "lan"])
        script = Script(lab.peer("lan"), 8080)
        sluiced = Sluiced(lab, CONF.format(cpu=CPU, ports=ports_text(["wan", "lan"]), origin=script.endpoint,
                                           placement=request.param))
        failed = play_all(lab.peer("wan"), "10.10.1.1", script, [c for g in GROUPS.values() for c in g])
        script.close()
        sluiced.wait_no_buffers()
        sluiced.stop()
        assert "AddressSanitizer" not in sluiced.log_path.read_text()
        yield failed


@pytest.mark.parametrize("group", GROUPS)
def test_rules(failures, group):
    names = {case.name for case in GROUPS[group]}
    wrong = [f for f in failures if f.split(": ")[0] in names]
    assert not wrong, "\n" + "\n".join(wrong)
