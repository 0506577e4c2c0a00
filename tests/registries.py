"""Debian's image registry, started for a test with settings of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

PROGRAM = shutil.which("docker-registry")
USER, PASSWORD = "kf", "secret"
HASHES = "kf:$2b$05$JYbPwgh2RvlT73QhH0Lk9.XY00xFpIhccpDont5/1z5I7lZzoSwIu\n"
IDENTITY = "an-identity-token"
SERVICE, ISSUER = "test registry", "test issuer"


@contextmanager
def serve(
    folder: Path, host: str = "127.0.0.1", storage: Any = None, locked: bool = False, tls: bool = False,
    realm: str = "",
) -> Iterator[str]:  # fmt: skip
    """A registry that keeps its content in `folder/registry`; its address.

    `locked` wants USER and PASSWORD; `tls` gives it a certificate that only `folder/server.crt` vouches for;
    `realm` is the address of a token server with the key of `folder/token.key`.
    """
    if PROGRAM is None:
        pytest.skip("docker-registry is not installed")
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    (folder / "htpasswd").write_text(HASHES)
    auth: dict[str, Any] = {}
    if locked:
        auth = {"auth": {"htpasswd": {"realm": "kf", "path": str(folder / "htpasswd")}}}
    if realm:
        trusted = str(certificate(folder, "token"))
        auth = {"auth": {"token": {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": trusted}}}
    of_server = certificate(folder, "server", host) if tls else None
    certified = {"tls": {"certificate": str(of_server), "key": str(of_server.with_suffix(".key"))}} if of_server else {}
    disk = {"filesystem": {"rootdirectory": str(folder / "registry")}}
    settings = {
        "version": "0.1", "log": {"level": "error"}, "http": {"addr": f"{host}:{port}", **certified},
        "storage": {**disk, **(storage or {})}, **auth,
    }  # fmt: skip
    (folder / "config.yml").write_text(json.dumps(settings))
    command = [PROGRAM, "serve", str(folder / "config.yml")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(400):
                try:
                    socket.create_connection((host, port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield f"{host}:{port}"
        finally:
            process.kill()


def certificate(folder: Path, name: str, host: str = "127.0.0.1") -> Path:
    """A certificate that vouches for itself, with its key beside it."""
    made = folder / f"{name}.crt"
    if not made.exists():
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
        command += ["-keyout", str(made.with_suffix(".key")), "-out", str(made), "-addext", f"subjectAltName=IP:{host}"]
        subprocess.run(command, check=True, capture_output=True)
    return made


@contextmanager
def token_server(folder: Path, rights: dict[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
    """The address of a server that gives tokens, and the scopes it was asked for.

    Everybody may have what `rights` has for "", USER with PASSWORD or IDENTITY what it has for USER
    (https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/).
    """
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization")
            right = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
            self.answer(parse_qs(urlsplit(self.path).query), "" if given is None else USER if given == right else None)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            known = form.get("grant_type") == ["refresh_token"] and form.get("refresh_token") == [IDENTITY]
            self.answer(form, USER if known and form["client_id"] else None)

        def answer(self, query: dict[str, list[str]], user: str | None) -> None:
            assert query["service"] == [SERVICE]
            asked.append(query["scope"][0])
            kind, name, actions = query["scope"][0].split(":")
            allowed = [action for action in actions.split(",") if user is not None and action in rights[user]]
            body = {} if user is None else {"token": token(folder, [{"type": kind, "name": name, "actions": allowed}])}
            self.send_response(401 if user is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            pass

    certificate(folder, "token")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/token", asked
        finally:
            server.shutdown()
            thread.join()


def token(folder: Path, access: list[dict[str, Any]]) -> str:
    """A JSON Web Token that the registry trusts, valid for a minute."""
    pem = (folder / "token.crt").read_text()
    chain = ["".join(line for line in pem.splitlines() if "-----" not in line)]
    now = int(time.time())
    claims = {
        "iss": ISSUER, "sub": "test", "aud": SERVICE, "exp": now + 60, "nbf": now - 5, "iat": now,
        "jti": hashlib.sha256(repr((access, time.time())).encode()).hexdigest(), "access": access,
    }  # fmt: skip
    parts = [_url(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "RS256", "x5c": chain}, claims)]
    sign = ["openssl", "dgst", "-sha256", "-sign", str(folder / "token.key")]
    signature = subprocess.run(sign, input=".".join(parts).encode(), capture_output=True, check=True).stdout
    return ".".join([*parts, _url(signature)])


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
