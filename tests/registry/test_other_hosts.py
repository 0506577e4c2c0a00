"""Registries that work together with other hosts, or leave out what the protocol recommends."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError

import pytest
from kf_tasks.cluster.client import Cluster
from kf_tasks.core.build import fetch
from kf_tasks.core.build.spec import Upload
from kf_tasks.errors import RegistryError
from kf_tasks.registry import upload
from kf_tasks.registry.authorization import Challenge
from kf_tasks.registry.client import Address, Registry, digest_of

Answered = tuple[int, dict[str, str], bytes]
LOGIN = ("alice", "s3cret-password")


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], Answered]) -> Iterator[int]:
    """The port of a server that gives `answer` to everything."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = answer(self)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = handle_any

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running.server_port
        running.shutdown()


@pytest.mark.parametrize("other_host", [True, False])
def test_a_password_goes_to_the_registry_alone(other_host: bool) -> None:
    uploads: list[str | None] = []

    def store(asked: BaseHTTPRequestHandler) -> Answered:
        if asked.path.startswith("/upload?sig=1&digest="):
            uploads.append(asked.headers["Authorization"])
        return 201, {}, b""

    def registry(asked: BaseHTTPRequestHandler) -> Answered:
        if not asked.headers["Authorization"]:
            return 401, {"WWW-Authenticate": 'Basic realm="r"'}, b""
        if asked.command == "POST":
            return 202, {"Location": f"http://localhost:{place}/upload?sig=1" if other_host else "/upload?sig=1"}, b""
        return (404, {}, b"") if asked.command == "HEAD" else store(asked)

    with ExitStack() as running:
        place = running.enter_context(server(store))
        client = Registry(Address("http", f"127.0.0.1:{running.enter_context(server(registry))}", ""), LOGIN)
        layer = {"digest": digest_of(b"x"), "size": 1}
        assert client.push("ns/app", "t", b"{}", b"{}", layer, lambda: [b"x"])
    assert len(uploads) == 2
    assert uploads == [None, None] if other_host else all(str(one).startswith("Basic ") for one in uploads)


def test_a_digest_is_that_of_the_manifest_where_none_is_said() -> None:
    manifest = b'{"schemaVersion": 2}'

    def registry(asked: BaseHTTPRequestHandler) -> Answered:
        return (200, {}, manifest) if "manifests" in asked.path else (404, {}, b"")

    with server(registry) as port:
        client = Registry(Address("http", f"127.0.0.1:{port}", ""))
        assert client.resolve("shop", "1") == f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def test_a_registry_with_two_levels_gets_a_word_of_advice() -> None:
    def registry(asked: BaseHTTPRequestHandler) -> Answered:
        denied = b'{"errors": [{"code": "UNAUTHORIZED", "message": "insufficient_scope"}]}'
        return (401, {}, denied) if asked.path.count("/") > 5 else (404, {}, b"")

    with server(registry) as port:
        client = Registry(Address("http", f"127.0.0.1:{port}", "acme"))
        words = r"names of two parts only, such as Docker Hub, Space\(image_name='{app}'\)"
        with pytest.raises(RegistryError, match=words):
            client.resolve("acme/dev/shop", "1")
        assert client.resolve("acme/shop", "1") is None


ABSENT = b'{"errors": [{"code": "NAME_UNKNOWN", "message": "The repository does not exist in the registry"}]}'


def test_a_repository_that_has_to_be_made_first_is_said_in_the_preview_and_by_the_push(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = ["team/shop"]

    def registry(asked: BaseHTTPRequestHandler) -> Answered:
        if not asked.headers["Authorization"]:
            return 401, {"WWW-Authenticate": 'Basic realm="ecr"'}, b""
        if not any(asked.path.startswith(f"/v2/{name}/") for name in made):
            return 404, {}, ABSENT
        return 200, {}, b"{}"

    with server(registry) as port:
        host = f"127.0.0.1:{port}"
        client = Registry(Address("http", host, "team"), LOGIN)
        assert client.has("team/shop") and not client.has("team/mail")
        with pytest.raises(RegistryError, match="does not have this repository .* make it first"):
            client.push("team/mail", "1", b"{}", b"{}", {"digest": "sha256:1", "size": 1}, lambda: [b"1"])

        asked: list[object] = []
        monkeypatch.setattr(upload, "registry", lambda *given: asked.append(given) or client)
        shop, mail = (Upload("app", f"http://{host}/team", name, "sha256:1", 1) for name in ("shop", "mail"))

        def cluster() -> Cluster:
            raise AssertionError("the credentials are not in a Secret")

        assert upload.lacking(cluster, "dev", mail) == "" and not asked, "others make it with the first push"
        monkeypatch.setattr(upload, "is_made_first", lambda _: True)
        assert upload.lacking(cluster, "dev", shop) == ""
        assert upload.lacking(cluster, "dev", mail) == (
            f"repository {host}/team/mail does not exist yet; registries such as ECR want it made first"
        )
    assert upload.lacking(cluster, "dev", mail) == "", "what cannot be asked is not said"


def test_no_password_goes_to_a_token_server_without_tls() -> None:
    client = Registry(Address("https", "127.0.0.1:1", ""), LOGIN)
    with pytest.raises(RegistryError, match=r"gives tokens at http://tokens\.example\.com, which has no TLS"):
        client._authorize(Challenge("bearer", "http://tokens.example.com", "s"), "shop", writes=False)


def test_a_build_sends_no_password_to_a_token_server_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(url: str, authorization: str | None = None) -> None:
        asked.append(url)
        headers = Message()
        headers["WWW-Authenticate"] = 'Bearer realm="http://tokens.example.com",service="s"'
        raise HTTPError(url, 401, "", headers, None)

    monkeypatch.setattr(fetch, "ask", refuse)
    with pytest.raises(ValueError, match=r"tokens are given at http://tokens\.example\.com, which has no TLS"):
        fetch.open_blob("https://registry/v2/shop/blobs/sha256:1", "shop", "Basic eA==")
    assert asked == ["https://registry/v2/shop/blobs/sha256:1"]


@pytest.mark.parametrize("of_index", [True, False])
def test_the_user_of_an_image_is_read_from_its_configuration(of_index: bool) -> None:
    manifest = {"config": {"digest": "sha256:c"}}
    platforms = [("unknown", "sha256:attestation"), ("linux", "sha256:image")]
    index = {"manifests": [{"digest": digest, "platform": {"os": name}} for name, digest in platforms]}

    def store(asked: BaseHTTPRequestHandler) -> Answered:
        assert not asked.headers["Authorization"]
        return 200, {}, json.dumps({"config": {"User": "1001:0"}}).encode()

    def registry(asked: BaseHTTPRequestHandler) -> Answered:
        if not asked.headers["Authorization"]:
            return 401, {"WWW-Authenticate": 'Basic realm="r"'}, b""
        if "/blobs/sha256:c" in asked.path:
            return 307, {"Location": f"http://localhost:{place}/blob"}, b""
        found = index if of_index and asked.path.endswith("/sha256:d") else manifest
        return 200, {}, json.dumps(found).encode()

    with ExitStack() as running:
        place = running.enter_context(server(store))
        client = Registry(Address("http", f"127.0.0.1:{running.enter_context(server(registry))}", ""), LOGIN)
        assert client.user("shop", "sha256:d") == "1001:0"


@pytest.mark.parametrize("content", ["{}", "[]", "<html>", '{"manifests": []}', '{"config": 1}'])
def test_what_is_no_image_is_one_plain_sentence(content: str) -> None:
    words = "does not say what shop@sha256:d is"
    with server(lambda asked: (200, {}, content.encode())) as port, pytest.raises(RegistryError, match=words):
        Registry(Address("http", f"127.0.0.1:{port}", "")).user("shop", "sha256:d")
