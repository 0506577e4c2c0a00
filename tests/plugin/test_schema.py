"""The schema that the SDKs of all languages are made from: the golden file shows every change of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kf_tasks
import pytest
from kf_tasks.plugin import schema
from kf_tasks.plugin.names import COMPONENTS, camel, outputs, parameters

GOLDEN = Path(__file__).with_name("schema.golden.json")
CHECKOUT = Path(__file__).parents[2]


def test_the_schema_is_the_golden_one() -> None:
    """`KF_GOLDEN=write pytest tests/plugin/test_schema.py` writes it anew, for a change that is meant."""
    found = schema.text().replace(f'"version": "{kf_tasks.__version__}"', '"version": "VERSION"')
    if os.environ.get("KF_GOLDEN") == "write":
        GOLDEN.write_text(found, "utf-8")
    assert found == GOLDEN.read_text("utf-8")


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schema.text())
    return found


def test_every_argument_and_every_output_is_in_it(made: dict[str, Any]) -> None:
    for token, of in COMPONENTS.items():
        found = made["resources"][token]
        assert [*found["inputProperties"]] == [camel(name) for name in parameters(of)] and found["isComponent"]
        assert [*found["properties"]] == [camel(name) for name in outputs(of)]
        assert found["description"].startswith((of.__doc__ or "").split("\n")[0])
    assert made["resources"]["kf:index:Task"]["requiredInputs"] == ["app"]
    assert made["resources"]["kf:index:App"]["requiredInputs"] == ["space"]


def test_types_defaults_and_what_may_be_an_output(made: dict[str, Any]) -> None:
    task = made["resources"]["kf:index:Task"]["inputProperties"]
    assert {name: task["mustSucceed"][name] for name in ("type", "default", "plain")} == {
        "type": "boolean", "default": True, "plain": True,
    }  # fmt: skip
    assert task["command"]["oneOf"][0] == {"type": "string"} and "plain" not in task["command"]
    assert [one["value"] for one in made["types"]["kf:index:When"]["enum"]] == ["change", "trigger", "always"]
    notify = task["notify"]["items"]
    assert notify["discriminator"]["mapping"]["Webhook"] == "#/types/kf:index:Webhook"
    assert made["types"]["kf:index:Webhook"]["properties"]["kind"] == {"type": "string", "const": "Webhook"}
    assert made["types"]["kf:index:Webhook"]["required"] == ["kind", "url"]


def test_whatever_is_referred_to_is_there(made: dict[str, Any]) -> None:
    def references(it: Any) -> list[str]:
        if isinstance(it, dict):
            return [*([it["$ref"]] if "$ref" in it else ()), *(one for item in it.values() for one in references(item))]
        return [one for item in it for one in references(item)] if isinstance(it, list) else []

    known = {*(f"#/types/{name}" for name in made["types"]), *(f"#/resources/{name}" for name in made["resources"])}
    assert {*references(made)} - known == {"pulumi.json#/Any"}


def test_the_sdk_for_python_is_another_package_than_ours(made: dict[str, Any]) -> None:
    assert made["language"]["python"]["packageName"] not in (kf_tasks.__name__, "kf-tasks")
    assert made["language"]["python"]["packageName"] == "pulumi_kf"


@pytest.mark.skipif(not shutil.which("pulumi"), reason="there is no pulumi on PATH: the tests on the cluster have one")
def test_pulumi_reads_it_and_makes_an_sdk_of_it(tmp_path: Path) -> None:
    """As `pulumi package get-schema ./plugin` asks the plugin's process, and as `gen-sdk` reads what it says."""
    program = tmp_path / "pulumi-resource-kf"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {CHECKOUT}/plugin "$@"\n')
    program.chmod(0o755)
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT / "components"), "PULUMI_HOME": str(tmp_path / "home")}
    got = subprocess.run(["pulumi", "package", "get-schema", program], env=env, text=True, capture_output=True)
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout)["resources"].keys() == COMPONENTS.keys()
    (tmp_path / "schema.json").write_text(got.stdout)
    command = ["pulumi", "package", "gen-sdk", "schema.json", "--language", "python", "--out", "sdk"]
    done = subprocess.run(command, cwd=tmp_path, env=env, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    task = (tmp_path / "sdk/python/pulumi_kf/task.py").read_text()
    assert "must_succeed" in task and "class Task(pulumi.ComponentResource)" in task
