# SPDX-License-Identifier: BSD-3-Clause
"""limit: refusals on the wire, by address, header and path, and what they tell."""

from functions import Before

LIMIT = """{ name = "limit"; plugin = "limit"; config = {
  fields = "always";
  rules = ( { name = "page"; path_exact = "/page"; rate = 1; per_s = 3600; burst = 3; },
            { name = "keyed"; path_exact = "/keyed"; key = [ "header:X-Key" ]; rate = 1; per_s = 3600; burst = 1; },
            { name = "trial"; rate = 1; per_s = 3600; burst = 1; dry_run = true; } ); }; }"""


def test_refusals(lab):
    it = Before(lab, LIMIT, "limit")
    it.origin.file("page", "page")
    it.origin.file("keyed", "keyed")
    for left in (2, 1, 0):
        line, fields = it.head("/page")
        assert "200" in line
        assert fields["ratelimit-policy"] == ['"page";q=3;w=10800']
        assert fields["ratelimit"][0].startswith(f'"page";r={left};t=')
    line, fields = it.head("/page")
    assert "429" in line and 3590 <= int(fields["retry-after"][0]) <= 3600
    assert fields["ratelimit"][0].startswith('"page";r=0;t=')
    assert it.curl("/page") == "429 Too Many Requests\n"
    # The connection is kept, and other paths are as free as before.
    assert it.curl("/page", "http://10.10.1.1/who", "-w", "%{num_connects}").count("429 Too") == 1
    assert it.status("/keyed", "-H", "X-Key: a") == 200
    assert it.status("/keyed", "-H", "X-Key: a") == 429
    assert it.status("/keyed", "-H", "X-Key: b") == 200
    assert it.stat("limit", "over_page") == 3
    assert it.stat("limit", "over_keyed") == 1
    assert it.stat("limit", "over_trial") > 5
    assert it.stat("limit", "refused") == 4
    it.end()


def test_time_gives_back(lab):
    it = Before(lab, LIMIT.replace("per_s = 3600; burst = 3", "per_s = 2; burst = 1"), "limit")
    it.origin.file("page", "page")
    # 429 until the time has come, then 200: as curl understands Retry-After.
    assert it.status("/page") == 200
    assert it.curl("/page", "--retry", "5", "--fail-with-body").endswith("page")
    it.end()
