"""Whatever an option is given is checked before a cluster is asked: by the very rule that would refuse it later."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.cli import log_choice, names, run_list
from kf_tasks.cli.main import kf
from kf_tasks.cli.target import Target
from kf_tasks.core import naming, quantities
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.run import environment
from kf_tasks.core.schedule import cron

from .test_names import FREE

Rule = Callable[[str], object]


class Reached(Exception):
    """A request would have been sent."""


@dataclasses.dataclass
class Watched(Target):
    """Sends none."""

    def open(self) -> Any:
        raise Reached


def _variable(text: str) -> None:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(text)
    environment.check_reserved("", naming.check_env_name("", name))
    environment.check_value("", name, value)


def _command(text: str) -> None:
    if not text:
        raise InvalidInput(text)


def _number(least: int) -> Rule:
    def check(text: str) -> None:
        if int(text) < least:
            raise ValueError(text)

    return check


def _one_of(*values: str) -> Rule:
    def check(text: str) -> None:
        if text not in values:
            raise ValueError(text)

    return check


# What of the commands that ask a cluster is free text, a number or a choice, by name; the rest are names (test_names).
RULES: dict[str, Rule] = {
    "variables": _variable,
    "command": _command,
    "cpu_cores": lambda text: quantities.cpu(text, ""),
    "memory_limit": lambda text: quantities.size(text, ""),
    "disk_quota": lambda text: quantities.disk(text, ""),
    "cron": lambda text: cron.parse(text, ""),
    "since": log_choice.since,
    "keep": _number(0),
    "lines": _number(0),
    "task_id": _number(1),
    "states": lambda text: _one_of(*run_list.STATES)(text.lower()),
    "by": _one_of(*run_list.SORTS),
    "form": _one_of("json", "yaml", "wide", "name"),
    "url": names.given,
    "context": names.given,
    "kubeconfig": names.given,
}
GOOD = ["A=b", "A=", "100m", "0.5", "64M", "1Gi", "0 3 * * *", "@daily", "90s", "1d12h", "3", "failed", "age", "json"]
BAD = ["", " ", "=", "VCAP_X=1", "A B=1", "0", "-1", "1e9", "12", "16K", "* * * *", "@every 5m", "yesterday", "0s", "²"]
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
# They tell of a file, of a page of help or of this program, or always the same; `review` asks through Pulumi alone.
WITHOUT = {"check", "completion", "delete-job", "help", "review", "version"}


def asked() -> list[tuple[str, click.Parameter]]:
    """Every parameter with a value that is no name, of every command that asks a cluster."""
    context = click.Context(kf)
    found = []
    for name in sorted({*kf.list_commands(context)} - WITHOUT):
        command = kf.get_command(context, name)
        assert command
        found += [
            (name, one) for one in command.params
            if not getattr(one, "is_flag", False) and getattr(one.type, "func", None) not in NAMES
        ]  # fmt: skip
    return found


NAMES = {it for it in vars(names).values() if getattr(it, "__module__", "") == names.__name__} - {names.given}
FOLDERS = {"folder"}  # click itself looks at the disk


def call(name: str, parameter: click.Parameter, text: str) -> list[str]:
    """A call with this value for the parameter, and what is right for all that must be there."""
    command = kf.get_command(click.Context(kf), name)
    assert command
    words = [name]
    if isinstance(parameter, click.Option):
        words.append(f"{max(parameter.opts, key=len)}={text}")
    words.append("--")
    for one in command.params:
        if isinstance(one, click.Argument) and (one.required or one is parameter or name == "logs"):
            words.append(text if one is parameter else "@daily" if one.name == "cron" else "shop")
    return words


def test_each_of_them_has_a_rule() -> None:
    assert {one.name for _, one in asked()} - FOLDERS == {*RULES}
    assert {*RULES} - {"keep", "lines", "task_id", "states", "by", "form", "url"} <= FREE


@pytest.mark.parametrize(("name", "parameter"), [pytest.param(*it, id=f"{it[0]}-{it[1].name}") for it in asked()])
def test_what_a_rule_refuses_asks_nothing_and_the_rest_does(name: str, parameter: click.Parameter) -> None:
    if parameter.name in FOLDERS:
        result = CliRunner().invoke(kf, call(name, parameter, __file__), obj=Watched())
        assert result.exit_code == 2 and "is a file" in result.stderr
        return
    rule = RULES[str(parameter.name)]

    def tried(text: str) -> None:
        result = CliRunner().invoke(kf, call(name, parameter, text), obj=Watched())
        try:
            rule(text)
        except (InvalidInput, ValueError, click.UsageError):
            assert result.exit_code in (1, 2) and not isinstance(result.exception, Reached), result.output
            assert result.stderr.startswith("kf: ") and result.stderr.count("\n") == 1, result.stderr
        else:
            reached = isinstance(result.exception, Reached)
            choices = getattr(parameter.type, "choices", None)
            assert reached or parameter.name == "url" or (choices and text.lower() not in choices), result.output

    for text in (*GOOD, *BAD):
        tried(text)
    # Every rule sees a hundred texts at least: that of many commands some in each.
    sharing = Counter(one.name for _, one in asked())[parameter.name]
    settings(max_examples=max(10, -(-100 // sharing)))(given(TEXTS)(tried))()
