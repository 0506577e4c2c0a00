"""`kf apps`: the Apps of a Space, each with what its tasks did; an App here starts nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import click

from ...core import marks
from ...core.api import Object
from ...core.run.summary import RunSummary
from ...core.template import TemplateSettings
from .. import output
from ..table import echo, show, span
from ..target import Target, TargetSpace, target_options
from ..views import View

COLUMNS = ("Name", "Tasks", "Running", "Succeeded", "Failed", "Last", "Age")
WIDE = ("Keep", "Stack", "Declared", "Archive")


@dataclass(frozen=True, kw_only=True)
class AppView(View):
    """An App: `kf apps`.

    `tasks` are the runs that are kept, and how many of them have ended how; `last` is the name of the newest, `state`
    and `created` are that one's. `declared` are the names of its Tasks and TaskSchedules. What only a template tells is
    null or empty for an App that is gone and has left runs.
    """

    name: str
    tasks: int
    running: int
    succeeded: int
    failed: int
    last: str | None
    state: str | None
    created: str | None
    keep: int | None
    stack: str | None
    declared: list[str]
    log_archive: str | None

    @classmethod
    def of(cls, name: str, runs: list[RunSummary], settings: TemplateSettings | None, declared: list[str]) -> AppView:
        """That of an App with its runs, oldest first."""
        last = runs[-1] if runs else None
        return cls(
            name=name,
            tasks=len(runs),
            running=sum(not run.finished for run in runs),
            succeeded=sum(run.succeeded == "True" for run in runs),
            failed=sum(run.failed for run in runs),
            last=last.name if last else None,
            state=last.state if last else None,
            created=last.created if last else None,
            keep=settings.policy.keep if settings else None,
            stack=settings.stack if settings else None,
            declared=declared,
            log_archive=settings.log_archive if settings else None,
        )


@click.command()
@output.option()
@target_options
@click.pass_obj
def apps(target: Target, form: str | None) -> None:
    """Lists the Apps of the Space, with the counts of their tasks."""
    space = target.open()
    found = views(space)
    if not found:
        space.check_space()
    if output.printed(form, found, [app.name for app in found]):
        return
    if not found:
        echo(f"No apps in space {space.name!r}.")
        return
    rows = [_row(app, space.cluster.now) for app in found]
    if form == output.WIDE:
        show([(*COLUMNS, *WIDE), *((*row, *_more(app)) for row, app in zip(rows, found))])
    else:
        show([COLUMNS, *rows])


def views(space: TargetSpace) -> list[AppView]:
    """The Apps that are declared or have left runs, by name; one list of templates and one of runs."""
    runs: defaultdict[str, list[RunSummary]] = defaultdict(list)
    for run in space.runs():
        runs[run.labels.get(marks.NAME, "")].append(run)
    templates = space.cluster.config_maps(space.name, marks.TEMPLATE)
    own = {_label(it, marks.NAME): it for it in templates if _label(it, marks.TEMPLATE) == "app"}
    declared: defaultdict[str, list[str]] = defaultdict(list)
    for template in templates:
        if _label(template, marks.TEMPLATE) == "task":
            declared[_label(template, marks.NAME)].append(_label(template, marks.TASK))
    return [
        AppView.of(name, runs[name], _settings(own.get(name)), sorted(declared[name]))
        for name in sorted({*own, *runs})
        if name
    ]


def _settings(template: Object | None) -> TemplateSettings | None:
    try:
        return TemplateSettings.of_template(template) if template else None
    except ValueError:  # nothing that Pulumi wrote
        return None


def _label(found: Object, name: str) -> str:
    return str((found["metadata"].get("labels") or {}).get(name, ""))


def _row(app: AppView, now: str | None) -> tuple[str, ...]:
    counts: Iterable[int] = (app.tasks, app.running, app.succeeded, app.failed)
    return (app.name, *map(str, counts), app.state or "", span(app.created, now))


def _more(app: AppView) -> tuple[str, ...]:
    keep = "" if app.keep is None else str(app.keep)
    return keep, app.stack or "", ", ".join(app.declared), app.log_archive or ""
