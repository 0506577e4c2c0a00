"""The names that a command is given: every one is checked before anything is asked or done with it.

An unset shell variable, a selector or a path in place of a name must never mean another object, or all of them.
Each function is the type of a parameter: it returns what it is given, or raises UsageError.
"""

from __future__ import annotations

import re

import click

from ..core import advice, naming
from ..core.errors import InvalidInput
from ..errors import Trouble

_RULE = "give one of lower-case letters, digits and '-', with a letter or digit at both ends"
EVERY = "*"  # in place of the name of a task
_ID = re.compile(r"0*[1-9][0-9]{0,14}")


def app(text: str) -> str:
    """The name of an App, or of its builds."""
    _check("app", text.removesuffix(naming.BUILD), text)
    return text


def task(text: str) -> str:
    """The name of a task."""
    return _check("task", text)


def task_or_every(text: str) -> str:
    """The name of a task, or EVERY."""
    return text if text == EVERY else task(text)


def process(text: str) -> str:
    """The type of a process, such as `worker`."""
    return _check("process", text)


def run(text: str) -> str:
    """The name of a run."""
    return _check("run", text)


def run_or_app(text: str) -> str:
    """The name of a run, or that of an App before an id."""
    _check("run or app", text.removesuffix(naming.BUILD), text)
    return text


def space(text: str) -> str:
    """The name of a Space."""
    return _check("space", text)


def given(text: str) -> str:
    """The name of something outside the cluster, such as a context: any but an empty one."""
    if not text:
        raise click.UsageError("an option has an empty value: give it one, or set the variable that should hold it")
    return text


def job(text: str) -> str:
    """`JOB`, or `APP/JOB`."""
    owner, slash, own = text.rpartition("/")
    if slash:
        _check("app", owner, text)
    _check("job", own, text)
    return text


def task_id(text: str) -> int:
    """The id of a run of the App whose name stands before it."""
    if not _ID.fullmatch(text):
        context = click.get_current_context(silent=True)
        owner = context.params.get("name", "") if context else ""
        shown = f"{_tasks(owner, context)} shows them"
        raise click.UsageError(f"app {owner!r}: Task ID {text!r} is no number from 1 on: {shown}")
    return int(text)


def secret_key(text: str) -> str:
    """`NAME=SECRET/KEY`: a variable, and the key of a Secret with its value."""
    from ..core.run import sources

    name, _, reference = text.partition("=")
    secret, _, key = reference.partition("/")
    if not (name and secret and key):
        raise click.UsageError(f"--env-from-secret: {text!r} names no key of a Secret: write NAME=SECRET/KEY")
    try:
        naming.check_env_name("--env-from-secret", name)
        sources.check_object("--env-from-secret", sources.SECRET, secret)
        sources.check_key("--env-from-secret", sources.SECRET, key)
    except InvalidInput as error:
        raise click.UsageError(str(error)) from None
    return text


def _tasks(owner: str, context: click.Context | None) -> str:
    """The command that lists the tasks of an App, with the Space as far as one is chosen."""
    try:
        return advice.tasks(owner, context.obj.name()) if context and context.obj else f"kf tasks {owner}"
    except (Trouble, click.UsageError):
        return f"kf tasks {owner}"


def _check(kind: str, name: str, given: str | None = None) -> str:
    if not (name if given is None else given):
        raise click.UsageError(f"the name of the {kind} is empty: give it, or set the variable that should hold it")
    try:
        return naming.check_name(kind, name)
    except InvalidInput:
        article = "an" if kind.startswith("a") else "a"
        raise click.UsageError(f"{given or name!r} cannot be the name of {article} {kind}: {_RULE}") from None
