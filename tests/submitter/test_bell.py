"""The pod of a schedule looks at its run when something has changed, and hardly ever else."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.template import JobSettings, TemplateSettings
from kf_tasks.submitter import bell, client, submitter
from kf_tasks.submitter.bell import Bell
from kf_tasks.submitter.client import PlainCluster
from kf_tasks.submitter.submitter import Submitter

from ..cluster.test_informer import eventually

DONE = {"conditions": [{"type": "Succeeded", "status": "True"}]}


class Server:
    """One run and its pod, their watches, and how often what was asked."""

    def __init__(self) -> None:
        self.run: dict[str, Any] = {"metadata": {"name": "r", "uid": "u", "labels": {}}, "spec": {}, "status": {}}
        self.asked: Counter[str] = Counter()
        self.changed = threading.Condition()
        self.events: list[str] = []
        self.generation = 0  # of the watches; those of an older one end
        self.status = 200
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                kind = url.path.split("/")[-1] if not url.path.endswith("/r") else "run"
                if "watch" in parse_qs(url.query):
                    since = len(server.events), server.generation  # before somebody can know of it and go on
                    server.asked[f"watch {kind}"] += 1
                    self.send_response_only(server.status)
                    self.end_headers()
                    if server.status == 200:
                        self._tell(*since)
                    return
                server.asked[kind] += 1
                text = json.dumps(server.run if kind == "run" else {"items": []}).encode()
                self.send_response_only(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def _tell(self, told: int, generation: int) -> None:
                kinds = ["ADDED"]
                while generation == server.generation:
                    for kind in kinds:
                        self.wfile.write(json.dumps({"type": kind, "object": {}}).encode() + b"\n")
                    self.wfile.flush()
                    with server.changed:
                        if len(server.events) == told:
                            server.changed.wait(5)
                        kinds, told = server.events[told:], len(server.events)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.cluster = PlainCluster(f"http://127.0.0.1:{self._http.server_port}", "ns", lambda: "t", None)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def tell(self, kind: str = "MODIFIED", status: dict[str, Any] | None = None) -> None:
        """Something happens to the run, or with BOOKMARK nothing does."""
        with self.changed:
            self.run["status"] = status or {}
            self.events.append(kind)
            self.changed.notify_all()

    def end(self) -> None:
        """The watches end, as the server lets none last for ever."""
        with self.changed:
            self.generation += 1
            self.changed.notify_all()

    def close(self) -> None:
        self.end()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(bell, "SOON_SECONDS", 0.01)
    monkeypatch.setattr(bell, "TOGETHER_SECONDS", 0.0)
    found = Server()
    yield found
    found.close()


def waiting(server: Server) -> tuple[Submitter, threading.Thread]:
    settings = TemplateSettings(
        "shop.dev", "shop", "nightly", Policy(5), job=JobSettings("cron", concurrency="Allow", start_timeout=0)
    )
    one = Submitter(server.cluster, settings, {"metadata": {}}, "job", "own")
    one.name = "r"
    thread = threading.Thread(target=one._wait, daemon=True)
    thread.start()
    return one, thread


def test_a_run_is_looked_at_when_it_has_changed_and_not_for_bookmarks(server: Server) -> None:
    _, thread = waiting(server)
    eventually(lambda: server.asked["watch pods"] and server.asked["watch pipelineruns"] and server.asked["run"] > 1)
    for _ in range(50):
        server.tell("BOOKMARK")
    for _ in range(5):
        before = server.asked["run"]
        server.tell()
        eventually(lambda before=before: server.asked["run"] > before)  # type: ignore[misc]
    server.tell(status=DONE)
    thread.join(20)
    assert not thread.is_alive() and server.asked["run"] < 30
    assert (server.asked["watch pods"], server.asked["watch pipelineruns"]) == (1, 1)


@pytest.mark.parametrize("trouble", ["ends quietly", "breaks", "410"])
def test_what_happens_while_no_watch_is_there_is_seen(server: Server, trouble: str) -> None:
    _, thread = waiting(server)
    eventually(lambda: server.asked["watch pods"] and server.asked["watch pipelineruns"])
    for _ in range(3):
        before = server.asked["watch pods"]
        server.tell("ERROR") if trouble == "410" else server.end()
        eventually(lambda before=before: server.asked["watch pods"] > before)  # type: ignore[misc]
    server.status = 500 if trouble == "breaks" else 200
    server.end()
    server.run["status"] = DONE  # nobody is told
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("status", [401, 403])
def test_who_may_not_watch_looks_less_and_less_often(server: Server, status: int) -> None:
    server.status = status
    heard = Bell(server.cluster, "r")
    eventually(lambda: server.asked["watch pods"] and server.asked["watch pipelineruns"])
    _, thread = waiting(server)
    server.run["status"] = DONE
    thread.join(20)
    assert not thread.is_alive() and not heard.is_heard


def test_who_is_told_to_stop_does_not_wait(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submitter, "IDLE_SECONDS", 3600)
    heard = Bell(server.cluster, "r")
    eventually(lambda: heard.is_heard)
    threading.Timer(0.2, server.cluster.stop.set).start()
    heard.wait(3600)
    heard.wait(3600)


def test_a_watch_that_is_silent_is_not_believed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BOOKMARK_SECONDS", 0.2)
    heard = Bell(server.cluster, "r")
    eventually(lambda: server.asked["watch pods"] > 3)
    heard.wait(3600)


def test_when_nobody_waits_any_more_no_watch_is_begun_again(server: Server) -> None:
    heard = Bell(server.cluster, "closed")
    eventually(lambda: heard.is_heard)
    threads = [one for one in threading.enumerate() if one.name == "bell of closed"]
    heard.close()
    server.end()
    for thread in threads:
        thread.join(20)
    assert [thread.is_alive() for thread in threads] == [False, False]
    assert (server.asked["watch pods"], server.asked["watch pipelineruns"]) == (1, 1)
