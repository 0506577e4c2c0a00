"""Kf's commands about jobs, the tasks that a TaskSchedule declares: what there is, what ran, and when it runs.

What they change they change in the cluster alone; the program stays what it is, and they say what that means.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import click

from ...core import api, marks, moments
from ...core.api import Object
from ...core.errors import InvalidInput
from ...core.schedule import clock_changes, since
from ...core.schedule import cron as schedule
from ...core.schedule.missed import Missed
from ...errors import NotFound
from ...runs.schedules import missed_times
from .. import names, output
from ..log_form import warn
from ..run_list import printed
from ..table import echo, show, span
from ..target import Target, TargetSpace, target_options
from ..views import View

COLUMNS = ("Name", "App", "Schedule", "TimeZone", "Suspend", "LastSchedule", "Next", "ConcurrencyPolicy", "Age")
NOT_SEEN = "A plain `pulumi up` does not see this; `pulumi up --refresh` sets it back to what the program says."
WIDE = ("CronJob", "Missed", "MissedSince", "MissedBecause")


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What the CronJob of a TaskSchedule tells of it; without a `schedule` it is only run by hand."""

    name: str
    app: str
    cron_job: str
    schedule: str
    time_zone: str
    suspended: bool
    policy: str
    created: str
    last: str | None


@dataclass(frozen=True, kw_only=True)
class Job(_Told):
    """A TaskSchedule with its CronJob."""

    found: Object

    @classmethod
    def of(cls, found: Object) -> Job:
        """The job of a CronJob of ours."""
        metadata, spec = found["metadata"], found["spec"]
        text = spec["schedule"]
        return cls(
            name=metadata["labels"][marks.SCHEDULE],
            app=metadata["labels"].get(marks.NAME, ""),
            cron_job=metadata["name"],
            schedule="" if text == schedule.NEVER else text,
            time_zone=spec.get("timeZone", ""),
            suspended=bool(spec.get("suspend")),
            policy=(metadata.get("annotations") or {}).get(marks.POLICY, spec.get("concurrencyPolicy", "")),
            created=metadata["creationTimestamp"],
            last=(found.get("status") or {}).get("lastScheduleTime"),
            found=found,
        )

    def upcoming(self, count: int = 1) -> str:
        """The next times, empty if there are none."""
        if self.suspended or not self.schedule:
            return ""
        what = f"job {self.name!r}"
        parsed, place = schedule.parse(self.schedule, what), schedule.zone(self.time_zone, what)
        return clock_changes.upcoming(parsed, place, int(time.time()), count)


@dataclass(frozen=True, kw_only=True)
class JobView(_Told, View):
    """A job: `kf jobs`, `kf job-schedules`.

    `schedule` is empty for one that is only run by hand; `last` is when its schedule started it last. `missed` counts
    the times that it has missed since `missed_since`, `missed_because` says why.
    """

    missed: int
    missed_since: str | None
    missed_because: str | None

    @classmethod
    def names(cls) -> list[str]:
        """As Python has them: programs have read these since before the others were named."""
        return [one.name for one in fields(cls)]

    @classmethod
    def of(cls, job: Job, missed: Missed | None) -> JobView:
        """That of a job with the times that it has missed."""
        own = {one.name: getattr(job, one.name) for one in fields(_Told)}
        count, since_when, why = (missed.count, missed.since, missed.why) if missed else (0, None, None)
        return cls(**own, missed=count, missed_since=since_when, missed_because=why)


@click.command()
@output.option()
@target_options
@click.pass_obj
def jobs(target: Target, form: str | None) -> None:
    """Lists the jobs of the Space."""
    _list(target.open(), form, lambda job: True)


@click.command("job-schedules")
@output.option()
@target_options
@click.pass_obj
def job_schedules(target: Target, form: str | None) -> None:
    """Lists the jobs that a schedule starts."""
    _list(target.open(), form, lambda job: not job.suspended)


@click.command("job-history")
@click.argument("job", type=names.job, metavar="[APP/]JOB")
@output.option()
@target_options
@click.pass_obj
def job_history(target: Target, job: str, form: str | None) -> None:
    """Lists the tasks that JOB has run, by its schedule and by hand."""
    space = target.open()
    found = find(space, job)
    runs = space.runs(found.app, api.equal(marks.SCHEDULE, found.name), with_times=True)
    if not printed(runs, form, space, {}, space.cluster.now):
        echo(f"Job {found.name!r} of app {found.app!r} has not run yet, or its runs are not kept any more.")
    _warn([found], _missed(space, [found]))


def _schedule(target: Target, job: str, cron: str) -> None:
    parsed = schedule.parse(cron, f"job {job!r}")
    space = target.open()
    found = find(space, job)
    if found.schedule and not found.suspended:
        echo(f"kf: job {found.name!r} is already scheduled ({found.schedule}): it is replaced", err=True)
    _change(space, found, {"schedule": cron, "suspend": False})
    place = schedule.zone(found.time_zone, f"job {found.name!r}")
    echo(f"Job {found.name!r} is scheduled, next: {clock_changes.upcoming(parsed, place, int(time.time()))}.")
    echo(NOT_SEEN)


@click.command("schedule-job")
@click.argument("job", type=names.job, metavar="[APP/]JOB")
@click.argument("cron", metavar="SCHEDULE")
@target_options
@click.pass_obj
def schedule_job(target: Target, job: str, cron: str) -> None:
    """Lets SCHEDULE start JOB, such as '0 3 * * *' in the job's time zone."""
    _schedule(target, job, cron)


@click.command("schedule-task", hidden=True)
@click.argument("job", type=names.job, metavar="[APP/]JOB")
@click.argument("cron", metavar="SCHEDULE")
@target_options
@click.pass_obj
def schedule_task(target: Target, job: str, cron: str) -> None:
    """As schedule-job, by the name that Kf's documentation has for it too."""
    _schedule(target, job, cron)


@click.command("delete-job-schedule")
@click.argument("job", type=names.job, metavar="[APP/]JOB")
@target_options
@click.pass_obj
def delete_job_schedule(target: Target, job: str) -> None:
    """Suspends JOB: what runs goes on, nothing new starts."""
    space = target.open()
    found = find(space, job)
    if found.suspended:
        raise InvalidInput(
            f"Job is already suspended. (job {found.name!r} of app {found.app!r}): kf schedule-job resumes it"
        )
    _change(space, found, {"suspend": True})
    echo(f"Job {found.name!r} of app {found.app!r} is suspended.")
    echo(NOT_SEEN)


@click.command("delete-job")
@click.argument("job", type=names.job, metavar="[APP/]JOB")
@target_options
def delete_job(job: str) -> None:
    """Refused: a job is declared in the program."""
    raise InvalidInput(
        f"job {job!r} is declared in a Pulumi program, which would make it again: remove its TaskSchedule there (or "
        f"its entry under jobs: in the manifest) and run pulumi up; kf delete-job-schedule {job} suspends it until then"
    )


def _change(space: TargetSpace, job: Job, changes: dict[str, Any]) -> None:
    """Changes the times of a job and writes down when that was, so that no time before it is made up for."""
    now = space.cluster.now or moments.now()
    space.cluster.change_cron_job(space.name, job.cron_job, changes, since.changing(job.found, changes, now))


def find(space: TargetSpace, name: str) -> Job:
    """The job that is meant by `JOB` or `APP/JOB`; raises NotFound, or InvalidInput if two Apps have one."""
    app, _, own = name.rpartition("/")
    known = _all(space)
    found = [job for job in known if job.name == own and app in ("", job.app)]
    if len(found) > 1:
        raise InvalidInput(
            f"job {name!r} is declared by {len(found)} apps: choose one of "
            + ", ".join(f"{job.app}/{job.name}" for job in found)
        )
    if not found:
        space.check_space()
        known_names = ", ".join(f"{job.app}/{job.name}" for job in known)
        there = f"its jobs are {known_names}" if known_names else "it has no jobs"
        raise NotFound(f"job {name!r} not found in space {space.name!r}: {there}; kf jobs{space.flags} lists them")
    return found[0]


def _all(space: TargetSpace) -> list[Job]:
    return sorted(map(Job.of, space.cluster.cron_jobs(space.name, marks.SCHEDULE)), key=lambda job: (job.app, job.name))


def _list(space: TargetSpace, form: str | None, wanted: Callable[[Job], bool]) -> None:
    found = [job for job in _all(space) if wanted(job)]
    if not found:
        space.check_space()
    missed = _missed(space, found) if form != output.NAME else {}
    views = [JobView.of(job, missed.get(job.cron_job)) for job in found]
    if output.printed(form, views, [f"{job.app}/{job.name}" for job in found]):
        return
    if not found:
        echo(f"No jobs in space {space.name!r}.")
        return
    more = [WIDE, *map(_more, views)] if form == output.WIDE else [()] * (len(found) + 1)
    show([(*row, *rest) for row, rest in zip([COLUMNS, *map(_row, found)], more)])
    _warn(found, missed)


def _more(view: JobView) -> tuple[str, ...]:
    return view.cron_job, str(view.missed or ""), view.missed_since or "", view.missed_because or ""


def _missed(space: TargetSpace, jobs: list[Job]) -> dict[str, Missed]:
    now = space.cluster.now or moments.now()
    return missed_times(space.cluster, space.name, [job.found for job in jobs], now)


def _warn(jobs: list[Job], missed: dict[str, Missed]) -> None:
    """A line about each job that does not do what it is there for."""
    for job in jobs:
        if job.cron_job in missed:
            warn(f"job {job.name!r} of app {job.app!r} {missed[job.cron_job].sentence}")


def _row(job: Job) -> tuple[str, ...]:
    now = datetime.fromtimestamp(time.time()).astimezone().isoformat()
    return (
        job.name, job.app, job.schedule, job.time_zone if job.schedule else "", str(job.suspended),
        span(job.last, now), job.upcoming(), job.policy, span(job.created, now),
    )  # fmt: skip
