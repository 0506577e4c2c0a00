"""What a check of `kf doctor` says: what it found, and what to do where that is not right."""

from __future__ import annotations

from dataclasses import dataclass

from .views import View

OK, WARNING, ERROR, UNKNOWN = "ok", "warning", "error", "unknown"


@dataclass(frozen=True, kw_only=True)
class FindingView(View):
    """What a check of `kf doctor` found: `state` is ok, warning, error or unknown; `advice` is empty where it is ok."""

    about: str
    state: str
    found: str
    advice: str


def well(about: str, found: str) -> FindingView:
    """All is well."""
    return FindingView(about=about, state=OK, found=found, advice="")


def wrong(about: str, found: str, advice: str, state: str = ERROR) -> FindingView:
    """Something is not, by default what keeps tasks from running."""
    return FindingView(about=about, state=state, found=found, advice=advice)
