"""Rules about history: how many runs stay, for how long, and what becomes of their logs."""

from __future__ import annotations

from typing import Any

from ..core import quantities
from .readers import apps, spaces
from .rule import COUNT, SPAN, Rule, Settings, Violations, setting


def _keep(args: Any, settings: Settings) -> Violations:
    for app in apps(args):
        if not settings["least"] <= app.keep <= settings["most"]:
            bounds = f"at least {settings['least']} and at most {settings['most']}"
            yield app.urn, f"{app} keeps {app.keep} runs, where {bounds} are asked for"


def _age(args: Any, settings: Settings) -> Violations:
    least = quantities.age(settings["least"], "least")
    for app in apps(args):
        if app.max_age is None and settings["required"]:
            yield app.urn, f"{app} keeps runs whatever their age"
        elif app.max_age is not None and app.max_age < least:
            said = quantities.age_text(app.max_age)
            yield app.urn, f"{app} lets runs go after {said}, and {settings['least']} is the least"


def _archive(args: Any, _: Settings) -> Violations:
    for space in spaces(args):
        if not space.log_archive:
            yield space.urn, f"{space} has no log archive: the log of a run goes with it"


RULES = (
    Rule(
        "keep",
        "Apps keep neither too few nor too many runs.",
        "Too few, and a failure is gone before anybody looks; too many fill the cluster's store.",
        "set keep=… on the App or its Space",
        _keep,
        {
            "least": setting(COUNT, 10, "so many runs at least"),
            "most": setting(COUNT, 2000, "so many at most"),
        },
        severity="low",
    ),
    Rule(
        "max-age",
        "Runs stay long enough, and not for ever where that is asked for.",
        "Logs hold what people typed: some must be kept for a time, some must be gone after one.",
        "set max_age='30d' or the like on the App or its Space",
        _age,
        {
            "least": setting(SPAN, "7d", "runs of less age stay"),
            "required": setting({"type": "boolean"}, False, "there has to be a max_age"),
        },
        severity="low",
    ),
    Rule(
        "log-archive",
        "Logs are archived before their runs go.",
        "A log lives in its pod: without an archive it goes with the run, or with the node.",
        "give the Space log_archive='s3://bucket/logs' or the like",
        _archive,
        severity="low",
    ),
)
