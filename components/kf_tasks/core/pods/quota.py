"""ResourceQuota and LimitRange in Cloud Foundry's and Kubernetes' units, and what has no place in them.

A pod that a quota does not admit is made when others have ended, but one that is larger than the whole quota never
is: that is known before anything is changed.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional

from .. import quantities
from ..errors import InvalidInput

KINDS = {"default": "default", "default_request": "defaultRequest", "max": "max", "min": "min"}
_SIZES = ("memory", "ephemeral-storage", "storage")
_SHORT = {"disk": "ephemeral-storage"}
_LONG = {long: short for short, long in _SHORT.items()}
# One object for each task that is kept. The quota `pods` counts those alone that have not ended.
_OF_FINISHED = ("count/pods", "count/pipelineruns.tekton.dev", "count/taskruns.tekton.dev")


def hard(owner: str, quota: Mapping[str, Any]) -> Dict[str, str]:
    """The `hard` of a ResourceQuota: `memory`, `cpu`, `disk` (requests), `limits.memory` …, and counts of objects."""
    if not quota:
        raise InvalidInput(f"{owner}: quota is empty: give amounts, such as {{'memory': '8G', 'pods': 50}}")
    found = {}
    for name, value in quota.items():
        lead, _, last = name.rpartition(".")
        resource = _SHORT.get(last, last)
        amount = lead in ("", "requests", "limits") and (resource == "cpu" or resource in _SIZES)
        key = f"{lead or 'requests'}.{resource}" if amount else name
        what = f"{owner}: quota {name!r}"
        found[key] = _amount(resource, value, what) if amount else str(quantities.count(value, what))
    return found


def limits(owner: str, given: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    """The one entry of a LimitRange, for containers."""
    found: Dict[str, Any] = {"type": "Container"}
    for kind, amounts in given.items():
        if kind not in KINDS:
            raise InvalidInput(f"{owner}: limit_range {kind!r} is unknown: use {', '.join(KINDS)}")
        found[KINDS[kind]] = {}
        for name, value in amounts.items():
            resource = _SHORT.get(name, name)
            what = f"{owner}: limit_range {kind} {name!r}"
            if resource != "cpu" and resource not in _SIZES:
                raise InvalidInput(f"{what} is unknown: use memory, disk or cpu")
            found[KINDS[kind]][resource] = _amount(resource, value, what)
    return found


def without_default(quota: Mapping[str, str], limit_range: Optional[Mapping[str, Any]]) -> List[str]:
    """The resources of a quota that containers must name, and for which there is no default."""
    missing = []
    for name in quota:
        kind, _, resource = name.partition(".")
        if resource not in ("cpu", *_SIZES) or resource == "storage":
            continue
        defaults = [(limit_range or {}).get(KINDS["default"]) or {}]
        if kind == "requests":
            defaults.append((limit_range or {}).get(KINDS["default_request"]) or {})
        if not any(resource in amounts for amounts in defaults):
            missing.append(name)
    return sorted(missing)


@dataclass(frozen=True)
class Bounds:
    """The quota and the limit range that a Space declares, canonical; `owner` is the Space as errors name it.

    A ResourceQuota of somebody else is not known here; what that refuses Tekton says when a task starts.
    """

    owner: str
    hard: Mapping[str, str] = field(default_factory=dict)
    limit_range: Mapping[str, Any] = field(default_factory=dict)

    def check(self, what: str, amounts: Mapping[str, Mapping[str, str]]) -> None:
        """Raises InvalidInput for a container whose requests and limits no pod can ever have here."""
        for kind, named in amounts.items():
            for resource, amount in named.items():
                said = f"{what}: its {_LONG.get(resource, resource)} of {amount} is"
                most = self.hard.get(f"{kind}.{resource}")
                if most and quantities.number(amount) > quantities.number(most):
                    raise InvalidInput(
                        f"{said} more than the whole quota of {self.owner} ({kind}.{resource}: {most}), so that it can "
                        "never start: lower it, or raise the quota"
                    )
                for bound, wrong in (("max", operator.gt), ("min", operator.lt)):
                    limit = (self.limit_range.get(bound) or {}).get(resource)
                    if limit and wrong(quantities.number(amount), quantities.number(limit)):
                        raise InvalidInput(
                            f"{said} {'more' if bound == 'max' else 'less'} than limit_range of {self.owner} lets a "
                            f"container have ({bound}: {limit}), so that it can never start: change one of them"
                        )

    def filled(self, kept: int) -> str:
        """What quota on objects so many finished tasks fill, which are counted in it; empty if they leave room."""
        full = [f"{name}: {most}" for name, most in self.hard.items() if name in _OF_FINISHED and kept >= int(most)]
        return ", ".join(full)


def _amount(resource: str, value: Any, what: str) -> str:
    return quantities.cpu(value, what) if resource == "cpu" else quantities.size(value, what)
