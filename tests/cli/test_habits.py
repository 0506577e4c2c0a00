"""What hands that know Cloud Foundry and Kf type: it works, or says what does."""

from __future__ import annotations

import dataclasses
import json
import shlex
from typing import Any

import click
import kf_tasks
import pytest
from click.testing import CliRunner
from kf_tasks.cli.answers import ANSWERS, SHORT
from kf_tasks.cli.commands.run_task import start_command
from kf_tasks.cli.main import COMMANDS, kf
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.run.launcher import LAUNCHER
from kf_tasks.core.template import TemplateSettings

from .test_commands import FakeCluster, call, run


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_not_here_is_answered_whatever_its_arguments(name: str) -> None:
    for words in ([], ["shop", "-s", "0 3 * * *", "--flag", "--", "x"]):
        result = CliRunner().invoke(kf, [name, *words])
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == f"kf: {name} is no command of kf: {ANSWERS[name]}\n"
    assert ANSWERS[name] in CliRunner().invoke(kf, ["help", name]).stdout
    assert name not in COMMANDS


@pytest.mark.parametrize("name", ANSWERS)
def test_the_commands_of_an_answer_exist(name: str) -> None:
    for part in ANSWERS[name].split("kf ")[1:]:
        assert kf.get_command(click.Context(kf), shlex.split(part.replace("'", ""))[0]), part


@pytest.mark.parametrize(("short", "name"), SHORT.items())
def test_short_names_of_cloud_foundry(short: str, name: str) -> None:
    called, meant = (CliRunner().invoke(kf, [one, "--help"], prog_name="kf") for one in (short, name))
    assert (called.output, called.exit_code) == (meant.output, meant.exit_code)
    assert CliRunner().invoke(kf, ["help", short]).stdout == CliRunner().invoke(kf, ["help", name]).stdout
    assert short not in COMMANDS and short not in ANSWERS and (name in COMMANDS) != (name in ANSWERS)


@pytest.mark.parametrize(
    ("typed", "meant"), [("tsks", "tasks"), ("run-taks", "run-task"), ("hlep", "help"), ("creat-job", "create-job")]
)
def test_what_is_typed_wrongly_is_guessed(typed: str, meant: str) -> None:
    for words in ([typed, "shop", "--flag"], ["help", typed]):
        result = CliRunner().invoke(kf, words)
        said = f"kf: No such command {typed!r}. Did you mean {meant!r}? (kf --help says how)\n"
        assert (result.exit_code, result.stderr) == (2, said)


FORMS = ["json", "yaml", "wide", "name"]


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "help"])
def test_every_answer_has_every_form(name: str) -> None:
    """But for what is a stream, a script or a file, and for what says nothing but that it is done."""
    command = kf.get_command(click.Context(kf), name)
    assert command
    forms = [
        list(one.type.choices) for one in command.params if "-o" in one.opts and isinstance(one.type, click.Choice)
    ]
    assert forms in ([FORMS], []) or name == "review"
    silent = {"completion", "delete-job", "delete-job-schedule", "download", "logs", "pin", "unpin", "review",
              "schedule-job", "schedule-task", "terminate-task"}  # fmt: skip
    assert bool(forms) == (name not in silent) or name == "review"


def test_forms_that_have_nothing_to_add() -> None:
    assert call(FakeCluster([run(1)]), "version", "-o", "wide").stdout == call(FakeCluster(), "version").stdout
    assert call(FakeCluster(), "version", "-o", "name").stdout == f"{kf_tasks.__version__}\n"
    wide, plain = (call(FakeCluster([run(n) for n in range(1, 6)]), "prune", "shop", "--dry-run", *more).stdout
                   for more in (["-o", "wide"], []))  # fmt: skip
    assert wide == plain and "would delete" in plain


def test_help_is_what_the_option_says() -> None:
    def shown(*words: str) -> str:
        return CliRunner().invoke(kf, words, prog_name="kf").stdout

    assert shown("help") == shown("--help")
    for name, (_, said) in COMMANDS.items():
        assert shown("help", name) == shown(name, "--help")
        assert (shown(name, "--help").rstrip() in shown("help", "--all")) is bool(said)
    assert CliRunner().invoke(kf, ["help", "no-such"]).stderr == "kf: No such command 'no-such'. (kf --help says how)\n"
    assert CliRunner().invoke(kf, ["help", "tasks", "--all"]).exit_code == 2
    assert shown("version") == shown("--version")


def test_the_process_of_what_buildpacks_made() -> None:
    template: dict[str, Any] = {
        "spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [{"command": ["./serve"]}]}}]}}
    }
    plain = TemplateSettings("shop.dev", "shop")
    built = dataclasses.replace(plain, entrypoint=LAUNCHER)
    assert start_command("shop", template, built, None, "worker") == ["/cnb/process/worker"]
    assert start_command("shop", template, built, "echo", "worker") == [LAUNCHER, "echo"]
    assert start_command("shop", template, plain, None, "web") is None, "its start command is the App's"
    with pytest.raises(InvalidInput, match="--process worker: only what buildpacks made has processes: give its"):
        start_command("shop", template, plain, "echo", "worker")


@dataclasses.dataclass
class WithApps(FakeCluster):
    """Two Apps with tasks, and runs of one that is gone."""

    def config_maps(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        def template(app: str, kind: str, name: str = "") -> dict[str, Any]:
            labels = {"app.kubernetes.io/name": app, "kf.dev/template": kind, "kf.dev/task": name}
            settings = json.dumps({"stack": "p.dev", "app": app, "keep": 7, "log_archive": "s3://logs"})
            return {"metadata": {"labels": labels}, "data": {"settings.json": settings}}

        foreign = {"metadata": {"labels": {"app.kubernetes.io/name": "odd", "kf.dev/template": "app"}}}
        tasks = [template("shop", "task", name) for name in ("report", "migrate")]
        return [template("shop", "app"), template("blog", "app"), *tasks, foreign]


def of(app: str, *runs: Any) -> list[Any]:
    return [dataclasses.replace(one, labels={**one.labels, "app.kubernetes.io/name": app}) for one in runs]


APPS = [*of("shop", run(1), run(2, "False"), run(3, "False"), run(4, "Unknown", reason="Running")), *of("gone", run(5))]


def test_apps_with_the_counts_of_their_tasks() -> None:
    assert call(WithApps(APPS), "apps").stdout.splitlines() == [
        "Name  Tasks  Running  Succeeded  Failed  Last       Age",
        "blog  0      0        0          0",
        "gone  1      0        1          0       Succeeded  55m",
        "odd   0      0        0          0",
        "shop  4      1        1          2       Running    56m",
    ]
    assert call(WithApps(APPS), "apps", "-o", "name").stdout == "blog\ngone\nodd\nshop\n"
    wide = call(WithApps(APPS), "apps", "-o", "wide").stdout.splitlines()
    assert wide[-1].split() == [
        "shop",
        "4",
        "1",
        "1",
        "2",
        "Running",
        "56m",
        "7",
        "p.dev",
        "migrate,",
        "report",
        "s3://logs",
    ]
    found = json.loads(call(WithApps(APPS), "apps", "-o", "json").stdout)
    assert found[-1] == {
        "name": "shop", "tasks": 4, "running": 1, "succeeded": 1, "failed": 2, "last": "shop-migrate-4",
        "state": "Running", "created": "2026-01-01T00:04:00Z", "keep": 7, "stack": "p.dev",
        "declared": ["migrate", "report"], "logArchive": "s3://logs",
    }  # fmt: skip


def test_no_apps() -> None:
    assert call(FakeCluster(apps=()), "apps").stdout == "No apps in space 'dev'.\n"
    assert call(FakeCluster(apps=()), "apps", "-o", "json").stdout == "[]\n"
    assert call(FakeCluster(apps=()), "apps", "--space", "d").stderr.startswith("kf: space 'd' not found")


class WithHost(FakeCluster):
    """Also knows where it is."""

    class http:
        host = "https://here"


def test_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KF_SPACE", raising=False)
    shown = call(WithHost(), "target", "--space", "dev", "--context", "c").stdout
    assert shown.splitlines()[:2] == ["Space    dev (by --space)", "Cluster  https://here"]
    assert call(WithHost(), "target", "--space", "dev", "-o", "name").stdout == "dev\n"
    result = call(WithHost(), "target", "-s", "prod")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("kf: no Space is kept from one command to the next: give --space prod, or export")
