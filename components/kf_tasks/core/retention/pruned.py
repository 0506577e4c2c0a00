"""What is remembered of runs that retention has let go: which, when, and by which rule.

Whoever asks for an ID of last week is to learn that it was pruned, and not that it never was. It stands with the
counter of the App's ids, in an annotation of its template, of the newest runs only: an object holds 256 KiB of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Iterable, List, Mapping, Optional

from .. import marks
from ..api import Object
from .plan import Verdict

KEPT = 100
TRIES = 10  # to write it down while others do, too: it is worth no more
_LINE = re.compile(r"(\d{1,15}) (\S+) (\S+) (.+)")


@dataclass(frozen=True)
class Pruned:
    """A run that was let go at a moment (RFC 3339) by a rule of `plan`."""

    id: int
    name: str
    when: str
    rule: str

    def __str__(self) -> str:
        return f"{self.when} ({self.rule})"


def of_verdicts(verdicts: Iterable[Verdict], gone: Iterable[str], when: str) -> List[Pruned]:
    """Those of the runs whose names are `gone`."""
    names = set(gone)
    return [Pruned(it.run.task_id, it.run.name, when, it.rule) for it in verdicts if it.run.name in names]


def read(template: Mapping[str, Any]) -> List[Pruned]:
    """Those that an App's ConfigMap tells of, in the order in which they went; what is no line of ours is left out."""
    text = (template["metadata"].get("annotations") or {}).get(marks.PRUNED, "")
    found = [_LINE.fullmatch(line) for line in text.splitlines()]
    return [Pruned(int(line[1]), *line.groups()[1:]) for line in found if line]


def find(template: Mapping[str, Any], task_id: Optional[int] = None, name: str = "") -> Optional[Pruned]:
    """The newest of an id or a name."""
    found = [it for it in read(template) if (it.id == task_id if task_id is not None else it.name == name)]
    return found[-1] if found else None


def noting(template: Object, gone: Iterable[Pruned]) -> Object:
    """The patch of an App's ConfigMap, as it was read, that tells of those that have gone now, too."""
    kept = [*read(template), *gone][-KEPT:]
    text = "\n".join(f"{it.id} {it.name} {it.when} {it.rule}" for it in kept)
    version = template["metadata"]["resourceVersion"]
    return {"metadata": {"resourceVersion": version, "annotations": {marks.PRUNED: text}}}
