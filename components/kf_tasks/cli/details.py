"""Everything about one run as rows for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from .table import span
from .views import LiveView, RunView, StoredView

Said = tuple[str, str | None]  # a title, and what is said under it: without that, neither is


def rows(found: LiveView, now: str | None) -> list[tuple[str, str]]:
    """The run for people: what there is to say, each on one line; `now` is the cluster's time."""
    said: list[Said] = [
        *_identity(found),
        ("Duration", span(found.started, found.finished or now)),
        ("Started by", found.started_by),
        ("Cancelled by", found.cancelled_by),
        ("Recorded", "yes, in the state of its stack" if found.recorded else "no"),
        ("Archived", found.archived),
        ("Image", found.image),
        ("Command", shlex.join(found.command)),
        *_amounts(found.resources),
        ("Timeout", "none" if found.timeout == "0s" else found.timeout),
        ("Variables", ", ".join(found.env)),
        *((f"Result {name}", text) for name, text in found.results.items()),
        *(("Pod", _pod(pod)) for pod in found.pods),
    ]
    if not found.pods:
        said.append(
            (
                "Pod",
                "none" if found.finished is None else "gone" if found.archived else "gone, and its log with it",
            )
        )
    return _shown(said)


def stored_rows(found: StoredView) -> list[tuple[str, str]]:
    """What the archive tells of a run, for people."""
    said: list[Said] = [
        *_identity(found),
        ("Duration", span(found.started, found.finished)),
        ("Started by", found.started_by),
        ("Log", found.log or f"none: {found.missing}"),
        ("Lines", f"{found.lines}{'' if found.whole or not found.log else ', what there was of it'}"),
        ("Digest", found.archived),
    ]
    return _shown(said)


def _identity(found: RunView) -> list[Said]:
    """What is said of a run wherever it is read from: what it is, how it ended, and when."""
    return [
        ("Name", found.name),
        ("App", found.app),
        ("Task", found.display_name),
        ("ID", str(found.id or "")),
        ("Space", found.space),
        ("Stack", found.stack),
        ("State", found.state),
        ("Reason", found.reason),
        ("Outcome", found.outcome),
        ("Exit code", "" if found.exit_code is None else str(found.exit_code)),
        ("Created", found.created),
        ("Started", found.started),
        ("Finished", found.finished),
    ]


def _shown(said: Iterable[Said]) -> list[tuple[str, str]]:
    """What there is to say, each on one line."""
    return [(title, text.replace("\n", "\\n")) for title, text in said if text]


def _amounts(resources: Mapping[str, Any]) -> list[tuple[str, str]]:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    titles = {"cpu": "CPU", "memory": "Memory", "ephemeral-storage": "Disk"}
    found = []
    for name, title in titles.items():
        amount, limit = requests.get(name, ""), limits.get(name, "")
        found.append((title, amount if limit in ("", amount) else f"{amount} (at most {limit})".strip()))
    return found


def _pod(pod: Mapping[str, str]) -> str:
    return f"{pod['name']} ({pod['phase']}{': ' if pod['waiting'] else ''}{pod['waiting']})"
