"""The environment of a task, layer over layer, and where each value comes from.

Lowest to highest: Space < App < Task. A higher layer wins, and the merged result still tells what
it hides, so that a reviewer can see why a task runs with the value it has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from .errors import InvalidInput

RESERVED = ("VCAP_", "VMC", "KF_")


@dataclass(frozen=True)
class Value:
    """A variable's value: plain text, or the key of a Secret in the run's namespace."""

    text: Optional[str] = None
    secret: Optional[str] = None
    key: Optional[str] = None

    def render(self, name: str, carry: Callable[[str], str]) -> Dict[str, object]:
        """The variable as an entry of a container's `env`."""
        if self.secret is None:
            return {"name": name, "value": carry(self.text or "")}
        return {"name": name, "valueFrom": {"secretKeyRef": {"name": self.secret, "key": self.key}}}


@dataclass(frozen=True)
class Variable:
    """A variable of the merged environment: its value, its layer, and the layers it hides."""

    name: str
    value: Value
    layer: str
    shadows: Tuple[str, ...] = field(default=())


def merge(layers: Sequence[Tuple[str, Mapping[str, Value]]]) -> List[Variable]:
    """The variables of all `layers` (name and content, lowest first), sorted by name; the last one wins."""
    merged: Dict[str, Variable] = {}
    for layer, values in layers:
        for name, value in values.items():
            below = merged.get(name)
            shadows = (*below.shadows, below.layer) if below else ()
            merged[name] = Variable(name, value, layer, shadows)
    return [merged[name] for name in sorted(merged)]


def check_reserved(owner: str, name: str) -> None:
    """Refuses names that the platform sets itself (Cloud Foundry's rule for `VCAP_*` and `VMC*`)."""
    if name.upper().startswith(RESERVED):
        raise InvalidInput(f"{owner}: {name} is set by the platform and cannot be overridden: choose another name")
