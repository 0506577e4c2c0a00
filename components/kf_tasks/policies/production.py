"""Rules about what an update does on stacks that people depend on."""

from __future__ import annotations

from typing import Any

from ..core.state import WILL
from .readers import deletions, runs, tasks
from .rule import COUNT, PRODUCTION, Rule, Settings, Violations, is_one_of, setting


def _failures(args: Any, settings: Settings) -> Violations:
    for task in tasks(args):
        if not task.must_succeed and is_one_of(task.stack, settings["stacks"]):
            yield task.urn, f"{task} has must_succeed=False: an update of {task.stack} goes on when it fails"


def _runs(args: Any, settings: Settings) -> Violations:
    for run in runs(args):
        if run.starts and is_one_of(run.stack, settings["stacks"]):
            will = "will" if run.starts == WILL else "may"
            verb = "be built" if run.builds else "run"
            yield run.urn, f"{run} {will} {verb} in this update of {run.stack} ({run.because})"


def _deletions(args: Any, settings: Settings) -> Violations:
    for gone in deletions(args):
        if len(gone.runs) > settings["most"] and is_one_of(gone.stack, settings["stacks"]):
            yield gone.urn, f"{len(gone.runs)} runs of {gone} are deleted in this update of {gone.stack}"


RULES = (
    Rule(
        "failures-count",
        "On production a failure ends the update.",
        "What comes after the task was written for the case that it has succeeded.",
        "leave must_succeed out, or list the stack in no pattern of `stacks`",
        _failures,
        PRODUCTION,
    ),
    Rule(
        "production-run",
        "What runs on production in an update was meant.",
        "A changed image runs every task of its App again, migrations and mails too.",
        "see that it is meant; make the rule mandatory for stacks in which no update may run anything",
        _runs,
        PRODUCTION,
    ),
    Rule(
        "production-deletion",
        "An update of production deletes few runs.",
        "A smaller keep deletes runs with their logs, for good.",
        "see that it is meant, pin what is to stay (kf pin RUN), or give the Space a log_archive first",
        _deletions,
        {**PRODUCTION, "most": setting(COUNT, 100, "so many runs of an App at most")},
        severity="high",
    ),
)
