"""Which runs `kf logs` means: of which Apps, of which task, one of them, those that failed, since when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ..core import api, marks, moments, quantities
from ..core.errors import InvalidInput
from ..core.log.stored import StoredLog
from ..core.run.summary import RunSummary
from ..errors import ArchiveError, Denied, NotFound
from . import archives
from .log_form import warn
from .target import TargetSpace

if TYPE_CHECKING:
    from ..log.archive import Archive

PAST = 100  # logs of each App that only the archive has


def since(text: str) -> str:
    """A moment in RFC 3339 or a span of time such as `1h30m`, as the type of a parameter."""
    try:
        moments.parse(text)
    except ValueError:
        try:
            quantities.age(text, "--since")
        except InvalidInput:
            raise click.UsageError(
                f"--since {text!r} is no time: give a span such as 90s or 1d12h, or a moment such as {moments.now()}"
            ) from None
    return text


@dataclass(frozen=True)
class Choice:
    """The runs of `apps`: one by its `name` or `task_id`, or those of one `task`, only `failed` ones, `since` when."""

    apps: tuple[str, ...] = ()
    name: str | None = None
    task_id: int | None = None
    task: str | None = None
    failed: bool = False
    since: str | None = None

    @property
    def single(self) -> bool:
        """Whether one run is meant."""
        return self.name is not None or self.task_id is not None

    @property
    def app(self) -> str | None:
        """The App, where one is named."""
        return self.apps[0] if len(self.apps) == 1 else None

    def __str__(self) -> str:
        if self.name is not None:
            return f"run {self.name!r}"
        task = f"task {self.task!r} of " if self.task else ""
        apps = f"app{'s' if len(self.apps) > 1 else ''} {', '.join(map(repr, self.apps))}"
        return f"{task}{apps}{f' with ID {self.task_id}' if self.task_id is not None else ''}"

    def moment(self, now: str | None) -> str | None:
        """Since when, in RFC 3339; `now` is the cluster's time."""
        if self.since is None:
            return None
        try:
            return moments.text_of(moments.parse(self.since))
        except ValueError:
            return moments.before(now or moments.now(), quantities.age(self.since, "--since"))

    def runs(self, space: TargetSpace) -> list[RunSummary]:
        """Those that the cluster has, oldest first; raises NotFound for an App, a task or a run that is not there."""
        if self.single:
            return [self._one(space)]
        found = self.listed(space)
        for app in self.apps:
            if not any(run.labels.get(marks.NAME) == app for run in found):
                self._check(space, app)
        since = self.moment(space.cluster.now)
        return [run for run in found if not (self.failed and not run.failed) and not _is_before(run, since)]

    def told(self, space: TargetSpace) -> list[RunSummary]:
        """Those of these Apps, and of the task if one is meant, as a watch tells of them: what is followed."""
        found = [run for app in self.apps for run in space.told_runs(app)]
        return sorted((run for run in found if self.task in (None, run.labels.get(marks.TASK))), key=archives.order)

    def listed(self, space: TargetSpace) -> list[RunSummary]:
        """The same, as they are listed now."""
        selector = api.equal(marks.TASK, self.task) if self.task else ""
        # A list of whole objects alone has the times.
        found = [run for app in self.apps for run in space.runs(app, selector, with_times=self.since is not None)]
        return sorted(found, key=archives.order)

    def stored(self, records: Iterable[StoredLog]) -> list[StoredLog]:
        """Those among stored ones."""
        since = self.moment(None)
        chosen = [record for record in records if self.task in (None, record.task)]
        runs = [(record, archives.listed(record)) for record in chosen]
        return [record for record, run in runs if not (self.failed and not run.failed) and not _is_before(run, since)]

    def past(self, space: TargetSpace, runs: list[RunSummary]) -> Iterator[tuple[Archive, StoredLog]]:
        """What only the archive of an App has of its newest runs; trouble with it is told and keeps nothing back."""
        known = {run.uid for run in runs}
        for app in () if self.single else self.apps:
            try:
                url = archives.url_of(space, app)
                if url:
                    archive, places = archives.beside(url, space.name, app, known)
                    if len(places) > PAST:
                        warn(
                            f"app {app!r}: {len(places) - PAST} older ones are in the archive: --archive {url} has all"
                        )
                    yield from ((archive, it) for it in self.stored(archive.records_of(places[-PAST:], warn)))
            except ArchiveError as error:
                warn(f"only what the cluster has: {error}")

    def _one(self, space: TargetSpace) -> RunSummary:
        if self.name is None:
            assert self.task_id is not None
            run = space.run_of(self.apps[0], self.task_id)
        else:
            run = RunSummary.of_object(space.whole_run(self.name))
        owner, task = run.labels.get(marks.NAME, ""), run.labels.get(marks.TASK, "")
        if self.apps and owner not in self.apps:
            raise NotFound(
                f"run {run.name!r} belongs to app {owner!r}, not to {self.apps[0]!r}: give {owner!r}, or no app"
            )
        if self.task not in (None, task):
            raise NotFound(f"run {run.name!r} is one of task {task!r}, not of {self.task!r}: leave out --task")
        return run

    def _check(self, space: TargetSpace, app: str) -> None:
        space.check_app(app)
        if self.task and not space.cluster.get(space.name, "configmaps", f"kf-{app}.{self.task}"):
            try:
                known = {run.labels.get(marks.TASK, "") for run in space.runs(app)}
            except Denied:
                known = set()
            there = f"its runs are of {', '.join(sorted(known))}" if known else "it has no runs"
            raise NotFound(f"task {self.task!r} of app {app!r} not found in space {space.name!r}: {there}; "
                           "name one with --task")  # fmt: skip


def _is_before(run: RunSummary, since: str | None) -> bool:
    return bool(since and run.finished_at and run.finished_at < since)
