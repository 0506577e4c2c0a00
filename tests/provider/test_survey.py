"""A cluster that accepts connections and never answers is asked once, however many tasks and namespaces there are."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from kf_tasks.cluster.connection import Connection
from kf_tasks.cluster.transport import Transport
from kf_tasks.errors import Unreachable
from kf_tasks.provider.preview import Preview


def test_silent_cluster_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Transport.request.__kwdefaults__ or {}, "read_seconds", 1)  # it is 20
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kubeconfig = {
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{silent.getsockname()[1]}"}}],
            "users": [{"name": "c", "user": {"token": "t"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        }  # fmt: skip
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(kubeconfig))
        connection = Connection(str(path))
        preview = Preview()
        for namespace in ("one", "two", "one", "three"):
            assert isinstance(preview.survey(connection, namespace).unasked, Unreachable)
        silent.settimeout(0)
        silent.accept()[0].close()
        try:
            silent.accept()
        except BlockingIOError:
            return
    raise AssertionError("the cluster was asked again")
