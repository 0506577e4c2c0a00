"""An API server with its store and nothing else, for clusters that are larger than what the machine could run.

The parts are the sandbox's own: etcd, kube-apiserver, and Tekton's definitions without its webhooks. There is no
controller, no node and no Tekton, so nothing starts and nothing is collected. Past runs are written into the store as
the API server would have written them: that takes seconds for what takes it minutes.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from sandbox import control, pki, record, tekton
from sandbox.places import Places

from .measure import run

TOGETHER = 100  # objects of one transaction; etcd takes 128
NICE = int(os.environ.get("BENCH_NICE", "0"))
Object = dict[str, Any]


@dataclass(frozen=True)
class Alone:
    """A running one: how to reach it, and its store."""

    kubeconfig: str
    store: str
    log: Path  # of its processes

    @property
    def env(self) -> dict[str, str]:
        """The environment of who asks it."""
        return {**os.environ, "KUBECONFIG": self.kubeconfig}

    def write(self, objects: Iterable[Object]) -> None:
        """Puts PipelineRuns into the store, each with a UID; nobody asks whether they are right."""
        waiting: list[Object] = []
        for obj in objects:
            metadata = obj["metadata"]
            key = f"/registry/tekton.dev/pipelineruns/{metadata['namespace']}/{metadata['name']}"
            value = json.dumps({**obj, "metadata": {**metadata, "uid": str(uuid.uuid4()), "generation": 1}})
            waiting.append({"requestPut": {"key": _encoded(key), "value": _encoded(value)}})
            if len(waiting) == TOGETHER:
                self._put(waiting)
                waiting = []
        if waiting:
            self._put(waiting)
        # What is asked of it before it has read what is new of its store is refused.
        _await(self, "/apis/tekton.dev/v1/pipelineruns?limit=1&resourceVersion=0")

    def _put(self, puts: list[Object]) -> None:
        body = json.dumps({"success": puts}).encode()
        urllib.request.urlopen(f"{self.store}/v3/kv/txn", body, timeout=60).read()


@contextmanager
def alone() -> Iterator[Alone]:
    """Runs one as long as it is needed, in a folder of its own."""
    found = record.load(Places.of(os.environ).record)
    if found is None:
        raise RuntimeError("its parts are those of the sandbox: make up")
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with TemporaryDirectory(prefix="bench-", dir=parent) as folder:
        places = Places(Path(folder))
        here = record.Record("127.0.0.1", "127.0.0.1", 8, "", kube=found.kube)
        pki.create(places.pki, here.node, here.host)
        plane = control.Plane("", places.home, places.kubeconfig, _free_port(), _free_port(), 0)
        control.write_kubeconfig(plane, places, here)
        peer = f"http://127.0.0.1:{_free_port()}"
        flags = [f"--{name}-peer-urls={peer}" for name in ("listen", "initial-advertise")]
        commands = [
            [*control.etcd(plane, here).argv, *flags, f"--initial-cluster=etcd={peer}"],
            [*control.apiserver(plane, places, here).argv, "--disable-admission-plugins=ServiceAccount"],
        ]
        processes = []
        try:
            with (places.home / "log").open("w") as log:
                for command in commands:
                    processes.append(
                        subprocess.Popen(["nice", "-n", str(NICE), *command], stdin=-3, stdout=log, stderr=log)
                    )
            one = Alone(str(places.kubeconfig), f"http://127.0.0.1:{plane.etcd_port}", places.home / "log")
            _await(one, "/readyz")
            _define(one, Path(found.tekton))
            yield one
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait()


def _define(one: Alone, entry: Path) -> None:
    """Tekton's definitions in the one version that is stored: another one would be made of it by a webhook."""
    for definition in yaml.safe_load_all(tekton.definitions(entry)):
        if definition:
            spec = definition["spec"]
            spec["versions"] = [version for version in spec["versions"] if version["storage"]]
            spec["conversion"] = {"strategy": "None"}
            text = json.dumps(definition)
            subprocess.run(["kubectl", "create", "-f", "-"], input=text, text=True, check=True, stdout=-3, env=one.env)
    run(["kubectl", "wait", "crd", "--all", "--for=condition=Established", "--timeout=300s"], env=one.env)


def _await(one: Alone, path: str) -> None:
    for _ in range(300):
        if subprocess.run(["kubectl", "get", "--raw", path], env=one.env, stdout=-3, stderr=-3).returncode == 0:
            return
        time.sleep(1)
    raise RuntimeError(f"the API server does not answer {path}: {one.log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
