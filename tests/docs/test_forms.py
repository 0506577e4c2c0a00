"""What `-o json` gives is documented field by field: whoever changes one changes the page."""

from __future__ import annotations

from dataclasses import fields

import click
import pytest
from kf_tasks.cli.commands.apps import AppView
from kf_tasks.cli.commands.check import CheckView
from kf_tasks.cli.commands.env import EnvView
from kf_tasks.cli.commands.jobs import JobView
from kf_tasks.cli.commands.notify import EndpointView
from kf_tasks.cli.commands.prune import PruneView
from kf_tasks.cli.commands.run_task import StartedView
from kf_tasks.cli.commands.stats import StatsView
from kf_tasks.cli.commands.target import TargetView
from kf_tasks.cli.commands.top import TopView
from kf_tasks.cli.commands.version import VersionView
from kf_tasks.cli.finding import FindingView
from kf_tasks.cli.main import kf
from kf_tasks.cli.views import ListedView, LiveView, StoredView, View

from .texts import ROOT

WORDS = {"str": "text", "int": "number", "float": "number", "bool": "true or false", "list[str]": "texts",
         "dict[str, str]": "texts by name", "Object": "object", "list[dict[str, str]]": "objects",
         "list[dict[str, Any]]": "objects"}  # fmt: skip
SHOWN = {
    "`kf tasks`, `kf job-history`": ListedView,
    "`kf task`": LiveView,
    "`kf task` from an archive": StoredView,
    "`kf apps`": AppView,
    "`kf stats`": StatsView,
    "`kf top`": TopView,
    "`kf target`": TargetView,
    "`kf doctor`": FindingView,
    "`kf jobs`, `kf job-schedules`": JobView,
    "`kf env`": EnvView,
    "`kf notify`": EndpointView,
    "`kf run-task`, `kf run-job`, `kf rerun`": StartedView,
    "`kf prune`": PruneView,
    "`kf check`": CheckView,
    "`kf version`": VersionView,
}


def row(command: str, view: type[View]) -> str:
    """The row of a command in the table."""
    names = view.names()
    kinds = [str(one.type).partition(" | ") for one in fields(view)]  # type: ignore[arg-type]
    told = [f"`{name}` ({WORDS[kind]}{' or null' if rest else ''})" for name, (kind, _, rest) in zip(names, kinds)]
    return f"| {command} | {', '.join(told)} |"


@pytest.mark.parametrize("command", SHOWN)
def test_the_fields_are_documented(command: str) -> None:
    assert row(command, SHOWN[command]) in (ROOT / "docs" / "kf.md").read_text("utf-8").splitlines()


def test_every_view_is_one_of_them() -> None:
    def below(kind: type[View]) -> set[type[View]]:
        return {each for one in kind.__subclasses__() for each in (below(one) or {one})}

    assert below(View) == set(SHOWN.values())


# What follows a log, does something, or prints what has a form of its own, has no other.
PLAIN = {
    "completion", "delete-job", "delete-job-schedule", "download", "help", "logs", "pin", "review",
    "schedule-job", "schedule-task", "terminate-task", "unpin",
}  # fmt: skip


def test_every_other_command_gives_its_forms_to_programs() -> None:
    context = click.Context(kf)
    told = {word for words in SHOWN for word in words.split("`") if word.startswith("kf ")}
    for name in kf.list_commands(context):
        command = kf.get_command(context, name)
        assert command
        forms = [one.type for one in command.params if one.name == "form"]
        assert (name in PLAIN) == (not forms) == (f"kf {name}" not in told), name
        assert all(isinstance(one, click.Choice) and one.choices[:2] == ("json", "yaml") for one in forms), name
