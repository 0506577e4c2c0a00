"""What hands that know Cloud Foundry and Kf type: it works, or says what does."""

from __future__ import annotations

import dataclasses
import json
import shlex
from typing import Any

import click
import pytest
from click.testing import CliRunner
from kf_tasks.cli.answers import ANSWERS
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
