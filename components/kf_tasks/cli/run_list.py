"""Lists of runs, in every form that `-o` has: for `kf tasks` and for the history of a job."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core import marks, moments
from ..core.api import Object
from ..core.log.reader import harmless
from ..core.log.stored import StoredLog
from ..core.retention import plan
from ..core.run import forgotten, outcome, queue
from ..core.run.summary import RunSummary
from ..errors import ArchiveError, Denied, NotFound
from . import archives, output
from .log_form import warn
from .sight import Asked, Sight
from .table import show, span
from .target import ARCHIVE, TargetSpace
from .views import ListedView

LONGEST_REASON, LONGEST_COMMAND = 80, 60
LOOKED_AT = 10  # runs without a pod, each of which costs two requests
COLUMNS = ("Name", "ID", "DisplayName", "Age", "Duration", "Succeeded", "Reason")
MORE = ("State", "ExitCode", "Attempt", "Stack", "StartedBy", "Log", "Command")
_FAILED = "failed"  # all that ended without success, as in Cloud Foundry
STATES = (_FAILED, "succeeded", "running", "pending", "cancelled", "timedout")
SORTS: Mapping[str, Callable[[RunSummary], Any]] = {
    "age": lambda run: "",  # as they are
    "duration": lambda run: ListedView.of(run).duration or 0.0,
    "id": lambda run: run.task_id,
    "name": lambda run: run.name,
    "app": lambda run: run.labels.get(marks.NAME, ""),
    "task": lambda run: run.labels.get(marks.TASK, ""),
    "state": lambda run: run.state,
    "finished": lambda run: run.finished_at or "~",
}


def chosen(runs: Sequence[RunSummary], states: Sequence[str], by: str) -> list[RunSummary]:
    """Those in one of the states (all without any), in the order of SORTS."""
    found = [run for run in runs if not states or run.state.lower() in states or (_FAILED in states and run.failed)]
    return sorted(found, key=SORTS[by])


def past(space: TargetSpace, app: str | None, runs: list[RunSummary]) -> list[StoredLog]:
    """What only the archive has; without one, or where it does not answer, a line says so."""
    from ..log.archive import Archive

    url = archives.url_of(space, app)
    if not url:
        warn(f"no log archive is known: give --archive URL, set {ARCHIVE}, or Space(log_archive=…) in Pulumi")
        return []
    known = {run.uid for run in runs}
    try:
        return [record for record in Archive.of(url).records(space.name, app, warn) if record.uid not in known]
    except ArchiveError as error:
        warn(f"only what the cluster has: {error}")
        return []


def printed(
    runs: Sequence[RunSummary],
    form: str | None,
    space: TargetSpace | None,
    codes: Mapping[str, int | None],
    now: str | None,
    *,
    with_app: bool = False,
) -> bool:
    """Prints them in the form of `-o`; False where there are none for a table.

    `codes` are exit codes that are known by UID; those that the pods alone tell are asked of `space`.
    """
    if form == output.NAME:
        return output.printed(form, [], [run.name for run in runs])
    found = views(runs, Asked(space) if space else None, now, codes, with_codes=form is not None)
    if output.printed(form, found):
        return True
    if runs:
        show(rows_of(list(zip(runs, found)), now, with_app=with_app, wide=form == output.WIDE))
    return bool(runs)


def rows_of(
    found: Sequence[tuple[RunSummary, ListedView]], now: str | None, *, with_app: bool = False, wide: bool = False
) -> list[tuple[str, ...]]:
    """The rows of a table of runs with what is known of each; `wide` has more columns."""
    rows = table([run for run, _ in found], now, {view.name: view.note for _, view in found}, with_app=with_app)
    more = [MORE, *(_more(view) for _, view in found)] if wide else [()] * len(rows)
    return [(*row, *rest) for row, rest in zip(rows, more)]


def views(
    runs: Sequence[RunSummary],
    sight: Sight | None,
    now: str | None,
    codes: Mapping[str, int | None] = {},
    *,
    with_codes: bool = True,
) -> list[ListedView]:
    """Them with what their pods alone tell: exit codes about which nobody has written, and what holds up who goes on.

    Without the right to see pods, and without a `sight` of them, none of it; exit codes only `with_codes`.
    """
    silent = {run.name: run.uid for run in runs if with_codes and run.failed and not run.annotations.get(marks.OUTCOME)}
    pods: list[Object] = []
    wanted = {*silent, *(run.name for run in runs if not run.finished)}
    if sight and wanted:
        with contextlib.suppress(Denied):
            pods = sight.pods_of(wanted)
    told = {silent[name]: outcome.exit_code_of(pod) for name, pod in newest(pods).items() if name in silent}
    known = {**told, **codes}
    lost = forgotten_of(sight, runs, pods, now) if sight else set()
    held = {name: queue.held(None, pod) for name, pod in newest(pods).items()}
    return [
        ListedView.of(
            run,
            known.get(run.uid),
            forgotten=run.name in lost,
            waiting="" if run.finished else held.get(run.name) or _turn(run),
        )
        for run in runs
    ]


def newest(pods: Sequence[Object]) -> dict[str, Object]:
    """The newest pod of each run, by the run's name."""
    return {str(pod["metadata"].get("labels", {}).get(marks.PIPELINE_RUN, "")): pod for pod in pods}


def forgotten_of(sight: Sight, runs: Sequence[RunSummary], pods: Sequence[Object], now: str | None) -> set[str]:
    """The names of runs that go on though their `pods` have ended, or are gone, so long ago that Tekton should know.

    Of one without a pod it and its TaskRun are asked for, but of no more than LOOKED_AT, the oldest: most have one
    within seconds, or wait for their turn, and where all of them have none it is no single run that was forgotten.
    """
    going, of = [run for run in runs if not run.finished], newest(pods)
    found = {run.name for run in going if run.name in of and forgotten.is_overdue(of[run.name], now)}
    alone = [run for run in going if run.name not in of and run.reason != queue.PENDING]
    old = [run for run in alone if (moments.seconds_between(run.created, now) or 0) >= forgotten.NOTICE_SECONDS]
    for run in sorted(old, key=lambda run: run.created)[:LOOKED_AT]:
        with contextlib.suppress(Denied, NotFound):
            if forgotten.trouble(*sight.whole(run.name), None):
                found.add(run.name)
    return found


def table(
    runs: Sequence[RunSummary], now: str | None, notes: Mapping[str, str] = {}, *, with_app: bool = False
) -> list[tuple[str, ...]]:
    """The rows of the table, its columns' names first; `now` is the cluster's time, `notes` go to reasons, by name."""
    rows = [
        (
            run.name,
            str(run.task_id or ""),
            run.labels.get(marks.TASK, ""),
            span(run.created, now),
            span(run.started_at, run.finished_at or now),
            run.succeeded,
            reason(run, notes.get(run.name, "")),
        )
        for run in runs
    ]
    if with_app:
        apps = [run.labels.get(marks.NAME, "") for run in runs]
        return [("App", *COLUMNS), *((app, *row) for app, row in zip(apps, rows))]
    return [COLUMNS, *rows]


def reason(run: RunSummary, note: str = "") -> str:
    """Tekton's reason, and what is known beyond it: our sentence about a failure, who cancelled, or the `note`."""
    by = run.annotations.get(marks.CANCELLED_BY)
    more = run.annotations.get(marks.OUTCOME) or note or (f"by {by}" if by else "")
    text = f"{run.reason}: {more}" if more and run.succeeded != "True" else run.reason
    plain = harmless(" ".join(text.split()))
    short = _cut(plain, LONGEST_REASON)
    return f"{short} (pinned)" if plan.is_pinned(run) else short


def _more(view: ListedView) -> tuple[str, ...]:
    code = "" if view.exit_code is None else str(view.exit_code)
    log = (view.archived or "")[: len("sha256:") + 12]
    command = _cut(shlex.join(view.command or []), LONGEST_COMMAND)
    return view.state, code, str(view.attempt or ""), view.stack, view.started_by, log, command


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def _turn(run: RunSummary) -> str:
    """What a run without a pod waits for, if somebody holds it back."""
    pending = {"metadata": {"labels": run.labels}, "spec": {"status": run.reason}}
    return queue.held(pending, None)
