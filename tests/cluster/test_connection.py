"""A kubeconfig that is none is one plain sentence, without a word of what it holds."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import time
from collections.abc import Mapping
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.errors import Conflict, Denied, Refused, Unreachable

from ..registries import certificate

TOKEN = "very-secret-token"


def kubeconfig(server: str = "http://127.0.0.1:1", token: str = TOKEN, **cluster: Any) -> str:
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "c", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    })  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"token: '{TOKEN}\nusers: [", "the kubeconfig is no YAML in line 2"),
        (f"contexts: {TOKEN}\ncurrent-context: c\n", "the kubeconfig is not built as one"),
        ("contexts: [{name: c}]\ncurrent-context: c\n", "context 'c' of the kubeconfig names no cluster"),
        ("contexts: [{name: c}]\n", "the kubeconfig chooses no context: name one"),
        ("contexts: [{name: d}]\ncurrent-context: c\n", "the kubeconfig has no context 'c'"),
        ("contexts: [{name: c, context: {cluster: d}}]\ncurrent-context: c\n", "which context 'c' names"),
        ("contexts: [{context: {cluster: d}}]\ncurrent-context: c\n", "the kubeconfig is not built as one"),
        (f"- {TOKEN}\n- {TOKEN}\n", "the kubeconfig is neither a file's path nor YAML"),
        (kubeconfig(""), "the cluster 'c' of the kubeconfig has no server"),
        (kubeconfig("https://["), "no usable cluster configuration: "),
        (kubeconfig("https://c:1", **{"certificate-authority": "none.crt"}), "certificate-authority, which does not"),
        (f"{TOKEN}" * 40, "kubeconfig of 680 characters in one line does not exist or is empty"),
        (kubeconfig(token=f"{TOKEN}\nX: y"), "hold characters that no HTTP header may have"),
        (kubeconfig("https://127.0.0.1:1", **{"certificate-authority-data": "!"}), "127.0.0.1:1"),
        (kubeconfig("ftp://127.0.0.1:1"), "no usable cluster configuration: Not supported URL scheme ftp"),
        (kubeconfig("https://"), "no usable cluster configuration: No host specified"),
        (
            kubeconfig(**{"proxy-url": "ftp://127.0.0.1:1"}),
            "usable cluster configuration: Proxy URL had unsupported",
        ),
    ],
)
@pytest.mark.parametrize("cluster", [None, "other"])
def test_a_kubeconfig_that_is_none(content: str, said: str, cluster: str | None) -> None:
    with pytest.raises(Unreachable) as error:
        Cluster.of(Connection(content, cluster=cluster)).namespace("shop")
    assert TOKEN not in str(error.value)
    assert said in str(error.value) or cluster


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Unreachable, match="no usable cluster configuration"):
        Cluster.of(Connection(str(tmp_path / "binary")))


class Server:
    """Answers each request with the next of these statuses (the last one over and over) and keeps what was asked."""

    def __init__(
        self, *statuses: int, body: str = '{"metadata": {"name": "shop"}, "message": "so it is"}',
        headers: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.asked: list[tuple[str, str, str | None]] = []
        self.headers: list[tuple[str, str]] = []  # of the last request
        left = list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:
                self.asked.append((handler.command, handler.path, handler.headers["Authorization"]))
                self.headers = handler.headers.items()
                status = left.pop(0) if len(left) > 1 else left[0]
                handler.send_response(status)
                for name, value in {"Location": "http://127.0.0.1:1/login", **(headers or {})}.items():
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(body.encode())

            def do_POST(handler) -> None:
                handler.rfile.read(int(handler.headers["Content-Length"]))
                handler.do_GET()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_a_server_that_is_no_api_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with Server(200, body="<html>please log in</html>") as server:
        cluster = Cluster.of(Connection(kubeconfig(server.url)))
        for ask in (
            lambda: cluster.namespace("shop"),
            lambda: cluster.list_runs("shop"),
            lambda: cluster.get_run("s", "r"),
        ):
            with pytest.raises(Unreachable, match="does not answer as a Kubernetes API server does"):
                ask()


@pytest.mark.parametrize("asked", ["1", "20", "86400", "Fri, 31 Dec 2999 23:59:59 GMT"])
def test_a_server_that_asks_for_patience_gets_half_a_minute(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    waited: list[float] = []
    # Only there: threads of other tests may sleep at this moment.
    monkeypatch.setattr("urllib3.util.retry.time", SimpleNamespace(time=time.time, sleep=waited.append))
    with Server(503, headers={"Retry-After": asked}) as server, pytest.raises(Unreachable, match="cannot answer now"):
        Cluster.of(Connection(kubeconfig(server.url))).namespace("shop")
    assert len(server.asked) == 7 and len(waited) == 6 and 20 <= sum(waited) <= 30


@pytest.mark.parametrize(("refused", "asked"), [(429, 3), (503, 1)])
def test_what_is_refused_for_want_of_room_is_sent_again(
    refused: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("urllib3.util.retry.time", SimpleNamespace(time=time.time, sleep=lambda _: None))
    raised = nullcontext() if refused == 429 else pytest.raises(Unreachable)  # of 503 nobody knows what was done
    with Server(refused, refused, 200, headers={"Retry-After": "1"}) as server, raised:
        Cluster.of(Connection(kubeconfig(server.url))).create_run({"metadata": {"name": "r", "namespace": "shop"}})
    assert [method for method, *_ in server.asked] == ["POST"] * asked


def test_keys_of_a_kubeconfig_stay_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    (left := tmp_path / "left").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(left))
    pki = {name: certificate(tmp_path, name) for name in ("server", "client")}
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki["client"]))
    context.load_cert_chain(pki["server"], pki["server"].with_suffix(".key"))
    context.verify_mode = ssl.CERT_REQUIRED
    data = {name: base64.b64encode(path.read_bytes()).decode() for name, path in pki.items()}
    key = base64.b64encode(pki["client"].with_suffix(".key").read_bytes()).decode()
    with Server(200, 401, 200, tls=context) as server:
        content = json.loads(kubeconfig(server.url, **{"certificate-authority-data": data["server"]}))
        content["users"][0]["user"] |= {"client-certificate-data": data["client"], "client-key-data": key}
        for _ in range(2):  # the second time credentials are loaded anew
            Cluster.of(Connection(json.dumps(content))).namespace("shop")
            assert not list(left.iterdir())
        content["clusters"][0]["cluster"] |= {"certificate-authority-data": data["client"]}
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            Cluster.of(Connection(json.dumps(content))).namespace("shop")
    assert len(server.asked) == 3 and not list(left.iterdir())


def test_whoever_is_asked_for_by_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with Server(200) as server:
        content = json.loads(kubeconfig(server.url))
        content["users"][0]["user"] |= {
            "as": "jane@dev", "as-uid": "u-1", "as-groups": ["dev", "ops, all"],
            "as-user-extra": {"Acme/x": ["1", "2"]},
        }  # fmt: skip
        Cluster.of(Connection(json.dumps(content))).namespace("shop")
    assert [pair for pair in server.headers if pair[0].startswith("Impersonate")] == [
        ("Impersonate-User", "jane@dev"), ("Impersonate-Uid", "u-1"), ("Impersonate-Group", "dev"),
        ("Impersonate-Group", "ops, all"), ("Impersonate-Extra-Acme%2Fx", "1"), ("Impersonate-Extra-Acme%2Fx", "2"),
    ]  # fmt: skip
    assert server.asked == [("GET", "/api/v1/namespaces/shop", f"Bearer {TOKEN}")]
    assert dict(server.headers)["User-Agent"] == "kf-tasks" and dict(server.headers)["Accept-Encoding"] == "gzip"


def test_one_of_many_clusters_behind_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with Server(200) as server:
        Cluster.of(Connection(kubeconfig(f"{server.url}/clusters/c-1/"))).namespace("shop")
    assert server.asked == [("GET", "/clusters/c-1/api/v1/namespaces/shop", f"Bearer {TOKEN}")]


def test_a_proxy_that_is_no_tunnel_is_asked_for_the_whole_address() -> None:
    with Server(200) as proxy:
        Cluster.of(Connection(kubeconfig("http://cluster.example:1/c", **{"proxy-url": proxy.url}))).namespace("shop")
    assert proxy.asked == [("GET", "http://cluster.example:1/c/api/v1/namespaces/shop", f"Bearer {TOKEN}")]


def test_a_token_that_is_refused_is_read_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    config = tmp_path / "config"
    with Server(200, 401, 200, 401) as server:
        config.write_text(kubeconfig(server.url, "first"))
        cluster = Cluster.of(Connection(str(config)))
        cluster.namespace("shop")
        config.write_text(kubeconfig(server.url, "second"))
        assert cluster.namespace("shop") == {"metadata": {"name": "shop"}, "message": "so it is"}
        with pytest.raises(Denied, match="refused the credentials or the permission: so it is"):
            cluster.namespace("shop")
    assert [token for _, _, token in server.asked] == [
        "Bearer first", "Bearer first", "Bearer second", "Bearer second", "Bearer second",
    ]  # fmt: skip


@pytest.mark.parametrize(("status", "kind"), [(302, Unreachable), (403, Denied), (409, Conflict), (422, Refused)])
def test_what_an_answer_means(status: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with Server(status) as server, pytest.raises(kind, match="so it is"):
        Cluster.of(Connection(kubeconfig(server.url))).namespace("shop")
