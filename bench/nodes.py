"""Nodes that do not exist, for more tasks than the machine could run: KWOK plays their kubelets.

Their pods start at once, say a line, and end well after some seconds. They have a taint and a label, so that nothing
else comes to them. Tekton, the scheduler and the API server are the real ones; so these are measurements of those
and of ourselves, on the sandbox alone: its authority signs the certificate of the kubelets.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sandbox import pki, record, toolchain
from sandbox.places import Places

from . import peers
from .measure import run

KEY = "bench.example.com/fake"
SPACE = (
    f'node_selector={{"{KEY}": "true"}}, '
    f'tolerations=[{{"key": "{KEY}", "operator": "Exists", "effect": "NoSchedule"}}]'
)  # what a Space is given whose tasks run there
STAGES = ("node/fast/node-initialize", "node/heartbeat/node-heartbeat", "pod/fast/pod-ready", "pod/fast/pod-delete")
LINE = b"2026-01-01T00:00:00.000000001Z hello\n"
# Tekton's containers wait until it has seen that all of them run. A node that is silent would be Ready without, and so
# a pod whose containers have ended is not.
COMPLETE = """apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-complete}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
    - {key: .status.phase, operator: In, values: [Running]}
    - {key: '.metadata.annotations["tekton.dev/ready"]', operator: In, values: [READY]}
  delay: {durationMilliseconds: %d}
  next:
    statusTemplate: |
      {{ $now := Now }}
      {{ $root := . }}
      conditions:
      {{ range $kind := list "Ready" "ContainersReady" }}
      - {lastTransitionTime: {{ $now | Quote }}, status: "False", reason: PodCompleted, type: {{ $kind | Quote }}}
      {{ end }}
      containerStatuses:
      {{ range $index, $item := .spec.containers }}
      - image: {{ $item.image | Quote }}
        name: {{ $item.name | Quote }}
        ready: false
        restartCount: 0
        state:
          terminated:
            exitCode: 0
            reason: Completed
            startedAt: {{ (index $root.status.containerStatuses $index).state.running.startedAt | Quote }}
            finishedAt: {{ $now | Quote }}
      {{ end }}
      phase: Succeeded
"""


class _Logs(ThreadingHTTPServer):
    """What the API server asks a kubelet for a log: a line, and an end a moment after that of the container."""

    daemon_threads, request_queue_size = True, 1024

    def __init__(self, host: str, certificate: Path, key: Path, seconds: float) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response_only(200)
                self.end_headers()
                self.wfile.write(LINE)
                if "follow=true" in self.path and "sinceTime" not in self.path:
                    time.sleep(seconds + 1)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__((host, 0), Handler)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the thread of the request: a handshake keeps no other waiting."""
        with self._context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has gone: an update that was killed has many readers."""


@contextmanager
def nodes(count: int, seconds: float = 5) -> Iterator[None]:
    """So many nodes, whose pods run for these seconds; they and their kubelets end with it."""
    kwok, names = peers.kwok(), [f"bench-{number:04}" for number in range(count)]
    folder = toolchain.module_folder(peers.KWOK, "sigs.k8s.io/kwok", os.environ) / "kustomize/stage"
    places = Places.of(os.environ)
    host = _address(places)
    with TemporaryDirectory(prefix="bench-") as scratch:
        here = Path(scratch)
        (here / "complete.yaml").write_text(COMPLETE % (seconds * 1000))
        for suffix in ("crt", "key"):
            shutil.copy(places.pki / f"ca.{suffix}", here)
        pki.sign(
            here, pki.Certificate("kubelet", "/O=system:nodes/CN=system:node:bench", "serverAuth", (f"IP:{host}",))
        )
        logs = _Logs(host, here / "kubelet.crt", here / "kubelet.key", seconds)
        threading.Thread(target=logs.serve_forever, daemon=True).start()
        configs = [folder / f"{stage}.yaml" for stage in STAGES] + [here / "complete.yaml"]
        flags = ["--manage-all-nodes=false", f"--manage-nodes-with-label-selector={KEY}=true"]
        flags += [f"--node-ip={host}", f"--node-port={logs.server_port}", "--server-address=127.0.0.1:0"]
        flags += [f"--kubeconfig={os.environ['KUBECONFIG']}"]
        with (here / "kwok.log").open("w") as log:
            command = [kwok, *flags, *(f"--config={config}" for config in configs)]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(_create, names))
            _await(count, process, here / "kwok.log")
            yield
        finally:
            process.terminate()
            process.wait()
            logs.shutdown()
            run(["kubectl", "delete", "nodes", "-l", f"{KEY}=true", "--wait=false"])


def _address(places: Places) -> str:
    found = record.load(places.record)
    if found is None:
        raise RuntimeError("nodes that do not exist need the sandbox: make up")
    return found.host


def _create(name: str) -> None:
    room = {"cpu": "64", "memory": "256Gi", "pods": "1000", "ephemeral-storage": "1Ti"}
    node = {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {KEY: "true"}},
        "spec": {"taints": [{"key": KEY, "effect": "NoSchedule"}]}, "status": {"allocatable": room, "capacity": room},
    }  # fmt: skip
    subprocess.run(["kubectl", "create", "-f", "-"], input=json.dumps(node), text=True, check=True, stdout=-3)


def _await(count: int, process: subprocess.Popen[bytes], log: Path) -> None:
    path = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
    for _ in range(120):
        ready = run(["kubectl", "get", "nodes", "-l", f"{KEY}=true", "-o", f"jsonpath={path}"]).split()
        if ready.count("True") == count:
            return
        if process.poll() is not None:
            break
        time.sleep(1)
    raise RuntimeError(f"of {count} nodes {ready.count('True')} are ready: {log.read_text()[-2000:]}")
