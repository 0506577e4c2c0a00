"""Ends runs whose logs go into an archive: the pod of a cancelled run goes, and with it what nobody has read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..core.log.shown import NONE
from ..core.run import outcome
from ..core.run.summary import RunSummary
from ..core.say import nobody
from ..errors import Denied, NotFound
from .archiving import PARALLEL, Archiving
from .attending import attend
from .display import Bounded
from .secrets import secret_values


def settle(archiving: Archiving, runs: Sequence[RunSummary], by: str) -> None:
    """Ends what is under way, so that every run can go; raises ArchiveError before anything is ended."""
    if runs:
        archiving.check()
    end(archiving, [run.name for run in runs if not run.finished], by)


def end(archiving: Archiving, names: Iterable[str], by: str) -> list[str]:
    """Cancels runs, reads their logs while they end, and stores them; returns the names of those it has ended.

    Raises ArchiveError before anything is ended, and whatever kept the log of one from being stored.
    """
    waiting = list(names)
    if not waiting:
        return []
    archiving.check()
    with ThreadPoolExecutor(PARALLEL) as pool:
        return [name for name in pool.map(lambda name: _end(archiving, name, by), waiting) if name]


def _end(archiving: Archiving, name: str, by: str) -> str:
    cluster, namespace = archiving.cluster, archiving.namespace
    try:
        run = cluster.get_run(namespace, name)
        if not outcome.has_ended(run):
            secret_values(cluster.get, namespace, run, nobody, _refuse, nobody)  # asked before it is too late
        seen = attend(cluster, run, Bounded(name, NONE, nobody, nobody), archiving=archiving, end_by=by)
    except NotFound:
        return ""
    if seen.unkept:
        raise seen.unkept
    return name


def _refuse(text: str) -> None:
    """A run whose secrets are not known is not ended: its log could not be stored."""
    raise Denied(text)
