"""What is loaded before a command begins, and what `kf` says of itself."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import click
import kf_tasks
import pytest
from click.testing import CliRunner
from kf_tasks.cli.main import COMMANDS, kf

HEAVY = ("pulumi", "pulumi_kubernetes", "fsspec", "s3fs", "zstandard", "rich", "grpc", "kf_tasks.core.manifest")
CLIENT = ("kubernetes", "urllib3", "yaml", "msgspec", "pydantic", "kf_tasks.cluster", "kf_tasks.log", "kf_tasks.runs")


def imported(code: str) -> set[str]:
    """The modules that are loaded when `code` has run in a process of its own."""
    told = f"{code}\nimport sys\nprint(*sys.modules, sep='\\n', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def among(modules: set[str], unwanted: tuple[str, ...]) -> set[str]:
    return {name for name in modules if any(name == one or name.startswith(f"{one}.") for one in unwanted)}


HELP = "from kf_tasks.cli.main import kf\ntry: kf(['{}'], prog_name='kf')\nexcept SystemExit: pass"


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_what_the_help_does_not_import(option: str) -> None:
    found = imported(HELP.format(option))
    assert "kf_tasks.cli.main" in found
    assert not among(found, (*HEAVY, *CLIENT, "difflib", "kf_tasks.core.run.pipelinerun"))
    assert not {name for name in found if name.startswith("kf_tasks.cli.commands.")}


@pytest.mark.parametrize(
    "code",
    [
        "from kf_tasks.cli.main import kf\ntry: kf(['tasks'], prog_name='kf')\nexcept SystemExit: pass",
        "from kf_tasks.cli import offers\n"
        "try: offers.OFFERS[offers.names.task](offers.Target().open(), 'shop')\nexcept Exception: pass",
    ],
    ids=["a list of tasks", "completion"],
)
def test_what_asks_the_cluster_does_not_import(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = {"cluster": "c", "user": "c", "namespace": "shop"}
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    (tmp_path / "config").write_text(f"""
        clusters: [{{name: c, cluster: {{server: "https://127.0.0.1:1"}}}}]
        users: [{{name: c, user: {{exec: {{apiVersion: v1, command: false}}}}}}]
        contexts: [{{name: c, context: {json.dumps(context)}}}]
        current-context: c
        """)
    found = imported(code)
    assert {"kf_tasks.cluster.client", "kf_tasks.cluster.exec_plugin", "yaml"} <= found
    assert not among(found, (*HEAVY, "kubernetes", "requests", "oauthlib", "google", "pydantic", "multiprocessing"))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_of_a_command_what_its_own_help_says_first(name: str) -> None:
    command = kf.get_command(click.Context(kf), name)
    assert command and command.name == name
    assert COMMANDS[name][1] == ("" if command.hidden else command.get_short_help_str(1000))


def test_the_help_lists_the_commands() -> None:
    shown = CliRunner().invoke(kf, ["--help"]).stdout
    for name, (_, said) in COMMANDS.items():
        assert (f"\n  {name} " in shown) is bool(said)
    assert CliRunner().invoke(kf, ["no-such"]).exit_code == 2


def test_the_version() -> None:
    assert CliRunner().invoke(kf, ["--version"], prog_name="kf").stdout == f"kf {kf_tasks.__version__}\n"
    assert CliRunner().invoke(kf, ["version"]).stdout == f"kf {kf_tasks.__version__}\n"
    told = json.loads(CliRunner().invoke(kf, ["version", "-o", "json"]).stdout)
    assert told == {"version": kf_tasks.__version__, "python": platform.python_version()}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("kf task", {"task", "tasks"}),
        ("kf --sp", {"--space"}),
        ("kf tasks --ar", {"--archive", "--archived"}),
        ("kf completion f", {"fish"}),
        ("kf tasks -o y", {"yaml"}),
    ],
)
def test_what_is_completed(words: str, offered: set[str]) -> None:
    env = {"_KF_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    shown = CliRunner().invoke(kf, [], env=env, prog_name="kf").stdout
    assert {line.partition(",")[2] for line in shown.splitlines()} == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(shell: str) -> None:
    script = CliRunner().invoke(kf, ["completion", shell], prog_name="kf").stdout
    assert f"_KF_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, env={"PATH": os.environ["PATH"]})
    assert CliRunner().invoke(kf, ["completion", "csh"]).exit_code == 2
