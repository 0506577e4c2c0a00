"""The schema that the SDKs of all languages are made from: the golden file shows every change of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import kf_tasks
import pytest
from kf_tasks.plugin import schema
from kf_tasks.plugin.names import COMPONENTS, arguments, camel, outputs, parameters
from kf_tasks.plugin.spelling import described

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
        assert found["description"].startswith(described((of.__doc__ or "").split("\n")[0]))
    assert made["resources"]["kf:index:Task"]["requiredInputs"] == ["app"]
    assert made["resources"]["kf:index:App"]["requiredInputs"] == ["space"]


def test_what_is_told_of_them_is_written_as_elsewhere(made: dict[str, Any]) -> None:
    def told(it: Any) -> list[str]:
        if isinstance(it, dict):
            own = [it["description"]] if isinstance(it.get("description"), str) else []
            return own + [one for item in it.values() for one in told(item)]
        return [one for item in it for one in told(item)] if isinstance(it, list) else []

    texts = told([made["resources"], made["types"]])
    assert "`mustSucceed` (true): a failure fails the update" in " ".join(texts).replace("\n", " ")
    of_python = "|".join([r"True|False|None", *(name for name in arguments() if "_" in name), r"[a-z_]+=[\[{\"'(]"])
    assert [found for text in texts for found in re.findall(rf"\b(?:{of_python}).{{9}}", text)] == []


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


def test_no_record_is_plain_but_as_one_of_several(made: dict[str, Any]) -> None:
    """The SDK for Go that is made of one names a type which it does not have."""
    records = {f"#/types/{name}" for name, one in made["types"].items() if one["type"] == "object"}

    def plain(it: Any) -> list[str]:
        if isinstance(it, dict):
            own = [it["$ref"]] if it.get("plain") and it.get("$ref") in records else []
            return own + [one for name, item in it.items() if name != "oneOf" for one in plain(item)]
        return [one for item in it for one in plain(item)] if isinstance(it, list) else []

    assert plain(made) == []


def test_what_may_be_no_output_may_be_none_in_each_of_its_forms(made: dict[str, Any]) -> None:
    """Else SDKs let through what is refused later, and .NET's asks for each value to be cast."""

    def forms(it: Any) -> list[tuple[Any, Any]]:
        own = (
            [(it.get("plain"), one.get("plain")) for one in it["oneOf"]]
            if isinstance(it, dict) and "oneOf" in it
            else []
        )
        inside = it.values() if isinstance(it, dict) else it if isinstance(it, list) else ()
        return own + [one for item in inside for one in forms(item)]

    found = forms(made["resources"]) + forms(made["types"])
    assert (True, True) in found and all(whole == form for whole, form in found)


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


needs_pulumi = pytest.mark.skipif(
    not shutil.which("pulumi"), reason="there is no pulumi on PATH: the tests on the cluster have one"
)


@needs_pulumi
def test_pulumi_reads_it(tmp_path: Path) -> None:
    """As `pulumi package get-schema ./plugin` asks the plugin's process."""
    program = tmp_path / "pulumi-resource-kf"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {CHECKOUT}/plugin "$@"\n')
    program.chmod(0o755)
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT / "components"), "PULUMI_HOME": str(tmp_path / "home")}
    got = subprocess.run(["pulumi", "package", "get-schema", program], env=env, text=True, capture_output=True)
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout)["resources"].keys() == COMPONENTS.keys()


def sdk(language: str, folder: Path) -> Path:
    """The SDK that Pulumi makes for a language; a test for which its host is not there is skipped."""
    (folder / "schema.json").write_text(schema.text())
    command = ["pulumi", "package", "gen-sdk", "schema.json", "--language", language, "--out", "sdk"]
    env = {**os.environ, "PULUMI_HOME": str(folder / "home")}
    done = subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True)
    if f"no language plugin 'pulumi-language-{language}'" in done.stderr:
        pytest.skip(f"the language host of {language} is not built: make extras builds it")
    assert done.returncode == 0, done.stderr
    return folder / "sdk" / language


@needs_pulumi
def test_the_sdk_for_python_is_imported_beside_ours(tmp_path: Path) -> None:
    made = sdk("python", tmp_path)
    project = tomllib.loads((made / "pyproject.toml").read_text())["project"]
    assert (project["name"], project["version"]) == ("pulumi_kf", kf_tasks.__version__)
    installed = made / "pulumi_kf.dist-info" / "METADATA"  # it asks for its own version
    installed.parent.mkdir()
    installed.write_text(f"Metadata-Version: 2.1\nName: pulumi_kf\nVersion: {kf_tasks.__version__}\n")
    program = (
        "import inspect, sys, kf_tasks, pulumi_kf\n"
        "for name in sys.argv[1:]:\n"
        "    assert issubclass(getattr(pulumi_kf, name), pulumi_kf._utilities.pulumi.ComponentResource)\n"
        "    assert getattr(pulumi_kf, name) is not getattr(kf_tasks, name)\n"
        "given = inspect.signature(pulumi_kf.Task._internal_init).parameters\n"
        "assert {'must_succeed', 'at_most_once'} <= given.keys()\n"
    )
    env = {**os.environ, "PYTHONPATH": f"{made}{os.pathsep}{CHECKOUT / 'components'}"}
    command = [sys.executable, "-c", program, *(of.__name__ for of in COMPONENTS.values())]
    done = subprocess.run(command, env=env, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


@needs_pulumi
def test_the_sdk_for_nodejs_is_a_package_of_its_language(tmp_path: Path) -> None:
    made = sdk("nodejs", tmp_path)
    package = json.loads((made / "package.json").read_text())
    assert (package["name"], package["version"]) == ("pulumi-kf", kf_tasks.__version__)
    task = (made / "task.ts").read_text()
    assert "export class Task extends pulumi.ComponentResource" in task and "mustSucceed?: boolean" in task


@needs_pulumi
def test_the_sdk_for_go_is_a_module_of_its_language(tmp_path: Path) -> None:
    made = sdk("go", tmp_path)
    assert (made / "go.mod").read_text().startswith("module example.com/pulumi-kf/sdk/go\n")
    task = (made / "kf" / "task.go").read_text()
    assert "func NewTask(ctx *pulumi.Context," in task and re.search(r"\n\tMustSucceed +\*bool\n", task)
    if shutil.which("gofmt"):
        assert not subprocess.run(["gofmt", "-l", made], text=True, capture_output=True, check=True).stdout
