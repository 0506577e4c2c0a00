"""A manifest as resources, with the values that its stack's configuration gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import Space, declaration

from .test_components import run, template

MANIFEST = """\
applications:
- name: hello
  image: ((registry))/busybox:1
  memory: 64M
  disk_quota: 32M
  cpu: 50m
  keep: 3
  env: {GREETING: ((greeting)), MODE: 0755}
  entrypoint: [launch]
  tasks:
  - name: greet
    command: echo hi
    env: {MODE: 1.10}
    memory: 1G
    timeout: 90s
    retries: 2
    triggers: [v1]
    when: trigger
  - name: count
    args: [--to, 3]
"""
HELLO = "kf:index:App$kubernetes:core/v1:ConfigMap::hello"
GREET = "kf:index:Task$kubernetes:core/v1:ConfigMap::hello-greet"
COUNT = "kf:index:Task$kubernetes:core/v1:ConfigMap::hello-count"


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("SANDBOX_REGISTRY", raising=False)
    yield
    pulumi.runtime.set_all_config({})


def test_a_manifest_becomes_apps_and_tasks(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").write_text(MANIFEST)

    def program() -> None:
        values = {"registry": "r:5000", "greeting": "a: b"}
        applications = declaration.read(tmp_path / "manifest.yml", values)
        declared = declaration.declare(applications, Space("hello-dev"))
        assert {app: list(tasks) for app, tasks in declared.items()} == {"hello": ["greet", "count"]}
        declaration.export(declared)

    found = run(program)
    greet = template(found, GREET)
    task = greet["spec"]["pipelineSpec"]["tasks"][0]
    step = task["taskSpec"]["steps"][0]
    assert (step["image"], step["command"], step["args"]) == ("r:5000/busybox:1", ["launch"], ["echo hi"])
    assert step["env"] == [{"name": "GREETING", "value": "a: b"}, {"name": "MODE", "value": "1.10"}]
    assert step["computeResources"] == {
        "requests": {"cpu": "50m", "memory": "1Gi", "ephemeral-storage": "32Mi"},
        "limits": {"memory": "1Gi", "ephemeral-storage": "32Mi"},
    }
    assert (greet["spec"]["timeouts"], task["retries"]) == ({"pipeline": "1m30s"}, 2)
    count = template(found, COUNT)["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert (count["command"], count["args"], count["env"][1]["value"]) == (["launch"], ["--to", "3"], "0755")
    assert json.loads(found[HELLO]["data"]["settings.json"])["keep"] == 3
    record = found["kf:index:Task$pulumi-python:dynamic/kf:Run::hello-greet"]
    assert (record["when"], record["definition"]["triggers"]) == ("trigger", ["v1"])


def values(config: dict[str, str], secrets: tuple[str, ...] = ()) -> dict[str, Any]:
    pulumi.runtime.set_all_config(config, list(secrets))
    return declaration.variables(pulumi.Config("kf"))


def test_the_registry_is_the_stacks_or_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    assert values({}) == {}
    monkeypatch.setenv("SANDBOX_REGISTRY", "sandbox:5000")
    assert values({}) == {"registry": "sandbox:5000"}
    assert values({"kf:registry": "r"}) == {"registry": "r"}
    assert values({"kf:registry": "r", "kf:vars": '{"registry": "v", "copies": 2}'}) == {"registry": "v", "copies": 2}


@pytest.mark.parametrize(
    ("config", "secrets", "message"),
    [
        ({"kf:vars": '{"a": "b"}'}, ("kf:vars",), "kf:vars holds a secret, but what a manifest says is written into "
         "PipelineRuns, where it can be read: declare the application in Python and pass the secret with env=…"),
        ({"kf:vars": "[1]"}, (), "kf:vars is no map: set its values with "
         "'pulumi config set --path kf:vars.NAME VALUE'"),
    ],
)  # fmt: skip
def test_values_that_cannot_be_used(config: dict[str, str], secrets: tuple[str, ...], message: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        values(config, secrets)
    assert str(refused.value) == message


def test_problems_end_the_program_and_warnings_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", shown.append)
    path = tmp_path / "m.yml"
    path.write_text("applications:\n- {name: a, image: i, stack: x}\n")
    assert [application.name for application in declaration.read(path, {})] == ["a"]
    assert shown == ["m.yml: line 2: application 'a': key 'stack' is unknown and has no effect, did you mean 'task'?"]
    path.write_text("applications: 1\n")
    with pytest.raises(
        pulumi.RunError, match="^m.yml cannot be used, it has 1 problem:\n  line 1: applications: is '1'"
    ):
        declaration.read(path, {})


def test_the_manifest_of_this_repository() -> None:
    path = Path(__file__).parent.parent / "manifest.yml"
    found = declaration.read(path, {"registry": "r", "greeting": "g"})
    assert [(one.name, one.ready_image, [task.name for task in one.tasks]) for one in found] == [
        ("hello", "r/busybox:1", ["greet", "count"])
    ]
