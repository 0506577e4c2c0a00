"""What `kf` reads from a log archive: runs that the cluster no longer has, and all of them when it is gone itself."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Container, Iterable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import click

from ..core import api, marks
from ..core.api import Object
from ..core.log.masking import Masker
from ..core.log.reader import LogReader
from ..core.log.stored import Place, StoredLog
from ..core.run.outcome import SUCCEEDED
from ..core.run.summary import RunSummary
from ..core.template import TemplateSettings
from ..errors import Denied, NotFound, Trouble, Unreachable
from . import names
from .table import echo
from .target import ARCHIVE, Target, TargetSpace

if TYPE_CHECKING:
    from ..log.archive import Archive
    from ..runs.archiving import Archiving

T = TypeVar("T")
option = partial(
    click.option, "--archive", "url", type=names.given, metavar="URL",
    help="Only from this log archive, without the cluster.  [default: the cluster, and for what is gone from it the "
    f"App's own archive, or {ARCHIVE}]",
)  # fmt: skip


def url_of(space: TargetSpace, app: str | None) -> str | None:
    """The archive of an App (without one: of any in the Space) as its template names it, else the environment's."""
    selector = f"{api.equal(marks.NAME, app)},{marks.TEMPLATE}" if app else marks.TEMPLATE
    try:
        found = _url_in(space.cluster.config_maps(space.name, selector))
        if found:
            return found
    except (NotFound, Denied, Unreachable):
        pass
    return os.environ.get(ARCHIVE)


def _url_in(templates: Iterable[Object]) -> str | None:
    """The archive that the first of the templates names; what is no template of ours names none."""
    for template in templates:
        with contextlib.suppress(ValueError):
            found = TemplateSettings.of_template(template).log_archive
            if found:
                return found
    return None


def archiving_of(space: TargetSpace, app: str, tell: Callable[[str], None]) -> Archiving | None:
    """What stores the logs of an App's runs, None where its template names no archive."""
    from ..runs.archiving import Archiving

    selector = f"{api.equal(marks.NAME, app)},{marks.TEMPLATE}"
    return Archiving.of(space.cluster, space.name, _url_in(space.cluster.config_maps(space.name, selector)), tell)


def of_cluster_or_archive(
    target: Target,
    url: str | None,
    app: str | None,
    what: str,
    ask: Callable[[TargetSpace], T],
    read: Callable[[Archive, str], T | None],
) -> T:
    """What the cluster answers; for what it does not have, or when it does not answer, what an archive has of it.

    With a `url` only that archive is read. `read` is given an archive and a Space's name; `what` is asked for.
    """
    if url:
        found = read(_archive(url), target.name())
        if found is None:
            raise NotFound(f"{what} of space {target.name()!r} is not in the log archive {url}")
        return found
    space = None
    try:
        space = target.open()
        return ask(space)
    except (NotFound, Unreachable) as error:
        place = url_of(space, app) if space else os.environ.get(ARCHIVE)
        try:
            found = read(_archive(place), target.name()) if place else None
        except Trouble as other:
            raise type(error)(f"{error}; {other}") from None
        if found is None:
            raise
        if isinstance(error, Unreachable):
            echo(f"kf: {error}: this is what the log archive {place} has", err=True)
        return found


def _archive(url: str) -> Archive:
    from ..log.archive import Archive

    return Archive.of(url)


def find(archive: Archive, space: str, app: str | None, run: str | None, task_id: int | None) -> list[StoredLog] | None:
    """The records of one run, by its name or its App and id, or of all runs of an App, oldest first; None if none."""
    if run is not None:
        found = archive.find(space, run, app)
        return [found] if found else None
    every = archive.records(space, app, lambda text: echo(f"kf: {' '.join(text.split())}", err=True))
    if task_id is not None:
        return [record for record in every if record.id == task_id][-1:] or None
    return every or None


def beside(url: str, space: str, app: str, known: Container[str]) -> tuple[Archive, list[Place]]:
    """The archive of a URL, and the places in it of the runs of an App, oldest first, whose UIDs are not `known`."""
    archive = _archive(url)
    return archive, [place for place in archive.places(space, app) if place.uid not in known]


def order(run: RunSummary | StoredLog) -> tuple[str, int, str]:
    """By which runs and stored ones stand in one order, oldest first."""
    return run.age if isinstance(run, RunSummary) else (run.created, run.id, run.run)


def lines_of(archive: Archive, record: StoredLog, lines: int, show: Callable[[list[str]], None]) -> None:
    """Shows the last `lines` lines (0: all) of a stored log; they are masked as they are."""
    reader = LogReader(Masker())
    last: deque[str] = deque(maxlen=lines or None)

    def take(found: list[str]) -> None:
        last.extend(found) if lines else show(found)

    for chunk in archive.read(record):
        take(reader.feed(chunk))
    take(reader.finish())
    show(list(last))


def listed(record: StoredLog) -> RunSummary:
    """A record as a list shows a run."""
    return RunSummary(
        name=record.run,
        uid=record.uid,
        created=record.created,
        finished=True,
        labels={
            marks.NAME: record.app,
            marks.TASK: record.task,
            marks.TASK_ID: str(record.id),
            marks.STACK: record.stack,
        },
        annotations={
            marks.OUTCOME: record.outcome,
            marks.ARCHIVED: record.mark,
            **({marks.STARTED_BY: record.started_by} if record.started_by else {}),
        },
        succeeded="True" if record.state == SUCCEEDED else "False",
        reason=record.reason,
        started_at=record.started,
        finished_at=record.finished,
    )
