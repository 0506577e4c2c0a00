"""What a shell completes names with: those that the cluster has, within half a second or not at all.

A child process asks, so that a cluster that is slow keeps nobody from typing: what it learns too late is offered the
next time, from a file that holds names and nothing else. Whatever goes wrong, nothing is said in the middle of a line.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import hashlib
import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ..core import api, marks
from . import names
from .target import SPACE, Target, TargetSpace

BEGUN = time.monotonic()  # a completion imports this first of all
# Whoever presses a key is answered within half a second, of which Python and the shell take some 0.1.
PATIENCE_SECONDS, LEAST_SECONDS = 0.4, 0.1
FRESH_SECONDS = 5.0  # so long an answer is not asked for again
LIFE_SECONDS = 20  # of a child that gets no answer
# Its type has a parameter since click 8.4, which one of before does not know.
if TYPE_CHECKING:
    _Typed = click.types.FuncParamType[Any, Any]
else:
    _Typed = click.types.FuncParamType
Ask = Callable[[TargetSpace, str | None], Iterable[str]]


def _apps(space: TargetSpace, app: str | None) -> Iterable[str]:
    return _labels(space, api.equal(marks.TEMPLATE, "app"), marks.NAME)


def _tasks(space: TargetSpace, app: str | None) -> Iterable[str]:
    selector = api.equal(marks.TEMPLATE, "task")
    return _labels(space, f"{api.equal(marks.NAME, app)},{selector}" if app else selector, marks.TASK)


def _labels(space: TargetSpace, selector: str, label: str) -> Iterable[str]:
    found = space.cluster.config_maps(space.name, selector)
    return [each["metadata"]["labels"].get(label, "") for each in found]


def _runs(space: TargetSpace, app: str | None) -> Iterable[str]:
    return [run.name for run in space.runs(app)]


def _ids(space: TargetSpace, app: str | None) -> Iterable[str]:
    return [str(run.task_id) for run in space.runs(app)] if app else []


def _jobs(space: TargetSpace, app: str | None) -> Iterable[str]:
    found = space.cluster.cron_jobs(space.name, marks.SCHEDULE)
    return [each["metadata"]["labels"][marks.SCHEDULE] for each in found]


def _spaces(space: TargetSpace, app: str | None) -> Iterable[str]:
    return space.cluster.namespaces()


# By the function that is a parameter's type.
OFFERS: dict[Callable[[str], Any], Ask] = {
    names.app: _apps,
    names.task: _tasks,
    names.task_or_every: _tasks,
    names.run: _runs,
    names.run_or_app: lambda space, app: [*_apps(space, app), *_runs(space, app)],
    names.task_id: _ids,
    names.job: _jobs,
    names.space: _spaces,
}


class Offered(_Typed):
    """A type of `names` whose values are completed."""

    def __init__(self, func: Callable[[str], Any]) -> None:
        super().__init__(func)
        self.asked = func

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that begin as what is typed."""
        target = ctx.find_object(Target) or Target()
        found = offered(target, self.asked, _app_of(ctx))
        return [CompletionItem(name) for name in found if name.startswith(incomplete)]


def equip(command: click.Command) -> click.Command:
    """The command, as another one, with names that are completed."""
    equipped = copy.copy(command)
    equipped.params = [*map(_equipped, command.params)]
    return equipped


def _equipped(param: click.Parameter) -> click.Parameter:
    func = names.task_id if param.name == "task_id" else getattr(param.type, "func", None)
    if func not in OFFERS:
        return param
    offering = copy.copy(param)
    offering.type = Offered(func)
    return offering


def offered(target: Target, func: Callable[[str], Any], app: str | None) -> list[str]:
    """Names of what `func` checks; those of the last time where the cluster takes too long, none where there are none.

    The answer is asked for by a child, which goes on and writes it down if it comes late.
    """
    file = _file(target, func, app)
    with contextlib.suppress(OSError, ValueError):
        if time.time() - file.stat().st_mtime < FRESH_SECONDS:
            return _read(file)
    with contextlib.suppress(OSError):
        mine, its = os.pipe()
        if os.fork() == 0:
            _child(lambda: OFFERS[func](target.open(), app), file, its)
        os.close(its)
        left = BEGUN + PATIENCE_SECONDS - time.monotonic()
        select.select([mine], [], [], max(left, LEAST_SECONDS))  # it is closed when the answer is written down
        os.close(mine)
    with contextlib.suppress(OSError, ValueError):
        return _read(file)
    return []


def _child(ask: Callable[[], Iterable[str]], file: Path, pipe: int) -> None:
    """Asks, writes down and ends this process, silently whatever happens: the shell must not wait for it."""
    try:
        gc.disable()  # a tenth of what it takes to import the client
        signal.alarm(LIFE_SECONDS)
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        found = sorted({name for name in ask() if name})
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(found))
        part.replace(file)
    finally:
        os._exit(0)


def _read(file: Path) -> list[str]:
    found = json.loads(file.read_text())
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _file(target: Target, func: Callable[[str], Any], app: str | None) -> Path:
    """Where an answer is kept: one for each question, Space and cluster."""
    where = [os.environ.get(name, "") for name in (SPACE, "KUBECONFIG")]
    question = json.dumps([func.__name__, app, target.space, target.kubeconfig, target.context, *where])
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return folder / "kf" / f"{hashlib.sha256(question.encode()).hexdigest()[:24]}.json"


def _app_of(ctx: click.Context) -> str | None:
    """The App that stands on the line already; where the line is not whole, click leaves its words as they are."""
    given = ctx.params.get("app") or ctx.params.get("name") or ctx.params.get("apps")
    if isinstance(given, tuple):
        given = next(iter(given), None)
    return given or next((word for word in ctx.args if not word.startswith("-")), None)
