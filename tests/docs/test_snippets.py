"""What the documentation shows works: programs register, commands are understood, manifests can be used."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import kf_tasks
import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from kf_tasks import App, ServiceInstance, Space
from kf_tasks.cli.main import kf
from kf_tasks.core.manifest import loading
from kf_tasks.core.manifest.model import Application, JobEntry, TaskEntry
from kf_tasks.core.manifest.nodes import Secret

from ..resources import test_components
from .texts import ROOT, Snippet, snippets

OF_A_PROGRAM = "programs.md"  # whose snippets are files of one project
PYTHON = [snippet for snippet in snippets("python") if snippet.file != OF_A_PROGRAM]
TERMINAL = snippets("")
VALUES = {"token": "a-token", "db-uri": "postgres://u:secret@db/shop", "mail": "a-password"}
VALUES |= {name: f"https://{name}.example.com/T0" for name in ("chat", "events", "beat")}


class Cluster(test_components.Cluster):
    """Answers as one where tasks have run: their results, what a build has made, and what another stack exports."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        id_, found = super().new_resource(args)
        if args.typ == "pulumi:pulumi:StackReference":
            found["outputs"] = {"credentials": {"uri": "postgres://db/shop"}}
        if args.typ == "kubernetes:example.com/v1:Broker":
            found["status"] = {"binding": {"name": "broker-credentials"}}
        if args.typ == "pulumi-python:dynamic/kf:Run":
            processes = '{"types": ["web", "worker"], "default": "web"}'
            found["results"] = {"schema": "7", "digest": f"sha256:{'1' * 64}", "processes": processes}
            found["results"] |= {"revision": "0002", "object": "orders.csv", "rows": "3", "total": "50"}
        return id_, found


class Given(dict[str, Any]):
    """What the text around a part of a program has said: made when the part asks for it and does not make it itself."""

    def __missing__(self, name: str) -> Any:
        made = self._make(name)
        self[name] = made
        return made

    def _make(self, name: str) -> Any:
        if name in kf_tasks.__all__:
            return getattr(kf_tasks, name)
        if name == "space":
            return Space("shop-dev", registry="registry.example.com/team")
        if name == "app":
            return App("shop", space=self["space"], image="registry.example.com/shop@sha256:4f0e", command="./serve")
        if name == "mail":
            return ServiceInstance("mail", space=self["space"], credentials={"host": "mail"})
        if name == "broker":
            return kubernetes.apiextensions.CustomResource("broker", api_version="example.com/v1", kind="Broker")
        if name == "config":
            return pulumi.Config()
        return {"pulumi": pulumi}[name]  # KeyError: it is a builtin, or nobody has said what it is


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with what the snippets refer to: configuration, a manifest, a folder of source."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "Dockerfile").write_text("FROM scratch AS release\n")
    (tmp_path / "manifest.yml").write_text("applications:\n- {name: shop, image: shop, task: true, tasks: []}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SANDBOX_REGISTRY", raising=False)
    monkeypatch.setattr(test_components, "Cluster", Cluster)
    pulumi.runtime.set_all_config({f"shop:{name}": value for name, value in VALUES.items()})
    yield tmp_path
    pulumi.runtime.set_all_config({})


@pytest.mark.parametrize("snippet", PYTHON, ids=str)
def test_python_registers_under_the_mocks(snippet: Snippet, project: Path) -> None:
    code = compile(snippet.text, str(snippet), "exec")
    names = Given(__file__=str(project / "__main__.py"))

    def program() -> None:
        exec(code, {}, names)

    found = test_components.run(program)
    calls = [node.func for node in ast.walk(ast.parse(snippet.text)) if isinstance(node, ast.Call)]
    made = {called.id for called in calls if isinstance(called, ast.Name)}
    for name in made & {"App", "ServiceInstance", "Space", "Task", "TaskSchedule"}:
        assert any(f"kf:index:{name}::" in urn for urn in found.names()), name


def test_a_program_of_ones_own_is_tested_as_it_is_shown(tmp_path: Path) -> None:
    program, test = [snippet.text for snippet in snippets("python") if snippet.file == OF_A_PROGRAM]
    (tmp_path / "program.py").write_text(program, "utf-8")
    (tmp_path / "test_program.py").write_text(test, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_program.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr


def test_there_are_programs() -> None:
    whole = [snippet for snippet in PYTHON if "import pulumi" in snippet.text]
    assert {"README.md", "index.md", "first-steps.md", "manifests.md"} <= {snippet.file for snippet in whole}


def commands() -> list[tuple[Snippet, str]]:
    """Every `kf …` that a terminal is shown with, or that stands in a line."""
    found = []
    for snippet in TERMINAL:
        lines = re.findall(r"^(?:\$ )?(kf .*)$", snippet.text, re.MULTILINE)
        found += [(snippet, line) for line in lines]
    return found


@pytest.mark.parametrize(("snippet", "line"), commands(), ids=str)
def test_commands_are_understood(snippet: Snippet, line: str) -> None:
    _parse(line, whole=True)


def inline() -> list[Snippet]:
    return [snippet for snippet in snippets("inline") if re.match(r"kf [a-z]", snippet.text)]


@pytest.mark.parametrize("snippet", inline(), ids=str)
def test_commands_in_a_line_exist_with_their_options(snippet: Snippet) -> None:
    if "…" not in snippet.text:
        _parse(snippet.text, whole=False)


def test_there_are_commands() -> None:
    assert len(commands()) > 10
    assert len(inline()) > 20


@pytest.mark.parametrize("line", ["kf task", "kf tasks --nothing", "kf taks shop", "kf prune shop --keep many"])
def test_a_command_that_kf_does_not_have_is_noticed(line: str) -> None:
    with pytest.raises(click.UsageError):
        _parse(line, whole=True)


def test_a_command_in_a_line_that_kf_does_not_have_is_noticed() -> None:
    for line in ("kf taks", "kf tasks --nothing"):
        with pytest.raises(click.UsageError):
            _parse(line, whole=False)


@pytest.mark.parametrize("snippet", [s for s in snippets("yaml") if "applications:" in s.text], ids=str)
def test_manifests_can_be_used(snippet: Snippet) -> None:
    secrets = {name: Secret(value) for name, value in VALUES.items()}
    found = loading.parse(snippet.text, str(snippet), secrets, ["shop-db"])
    assert found.applications
    assert found.warnings == []


@pytest.mark.parametrize(
    ("language", "program"),
    [("yaml", "yaml/Pulumi.yaml"), ("typescript", "typescript/index.ts"), ("go", "go/main.go")],
)
def test_what_is_shown_of_other_languages_is_in_their_examples(language: str, program: str) -> None:
    text = (ROOT / "examples" / program).read_text("utf-8")
    shown = [snippet.text for snippet in snippets(language) if snippet.file == "languages.md"]
    assert shown
    assert [part for part in shown if part not in text] == []


def test_the_tables_of_keys_are_complete() -> None:
    """Every key of an application, a task and a job that has an effect."""
    text = (ROOT / "docs" / "manifests.md").read_text("utf-8")
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    listed = {re.split("[:. ]", key)[0] for cell in cells for key in re.findall("`([^`]+)`", cell)}
    for kind in (Application, TaskEntry, JobEntry):
        assert kind.model_fields.keys() - listed == set(), kind.__name__


def _parse(line: str, *, whole: bool) -> None:
    """Parses a command as click does before it runs. Raises click.UsageError.

    One that is not `whole` may lack arguments, and a word in capitals stands for a name.
    """
    words = shlex.split(re.split(r" [|>] | && ", line)[0], comments=True)[1:]
    if not whole:
        words = [{"ID": "1"}.get(word, word.lower() if word.isupper() else word) for word in words]
    context = kf.make_context("kf", words)
    name, command, rest = kf.resolve_command(context, [*context._protected_args, *context.args])
    assert command is not None
    try:
        command.make_context(name, rest, parent=context)
    except click.MissingParameter:
        if whole:
            raise
