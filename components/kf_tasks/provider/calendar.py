"""The times of a schedule: what a preview says when they change, and where the cluster has others.

It comes after the CronJob of its schedule and writes down there from when on its times hold.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.output import contains_unknowns

from ..cluster.connection import Connection
from ..core import api, marks
from ..core.schedule import clock_changes, cron, since
from . import decision
from .preview import Preview, of_process
from .survey import Survey

_TIMES = ("schedule", "time_zone", "suspend")
_IDENTITY = ("app", "task", "cron_job", "generation", "namespace", "keep", "manifest", *_TIMES)


@dataclass(frozen=True)
class Calendars:
    """The room of the resource Calendar."""

    preview: Preview = field(default_factory=of_process)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Says what changes about the times, and asks for admission where the template changes."""
        place_unknown = contains_unknowns([news["connection"], news["namespace"]])
        known = None if place_unknown else Connection.of(news["connection"])
        seen = self.preview.survey(known, news["namespace"]) if known else Survey()
        refusal = decision.refuse(news, seen, bool(news.get("__preview")))
        if refusal:
            return CheckResult(news, [CheckFailure("", refusal)])
        if any(olds.get(name) != news[name] for name in _TIMES):
            for line in changed(olds, news, int(time.time())):
                self.preview.say(news["urn"], line)
        if known and seen.exists and not seen.unasked:
            if olds:
                self._say_drift(known, news)
            if not contains_unknowns(news["manifest"]) and news["manifest"] != olds.get("manifest"):
                refusal = decision.dry_run(self.preview, known, news)
        return CheckResult(news, [CheckFailure("", refusal)] if refusal else [])

    def diff(self, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Nothing is ever replaced: there is only something to remember."""
        same = all(not contains_unknowns(news[name]) and olds.get(name) == news[name] for name in _IDENTITY)
        return DiffResult(changes=not same or olds.get("__provider") != news.get("__provider"))

    def create(self, news: dict[str, Any]) -> CreateResult:
        """Remembers what was said."""
        self._date(news, kept=False)
        return CreateResult(f"{news['app']}-{news['task']}", {name: news[name] for name in _IDENTITY})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """It is what it was."""
        return ReadResult(id_, props)

    def update(self, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Remembers what was said; an update of the CronJob brings it here, too."""
        self._date(news, kept=all(olds.get(name) == news[name] for name in _TIMES))
        return UpdateResult({name: news[name] for name in _IDENTITY})

    def delete(self, props: dict[str, Any]) -> None:
        """Nothing: it was only words."""

    def _date(self, news: dict[str, Any], kept: bool) -> None:
        """Writes down at the CronJob since when it has its times, if it does not say so; `kept`: as before."""
        cluster = self.preview.cluster(Connection.of(news["connection"]))
        for found in cluster.cron_jobs(news["namespace"], api.equal(marks.SCHEDULE, news["task"])):
            annotations = since.marks(found, kept)
            if found["metadata"]["name"] == news["cron_job"] and annotations:
                cluster.change_cron_job(news["namespace"], news["cron_job"], {}, annotations)

    def _say_drift(self, connection: Connection, news: dict[str, Any]) -> None:
        """A schedule that `kf` has suspended or set: an update does not see it unless it refreshes."""
        spec = self.preview.cron_jobs(connection, news["namespace"]).get(news["cron_job"])
        if spec is None:
            return
        wanted = {"suspend": bool(news["suspend"] or not news["schedule"]), "schedule": news["schedule"] or cron.NEVER}
        drift = [name for name, value in wanted.items() if spec.get(name) != value]
        if drift:
            now = "suspended" if spec.get("suspend") else f"scheduled for {spec.get('schedule')!r}"
            self.preview.say(
                news["urn"],
                f"in the cluster it is {now}: pulumi up --refresh sets it back, a plain update does not see it",
            )


def changed(olds: dict[str, Any], news: dict[str, Any], now: int) -> list[str]:
    """The lines about new times."""
    lines = [f"next times: {_times(news, now)}"]
    if olds:
        lines.append(f"next times without this update: {_times(olds, now)}")
    if news["schedule"] and not news["suspend"]:
        parsed, place = _parsed(news)
        lines += clock_changes.warnings(parsed, place, now)
        keep = int(news["keep"])
        lines.append(
            f"retention: the App keeps {keep} task{'' if keep == 1 else 's'}; of this schedule alone that is the last "
            f"{clock_changes.reach(parsed, place, now, keep)}"
        )
    return lines


def _times(settings: dict[str, Any], now: int) -> str:
    if not settings["schedule"]:
        return "none, only kf run-job starts it"
    if settings["suspend"]:
        return "none while it is suspended"
    return clock_changes.upcoming(*_parsed(settings), now)


def _parsed(settings: dict[str, Any]) -> tuple[Any, Any]:
    what = f"job {settings['task']!r}"
    return cron.parse(settings["schedule"], what), cron.zone(settings["time_zone"], what)
