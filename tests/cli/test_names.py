"""Every name of every command is checked before a cluster is asked, and selects nothing but itself."""

from __future__ import annotations

import dataclasses
from typing import Any

import click
import pytest
from click.testing import CliRunner
from kf_tasks.cli import names
from kf_tasks.cli.main import kf
from kf_tasks.cli.target import Target
from kf_tasks.core import api, marks
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.naming import DNS_LABEL

from .test_commands import FakeCluster, call, run

WRONG = [
    "",
    " ",
    ".",
    "../../..",
    "shop,kf.dev/task=shop",
    "shop\n",
    "Shop",
    "shop/x/y",
    "-shop-",
    "x" * 64,
    "a b",
    "shop!",
]
CHECKED = {
    names.app,
    names.task,
    names.task_or_every,
    names.process,
    names.run,
    names.run_or_app,
    names.space,
    names.job,
    names.task_id,
    names.secret_key,
}
# Parameters that name nothing in a cluster.
_NO_NAMES = (click.Path, click.Choice, click.IntRange)
FREE = {
    "file", "variables", "files", "services", "kubeconfig", "context", "output", "url", "command", "cron", "keep",
    "cpu_cores", "memory_limit", "disk_quota", "lines", "since", "help", "version", "shell", "form", "topic",
    "states", "by", "arguments", "markdown", "data", "sources", "limit", "valid",
}  # fmt: skip


def named() -> list[tuple[str, click.Parameter]]:
    """Every parameter of every command that takes a text."""
    commands = {
        "": kf,
        **{name: kf.get_command(click.Context(kf), name) for name in kf.list_commands(click.Context(kf))},
    }
    found = []
    for name, command in commands.items():
        assert command
        taken = [each for each in command.params if not isinstance(each.type, _NO_NAMES)]
        found += [(name, each) for each in taken if not getattr(each, "is_flag", False) and each.name not in FREE]
    return found


@dataclasses.dataclass
class Untouched(Target):
    """Fails when it is opened."""

    def open(self) -> Any:
        raise AssertionError("a name that is none reached the cluster")


def arguments(name: str, parameter: click.Parameter, value: str) -> list[str]:
    """A call of a command with `value` for one parameter and what is right for those before it."""
    if isinstance(parameter, click.Option):
        command = kf.get_command(click.Context(kf), name) if name else None
        needed = (
            ["x" for each in command.params if isinstance(each, click.Argument) and each.required] if command else []
        )
        return [*filter(None, [name]), f"{parameter.opts[0]}={value}", *needed, *([] if name else ["tasks"])]
    before = ["x"] if parameter.name in ("task_id", "cron") else []
    after = ["* * * * *"] if name in ("schedule-job", "schedule-task") else []
    return [name, "--", *before, value, *after]


def test_every_parameter_is_a_name_that_is_checked_or_names_nothing() -> None:
    unchecked = {f"{name} {each.name}" for name, each in named() if getattr(each.type, "func", None) not in CHECKED}
    assert not unchecked
    assert {getattr(each.type, "func", None) for _, each in named()} >= set(CHECKED)


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize(
    ("name", "parameter"), [pytest.param(*each, id=f"{each[0]}-{each[1].name}") for each in named()]
)
def test_what_is_no_name_is_wrong_usage_and_asks_nothing(name: str, parameter: click.Parameter, value: str) -> None:
    result = CliRunner().invoke(kf, arguments(name, parameter, value), obj=Untouched())
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stderr.startswith("kf: ") and result.output.count("\n") == 1


@pytest.mark.parametrize("value", [each for each in WRONG if each])
def test_a_space_of_the_environment_is_checked_too(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KF_SPACE", value)
    with pytest.raises(click.UsageError, match="cannot be the name of a space"):
        Target().name()


@pytest.mark.parametrize("option", ["--context", "--kubeconfig", "--space"])
def test_an_empty_option_does_not_mean_another_cluster(option: str) -> None:
    for words in ([option, "", "prune", "shop"], ["prune", "shop", option, ""]):
        result = CliRunner().invoke(kf, words, obj=Untouched())
        assert result.exit_code == 2 and " empty" in result.stderr


@pytest.mark.parametrize("command", ["run-task", "run-job"])
@pytest.mark.parametrize(
    "value", ["A", "A=", "A=s", "A=s/", "=s/k", "A=/k", "A=s/k/", "A=S/k", "A=s/k k", "A=s\n/k", "A=../../x/k", "=/"]
)
def test_a_key_of_a_secret_is_checked_before_the_cluster_is_asked(command: str, value: str) -> None:
    result = CliRunner().invoke(kf, [command, "x", "--env-from-secret", value], obj=Untouched())
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stderr.startswith("kf: --env-from-secret: ") and result.output.count("\n") == 1
    assert names.secret_key("A=my.secret/tls.crt") == "A=my.secret/tls.crt"


def test_a_wrong_id_is_answered_with_what_lists_them_in_that_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KF_SPACE", raising=False)
    for words in (["--space", "prod", "task", "shop", "x"], ["terminate-task", "shop", "x", "--space", "prod"]):
        result = CliRunner().invoke(kf, words, obj=Untouched())
        assert (
            result.exit_code == 2
            and "Task ID 'x' is no number from 1 on: kf tasks shop --space prod shows" in result.stderr
        )
    monkeypatch.setenv("KF_SPACE", "dev")
    assert "kf tasks shop --space dev shows" in CliRunner().invoke(kf, ["pin", "shop", "x"], obj=Untouched()).stderr
    monkeypatch.delenv("KF_SPACE")
    monkeypatch.setenv("KUBECONFIG", "/none")
    assert "kf tasks shop shows them" in CliRunner().invoke(kf, ["pin", "shop", "x"], obj=Untouched()).stderr


@pytest.mark.parametrize("app", ["shop", "shop.build", "a", "x" * DNS_LABEL])
def test_names_are_taken_as_they_are(app: str) -> None:
    assert names.app(app) == names.run_or_app(app) == app
    assert names.job("shop/nightly") == "shop/nightly" and names.job("nightly") == "nightly"
    assert names.task_id("12") == 12


@pytest.mark.parametrize("options", [[], ["--keep", "0"], ["--dry-run"], ["--keep", "3", "--dry-run"]])
def test_pruning_an_app_that_is_not_there_is_an_error(options: list[str]) -> None:
    cluster = FakeCluster([run(2), run(1)])
    for app, code in (("", 2), ("shop,kf.dev/task=shop", 2), ("shp", 1)):
        result = call(cluster, "prune", app, *options)
        assert result.exit_code == code and result.output.startswith("kf: ")
    assert cluster.deleted == []


@pytest.mark.parametrize("value", [each for each in WRONG if each != "Shop"])
def test_a_selector_is_made_from_values_alone(value: str) -> None:
    assert api.equal(marks.NAME, "shop.build") == "app.kubernetes.io/name=shop.build"
    assert api.equal(marks.NAME, "a", "b") == "app.kubernetes.io/name in (a,b)"
    for make in (
        api.ours,
        api.pods_of,
        lambda text: api.equal(marks.TASK, text),
        lambda text: api.equal(marks.TASK, "a", text),
    ):
        with pytest.raises(InvalidInput, match="cannot be a value of the label"):
            make(value)
