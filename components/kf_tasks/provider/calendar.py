"""The times of a schedule: what a preview says when they change, and where the cluster has others.

It comes after the CronJob of its schedule and writes down there from when on its times hold.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.output import contains_unknowns

from ..cluster.connection import Connection
from ..core import api, marks, moments
from ..core.approval import ANEW
from ..core.changes import of_schedule
from ..core.errors import InvalidInput
from ..core.schedule import clock_changes, cron, since
from ..core.state import CalendarInputs, Which
from ..runs.schedules import sweep_code
from . import approving, decision, foretelling, references
from .hosting import Failure
from .preview import Preview, of_process
from .survey import Survey


@dataclass(frozen=True)
class Calendars:
    """The room of the resource Calendar."""

    preview: Preview = field(default_factory=of_process)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Says what changes about the times, and asks for admission where the template changes."""
        before, inputs = CalendarInputs.of(olds) if olds else None, CalendarInputs.of(news)
        connection, seen = self.preview.look(inputs.connection, inputs.which.namespace)
        refusal = decision.refuse(self.preview, inputs.which, before.which if before else None, seen, inputs.preview)
        refusal = refusal or self._approved(before, inputs, seen, connection)
        if refusal:
            return CheckResult(news, [CheckFailure("", refusal)])
        if not before or _times(before) != _times(inputs):
            for line in changed(before, inputs, int(time.time())):
                self.preview.say(inputs.urn, line)
        if before and not contains_unknowns([before.manifest, inputs.manifest]) and _declares_another(before, inputs):
            decision.say_changes(self.preview, of_schedule(before), of_schedule(inputs), decision.NOTHING)
        if connection and seen.exists and not seen.unasked:
            if before:
                self._say_drift(connection, before, inputs)
                if inputs.preview:
                    self._say_missed(connection, before)
            if not contains_unknowns(inputs.manifest) and (not before or inputs.manifest != before.manifest):
                refusal = decision.dry_run(self.preview, connection, inputs)
            if inputs.preview and not contains_unknowns(inputs.manifest):
                another = not before or before.manifest != inputs.manifest
                references.say(self.preview, connection, inputs, changed=another)
        told = {}
        if inputs.preview:
            runs = decision.own_runs(self.preview, inputs.which, seen) if connection and not seen.unasked else None
            told = foretelling.of_calendar(inputs, seen.now or moments.now(), runs)
            if not contains_unknowns(inputs.digests):
                told |= foretelling.of_secrets(before.digests if before else None, inputs.digests, self.preview.salt)
        return CheckResult({**news, **told}, [CheckFailure("", refusal)] if refusal else [])

    def diff(self, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Nothing is ever replaced: there is only something to remember."""
        kept = CalendarInputs.of(news).kept()
        same = all(not contains_unknowns(value) and olds.get(name) == value for name, value in kept.items())
        return DiffResult(changes=not same or olds.get("__provider") != news.get("__provider"))

    def create(self, news: dict[str, Any]) -> CreateResult:
        """Remembers what was said."""
        inputs = CalendarInputs.of(news)
        self._date(inputs, kept=False)
        return CreateResult(f"{inputs.which.app}-{inputs.which.task}", inputs.kept())

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """It is what it was."""
        return ReadResult(id_, props)

    def update(self, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Remembers what was said; an update of the CronJob brings it here, too."""
        inputs = CalendarInputs.of(news)
        times = {"schedule": inputs.schedule, "time_zone": inputs.time_zone, "suspend": inputs.suspend}
        self._date(inputs, kept=all(olds.get(name) == value for name, value in times.items()))
        sweep_code(self.preview.cluster(Connection.of(inputs.connection)), inputs.which.namespace)
        return UpdateResult(inputs.kept())

    def delete(self, props: dict[str, Any]) -> None:
        """Nothing but that an approval may forbid it: the CronJob, which goes after it, stays then."""
        approval = approving.known(self.preview)
        which = Which("", props["namespace"], props["app"], props["task"])
        if approval and not approval.unschedules(which) and not approval.removes(*which.place):
            raise Failure(
                f"job {which.task!r} of app {which.app!r} would be removed, which is not approved. To have that, {ANEW}"
            )

    def _approved(
        self, before: CalendarInputs | None, inputs: CalendarInputs, seen: Survey, connection: Connection | None
    ) -> str:
        """Why an approval that the update is held to does not let this schedule be; empty if it does, or without."""
        try:
            approval = approving.held_to(self.preview, inputs, inputs.which.stack, seen, connection)
        except InvalidInput as error:
            return str(error)
        if approval is None or (before and _times(before) == _times(inputs)):
            return ""
        return approval.schedule(inputs.which, *_times(inputs))

    def _date(self, inputs: CalendarInputs, kept: bool) -> None:
        """Writes down at the CronJob since when it has its times, if it does not say so; `kept`: as before."""
        cluster, namespace = self.preview.cluster(Connection.of(inputs.connection)), inputs.which.namespace
        for found in cluster.cron_jobs(namespace, api.equal(marks.SCHEDULE, inputs.which.task)):
            annotations = since.marks(found, kept)
            if found["metadata"]["name"] == inputs.cron_job and annotations:
                cluster.change_cron_job(namespace, inputs.cron_job, {}, annotations)

    def _say_missed(self, connection: Connection, before: CalendarInputs) -> None:
        """That a schedule does not do what it is there for, which no object tells that an update reads."""
        found = self.preview.missed(connection, before.which.namespace).get(before.cron_job)
        if found:
            self.preview.say(before.urn, found.sentence, warning=True)

    def _say_drift(self, connection: Connection, before: CalendarInputs, inputs: CalendarInputs) -> None:
        """A schedule that `kf` has suspended or set: an update does not see it unless it refreshes.

        What the last update has made is none, nor what this one makes: it may be there already.
        """
        found = self.preview.cron_jobs(connection, before.which.namespace).get(before.cron_job)
        if found is None:
            return
        spec = found["spec"]
        if any(spec.get(name) not in values for name, values in _made(before, inputs).items()):
            now = "suspended" if spec.get("suspend") else f"scheduled for {spec.get('schedule')!r}"
            text = f"in the cluster it is {now}: pulumi up --refresh sets it back, a plain update does not see it"
            self.preview.say(before.urn, text)


def changed(before: CalendarInputs | None, inputs: CalendarInputs, now: int) -> list[str]:
    """The lines about new times."""
    lines = [f"next times: {_next(inputs, now)}"]
    if before:
        lines.append(f"next times without this update: {_next(before, now)}")
    if inputs.schedule and not inputs.suspend:
        parsed, place = _parsed(inputs)
        lines += clock_changes.warnings(parsed, place, now)
        keep = inputs.keep
        lines.append(
            f"retention: the App keeps {keep} task{'' if keep == 1 else 's'}; of this schedule alone that is the last "
            f"{clock_changes.reach(parsed, place, now, keep)}"
        )
    return lines


def _declares_another(before: CalendarInputs, inputs: CalendarInputs) -> bool:
    """Whether the task itself may be declared in another way; its layers move with its manifest."""
    return bool(before.manifest != inputs.manifest or before.digests != inputs.digests)


def _made(*made: CalendarInputs) -> dict[str, set[Any]]:
    return {
        "suspend": {one.suspend or not one.schedule for one in made},
        "schedule": {one.schedule or cron.NEVER for one in made},
    }


def _times(inputs: CalendarInputs) -> tuple[str, str, bool]:
    return inputs.schedule, inputs.time_zone, inputs.suspend


def _next(inputs: CalendarInputs, now: int) -> str:
    if not inputs.schedule:
        return "none, only kf run-job starts it"
    if inputs.suspend:
        return "none while it is suspended"
    return clock_changes.upcoming(*_parsed(inputs), now)


def _parsed(inputs: CalendarInputs) -> tuple[cron.Schedule, ZoneInfo]:
    what = f"job {inputs.which.task!r}"
    return cron.parse(inputs.schedule, what), cron.zone(inputs.time_zone, what)
