"""A kubeconfig that is none is one plain sentence, without a word of what it holds."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from components.cluster import Cluster
from components.connection import Connection
from components.errors import Unreachable

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
        ("contexts: [{name: c}]\ncurrent-context: c\n", "Expected key context"),
        (f"{TOKEN}" * 40, "kubeconfig of 680 characters in one line does not exist or is empty"),
        (kubeconfig(token=f"{TOKEN}\nX: y"), "hold characters that no HTTP header may have"),
        (kubeconfig("https://127.0.0.1:1", **{"certificate-authority-data": "!"}), "127.0.0.1:1"),
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


def test_a_server_that_is_no_api_server(monkeypatch: pytest.MonkeyPatch) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>please log in</html>")

        def log_message(self, *_: Any) -> None:
            pass

    monkeypatch.setenv("NO_PROXY", "*")
    server = HTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    cluster = Cluster.of(Connection(kubeconfig(f"http://127.0.0.1:{server.server_port}")))
    for ask in (
        lambda: cluster.namespace("shop"),
        lambda: cluster.list_runs("shop"),
        lambda: cluster.get_run("s", "r"),
    ):
        with pytest.raises(Unreachable, match="does not answer as a Kubernetes API server does"):
            ask()
    server.shutdown()
