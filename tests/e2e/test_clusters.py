"""Which cluster: every run is where its namespace is, whatever KUBECONFIG says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import CHECKOUT, Stack, changes, run


@pytest.fixture
def second_cluster() -> Iterator[str]:
    """The kubeconfig of a second API server with Tekton's CRDs, on which nothing runs."""
    command = [sys.executable, "-m", "sandbox", "second"]
    up = subprocess.run([*command, "up"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    yield up.stdout.strip().splitlines()[-1]
    subprocess.run([*command, "down"], cwd=CHECKOUT, check=True, capture_output=True)


def test_two_spaces_on_two_clusters(stack: Stack, second_cluster: str) -> None:
    first = stack.env.pop("KUBECONFIG")
    nowhere = stack.folder / "nowhere.yaml"
    nowhere.write_text("{apiVersion: v1, kind: Config, clusters: [], contexts: [], users: []}")
    stack.env["KUBECONFIG"] = str(nowhere)
    stack.write(
        "for name, kubeconfig in (('one', " + repr(first) + "), ('two', open(" + repr(second_cluster) + ").read())):\n"
        "    s = Space(f'{NS}-{name}', kubeconfig=kubeconfig, memory='32M', disk='64M', cpu='10m')\n"
        "    app = App(f'app-{name}', space=s, image=f'{R}/busybox:1')\n"
        "    Task('work', app=app, command='echo hi', wait=False)\n"
    ).up().ok()
    for name, kubeconfig in (("one", first), ("two", second_cluster)):
        for other in ("one", "two"):
            found = _runs(kubeconfig, f"{stack.namespace}-{other}")
            assert len(found) == (1 if name == other else 0), (name, other)
    state = json.dumps(stack.state())
    assert "certificate-authority-data" not in state, "the kubeconfig is encrypted in the state"
    stack.destroy().ok()
    for name, kubeconfig in (("one", first), ("two", second_cluster)):
        assert _runs(kubeconfig, f"{stack.namespace}-{name}") == []
        gone = run(["kubectl", "--kubeconfig", kubeconfig, "get", "namespace", f"{stack.namespace}-{name}"])
        assert "NotFound" in gone.failed().text


def _runs(kubeconfig: str, namespace: str) -> list[object]:
    text = run(["kubectl", "--kubeconfig", kubeconfig, "get", "pipelineruns", "-n", namespace, "-o", "json"]).ok().text
    items: list[object] = json.loads(text)["items"]
    return items


def test_a_secret_kubeconfig_of_the_configuration_is_plain_nowhere(stack: Stack) -> None:
    content = Path(stack.env.pop("KUBECONFIG")).read_text()
    token = json.loads(content)["users"][0]["user"]["token"]
    stack.pulumi("config", "set", "--secret", "kubernetes:kubeconfig", content).ok()
    assert "hello" in stack.task().up().ok().text
    files = [path for path in stack.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if token.encode() in path.read_bytes()]
    assert token not in json.dumps(stack.state())
    assert "unchanged" in changes(stack.preview().ok())
    stack.destroy().ok()


def test_a_plugin_of_a_kubeconfig_and_of_one_of_two(stack: Stack) -> None:
    given = json.loads(Path(stack.env["KUBECONFIG"]).read_text())
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": given["users"][0]["user"]["token"]},
    }  # fmt: skip
    plugin = stack.folder / "plugin"
    plugin.write_text(f"#!/bin/sh\ncat <<'E'\n{json.dumps(answer)}\nE\n")
    plugin.chmod(0o700)
    command = {"apiVersion": answer["apiVersion"], "interactiveMode": "Never", "command": "./plugin"}
    first = {"users": [{"name": "a", "user": {"exec": command}}], "current-context": "a"}
    context = {"cluster": given["clusters"][0]["name"], "user": "a"}
    second = {
        "clusters": given["clusters"], "contexts": [{"name": "a", "context": context}], "current-context": "elsewhere"
    }  # fmt: skip
    for name, content in (("first", first), ("second", second), ("whole", second | first)):
        (stack.folder / name).write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **content}))
    stack.env["KUBECONFIG"] = str(stack.folder / "whole")  # Pulumi's Kubernetes provider takes one file alone
    assert "hello" in stack.task().up().ok().text
    stack.env["KUBECONFIG"] = f"{stack.folder / 'first'}:{stack.folder / 'second'}"
    assert "migrate" in stack.kf("tasks", "shop").ok().text
    plugin.write_text("#!/bin/sh\necho log in again >&2\nexit 4\n")
    assert "ended with 4: log in again; choose" in stack.kf("tasks", "shop").failed().text
