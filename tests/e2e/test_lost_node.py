"""A node that is silent: while a log is read, and longer than Kubernetes waits before it gives the pods there up."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.errors import Unreachable
from kf_tasks.log.pump import ended_log

from .conftest import CHECKOUT, Stack, eventually, kubectl

pytestmark = pytest.mark.soak  # stops everything else on the node too
SILENT_SECONDS = 360


def _address(stack: Stack) -> str:
    """What the pods reach this process under."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((stack.env["SANDBOX_REGISTRY"].split(":")[0], 9))
        return str(probe.getsockname()[0])


@contextmanager
def _begins(address: str) -> Iterator[tuple[str, Counter[str]]]:
    """Where commands report that they begin, and how often each did; they are told to take long the first time."""
    begun: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            begun[self.path] += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"900" if begun[self.path] == 1 else b"3")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((address, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{address}:{server.server_port}", begun
    finally:
        server.shutdown()


def _sandbox(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "sandbox", *arguments], cwd=CHECKOUT, check=True)


def _recovered() -> bool:
    """Whether the node and Tekton on it work again."""
    ready = '-o=jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}'
    deployments = "-o=jsonpath={.items[*].status.unavailableReplicas}"
    return (
        set(kubectl("get", "nodes", ready).split()) == {"True"}
        and not kubectl("get", "deployments", "-n", "tekton-pipelines", deployments).strip()
    )


def test_log_of_which_a_part_is_read_when_the_node_falls_silent(stack: Stack) -> None:
    stack.task("command='seq 1 600000', log='none'").up().ok()
    [pod] = [pod["metadata"]["name"] for pod in stack.pods()]
    content = "".join(f"{number}\n" for number in range(1, 600001)).encode()
    cluster = Cluster.of(Connection())
    log = ended_log(cluster, stack.namespace, pod)
    got = next(log)
    try:
        _sandbox("stop", "kubelet")
        with pytest.raises(Unreachable):  # noqa: PT012 - what came before counts
            for chunk in log:
                got += chunk
        assert content.startswith(got) and got != content
    finally:
        _sandbox("start", "kubelet")
    assert eventually(lambda: _read(cluster, stack.namespace, pod), 60, "the node knows its pods again") == content


def _read(cluster: Cluster, namespace: str, pod: str) -> bytes:
    """The whole log, or nothing: a kubelet that has just begun may know no pods yet."""
    try:
        return b"".join(ended_log(cluster, namespace, pod))
    except Unreachable:
        return b""


def test_node_that_is_lost_for_six_minutes(stack: Stack) -> None:
    with _begins(_address(stack)) as (url, begun):
        body = "app = App('shop', space=space, image=f'{R}/python:3')\n"
        for name, once in (("once", True), ("again", False)):
            wait = f"time.sleep(float(urllib.request.urlopen('{url}/{name}').read()))"
            code = f"import time, urllib.request; print('begun', flush=True); {wait}; print('done')"
            command = ["python3", "-c", code]
            body += f"Task({name!r}, app=app, command={command!r}, at_most_once={once}, timeout='30m')\n"
        process = stack.write(body).start("--continue-on-error")
        text: list[str] = []
        reader = threading.Thread(target=lambda: text.extend(process.stdout or ()))
        reader.start()
        eventually(lambda: begun == {"/once": 1, "/again": 1})
        [node] = {pod["spec"]["nodeName"] for pod in stack.pods()}
        try:
            _sandbox("stop", "kubelet")
            time.sleep(SILENT_SECONDS)
            assert process.poll() is None, "".join(text)
            said = "".join(text)
            assert f"node {node} does not answer; the task may go on there" in said
            eventually(lambda: all("deletionTimestamp" in pod["metadata"] for pod in stack.pods()), 60, "it gives up")
        finally:
            _sandbox("start", "kubelet")
        reader.join(300)
        said = "".join(text)
        assert process.wait(5) != 0, said
        assert begun["/once"] == 1, "at most once"
        eventually(_recovered, 180)
        assert "KeyError" not in said
        blocks = said.split("Diagnostics:")[1].split("\n\n")
        [lost] = [block for block in blocks if "task 'once' of app 'shop' failed" in block]
        assert (
            f"its pod was deleted while it ran: node {node} was lost or is being emptied" in lost
            or "its pod was replaced while it ran, and at_most_once forbids a second start" in lost
        )
        assert "    begun\n" in lost
        if begun["/again"] == 1:
            assert said.count(f"node {node} was lost or is being emptied") >= 2
        else:
            assert "its pod is gone, and Tekton starts the command again in a new one" in said
    stack.task("command='echo fine'").up().ok()
