"""Prints what is there of a run's log: every line marked with its task, without secrets and control sequences."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import click

from ..core import marks
from ..core.api import Object
from ..core.log.gate import one_line
from ..core.log.masking import Masker
from ..core.log.reader import LogReader
from ..core.log.stored import StoredLog, place_of
from ..core.run import outcome
from ..core.run.summary import RunSummary
from ..errors import ArchiveError, ClusterError, NotFound, Unreachable
from .archives import lines_of, listed, url_of
from .status_line import aside
from .table import echo
from .target import TargetSpace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..log.archive import Archive


class LogPrinter:
    """Prints the logs of runs of one Space; with `unmasked` also those of which nobody knows what is secret in them."""

    def __init__(self, space: TargetSpace, *, unmasked: bool = False) -> None:
        self.space, self.unmasked = space, unmasked
        self._maskers: dict[frozenset[str], Masker] = {}
        self._get = functools.cache(space.cluster.get)
        self._warn = functools.cache(warn)

    def dump(self, run: RunSummary, lines: int) -> None:
        """Prints the last `lines` lines (0: all) of a run, or says why there are none."""
        try:
            whole = self.space.whole_run(run.name)
        except NotFound:
            self.note(run, "was deleted just now")
            return
        pods = self.space.cluster.pods(self.space.name, run.name)
        if not pods and self._elsewhere(run, whole, lines):
            return
        if not pods:
            self.note(run, f"its pod is gone, and its log with it ({run.reason})" if run.finished else "has no pod yet")
        for pod in pods:
            if outcome.started(pod):
                self._dump_pod(run, pod["metadata"]["name"], self.reader(whole, pods), lines)
            else:
                self.note(run, f"has not started: {outcome.waiting(pod) or run.reason}")

    def reader(self, whole_run: Object, pods: Sequence[Object] = (), *, anew: bool = False) -> LogReader:
        """A reader that hides the values of the Secrets that a run had; every line, where they are not known.

        Each Secret is read once, unless `anew` says that it may have been changed since then.
        """
        from ..runs.secrets import secret_values

        unknown = list[str]()
        get = self.space.cluster.get if anew else self._get
        values = secret_values(get, self.space.name, whole_run, self._warn, unknown.append, pods=pods)
        key = frozenset(values)
        if key not in self._maskers:
            self._maskers[key] = Masker(values)
        for text in unknown:
            advice = "so its lines are hidden; kf logs --unmasked shows them as they are"
            self._warn(f"run {whole_run['metadata']['name']}: {text}{'' if self.unmasked else f': {advice}'}")
        if not unknown or self.unmasked:
            return LogReader(self._maskers[key])
        blind = Masker()
        blind.hide_all()
        return LogReader(blind)

    def show(self, run: RunSummary, lines: list[str]) -> None:
        """Prints lines of a run at once."""
        show(run, lines)

    def note(self, run: RunSummary, text: str) -> None:
        """Says something about a run that is not part of its log."""
        warn(f"{mark(run)} (run {run.name}): {text}")

    def _elsewhere(self, run: RunSummary, whole: Object, lines: int) -> bool:
        """Prints the log of a run whose pod is gone: from the archive, or as the schedule that replaced it kept it."""
        from ..log.archive import Archive
        from ..runs.archiving import copied

        url = url_of(self.space, run.labels.get(marks.NAME))
        try:
            record = Archive.of(url).record(place_of(whole)) if url else None
            if record and not record.missing:
                stored(Archive.of(url or ""), record, lines)
                return True
        except ArchiveError as error:
            self.note(run, str(error))
        chunks = list(copied(self.space.cluster, self.space.name, whole))
        if not chunks:
            return False
        reader = self.reader(whole)
        kept = [line for chunk in chunks for line in reader.feed(chunk)] + reader.finish()
        self.show(run, kept[-lines:])
        return bool(kept)

    def _dump_pod(self, run: RunSummary, pod: str, reader: LogReader, lines: int) -> None:
        from ..log.pump import ended_log

        cluster, namespace = self.space.cluster, self.space.name
        if run.finished and not lines:
            chunks = ended_log(cluster, namespace, pod)
        else:
            chunks = cluster.log(namespace, pod, tail=lines or None)
        try:
            for chunk in chunks:
                self.show(run, reader.feed(chunk))
            self.show(run, reader.finish())
        except Unreachable:
            raise
        except ClusterError as error:
            self.show(run, reader.finish())
            self.note(run, f"its log cannot be read: {error}")


def stored(archive: Archive, record: StoredLog, lines: int) -> None:
    """Prints the last `lines` lines (0: all) of a stored log, or says why there is none."""
    run = listed(record)
    if record.missing:
        warn(f"{mark(run)} (run {run.name}): has no log: {record.missing}")
        return
    lines_of(archive, record, lines, lambda found: show(run, found))
    if not record.whole:
        warn(f"{mark(run)} (run {run.name}): this is what there was of its log when it was stored")


def show(run: RunSummary, lines: list[str]) -> None:
    """Prints lines of a run at once."""
    if lines:
        start = mark(run)
        with aside():
            click.echo("".join(f"{start} {line}\n" for line in lines), nl=False)


def mark(run: RunSummary) -> str:
    """What stands before every line of a run: `<task>/<id>`."""
    return one_line(f"{run.labels.get(marks.TASK, run.name)}/{run.task_id}")


def warn(text: str) -> None:
    """One line on stderr."""
    with aside():
        echo(f"kf: {' '.join(text.split())}", err=True)
