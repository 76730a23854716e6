# SPDX-License-Identifier: BSD-3-Clause
"""headers: what an origin gets, and what a client gets."""

import re

from functions import Before

HEADERS = r"""{ name = "headers"; plugin = "headers"; config = {
  request = ( { set = "X-Real-IP"; value = "$client"; },
              { set = "X-Request-ID"; value = "$request_id"; },
              { remove = "X-Internal-*"; },
              { set = "X-User"; value = "$1"; match = { text = "$path"; pattern = "^/u/([^/]+)"; }; } );
  response = ( { set = "X-Request-ID"; value = "$request_id"; },
               { default = "X-Frame-Options"; value = "DENY"; },
               { add = "X-Asked"; value = "$method $host$target"; path_prefix = "/u/"; },
               { replace = "Location"; values = "^http://[^/]+/(.*)$"; value = "https://$host/$1"; },
               { set = "X-Missing"; value = "$status"; status = [ "4xx" ]; },
               { remove = "Server"; } ); }; }"""

LOCATIONS = """
location /u/ { add_header X-Frame-Options SAMEORIGIN;
  return 200 "$http_x_real_ip|$http_x_request_id|$http_x_internal_a|$http_x_user"; }
location /moved { return 302 http://internal.example/new; }
"""


def test_both_ways(lab):
    it = Before(lab, HEADERS, "headers", locations=LOCATIONS)
    body = it.curl("/u/me/x?q=1", "-H", "X-Internal-A: secret", "-D", "/dev/stderr")
    ip, request_id, internal, user = body.split("|")
    assert (ip, internal, user) == (it.client.ip, "", "me")
    assert re.fullmatch("[0-9a-f]{32}", request_id)

    line, fields = it.head("/u/me?q=1")
    assert "200" in line
    assert fields["x-frame-options"] == ["SAMEORIGIN"]
    assert fields["x-asked"] == ["GET 10.10.1.1/u/me?q=1"]
    assert fields["x-request-id"][0] != request_id
    assert "server" not in fields and "x-missing" not in fields

    line, fields = it.head("/moved")
    assert fields["location"] == ["https://10.10.1.1/new"]
    assert fields["x-frame-options"] == ["DENY"]
    line, fields = it.head("/nothing")
    assert fields["x-missing"] == ["404"] and "x-asked" not in fields
    assert it.stat("headers", "edit_errors") == 0
    it.end()


def test_answers_of_other_functions_too(lab):
    it = Before(lab, HEADERS + """,
  { name = "guard"; plugin = "filter"; config = { deny = ( { path = "^/admin"; } ); }; }""",
                "headers guard", locations=LOCATIONS)
    line, fields = it.head("/admin")
    assert "403" in line and fields["x-missing"] == ["403"] and "x-request-id" in fields
    it.end()
