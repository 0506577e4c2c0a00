"""What a reviewer reads about a schedule in the preview: its next times, clock changes, how far history reaches.

Only a dynamic resource can say something that depends on what was there before. It also asks whether the
cluster would admit the schedule's runs. It starts nothing: the CronJob beside it does.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import contains_unknowns

from .core import marks
from .core.schedule import clock_changes, cron
from .provider import hosting
from .provider.reporting import say

_TIMES = ("schedule", "time_zone", "suspend")
_IDENTITY = ("app", "task", "cron_job", "namespace", "keep", "manifest", *_TIMES)


def check(olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
    """Says what changes about the times, and asks for admission where the template changes."""
    from .cluster.connection import Connection
    from .provider import decision
    from .provider import survey as surveys

    place_unknown = contains_unknowns([news["connection"], news["namespace"]])
    known = None if place_unknown else Connection.of(news["connection"])
    seen = surveys.survey(known, news["namespace"]) if known else surveys.Survey()
    refusal = decision.refuse(news, seen, bool(news.get("__preview")))
    if refusal:
        return CheckResult(news, [CheckFailure("", refusal)])
    if any(olds.get(name) != news[name] for name in _TIMES):
        for line in changed(olds, news, int(time.time())):
            say(news["urn"], line)
    if known and seen.exists and not seen.unasked:
        if olds:
            _say_drift(known, news)
        if not contains_unknowns(news["manifest"]) and news["manifest"] != olds.get("manifest"):
            refusal = decision.dry_run(known, news)
    return CheckResult(news, [CheckFailure("", refusal)] if refusal else [])


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


def diff(olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
    """Nothing is ever replaced: there is only something to remember."""
    same = all(not contains_unknowns(news[name]) and olds.get(name) == news[name] for name in _IDENTITY)
    return DiffResult(changes=not same or olds.get("__provider") != news.get("__provider"))


def _times(settings: dict[str, Any], now: int) -> str:
    if not settings["schedule"]:
        return "none, only kf run-job starts it"
    if settings["suspend"]:
        return "none while it is suspended"
    return clock_changes.upcoming(*_parsed(settings), now)


def _parsed(settings: dict[str, Any]) -> tuple[Any, Any]:
    what = f"job {settings['task']!r}"
    return cron.parse(settings["schedule"], what), cron.zone(settings["time_zone"], what)


def _say_drift(connection: Any, news: dict[str, Any]) -> None:
    """A schedule that `kf` has suspended or set: an update does not see it unless it refreshes."""
    spec = _live(connection, news["namespace"]).get(news["cron_job"])
    if spec is None:
        return
    wanted = {"suspend": bool(news["suspend"] or not news["schedule"]), "schedule": news["schedule"] or cron.NEVER}
    drift = [name for name, value in wanted.items() if spec.get(name) != value]
    if drift:
        now = "suspended" if spec.get("suspend") else f"scheduled for {spec.get('schedule')!r}"
        say(
            news["urn"], f"in the cluster it is {now}: pulumi up --refresh sets it back, a plain update does not see it"
        )


@functools.cache
def _live(connection: Any, namespace: str) -> dict[str, Any]:
    from .cluster.client import Cluster
    from .errors import ClusterError

    try:
        found = Cluster.of(connection).cron_jobs(namespace, marks.SCHEDULE)
    except ClusterError:
        return {}
    return {item["metadata"]["name"]: item["spec"] for item in found}


class CalendarProvider(ResourceProvider):
    """Adapter between the dynamic provider host and the functions above; class path and instances are frozen."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        hosting.prepare()

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return hosting.plainly(lambda: check(olds or {}, news))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff(olds, news)

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(f"{props['app']}-{props['task']}", {name: props[name] for name in _IDENTITY})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        return ReadResult(id_, props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult({name: news[name] for name in _IDENTITY})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Nothing: it was only words."""


class Calendar(Resource, module="kf", name="Calendar"):
    """The times of a schedule, said when they change; made by TaskSchedule."""

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(CalendarProvider(), name, props, opts)
