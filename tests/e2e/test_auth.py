# SPDX-License-Identifier: BSD-3-Clause
"""auth: Basic credentials and tokens, as curl and OpenSSL make them, before a real origin."""

import base64
import json
import threading
import time

from functions import Before
from lab import sh

LOCATIONS = 'location /me { return 200 "$http_x_user|$http_authorization"; }'


def hash_of(password, kind="-6"):
    return sh("openssl", "passwd", kind, "-salt", "salt", password).stdout.strip()


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(key, claims, alg="RS256"):
    """Signed by openssl, not by the library that checks it in the same way."""
    signed = part(json.dumps({"alg": alg, "typ": "JWT"}).encode()) + "." + part(json.dumps(claims).encode())
    path = key.parent / "signed"
    path.write_text(signed)
    out = key.parent / "signature"
    sh("openssl", "dgst", "-sha256", "-sign", str(key), "-out", str(out), str(path))
    return signed + "." + part(out.read_bytes())


def test_basic(lab):
    users = lab.file("users", f"# staff\nme:{hash_of('secret')}\nyou:{hash_of('other', '-apr1')}\n")
    it = Before(lab, f"""{{ name = "auth"; plugin = "auth"; config = {{
  realm = "staff"; remove_credential = true; skip = ( {{ path_exact = "/who"; }} );
  basic = {{ file = "{users}"; }}; }}; }}""", "auth", locations=LOCATIONS)
    line, fields = it.head("/me")
    assert "401" in line and fields["www-authenticate"] == ['Basic realm="staff", charset="UTF-8"']
    assert it.status("/me", "-u", "me:wrong") == 401
    assert it.status("/me", "-u", "nobody:secret") == 401
    assert it.curl("/me", "-u", "me:secret", "-H", "X-User: root") == "me|"
    assert it.curl("/me", "-u", "you:other") == "you|"
    assert it.curl("/me", "-u", "me:secret") == "me|"
    assert it.curl("/who").strip() == "origin"
    # A body waits with its head for the hash.
    assert it.curl("/me", "-u", "me:secret", "-d", "x" * 100000) == "me|"
    assert it.stat("auth", "hashed") == 4 and it.stat("auth", "remembered") == 2
    it.end()


def test_guessing_does_not_stop_those_who_are_known(lab):
    it = Before(lab, f"""{{ name = "auth"; plugin = "auth"; config = {{
  basic = {{ users = [ "me:{hash_of('secret')}" ]; max_waiting = 4; }}; }}; }}""", "auth", locations=LOCATIONS)
    assert it.curl("/me", "-u", "me:secret").startswith("me|")
    codes = []

    def guess(n):
        codes.append(it.status("/me", "-u", f"me:guess{n}"))
    threads = [threading.Thread(target=guess, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        assert it.curl("/me", "-u", "me:secret").startswith("me|")
    for thread in threads:
        thread.join()
    assert set(codes) <= {401, 503} and 401 in codes
    it.end()


def test_tokens(lab):
    key, public = lab.dir / "key.pem", lab.dir / "public.pem"
    sh("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(key))
    sh("openssl", "pkey", "-in", str(key), "-pubout", "-out", str(public))
    public.chmod(0o644)
    it = Before(lab, f"""{{ name = "auth"; plugin = "auth"; config = {{
  jwt = {{ alg = "RS256"; key_file = "{public}"; issuer = "lab"; audience = "web"; }}; }}; }}""",
                "auth", locations=LOCATIONS)
    claims = {"sub": "me", "iss": "lab", "aud": ["web"], "exp": int(time.time()) + 600}

    def status(text):
        return it.status("/me", "-H", f"Authorization: Bearer {text}")

    good = token(key, claims)
    assert it.curl("/me", "-H", f"Authorization: Bearer {good}").startswith("me|Bearer ey")
    assert status(good) == 200
    assert status(token(key, {**claims, "exp": int(time.time()) - 600})) == 401
    assert status(token(key, {**claims, "aud": "api"})) == 401
    assert status(token(key, claims, alg="none")) == 401
    assert status(good[:-6] + "AAAAAA") == 401
    line, fields = it.head("/me", "-H", "Authorization: Bearer a.b.c")
    assert fields["www-authenticate"] == ['Bearer realm="sluice", error="invalid_token"']
    assert it.stat("auth", "remembered") == 1
    it.end()
