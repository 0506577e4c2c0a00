"""The SDK for .NET that Pulumi's generator makes of the schema, as a program in C# finds it.

Nothing here compiles it: that takes .NET and Pulumi's package for it. So what its compiler would refuse or warn of, and
what makes a program easy to write or not, is looked at in the source.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import kf_tasks
import pytest
from kf_tasks.plugin import schema

GENERATOR = "pulumi-sdk-dotnet"
CLASS = re.compile(r"public (?:sealed |partial )*class (\w+) : (\S+)\n    \{(.*?)\n    \}", re.DOTALL)
PROPERTY = re.compile(r"public ([^\n(]+?) (\w+)(?: \{|\n)")
GIVEN = re.compile(r'\[Input\("(\w+)"(, required: true)?.*?\)\]')
IN_NEWER_C_SHARP = ("Config.cs", "Utilities.cs")  # which are the same in every SDK

if not shutil.which(GENERATOR):
    pytest.skip(f"{GENERATOR} is not built: make extras builds it", allow_module_level=True)


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """Its files in C#."""
    folder = tmp_path_factory.mktemp("dotnet")
    subprocess.run([GENERATOR, folder], input=schema.text(), text=True, check=True)
    assert (folder / "version.txt").read_text().strip() == kf_tasks.__version__
    assert "<Version>" + kf_tasks.__version__ in (folder / "Pulumi.Kf.csproj").read_text()
    return {file: file.read_text("utf-8-sig") for file in folder.rglob("*.cs")}


@pytest.fixture(scope="module")
def classes(sdk: dict[Path, str]) -> dict[str, tuple[str, str]]:
    """The base and the body of each class."""
    return {name: (base, body) for text in sdk.values() for name, base, body in CLASS.findall(text)}


def properties(body: str) -> dict[str, str]:
    """The properties of a class, with their types."""
    return {name: type_ for type_, name in PROPERTY.findall(body)}


def test_every_component_is_a_class_with_its_arguments_and_outputs(classes: dict[str, tuple[str, str]]) -> None:
    resources: dict[str, Any] = json.loads(schema.text())["resources"]
    for token, one in resources.items():
        name = token.rpartition(":")[2]
        base, body = classes[name]
        assert (
            base == "global::Pulumi.ComponentResource" and f'base("{token}", name, ' in body and "remote: true" in body
        )
        assert properties(body).keys() == {it[0].upper() + it[1:] for it in one["properties"]}
        given = GIVEN.findall(classes[f"{name}Args"][1])
        assert {it for it, _ in given} == one["inputProperties"].keys()
        assert {it for it, needed in given if needed} == {*one["requiredInputs"]}


def test_arguments_are_written_without_casts(classes: dict[str, tuple[str, str]]) -> None:
    """`Cpu = "10m"`, `Notify = { new WebhookArgs { … } }`: C# converts a value once, and not twice."""
    task, app, webhook = (properties(classes[f"{it}Args"][1]) for it in ("Task", "App", "Webhook"))
    assert task["App"] == "Input<Pulumi.Kf.App>" and task["When"] == "Pulumi.Kf.When?"
    assert task["MustSucceed"] == "bool?" and task["Retries"] == "int?" and task["Cpu"] == "Union<string, double>?"
    assert (
        task["Command"] == "InputUnion<string, ImmutableArray<string>>?" and task["Env"] == "Dictionary<string, object>"
    )
    assert task["Notify"] == "List<Union<Inputs.WebhookArgs, Inputs.HeartbeatArgs>>"
    assert app["Source"] == "Union<string, Inputs.SourceArgs>?" and app["Image"] == "Input<string>?"
    assert webhook["Url"] == "Input<string>", "which takes a secret"


def test_its_compiler_would_take_it(sdk: dict[Path, str], classes: dict[str, tuple[str, str]]) -> None:
    for name, (_, body) in classes.items():
        assert name not in properties(body), "no member is called as its class (CS0542)"
    for text in sdk.values():
        for told in re.findall(r"(?:^ *///.*\n)+", text, re.MULTILINE):  # documentation is well-formed (CS1570)
            fromstring(f"<all>{re.sub(r'^ */// ?', '', told, flags=re.MULTILINE)}</all>")


@pytest.mark.skipif(not shutil.which("mcs"), reason="there is no mcs on PATH")
def test_it_is_c_sharp(sdk: dict[Path, str], tmp_path: Path) -> None:
    """As far as Mono's compiler, which knows C# 7, can read it: without what says that something is never null."""
    for file, text in sdk.items():
        if file.name not in IN_NEWER_C_SHARP:
            (tmp_path / file.name).write_text(text.replace("null!", "null"))
    files = sorted(tmp_path.iterdir())
    assert {"App.cs", "Space.cs", "Task.cs", "WebhookArgs.cs", "Enums.cs"} <= {file.name for file in files}
    parsed = subprocess.run(["mcs", "--parse", "-langversion:latest", *files], text=True, capture_output=True)
    assert parsed.returncode == 0, parsed.stdout + parsed.stderr
