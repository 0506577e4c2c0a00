"""The report about one manifest: its applications, everything that is wrong, and what its author should know.

The file is walked once; at each of its places the rules that are about such a place are asked.
"""

from __future__ import annotations

from typing import Collection, Iterator, List, Optional

from . import rules
from .document import Document
from .findings import Finding, Path
from .model import Application
from .nodes import Entries, Items
from .rules import APPLICATION, APPLICATIONS, ENTRIES, ENTRY, FILE, Place


class Review:
    """What there is to say about a document; `services` are those that exist, None if that is not known.

    Every application of the file is among `applications`, or there is at least one problem.
    """

    def __init__(self, document: Document, services: Optional[Collection[str]] = None) -> None:
        self.data = document.data
        self.problems = list(document.problems)
        self.warnings = list(document.warnings)
        self.notes: List[Finding] = []
        self.applications: List[Application] = []
        for place in _places(document, services):
            for finding in rules.check(place):
                {"problem": self.problems, "hidden": self.notes}.get(finding.kind, self.warnings).append(finding)
            if place.role == ENTRY:
                self._take(place)

    def _take(self, place: Place) -> None:
        """A validation that failed and that nobody has reported is a problem: else the application would be gone."""
        if place.application:
            self.applications.append(place.application)
        elif not any(problem.path[: len(place.path)] == place.path for problem in self.problems):
            said = "cannot be used, although nothing in particular is wrong: compare it with one that can"
            self.problems.append(Finding(place.line, place.path, said))


def _places(document: Document, services: Optional[Collection[str]]) -> Iterator[Place]:
    """The places of a file that rules are about, from the outside in."""
    data = document.data
    yield Place(FILE, (), 1, data, anchored=document.anchored)
    entries = data.get("applications") if rules.open_map(data) else None
    if not isinstance(entries, Items):
        return
    yield Place(APPLICATIONS, ("applications",), 1, entries)
    for nth, entry in enumerate(entries):
        path: Path = ("applications", nth)
        application, invalid = rules.validated(entry)
        line = entries.lines[nth]
        yield Place(ENTRY, path, line, entry, application=application, invalid=invalid)
        if rules.open_map(entry):
            yield Place(APPLICATION, path, line, entry, application=application, services=services)
            for key in entry:
                yield from _inside(entry, key, path, services)


def _inside(data: Entries, key: str, above: Path, services: Optional[Collection[str]]) -> Iterator[Place]:
    inner, line, path = data[key], data.lines[key], (*above, key)
    if rules.open_map(inner):
        yield Place(key, path, line, inner)
    if isinstance(inner, Items):
        yield Place(key, path, line, inner, services=services)
        for nth, entry in enumerate(inner):
            if rules.open_map(entry):
                yield Place(ENTRIES.get(key, ""), (*path, nth), inner.lines[nth], entry)
                if "notify" in entry:
                    yield from _inside(entry, "notify", (*path, nth), services)
