"""A log that the API server ends as if it were whole, because its connection to the node broke."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.errors import ClusterError, NotFound, Unreachable
from kf_tasks.log.pump import Pump, ended_log

from ..cluster.test_connection import Server, kubeconfig

LINES = [(f"2026-11-26T10:00:{number // 4:02}.{number % 4}00000000Z", f"{number}\n") for number in range(200)]
CONTENT = "".join(text for _, text in LINES).encode()


class Node:
    """A log behind an API server; each reading ends after so many bytes, the last ones at its end."""

    def __init__(self, *breaks: int) -> None:
        self.left = left = list(breaks)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(handler) -> None:
                query = parse_qs(urlsplit(handler.path).query)
                since = query.get("sinceTime", [""])[0][:19]
                text = "".join(f"{stamp} {line}" for stamp, line in LINES if stamp[:19] >= since).encode()
                data = text[: left.pop(0)] if left else text
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(data)))
                handler.end_headers()
                handler.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.cluster = Cluster.of(Connection(kubeconfig(f"http://127.0.0.1:{self.server.server_port}")))


@pytest.fixture
def node(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    monkeypatch.setenv("NO_PROXY", "*")
    made = Node(*request.param)
    yield made
    made.server.shutdown()
    made.server.server_close()


BREAKS = pytest.mark.parametrize("node", [(), (700,), (2000, 900), (45, 30, 1500), (20,), (33, 36)], indirect=True)


@BREAKS
def test_what_is_archived_is_read_until_nothing_new_comes(node: Node) -> None:
    assert b"".join(ended_log(node.cluster, "shop", "pod")) == CONTENT


@BREAKS
def test_what_is_followed_is_read_until_nothing_new_comes(node: Node) -> None:
    got: list[bytes] = []
    pump = Pump(node.cluster, "shop", "pod", lambda chunk: not got.append(chunk))
    pump.ended.set()
    pump.thread.join(60)
    assert b"".join(got) == CONTENT and not (pump.thread.is_alive() or pump.trouble or pump.lost)


@pytest.mark.parametrize("node", [(2000,)], indirect=True)
def test_a_log_that_ends_again_and_again_is_asked_for_less_and_less_often(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    class Ended(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0)
            return len(pauses) > 9 and super().wait()

    monkeypatch.setattr("kf_tasks.log.pump.threading", SimpleNamespace(Event=Ended, Thread=threading.Thread))
    got: list[bytes] = []
    pump = Pump(node.cluster, "shop", "pod", lambda chunk: not got.append(chunk))
    while len(pauses) < 10:
        time.sleep(0.01)
    pump.ended.set()
    pump.thread.join(60)
    assert pauses == [0.5, 0.5, 1, 2, 4, 8, 10, 10, 10, 10]
    assert b"".join(got) == CONTENT


@pytest.mark.parametrize("node", [(700, *[60] * 100)], indirect=True)
def test_a_log_that_never_comes_to_its_end_is_not_whole(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unreachable, match="the log of pod was broken off"):
        b"".join(ended_log(node.cluster, "shop", "pod"))
    monkeypatch.setattr("kf_tasks.log.pump.LOG_GRACE_SECONDS", 2)
    node.left[:] = [700, *[60] * 100]
    pump = Pump(node.cluster, "shop", "pod", lambda _: True)
    pump.ended.set()
    pump.thread.join(60)
    assert "the log of pod was broken off" in str(pump.trouble)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('pods "pod" not found', NotFound),
        ("the server could not find the requested resource ( pods/log pod)", Unreachable),  # a kubelet just begun
    ],
)
def test_a_pod_that_is_gone_and_one_that_its_node_does_not_know_yet(
    said: str, kind: type[ClusterError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with Server(404, body=json.dumps({"message": said})) as server:
        cluster = Cluster.of(Connection(kubeconfig(server.url)))
        with pytest.raises(ClusterError) as raised:
            b"".join(ended_log(cluster, "shop", "pod"))
    assert raised.type is kind


PATH = "/var/log/pods/shop_pod_d3b3effb-0d24-42f3-b582-63d61fc247d8/step-task/0.log"


@pytest.mark.parametrize(
    "said",
    [
        "unable to retrieve container logs for containerd://cfa1e2d91c401a41",
        f'failed to try resolving symlinks in path "{PATH}": lstat {PATH}: no such file or directory',
    ],
)
def test_what_the_node_says_in_the_place_of_a_log_that_is_gone_is_none_of_it(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with Server(200, body=said) as server:
        cluster = Cluster.of(Connection(kubeconfig(server.url)))
        with pytest.raises(NotFound, match="no longer has the log"):
            b"".join(ended_log(cluster, "shop", "pod"))
        got: list[bytes] = []
        pump = Pump(cluster, "shop", "pod", lambda chunk: not got.append(chunk))
        pump.ended.set()
        pump.thread.join(60)
        assert not got and not pump.trouble


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("node", [()], indirect=True)
def test_a_receiver_that_fails_leaves_no_log_that_seems_whole(node: Node) -> None:
    def fail(_: bytes) -> bool:
        raise RuntimeError("no more")

    pump = Pump(node.cluster, "shop", "pod", fail)
    pump.ended.set()
    pump.thread.join(60)
    assert "no more" in str(pump.trouble)


@pytest.mark.parametrize("then", ["own", "another", "gone"])
def test_what_another_pod_of_the_same_name_prints_is_none_of_its_log(
    then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream of a pod that is replaced ends, and the next one that is asked for by its name is the other's."""
    node = Node()
    said, later = b"2026-11-26T10:00:00.000000000Z begun\n", b"2026-11-26T10:00:09.000000000Z later\n"
    streams, got = [[said], [said + later]], list[bytes]()
    found = {"own": "a", "another": "b", "gone": None}[then]
    pods = {"metadata": {"uid": found, "name": "pod"}, "status": {}} if found else None
    monkeypatch.setattr(node.cluster, "log", lambda *_, **__: iter(streams.pop(0) if streams else [said + later]))
    monkeypatch.setattr(node.cluster, "get", lambda *_: pods)
    pump = Pump(node.cluster, "shop", "pod", lambda chunk: not got.append(chunk), uid="a")
    if then == "own":
        pump.ended.set()
    pump.thread.join(60)
    node.server.shutdown()
    node.server.server_close()
    assert b"".join(got) == (b"begun\n" if then == "another" else b"begun\nlater\n")
    assert not (pump.thread.is_alive() or pump.trouble or pump.lost)
